"""Remove what a source said, and what only it referred to."""

from pyoxigraph import NamedNode

from provkg import ledger
from provkg.lineage.batch import Batch
from provkg.lineage.resolution import link_quads
from provkg.mapping.statements import TOLD
from provkg.store import Graph, Writing
from provkg.vocab import CATALOGUE, DESCRIPTIONS, PKG, PROV, RDF_TYPE, RESOLUTION


class Removal:
    """Removals of one transaction; ``orphans`` may be referred to by nothing any more."""

    def __init__(self, writing: Writing) -> None:
        self.writing, self.base = writing, writing.base
        self.orphans: set[str] = set()

    def touch(self, graph: str, batch: Batch) -> None:
        """Note in the batch what depends on what a source says: it is resolved again."""
        view = self.writing.graph
        for quad in view.quads(None, RDF_TYPE, PROV.Activity, graph):
            batch.activities.add(_value(quad.subject))
        batch.activities |= {_value(quad.subject) for quad in view.quads(None, PROV.qualifiedUsage, None, graph)}
        batch.activities |= {_value(quad.object) for quad in view.quads(None, PROV.wasGeneratedBy, None, graph)}
        for predicate in TOLD:
            batch.places |= {_value(quad.subject) for quad in view.quads(None, predicate, None, graph)}
        for quad in view.quads(None, RDF_TYPE, PKG.Session, graph):
            batch.sessions.add(_value(quad.subject))
        for quad in view.quads(None, PROV.specializationOf, None, graph):
            batch.places.add(_value(quad.object))
        for predicate in (PROV.qualifiedDerivation, PKG.qualifiedMembership):
            for quad in view.quads(None, predicate, None, graph):
                batch.places.add(_value(quad.subject))
                batch.links.add(_value(quad.object))

    def forget(self, graph: str, batch: Batch) -> None:
        """Remove what a source said, and note in the batch what that touches."""
        view = self.writing.graph
        self.touch(graph, batch)
        self.orphans |= {
            _value(quad.object) for quad in view.quads(None, None, None, graph) if isinstance(quad.object, NamedNode)
        }
        self.orphans |= {_value(quad.subject) for quad in view.quads(None, RDF_TYPE, PROV.Entity, graph)}
        self.take_back(view, graph, batch)
        self.writing.remove(ledger.forgotten(view, graph))
        self.writing.remove_graph(graph)

    def supersede(self, graph: str) -> None:
        """Remove a source of which another says all: what follows from it stays."""
        self.writing.remove(ledger.forgotten(self.writing.graph, graph))
        self.writing.remove_graph(graph)

    def take_back(self, view: Graph, graph: str, batch: Batch) -> None:
        """Remove what was resolved about the nodes of a source; what other sources say of these is resolved again."""
        resolution, old = self.base + RESOLUTION, []
        for subject in {_value(quad.subject) for quad in view.quads(None, None, None, graph)}:
            for quad in view.quads(subject, None, None, resolution):
                old.append(quad)
                if quad.predicate.value == PKG.usedVersion:
                    self.orphans.add(_value(quad.object))
                    batch.links.add(subject)
                batch.activities |= {subject, *view.subjects(PROV.qualifiedUsage, subject)}
                batch.activities |= set(view.objects(subject, PROV.wasGeneratedBy))
                for predicate in (PROV.qualifiedDerivation, PKG.qualifiedMembership):
                    batch.links |= set(view.objects(subject, predicate))
            old += link_quads(view, subject)
        self.writing.remove(old)

    def collect(self) -> None:
        """Remove shared descriptions and first versions that nothing refers to any more."""
        view = self.writing.graph
        shared = {self.base + CATALOGUE, self.base + DESCRIPTIONS, self.base + RESOLUTION}
        todo = self.orphans
        while todo:
            iri = todo.pop()
            own = [quad for quad in view.quads(iri) if _value(quad.graph_name) in shared]
            if not own or len(own) != sum(1 for _ in view.quads(iri)) or any(True for _ in view.quads(None, None, iri)):
                continue
            todo |= {_value(quad.object) for quad in own if isinstance(quad.object, NamedNode)}
            self.writing.remove(own)


def _value(term: object) -> str:
    return str(getattr(term, "value", ""))
