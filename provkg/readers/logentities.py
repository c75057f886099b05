"""What the ids of a line log mean: files by path, everything else by id within its session."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from sys import intern
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from provkg import identity
from provkg.config import Config
from provkg.readers.pyrepr import loads
from provkg.records import NO_ENTITY, OPAQUE, Digest, Entity, Record, Remark
from provkg.shelves import Draft, Shelf
from provkg.vocab import PKG

LATELY, SHORT = 5_000, 8 << 10  # records of so many characters that need not be read again
_DATA_LEVEL = re.compile(r"(R0|R1|DL[0-6])(?![0-9])")


class Meant(Struct, frozen=True):
    """What an entity record means: of which id, to records of which tag, where it lies if it is a file, its content."""

    local: str
    tag: str
    path: str
    digest: Digest | None


class Entities:
    """The entity records of one log, numbered from 1 on.

    Args:
        config: says where files lie.

    ``scope`` keeps ids apart that belong to no session.
    """

    def __init__(self, config: Config) -> None:
        self.config, self.scope, self.count = config, "", 0
        self.texts: Shelf[int, tuple[int, str]] = Shelf(int, tuple[int, str])  # of each record, with its line
        self.meant: Shelf[int, Meant] = Shelf(int, Meant)
        self.numbers: Shelf[str, int] = Shelf(str, int)  # by the digests of their texts
        self.described: Shelf[tuple[str, str], int] = Shelf(tuple[str, str], int)  # by id and tag
        self.given: Shelf[tuple[str, int], bool] | Draft[tuple[str, int], bool] = Shelf(tuple[str, int], bool)
        self.unclaimed: Shelf[int, bool] | Draft[int, bool] = Shelf(int, bool)  # no record has spoken of these
        self.decoded: dict[int, Entity] = {}
        self.lately: dict[str, int] = {}  # numbers by texts

    def shelves(self) -> dict[str, Shelf[Any, Any]]:
        """Return what the records said, in any number."""
        names = ("texts", "meant", "numbers", "described", "given", "unclaimed")
        return {name: getattr(self, name) for name in names}

    def known(self, body: str) -> bool:
        """Say whether this very record was read lately; its id means this entity again."""
        number = self.lately.get(body)
        if number is not None:
            self.describe(number)
        return number is not None

    def read(self, record: dict[Any, Any], line: int, body: str) -> list[Record] | None:
        """Read an entity record: what its id means from here on; None where this very record was read before."""
        digest = hashlib.blake2b(identity.to_bytes(body), digest_size=16).hexdigest()
        number = self.numbers.get(digest)
        if number is not None:
            self.describe(number)
            return None
        local, tag, entity = _entity(record, line)
        said, path = entity.digest, entity.path if "collection" not in entity.types else ""
        content = said if said is not None and said.of == "content" else None
        number = self.count = self.count + 1
        self.texts.put(number, (line, body), len(body))
        self.meant.put(number, Meant(local, tag, path, content), len(body))
        self.numbers.put(digest, number)
        self.unclaimed.put(number, True)
        self._remember(number, entity, body)
        self.describe(number)
        return [Remark(OPAQUE)] if said is not None and said.of == "unknown" else []

    def _remember(self, number: int, entity: Entity, body: str) -> None:
        if len(self.decoded) >= LATELY:
            self.decoded.clear()
            self.lately.clear()
        if len(body) < SHORT:
            self.decoded[number], self.lately[body] = entity, number

    def _entity(self, number: int) -> Entity:
        entity = self.decoded.get(number)
        if entity is None:
            line, text = self.texts.get(number) or (0, "")
            entity = _entity(loads(text)[0], line)[2]
            self._remember(number, entity, text)
        return entity

    def describe(self, number: int) -> None:
        """Note what an id means from here on, to the records of its tag and to those without one."""
        meant = self.meant.get(number)
        assert meant is not None
        size = len(meant.local) + len(meant.tag)
        self.described.put((meant.local, meant.tag), number, size)
        self.described.put((meant.local, ""), number, size)

    def number_of(self, local: str, tag: str) -> int:
        """Return the record that says what an id means now, to records of a tag; 0 where none does."""
        return self.described.get((local, tag)) or self.described.get((local, "")) or 0

    def digest(self, number: int) -> Digest | None:
        """Return the digest of the content of what a record means, if it is known."""
        meant = self.meant.get(number)
        return meant.digest if meant is not None else None

    def place(self, local: str, number: int, session: str, host: str, found: list[Record]) -> str:
        """Name the place of an id, and give its entity record once.

        Args:
            local: the id.
            number: the record that says what it means, or 0.
            session: the session in which a local id means something.
            host: where paths that differ from host to host lie.
            found: takes the entity record.
        """
        meant = self.meant.get(number)
        path = meant.path if meant is not None else ""
        in_files = path.startswith("/")
        name = self.file(path, host) if in_files else identity.thing(session or self.scope, path or local)
        if (name, number) not in self.given:
            self.given.put((name, number), True, len(name))
            known = () if in_files else ((PKG.localId, local),)
            if meant is None:
                found += [Remark(NO_ENTITY), Entity(name=name, properties=known)]
            else:
                self.unclaimed.discard(number)
                entity = self._entity(number)
                found.append(replace(entity, name=name, properties=entity.properties + known))
        return name

    def file(self, path: str, host: str) -> str:
        """Name the place of a path: within the site, or within the host where paths differ."""
        local = path.startswith(self.config.local_paths)
        return identity.file(path, (local and host) or self.config.site)

    @contextmanager
    def trying(self) -> Iterator[list[tuple[int, str]]]:
        """Give number and id of those that no record has spoken of; what is given meanwhile is forgotten at the end."""
        given, unclaimed = self.given, self.unclaimed
        assert isinstance(unclaimed, Shelf)
        numbers = sorted(number for number, _ in unclaimed.items())
        self.given, self.unclaimed = Draft(given), Draft(unclaimed)
        try:
            yield [(number, meant.local) for number in numbers if (meant := self.meant.get(number)) is not None]
        finally:
            self.given, self.unclaimed = given, unclaimed


def _entity(record: dict[Any, Any], line: int) -> tuple[str, str, Entity]:
    """Read an entity record: its id, its tag, what it says.

    Raises:
        ValueError: it has no id.
    """
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
    return local, tag, entity


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
