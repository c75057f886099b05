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
_CALIBRATIONS = ("calibrationrun", "pedestalrun")  # parameters that choose a run for what is read


Pair = tuple[str, str]


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
    runs: set[str] = field(default_factory=set)


class Difference(NamedTuple):
    """A point at which two histories part."""

    step: str
    kind: str
    what: str
    first: str
    second: str


@dataclass
class Histories:
    """Two histories: their activities, what is known of their inputs, and who made what in which role.

    ``consequences`` says that what differs because something before it does is told as well.
    """

    graph: Graph
    consequences: bool = False
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
        elif kind == "run":
            call.runs.add(value)
        else:
            call.facts[kind, "" if kind == "configuration file" else what].add(value or entity)

    def look_up(self, entity: str) -> Input:
        """Return what is known of an input; what no activity read is looked up."""
        if entity not in self.known:
            places = [entity, *self.graph.objects(entity, PROV.specializationOf)]
            locations = [each for place in places for each in self.graph.objects(place, PKG.location)]
            digests = frozenset(self.graph.objects(entity, PKG.contentDigest))
            self.known[entity] = Input(entity, max(locations, default=""), digests)
        return self.known[entity]

    def compare(self, first: str, second: str, *, bytes_matter: bool = False) -> Counter[Difference]:
        """Return the first points at which the histories of two products part.

        Args:
            first: the IRI of a product.
            second: that of another.
            bytes_matter: inputs with the same bytes are the same, however they were made.
        """
        todo: list[tuple[str, str, str, str]] = [("", "", first, second)]
        above: dict[Pair, set[tuple[Pair, str, str]]] = {(first, second): set()}  # pairs that read this one, and how
        parted: list[Pair] = []
        while todo:
            step, role, one, other = todo.pop()
            if bytes_matter and len(above) > 1 and self.look_up(one).digests & self.look_up(other).digests:
                continue
            before = self.found.total()
            made = [self.makers.get(each) for each in (one, other)]
            if made[0] is not None and made[1] is not None:
                for each in self.made(one, other, made[0], made[1]):
                    if each[2] != each[3]:
                        todo += [each] if each[2:] not in above else []
                        above.setdefault(each[2:], set()).add(((one, other), *each[:2]))
            else:
                steps = [self.calls[each[0]].step if each is not None else "" for each in made]
                self.outside(step, role, self.look_up(one), self.look_up(other), steps)
            parted += [(one, other)] if self.found.total() > before else []
        if self.consequences:
            self.follow(above, parted)
        return self.found

    def follow(self, above: dict[Pair, set[tuple[Pair, str, str]]], parted: list[Pair]) -> None:
        """Note what was read that differs because something before it does."""
        todo, seen = list(parted), set(parted)
        while todo:
            pair = todo.pop()
            for reader, step, role in above[pair]:
                if step and pair[0] in self.makers and pair[1] in self.makers:
                    locations = [self.look_up(each).location for each in pair]
                    self.found[Difference(step, "consequence", role, *locations)] += 1
                todo += [reader] if reader not in seen else []
                seen.add(reader)

    def made(
        self, one: str, other: str, first: tuple[str, str], second: tuple[str, str]
    ) -> Iterator[tuple[str, str, str, str]]:
        """Compare what made two products, and give the pairs of products that are to be compared next."""
        (by, output), (too, others) = first, second
        steps = [self.calls[by].step, self.calls[too].step]
        if steps[0] == steps[1]:
            if output != others:
                self.found[Difference(steps[0], "output", "", output, others)] += 1
            yield from self.activities(self.calls[by], self.calls[too])
        elif (before := self.skipped(by, steps[1])) is not None:
            self.found[Difference(steps[0], "missing step", "", steps[0], "")] += 1
            yield "", "", before, other
        elif (before := self.skipped(too, steps[0])) is not None:
            self.found[Difference(steps[1], "missing step", "", "", steps[1])] += 1
            yield "", "", one, before
        else:
            self.found[Difference("", "step", "", *steps)] += 1

    def skipped(self, activity: str, step: str) -> str | None:
        """Return the one input of an activity that a step made: that history has the activity more than the other."""
        inputs = {each for some in self.calls[activity].inputs.values() for each in some}
        found = [
            each for each in sorted(inputs) if each in self.makers and self.calls[self.makers[each][0]].step == step
        ]
        return found[0] if len(found) == 1 else None

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
        """Compare two activities of one type, and give the pairs of inputs that are to be compared."""
        runs: list[tuple[set[str], set[str]]] = []
        for kind, what in sorted(one.facts.keys() | other.facts.keys()):
            values = (one.facts.get((kind, what), set()), other.facts.get((kind, what), set()))
            if kind == "environment":
                self.packages(one.step, *values)
            elif values[0] != values[1]:
                of_run = kind == "parameter" and _plain(what) in _CALIBRATIONS
                runs += [values] if of_run else []
                shown = (", ".join(sorted(each)) for each in values)
                self.found[Difference(one.step, "calibration run" if of_run else kind, what, *shown)] += 1
        for role in sorted(one.inputs.keys() | other.inputs.keys()):
            for pair in self.pairs(one, other, role):
                # what is of another run because another run was asked for follows from that
                if not any(self.ran(pair[0], first) and self.ran(pair[1], second) for first, second in runs):
                    yield one.step, role, *pair

    def ran(self, entity: str, runs: set[str]) -> bool:
        """Say whether what made a product is of one of these runs."""
        maker = self.makers.get(entity)
        return maker is not None and bool(self.calls[maker[0]].runs & runs)

    def pairs(self, one: Call, other: Call, role: str) -> list[tuple[str, str]]:
        """Return the inputs of a role that are to be compared: in the order of their paths, where there are as many."""
        read = [call.inputs.get(role, set()) for call in (one, other)]
        if len(read[0]) != len(read[1]):
            self.found[Difference(one.step, "number of inputs", role, *(str(len(each)) for each in read))] += 1
            return self.of_equal_names(*read)
        alone = (sorted(map(self.look_up, some), key=_place) for some in (read[0] - read[1], read[1] - read[0]))
        return [(first.entity, second.entity) for first, second in zip(*alone, strict=True)]

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


def _plain(name: str) -> str:
    return name.rpartition(".")[2].replace("_", "").lower()


def _parted(asked: Asked, rows: Iterable[Row], *, bytes_matter: bool) -> list[tuple[Difference, int]]:
    """Return the points at which two histories part; what differs alike in several steps is one point."""
    histories = Histories(asked.graph, consequences=text_of(asked.terms.get("consequences")) == "yes")
    for row in rows:
        histories.take(row)
    found = histories.compare(*(text_of(asked.terms[side]) for side in SIDES), bytes_matter=bytes_matter)
    alike: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for difference, times in sorted(found.items()):
        alike[difference[1:]].append((difference.step, times))
    folded = (
        (Difference(", ".join(step for step, _ in some), *rest), sum(times for _, times in some))
        for rest, some in alike.items()
    )
    return sorted(folded, key=lambda each: (each[0].kind == "consequence", each))


def divergence(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Align two histories, and give the first points at which they part."""
    for difference, times in _parted(asked, rows, bytes_matter=True):
        yield {**_told(difference), "times": Literal(times)}


def same(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Say whether two histories are the same computation, and if not where they part."""
    parted = _parted(asked, rows, bytes_matter=False)
    if not parted:
        yield {"same": Literal("yes")}
    for difference, _ in parted:
        yield {"same": Literal("no"), **_told(difference)}


def _told(difference: Difference) -> Row:
    return {name: Literal(text) if text else None for name, text in difference._asdict().items()}
