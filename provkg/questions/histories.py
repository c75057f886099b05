"""Code of questions that compares or orders whole histories: ways between products, divergence, recipes, batches."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pyoxigraph import Literal, NamedNode

from provkg.lineage.facts import Facts, Written
from provkg.lineage.index import Index, index_of
from provkg.lineage.index.delta import LINKS
from provkg.store import Row, text_of
from provkg.vocab import PKG, PROV, RDFS_LABEL, XSD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from provkg.lineage.index.columns import Ids
    from provkg.questions.asking import Asked
    from provkg.store import Graph

_DECIMAL = NamedNode(XSD + "decimal")
SIDES = ("first", "second")
_YOUNGER, _OLDER = "the second was made from the first", "the first was made from the second"
_COMMON = "both were made from it"


# Ways


def shortest(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Keep the edges on a shortest way between two products, in order; common origins where there is no way."""
    found = list(rows)
    edges = [row for row in found if row["from"] is not None]
    down: dict[str, set[str]] = defaultdict(set)
    up: dict[str, set[str]] = defaultdict(set)
    for row in edges:
        down[text_of(row["from"])].add(text_of(row["entity"]))
        up[text_of(row["entity"])].add(text_of(row["from"]))
    first, second = (text_of(asked.terms[side]) for side in SIDES)
    for start, end, relation in ((first, second, _YOUNGER), (second, first, _OLDER)):
        before, after = _distances(start, down), _distances(end, up)
        if first == second or end not in before:
            continue
        ways: dict[tuple[int, str, str, str], Row] = {}
        for row in edges:
            here, there = text_of(row["from"]), text_of(row["entity"])
            if here in before and there in after and before[here] + 1 + after[there] == before[end]:
                key = (before[here] + 1, text_of(row["location"]), there, text_of(row["startedAt"]))
                ways[key] = {**row, "relation": Literal(relation), "position": Literal(key[0])}
        yield from (row for _, row in sorted(ways.items()))
        return
    if first != second:
        yield from ({**row, "relation": Literal(_COMMON)} for row in found if row["from"] is None)


def _distances(start: str, edges: dict[str, set[str]]) -> dict[str, int]:
    """Return how many steps each node that can be reached is from the start."""
    found, frontier = {start: 0}, [start]
    while frontier:
        frontier = list(dict.fromkeys(to for at in frontier for to in edges[at] if to not in found))
        found |= dict.fromkeys(frontier, max(found.values()) + 1)
    return found


# Same recipe, other bytes


def recipes(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Put together what was made from the same facts, and give pairs with different bytes."""
    facts: dict[tuple[str, str], set[str]] = defaultdict(set)
    products: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (text_of(row["activity"]), text_of(row["product"]))
        products.setdefault(key, row)
        facts[key] |= {text_of(row["fact"])} - {""}
    groups: dict[tuple[str, str, frozenset[str]], list[Row]] = defaultdict(list)
    for key, row in products.items():
        groups[text_of(row["step"]), text_of(row["role"]), frozenset(facts[key])].append(row)
    for made in groups.values():
        for other in made[1:]:
            if text_of(other["digest"]) != text_of(made[0]["digest"]):
                yield {
                    "step": other["step"],
                    **{side: row["location"] for side, row in zip(SIDES, (made[0], other), strict=True)},
                    **{f"{side}Digest": row["digest"] for side, row in zip(SIDES, (made[0], other), strict=True)},
                    **{f"{side}Made": row["startedAt"] for side, row in zip(SIDES, (made[0], other), strict=True)},
                }


# First points of divergence


class Input(NamedTuple):
    """Something that an activity read: where it lies, its IRI, and the IRI of its digest where it has one."""

    location: str
    entity: str
    digest: str


@dataclass
class Call:
    """An activity: its type, its facts (kind and name to values), and what it read in each role."""

    step: str = ""
    facts: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    inputs: dict[str, set[Input]] = field(default_factory=lambda: defaultdict(set))


class Difference(NamedTuple):
    """A point at which two histories part."""

    step: str
    kind: str
    what: str
    first: str
    second: str


@dataclass
class Histories:
    """Two histories: their activities, and who made what."""

    graph: Graph
    calls: dict[str, Call] = field(default_factory=lambda: defaultdict(Call))
    makers: dict[str, str] = field(default_factory=dict)
    found: Counter[Difference] = field(default_factory=Counter)

    def take(self, row: Row) -> None:
        """Take a row of the query: one fact of one activity."""
        activity, kind = text_of(row["activity"]), text_of(row["kind"])
        call = self.calls[activity]
        call.step = text_of(row["step"])
        what, value, entity = (text_of(row[name]) for name in ("what", "value", "entity"))
        if kind == "input":
            call.inputs[what].add(Input(value, entity, text_of(row["digest"])))
        elif kind == "output":
            self.makers[entity] = min(activity, self.makers.get(entity, activity))
        else:
            call.facts[kind, what].add(value or entity)

    def compare(self, first: str, second: str) -> Counter[Difference]:
        """Return the first points at which the histories of two products part."""
        todo, seen = [("", "", Input("", first, ""), Input("", second, ""))], set()
        while todo:
            step, role, one, other = todo.pop()
            if one.entity == other.entity or (one.entity, other.entity) in seen:
                continue
            seen.add((one.entity, other.entity))
            makers = [self.makers.get(each.entity, "") for each in (one, other)]
            if all(makers):
                todo += self.activities(*(self.calls[made] for made in makers))
            else:
                self.outside(step, role, one, other, makers)
        return self.found

    def outside(self, step: str, role: str, one: Input, other: Input, makers: list[str]) -> None:
        """Compare two inputs of which nobody recorded making one or both."""
        if any(makers):
            made = [self.calls[each].step if each else "" for each in makers]
            self.found[Difference(step, "recorded making", role, *made)] += 1
        elif one.digest and other.digest:
            if one.digest != other.digest:
                digests = (each.digest.rpartition("/")[2] for each in (one, other))
                self.found[Difference(step, "content of an input", role, *digests)] += 1
        elif one.location != other.location:
            self.found[Difference(step, "input", role, one.location, other.location)] += 1
        else:
            self.found[Difference(step, "version of an input", role, one.entity, other.entity)] += 1

    def activities(self, one: Call, other: Call) -> Iterator[tuple[str, str, Input, Input]]:
        """Compare two activities, and give the pairs of inputs that are to be compared."""
        if one.step != other.step:
            self.found[Difference("", "step", "", one.step, other.step)] += 1
            return
        for kind, what in sorted(one.facts.keys() | other.facts.keys()):
            values = [call.facts.get((kind, what), set()) for call in (one, other)]
            if kind == "environment":
                self.packages(one.step, *values)
            elif values[0] != values[1]:
                self.found[Difference(one.step, kind, what, *(", ".join(sorted(each)) for each in values))] += 1
        for role in sorted(one.inputs.keys() | other.inputs.keys()):
            read = [call.inputs.get(role, set()) for call in (one, other)]
            alone = [sorted(read[0] - read[1]), sorted(read[1] - read[0])]
            if len(read[0]) != len(read[1]):
                self.found[Difference(one.step, "number of inputs", role, *(str(len(each)) for each in read))] += 1
            yield from ((one.step, role, *pair) for pair in zip(*alone, strict=False))

    def packages(self, step: str, one: set[str], other: set[str]) -> None:
        """Compare the packages of two environments."""
        if one == other:
            return
        had = [self.versions(each) for each in (one, other)]
        for name in sorted(had[0].keys() | had[1].keys()):
            versions = [each.get(name, "") for each in had]
            if versions[0] != versions[1]:
                self.found[Difference(step, "package", name, *versions)] += 1

    def versions(self, environments: set[str]) -> dict[str, str]:
        """Return the packages of environments with their versions."""
        found: dict[str, str] = {}
        for package in (each for name in environments for each in self.graph.objects(name, PKG.includes)):
            names, versions = (self.graph.objects(package, term) for term in (PKG.packageName, PKG.packageVersion))
            found |= dict(zip(names, versions, strict=False))
        return found


def _parted(asked: Asked, rows: Iterable[Row]) -> list[tuple[Difference, int]]:
    histories = Histories(asked.graph)
    for row in rows:
        histories.take(row)
    return sorted(histories.compare(*(text_of(asked.terms[side]) for side in SIDES)).items())


def divergence(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Align two histories, and give the first points at which they part."""
    for difference, times in _parted(asked, rows):
        yield {**_told(difference), "times": Literal(times)}


def same(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Say whether two histories are the same computation, and if not where they part."""
    parted = _parted(asked, rows)
    if not parted:
        yield {"same": Literal("yes")}
    for difference, _ in parted:
        yield {"same": Literal("no"), **_told(difference)}


def _told(difference: Difference) -> Row:
    return {name: Literal(text) if text else None for name, text in difference._asdict().items()}


# Attempts and what is current


def subset(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Keep the activities that read nothing that the maker of a product did not read."""
    read: dict[str, set[str]] = defaultdict(set)
    told: dict[str, Row] = {}
    for row in rows:
        read[text_of(row["activity"])].add(text_of(row["other"]))
        told.setdefault(text_of(row["activity"]), row)
    for activity, row in told.items():
        maker = text_of(row["maker"])
        if read[activity] <= read[maker]:
            made = (
                "this version"
                if activity == maker
                else "another version"
                if text_of(row["wrote"]) == "yes"
                else "nothing"
            )
            yield {**row, "made": Literal(made)}


def current(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Leave out what is not the last version at its own path, and tell what wrote the last version of each input."""
    facts = Facts(asked.graph)
    last: dict[str, Written | None] = {}

    def newest(place: str) -> Written | None:
        if place not in last:
            ended = [each for each in facts.written(place) if each.end is not None]
            last[place] = max(ended, key=lambda each: (each.end or 0, each.activity), default=None)
        return last[place]

    for row in rows:
        mine, newer = newest(text_of(row["own"])), newest(text_of(row["place"]))
        if mine is not None and mine.version == text_of(row["entity"]) and newer is not None:
            labels = asked.graph.objects(newer.activity, RDFS_LABEL)
            ends = asked.graph.objects(newer.activity, PROV.endedAtTime)
            end = Literal(max(ends), datatype=NamedNode(XSD + "dateTime"))
            yield {**row, "newer": end, "newerBy": Literal(labels[0]) if labels else None}


# Batches


def batches(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Put the steps that made the descendants of a product in batches, each of which needs only those before it."""
    means = {text_of(row["step"]): _mean(row) for row in rows}
    index = index_of(asked.graph)
    start = index.find(text_of(asked.terms["product"]))
    if start is None:
        return
    made, via, depth = _ordered(index, start)
    activities, at = np.unique(via, return_inverse=True)
    batch = np.zeros(len(activities), np.int64)
    np.maximum.at(batch, at, depth)
    labels = [each.label for each in index.made(activities)]
    order = {number: place for place, number in enumerate(np.unique(batch).tolist(), 1)}
    products: Counter[tuple[int, str]] = Counter()
    for number in np.unique(made.astype(np.uint64) << np.uint64(32) | at.astype(np.uint64)).tolist():
        products[order[int(batch[number & 0xFFFFFFFF])], labels[number & 0xFFFFFFFF]] += 1
    calls = Counter((order[number], label) for number, label in zip(batch.tolist(), labels, strict=True))
    for (place, step), count in sorted(calls.items()):
        mean = means.get(step)
        yield {
            "batch": Literal(place),
            "step": Literal(step) if step else None,
            "activities": Literal(count),
            "products": Literal(products[place, step]),
            "seconds": None if mean is None else Literal(f"{mean * count:.3f}", datatype=_DECIMAL),
        }


def _ordered(index: Index, start: int) -> tuple[Ids, Ids, NDArray[np.int64]]:
    """Return, for each way in which a descendant was made: the product, its activity, and the longest way to it."""
    reached = index.closure(start, down=True)
    inside = np.zeros(index.nodes, bool)
    inside[reached] = inside[start] = True
    parts = []
    for table, at, of in index.neighbours(reached, "up"):
        kept = inside[table.node[at]]
        parts.append((reached[of][kept], table.node[at][kept], table.via[at][kept], table.kind[at][kept]))
    none = np.zeros(0, np.uint32)
    made, read, via, kind = (
        (np.concatenate([none, *column]) for column in zip(*parts, strict=True)) if parts else (none,) * 4
    )
    depth = np.zeros(index.nodes, np.int64)
    for _ in range(len(reached)):  # a circle of derivations ends here
        longer = np.maximum(depth[made], depth[read] + 1)
        before = depth[made]
        np.maximum.at(depth, made, longer)
        if (depth[made] == before).all():
            break
    call = ~np.isin(kind, LINKS)
    return made[call].astype(np.uint32), via[call].astype(np.uint32), depth[made][call]


def _mean(row: Row) -> float | None:
    timed, micros = text_of(row["timed"]), text_of(row["microseconds"])
    return int(micros) / int(timed) / 1e6 if timed and int(timed) else None
