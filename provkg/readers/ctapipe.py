"""ctapipe's provenance JSON, every era from 2017 on.

A log is ``[…][…][…]``: each process appends an array of all activities it has finished, so arrays touch and activities
repeat; the last document of an ``activity_uuid`` wins. Arrays are not trusted: activities are decoded one by one, so a
truncated document loses only itself.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from provkg import identity
from provkg.config import Config
from provkg.identity import canonical
from provkg.readers import Reader, Source
from provkg.readers.logentities import data_level
from provkg.readers.metadata import drop_fabricated, product_properties
from provkg.readers.offsets import Offsets
from provkg.readers.system import arguments, environment, started
from provkg.records import (
    FABRICATED,
    HEADER,
    NO_RECORD,
    REPEATED,
    Activity,
    Digest,
    Entity,
    Environment,
    Kind,
    Parameters,
    Properties,
    Quarantined,
    Record,
    Relation,
    Remark,
)
from provkg.vocab import PKG

FAMILY = "ctapipe"
LIMIT = 1 << 30
SEARCH_BYTES = 8 << 20
MAX_JUNK = 4096
MOST_FAILED = 100  # activities of a document, after which each ends where the next begins
MOST_DEEP = 500  # activities that stand in one that is nested too deep are quarantined with it
_BEGIN = re.compile(r'\{\s*"activity_name"\s*:')
_BEGIN_BYTES = re.compile(_BEGIN.pattern.encode())
_BETWEEN = re.compile(r"[\s\[\],]*")
_DECODER = json.JSONDecoder()
_STATUS = {
    "completed": "completed",
    "success": "completed",
    "error": "failed",
    "interrupted": "interrupted",
    "running": "running",
}
_FILE = {"url", "role", "reference_meta", "digest", "size"}
_KNOWN = {
    "activity_name",
    "activity_uuid",
    "status",
    "start",
    "stop",
    "system",
    "input",
    "output",
    "exit_code",
    "config",
    "duration_min",
}


def knows(source: Source) -> bool:
    """Say whether a source holds activities as ctapipe writes them."""
    if b"\0" in source.head[:1024]:  # a product, which may hold such a record: see product
        return False
    if _BEGIN_BYTES.search(source.head):
        return True
    if b"PROVENANCE" not in source.head:
        return source.head.strip() == b"[]"
    with source.open() as stream:
        return _BEGIN_BYTES.search(stream.read(SEARCH_BYTES)) is not None


def read(source: Source) -> Iterator[Record]:
    """Read the activities of a log."""
    text = source.read(LIMIT).decode("utf-8", "surrogateescape")
    last: dict[str, tuple[dict[str, Any], int]] = {}
    repeated = nothing = 0
    for item in _objects(text):
        if isinstance(item, int):
            nothing += item
            continue
        if isinstance(item, Quarantined | Remark):
            yield item
            continue
        record, line = item
        name = _name(record)
        repeated += name in last
        last.pop(name, None)
        last[name] = (record, line)
    if repeated:
        yield Remark(REPEATED, repeated)
    for record, line in last.values():
        yield from activity_records(source.config, record, line)
    yield source.end(nothing)


READER = Reader("ctapipe", knows, read)


def activity_records(config: Config, record: dict[str, Any], line: int = 0) -> Iterator[Record]:
    """Give what one record of an activity means, wherever it stands."""
    yield from _Activity(config, _name(record), record, line).records()


def _objects(text: str) -> Iterator[tuple[dict[str, Any], int] | Quarantined | Remark | int]:
    """Decode the activities; what lies between them is brackets, log text (so many bytes), or quarantined."""
    at, line, offsets, failed = 0, 1, Offsets(text), 0
    while begin := _BEGIN.search(text, at):
        yield from _between(text[at : begin.start()], line, at, offsets)
        line += text.count("\n", at, begin.start())
        try:
            record, end = _decoded(text, begin, alone=failed > MOST_FAILED)
        except (ValueError, RecursionError) as error:
            failed += 1
            deep = isinstance(error, RecursionError)
            following = next(islice(_BEGIN.finditer(text, begin.end()), MOST_DEEP if deep else 0, None), None)
            end = following.start() if following else len(text)
            reason = "nested too deep" if deep else f"no complete JSON object: {error}"
            yield _quarantined(offsets, begin.start(), end, line, reason)
        else:
            yield record, line
        line += text.count("\n", begin.start(), end)
        at = end
    yield from _between(text[at:], line, at, offsets)


def _decoded(text: str, begin: re.Match[str], *, alone: bool) -> tuple[dict[str, Any], int]:
    """Decode an activity; alone, as if nothing stood behind it: an error takes time for all of a text."""
    if not alone:
        return _DECODER.raw_decode(text, begin.start())
    following = _BEGIN.search(text, begin.end())
    record, end = _DECODER.raw_decode(text[begin.start() : following.start() if following else None])
    return record, begin.start() + end


def _between(junk: str, line: int, at: int, offsets: Offsets) -> Iterator[Quarantined | Remark | int]:
    rest = junk[_BETWEEN.match(junk).end() :] if _BETWEEN.fullmatch(junk) is None else ""  # type: ignore[union-attr]
    if not rest:
        return
    if "{" in rest or '":' in rest:
        start = at + len(junk) - len(rest)
        yield _quarantined(
            offsets, start, at + len(junk), line + junk.count("\n", 0, len(junk) - len(rest)), "not an activity"
        )
    else:
        yield Remark(NO_RECORD, len([text for text in rest.splitlines() if text.strip(" []',\t")]))
        yield len(identity.to_bytes(rest))


def _quarantined(offsets: Offsets, start: int, end: int, line: int, reason: str) -> Quarantined:
    piece, offset = offsets.text[start:end], offsets.of(start)
    return Quarantined(
        line=line, offset=offset, length=len(identity.to_bytes(piece)), reason=reason, text=piece[:MAX_JUNK]
    )


def _name(record: dict[str, Any]) -> str:
    uuid = record.get("activity_uuid")
    if uuid:
        return f"activity/{FAMILY}/{identity.part(str(uuid).lower())}"
    system = _mapping(record.get("system"))
    node = _mapping(system.get("platform")).get("node")  # 2017: no uuid yet
    return identity.activity(FAMILY, str(node or "-"), str(record.get("activity_name")), _time(record.get("start")))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _time(value: Any) -> str:
    """Return ``time_utc`` with the Z it lacks."""
    text = str(_mapping(value).get("time_utc") or "")
    return text if not text or text.endswith("Z") else text.replace(" ", "T") + "Z"


class _Activity:
    """One activity and its relations."""

    def __init__(self, config: Config, name: str, record: dict[str, Any], line: int) -> None:
        self.config, self.name, self.record, self.line = config, name, record, line
        system = _mapping(record.get("system"))
        self.environment: Environment | None = environment(system) if system else None
        self.system = system
        self.uuid = str(record.get("activity_uuid") or "").lower()
        self.read = {_product(item) for item in self.files("input")}

    def records(self) -> Iterator[Record]:
        yield self.activity()
        config = self.record.get("config")
        if isinstance(config, dict) and config:
            yield Parameters(self.name, dict(_flat(config)))
        for item in self.files("input"):
            yield from self.relation(Kind.USED, item)
        for item in self.files("output"):
            yield from self.relation(Kind.GENERATED, item)

    def files(self, key: str) -> list[Any]:
        files = self.record.get(key)
        return [item for item in files if _url(item)] if isinstance(files, list) else []

    def activity(self) -> Activity:
        record, label = self.record, str(self.record.get("activity_name") or "")
        recorded = str(record.get("status") or "")
        # `activity()` passes its own name where the status belongs; an unknown word proves nothing
        status = "completed" if recorded and recorded == label else _STATUS.get(recorded, "")
        version = self.system.get("ctapipe_version")
        exit_code = record.get("exit_code")
        extra = {key: value for key, value in record.items() if key not in _KNOWN} | self.odd()
        extra |= {
            f"{key}.{name}": value
            for key in ("start", "stop")
            for name, value in _mapping(record.get(key)).items()
            if name != "time_utc"
        }
        duration = record.get("duration_min")
        properties: Properties = ((PKG.durationMinutes, duration),) if isinstance(duration, float) else ()
        properties += started(self.system)
        return Activity(
            name=self.name,
            label=label,
            start=_time(record.get("start")),
            end=_time(record.get("stop")),
            status=status,
            recorded_status=recorded,
            exit_code=exit_code if type(exit_code) is int else None,
            environment=self.environment,
            software=("ctapipe", str(version)) if version else None,
            arguments=arguments(self.system.get("arguments")),
            properties=properties,
            extra=extra,
            line=self.line,
        )

    def odd(self) -> dict[str, Any]:
        """Return what is of another type than it should be."""
        record = self.record
        found = {
            key: record[key]
            for key in ("start", "stop", "system", "config")
            if not isinstance(record.get(key, {}), dict)
        }
        for key in ("input", "output"):
            files = record.get(key)
            rest = [item for item in files if not _url(item)] if isinstance(files, list) else files
            found |= {key: rest} if rest else {}
        for key, proper in (("exit_code", int), ("duration_min", float)):
            if record.get(key) is not None and type(record[key]) is not proper:
                found[key] = record[key]
        return found

    def relation(self, kind: Kind, item: Any) -> Iterator[Record]:
        item = item if isinstance(item, dict) else {"url": item}
        path, role = str(item.get("url") or ""), str(item.get("role") or "")
        place = self.place(path)
        meta, dropped = drop_fabricated(item.get("reference_meta"))
        if dropped:
            yield Remark(FABRICATED)
        uuid = str(meta.get("CTA PRODUCT ID") or "").lower()
        by = str(meta.get("CTA ACTIVITY ID") or "").lower()
        # A header that names another activity was copied from upstream: no edge follows from it.
        own = kind is Kind.USED or (by in ("", self.uuid) and not (uuid and uuid in self.read))
        level = data_level(role) if not meta and kind is Kind.USED else ""
        yield Entity(name=place, path=path, level=level, line=self.line)
        end = identity.product(uuid) if uuid and own else place
        if not own:
            yield Remark(HEADER)
            claimed = tuple(
                (PKG.headerProductId if term == PKG.productId else term, value)
                for term, value in product_properties(meta)
            )
            yield Entity(name=identity.version(place, self.name), properties=claimed, line=self.line)
        elif uuid:
            yield Entity(name=identity.product(uuid), place=place, properties=product_properties(meta), line=self.line)
        subject, other = (self.name, end) if kind is Kind.USED else (end, self.name)
        rest = {key: value for key, value in item.items() if key not in _FILE}
        algorithm, _, value = str(item.get("digest") or "").partition(":")  # by provkg.capture.ctapipe
        size = item.get("size")
        properties: Properties = ((PKG.byteCount, size),) if type(size) is int else ()
        yield Relation(
            kind=kind,
            subject=subject,
            object=other,
            role=role,
            activity=self.name,
            product=uuid if uuid and not own else "",
            place=place,
            digest=Digest(algorithm, value) if value else None,
            properties=properties + (((PKG.extra, canonical(rest)),) if rest else ()),
            line=self.line,
        )

    def place(self, path: str) -> str:
        host = self.environment.host if self.environment is not None else ""
        if not path.startswith("/"):
            return identity.thing(f"{host}:{self.name}", path)
        return identity.file(path, (path.startswith(self.config.local_paths) and host) or self.config.site)


def _url(item: Any) -> str:
    return str((item.get("url") if isinstance(item, dict) else item) or "")


def _product(item: Any) -> str:
    meta = item.get("reference_meta") if isinstance(item, dict) else None
    return str(_mapping(meta).get("CTA PRODUCT ID") or "").lower()


def _flat(config: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give nested configuration as dotted names.

    >>> dict(_flat({"Tool": {"a": 1, "Sub": {"b": None}}}))
    {'Tool.a': 1, 'Tool.Sub.b': None}
    """
    for key, value in config.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
