"""The records of :mod:`provkg.capture` in their lines: JSON Lines, also behind the prefix of a logging configuration.

A crash leaves a partial line and the next process writes on behind it: what is whole in a line is read, the rest of it
is quarantined. What the records mean is in :mod:`provkg.readers.capturelog`.
"""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import MsgspecError, Struct
from msgspec.json import decode

from provkg.config import Config
from provkg.identity import to_bytes
from provkg.readers import Reader, Source
from provkg.readers.captured import checked
from provkg.readers.capturelog import Held, Log, Open
from provkg.readers.offsets import Offsets
from provkg.readers.stretches import Position, Stretches
from provkg.records import NO_RECORD, Quarantined, Record, Remark
from provkg.shelves import Shelf, pack, unpack

MAX_SHOWN = 4096
MOST_FAILED = 100  # records of a line, after which each ends where the next begins
_CUT = "the end of a record: its beginning is not here"
_OTHER = "a record of lstosa's kind: it belongs into a log of its own"
_BEGIN, _MARK = b'{"provkg":', '{"provkg":'
_DECODER = json.JSONDecoder()


def knows(source: Source) -> bool:
    """Say whether a source holds records of :mod:`provkg.capture`."""
    if source.head.lstrip().startswith(_BEGIN):
        return True
    return b"\0" not in source.head[:1024] and b"\n" in source.head and _BEGIN in source.head


def read(source: Source) -> Iterator[Record]:
    """Read the records of a log, in its order."""
    reading = Reading(source.config)
    with source.open() as stream:
        yield from reading.read(stream)
    yield from reading.rest()


class _Facts(Struct, frozen=True):
    """What is known of a log beside what stands on shelves."""

    position: Position
    held: dict[str, Held]
    open: dict[str, Open]
    waiting: dict[str, list[str]]


class Reading(Stretches):
    """How far a log has been read.

    Args:
        config: says where files lie.
    """

    tells_again = True

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.log = Log(config)

    def shelves(self) -> dict[str, Shelf[Any, Any]]:
        """Return what the records said, in any number."""
        return self.log.shelves()

    def facts(self) -> bytes:
        """Return the rest of what is known."""
        return pack(_Facts(self.position, self.log.held, self.log.open, self.log.waiting))

    def recall(self, facts: bytes) -> None:
        """Know that again; the bytes that were read are to be put into the digest by the caller."""
        told: _Facts = unpack(facts, _Facts)
        self.position = told.position
        self.log.held, self.log.open, self.log.waiting = told.held, told.open, told.waiting

    def left(self) -> list[Record]:
        """Give what is not all there, if the log ends here; more can be read afterwards."""
        return self.log.rest()

    def line(self, raw: bytes) -> tuple[bool, list[Record]]:
        """Read a line; return whether a record stood in it, and what it says."""
        if _BEGIN in raw:
            return True, list(self.pieces(raw))
        if b'":' in raw or (b"PROV" in raw and b"{'" in raw):
            shown = raw[:MAX_SHOWN].decode("utf-8", "backslashreplace")
            reason = _CUT if b'":' in raw else _OTHER
            lost = Quarantined(line=self.number, offset=self.offset, length=len(raw), reason=reason, text=shown)
            return False, [lost]
        return False, [Remark(NO_RECORD)] if raw.strip() else []

    def pieces(self, data: bytes) -> Iterator[Record]:
        """Read the records of a line."""
        try:
            record = decode(data) if data.startswith(_BEGIN) else None
            text = data.decode()
        except (MsgspecError, UnicodeDecodeError, RecursionError):
            record = None
        if record is not None:
            yield from self.told(record, text, None, 0, None)
            return
        text = data.decode("utf-8", "surrogateescape")
        offsets = Offsets(text)
        at, failed = text.find(_MARK), 0
        while at >= 0:
            following = text.find(_MARK, at + 1)
            try:
                if failed > MOST_FAILED:  # what is said of an error takes time for all of a text
                    record, end = _DECODER.raw_decode(text[at : following if following >= 0 else None])
                    end += at
                else:
                    record, end = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError):
                failed += 1
                reason = "no complete record" if text.endswith("\n") or following >= 0 else "the record is cut short"
                yield self.quarantined(offsets, at, following if following >= 0 else None, reason)
            else:
                yield from self.told(record, text[at:end], offsets, at, end)
                following = text.find(_MARK, end)
            at = following

    def told(self, record: Any, text: str, offsets: Offsets | None, begin: int, end: int | None) -> list[Record]:
        """Return what a record says, or that it is none."""
        try:
            said = checked(record, self.number)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            return [self.quarantined(offsets or Offsets(text), begin, end, str(error))]
        return self.log.record(record, said, text, self.number)

    def quarantined(self, offsets: Offsets, begin: int, end: int | None, reason: str) -> Quarantined:
        """Return a part of a line as what cannot be read."""
        piece = offsets.text[begin:end]
        return Quarantined(
            line=self.number,
            offset=self.offset + offsets.of(begin),
            length=len(to_bytes(piece)),
            reason=reason,
            text=piece.rstrip("\n")[:MAX_SHOWN].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
        )


READER = Reader("capture", knows, read, live=Reading)
