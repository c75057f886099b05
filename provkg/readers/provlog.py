"""What the records of line logs mean: sessions, activities and their relations, from many processes in one log.

Records interleave and ids are short, so they are grouped by id and tag and never by neighbourhood; a second start of
one id is a second activity, and a record after the end of its activity belongs to one whose start was lost.
"""

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from provkg import identity
from provkg.identity import canonical
from provkg.readers.logentities import Entities, path_digest, tag_of
from provkg.readers.pyrepr import loads
from provkg.readers.system import CHANGING, arguments, environment, started
from provkg.records import (
    NO_START,
    TOLERATED,
    Activity,
    Ended,
    Environment,
    Kind,
    Node,
    Parameters,
    Properties,
    Record,
    Relation,
    Remark,
    Session,
)
from provkg.vocab import PKG

FAMILY = "log"
_SYSTEM = "'system': {"
_CHANGING = "'arguments': "
_STATUS = {"completed": "completed", "failed": "failed", "error": "failed", "interrupted": "interrupted"}
_SESSION_PROPERTIES = {
    "observation_date": PKG.observationDate,
    "observation_run": PKG.run,
    "pedestal_run": PKG.pedestalRun,
    "calibration_run": PKG.calibrationRun,
}


@dataclass
class _Running:
    """An activity whose records are still coming."""

    name: str
    session: str
    ended: str = ""
    repeats: bool = False


@dataclass
class Log:
    """What has been read of one log so far."""

    entities: Entities
    sessions: dict[str, Session] = field(default_factory=dict)
    called: dict[str, Session] = field(default_factory=dict)
    activities: dict[tuple[str, str], _Running] = field(default_factory=dict)
    by_name: dict[str, _Running] = field(default_factory=dict)
    latest: dict[str, _Running] = field(default_factory=dict)
    generated: dict[tuple[str, str], _Running] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    noticed: dict[str, list[tuple[dict[str, Any], int]]] = field(default_factory=dict)
    derivations: list[tuple[dict[str, Any], int, str, str, str]] = field(default_factory=list)
    session: str = ""

    def record(self, body: str, line: int, logged: str) -> list[Record]:
        """Read one record.

        Args:
            body: the repr of a dict.
            line: its line number.
            logged: the time before it in the log, or an empty string where there is no prefix.

        Raises:
            ValueError: the body is no record; nothing was taken from it.
        """
        body = body.strip()
        if self.entities.known(body):
            return []
        if _SYSTEM in body:
            return self._session(*self._split_session(body), line)
        record, notes = loads(body)
        if "activity_id" in record:
            found = self._of_activity(record, line, logged)
        elif "session_id" in record:
            found = self._session(record, None, line)
        elif "progenitor_id" in record:
            self.noticed.setdefault(tag_of(record), []).append((record, line))
            found = []
        elif "member_id" in record:
            found = self._member(record, line)
        elif "entity_id" in record or "entity_description" in record:
            found = self.entities.read(record, line, body)
        else:
            raise ValueError("no kind of record has these keys")
        return [Remark(TOLERATED, notes), *found] if notes else found

    def rest(self) -> list[Record]:
        """Give what no later record has claimed, if this was the last one; more can be read afterwards."""
        noticed, derivations, given = dict(self.noticed), list(self.derivations), set(self.entities.given)
        for tag in list(self.noticed):
            self._date_derivations(tag, "", self.session)
        found = self._derivations()
        for local, tag in self.entities.unclaimed():
            self._place(local, tag, self.session, found)
        self.noticed, self.derivations, self.entities.given = noticed, derivations, given
        return found

    # Sessions

    def _split_session(self, body: str) -> tuple[dict[Any, Any], Environment | None]:
        """Decode a session; the part of ``system`` that repeats at every call is decoded once."""
        begin = body.index(_SYSTEM) + len(_SYSTEM)
        changing = body.find(_CHANGING, begin)
        if changing >= 0:
            static = body[begin:changing].removesuffix(", ")
            try:
                rest, _ = loads(body[:begin] + body[changing:])
                if static not in self.environments:
                    self.environments[static] = environment(loads("{" + static + "}")[0])
                whole = set(rest["system"]) <= set(CHANGING)
            except (ValueError, TypeError, KeyError):
                whole = False  # the cut fell inside a value
            if whole:
                return rest, self.environments[static]
        return loads(body)[0], None

    def _session(self, record: dict[Any, Any], known: Environment | None, line: int) -> list[Record]:
        if "session_id" not in record:
            raise ValueError("no kind of record has these keys")
        local, start = str(record.pop("session_id")), str(record.pop("startTime", ""))
        system = record.pop("system", None)
        system = system if isinstance(system, dict) else {}
        record.pop("session_tag", None)
        label = str(
            record.pop("name", "") or ".".join(str(record[key]) for key in ("module", "class") if key in record)
        )
        properties = tuple(
            (iri, str(record.pop(key))) for key, iri in _SESSION_PROPERTIES.items() if record.get(key) is not None
        )
        config = str(record.pop("config_file", "") or "")
        digest = path_digest(
            record.pop("config_file_hash", None), record.pop("config_file_hash_type", None), config, ""
        )
        if digest is not None:
            properties += ((PKG.configurationFileDigest, f"{digest.of}:{digest.algorithm}:{digest.value}"),)
        session = Session(
            name=f"session/{FAMILY}/{identity.part(local)}/{identity.part(start)}",
            label=label,
            start=start,
            software=_software(record.pop("software_version", None), system),
            environment=known or (environment(system) if system else None),
            arguments=arguments(system.get("arguments")),
            config_file=self.entities.file(config, "") if config.startswith("/") else config,
            properties=properties + started(system),
            extra=record,
            line=line,
        )
        self.session = local
        self.called[local] = session
        same = self.sessions.get(local)
        if same is not None and _static(same) == _static(session):
            return []  # lstosa repeats the session before every activity since 2022
        self.sessions[local] = session
        return [session]

    # Activities

    def _of_activity(self, record: dict[Any, Any], line: int, logged: str) -> list[Record]:
        if "startTime" in record or "name" in record:
            return self._start(record, line)
        kind = next((key for key in ("used_id", "generated_id", "parameters", "endTime") if key in record), None)
        if kind is None or (kind == "parameters" and not isinstance(record["parameters"], dict)):
            raise ValueError("no kind of record has these keys")
        found: list[Record] = []
        running = self._running(record, line, logged, found)
        if kind == "used_id":
            self._relation(Kind.USED, "used", record, running, line, found)
        elif kind == "generated_id":
            self.generated[str(record["generated_id"]), tag_of(record)] = running
            self._relation(Kind.GENERATED, "generated", record, running, line, found)
        elif kind == "parameters":
            found += [Parameters(running.name, record["parameters"]), *_rest(running.name, record, "parameters")]
        elif not running.ended:
            running.ended = str(record["endTime"])
            status = record.pop("status", None)
            end = Ended(
                running.name, str(record["endTime"] or ""), _STATUS.get(str(status), "") if status else "completed"
            )
            found += [end, *_rest(running.name, record | ({"status": status} if status else {}), "endTime")]
        return found

    def _start(self, record: dict[Any, Any], line: int) -> list[Record]:
        local, tag = str(record.pop("activity_id")), str(record.pop("session_tag", ""))
        start, in_session = str(record.pop("startTime", "")), str(record.pop("in_session", ""))
        name = identity.activity(FAMILY, in_session or tag or "-", local, start)
        self._date_derivations(tag, name, in_session)
        known = self.by_name.get(name)
        if known is not None:  # the same record again: what follows of it is known too
            known.repeats = True
            self.activities[local, tag] = self.latest[local] = known
            return []
        self.activities[local, tag] = self.latest[local] = self.by_name[name] = _Running(name, in_session)
        session = self.sessions.get(in_session)
        call = self.called.get(in_session)
        arguments, properties = _differences(call, session) if call is not None and session is not None else ((), ())
        if in_session and session is None:
            record["in_session"] = in_session
        return [
            Activity(
                name=name,
                label=str(record.pop("name", "")),
                start=start,
                session=session.name if session is not None else "",
                agent=str(record.pop("agent_name", "") or ""),
                script=str(record.pop("script", "") or ""),
                arguments=arguments,
                properties=properties + (((PKG.sessionTag, tag),) if tag else ()),
                extra=record,
                line=line,
            )
        ]

    def _running(self, record: dict[Any, Any], line: int, logged: str, found: list[Record]) -> _Running:
        """Return the activity a record belongs to: the last one started with its id and tag, unless that has ended.

        Merged logs (no prefix, no time) add collections after the end.
        """
        local, tag = str(record["activity_id"]), tag_of(record)
        known = self.activities.get((local, tag)) or (None if tag else self.latest.get(local))
        if known is not None and (
            not known.ended or not logged or known.repeats or known.ended == str(record.get("endTime"))
        ):
            return known
        name = identity.activity(FAMILY, tag or self.session or "-", local, f"no-start-{logged or line}")
        lost = self.activities[local, tag] = self.latest[local] = self.by_name[name] = _Running(name, "")
        found += [Remark(NO_START), Activity(name=name, properties=((PKG.sessionTag, tag),) if tag else (), line=line)]
        return lost

    # Relations

    def _place(self, local: str, tag: str, session: str, found: list[Record]) -> str:
        known = self.sessions.get(session)
        host = known.environment.host if known is not None and known.environment is not None else ""
        return self.entities.place(local, tag, session or self.session, host, found)

    def _relation(
        self, kind: Kind, word: str, record: dict[Any, Any], running: _Running, line: int, found: list[Record]
    ) -> None:
        local, tag = str(record[f"{word}_id"]), tag_of(record)
        place = self._place(local, tag, running.session, found)
        entity = self.entities.described_by(local, tag)
        digest = entity.digest if entity is not None else None
        subject, other = (running.name, place) if kind is Kind.USED else (place, running.name)
        found.append(
            Relation(
                kind=kind,
                subject=subject,
                object=other,
                role=str(record.get(f"{word}_role") or ""),
                activity=running.name,
                digest=digest if digest is not None and digest.of == "content" else None,
                properties=_extra(record, f"{word}_id", f"{word}_role"),
                line=line,
            )
        )

    def _member(self, record: dict[Any, Any], line: int) -> list[Record]:
        if "entity_id" not in record:
            raise ValueError("a membership without a collection")
        found: list[Record] = []
        local, tag = str(record["entity_id"]), tag_of(record)
        by = self.generated.get((local, tag))
        session = by.session if by is not None else self.session
        collection = self._place(local, tag, session, found)
        member = self._place(str(record["member_id"]), tag, session, found)
        properties = _extra(record, "entity_id", "member_id")
        activity = by.name if by is not None else ""
        return [
            *found,
            Relation(
                kind=Kind.MEMBER, subject=collection, object=member, activity=activity, properties=properties, line=line
            ),
        ]

    def _date_derivations(self, tag: str, activity: str, session: str) -> None:
        """Derivations are noticed on the way into an activity: it dates the versions they speak of."""
        self.derivations += [(record, line, activity, session, tag) for record, line in self.noticed.pop(tag, ())]

    def _derivations(self) -> list[Record]:
        """Give the derivations; the entities they speak of are often described after them."""
        found: list[Record] = []
        for record, line, activity, session, tag in self.derivations:
            derived = self._place(str(record.get("entity_id", "")), tag, session, found)
            progenitor = self._place(str(record["progenitor_id"]), tag, session, found)
            found.append(
                Relation(
                    kind=Kind.DERIVED,
                    subject=derived,
                    object=progenitor,
                    activity=activity,
                    time=str(record.get("generated_time") or ""),
                    properties=_extra(record, "entity_id", "progenitor_id", "generated_time"),
                    line=line,
                )
            )
        return found


def _static(session: Session) -> Session:
    """Return what does not change when a session record repeats."""
    properties = tuple(pair for pair in session.properties if pair[0] != PKG.processStart)
    return replace(session, name="", start="", arguments=(), properties=properties, line=0)


def _differences(call: Session, session: Session) -> tuple[tuple[str, ...], Properties]:
    """Return what the session record before a call said that the first one of the session did not."""
    properties = tuple(pair for pair in call.properties if pair not in session.properties)
    if call.start != session.start:
        properties += ((PKG.sessionRecordStart, call.start),)
    return (call.arguments if call.arguments != session.arguments else ()), properties


def _extra(record: dict[Any, Any], *known: str) -> Properties:
    """Keep the keys of a relation that have no term."""
    rest = {key: value for key, value in record.items() if key not in ("activity_id", "session_tag", *known)}
    return ((PKG.extra, canonical(rest)),) if rest else ()


def _rest(activity: str, record: dict[Any, Any], known: str) -> list[Record]:
    """Keep the keys of a record about an activity that have no term."""
    properties = _extra(record, known)
    return [Node(name=activity, properties=properties)] if properties else []


def _software(version: Any, system: dict[str, Any]) -> tuple[str, str] | None:
    """Name the program of a session: lstosa gives lstchain's version, gammapy its own."""
    if version:
        return "lstchain", str(version)
    return ("gammapy", str(system["version"])) if system.get("version") else None
