"""Join jobs with the processes that ran in them: by the id that a process recorded, else by name, host and time."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from provkg.questions.choices import PROLOGUE
from provkg.store import Graph, text_of
from provkg.vocab import PKG

_JOBS = """SELECT DISTINCT ?job ?id ?run ?label ?host ?start ?end ?status ?state ?code WHERE { ?job a pkg:Job .
  OPTIONAL { ?job pkg:jobId ?id } OPTIONAL { ?job pkg:ofRun ?run } OPTIONAL { ?job rdfs:label ?label }
  OPTIONAL { ?job pkg:host ?host } OPTIONAL { ?job prov:startedAtTime ?start } OPTIONAL { ?job prov:endedAtTime ?end }
  OPTIONAL { ?job pkg:status ?status } OPTIONAL { ?job pkg:recordedStatus ?state }
  OPTIONAL { ?job pkg:exitCode ?code } }"""
_PROCESSES = """SELECT DISTINCT ?process ?start ?run ?host ?environment ?label ?id WHERE {
  { ?process a pkg:Session } UNION { ?process a prov:Activity . MINUS { ?process pkg:inSession ?other } }
  OPTIONAL { ?process prov:startedAtTime ?start } OPTIONAL { ?process pkg:run ?run }
  OPTIONAL { ?process rdfs:label ?label } OPTIONAL { ?process pkg:jobId ?id }
  OPTIONAL { ?process pkg:environment ?environment . OPTIONAL { ?environment pkg:host ?host } } }"""
_CALLS = """SELECT DISTINCT ?activity ?session ?label ?end WHERE { ?activity a prov:Activity .
  OPTIONAL { ?activity pkg:inSession ?session } OPTIONAL { ?activity rdfs:label ?label }
  OPTIONAL { ?activity prov:endedAtTime ?end } }"""
_MINUTE = timedelta(minutes=1)  # to which a history of lstosa gives the end


@dataclass
class Job:
    """An attempt that a scheduler, or a history, tells of."""

    iri: str
    id: str = ""
    run: str = ""
    label: str = ""
    host: str = ""
    start: str = ""
    end: str = ""
    status: str = ""
    state: str = ""
    code: str = ""


@dataclass
class Process:
    """A session, or an activity without one, with the types and the ends of the activities in it."""

    iri: str
    start: str = ""
    run: str = ""
    host: str = ""
    job_id: str = ""
    labels: set[str] = field(default_factory=set)
    activities: dict[str, tuple[str, str]] = field(default_factory=dict)  # type and end of each


class Join(NamedTuple):
    """A process (or an activity of one) that ran in a job, and how that is known."""

    process: str
    job: str
    evidence: str


@dataclass(frozen=True)
class Joins:
    """What was joined; ``ambiguous`` are the processes to which several jobs fit, ``alone`` those without any."""

    jobs: tuple[Job, ...]
    processes: dict[str, Process]
    joins: tuple[Join, ...]
    ambiguous: int
    alone: int


def joined(graph: Graph) -> Joins:
    """Join all jobs of a store with its processes; nothing is written."""
    jobs, processes = _jobs(graph), _processes(graph)
    slurm = [each for each in jobs if each.id]
    by_id: dict[str, list[Job]] = defaultdict(list)
    for job in slurm:
        by_id[job.id].append(job)
    found: list[Join] = []
    ambiguous = alone = 0
    for process in processes.values():
        known = by_id.get(process.job_id, []) if process.job_id else []
        fitting = [job for job in known if _during(process, job)] if len(known) > 1 else known
        evidence = PKG.byIdentity
        if not known:
            fitting, evidence = [job for job in slurm if _fits(process, job)], PKG.byTime
        if len(fitting) == 1:
            found.append(Join(process.iri, fitting[0].iri, evidence))
        ambiguous += len(fitting) > 1
        alone += not fitting
    found += _of_histories([job for job in jobs if not job.id], processes.values())
    return Joins(tuple(jobs), processes, tuple(sorted(found)), ambiguous, alone)


def _jobs(graph: Graph) -> list[Job]:
    found: dict[str, Job] = {}
    for row in graph.select(PROLOGUE + _JOBS):
        iri, *facts = (text_of(row[name]) for name in row)
        found.setdefault(iri, Job(iri, *facts))
    return sorted(found.values(), key=lambda job: (job.start or job.end, job.iri))


def _processes(graph: Graph) -> dict[str, Process]:
    found: dict[str, Process] = {}
    ids: dict[str, str] = {}
    for row in graph.select(PROLOGUE + _PROCESSES):
        iri, start, run, host, environment, label, id_ = (text_of(row[name]) for name in row)
        process = found.setdefault(iri, Process(iri, start, run, host))
        process.labels |= {label} - {""}
        if environment and environment not in ids:
            ids[environment] = _job_id(graph, environment)
        process.job_id = process.job_id or id_ or ids.get(environment, "")
    for row in graph.select(PROLOGUE + _CALLS):
        activity, session, label, end = (text_of(row[name]) for name in row)
        if (owner := found.get(session or activity)) is not None:
            owner.labels |= {label} - {""}
            owner.activities[activity] = (label, end)
    return found


def _job_id(graph: Graph, environment: str) -> str:
    """Return the id of the job in which an environment was recorded; that of an array with its task."""
    for text in graph.objects(environment, PKG.json):
        try:
            variables = json.loads(text).get("environment") or {}
        except (ValueError, AttributeError):
            continue
        if isinstance(variables, dict) and variables.get("SLURM_JOB_ID"):
            array, task = variables.get("SLURM_ARRAY_JOB_ID"), variables.get("SLURM_ARRAY_TASK_ID")
            return f"{array}_{task}" if array and task is not None else str(variables["SLURM_JOB_ID"])
    return ""


def _during(process: Process, job: Job) -> bool:
    """Say whether a process started while a job ran; one without an end still runs."""
    at, start, end = (_moment(text) for text in (process.start, job.start, job.end))
    if at is None or start is None:
        return False
    return start <= at and (end is None or at <= end)


def _fits(process: Process, job: Job) -> bool:
    """Say whether a job ran on the host of a process when it started, and is called by its run or by what it did."""
    if not (_during(process, job) and process.host.partition(".")[0] in set(hosts(job.host))):
        return False
    numbers = {int(each) for each in re.findall(r"\d{1,9}", job.label)}
    of_run = process.run.isdigit() and int(process.run) in numbers
    return of_run or any(label in job.label for label in process.labels)


def hosts(text: str) -> Iterator[str]:
    """Give the names of a list of nodes, without their domains.

    >>> list(hosts("cp[08-10,12],login.site.org"))
    ['cp08', 'cp09', 'cp10', 'cp12', 'login']
    """
    for part in re.findall(r"[^,\[\]]+(?:\[[^\]]*\])?", text):
        name, _, ranges = part.partition("[")
        if not ranges:
            yield name.partition(".")[0]
            continue
        for each in ranges.rstrip("]").split(","):
            first, _, last = each.partition("-")
            if first.isdigit() and (last or first).isdigit():
                yield from (f"{name}{number:0{len(first)}d}" for number in range(int(first), int(last or first) + 1))


def _of_histories(attempts: list[Job], processes: Iterable[Process]) -> Iterator[Join]:
    """Join the lines of histories with activities: of that run, of a type that the stage names, which ended then."""
    by_run: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    for process in processes:
        if process.run.isdigit():
            by_run[int(process.run)] += [(activity, *told) for activity, told in process.activities.items()]
    for job in attempts:
        run = job.run.partition(".")[0]
        near = [
            activity
            for activity, label, end in by_run.get(int(run) if run.isdigit() else -1, ())
            if label and label in job.label and end and _near(end, job.end)
        ]
        if len(near) == 1 and job.status == PKG.completed:
            yield Join(near[0], job.iri, PKG.byTime)


def _near(one: str, other: str) -> bool:
    times = _moment(one), _moment(other)
    return times[0] is not None and times[1] is not None and abs(times[0] - times[1]) <= _MINUTE


def _moment(text: str) -> datetime | None:
    """Return a time; one without a zone, which only a wrong record gives, cannot be compared."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
