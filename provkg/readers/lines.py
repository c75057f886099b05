"""Line logs of lstosa, gammapy and logprov: where records begin and end in the text.

``INFO provLogger __PROV__2026-11-20T19:10:07.900959__PROV__{'activity_id': 'eb200f', …}``. The prefix stands on both
sides of a time, so any prefix is known without being configured; merged logs have none. Lines that are no records are
counted, lines that should be and cannot be read are quarantined, and the rest goes on. What the records mean is in
:mod:`provkg.readers.provlog`.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from msgspec import Struct

from provkg.identity import to_bytes
from provkg.readers import Reader, Source, rdf
from provkg.readers.offsets import Offsets
from provkg.readers.provlog import Log
from provkg.readers.stretches import Position, Stretches
from provkg.records import NO_RECORD, Quarantined, Record, Remark
from provkg.shelves import Shelf, pack, unpack

MOST_MARKS = 16  # in a line of which any record may quote the others; where there are more, only the first may
SEARCH_BYTES = 8 << 20
KEPT_TEXT = 4096

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?"
_MARK = re.compile(rf"([^\s\d'\"{{}}]{{2,40}})({_TIME})\1\s*(?=\{{)")
_MARK_BYTES = re.compile(_MARK.pattern.encode())
_BARE = re.compile(rb"\A\s*\{'(?:session|activity|entity)_id': ")
_LEVEL = re.compile(r"\s*(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL)\b")
_TORN = re.compile(
    rf"PROV[_ ]{{0,2}}{_TIME}|'(?:activity|entity|session|used|generated|member|progenitor)[_ ](?:id|role)'|'endTime'"
)
_FRAGMENT = re.compile(r"'\s*:\s|\}\s*$|^\s*\{|^'")


def knows(source: Source) -> bool:
    """Say whether a source holds such lines: a prefix on both sides of a time, or bare records."""
    if _BARE.match(source.head):
        return True
    if b"\0" in source.head[:1024] or rdf.knows(source):  # what was quarantined is quoted in exports
        return False
    if _MARK_BYTES.search(source.head):
        return True
    with source.open() as stream:
        return _MARK_BYTES.search(stream.read(SEARCH_BYTES)) is not None


def read(source: Source) -> Iterator[Record]:
    """Read the records of a log, in its order."""
    reading = Reading(Log(source.config))
    with source.open() as stream:
        yield from reading.read(stream)
    yield from reading.rest()


class _Facts(Struct, frozen=True):
    """What is known of a log beside what stands on shelves."""

    position: Position
    scope: str
    entities: int
    session: str
    noticed: dict[str, list[tuple[str, int]]]
    derivations: list[tuple[str, int, str, str, str]]


READER = Reader("prov_lines", knows, read, live=lambda config: Reading(Log(config)))


class Reading(Stretches):
    """How far a log has been read.

    Args:
        log: what its records said so far.
    """

    def __init__(self, log: Log) -> None:
        super().__init__()
        self.log = log

    def shelves(self) -> dict[str, Shelf[Any, Any]]:
        """Return what the records said, in any number."""
        return self.log.shelves()

    def facts(self) -> bytes:
        """Return the rest of what is known."""
        log = self.log
        about = (log.entities.scope, log.entities.count, log.session)
        return pack(_Facts(self.position, *about, log.noticed, log.derivations))

    def recall(self, facts: bytes) -> None:
        """Know that again; the bytes that were read are to be put into the digest by the caller."""
        told: _Facts = unpack(facts, _Facts)
        self.position = told.position
        self.log.entities.scope, self.log.entities.count, self.log.session = told.scope, told.entities, told.session
        self.log.noticed, self.log.derivations = told.noticed, told.derivations

    def left(self) -> list[Record]:
        """Give what no later record has claimed, if the log ends here; more can be read afterwards."""
        return self.log.rest()

    def line(self, raw: bytes) -> tuple[bool, list[Record]]:
        """Read a line; return whether a record stood in it, and what it says."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("utf-8", "surrogateescape")
        marks = list(_MARK.finditer(text))
        if not marks:
            return self.unmarked(text)
        taken, found, offsets = False, [], Offsets(text)
        for mark, following in zip_longest(marks, marks[1:]):
            end = following.start() if following else len(text)
            alone = len(marks) > MOST_MARKS and mark is not marks[0]
            try:
                found += self.record(text[mark.end() : end if alone else None], mark[2])
            except ValueError as error:
                records = self.piece(text, mark, end)
                taken = taken or records is not None
                found += [self.quarantined(offsets, mark.start(), end, str(error))] if records is None else records
            else:
                taken = True
                if not alone:  # the others stand in its texts
                    break
        return taken, found

    def record(self, body: str, logged: str) -> list[Record]:
        """Read a record; ids that belong to no session mean something within a log that begins like this one."""
        if not self.log.entities.scope:
            self.log.entities.scope = self.seen.hexdigest()[:16]
        return self.log.record(body, self.number, logged)

    def piece(self, text: str, mark: re.Match[str], end: int) -> list[Record] | None:
        """Read what lies before the next mark on the same line, if it can be read: two processes wrote into it."""
        closing = text.rfind("}", mark.end(), end) + 1
        if end < len(text) and closing:
            with suppress(ValueError):
                return self.record(text[mark.end() : closing], mark[2])
        return None

    def unmarked(self, text: str) -> tuple[bool, list[Record]]:
        """Read a line without a mark."""
        if text.startswith("{'"):
            try:
                return True, self.record(text, "")
            except ValueError as error:
                return False, [self.quarantined(Offsets(text), 0, len(text), str(error))]
        if _TORN.search(text) or (_FRAGMENT.search(text) and not _LEVEL.match(text)):
            return False, [self.quarantined(Offsets(text), 0, len(text), "a torn record: its beginning cannot be read")]
        return False, [Remark(NO_RECORD)]

    def quarantined(self, offsets: Offsets, begin: int, end: int, reason: str) -> Quarantined:
        """Return a part of a line as what cannot be read."""
        piece = offsets.text[begin:end]
        if "{" in piece and not piece.rstrip().endswith("}"):
            reason = "the record is cut short"
        return Quarantined(
            line=self.number,
            offset=self.offset + offsets.of(begin),
            length=len(to_bytes(piece)),
            reason=reason,
            text=piece.rstrip("\n")[:KEPT_TEXT],
        )
