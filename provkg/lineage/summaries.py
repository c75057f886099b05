"""Summaries: what a year's aggregate reads instead of every activity.

For each source, each night and the whole store: how many activities of each type there are, how many ended and how
long they took; for each level, how many products there are, how many inputs their makers read, and how many of these
are known. An activity that several sources tell of counts in the first of them. The counts of nights and of the store
are kept equal to the sums of their sources, so an ingest reads and writes only what it touches.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from pyoxigraph import Quad

from provkg import identity
from provkg.lineage.facts import Facts
from provkg.lineage.index.delta import KIND
from provkg.lineage.telling import describe_activity, describe_entity
from provkg.mapping.terms import integer, literal
from provkg.store import Graph, Writing, text_of
from provkg.vocab import PKG, PROV, RDF_TYPE, SUMMARIES, short

RAW = {"R0", "R1", "DL0"}
_RECORDED = {KIND["byContent"], KIND["byIdentity"], KIND["byTime"]}
_COUNTS = {
    PKG.activityLabel: (PKG.activityCount, PKG.endedCount, PKG.timedCount, PKG.microseconds),
    PKG.ofLevel: (PKG.productCount, PKG.inputCount, PKG.recordedCount, PKG.rawCount),
}
Key = tuple[str, str, str]  # night, what is counted (a property), its value
Counts = dict[Key, list[int]]


class Call(NamedTuple):
    """What is counted of an activity.

    ``took`` is in microseconds; ``made`` are the levels of each output, ``read`` evidence and levels of each input.
    """

    label: str
    night: str
    ended: bool
    took: int | None
    made: tuple[str, ...]
    read: tuple[tuple[int, str], ...]


def counted(calls: Iterable[Call]) -> Counts:
    """Count activities by type, and products by level."""
    found: Counts = defaultdict(lambda: [0, 0, 0, 0])
    for call in calls:
        _add(found[call.night, PKG.activityLabel, call.label], (1, call.ended, call.took is not None, call.took or 0))
        recorded = sum(kind in _RECORDED for kind, _ in call.read)
        raw = sum(kind == KIND["assumed"] and bool(RAW & set(levels.split())) for kind, levels in call.read)
        for level, count in Counter(level for levels in call.made for level in levels.split()).items():
            _add(found[call.night, PKG.ofLevel, PKG[level]], (count, len(call.read), recorded, raw))
    return found


def took(start: int | None, end: int | None) -> int | None:
    """Return how long something took, unless it ended before it began."""
    return end - start if start is not None and end is not None and end >= start else None


def _add(counts: list[int], more: Iterable[int], sign: int = 1) -> None:
    for at, number in enumerate(more):
        counts[at] += sign * number


def summed(counts: Counts) -> dict[str, Counts]:
    """Return the sums of each night, and of the store under an empty name."""
    sums: dict[str, Counts] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
    _sum(sums, counts, 1)
    return sums


def kept(graph: Graph, night: str) -> Counts:
    """Return the summary of a night, or of the store, that a graph holds."""
    found: Counts = {}
    for node in graph.subjects(RDF_TYPE, PKG.NightSummary if night else PKG.StoreSummary):
        counts = _counts(list(graph.quads(node, None, None, graph.iri(SUMMARIES))))
        found |= {key: numbers for key, numbers in counts.items() if key[0] == night}
    return found


def _sum(sums: dict[str, Counts], counts: Counts, sign: int) -> None:
    """Add the counts of a source to those of its nights and of the store."""
    for (night, what, value), numbers in counts.items():
        _add(sums[""]["", what, value], numbers, sign)
        if night:
            _add(sums[night][night, what, value], numbers, sign)


def _counts(quads: list[Quad]) -> Counts:
    """Return the counts of a summary."""
    facts = {quad.predicate.value: text_of(quad.object) for quad in quads}
    night = facts.get(PKG.night) or facts.get(PKG.observationDate, "")
    return {
        (night, what, facts[what]): [int(facts.get(each, 0)) for each in counts]
        for what, counts in _COUNTS.items()
        if what in facts
    }


class Summaries:
    """The summaries of a store, in one transaction."""

    def __init__(self, writing: Writing) -> None:
        self.writing, self.base = writing, writing.base
        self.graph = writing.base + SUMMARIES

    def update(self, sources: Mapping[str, Iterable[Call]], *, recount: bool = False) -> None:
        """Count sources anew, and what is made of them.

        Args:
            sources: what is counted of each; a source without calls is gone.
            recount: make the sums of nights and store anew, from the summaries of all sources.
        """
        view = self.writing.graph
        change: dict[str, Counts] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
        lines: list[str] = []
        for source, calls in sources.items():
            new = counted(calls)
            for sign, counts in ((-1, self.forget(view, source)), (1, new)):
                _sum(change, counts, sign)
            lines += self.lines(PKG.SourceSummary, source, new)
        if recount:
            change = self.recounted(view, lines)
        for night, changed in change.items():
            kind = PKG.NightSummary if night else PKG.StoreSummary
            for key, numbers in changed.items():
                _add(numbers, self.taken(view, self.node(kind, "", key)).get(key, ()))
            lines += self.lines(kind, "", {key: numbers for key, numbers in changed.items() if any(numbers)})
        self.writing.load_lines(lines)

    def recounted(self, view: Graph, lines: list[str]) -> dict[str, Counts]:
        """Remove the sums, take in the lines so far, and return the sums of all sources."""
        for kind in (PKG.NightSummary, PKG.StoreSummary):
            for node in view.subjects(RDF_TYPE, kind):
                self.taken(view, node)
        self.writing.load_lines(lines)
        lines.clear()
        sums = summed({})
        for node in self.writing.graph.subjects(RDF_TYPE, PKG.SourceSummary):
            _sum(sums, _counts(list(view.quads(node, None, None, self.graph))), 1)
        return sums

    def forget(self, view: Graph, source: str) -> Counts:
        """Remove the summaries of a source, and return their counts."""
        found: Counts = {}
        for node in view.subjects(PKG.ofSource, source):
            found |= self.taken(view, node)
        return found

    def taken(self, view: Graph, node: str) -> Counts:
        """Remove a summary, and return its counts."""
        quads = list(view.quads(node, None, None, self.graph))
        self.writing.remove(quads)
        return _counts(quads)

    def node(self, kind: str, source: str, key: Key) -> str:
        """Return the IRI of a summary."""
        return f"{self.base}summary/{identity.digest(kind, source, *key)}"

    def lines(self, kind: str, source: str, counts: Counts) -> Iterable[str]:
        """Give summaries as N-Quads."""
        for (night, what, value), numbers in counts.items():
            node = f"<{self.node(kind, source, (night, what, value))}>"
            facts = [f"<{RDF_TYPE}> <{kind}>", f"<{what}> {f'<{value}>' if what == PKG.ofLevel else literal(value)}"]
            facts += [f"<{PKG.ofSource}> <{source}>"] if source else []
            facts += [f"<{PKG.observationDate if source else PKG.night}> {literal(night)}"]
            facts += [f"<{term}> {integer(number)}" for term, number in zip(_COUNTS[what], numbers, strict=True)]
            yield from (f"{node} {fact} <{self.graph}> .\n" for fact in facts)


class Calls:
    """What the graph says of activities, for sources that are not new.

    Args:
        graph: the store.
        known: what was found before and still holds; takes what is found.
    """

    def __init__(self, graph: Graph, known: dict[str, Call] | None = None) -> None:
        self.graph, self.facts = graph, Facts(graph)
        self.known = {} if known is None else known
        self.level = cache(lambda entity: describe_entity(graph, entity).level)

    def of_source(self, source: str) -> list[Call]:
        """Return the activities that a source is the first to tell of."""
        return [self.one(activity) for activity in self.told_by(source) if self.tellers(activity)[0] == source]

    def one(self, activity: str) -> Call:
        """Return what is counted of an activity, as it is known or as the graph says."""
        if activity not in self.known:
            self.known[activity] = self.call(activity)
        return self.known[activity]

    def told_by(self, source: str) -> list[str]:
        """Return the activities that a source tells of."""
        return [text_of(quad.subject) for quad in self.graph.quads(None, RDF_TYPE, PROV.Activity, source)]

    def tellers(self, activity: str) -> list[str]:
        """Return the sources that tell of an activity, in order."""
        return sorted({text_of(quad.graph_name) for quad in self.graph.quads(activity, RDF_TYPE, PROV.Activity)})

    def call(self, activity: str) -> Call:
        """Return what is counted of an activity."""
        start, end = self.facts.times(activity)
        nights = [
            night
            for session in self.graph.objects(activity, PKG.inSession)
            for night in self.graph.objects(session, PKG.observationDate)
        ]
        made = [self.level(each.version) for each in self.facts.generations(activity)]
        read = set()
        for node in self.graph.objects(activity, PROV.qualifiedUsage):
            for evidence in self.graph.objects(node, PKG.evidence):
                used = self.graph.objects(node, PKG.usedVersion) or self.graph.objects(node, PKG.usedSomeVersionOf)
                read |= {(KIND[short(evidence)], version) for version in used}
        return Call(
            describe_activity(self.graph, activity).label,
            min(nights, default=""),
            end is not None,
            took(start, end),
            tuple(made),
            tuple((kind, self.level(version)) for kind, version in read),
        )
