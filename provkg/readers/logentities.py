"""What the ids of a line log mean: files by path, everything else by id within its session."""

import hashlib
import re
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from msgspec.structs import replace

from provkg import identity
from provkg.config import Config
from provkg.records import NO_ENTITY, OPAQUE, Digest, Entity, Record, Remark
from provkg.vocab import PKG

_DATA_LEVEL = re.compile(r"(R0|R1|DL[0-6])(?![0-9])")


@dataclass
class Entities:
    """The entity records of one log; ``scope`` keeps ids apart that belong to no session."""

    config: Config
    scope: str = ""
    described: dict[tuple[str, str], Entity] = field(default_factory=dict)
    seen: dict[str, tuple[str, str, Entity]] = field(default_factory=dict)
    given: set[tuple[str, int]] = field(default_factory=set)

    def known(self, body: str) -> bool:
        """Say whether this very record was read before; its id means this entity again."""
        again = self.seen.get(body)
        if again is not None:
            self.describe(*again)
        return again is not None

    def read(self, record: dict[Any, Any], line: int, body: str) -> list[Record]:
        """Read an entity record: what its id means from here on."""
        local, tag, kind = _local_id(record), intern(tag_of(record)), intern(str(record.pop("type", "")))
        path = _path(record, kind, local)
        label = intern(str(record.pop("name", "") or record.pop("entity_description", "")))
        digest = path_digest(record.pop("hash", None), record.pop("hash_type", None), path, local)
        record.pop("session_tag", None)
        entity = Entity(
            name="",
            path=path,
            label=label,
            content_type=intern(str(record.pop("contentType", "") or "")),
            level=data_level(label),
            digest=digest,
            types=("collection",) if "Collection" in kind else (),
            # what lies at a path is a pkg:File: said twice it would be a fiftieth of a night
            properties=((PKG.recordedType, kind),) if kind and not (path and kind == "File") else (),
            extra=record,
            line=line,
        )
        self.seen[body] = (local, tag, entity)
        self.describe(local, tag, entity)
        return [Remark(OPAQUE)] if digest is not None and digest.of == "unknown" else []

    def describe(self, local: str, tag: str, entity: Entity) -> None:
        """Note what an id means from here on, to the records of its tag and to those without one."""
        self.described[local, tag] = self.described[local, ""] = entity

    def described_by(self, local: str, tag: str) -> Entity | None:
        """Return the entity that an id means now, to records of a tag."""
        return self.described.get((local, tag)) or self.described.get((local, ""))

    def place(self, local: str, tag: str, session: str, host: str, found: list[Record]) -> str:
        """Name the place of an id, and give its entity record once.

        Args:
            local: the id.
            tag: the session tag of the record that speaks of it.
            session: the session in which a local id means something.
            host: where paths that differ from host to host lie.
            found: takes the entity record.
        """
        entity = self.described_by(local, tag)
        path = entity.path if entity is not None and "collection" not in entity.types else ""
        in_files = path.startswith("/")
        name = self.file(path, host) if in_files else identity.thing(session or self.scope, path or local)
        key = (name, entity.line if entity is not None else 0)
        if key not in self.given:
            self.given.add(key)
            known = () if in_files else ((PKG.localId, local),)
            if entity is None:
                found += [Remark(NO_ENTITY), Entity(name=name, properties=known)]
            else:
                found.append(replace(entity, name=name, properties=entity.properties + known))
        return name

    def file(self, path: str, host: str) -> str:
        """Name the place of a path: within the site, or within the host where paths differ."""
        local = path.startswith(self.config.local_paths)
        return identity.file(path, (local and host) or self.config.site)

    def unclaimed(self) -> list[tuple[str, str]]:
        """Return id and tag of the entities that no record has spoken of."""
        used = {line for _, line in self.given}
        return [key for key, entity in self.described.items() if entity.line not in used]


def tag_of(record: dict[Any, Any]) -> str:
    """Return the session tag of a record, or nothing."""
    return str(record.get("session_tag", ""))


def data_level(text: str) -> str:
    """Return the CTAO data level a name begins with, or nothing.

    >>> data_level("DL1SubrunDataset"), data_level("RawObservationFile"), data_level("PedestalFile")
    ('DL1', 'R0', '')
    """
    match = _DATA_LEVEL.match(text)
    return match[1] if match else "R0" if text == "RawObservationFile" else ""


def _local_id(record: dict[Any, Any]) -> str:
    if "entity_id" in record:
        return str(record.pop("entity_id"))
    # logprov writes {id: id} where it means {'entity_id': id}
    for key, value in record.items():
        if key == value:
            return str(record.pop(key))
    raise ValueError("an entity record without an id")


def _path(record: dict[Any, Any], kind: str, local: str) -> str:
    """Take the path of a file entity; where several are given, the one whose md5 is the id."""
    key = "filepath" if record.get("filepath") else "location"
    if key == "location" and not kind.startswith("File"):
        return ""  # logprov: the variable that holds the object
    value = record.get(key)
    if isinstance(value, list):
        paths = list(map(str, value))
        return next((path for path in paths if _md5(path) == local), paths[0] if paths else "")
    record.pop(key, None)
    return str(value or "")


def path_digest(value: Any, algorithm: Any, path: str, local: str) -> Digest | None:
    """Say what a hash is of. lstosa hashes the path and calls it md5: it is a path digest where md5(path) proves it."""
    if not value:
        return None
    text, name = str(value), intern(str(algorithm or "md5"))
    if path and text == _md5(path):
        return Digest(name, text, "path")
    return Digest(name, text, "unknown" if text == local or not algorithm else "content")


def _md5(text: str) -> str:
    return hashlib.md5(identity.to_bytes(text), usedforsecurity=False).hexdigest()
