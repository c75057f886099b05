"""Readers turn sources into records. What a source is, is found from its content, never from its name.

A reader is a plug-in: an entry point of the group ``provkg.readers`` that gives a :class:`Reader`.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Any, Protocol

from backports import zstd

from provkg.config import Config
from provkg.errors import InputError
from provkg.readers.mending import Mended, Region, Repair
from provkg.records import Record, Stretch
from provkg.shelves import Kept

HEAD_BYTES = 1 << 18
CHUNK_BYTES = 1 << 20
BOMB_BYTES, BOMB_TIMES = 1 << 30, 1_000  # what is over both of these is no log: those of a night are 60 times smaller


_Opener = Callable[[Path], IO[bytes]]


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


_OPENERS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"\x28\xb5\x2f\xfd": zstd.open,
}
_BROKEN = (OSError, EOFError, lzma.LZMAError, zlib.error, zstd.ZstdError)


@dataclass(frozen=True)
class Source:
    """One file to read: decompressed where it is compressed.

    ``digest`` is the sha256 of the decompressed bytes in hex: the name of the source's graph. ``identity`` is its size
    on the disk, its device, its inode, and when it was changed, in nanoseconds since 1970; ``began`` the digest of the
    first bytes, as many as were asked for. ``regions`` are the pieces of it that were repaired, and are read so.
    """

    path: Path
    head: bytes
    digest: str
    size: int
    config: Config = field(repr=False)
    location: str = ""
    identity: tuple[int, int, int, int] = (0, 0, 0, 0)
    began: str = ""
    opener: _Opener = field(repr=False, default=_plain)
    regions: tuple[Region, ...] = ()

    @property
    def grows(self) -> bool:
        """Say whether more may be written to it: not where it is compressed, or was repaired."""
        return self.opener is _plain and self.identity[2] != 0

    def open(self) -> "Bounded":
        """Open the decompressed bytes: those that the digest is of, also when the file has grown since."""
        return Bounded(self.opener(self.path), self.size)

    def end(self, nothing: int) -> Stretch:
        """Return the end of a document that is read at once, with how many of its bytes are no records."""
        return Stretch(end=self.size, digest=self.digest, nothing=nothing, last=True)

    def read(self, limit: int) -> bytes:
        """Return all bytes.

        Raises:
            InputError: there are more than ``limit``; this format cannot be read in pieces.
        """
        if self.size > limit:
            raise InputError(
                f"{self.path}: {self.size:,} bytes is over the limit of {limit:,} for this format",
                hint="split the document",
            )
        with self.open() as stream:
            return stream.read()


class Bounded:
    """The first bytes of a stream, as many as were there when it was looked at.

    ``complete`` says that the line that was read last has an end.
    """

    def __init__(self, stream: "IO[bytes] | Bounded", size: int) -> None:
        self.stream, self.left, self.size = stream, size, size
        self.complete = True

    def __enter__(self) -> "Bounded":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def passed(self) -> int:
        """How many bytes were read."""
        return self.size - self.left

    def close(self) -> None:
        """Close the stream."""
        self.stream.close()

    def readline(self, limit: int) -> bytes:
        """Return the next line, or as much of it as the limit allows."""
        line = self.stream.readline(min(limit, self.left))
        self.left -= len(line)
        self.complete = line.endswith(b"\n") if line else self.complete
        return line

    def read(self, limit: int | None = None) -> bytes:
        """Return the next bytes."""
        data = self.stream.read(self.left if limit is None else min(limit, self.left))
        self.left -= len(data)
        return data


class Live(Kept, Protocol):
    """How far a log has been read that may grow: up to ``offset``, and ``seen`` is the digest of all before that.

    ``tells_again`` says that what it gives as the rest is given again as soon as there is more, with what is new of it.
    """

    offset: int
    seen: Any
    tells_again: bool = False

    def read(self, stream: Bounded) -> Iterator[Record]:
        """Read on, from the next byte to the end of a stream, which must be the end of a line."""

    def rest(self) -> Iterator[Record]:
        """Give what follows if the log ends here, its last stretch with it; more can be read afterwards."""


@dataclass(frozen=True)
class Reader:
    """A family of sources: how to know it from its first bytes, and how to read it.

    ``located`` says that where a source lies is part of what it says, as it is for a product. ``live`` begins to read a
    log that grows; without it a source is read again when it has changed.
    """

    name: str
    knows: Callable[[Source], bool]
    read: Callable[[Source], Iterator[Record]]
    located: bool = False
    live: Callable[[Config], Live] | None = None


def peek(path: Path, config: Config) -> Source:
    """Look at how a file begins, and at no more of it: its digest is not known, and it is not decompressed.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            head, facts = stream.read(HEAD_BYTES), os.fstat(stream.fileno())
    except OSError as error:
        raise InputError(f"{shown(path)}: {error.strerror or error}", hint=_hint(error)) from None
    return Source(path, head, "", facts.st_size, config, str(path.absolute()), _identity(facts))


def compressed(head: bytes) -> bool:
    """Say whether a file that begins so is opened by decompressing it."""
    return head.startswith(tuple(_OPENERS))


def _identity(facts: os.stat_result) -> tuple[int, int, int, int]:
    return facts.st_size, facts.st_dev, facts.st_ino, facts.st_mtime_ns


def open_source(
    path: Path, config: Config, *, location: str | None = None, at: int = 0, repairs: Sequence[Repair] = ()
) -> Source:
    """Look at a file: what compresses it, how it begins, its digest.

    Args:
        path: the file to read.
        config: the settings.
        location: where the content lies, when it is not the path; empty for a stream.
        at: of how many of the first bytes the digest is told as well.
        repairs: of pieces of this and of other documents.

    Raises:
        InputError: it cannot be read, or is broken where it is compressed.
    """
    try:
        with path.open("rb") as stream:
            magic, facts = stream.read(8), os.fstat(stream.fileno())
        plain = opener_of(magic)
        opener: _Opener = partial(_mended, plain, repairs) if repairs else plain
        digest, size, head, began = hashlib.sha256(), 0, b"", ""
        with opener(path) as content:
            while chunk := content.read(min(CHUNK_BYTES, at - size) if size < at else CHUNK_BYTES):
                head += chunk[: HEAD_BYTES - len(head)]
                size += len(chunk)
                digest.update(chunk)
                began = digest.hexdigest() if size == at else began
                if size > BOMB_BYTES and size > BOMB_TIMES * facts.st_size:
                    times = f"more than {BOMB_TIMES:,} times as large when it is decompressed"
                    raise InputError(f"{shown(path)}: {times}", hint="decompress it, if it is what you think it is")
    except _BROKEN as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{shown(path)}: {reason}", hint=_hint(error)) from None
    raw: object = getattr(content, "raw", None)
    regions = tuple(raw.regions) if isinstance(raw, Mended) else ()
    where = str(path.absolute()) if location is None else location
    digested = digest.hexdigest()
    opener = opener if regions else plain
    return Source(path, head, digested, size, config, where, _identity(facts), began, opener, regions)


def opener_of(magic: bytes) -> _Opener:
    """Return what opens the content of a file that begins so, decompressed."""
    return next((opener for start, opener in _OPENERS.items() if magic.startswith(start)), _plain)


def _mended(opener: _Opener, repairs: Sequence[Repair], path: Path) -> io.BufferedReader:
    return io.BufferedReader(Mended(opener(path), repairs), CHUNK_BYTES)


def _hint(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "ask its owner for the right to read"
    return "check the path" if isinstance(error, FileNotFoundError) else ""


def shown(path: Path | str) -> str:
    r"""Return a path as text that any terminal can print.

    >>> shown("a\udce9")
    'a\\xe9'
    """
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def readers() -> dict[str, Reader]:
    """Return the installed readers by name.

    >>> sorted(readers())
    ['capture', 'ctapipe', 'definition', 'osa_history', 'product', 'prov_document', 'prov_lines', 'rdf', 'sacct']
    """
    return {
        point.name: point.load() for point in sorted(entry_points(group="provkg.readers"), key=lambda point: point.name)
    }


def find_reader(source: Source, among: dict[str, Reader] | None = None) -> Reader | None:
    """Return the reader that knows this content, or None."""
    return next((reader for reader in (among or readers()).values() if reader.knows(source)), None)
