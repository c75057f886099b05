"""What was captured of sessions and activities so far: each is told when all of it is there.

All of an activity is there when its start, its end, its session and the environment of that were read, in any order.
What comes after that adds to it: digests are made in the background. What is not all there is told at the end of a log.
"""

import json
from typing import Any

from msgspec import MsgspecError, Struct, field
from msgspec.json import decode
from msgspec.structs import replace

from provkg.config import Config
from provkg.identity import canonical
from provkg.readers.captured import Captured, Told, take
from provkg.readers.capturemeaning import Meaning
from provkg.readers.captureparts import UNDECIDED, Done, Files, Parts
from provkg.records import Activity, Environment, Node, Record, Remark
from provkg.shelves import Shelf
from provkg.vocab import PKG

MOST_HELD = 10_000  # records of an activity, after which it is told though it has not ended


class Held(Struct):
    """The records of an activity that are there, as text with their lines; ``wants`` is the session it happened in."""

    records: list[tuple[str, int]] = field(default_factory=list)
    started: bool = False
    ended: bool = False
    wants: str = ""


class Open(Struct):
    """An activity that was told before it ended; ``paths`` are the files of which its end says what became of them."""

    name: str
    paths: list[str]


class Log:
    """The records of one log.

    Args:
        config: says where files lie.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.environments: Shelf[str, Environment] = Shelf(str, Environment)
        self.sessions: Shelf[str, tuple[str, int, str]] = Shelf(str, tuple[str, int, str])  # text, line, environment
        self.done: Shelf[str, Done] = Shelf(str, Done)
        self.noted = Files()
        self.held: dict[str, Held] = {}
        self.open: dict[str, Open] = {}
        self.waiting: dict[str, list[str]] = {}  # for a session: activities; for an environment: sessions

    def shelves(self) -> dict[str, Shelf[Any, Any]]:
        """Return what the records said, in any number."""
        own: dict[str, Shelf[Any, Any]] = {
            "environments": self.environments,
            "sessions": self.sessions,
            "done": self.done,
        }
        return own | self.noted.shelves()

    def record(self, record: dict[str, Any], said: Environment | Told | None, text: str, line: int) -> list[Record]:
        """Read one record.

        Args:
            record: what its text says.
            said: what :func:`checked` said of it.
            text: JSON.
            line: its line number.
        """
        kind, id_ = record["kind"], str(record.get("id"))
        if isinstance(said, Environment):
            return self._environment(str(record.get("digest")), said)
        if said is None:
            return self._session(id_, record, text, line)
        done = self.done.get(id_)
        if done is not None:
            if done.dry:
                return [Node(name=done.name, properties=((PKG.extra, canonical(record)),))]
            runs = self.open.get(id_)
            if runs is not None:
                runs.paths += map(json.dumps, said.paths)
                if kind == "end":
                    del self.open[id_]
            return list(Parts(self.config, done, self.noted).later(said, runs=runs is not None))
        held = self.held.setdefault(id_, Held())
        held.records.append((text, line))
        held.ended = held.ended or kind == "end"
        if kind == "start":
            held.started, held.wants = True, str(record.get("session") or "")
        due = len(held.records) == MOST_HELD or (held.ended and kind in ("start", "end"))
        return self._told(id_, held) if held.started and due else []

    def rest(self) -> list[Record]:
        """Give what is not all there, as it is; more can be read afterwards."""
        found: list[Record] = []
        for waiting in self.waiting.values():
            for id_ in waiting:
                if id_ not in self.held and id_ in self.sessions:
                    found += self._meaning(id_).session(id_)
        for id_, held in self.held.items():
            found += self._meaning(held.wants, id_, held, self.noted.draft()).activity(id_)[0]
        for running in self.open.values():
            paths = [json.loads(each) for each in running.paths]
            found += [Remark(UNDECIDED, len(paths))] if paths else []
            extra = {"not followed: paths": paths} if paths else {}
            found.append(Node(name=running.name, properties=((PKG.recordedStatus, "running"),), extra=extra))
        return found

    def _environment(self, digest: str, known: Environment) -> list[Record]:
        self.environments.put(digest, known, len(known.text))
        found: list[Record] = []
        for id_ in self.waiting.pop(f"environment {digest}", ()):
            found += self._ready(id_)
        return found

    def _session(self, id_: str, record: dict[str, Any], text: str, line: int) -> list[Record]:
        if id_ in self.sessions:
            return []
        around = str(record.get("environment") or "")
        self.sessions.put(id_, (text, line, around), len(text))
        if around and around not in self.environments:
            self.waiting.setdefault(f"environment {around}", []).append(id_)
            return []
        return self._ready(id_)

    def _ready(self, session: str) -> list[Record]:
        """Tell a session of which all is there, and the activities that waited for that."""
        found = list(self._meaning(session).session(session))
        for id_ in self.waiting.pop(f"session {session}", ()):
            if id_ in self.held:
                found += self._told(id_, self.held[id_])
        return found

    def _told(self, id_: str, held: Held) -> list[Record]:
        """Tell an activity, if its session is there."""
        session = self.sessions.get(held.wants) if held.wants else ("", 0, "")
        if session is None or (session[2] and session[2] not in self.environments):
            self.waiting.setdefault(f"session {held.wants}", []).append(id_)
            return []
        meaning = self._meaning(held.wants, id_, held)
        told = meaning.captured.told[id_]
        runs = not held.ended and not told.dry  # it has so many records: what its end decides is told when that comes
        paths = told.paths
        told.paths = [] if runs else paths
        found, done = meaning.activity(id_)
        if runs:
            self.open[id_] = Open(done.name, [*map(json.dumps, paths)])
            found = [replace(each, recorded_status="") if isinstance(each, Activity) else each for each in found]
        del self.held[id_]
        self.done.put(id_, done, len(done.name) + len(done.session))
        return found

    def _meaning(self, session: str, id_: str = "", held: Held | None = None, noted: Files | None = None) -> Meaning:
        """Put together what was read of a session, and of an activity; what later records need is noted."""
        captured, known = Captured(), self.sessions.get(session)
        if known is not None:
            text, line, around = known
            captured.sessions[session] = (loads(text), line)
            there = self.environments.get(around)
            if there is not None:
                captured.environments[around] = there
        if held is not None:
            told = captured.told[id_] = Told(held.records[0][1])
            for text, line in held.records:
                take(told, loads(text), line)
        return Meaning(self.config, captured, noted or self.noted)


def loads(text: str) -> Any:
    """Return what a record says that was read before."""
    try:
        return decode(text)
    except (MsgspecError, UnicodeEncodeError):
        return json.loads(text)
