"""What lines of :mod:`provkg.capture` tell of an activity."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from provkg.readers.system import environment
from provkg.records import Environment, Kind

VERSION = 1
Reference = dict[str, Any]


@dataclass
class Told:
    """What lines tell of one activity."""

    line: int
    start: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    files: list[tuple[Kind, Reference, int]] = field(default_factory=list)
    paths: list[Reference] = field(default_factory=list)
    undecided: list[Reference] = field(default_factory=list)
    links: list[tuple[Kind, Reference, Reference, bool, int]] = field(default_factory=list)
    digests: dict[str, Reference] = field(default_factory=dict)
    dry: bool = False


@dataclass
class Captured:
    """Sessions and activities, with what is told of them."""

    environments: dict[str, Environment] = field(default_factory=dict)
    sessions: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)


def checked(record: Any, line: int) -> Environment | Told | None:
    """Return what a record says: an environment, something of an activity, or None where it is a session.

    Raises:
        ValueError: it is no record; the message says why. So do TypeError and AttributeError.
    """
    if not isinstance(record, dict) or record.get("provkg") != VERSION:
        raise ValueError(f"no record of version {VERSION}")
    kind = record.get("kind")
    if kind == "environment":
        return environment(dict(record.get("system") or {}))
    if not record.get("id"):
        raise ValueError("a record without an id")
    if kind == "session":
        _checked(record.get("script") or {"local": ""})
        return None
    if not isinstance(kind, str) or kind not in _TAKEN:
        raise ValueError(f"a record of unknown kind {kind!r}")
    return take(Told(line), record, line)


def take(told: Told, record: dict[str, Any], line: int) -> Told:
    """Take what a record says of an activity, and return it.

    Raises:
        ValueError: it is none; the message says why. So do TypeError and AttributeError.
    """
    _TAKEN[record["kind"]](told, record, line)
    told.dry = told.dry or record.get("dry") is True
    return told


def _start(told: Told, record: dict[str, Any], line: int) -> None:
    _lists(told, record, line)
    told.start, told.line = record, line


def _end(told: Told, record: dict[str, Any], line: int) -> None:
    dict(record.get("resources") or {})
    undecided = [_checked(each) for each in record.get("paths") or ()]
    _lists(told, {key: value for key, value in record.items() if key != "paths"}, line)
    told.end, told.undecided = record, undecided


def _lists(told: Told, record: dict[str, Any], line: int) -> None:
    files = [
        (kind, _checked(each), line)
        for kind, key in ((Kind.USED, "used"), (Kind.GENERATED, "generated"))
        for each in record.get(key) or ()
    ]
    paths = [_checked(each) for each in record.get("paths") or ()]
    parameters = {key: _value(value) for key, value in dict(record.get("parameters") or {}).items()}
    told.parameters |= parameters
    told.files += files
    told.paths += paths


def _file(told: Told, record: dict[str, Any], line: int) -> None:
    told.files.append((Kind.USED if record["kind"] == "used" else Kind.GENERATED, _checked(record), line))


def _path(told: Told, record: dict[str, Any], _: int) -> None:
    told.paths.append(_checked(record))


def _parameter(told: Told, record: dict[str, Any], _: int) -> None:
    told.parameters[str(record.get("name"))] = _value(record.get("value"))


def _member(told: Told, record: dict[str, Any], line: int) -> None:
    told.links.append((Kind.MEMBER, _checked(record.get("collection")), _checked(record.get("member")), False, line))


def _derived(told: Told, record: dict[str, Any], line: int) -> None:
    before = record.get("before") is True
    told.links.append((Kind.DERIVED, _checked(record.get("entity")), _checked(record.get("source")), before, line))


def _digest(told: Told, record: dict[str, Any], _: int) -> None:
    told.digests[state(record)] = record


_TAKEN: dict[str, Callable[[Told, dict[str, Any], int], None]] = {
    "start": _start,
    "end": _end,
    "used": _file,
    "generated": _file,
    "path": _path,
    "parameter": _parameter,
    "member": _member,
    "derived": _derived,
    "digest": _digest,
}


def _checked(reference: Any) -> Reference:
    """Return a reference to a file or another thing.

    Raises:
        TypeError: it is none.
        ValueError: it is nowhere.
    """
    if not isinstance(reference, dict):
        raise TypeError("a file that is no object")
    if str(reference.get("path") or "").startswith("/"):
        return reference
    if "://" in str(reference.get("url") or "") or reference.get("local") is not None:
        return reference
    raise ValueError("a file without an absolute path")


def _value(value: Any) -> Any:
    """Return a parameter as it was: numbers for which JSON has none come back.

    >>> _value({"$float": "inf"}), _value([{"$int": "1"}])
    (inf, [1])
    """
    if isinstance(value, list):
        return [_value(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"$float"}:
        return float(value["$float"])
    if value.keys() == {"$int"}:
        return int(value["$int"])
    return {key: _value(each) for key, each in value.items()}


def state(file: Reference) -> str:
    """Return what tells a file, as it was, from what lies there at another time: whatever a record says it is."""
    return repr([file.get(key) for key in ("path", "real", "size", "mtime_ns")])
