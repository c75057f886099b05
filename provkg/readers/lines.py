"""Line logs of lstosa, gammapy and logprov: where records begin and end in the text.

``INFO provLogger __PROV__2026-11-20T19:10:07.900959__PROV__{'activity_id': 'eb200f', …}``. The prefix stands on both
sides of a time, so any prefix is known without being configured; merged logs have none. Lines that are no records are
counted, lines that should be and cannot be read are quarantined, and the rest goes on. What the records mean is in
:mod:`provkg.readers.provlog`.
"""

import re
from collections.abc import Iterator

from provkg.identity import to_bytes
from provkg.readers import Bounded, Reader, Source, rdf
from provkg.readers.logentities import Entities
from provkg.readers.provlog import Log
from provkg.records import NO_RECORD, Quarantined, Record, Remark

LINE_LIMIT = 16 << 20
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
    log = Log(Entities(source.config, source.digest[:16]))
    with source.open() as stream:
        for number, offset, raw in _lines(stream):
            if isinstance(raw, int):
                reason = f"the line is longer than {LINE_LIMIT:,} bytes"
                yield Quarantined(line=number, offset=offset, length=raw, reason=reason, text="")
            else:
                yield from _line(log, number, offset, raw)
    yield from log.rest()


READER = Reader("prov_lines", knows, read)


def _lines(stream: Bounded) -> Iterator[tuple[int, int, bytes | int]]:
    """Give number, offset and bytes of each line, or the length alone of one that is over the limit."""
    number = offset = 0
    while raw := stream.readline(LINE_LIMIT):
        number += 1
        length = len(raw)
        too_long = length == LINE_LIMIT and raw[-1:] != b"\n"
        while too_long and (more := stream.readline(LINE_LIMIT)):
            length += len(more)
            if more[-1:] == b"\n":
                break
        yield number, offset, length if too_long else raw
        offset += length


def _line(log: Log, number: int, offset: int, raw: bytes) -> Iterator[Record]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
    mark = _MARK.search(text)
    if mark is None:
        yield from _unmarked(log, number, offset, text)
    while mark is not None:
        following = None
        try:
            yield from log.record(text[mark.end() :], number, mark[2])
        except ValueError as error:
            following = _MARK.search(text, mark.end())
            end = following.start() if following else len(text)
            yield from _piece(log, number, offset, text, mark, end, str(error))
        mark = following


def _piece(
    log: Log, number: int, offset: int, text: str, mark: re.Match[str], end: int, reason: str
) -> Iterator[Record]:
    """Read what lies before the next mark on the same line: two processes wrote into it."""
    closing = text.rfind("}", mark.end(), end) + 1
    if end < len(text) and closing:
        try:
            yield from log.record(text[mark.end() : closing], number, mark[2])
        except ValueError:
            pass
        else:
            return
    yield _quarantined(number, offset + len(to_bytes(text[: mark.start()])), text[mark.start() : end], reason)


def _unmarked(log: Log, number: int, offset: int, text: str) -> Iterator[Record]:
    if text.startswith("{'"):
        try:
            yield from log.record(text, number, "")
        except ValueError as error:
            yield _quarantined(number, offset, text, str(error))
    elif _TORN.search(text) or (_FRAGMENT.search(text) and not _LEVEL.match(text)):
        yield _quarantined(number, offset, text, "a torn record: its beginning cannot be read")
    else:
        yield Remark(NO_RECORD)


def _quarantined(number: int, offset: int, text: str, reason: str) -> Quarantined:
    if "{" in text and not text.rstrip().endswith("}"):
        reason = "the record is cut short"
    return Quarantined(
        line=number, offset=offset, length=len(to_bytes(text)), reason=reason, text=text.rstrip("\n")[:KEPT_TEXT]
    )
