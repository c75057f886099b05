"""Pieces of a document that were repaired by hand: the document is read as if they had been written so.

A repair names its piece by all the bytes before it and by its own, so it is found again in a copy, under another name,
in a compressed file, and when the document has grown; and nowhere else.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from msgspec import Struct

_CHUNK = 1 << 20


class Repair(Struct, frozen=True):
    """What stands in the place of a piece.

    ``before`` is the sha256 of all bytes before it, ``offset`` how many these are, ``sha256`` and ``length`` are those
    of the piece; ``last`` says that nothing followed it. ``text`` holds bytes that are no UTF-8 as surrogates.
    """

    before: str
    offset: int
    length: int
    sha256: str
    text: str
    last: bool = False


class Region(NamedTuple):
    """What was replaced: where it begins and ends in what is read, where it lies in the file, what is before it."""

    begin: int
    end: int
    offset: int
    length: int
    before: str = ""


class Mended(io.RawIOBase):
    """A stream of bytes with its repairs; ``regions`` are those that were replaced so far.

    Args:
        stream: the bytes of a document, from the first.
        repairs: of this and of other documents.
    """

    def __init__(self, stream: IO[bytes], repairs: Iterable[Repair]) -> None:
        self.stream = stream
        self.repairs = {(each.offset, each.before): each for each in repairs}
        self.regions: list[Region] = []
        self._pieces, self._left = self._read(), b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes into a buffer."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size

    def close(self) -> None:
        """Close the stream."""
        self.stream.close()
        super().close()

    def _read(self) -> Iterator[bytes]:
        seen, at, given = hashlib.sha256(), 0, 0
        for offset in sorted({offset for offset, _ in self.repairs}):
            while at < offset and (data := self.stream.read(min(_CHUNK, offset - at))):
                seen.update(data)
                at, given = at + len(data), given + len(data)
                yield data
            repair = self.repairs.get((offset, seen.hexdigest())) if at == offset else None
            if repair is None:
                continue
            piece = self.stream.read(repair.length)
            rest = self.stream.read(1) if repair.last else b""
            found = piece + rest
            if not rest and hashlib.sha256(piece).hexdigest() == repair.sha256:
                found = repair.text.encode("utf-8", "surrogateescape")
                self.regions.append(Region(given, given + len(found), offset, repair.length, repair.before))
            seen.update(piece + rest)
            at, given = at + len(piece + rest), given + len(found)
            yield found
        while data := self.stream.read(_CHUNK):
            yield data


class Lookout:
    """Looks at a log that grows for pieces that were repaired.

    Args:
        repairs: of this and of other documents.
    """

    def __init__(self, repairs: Iterable[Repair]) -> None:
        self.places = sorted((each.offset, each.before) for each in repairs)
        self.seen, self.at = hashlib.sha256(), 0

    def meets(self, file: IO[bytes], end: int) -> bool:
        """Say whether a piece that was repaired begins in what is new before some end."""
        while self.places and self.places[0][0] < end:
            offset, before = self.places[0]
            file.seek(self.at)
            while self.at < offset and (data := file.read(min(_CHUNK, offset - self.at))):
                self.seen.update(data)
                self.at += len(data)
            if self.at < offset:  # it was truncated
                return False
            if self.seen.hexdigest() == before:
                return True
            del self.places[0]
        return False


def original(regions: Iterable[Region], begin: int, end: int) -> Region:
    """Return what lies where in the file that lies here in what is read: all of a repair, where it is part of one.

    >>> original([Region(10, 12, 10, 5)], 20, 24)
    Region(begin=20, end=24, offset=23, length=4, before='')
    >>> original([Region(10, 12, 10, 5)], 11, 20)
    Region(begin=10, end=20, offset=10, length=13, before='')
    """
    regions = list(regions)
    for each in regions:
        if each.begin < end and begin < each.end:
            begin, end = min(begin, each.begin), max(end, each.end)

    def shift(at: int) -> int:
        return sum(each.length - (each.end - each.begin) for each in regions if each.end <= at)

    return Region(begin, end, begin + shift(begin), end + shift(end) - begin - shift(begin))
