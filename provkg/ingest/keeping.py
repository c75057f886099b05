"""How far a log was read, kept for the next time: of a log that grew only what is new is read.

A file for each log, in a folder beside the store. It is no truth: where one is missing, broken, or of other settings,
or where the bytes that it stands for are not those of the log any more, the log is read from its beginning.

It holds lines of JSON, compressed: a head, what is mapped and not yet told, and each shelf, its name before its items.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from backports import zstd
from msgspec import MsgspecError, Struct

from provkg.config import Config
from provkg.ingest.growth import Growth
from provkg.ingest.outcomes import VERSION, Present
from provkg.readers import CHUNK_BYTES, Bounded
from provkg.shelves import Shelf, pack, unpack

MOST_FILES, MOST_BYTES = 1_000, 1 << 30
_PIECES = 1_000  # lines compressed at once


class _Head(Struct, frozen=True):
    """What a file is of: the digest of all bytes that were read, as many as it says; ``whole`` are their stretches."""

    version: str
    config: str
    reader: str
    offset: int
    digest: str
    whole: list[tuple[str, str, int]]


def packed(growth: Growth, config: Config) -> bytes:
    """Return what is known of a log as far as it was read."""
    reading = growth.reading
    whole = [(each.graph, each.digest, each.end) for each in growth.whole]
    head = _Head(VERSION, _of(config), growth.reader.name, reading.offset, reading.seen.hexdigest(), whole)
    packing, found, waiting = zstd.ZstdCompressor(level=3), [], []
    for line in chain((pack(head), reading.facts(), growth.mapping.facts()), _lines(growth)):
        waiting.append(line)
        if len(waiting) == _PIECES:
            found.append(packing.compress(b"".join(each + b"\n" for each in waiting)))
            waiting.clear()
    found += [packing.compress(b"".join(each + b"\n" for each in waiting)), packing.flush()]
    return b"".join(found)


def _lines(growth: Growth) -> Iterator[bytes]:
    for name, shelf in _shelves(growth).items():
        yield pack(name)
        yield from map(pack, shelf.items())


def _shelves(growth: Growth) -> dict[str, Shelf[Any, Any]]:
    return {**growth.reading.shelves(), **growth.mapping.shelves()}


def recalled(growth: Growth, config: Config, file: Path, stream: Bounded, most: int) -> bool:
    """Let a log go on from where it was kept, and a stream with it; say whether that could be done.

    Args:
        growth: of the log, of which nothing was read.
        config: the settings.
        file: what was kept of it.
        stream: the log, at its beginning.
        most: how many bytes of it may be gone over.
    """
    try:
        with zstd.open(file) as lines:
            head: _Head = unpack(lines.readline(), _Head)
            fits = (head.version, head.config, head.reader) == (VERSION, _of(config), growth.reader.name)
            if not fits or head.offset > most:
                return False
            while stream.passed < head.offset and (chunk := stream.read(min(CHUNK_BYTES, head.offset - stream.passed))):
                growth.reading.seen.update(chunk)
            if growth.reading.seen.hexdigest() != head.digest:
                return False
            growth.reading.recall(lines.readline())
            growth.mapping.recall(lines.readline())
            _fill(_shelves(growth), lines)
    except (OSError, EOFError, zstd.ZstdError, MsgspecError, KeyError):
        return False
    growth.whole = [Present(growth.shown, *each) for each in head.whole]
    return growth.reading.offset == head.offset


def _fill(shelves: dict[str, Shelf[Any, Any]], lines: Iterable[bytes]) -> None:
    shelf: Shelf[Any, Any] | None = None
    for line in lines:
        if line.startswith(b'"'):
            shelf = shelves[unpack(line, str)]
        elif shelf is not None:
            shelf.take(line)


def _of(config: Config) -> str:
    return sha256(repr(config).encode("utf-8", "surrogatepass")).hexdigest()


class Keeping:
    """The files of one store.

    Args:
        folder: where they are; None where nothing can be kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.fresh = 0

    def file(self, path: str) -> Path | None:
        """Return the file of a log by where that lies, if there is one."""
        found = self.folder / _name(path) if self.folder is not None else None
        return found if found is not None and found.is_file() else None

    def keep(self, path: str, data: bytes) -> None:
        """Keep what is known of a log; where the disk refuses, nothing is kept."""
        if self.folder is None:
            return
        with suppress(OSError):
            self.folder.mkdir(exist_ok=True)
            handle, part = tempfile.mkstemp(dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(data)
                Path(part).replace(self.folder / _name(path))
            except OSError:
                Path(part).unlink(missing_ok=True)
            self.fresh += 1

    def sweep(self) -> None:
        """Remove the oldest files where there are too many or too large ones; those of crashed writers too."""
        if self.folder is None or not self.fresh:
            return
        with suppress(OSError):
            found = [(each.stat(), each) for each in self.folder.iterdir()]
            room = MOST_BYTES
            for number, (facts, each) in enumerate(sorted(found, key=lambda pair: -pair[0].st_mtime)):
                room -= facts.st_size
                if number >= MOST_FILES or room < 0 or not each.suffix:
                    each.unlink()
        self.fresh = 0


def _name(path: str) -> str:
    return sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:32] + ".zst"
