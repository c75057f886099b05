"""Mappings that hold any number of items in a bounded amount of memory: a log has no bound.

What was put or asked last is in memory, the rest in a temporary file (``$SQLITE_TMPDIR``, ``$TMPDIR``) that nobody else
sees and that goes with the process.
"""

import json
from collections.abc import Iterator, Mapping
from errno import ENOSPC
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    import sqlite3

ITEM_BYTES = 300  # that an item of short texts takes

K = TypeVar("K")
V = TypeVar("V")
_MAKE = "CREATE TABLE items (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID"


class Shelf(Generic[K, V]):
    """A mapping whose keys and values are plain data. A value that has changed must be put again; None is no value.

    Args:
        key: the type of its keys.
        value: the type of its values.

    ``most`` is about how many bytes of each are in memory.
    """

    most: ClassVar[int] = 20 << 20

    def __init__(self, key: Any, value: Any) -> None:
        self.key, self.value, self.item = key, value, GenericAlias(tuple, (key, value))
        self.room = self.most
        self.recent: dict[K, V] = {}
        self.file: sqlite3.Connection | None = None

    def get(self, key: K) -> V | None:
        """Return a value, or None."""
        found = self.recent.get(key)
        return self._filed(key) if found is None and self.file is not None else found

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def put(self, key: K, value: V, size: int = 0) -> None:
        """Put an item.

        Args:
            key: what it is found by.
            value: replaces the one before.
            size: of its texts, in characters, where they may be long.

        Raises:
            OSError: there is no room for temporary files.
        """
        self.recent[key] = value
        self.room -= ITEM_BYTES + size
        if self.room < 0:
            self._put_away()

    def take(self, packed: bytes) -> None:
        """Put an item that was packed.

        Raises:
            msgspec.DecodeError: it is none of this shelf.
        """
        key, value = unpack(packed, self.item)
        self.put(key, value, len(packed))

    def discard(self, key: K) -> None:
        """Take an item away, if it is there."""
        self.recent.pop(key, None)
        if self.file is not None:
            self.file.execute("DELETE FROM items WHERE key = ?", (pack(key),))

    def items(self) -> Iterator[tuple[K, V]]:
        """Give all items, in no order; none may be put meanwhile."""
        if self.file is not None:
            self._put_away()
            for key, value in self.file.execute("SELECT key, value FROM items"):
                yield unpack(key, self.key), unpack(value, self.value)
        yield from self.recent.items()

    def _filed(self, key: K) -> V | None:
        assert self.file is not None
        row = self.file.execute("SELECT value FROM items WHERE key = ?", (pack(key),)).fetchone()
        if row is None:
            return None
        found: V = unpack(row[0], self.value)
        self.put(key, found, len(row[0]))
        return found

    def _put_away(self) -> None:
        import sqlite3  # noqa: PLC0415 - most logs are short

        try:
            if self.file is None:
                self.file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
                self.file.execute("PRAGMA journal_mode = OFF")
                self.file.execute(_MAKE)
            self.file.execute("BEGIN")
            rows = ((pack(key), pack(value)) for key, value in self.recent.items())
            self.file.executemany("INSERT OR REPLACE INTO items VALUES (?, ?)", rows)
            self.file.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise OSError(ENOSPC, f"{error} (for temporary files: $SQLITE_TMPDIR, $TMPDIR)") from None
        self.recent.clear()
        self.room = self.most


class Draft(Generic[K, V]):
    """A shelf as it would be; the one below stays as it is.

    Args:
        below: that shelf.
    """

    def __init__(self, below: "Shelf[K, V] | Draft[K, V]") -> None:
        self.below = below
        self.own: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        """Return a value, or None."""
        return self.own[key] if key in self.own else self.below.get(key)

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def put(self, key: K, value: V, size: int = 0) -> None:  # noqa: ARG002 - as a shelf has it
        """Put an item."""
        self.own[key] = value

    def discard(self, key: K) -> None:
        """Take an item away, if it is there."""
        self.own[key] = None


class Kept(Protocol):
    """What knows of a log as far as it was read, and can be put together again from plain data."""

    def shelves(self) -> Mapping[str, Shelf[Any, Any]]:
        """Return what it knows in any number, by names."""

    def facts(self) -> bytes:
        """Return the rest of what it knows, packed."""

    def recall(self, facts: bytes) -> None:
        """Know again what was returned as facts; the shelves are filled by the caller.

        Raises:
            msgspec.DecodeError: these are none.
        """


def pack(value: Any) -> bytes:
    r"""Return plain data as JSON, on one line; surrogates stay as they are: two escapes would be one character.

    >>> pack(("a", "\udce9"))
    b'["a", "\xed\xb3\xa9"]'
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # bytes that are no UTF-8
        return json.dumps(msgspec.to_builtins(value), ensure_ascii=False).encode("utf-8", "surrogatepass")


def unpack(data: bytes, kind: Any) -> Any:
    """Return what was packed, of a type that it must be of.

    Raises:
        msgspec.DecodeError: it is no JSON, or is of another type.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            return msgspec.convert(json.loads(data.decode("utf-8", "surrogatepass")), kind)
        except ValueError as error:
            raise msgspec.DecodeError(str(error)) from None
