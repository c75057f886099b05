"""A part of the graph as quads: steps and products, all that is said of them, and what that refers to.

Statements that lead to steps and products outside the part are left out and counted. A part holds no ledger, so that
nobody takes it for the whole of its sources; what the ledger says of these stands in the default graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from pyoxigraph import DefaultGraph, NamedNode, Quad

from provkg.store import Graph, text_of
from provkg.vocab import INFERENCES, LEDGER, PKG, PROV, RDF_TYPE, SUMMARIES

_AT_ONCE = 2_000
BOOKKEEPING = (LEDGER, SUMMARIES, INFERENCES)  # graphs that say nothing of the world, or nothing that was recorded
_OF_SOURCE = (PKG.sourcePath, PKG.sha256, PKG.byteCount, PKG.reader, PKG.readBy, PROV.generatedAtTime)
_ENDS = (PROV.entity, PROV.activity, PROV.influencer, PKG.usedVersion, PKG.usedSomeVersionOf, PKG.ofVersion)
_FOLLOWED = (PROV.wasInvalidatedBy, PROV.qualifiedInvalidation, PROV.specializationOf)
_QUALIFYING = (f"{PROV.iri}qualified", f"{PKG.iri}qualified")  # what their names begin with
_ELSEWHERE = (PKG.progenitor, PKG.drawnFrom)  # shortcuts: between products as they are


class Slice:
    """A part of a store; ``cut`` counts the statements that were left out, once the quads have been given.

    Args:
        graph: an open store.
        nodes: the steps, products and agents of the part.
    """

    def __init__(self, graph: Graph, nodes: Iterable[str]) -> None:
        self.graph, self.nodes = graph, frozenset(nodes)
        self.cut = 0
        self._outside: dict[str, bool] = {}
        self._hidden = {graph.iri(name) for name in BOOKKEEPING}

    def quads(self) -> Iterator[Quad]:
        """Give the quads, by subject: first the nodes, then what these refer to."""
        seen, sources = set(self.nodes), set()
        todo = sorted(self.nodes)
        self.cut = 0
        while todo:
            follow: set[str] = set()
            names = iter(todo)
            while some := list(islice(names, _AT_ONCE)):
                for quad in self._of(some, seen):
                    yield quad
                    sources.add(text_of(quad.graph_name))
                    if isinstance(quad.object, NamedNode) and quad.predicate.value not in (RDF_TYPE, *_ELSEWHERE):
                        follow.add(quad.object.value)
            todo = sorted(follow - seen)
            seen |= follow
        yield from self._told_of(sources)

    def _of(self, names: list[str], seen: set[str]) -> Iterator[Quad]:
        """Give what is said of some names, with their qualified relations, without what leads out."""
        quads = self._about(names)
        ends = self._about([text_of(quad.object) for quad in quads if _qualifies(quad)])
        self._judge([*quads, *ends])
        out = {
            text_of(quad.subject)
            for quad in ends
            if quad.predicate.value in _ENDS and self._outside.get(text_of(quad.object), False)
        }
        for quad in quads:
            followed, node = quad.predicate.value in _FOLLOWED, text_of(quad.object)
            if not followed and (node in out if _qualifies(quad) else self._outside.get(node, False)):
                self.cut += 1
                continue
            yield quad
        for quad in ends:
            node = text_of(quad.subject)
            if node not in out and node not in seen:
                yield quad
        seen |= {text_of(quad.subject) for quad in ends}

    def _about(self, names: Iterable[str]) -> list[Quad]:
        """Return what is said of some names."""
        return [quad for quad in self.graph.about(names) if text_of(quad.graph_name) not in self._hidden]

    def _judge(self, quads: Iterable[Quad]) -> None:
        """Note which objects are steps or products outside: places and sessions are none."""
        new = {quad.object.value for quad in quads if isinstance(quad.object, NamedNode) and not _is_type(quad)}
        new -= self._outside.keys() | self.nodes
        graph = self.graph
        found = graph.of_type(new, PROV.Activity) - graph.of_type(new, PKG.Session)
        entities = graph.of_type(new - found, PROV.Entity)
        found |= entities - graph.of_type(entities, PKG.File) - graph.of_type(entities, PKG.Object)
        self._outside |= {name: name in found for name in new}

    def _told_of(self, sources: set[str]) -> Iterator[Quad]:
        """Give what the ledger says of the sources, whose graphs these are."""
        ledger, nowhere = self.graph.iri(LEDGER), DefaultGraph()
        for source in sorted(each for each in sources if each.startswith(self.graph.iri("source/"))):
            yield Quad(NamedNode(source), NamedNode(RDF_TYPE), NamedNode(PROV.Bundle), nowhere)
            for predicate in _OF_SOURCE:
                for quad in self.graph.quads(source, predicate, None, ledger):
                    yield Quad(quad.subject, quad.predicate, quad.object, nowhere)


def _is_type(quad: Quad) -> bool:
    return quad.predicate.value == RDF_TYPE


def _qualifies(quad: Quad) -> bool:
    return quad.predicate.value.startswith(_QUALIFYING)
