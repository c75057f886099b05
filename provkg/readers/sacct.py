"""Slurm's accounting: the output of ``sacct --parsable2`` (or ``--parsable``), with a header and any columns.

Each job, and each attempt of one that was requeued, becomes a ``pkg:Job``; what its steps (``.batch``, ``.0``) say goes
with it. States and fields: https://slurm.schedmd.com/sacct.html. Times are those of the cluster, without a zone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from provkg import identity
from provkg.config import Config
from provkg.readers import Reader, Source
from provkg.records import Agent, Iri, Kind, Node, Properties, Quarantined, Record, Relation, Remark, Typed
from provkg.vocab import PKG, PROV, RDFS_LABEL, XSD

LINE_BYTES = 1 << 20
MAX_SHOWN = 4096
ZONE = "times without a zone, taken as"
_HEAD = re.compile(rb"\A[^\n]*\bJobID(?:Raw)?\b[^\n]*\|[^\n]*")
_STATUS = {
    **dict.fromkeys(("COMPLETED",), "completed"),
    **dict.fromkeys(("FAILED", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "DEADLINE", "LAUNCH_FAILED"), "failed"),
    **dict.fromkeys(("CANCELLED", "TIMEOUT", "PREEMPTED", "REQUEUED", "REVOKED"), "interrupted"),
}
_NO_TIME = ("", "Unknown", "None", "N/A")
_TAKEN = {"JobID", "JobIDRaw", "JobName", "State", "ExitCode", "Start", "End", "NodeList", "User"}


def knows(source: Source) -> bool:
    """Say whether a source is a table of sacct."""
    head = _HEAD.match(source.head)
    return head is not None and b"State" in head[0]


def read(source: Source) -> Iterator[Record]:
    """Read the jobs; those of which the lines of steps follow are given with these."""
    found = _Jobs(source.config)
    offset = nothing = 0
    with source.open() as stream:
        names = stream.readline(LINE_BYTES)
        columns = names.decode("utf-8", "surrogateescape").rstrip("\r\n").rstrip("|").split("|")
        offset, line = len(names), 1
        while data := stream.readline(LINE_BYTES):
            line += 1
            text = data.decode("utf-8", "surrogateescape").rstrip("\r\n")
            values = text.split("|")
            values = values[:-1] if len(values) == len(columns) + 1 and not values[-1] else values
            if len(values) == len(columns):
                found.take(dict(zip(columns, values, strict=True)), line)
            elif text.strip():
                reason = f"{len(values)} columns where the header has {len(columns)}"
                shown = text[:MAX_SHOWN]
                yield Quarantined(line=line, offset=offset, length=len(data), reason=reason, text=shown)
            else:
                nothing += len(data)
            offset += len(data)
    yield from found.records()
    yield source.end(nothing)


READER = Reader("sacct", knows, read)


@dataclass
class _Job:
    """The line of a job, and those of its steps."""

    facts: dict[str, str]
    line: int
    steps: dict[str, dict[str, str]] = field(default_factory=dict)


class _Jobs:
    """The jobs of one table."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.jobs: list[_Job] = []
        self.last: dict[str, _Job] = {}
        self.alone = self.naive = 0

    def take(self, facts: dict[str, str], line: int) -> None:
        """Take a line: of a job, or of a step of the last job of that id."""
        number, _, step = (facts.get("JobID") or facts.get("JobIDRaw") or "").partition(".")
        if not step:
            job = _Job(facts, line)
            self.jobs.append(job)
            self.last[number] = job
        elif number in self.last:
            told = {key: value for key, value in facts.items() if value and key not in ("JobID", "JobIDRaw")}
            self.last[number].steps[step] = told
        else:
            self.alone += 1

    def records(self) -> Iterator[Record]:
        """Give all jobs."""
        for job in self.jobs:
            yield from self.job(job)
        if self.alone:
            yield Remark("lines of steps without the line of their job", self.alone)
        if self.naive:
            yield Remark(f"{ZONE} {self.config.zone}", self.naive)

    def job(self, job: _Job) -> Iterator[Record]:
        """Give one job, with its user."""
        facts = job.facts
        number = facts.get("JobID") or facts.get("JobIDRaw") or "-"
        begun = facts.get("Start", "")
        first = next((each for each in (begun, facts.get("Submit", "")) if each not in _NO_TIME), "-")
        scope = facts.get("Cluster") or self.config.site
        name = "/".join(["job", "slurm", *(identity.part(each) for each in (scope, number, first))])
        extra = {key: value for key, value in facts.items() if value and key not in _TAKEN}
        if job.steps:
            extra["steps"] = job.steps  # type: ignore[assignment]
        properties = self.properties(number, facts)
        yield Node(name=name, types=(PKG.Job,), properties=properties, extra=dict(extra), line=job.line)
        if user := facts.get("User"):
            agent = f"agent/{identity.part(user)}"
            yield Agent(name=agent, label=user)
            yield Relation(kind=Kind.ASSOCIATED, subject=name, object=agent, line=job.line)

    def properties(self, number: str, facts: dict[str, str]) -> Properties:
        """Return what has a term."""
        state, code = facts.get("State", ""), facts.get("ExitCode", "")
        found: Properties = ((PKG.jobId, number),)
        found += ((RDFS_LABEL, facts["JobName"]),) if facts.get("JobName") else ()
        found += ((PKG.recordedStatus, state),) if state else ()
        status = _STATUS.get(state.split(" ")[0].rstrip("+"))
        found += ((PKG.status, Iri(PKG[status])),) if status else ()
        found += ((PKG.recordedExit, code),) if code else ()
        whole = re.fullmatch(r"(\d{1,9})(?::(\d{1,9}))?", code)
        found += ((PKG.exitCode, int(whole[1]) or (128 + int(whole[2]) if int(whole[2] or 0) else 0)),) if whole else ()
        found += (
            ((PKG.host, facts["NodeList"]),) if facts.get("NodeList", "") not in (*_NO_TIME, "None assigned") else ()
        )
        for term, key in ((PROV.startedAtTime, "Start"), (PROV.endedAtTime, "End")):
            found += self.time(term, facts.get(key, ""))
        return found

    def time(self, term: str, text: str) -> Properties:
        """Return a time in UTC; one without a zone is that of the settings."""
        if text in _NO_TIME:
            return ()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return ((PKG.recordedTime, text),)
        if moment.tzinfo is None:
            self.naive += 1
            moment = moment.replace(tzinfo=self.config.zone_info)
        return ((term, Typed(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), XSD + "dateTime")),)
