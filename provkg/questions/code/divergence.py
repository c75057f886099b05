"""Where two histories part first: both are aligned step by step, by type of activity and by role."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pyoxigraph import Literal

from provkg.store import Row, text_of
from provkg.vocab import PKG, PROV

if TYPE_CHECKING:
    from provkg.questions.asking import Asked
    from provkg.store import Graph

SIDES = ("first", "second")


class Input(NamedTuple):
    """Something that an activity read: its IRI, where it lies, and the IRIs of its digests."""

    entity: str
    location: str = ""
    digests: frozenset[str] = frozenset()


@dataclass
class Call:
    """An activity: its type, its facts (kind and name to values), and what it read in each role."""

    step: str = ""
    facts: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    inputs: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class Difference(NamedTuple):
    """A point at which two histories part."""

    step: str
    kind: str
    what: str
    first: str
    second: str


@dataclass
class Histories:
    """Two histories: their activities, what is known of their inputs, and who made what in which role."""

    graph: Graph
    calls: dict[str, Call] = field(default_factory=lambda: defaultdict(Call))
    known: dict[str, Input] = field(default_factory=dict)
    makers: dict[str, tuple[str, str]] = field(default_factory=dict)
    found: Counter[Difference] = field(default_factory=Counter)

    def take(self, row: Row) -> None:
        """Take a row of the query: one fact of one activity."""
        activity, kind = text_of(row["activity"]), text_of(row["kind"])
        call = self.calls[activity]
        call.step = call.step or text_of(row["step"])
        what, value, entity = (text_of(row[name]) for name in ("what", "value", "entity"))
        if kind == "input":
            before = self.known.get(entity, Input(entity))
            digests = before.digests | ({text_of(row["digest"])} - {""})
            self.known[entity] = Input(entity, max(value, before.location), digests)
            call.inputs[what].add(entity)
        elif kind == "output":
            self.makers[entity] = min((activity, what), self.makers.get(entity, (activity, what)))
        else:
            call.facts[kind, what].add(value or entity)

    def look_up(self, entity: str) -> Input:
        """Return what is known of an input; what no activity read is looked up."""
        if entity not in self.known:
            places = [entity, *self.graph.objects(entity, PROV.specializationOf)]
            locations = [each for place in places for each in self.graph.objects(place, PKG.location)]
            digests = frozenset(self.graph.objects(entity, PKG.contentDigest))
            self.known[entity] = Input(entity, max(locations, default=""), digests)
        return self.known[entity]

    def compare(self, first: str, second: str) -> Counter[Difference]:
        """Return the first points at which the histories of two products part."""
        todo, seen = [("", "", first, second)], set()
        while todo:
            step, role, one, other = todo.pop()
            if one == other or (one, other) in seen:
                continue
            seen.add((one, other))
            made = [self.makers.get(each) for each in (one, other)]
            if made[0] is not None and made[1] is not None:
                (by, output), (too, others) = made[0], made[1]
                if output != others and self.calls[by].step == self.calls[too].step:
                    self.found[Difference(self.calls[by].step, "output", "", output, others)] += 1
                todo += self.activities(self.calls[by], self.calls[too])
            else:
                steps = [self.calls[each[0]].step if each is not None else "" for each in made]
                self.outside(step, role, self.look_up(one), self.look_up(other), steps)
        return self.found

    def outside(self, step: str, role: str, one: Input, other: Input, made: list[str]) -> None:
        """Compare two inputs of which nobody recorded making one or both."""
        if one.digests & other.digests:
            return
        algorithms = [{each.rpartition("/")[0] for each in some.digests} for some in (one, other)]
        if algorithms[0] & algorithms[1]:
            digests = (", ".join(sorted(each.rpartition("/")[2] for each in some.digests)) for some in (one, other))
            self.found[Difference(step, "content of an input", role, *digests)] += 1
        elif any(made):
            self.found[Difference(step, "recorded making", role, *made)] += 1
        elif one.location != other.location:
            self.found[Difference(step, "input", role, one.location, other.location)] += 1
        else:
            self.found[Difference(step, "version of an input", role, one.entity, other.entity)] += 1

    def activities(self, one: Call, other: Call) -> Iterator[tuple[str, str, str, str]]:
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
            if len(read[0]) != len(read[1]):
                self.found[Difference(one.step, "number of inputs", role, *(str(len(each)) for each in read))] += 1
                pairs = self.of_equal_names(*read)
            else:
                alone = (sorted(map(self.look_up, some), key=_place) for some in (read[0] - read[1], read[1] - read[0]))
                pairs = [(first.entity, second.entity) for first, second in zip(*alone, strict=True)]
            yield from ((one.step, role, *pair) for pair in pairs)

    def of_equal_names(self, one: set[str], other: set[str]) -> list[tuple[str, str]]:
        """Return the pairs of inputs whose files have one name: where numbers differ, no other can be aligned."""
        names = [{self.look_up(each).location.rpartition("/")[2]: each for each in some} for some in (one, other)]
        return [(names[0][name], names[1][name]) for name in sorted(names[0].keys() & names[1].keys()) if name]

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


def _place(each: Input) -> tuple[str, str]:
    return each.location, each.entity


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
