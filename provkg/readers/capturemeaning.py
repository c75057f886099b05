"""What activities that were captured become in the graph: sessions, files, and what nothing follows from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from provkg import identity
from provkg.config import Config
from provkg.readers.captured import Captured, Told
from provkg.readers.captureparts import HEAD, STATUS, UNDECIDED, Done, Files, Parts, resources_of
from provkg.records import (
    NO_START,
    Activity,
    Iri,
    Kind,
    Node,
    Properties,
    Record,
    Remark,
    Session,
)
from provkg.vocab import DCTERMS, PKG, PROV, RDFS_LABEL

DRY = "activities of a dry run: plans, of which nothing was done"
_START = HEAD | {
    "name",
    "time",
    "session",
    "within",
    "arguments",
    "directory",
    "parameters",
    "used",
    "generated",
    "paths",
}
_SESSION = HEAD | {
    "time",
    "environment",
    "arguments",
    "directory",
    "agent",
    "name",
    "config_file",
    "software",
    "slurm",
    "script",
}
_OF_SESSION = {
    "observation_date": PKG.observationDate,
    "observation_run": PKG.run,
    "pedestal_run": PKG.pedestalRun,
    "calibration_run": PKG.calibrationRun,
}


@dataclass(frozen=True)
class Meaning:
    """What the records of one source mean."""

    config: Config
    captured: Captured
    noted: Files

    def session(self, id_: str) -> Iterator[Record]:
        """Give a session; of a dry run there is none."""
        session, line = self.captured.sessions[id_]
        if not session.get("dry"):
            yield self._session(id_, session, line)

    def activity(self, id_: str) -> tuple[list[Record], Done]:
        """Return what is told of an activity, and what later records need of it."""
        told = self.captured.told[id_]
        if told.dry:
            plan = self._plan(id_, told)
            return [plan, Remark(DRY)], Done(plan.name, dry=True)
        session = self.captured.sessions.get(str(told.start.get("session")), ({}, 0))[0]
        done = Done(_name(id_), str(told.start.get("session") or id_), self._host(session))
        parts = Parts(self.config, done, self.noted)
        parts.note(told)
        return list(self._activity(told, session, parts)), done

    def _session(self, id_: str, record: dict[str, Any], line: int) -> Session:
        software, job = record.get("software"), record.get("slurm")
        properties: Properties = tuple(
            (iri, str(record[key])) for key, iri in _OF_SESSION.items() if record.get(key) is not None
        )
        properties += ((PKG.workingDirectory, str(record["directory"])),) if record.get("directory") else ()
        properties += ((PKG.jobId, number),) if (number := _job(job)) else ()
        extra = {key: value for key, value in record.items() if key not in _SESSION and key not in _OF_SESSION}
        config = str(record.get("config_file") or "")
        return Session(
            name=_session_name(id_),
            label=str(record.get("name") or ""),
            start=str(record.get("time") or ""),
            software=(str(software.get("name")), str(software.get("version"))) if isinstance(software, dict) else None,
            environment=self.captured.environments.get(str(record.get("environment"))),
            arguments=_arguments(record),
            config_file=identity.file(config, self.config.site) if config.startswith("/") else config,
            properties=properties,
            extra=extra | ({"slurm": job} if job else {}),
            line=line,
        )

    def _plan(self, id_: str, told: Told) -> Node:
        """Give what a dry run would have done: a plan, so that nothing takes it for what was done."""
        files = {
            key: [each.get("path") or each.get("url") or each.get("local") for of, each, _ in told.files if of is kind]
            for key, kind in (("used", Kind.USED), ("generated", Kind.GENERATED))
        }
        extra = {**told.start, **told.end, "parameters": told.parameters, **files}
        properties: Properties = ((RDFS_LABEL, str(told.start.get("name") or "")), (PKG.dry, True))
        properties += ((PKG.recordedStart, str(told.start.get("time") or "")),)
        return Node(
            name=f"plan/capture/{identity.part(id_)}",
            types=(PROV.Plan,),
            properties=properties,
            extra={key: value for key, value in extra.items() if key not in HEAD and value},
            line=told.line,
        )

    def _activity(self, told: Told, session: dict[str, Any], parts: Parts) -> Iterator[Record]:
        if not told.start:
            yield Remark(NO_START)
        left: dict[str, list[Any]] = {}
        files = [each for each in told.files if not parts.leave(each, left)]
        if undecided := told.undecided if told.end else told.paths:
            yield Remark(UNDECIDED, len(undecided))
            left["paths"] = undecided
        yield self._start(
            parts.done.name, told, session, {f"not followed: {key}": value for key, value in left.items()}
        )
        yield from parts.counted(left)
        script = session.get("script")
        if isinstance(script, dict) and "path" in script:  # the process that did it ran this code
            files.append(
                (Kind.USED, script | {"role": "script"}, self.captured.sessions[str(told.start["session"])][1])
            )
        yield from parts.told(told, files)

    def _start(self, name: str, told: Told, session: dict[str, Any], left: dict[str, Any]) -> Activity:
        """Return an activity: one without an end may still run."""
        start, end = told.start, told.end
        status, exit_code, directory = str(end.get("status") or ""), end.get("exit"), str(start.get("directory") or "")
        extra = {key: value for key, value in start.items() if key not in _START} | left
        resources, more = resources_of(end)
        properties: Properties = ((PKG.workingDirectory, directory),) if directory else ()
        properties += resources
        if within := str(start.get("within") or ""):
            properties += ((DCTERMS.isPartOf, Iri(f"activity/capture/{identity.part(within)}")),)
        return Activity(
            name=name,
            label=str(start.get("name") or ""),
            start=str(start.get("time") or ""),
            end=str(end.get("time") or ""),
            status=status if status in STATUS else "",
            recorded_status=status or ("running" if start else ""),
            exit_code=exit_code if type(exit_code) is int else None,
            session=_session_name(str(start["session"])) if session else "",
            agent=str(session.get("agent") or ""),
            arguments=_arguments(start),
            properties=properties,
            extra=extra | more,
            line=told.line,
        )

    def _host(self, session: dict[str, Any]) -> str:
        around = self.captured.environments.get(str(session.get("environment")))
        return around.host if around is not None else ""


def _name(id_: str) -> str:
    return f"activity/capture/{identity.part(id_)}"


def _session_name(id_: str) -> str:
    return f"session/capture/{identity.part(id_)}"


def _arguments(record: dict[str, Any]) -> tuple[str, ...]:
    arguments = record.get("arguments")
    return tuple(map(str, arguments)) if isinstance(arguments, list) else ()


def _job(job: Any) -> str:
    """Return the id of a Slurm job as its accounting has it."""
    if not isinstance(job, dict) or not job.get("job"):
        return ""
    array, task = job.get("array_job"), job.get("array_task")
    return f"{array}_{task}" if array and task is not None else str(job["job"])
