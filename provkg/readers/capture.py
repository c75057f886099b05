"""The records of :mod:`provkg.capture`: JSON Lines, one record a line, activities told by several lines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provkg import identity
from provkg.config import Config
from provkg.readers import Reader, Source
from provkg.readers.logentities import data_level
from provkg.readers.system import environment
from provkg.records import (
    NO_START,
    TOLERATED,
    Activity,
    Digest,
    Entity,
    Environment,
    Kind,
    Parameters,
    Properties,
    Quarantined,
    Record,
    Relation,
    Remark,
)
from provkg.vocab import PKG

LINE_BYTES = 64 << 20
MAX_SHOWN = 4096
_BEGIN = b'{"provkg":'
_ABOUT = ("start", "end", "used", "generated", "parameter")
_START = {"provkg", "kind", "id", "name", "time", "environment", "arguments", "directory", "agent"}
_FILE = {"provkg", "kind", "id", "path", "role", "digest", "time", "size", "changed"}
_STATUS = ("completed", "failed", "interrupted")


def knows(source: Source) -> bool:
    """Say whether a source holds records of :mod:`provkg.capture`."""
    return source.head.lstrip().startswith(_BEGIN)


def read(source: Source) -> Iterator[Record]:
    """Read the records; an activity is given when all is read, so that its parts may stand in any order."""
    found = _Found(source.config)
    line, offset = 0, 0
    with source.open() as stream:
        while data := stream.readline(LINE_BYTES):
            line += 1
            try:
                found.take(json.loads(data), line)
            except (ValueError, TypeError, RecursionError) as error:
                reason = "no complete record" if isinstance(error, json.JSONDecodeError) else str(error)
                shown = data[:MAX_SHOWN].decode("utf-8", "backslashreplace")
                yield Quarantined(line=line, offset=offset, length=len(data), reason=reason, text=shown)
            offset += len(data)
    yield from found.records()


READER = Reader("capture", knows, read)


@dataclass
class _Told:
    """What lines tell of one activity."""

    start: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    files: list[tuple[Kind, dict[str, Any], int]] = field(default_factory=list)
    line: int = 0


class _Found:
    """The activities and environments of one source."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.environments: dict[str, Environment] = {}
        self.told: dict[str, _Told] = {}

    def take(self, record: Any, line: int) -> None:
        """Take one record.

        Raises:
            ValueError: it is none; the message says why.
        """
        if not isinstance(record, dict) or record.get("provkg") != 1:
            raise ValueError("no record of version 1")
        kind = record.get("kind")
        if kind == "environment":
            self.environments[str(record.get("digest"))] = environment(dict(record.get("system") or {}))
            return
        if kind not in _ABOUT or not record.get("id"):
            raise ValueError(f"a record of unknown kind {kind!r}" if record.get("id") else "a record without an id")
        told = self.told.setdefault(str(record["id"]), _Told())
        if kind == "start":
            told.start, told.line = record, line
        elif kind == "end":
            told.end = record
        elif kind == "parameter":
            told.parameters[str(record.get("name"))] = record.get("value")
        elif not str(record.get("path") or "").startswith("/"):
            raise ValueError("a file without an absolute path")
        else:
            told.files.append((Kind.USED if kind == "used" else Kind.GENERATED, record, line))

    def records(self) -> Iterator[Record]:
        """Give the records of all activities."""
        for id_, told in self.told.items():
            name = f"activity/capture/{identity.part(id_)}"
            if not told.start:
                yield Remark(NO_START)
            yield self.activity(name, told)
            if told.parameters:
                yield Parameters(name, told.parameters)
            for kind, record, line in told.files:
                yield from self.file(name, told, kind, record, line)

    def activity(self, name: str, told: _Told) -> Activity:
        """Return an activity: one without an end may still run."""
        start, end = told.start, told.end
        status = str(end.get("status") or "")
        exit_code = end.get("exit")
        directory = str(start.get("directory") or "")
        extra = {key: value for key, value in start.items() if key not in _START}
        extra |= {
            key: value for key, value in end.items() if key not in ("provkg", "kind", "id", "time", "status", "exit")
        }
        arguments = start.get("arguments")
        return Activity(
            name=name,
            label=str(start.get("name") or ""),
            start=str(start.get("time") or ""),
            end=str(end.get("time") or ""),
            status=status if status in _STATUS else "",
            recorded_status=status or ("running" if start else ""),
            exit_code=exit_code if type(exit_code) is int else None,
            agent=str(start.get("agent") or ""),
            environment=self.environments.get(str(start.get("environment"))),
            arguments=tuple(map(str, arguments)) if isinstance(arguments, list) else (),
            properties=((PKG.workingDirectory, directory),) if directory else (),
            extra=extra,
            line=told.line,
        )

    def file(self, activity: str, told: _Told, kind: Kind, record: dict[str, Any], line: int) -> Iterator[Record]:
        """Give a file, and that an activity used or generated it."""
        path, role = str(record["path"]), str(record.get("role") or "")
        place = self.place(path, told)
        yield Entity(name=place, path=path, level=data_level(role), line=line)
        algorithm, _, value = str(record.get("digest") or "").partition(":")
        extra = {key: value for key, value in record.items() if key not in _FILE}
        size = record.get("size")
        properties: Properties = ((PKG.byteCount, size),) if type(size) is int else ()
        properties += ((PKG.extra, identity.canonical(extra)),) if extra else ()
        if record.get("digest") and not value:
            yield Remark(TOLERATED)
        yield Relation(
            kind=kind,
            subject=activity if kind is Kind.USED else place,
            object=place if kind is Kind.USED else activity,
            role=role,
            time=str(record.get("time") or ""),
            activity=activity,
            digest=Digest(algorithm, value) if value else None,
            properties=properties,
            line=line,
        )

    def place(self, path: str, told: _Told) -> str:
        """Name the place of a path: within the site, or within the host where paths differ."""
        around = self.environments.get(str(told.start.get("environment")))
        local = path.startswith(self.config.local_paths) and around is not None and around.host
        return identity.file(path, local or self.config.site)
