"""Rules that speak up while records come: each trouble is said once, in one line, when it is seen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from msgspec import Struct

from provkg.store import Graph
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, SKOS, VP

NIGHT, VERSION, SILENT, ENDLESS = "calibration-of-another-night", "version-change", "silent", "never-ended"
RULES = (NIGHT, VERSION, SILENT, ENDLESS)
_CALIBRATION = re.compile(r"calibr|pedestal|flat.?field", re.IGNORECASE)
_SECONDS = len("2023-03-13T08:00:00")
_RAW = {PKG.R0, PKG.R1, PKG.DL0}


class Alarm(Struct, frozen=True):
    """A trouble.

    Args:
        rule: which rule speaks.
        text: what is wrong, in a sentence.
        subject: what it is about: the IRI of an activity or a usage; night, package and version of a version change.
        night: its observation date, where it is known.
    """

    rule: str
    text: str
    subject: str
    night: str = ""


@dataclass
class Rules:
    """What the rules remember.

    Args:
        names: the rules that speak.
        silence: after how many seconds without a record an activity that runs is silent.
        clock: gives seconds that never go back.
        since: what began before this time is not waited for; UTC, as the graph has it.
    """

    names: frozenset[str] = frozenset(RULES)
    silence: float = 1800.0
    clock: Callable[[], float] = time.monotonic
    since: str = ""
    running: dict[str, float] = field(default_factory=dict)
    latest: dict[tuple[str, str], str] = field(default_factory=dict)
    versions: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    said: set[tuple[str, str]] = field(default_factory=set)

    def look(self, graph: Graph, activities: Iterable[str], sessions: Iterable[str]) -> Iterator[Alarm]:
        """Give the alarms of a batch.

        Args:
            graph: the store, with the batch in it.
            activities: those of which the batch says something.
            sessions: those of which it does.
        """
        now, told = self.clock(), sorted(activities, key=lambda each: (_start(graph, each), each))
        for session in sorted(sessions):
            yield from self._chosen(self.changed(graph, session))
        for activity in told:
            yield from self._chosen(self.foreign(graph, activity))
            yield from self._chosen(self.endless(graph, activity))
            if _unended(graph, activity) and _start(graph, activity) >= self.since:
                self.running[activity] = now
            else:
                self.running.pop(activity, None)

    def tick(self, graph: Graph) -> Iterator[Alarm]:
        """Give the activities that have become silent."""
        now = self.clock()
        for activity in [each for each, seen in self.running.items() if now - seen > self.silence]:
            del self.running[activity]
            text = f"{_label(graph, activity)} has said nothing for {self.silence / 60:g} minutes, and has not ended"
            yield from self._chosen([Alarm(SILENT, text, activity, _night(graph, activity))])

    def foreign(self, graph: Graph, activity: str) -> Iterator[Alarm]:
        """Find calibrations that an activity read and that were made in another night."""
        night = _night(graph, activity)
        for usage in graph.objects(activity, PROV.qualifiedUsage) if night else ():
            for version in graph.objects(usage, PKG.usedVersion):
                others = {_night(graph, maker) for maker in graph.objects(version, PROV.wasGeneratedBy)} - {"", night}
                if others and _is_calibration(graph, usage, version):
                    name = next(iter(_called(graph, version)), version)
                    text = f"{_label(graph, activity)} of {night} read {name} of {', '.join(sorted(others))}"
                    yield Alarm(NIGHT, text, usage, night)

    def changed(self, graph: Graph, session: str) -> Iterator[Alarm]:
        """Find software of which another version ran in the same night before."""
        for night in graph.objects(session, PKG.observationDate):
            for software in graph.objects(session, PROV.wasAssociatedWith):
                for package in graph.objects(software, PKG.packageName):
                    known = self.versions.setdefault((night, package), set())
                    for version in graph.objects(software, PKG.packageVersion):
                        if known and version not in known:
                            text = f"{package} {version} runs in the night {night}, in which {_listed(known)} ran"
                            yield Alarm(VERSION, text, f"{night} {package} {version}", night)
                        known.add(version)

    def endless(self, graph: Graph, activity: str) -> Iterator[Alarm]:
        """Find what had not ended when the same process began something else."""
        for session in graph.objects(activity, PKG.inSession):
            for tag in graph.objects(activity, PKG.sessionTag):
                before = self.latest.get((session, tag), activity)
                if _start(graph, before) > _start(graph, activity):
                    continue
                self.latest[session, tag] = activity
                if before != activity and _unended(graph, before):
                    text = f"{_label(graph, before)} never ended: {_label(graph, activity)} has begun"
                    yield Alarm(ENDLESS, text, before, _night(graph, before))

    def _chosen(self, found: Iterable[Alarm]) -> Iterator[Alarm]:
        """Give what is to be said and was not said before."""
        for alarm in found:
            key = (alarm.rule, alarm.subject)
            if alarm.rule in self.names and key not in self.said:
                self.said.add(key)
                yield alarm


def _unended(graph: Graph, activity: str) -> bool:
    return any(True for _ in graph.quads(activity, RDF_TYPE, PKG.Unended))


def _start(graph: Graph, activity: str) -> str:
    return min(graph.objects(activity, PROV.startedAtTime), default="")


def _night(graph: Graph, activity: str) -> str:
    nights = (
        night for each in graph.objects(activity, PKG.inSession) for night in graph.objects(each, PKG.observationDate)
    )
    return min((re.sub(r"[^0-9]", "", night) for night in nights), default="")


def _label(graph: Graph, activity: str) -> str:
    """Return what people call an activity: its type, its run, and when it began."""
    name, begun = min(graph.objects(activity, RDFS_LABEL), default="a step"), _start(graph, activity)
    runs = sorted({run for each in graph.objects(activity, PKG.inSession) for run in graph.objects(each, PKG.run)})
    when = f"begun {begun[:_SECONDS]}Z" if begun else "begun at no known time"
    return " ".join([name, *(f"of run {run}" for run in runs[:1]), f"({when})"])


def _called(graph: Graph, version: str) -> list[str]:
    return sorted(
        {name for place in graph.objects(version, PROV.specializationOf) for name in graph.objects(place, PKG.fileName)}
    )


def _is_calibration(graph: Graph, usage: str, version: str) -> bool:
    """Say whether a role or a kind speaks of calibration, pedestal or flat field, and it is no raw data."""
    words = [word for role in graph.objects(usage, PROV.hadRole) for word in graph.objects(role, SKOS.prefLabel)]
    places = [version, *graph.objects(version, PROV.specializationOf)]
    kinds = [kind for place in places for kind in graph.objects(place, VP.entityDescription)]
    words += [name for kind in kinds for name in graph.objects(kind, VP.name)]
    levels = {level for each in (*places, *kinds) for level in graph.objects(each, PKG.dataLevel)}
    return not levels & _RAW and any(map(_CALIBRATION.search, words))


def _listed(versions: set[str]) -> str:
    return " and ".join(sorted(versions))
