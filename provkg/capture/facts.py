"""Small facts of a record: ids, times, what lies at a path, and values as JSON can hold them."""

import hashlib
import math
import os
import time
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from itertools import count, islice
from typing import Any

VALUE_CHARACTERS = 4096
DEPTH, ITEMS = 20, 20_000
ARRAY_BYTES = 16 << 20
_KIND, _LINK = 0o170000, 0o120000  # of st_mode, inode(7)
_SECONDS, _FOLDERS = 5.0, 10_000  # looking for links at each file would take half of the time of a call
_plain_until: dict[str, float] = {}
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


def uuid7() -> str:
    """Return a UUID of version 7: it sorts by time, and within a millisecond by a counter that begins anywhere.

    https://www.rfc-editor.org/rfc/rfc9562#name-monotonicity-and-counters, method 2.

    >>> from uuid import UUID
    >>> UUID(uuid7()).version, UUID(uuid7()).variant
    (7, 'specified in RFC 4122')
    """
    at = f"{time.time_ns() // 1_000_000:012x}"
    return f"{at[:8]}-{at[8:]}-{_process.middle}-{next(_process.count):012x}"


class _Ids:
    """What the ids of one process have in common, and what counts them: 74 bits are drawn once."""

    def __init__(self) -> None:
        drawn = os.urandom(4).hex()
        self.middle = f"7{drawn[:3]}-{'89ab'[int(drawn[3], 16) & 3]}{drawn[4:7]}"
        self.count = count(int.from_bytes(os.urandom(6)) >> 1)  # half of the numbers are left to count on


_process = _Ids()


def forked() -> None:
    """Draw other ids than the parent."""
    global _process  # noqa: PLW0603 - it belongs to the process
    _process = _Ids()


@lru_cache(4)
def _second(since_1970: int) -> str:
    return datetime.fromtimestamp(since_1970, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def now() -> str:
    """Return the time in UTC, to the microsecond."""
    second, rest = divmod(time.time_ns(), 1_000_000_000)
    return f"{_second(second)}.{rest // 1000:06d}Z"


def absolute(path: str | os.PathLike[str]) -> str:
    """Return a path from the root, as it is named: links are not followed.

    >>> absolute("/a/b"), absolute("/a/../b")
    ('/a/b', '/b')
    """
    named = path if type(path) is str else os.fsdecode(path)
    if "/." in named or "//" in named or named[:1] == "." or named[-1:] in ("/", ""):
        return os.path.abspath(named)  # noqa: PTH100
    return named if named[0] == "/" else f"{os.getcwd()}/{named}"  # noqa: PTH109 - often, and nothing is to be resolved


def file_facts(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what is known of a path without reading the file; a URL is no path, and is kept as ``url``.

    ``path`` is as named; ``real`` is where it leads, if symbolic links lead elsewhere; ``size`` is in bytes;
    ``mtime_ns`` are nanoseconds since 1970; ``missing`` is true where nothing is there.
    """
    try:
        if type(path) is str and path[:1] == "/" and path[-1] != "/":
            named = path
        elif isinstance(path, str) and "://" in path:
            return {"url": path}
        else:
            named = absolute(path)
        if _plain_until.get(named.rpartition("/")[0], 0.0) > time.monotonic():
            status = os.lstat(named)
            if status.st_mode & _KIND != _LINK:  # as nearly always: the rest takes ten times as long
                return {"path": named, "size": status.st_size, "mtime_ns": status.st_mtime_ns}
        named = absolute(named)
        real, status = _followed(named)
    except (OSError, ValueError):
        return {"path": absolute(path), "missing": True}
    if real == named:
        return {"path": named, "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    return {"path": named, "real": real, "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _followed(path: str) -> tuple[str, os.stat_result]:
    """Return where a path leads and what is there; a folder to which no link leads is known for some seconds."""
    real, status = os.path.realpath(path), os.stat(path)  # noqa: PTH116
    if real == path and path.count("/") > 1:
        if len(_plain_until) >= _FOLDERS:
            _plain_until.clear()
        _plain_until[path.rpartition("/")[0]] = time.monotonic() + _SECONDS
    return real, status


def plain(value: Any) -> Any:
    """Return a value as JSON holds it, without loss where that is possible; it never raises.

    What JSON has no number for is an object with one key: ``{"$float": "nan"}``, ``{"$int": "…"}``. What is too long
    is ``{"$cut": "…", "characters": n, "digest": "sha256:…"}``, or ``{"$cut": […], "items": n}``. An array is its
    text, with shape, type and digest. Other objects are their text.

    >>> plain({"a": (1, float("inf")), "b": {2}})
    {'a': [1, {'$float': 'inf'}], 'b': [2]}
    """
    kind = type(value)
    if kind is str:
        return value if len(value) <= VALUE_CHARACTERS else cut(value)
    if kind is bool or value is None:
        return value
    if kind is int and _LEAST <= value <= _MOST:
        return value
    if kind is float and value - value == 0:  # neither infinite nor nan
        return value
    return _plain(value, DEPTH, [ITEMS])


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    """Return any value; ``left`` is how many items may still be looked at."""
    left[0] -= 1
    try:
        if depth == 0:
            return cut(repr(value))
        if isinstance(value, Mapping):
            some = islice(value.items(), max(0, left[0]))
            found: Any = {str(key): _plain(each, depth - 1, left) for key, each in some}
        elif isinstance(value, list | tuple | Set):
            found = [_plain(each, depth - 1, left) for each in islice(value, max(0, left[0]))]
        else:
            return _single(value, depth, left)
        if isinstance(value, Set):
            found.sort(key=repr)
        return found if len(found) == len(value) else {"$cut": found, "items": len(value)}
    except Exception as error:  # noqa: BLE001 - objects of the pipeline: what they raise ends here
        return f"<{type(value).__qualname__}: {error!r}>"


def _single(value: Any, depth: int, left: list[int]) -> Any:
    """Return what is no collection: what it stands for where it has a plain value, else its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, depth - 1, left)
    if isinstance(value, bytes):
        return cut(value.decode("utf-8", "backslashreplace"))
    if isinstance(value, str):
        return cut(str(value))
    if isinstance(value, int):
        return int(value) if _LEAST <= value <= _MOST else {"$int": str(int(value))}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    shape = getattr(value, "shape", None)
    if shape == () and callable(getattr(value, "item", None)):  # a scalar of numpy
        item = value.item()
        return _plain(item, depth - 1, left) if type(item) is not type(value) else cut(str(item))
    if isinstance(shape, tuple) and callable(getattr(value, "tobytes", None)):
        return _array(value)
    return cut(value.isoformat() if isinstance(value, datetime) else str(value))


def _array(value: Any) -> dict[str, Any]:
    """Return an array: its text is cut by numpy, so its bytes tell it from others."""
    told = {"$cut": str(value)[:VALUE_CHARACTERS], "shape": list(value.shape), "type": str(value.dtype)}
    if value.nbytes > ARRAY_BYTES:
        return told
    return told | {"digest": f"sha256:{hashlib.sha256(value.tobytes()).hexdigest()}"}


def cut(text: str) -> Any:
    """Return text as it is recorded: one that is too long by its beginning, its length and its digest."""
    if len(text) <= VALUE_CHARACTERS:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    return {"$cut": text[:VALUE_CHARACTERS], "characters": len(text), "digest": f"sha256:{digest}"}
