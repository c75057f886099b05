"""The records of :mod:`provkg.capture` in their lines: JSON Lines, also behind the prefix of a logging configuration.

A crash leaves a partial line and the next process writes on behind it: what is whole in a line is read, the rest of it
is quarantined. What the records mean is in :mod:`provkg.readers.captured`.
"""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import MsgspecError
from msgspec.json import decode

from provkg.identity import to_bytes
from provkg.readers import Reader, Source
from provkg.readers.captured import Captured
from provkg.readers.capturemeaning import Meaning
from provkg.readers.offsets import Offsets
from provkg.records import NO_RECORD, Quarantined, Record, Remark

LINE_BYTES = 64 << 20
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
    """Read the records; an activity is given when all is read, so that its parts may stand in any order."""
    found = Captured()
    line, offset, none, nothing = 0, 0, 0, 0
    with source.open() as stream:
        while data := stream.readline(LINE_BYTES):
            line += 1
            if _BEGIN in data:
                for piece in _pieces(found, data, line):
                    begin = offset + piece.offset
                    yield Quarantined(
                        line=line, offset=begin, length=piece.length, reason=piece.reason, text=piece.text
                    )
            elif b'":' in data or (b"PROV" in data and b"{'" in data):
                shown = data[:MAX_SHOWN].decode("utf-8", "backslashreplace")
                reason = _CUT if b'":' in data else _OTHER
                yield Quarantined(line=line, offset=offset, length=len(data), reason=reason, text=shown)
            else:
                none += bool(data.strip())
                nothing += len(data)
            offset += len(data)
    if none:
        yield Remark(NO_RECORD, none)
    yield from Meaning(source.config, found).records()
    yield source.end(nothing)


READER = Reader("capture", knows, read)


def _pieces(found: Captured, data: bytes, line: int) -> Iterator[Quarantined]:
    """Take the records of a line, and give what is none; offsets are within the line."""
    try:
        record = decode(data) if data.startswith(_BEGIN) else None
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        record = None
    if record is not None:
        if (reason := _taken(found, record, line)) is not None:
            yield _quarantined(Offsets(data.decode("utf-8", "surrogateescape")), 0, None, reason)
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
            yield _quarantined(offsets, at, following if following >= 0 else None, reason)
        else:
            if (wrong := _taken(found, record, line)) is not None:
                yield _quarantined(offsets, at, end, wrong)
            following = text.find(_MARK, end)
        at = following


def _taken(found: Captured, record: Any, line: int) -> str | None:
    """Take a record; return why it is none."""
    try:
        found.take(record, line)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        return str(error)
    return None


def _quarantined(offsets: Offsets, begin: int, end: int | None, reason: str) -> Quarantined:
    piece = offsets.text[begin:end]
    return Quarantined(
        line=0,
        offset=offsets.of(begin),
        length=len(to_bytes(piece)),
        reason=reason,
        text=piece.rstrip("\n")[:MAX_SHOWN].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"),
    )
