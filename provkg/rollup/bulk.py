"""Read a property of many things at once: by looking each up, or all of a store where much of it is wanted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from pyoxigraph import NamedNode

from provkg.histories.facts import rows
from provkg.store import Graph
from provkg.vocab import PKG, PROV, VP

Pairs = list[tuple[str, str]]
Properties = dict[str, dict[str, list[str]]]
_FEW = 5_000  # are looked up whatever the rest of the store holds
_OF_FEW = (PROV.hadRole, PKG.status, VP.wasConfiguredBy)  # resources that very many things refer to


class Wanted(NamedTuple):
    """A property whose subject, or object where inverse, is one of some IRIs; of all where these are None."""

    names: Collection[str] | None
    predicate: str
    inverse: bool = False


class Bulk:
    """Read properties of a store; ``whole`` says that most of it is wanted, so that it is read in its own order.

    Looking something up costs three times what reading it in its order does.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.whole = graph, False

    def at_once(self, wanted: Sequence[Wanted]) -> list[Pairs]:
        """Return the subjects and objects of several properties; side by side where the store can."""
        with ThreadPoolExecutor(self.graph.parallel) as threads:
            return [*threads.map(self._pairs, wanted)]

    def pairs(self, names: Collection[str], predicate: str) -> Pairs:
        """Return the subjects and objects of a property of some IRIs."""
        return self._pairs(Wanted(names, predicate))

    def _pairs(self, wanted: Wanted) -> Pairs:
        names, predicate, inverse = wanted
        if names is not None and not names:
            return []
        if names is not None and not (self.whole and len(names) > _FEW):
            pattern = f"?x <{predicate}> ?s" if inverse else f"?s <{predicate}> ?x"
            found = rows(self.graph, names, pattern, *(("x", "s") if inverse else ("s", "x")))
            return [(subject, object_) for subject, object_ in found]
        if names is None:
            return [*self._every(predicate)]
        chosen, end = {*names}, int(inverse)
        return [pair for pair in self._every(predicate) if pair[end] in chosen]

    def _every(self, predicate: str) -> Iterator[tuple[str, str]]:
        """Give all subjects and objects of a property; where few objects have it, each object only once."""
        texts = self.graph.texts
        if predicate in _OF_FEW:
            for [value] in texts(f"SELECT DISTINCT ?o WHERE {{ ?s <{predicate}> ?o FILTER(isIRI(?o)) }}"):
                yield from (
                    (name, value) for [name] in texts(f"SELECT ?s WHERE {{ ?s <{predicate}> {NamedNode(value)} }}")
                )
            return
        yield from ((subject, value) for subject, value in texts(f"SELECT ?s ?o WHERE {{ ?s <{predicate}> ?o }}"))

    def properties(self, names: Collection[str], predicates: Sequence[str]) -> Properties:
        """Return some properties of each of some IRIs."""
        found = self.at_once([Wanted(names, predicate) for predicate in predicates])
        return by_subject(dict(zip(predicates, found, strict=True)))


def by_subject(of: dict[str, Pairs]) -> Properties:
    """Return properties by subject, each value once and in order.

    >>> by_subject({"p": [("s", "b"), ("s", "a"), ("s", "b")]})["s"]["p"]
    ['a', 'b']
    """
    found: Properties = defaultdict(lambda: defaultdict(list))
    for predicate, pairs in of.items():
        for subject, value in sorted(set(pairs)):
            found[subject][predicate].append(value)
    return found


def values_of(facts: Iterable[dict[str, list[str]]], predicate: str) -> set[str]:
    """Return the values of a property of several things."""
    return {value for each in facts for value in each.get(predicate, ())}
