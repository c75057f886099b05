"""What the records of line logs mean: sessions, activities and their relations, from many processes in one log.

Records interleave and ids are short, so they are grouped by id and tag and never by neighbourhood; a second start of
one id is a second activity, and a record after the end of its activity belongs to one whose start was lost.
"""

from typing import Any

from msgspec import Struct

from provkg import identity
from provkg.config import Config
from provkg.identity import canonical
from provkg.readers.logentities import Entities, tag_of
from provkg.readers.logsessions import FAMILY, SYSTEM, Sessions
from provkg.readers.pyrepr import loads
from provkg.records import (
    NO_START,
    TOLERATED,
    Activity,
    Ended,
    Kind,
    Node,
    Parameters,
    Properties,
    Record,
    Relation,
    Remark,
)
from provkg.shelves import Shelf
from provkg.vocab import PKG

_STATUS = {"completed": "completed", "failed": "failed", "error": "failed", "interrupted": "interrupted"}


class Running(Struct):
    """An activity whose records are still coming."""

    name: str
    session: str
    ended: str = ""
    repeats: bool = False


class Log:
    """What has been read of one log so far.

    Args:
        config: says where files lie.
    """

    def __init__(self, config: Config) -> None:
        self.entities = Entities(config)
        self.sessions = Sessions(self.entities)
        self.running: Shelf[str, Running] = Shelf(str, Running)  # by name
        self.activities: Shelf[tuple[str, str], str] = Shelf(tuple[str, str], str)  # names by id and tag
        self.latest: Shelf[str, str] = Shelf(str, str)  # names by id
        self.makers: Shelf[tuple[str, str], str] = Shelf(tuple[str, str], str)  # names by id and tag of what they made
        self.noticed: dict[str, list[tuple[str, int]]] = {}
        self.derivations: list[tuple[str, int, str, str, str]] = []
        self.session = ""

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
        if SYSTEM in body:
            return self._session(body, line)
        record, notes = loads(body)
        if "activity_id" in record:
            found = self._of_activity(record, line, logged)
        elif "session_id" in record:
            found = self._session(body, line)
        elif "progenitor_id" in record:
            self.noticed.setdefault(tag_of(record), []).append((body, line))
            found = []
        elif "member_id" in record:
            found = self._member(record, line)
        elif "entity_id" in record or "entity_description" in record:
            entity = self.entities.read(record, line, body)
            if entity is None:
                return []
            found = entity
        else:
            raise ValueError("no kind of record has these keys")
        return [Remark(TOLERATED, notes), *found] if notes else found

    def rest(self) -> list[Record]:
        """Give what no later record has claimed, if this was the last one; more can be read afterwards."""
        noticed, derivations = dict(self.noticed), list(self.derivations)
        with self.entities.trying() as unclaimed:
            for tag in list(self.noticed):
                self._date_derivations(tag, "", self.session)
            found = self._derivations()
            for number, local in unclaimed:
                self._place(local, number, self.session, found)
        self.noticed, self.derivations = noticed, derivations
        return found

    def shelves(self) -> dict[str, Shelf[Any, Any]]:
        """Return what the records said, in any number."""
        own = {name: getattr(self, name) for name in ("running", "activities", "latest", "makers")}
        return own | self.entities.shelves() | self.sessions.shelves()

    def _session(self, body: str, line: int) -> list[Record]:
        self.session, session = self.sessions.read(body, line)
        return [session] if session is not None else []

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
            made = str(record["generated_id"])
            self.makers.put((made, tag_of(record)), running.name, len(made) + len(running.name))
            self._relation(Kind.GENERATED, "generated", record, running, line, found)
        elif kind == "parameters":
            found += [Parameters(running.name, record["parameters"]), *_rest(running.name, record, "parameters")]
        elif not running.ended:
            running.ended = str(record["endTime"])
            self.running.put(running.name, running, len(running.name))
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
        known = self.running.get(name) or Running(name, in_session)
        known.repeats = name in self.running  # the same record again: what follows of it is known too
        self._begin(local, tag, known)
        if known.repeats:
            return []
        session, call = self.sessions.first.get(in_session), self.sessions.last.get(in_session)
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
                arguments=call.arguments if call is not None else (),
                properties=(call.properties if call is not None else ()) + (((PKG.sessionTag, tag),) if tag else ()),
                extra=record,
                line=line,
            )
        ]

    def _running(self, record: dict[Any, Any], line: int, logged: str, found: list[Record]) -> Running:
        """Return the activity a record belongs to: the last one started with its id and tag, unless that has ended.

        Merged logs (no prefix, no time) add collections after the end.
        """
        local, tag = str(record["activity_id"]), tag_of(record)
        name = self.activities.get((local, tag)) or (None if tag else self.latest.get(local))
        known = self.running.get(name) if name is not None else None
        if known is not None and (
            not known.ended or not logged or known.repeats or known.ended == str(record.get("endTime"))
        ):
            return known
        name = identity.activity(FAMILY, tag or self.session or "-", local, f"no-start-{logged or line}")
        lost = Running(name, "")
        self._begin(local, tag, lost)
        found += [Remark(NO_START), Activity(name=name, properties=((PKG.sessionTag, tag),) if tag else (), line=line)]
        return lost

    def _begin(self, local: str, tag: str, running: Running) -> None:
        """Note what an id means from here on, to the records of its tag and to those without one."""
        size = len(local) + len(tag) + len(running.name)
        self.activities.put((local, tag), running.name, size)
        self.latest.put(local, running.name, size)
        self.running.put(running.name, running, size)

    # Relations

    def _place(self, local: str, number: int, session: str, found: list[Record]) -> str:
        return self.entities.place(local, number, session or self.session, self.sessions.host(session), found)

    def _relation(
        self, kind: Kind, word: str, record: dict[Any, Any], running: Running, line: int, found: list[Record]
    ) -> None:
        local, tag = str(record[f"{word}_id"]), tag_of(record)
        number = self.entities.number_of(local, tag)
        place = self._place(local, number, running.session, found)
        subject, other = (running.name, place) if kind is Kind.USED else (place, running.name)
        found.append(
            Relation(
                kind=kind,
                subject=subject,
                object=other,
                role=str(record.get(f"{word}_role") or ""),
                activity=running.name,
                digest=self.entities.digest(number),
                properties=_extra(record, f"{word}_id", f"{word}_role"),
                line=line,
            )
        )

    def _member(self, record: dict[str, Any], line: int) -> list[Record]:
        if "entity_id" not in record:
            raise ValueError("a membership without a collection")
        found: list[Record] = []
        local, other, tag = str(record["entity_id"]), str(record["member_id"]), tag_of(record)
        maker = self.makers.get((local, tag))
        by = self.running.get(maker) if maker is not None else None
        session = by.session if by is not None else self.session
        collection = self._place(local, self.entities.number_of(local, tag), session, found)
        member = self._place(other, self.entities.number_of(other, tag), session, found)
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
        self.derivations += [(body, line, activity, session, tag) for body, line in self.noticed.pop(tag, ())]

    def _derivations(self) -> list[Record]:
        """Give the derivations; the entities they speak of are often described after them."""
        found: list[Record] = []
        for body, line, activity, session, tag in self.derivations:
            record = loads(body)[0]
            one, other = str(record.get("entity_id", "")), str(record["progenitor_id"])
            derived = self._place(one, self.entities.number_of(one, tag), session, found)
            progenitor = self._place(other, self.entities.number_of(other, tag), session, found)
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


def _extra(record: dict[Any, Any], *known: str) -> Properties:
    """Keep the keys of a relation that have no term."""
    rest = {key: value for key, value in record.items() if key not in ("activity_id", "session_tag", *known)}
    return ((PKG.extra, canonical(rest)),) if rest else ()


def _rest(activity: str, record: dict[Any, Any], known: str) -> list[Record]:
    """Keep the keys of a record about an activity that have no term."""
    properties = _extra(record, known)
    return [Node(name=activity, properties=properties)] if properties else []
