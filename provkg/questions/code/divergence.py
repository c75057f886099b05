"""Where two histories part first: both are aligned step by step, by type of activity and by role."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pyoxigraph import Literal

from provkg.store import Row, text_of
from provkg.vocab import PKG

if TYPE_CHECKING:
    from provkg.questions.asking import Asked
    from provkg.store import Graph

SIDES = ("first", "second")


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
