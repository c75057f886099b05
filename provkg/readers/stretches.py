"""Logs that grow are read line by line, in stretches that end where their content says.

Each stretch is told in a graph of its own: what was read stays as it is when the log is longer the next time.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from provkg.readers import CHUNK_BYTES, Bounded, Live
from provkg.records import Quarantined, Record, Stretch

LINE_LIMIT = 16 << 20
STRETCH_BYTES = 64 << 10  # some 200 lines: so much is told again when a log has grown


class Position(Struct, frozen=True):
    """Where in a log its reader is."""

    number: int
    offset: int
    said: int
    nothing: int


class Stretches(Live):
    """How far a log has been read: ``number`` lines, ``offset`` bytes, of which ``seen`` is the digest.

    In the stretch that is being read ``said`` bytes are of lines with records or with what is quarantined, and
    ``nothing`` are no records.
    """

    def __init__(self) -> None:
        self.seen: Any = hashlib.sha256()
        self.number = self.offset = self.said = self.nothing = 0

    @abstractmethod
    def line(self, raw: bytes) -> tuple[bool, list[Record]]:
        """Read a line; return whether a record stood in it, and what it says."""

    @abstractmethod
    def left(self) -> Iterable[Record]:
        """Give what no later record has claimed, if the log ends here; more can be read afterwards."""

    @property
    def position(self) -> Position:
        """Where the next line begins."""
        return Position(self.number, self.offset, self.said, self.nothing)

    @position.setter
    def position(self, at: Position) -> None:
        self.number, self.offset, self.said, self.nothing = at.number, at.offset, at.said, at.nothing

    def read(self, stream: Bounded) -> Iterator[Record]:
        """Read lines to the end of a stream, in stretches that end where their content says."""
        while raw := stream.readline(LINE_LIMIT):
            if self.said >= STRETCH_BYTES:
                ended = self.stretch()
                self.said = self.nothing = 0
                yield ended
            self.number += 1
            self.seen.update(raw)
            if len(raw) == LINE_LIMIT and raw[-1:] != b"\n":
                yield self.too_long(stream)
                continue
            quarantined = 0
            taken, found = self.line(raw)
            for record in found:
                if isinstance(record, Quarantined):
                    quarantined += record.length
                yield record
            self.said += len(raw) if taken or quarantined else 0
            self.nothing += 0 if taken else len(raw) - quarantined
            self.offset += len(raw)

    def rest(self) -> Iterator[Record]:
        """Give what no later record has claimed, and the end of the last stretch, if the log ends here."""
        yield from self.left()
        yield self.stretch(last=True)

    def stretch(self, *, last: bool = False) -> Stretch:
        """Return the end of a stretch, which is here."""
        return Stretch(end=self.offset, digest=self.seen.hexdigest(), nothing=self.nothing, last=last)

    def too_long(self, stream: Bounded) -> Quarantined:
        """Read the rest of a line that is over the limit, without keeping it."""
        length = LINE_LIMIT
        while more := stream.readline(CHUNK_BYTES):
            self.seen.update(more)
            length += len(more)
            if more[-1:] == b"\n":
                break
        reason = f"the line is longer than {LINE_LIMIT:,} bytes"
        found = Quarantined(line=self.number, offset=self.offset, length=length, reason=reason, text="")
        self.offset += length
        self.said += length
        return found
