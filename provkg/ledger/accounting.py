"""Each byte of each document is accounted for once: as records, as no records, or as quarantined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from provkg import ledger
from provkg.ledger import Bytes, Placed
from provkg.store import Graph, text_of
from provkg.vocab import LEDGER, PKG, PROV

UNCOUNTED = "read by a provkg that did not count bytes"


@dataclass(frozen=True)
class Document:
    """What was read of one document, in all its stretches.

    Args:
        last: its last stretch, which names it.
        stretches: which bytes each is, and what they are.
        paths: from where it was read.
        placed: what these were when they were last read; a stream is nowhere.
        counts: how many records there are of what.
        reader: what read it.
        version: the version of provkg that did.
        read_at: when its last stretch was read.
        wrong: what does not add up, in words.
    """

    last: str
    stretches: tuple[Bytes, ...] = field(repr=False)
    paths: tuple[str, ...]
    placed: tuple[Placed, ...]
    counts: Counter[str]
    reader: str
    version: str
    read_at: str
    wrong: str

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(each.length for each in self.stretches)

    @property
    def records(self) -> int:
        """How many of these are records."""
        return sum(each.records for each in self.stretches)

    @property
    def nothing(self) -> int:
        """How many are no records."""
        return sum(each.nothing for each in self.stretches)

    @property
    def quarantined(self) -> int:
        """How many look like records and could not be read."""
        return sum(each.quarantined for each in self.stretches)


def documents(graph: Graph, paths: Iterable[str] = ()) -> Iterator[Document]:
    """Give the documents of a store, or those that some paths hold.

    Args:
        graph: an open store.
        paths: as the ledger writes them; all documents when empty.
    """
    held = (it.holds for path in paths if (it := ledger.placed(graph, path)) is not None)
    for last in dict.fromkeys(held) if paths else ledger.documents(graph):
        yield document_of(graph, last)


def document_of(graph: Graph, last: str) -> Document:
    """Return what was read of a document, by its last stretch."""
    facts = [_facts(graph, source) for source in ledger.chain(graph, last)]
    end = facts[-1]
    placed = tuple(it for path in sorted(end.get(PKG.sourcePath, ())) if (it := ledger.placed(graph, path)))
    stretches = tuple(_bytes(each) for each in facts)
    counts: Counter[str] = Counter()
    for each in facts:
        counts.update({name: _number(each, term) for name, term in ledger.COUNTED.items()})
    return Document(
        last,
        stretches,
        tuple(sorted(end.get(PKG.sourcePath, ()))),
        tuple(it for it in placed if it.holds == last),
        counts,
        min(end.get(PKG.reader, {""})),
        min(end.get(PKG.readBy, {""})),
        max(end.get(PROV.generatedAtTime, {""})),
        _wrong(stretches, {it.size for it in placed if it.holds == last}, counts["quarantined"], facts),
    )


def _wrong(stretches: tuple[Bytes, ...], sizes: set[int], pieces: int, facts: list[dict[str, set[str]]]) -> str:
    """Say what does not add up."""
    if any(PKG.recordBytes not in each for each in facts):
        return UNCOUNTED
    at = 0
    for each, told in zip(stretches, facts, strict=True):
        if each.begin != at:
            return f"the stretch after byte {at:,} begins at {each.begin:,}"
        if each.records < 0 or each.records != _number(told, PKG.recordBytes):
            return f"the bytes from {each.begin:,} are not counted once"
        at += each.length
    if sizes - {at}:
        return f"{at:,} bytes were read of {max(sizes):,}"
    return "" if pieces or not any(each.quarantined for each in stretches) else "quarantined bytes without a piece"


def _facts(graph: Graph, source: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for quad in graph.quads(source, None, None, graph.iri(LEDGER)):
        found.setdefault(quad.predicate.value, set()).add(text_of(quad.object))
    return found


def _bytes(facts: dict[str, set[str]]) -> Bytes:
    return Bytes(*(_number(facts, term) for term in _TERMS))


_TERMS = (PKG.byteOffset, PKG.byteCount, PKG.noRecordBytes, PKG.quarantinedBytes)


def _number(facts: dict[str, set[str]], term: str) -> int:
    return int(min(facts.get(term, {"0"})))
