"""What could not be read, with its whole text and its place in the file, to be repaired by hand.

A piece is a line of JSON. Who repairs it changes its text; an empty text is no record. The file that it lies in is
never changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError
from provkg.ledger.accounting import documents
from provkg.ledger.repairs import repairs
from provkg.readers import CHUNK_BYTES, Bounded, Source, open_source, readers
from provkg.readers.mending import Repair, original
from provkg.readers.stretches import LINE_LIMIT
from provkg.store import Graph, text_of
from provkg.vocab import LEDGER, PKG

_AS_IT_IS = "cannot be repaired: the source is not what was read, or not there"
_INSIDE = "cannot be repaired: it is no text of this file"


@dataclass(frozen=True)
class Piece:
    """A piece that could not be read.

    Args:
        source: the path it lies in.
        line: its number in what is read.
        offset: where it begins in the file, decompressed.
        length: how many bytes it has there.
        sha256: their digest; empty where it cannot be repaired.
        reason: why it could not be read, and why it cannot be repaired.
        text: what it says now; None where it is too long to be shown.
    """

    source: str
    line: int
    offset: int
    length: int
    sha256: str
    reason: str
    text: str | None

    def as_json(self) -> str:
        """Return it as a line of JSON; bytes that are no UTF-8 are surrogates."""
        return json.dumps(asdict(self))


def pieces(graph: Graph, config: Config, paths: Iterable[str] = ()) -> Iterator[Piece]:
    """Give what is quarantined, of each document once.

    Args:
        graph: an open store.
        config: its settings.
        paths: of some documents, as the ledger writes them; all when empty.
    """
    known = repairs(graph)
    inside = {name for name, reader in readers().items() if reader.located}
    for document in documents(graph, paths):
        told = sorted(_told(graph, document.last), key=lambda each: each["offset"])
        if not told:
            continue
        path = next(iter(document.paths), ledger.STREAM)
        opened = (_opened(placed.path, config, known) for placed in document.placed)
        source = next((it for it in opened if it and it.digest == document.placed[0].digest), None)
        if document.reader in inside or not told[0]["length"]:
            yield from _lost(path, told, _INSIDE)
        elif source is None:
            yield from _lost(path, told, _AS_IT_IS)
        else:
            yield from _whole(source, str(source.path), told)


def _opened(path: str, config: Config, known: list[Repair]) -> Source | None:
    try:
        return open_source(Path(path), config, repairs=known)
    except InputError:
        return None


def _told(graph: Graph, last: str) -> Iterator[dict[str, Any]]:
    """Give what the ledger says of the pieces of a document."""
    for source in ledger.chain(graph, last):
        for quad in graph.quads(None, PKG.inSource, source, graph.iri(LEDGER)):
            facts = {it.predicate.value: text_of(it.object) for it in graph.quads(text_of(quad.subject))}
            line, offset, length = (int(facts[term]) for term in (PKG.line, PKG.byteOffset, PKG.byteLength))
            yield {
                "line": line,
                "offset": offset,
                "length": length,
                "reason": facts[PKG.reason],
                "text": facts[PKG.text],
            }


def _lost(path: str, told: list[dict[str, Any]], why: str) -> Iterator[Piece]:
    for each in told:
        yield Piece(path, each["line"], each["offset"], each["length"], "", f"{each['reason']} ({why})", each["text"])


def _whole(source: Source, path: str, told: list[dict[str, Any]]) -> Iterator[Piece]:
    """Give pieces with all their text; what is part of a repair is one piece with it."""
    places = {original(source.regions, each["offset"], each["offset"] + each["length"]): each for each in told}
    with source.open() as mended, open_source(source.path, source.config).open() as file:
        here = there = 0
        for place, each in sorted(places.items(), key=lambda item: item[0]):
            _read(mended, place.begin - here)
            _read(file, place.offset - there)
            text, (_, digest) = _read(mended, place.end - place.begin)[0], _read(file, place.length)
            here, there = place.end, place.offset + place.length
            yield Piece(path, each["line"], place.offset, place.length, digest, each["reason"], text)


def _read(stream: Bounded, length: int) -> tuple[str | None, str]:
    """Read on; return the text without the end of its line, where it is not too long, and the digest of the bytes."""
    digest, kept = hashlib.sha256(), bytearray()
    for _ in range(0, length, CHUNK_BYTES):
        data = stream.read(min(CHUNK_BYTES, length))
        length -= len(data)
        digest.update(data)
        kept += data if len(kept) <= LINE_LIMIT else b""
    text = None if len(kept) > LINE_LIMIT else kept.decode("utf-8", "surrogateescape").removesuffix("\n")
    return text, digest.hexdigest()
