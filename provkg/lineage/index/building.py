"""Make the index from what a store says, without what ingests noted: for a remote store, and to make it again."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from weakref import finalize

from provkg.edges import Described, Made
from provkg.identity import product
from provkg.lineage.index.delta import GENERATED, KIND, Delta
from provkg.lineage.index.files import adopt, load, made, rebuild
from provkg.lineage.index.index import Index
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, RESOLUTION, VP, short

_PIECE = 1_000_000  # edges


def index_of(graph: Graph) -> Index:
    """Return the index of a store; where none lies beside it, one is made from one reading of all edges.

    Raises:
        StoreError: what lies beside the store is damaged.
    """
    if graph.beside is None or not made(graph.beside):
        folder = tempfile.TemporaryDirectory(prefix="provkg-index-")
        rebuild(Path(folder.name), graph.base, deltas_of(graph))
        if graph.beside is None or not adopt(Path(folder.name), graph.beside):
            finalize(graph, folder.cleanup)
            graph.beside = Path(folder.name)
    return load(graph.beside, graph.base)


def deltas_of(graph: Graph) -> Iterator[Delta]:
    """Give all that an index holds, in pieces."""
    facts = _Facts(graph)
    delta = Delta(known=facts.names())
    for edge in facts.edges():
        delta.edges.append(edge)
        if len(delta.edges) >= _PIECE:
            yield facts.told(delta)
            delta = Delta()
    yield facts.told(delta)


class _Facts:
    """What a store says of products and activities, read once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.places = self.values(PROV.specializationOf)
        self.locations, self.descriptions = self.values(PKG.location), self.values(VP.entityDescription)
        self.names_of, self.labels, self.levels = (
            self.values(VP.name),
            self.values(RDFS_LABEL),
            self.values(PKG.dataLevel),
        )
        self.starts, self.recorded = self.values(PROV.startedAtTime), self.values(PKG.recordedStart)
        self.makers = self.values(PROV.wasGeneratedBy)

    def resolved(self, predicate: str) -> dict[str, list[str]]:
        """Return what version resolution has found; documents of others may say something else in the same words."""
        return self.values(predicate, self.graph.iri(RESOLUTION))

    def values(self, predicate: str, graph: str | None = None) -> dict[str, list[str]]:
        """Return the values of a property by subject, in order."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for quad in self.graph.quads(None, predicate, None, graph):
            found[text_of(quad.subject)].add(text_of(quad.object))
        return {subject: sorted(values) for subject, values in found.items()}

    def names(self) -> set[str]:
        """Return all names by which later records could mean something said here."""
        found = set()
        for kind in (PROV.Activity, PROV.Entity, PROV.Derivation, PKG.Membership, PKG.Digest):
            found |= {text_of(quad.subject) for quad in self.graph.quads(None, RDF_TYPE, kind)}
        for predicate in (PROV.entity, PROV.specializationOf, PROV.activity):
            found |= {text_of(quad.object) for quad in self.graph.quads(None, predicate)}
        own = self.graph.iri("usage/")
        usages = (text_of(quad.object) for quad in self.graph.quads(None, PROV.qualifiedUsage))
        found |= {usage for usage in usages if not usage.startswith(own)}
        ids = (text_of(quad.object) for quad in self.graph.quads(None, PKG.headerProductId))
        return found | {self.graph.iri(product(each)) for each in ids} | self.makers.keys() | self.places.keys()

    def edges(self) -> Iterator[tuple[str, str, str, int]]:
        """Give all edges."""
        outputs: defaultdict[str, list[str]] = defaultdict(list)
        for output, activities in self.makers.items():
            for activity in activities:
                outputs[activity].append(output)
        idle = set(outputs)
        for activity, used, evidence in self.usages():
            idle.discard(activity)
            yield from ((output, used, activity, KIND[evidence]) for output in outputs.get(activity, ()))
        for activity in idle:
            yield from ((output, output, activity, GENERATED) for output in outputs[activity])
        memberships = set(self.graph.subjects(RDF_TYPE, PKG.Membership))
        others = self.resolved(PKG.usedVersion)
        for link, subjects in self.resolved(PKG.ofVersion).items():
            kind = KIND["membership" if link in memberships else "derivation"]
            ends = ((subject, other) for subject in subjects for other in others.get(link, ()))
            yield from ((subject, other, link, kind) for subject, other in ends if subject != other)

    def usages(self) -> Iterator[tuple[str, str, str]]:
        """Give who used what by which evidence, each once."""
        users: defaultdict[str, list[str]] = defaultdict(list)
        for activity, usages in self.values(PROV.qualifiedUsage).items():
            for usage in usages:
                users[usage].append(activity)
        versions, some = self.resolved(PKG.usedVersion), self.resolved(PKG.usedSomeVersionOf)
        told = (
            (activity, used, short(evidence))
            for usage, evidences in self.resolved(PKG.evidence).items()
            for evidence in evidences
            for used in (*versions.get(usage, ()), *some.get(usage, ()))
            for activity in users.get(usage, ())
        )
        yield from dict.fromkeys(told)

    def told(self, delta: Delta) -> Delta:
        """Put into a delta what people are told of what it speaks of."""
        for of, node, via, _ in delta.edges:
            for entity in (of, node):
                if entity not in delta.products:
                    delta.products[entity] = self.product(entity)
            if via not in delta.activities:
                starts = self.recorded.get(via) or self.starts.get(via) or [""]
                delta.activities[via] = Made(self.labels.get(via, [""])[0], starts[0])
        return delta

    def product(self, entity: str) -> Described:
        """Return what people are told of a product; see :func:`provkg.lineage.telling.describe_entity`."""
        places = [entity, *self.places.get(entity, ())]
        location = next((self.locations[place][0] for place in places if place in self.locations), "")
        description = next((self.descriptions[place][0] for place in places if place in self.descriptions), "")
        names = self.names_of.get(description) if description else self.labels.get(entity) or self.names_of.get(entity)
        kinds = {kind for place in places for kind in self.descriptions.get(place, ())}
        told = {short(level) for each in (*places, *kinds) for level in self.levels.get(each, ())}
        return Described(location, names[0] if names else "", " ".join(sorted(told)))
