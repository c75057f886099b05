"""Taint: all that was made from something bad, by level, what of it has been replaced, and what to make again.

What was made from a bad version stays bad, also where a later version at its path is good: a walk that stopped there
would miss what was made from the bad one. A product is superseded where the last version at its path is none of these;
it is counted, and left out of what to make again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from provkg import identity
from provkg.config import Config
from provkg.edges import Described, Made
from provkg.histories.facts import rows
from provkg.impact.seeds import Seeds, found
from provkg.lineage.index import Index, index_of
from provkg.lineage.index.columns import Ids
from provkg.lineage.order import batches, makers_of
from provkg.lineage.telling import describe_entity
from provkg.questions.choices import PROLOGUE
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PROV

_UNRESOLVED = "SELECT DISTINCT ?usage ?place WHERE { ?usage pkg:evidence pkg:unresolved ; prov:entity ?place }"
_MEANS = """SELECT ?step ?timed ?took WHERE {
  ?sum a pkg:StoreSummary ; pkg:activityLabel ?step ; pkg:timedCount ?timed ; pkg:microseconds ?took }"""


class Affected(NamedTuple):
    """A product that is bad, or was made from one that is; ``superseded`` is the good version at its path."""

    level: str
    location: str
    step: str
    started: str
    direct: bool
    superseded: str
    product: str


class Remake(NamedTuple):
    """What to run again, after the batches before it; ``seconds`` is what it took so far, None where nothing tells."""

    batch: int
    step: str
    activities: int
    products: int
    seconds: float | None


@dataclass(frozen=True)
class Taint:
    """What something bad has touched.

    Args:
        seeds: what was bad to begin with, as it was said.
        products: all that is bad: by level, path and time.
        remake: what to make again, in order.
        partial: why there may be more.
    """

    seeds: tuple[str, ...]
    products: tuple[Affected, ...]
    remake: tuple[Remake, ...]
    partial: tuple[str, ...]

    def levels(self) -> list[tuple[str, int, int, int]]:
        """Return each level with how many products are bad, how many to begin with, and how many are superseded."""
        groups: dict[str, list[Affected]] = defaultdict(list)
        for each in self.products:
            groups[each.level].append(each)
        return [
            (level, len(some), sum(each.direct for each in some), sum(bool(each.superseded) for each in some))
            for level, some in sorted(groups.items())
        ]

    @property
    def seconds(self) -> float:
        """How long it takes to make it all again, one after the other, as far as past durations tell."""
        return sum(each.seconds or 0.0 for each in self.remake)


def taint(graph: Graph, seeds: Seeds, config: Config) -> Taint:
    """Return what something bad has touched.

    Args:
        graph: an open store.
        seeds: what is bad to begin with.
        config: the site's scope and zone.

    Raises:
        QuestionError: nothing is said, or a value is wrong or not in the store.
        NotFound: no product answers to a name.
        Ambiguous: several do.
    """
    start = found(graph, seeds, config)
    return tainted(graph, config, start.products, seeds.said(), start.partial)


def tainted(
    graph: Graph, config: Config, bad: Iterable[str], said: tuple[str, ...], partial: Iterable[str] = ()
) -> Taint:
    """Return what some products have touched.

    Args:
        graph: an open store.
        config: the site's scope, and paths that differ from host to host.
        bad: IRIs of products that are bad to begin with.
        said: what is bad, for people.
        partial: why there may be more.
    """
    index = index_of(graph)
    numbers = {iri: number for iri in bad if (number := index.find(iri)) is not None}
    alone = [iri for iri in dict.fromkeys(bad) if iri not in numbers]  # nothing was made from them
    start = np.array(sorted(numbers.values()), np.uint32)
    reached = np.union1d(index.closure(start, down=True), start).astype(np.uint32)
    touched = _Touched(graph, config, index, reached, start)
    products = [*touched.products(), *(_alone(graph, iri) for iri in alone)]
    return Taint(
        seeds=said,
        products=tuple(sorted(products)),
        remake=tuple(touched.batches()),
        partial=(*dict.fromkeys(partial), *touched.unresolved()),
    )


def _alone(graph: Graph, iri: str) -> Affected:
    told = describe_entity(graph, iri)
    return Affected(told.level, told.location, "", "", direct=True, superseded="", product=iri)


class _Touched:
    """What was reached, by number, with all that is told of it."""

    def __init__(self, graph: Graph, config: Config, index: Index, reached: Ids, start: Ids) -> None:
        self.graph, self.config, self.index, self.reached = graph, config, index, reached
        self.direct = set(start.tolist())
        self.iris = index.iris(reached)
        self.told: list[Described] = index.describe(reached)
        made, via = makers_of(index, reached)
        self.maker = dict(zip(made.tolist(), via.tolist(), strict=True))
        calls = np.unique(via)
        self.made: dict[int, Made] = dict(zip(calls.tolist(), index.made(calls), strict=True))
        self.superseded = self._superseded()

    def products(self) -> Iterable[Affected]:
        """Give what is told of each."""
        for number, iri, told in zip(self.reached.tolist(), self.iris, self.told, strict=True):
            by = self.made.get(self.maker.get(number, -1), Made())
            good = self.superseded.get(iri, "")
            yield Affected(told.level, told.location, by.label, by.start, number in self.direct, good, iri)

    def _superseded(self) -> dict[str, str]:
        """Return the good version for each product at whose path one was written last."""
        bad = set(self.iris)
        found: dict[str, str] = {}
        versions = {place: others for place, others in self._versions().items() if not bad.issuperset(others)}
        started = self._started({each for others in versions.values() for each in others})
        for others in versions.values():
            last = max(others, key=lambda each: (started[each], each))
            same = [each for each in others if started[each] == started[last]]
            if last not in bad and started[last] and len(same) == 1:
                found |= dict.fromkeys(bad.intersection(others), last)
        return found

    def _versions(self) -> dict[str, list[str]]:
        """Return the versions at each path that was rewritten and at which something bad lies."""
        places = self.graph.of_type(self._places(), PKG.Rewritten)
        return self.graph.subjects_of(PROV.specializationOf, places)

    def _places(self) -> Iterable[str]:
        """Give the places of what is bad; a path names its place, unless paths differ from host to host."""
        unsure = []
        for iri, told in zip(self.iris, self.told, strict=True):
            if told.location.startswith("/") and not told.location.startswith(self.config.local_paths):
                yield self.graph.iri(identity.file(told.location, self.config.site))
            else:
                unsure.append(iri)
        yield from (place for (place,) in rows(self.graph, unsure, "?s prov:specializationOf ?o", "o"))

    def _started(self, versions: set[str]) -> Mapping[str, str]:
        """Return when the making of each version began, in UTC, or nothing."""
        numbers = {each: number for each in sorted(versions) if (number := self.index.find(each)) is not None}
        products, via = makers_of(self.index, np.array(sorted(numbers.values()), np.uint32))
        starts = [each.start for each in self.index.made(via)]
        when: dict[int, str] = {}
        for number, start in zip(products.tolist(), starts, strict=True):
            when[number] = max(when.get(number, ""), start)
        return {each: when.get(numbers.get(each, -1), "") for each in versions}

    def batches(self) -> Iterable[Remake]:
        """Give what to make again, in order: what is current, with what it is made from."""
        kept = [iri not in self.superseded for iri in self.iris]
        current = self.reached[np.array(kept, bool)]
        if not len(current):
            return
        means = self._means()
        for each in batches(self.index, current):
            mean = means.get(each.step)
            seconds = None if mean is None else round(mean * each.activities, 3)
            yield Remake(each.number, each.step, each.activities, each.products, seconds)

    def _means(self) -> dict[str, float]:
        rows = self.graph.select(PROLOGUE + _MEANS)
        numbers = [(text_of(row["step"]), int(text_of(row["timed"])), int(text_of(row["took"]))) for row in rows]
        return {step: took / timed / 1e6 for step, timed, took in numbers if timed}

    def unresolved(self) -> list[str]:
        """Say how many steps read a version that nothing tells, at a path where something bad lay."""
        told = self.graph.select(PROLOGUE + _UNRESOLVED)
        steps = [(text_of(row["usage"]), text_of(row["place"])) for row in told]
        if not steps:
            return []
        lying = {place for (place,) in rows(self.graph, self.iris, "?s prov:specializationOf ?o", "o")}
        count = len({usage for usage, place in steps if place in lying})
        return [f"{count} steps read a version that nothing tells, where something bad lay"] if count else []
