"""What a scheduler saw, attempt by attempt, beside what was recorded; the joins are kept in a graph of their own."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from provkg import identity
from provkg.reconciling.joining import Job, Joins, joined
from provkg.store import Store
from provkg.vocab import PKG, RDF_TYPE, RECONCILIATION, short

if TYPE_CHECKING:
    from provkg.ingest import Summary

_BAD = ("failed", "interrupted")


class Attempt(NamedTuple):
    """A job, or an attempt of one: its number among those of its name, and how many activities were recorded in it."""

    job: str
    name: str
    run: str
    host: str
    start: str
    end: str
    status: str
    state: str
    exit: str
    attempt: int
    attempts: int
    recorded: int
    unended: int
    finding: str
    iri: str


@dataclass(frozen=True)
class Reconciliation:
    """What was found.

    Args:
        attempts: all jobs, by time.
        joined: how many processes ran in a job that is known, by evidence.
        explained: activities that never ended and whose job failed or was killed, with the job.
        ambiguous: processes to which several jobs fit: they are not joined.
        alone: processes to which no job fits.
        summary: what was read, where files were given.
    """

    attempts: tuple[Attempt, ...]
    joined: dict[str, int]
    explained: tuple[tuple[str, str], ...]
    ambiguous: int
    alone: int
    summary: "Summary | None" = None

    @property
    def findings(self) -> list[Attempt]:
        """The attempts of which there is something to say."""
        return [each for each in self.attempts if each.finding]


def reconcile(store: Store, paths: Iterable[str | Path] = ()) -> Reconciliation:
    """Read what schedulers saw, join it with what is recorded, and keep the joins.

    Args:
        store: where to; the joins are made anew each time.
        paths: tables of sacct and histories of lstosa; what was read before is joined as well.

    Raises:
        StoreError: there is no store, or it cannot be written.
    """
    from provkg.ingest import ingest  # noqa: PLC0415 - only where there are files

    files = list(paths)
    summary = ingest(store, files) if files else None
    joins = joined(store.read())
    explained = tuple(_explained(joins))
    with store.write() as writing:
        graph = writing.base + RECONCILIATION
        if any(True for _ in writing.graph.quads(graph=graph)):
            writing.remove_graph(graph)
        lines = _lines(writing.base, joins, explained)
        writing.load("".join(f"{line} <{graph}> .\n" for line in lines))
    evidence = Counter(short(each.evidence) for each in joins.joins)
    return Reconciliation(
        tuple(_attempts(joins)), dict(sorted(evidence.items())), explained, joins.ambiguous, joins.alone, summary
    )


def _lines(base: str, joins: Joins, explained: Iterable[tuple[str, str]]) -> Iterator[str]:
    for each in joins.joins:
        node = f"<{base}join/{identity.digest(each.process, each.job)}>"
        yield f"<{each.process}> <{PKG.ranIn}> <{each.job}>"
        yield f"{node} <{RDF_TYPE}> <{PKG.Join}>"
        yield f"{node} <{PKG.process}> <{each.process}>"
        yield f"{node} <{PKG.job}> <{each.job}>"
        yield f"{node} <{PKG.joinedBy}> <{each.evidence}>"
    yield from (f"<{activity}> <{PKG.explainedBy}> <{job}>" for activity, job in explained)


def _explained(joins: Joins) -> Iterator[tuple[str, str]]:
    """Give the activities without an end whose job failed or was killed."""
    status = {job.iri: short(job.status) for job in joins.jobs}
    for each in joins.joins:
        process = joins.processes.get(each.process)
        if process is not None and status[each.job] in _BAD:
            yield from ((activity, each.job) for activity, (_, end) in sorted(process.activities.items()) if not end)


def _attempts(joins: Joins) -> Iterator[Attempt]:
    """Give all jobs by time, each with what was recorded in it and what there is to say."""
    groups: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in joins.jobs:
        groups[job.label, job.run].append(job)
    recorded: dict[str, list[str]] = defaultdict(list)
    for each in joins.joins:
        process = joins.processes.get(each.process)
        ends = [end for _, end in process.activities.values()] if process is not None else ["joined"]
        recorded[each.job] += ends
    for job in joins.jobs:
        others = groups[job.label, job.run]
        number, ends = others.index(job), recorded.get(job.iri, [])
        facts = (job.id, job.label, job.run, job.host, job.start, job.end, short(job.status), job.state, job.code)
        finding = _finding(job, others[number + 1 :], len(ends), ends.count(""))
        yield Attempt(*facts, number + 1, len(others), len(ends), ends.count(""), finding, job.iri)


def _finding(job: Job, later: list[Job], recorded: int, unended: int) -> str:
    """Say what there is to say of an attempt; nothing where it ended well and all in it did."""
    status = short(job.status)
    said = []
    if status in _BAD:
        said.append("killed" if status == "interrupted" else "failed")
        said += [] if recorded else ["nothing recorded"]
        again = [short(each.status) for each in later]
        said += ["retried and completed" if "completed" in again else "retried"] if again else []
    if unended:
        said.append(f"{unended} activities never ended")
    return ", ".join(said)
