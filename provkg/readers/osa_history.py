"""The ``.history`` files of lstosa: a line for each attempt of a program, with its exit status.

::

    RUN STAGE PROD_ID YYYY-MM-DD HH:MM INPUT CONFIG RC           sequences: osa/report.py, ``history``; UTC
    YYYY-MM-DD HH:MM:SS | RUN.SUBRUN gain_selection RC           osa/scripts/gain_selection.py; the site's time

Formats of lstosa 0.11. A line tells when an attempt ended, and nothing of its start.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from provkg import identity
from provkg.config import Config
from provkg.readers import Reader, Source
from provkg.readers.sacct import MAX_SHOWN, ZONE
from provkg.records import Iri, Node, Properties, Quarantined, Record, Remark, Typed
from provkg.vocab import PKG, PROV, RDFS_LABEL, XSD

LINE_BYTES = 1 << 20
_SEQUENCE = re.compile(
    r"(?P<run>\d{1,6}(?:\.\d{1,6})?) (?P<stage>\S+) (?P<product>\S+) (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d)"
    r" (?P<input>\S+) (?P<config>\S+) (?P<code>-?\d{1,9})"
)
_GAIN = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \| (?P<run>\d{1,6}\.\d{1,6}) (?P<stage>gain_selection)"
    r" (?P<code>-?\d{1,9})"
)
_HEAD = re.compile(
    rb"\A(?:\d{1,6}(?:\.\d{1,6})? \S+ \S+ \d{4}-\d\d-\d\d \d\d:\d\d |\d{4}-[\d :-]{14} \| \d+\.\d+ gain_)"
)


def knows(source: Source) -> bool:
    """Say whether a source is a history of lstosa."""
    return bool(_HEAD.match(source.head))


def read(source: Source) -> Iterator[Record]:
    """Read the attempts."""
    seen: Counter[str] = Counter()
    line = offset = naive = nothing = 0
    with source.open() as stream:
        while data := stream.readline(LINE_BYTES):
            line += 1
            text = data.decode("utf-8", "surrogateescape").rstrip("\r\n")
            match = _SEQUENCE.fullmatch(text) or _GAIN.fullmatch(text)
            at = None if match is None else _time(match["time"], source.config, utc=match.re is _SEQUENCE)
            if match is not None and at is not None:
                naive += match.re is _GAIN
                seen[text] += 1
                yield _attempt(match, at, seen[text], line)
            elif text.strip():
                reason = "no line of a history"
                yield Quarantined(line=line, offset=offset, length=len(data), reason=reason, text=text[:MAX_SHOWN])
            else:
                nothing += len(data)
            offset += len(data)
    if naive:
        yield Remark(f"{ZONE} {source.config.zone}", naive)
    yield source.end(nothing)


READER = Reader("osa_history", knows, read)


def _time(text: str, config: Config, *, utc: bool) -> str | None:
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC if utc else config.zone_info)
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attempt(match: re.Match[str], at: str, number: int, line: int) -> Node:
    """Return one attempt; the same line again is another one."""
    facts: dict[str, Any] = match.groupdict()
    code = int(facts["code"])
    parts = (facts["run"], facts["stage"], facts.get("product") or "-", at, facts.get("input") or "-", str(code))
    name = f"job/osa/{identity.part(facts['run'])}/{identity.digest(*parts, str(number))}"
    properties: Properties = (
        (RDFS_LABEL, facts["stage"]),
        (PKG.ofRun, facts["run"]),
        (PKG.exitCode, code),
        (PKG.status, Iri(PKG.completed if code == 0 else PKG.failed)),
        (PROV.endedAtTime, Typed(at, XSD + "dateTime")),
    )
    extra = {key: facts[key] for key in ("product", "input", "config") if facts.get(key) not in (None, "None")}
    return Node(name=name, types=(PKG.Job,), properties=properties, extra=extra, line=line)
