"""The ledger: which sources the store holds, what was read of each, and what was not.

It is a graph of its own. A ``pkg:Source`` is a document, or a stretch of a log, and the named graph of what it says
(a prov:Bundle): its paths, which bytes it is, how many of these are records, no records, or quarantined; its reader,
counts and remarks; and the stretch that it follows. A ``pkg:SourceFile`` is a path: what it was on its disk when it was
last read, and the source that it holds, which is the last stretch of a log. A ``pkg:Quarantined`` is a piece of input
that could not be read.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pyoxigraph import Literal, Quad

from provkg import identity
from provkg.mapping.terms import integer, literal
from provkg.records import Quarantined
from provkg.store import Graph
from provkg.vocab import LEDGER, PKG, PROV, RDF_TYPE, SOURCE_FILES, XSD

COUNTED = {
    "sessions": PKG.sessionCount,
    "activities": PKG.activityCount,
    "usages": PKG.usageCount,
    "generations": PKG.generationCount,
    "parameters": PKG.parameterCount,
    "quarantined": PKG.quarantinedCount,
}
_NUMBERS = (PKG.byteCount, PKG.fileSize, PKG.device, PKG.inode, PKG.modifiedNanoseconds, PKG.repairCount)


STREAM = "-"
NO_VERSION = "0"  # of provkg: what it read is read again when it is met again
INNER = "stretch"  # and no path: these are absolute


class Bytes(NamedTuple):
    """Which bytes of a document a source is, and what they are: ``nothing`` are those that are no records."""

    begin: int
    length: int
    nothing: int
    quarantined: int

    @property
    def records(self) -> int:
        """How many are records."""
        return self.length - self.nothing - self.quarantined


@dataclass(frozen=True)
class Entry:
    """What the ledger says of one source."""

    graph: str
    paths: tuple[str, ...]
    version: str
    follows: str = ""


class Placed(NamedTuple):
    """What a path was when it was last read.

    ``digest`` and ``size`` are those of the decompressed content, of which ``repaired`` pieces are as somebody repaired
    them; ``stored`` is its size on the disk, ``modified`` is in nanoseconds since 1970. ``holds`` is the last stretch
    of its content.
    """

    path: str
    holds: str
    digest: str
    size: int
    stored: int
    device: int
    inode: int
    modified: int
    repaired: int = 0


def graph_of(base: str, digest: str, path: str = "") -> str:
    """Return the graph of a source: its content names it, so it is the same from whatever path it is read.

    Where the path is part of what it says (a product), the path names it too. A stretch of a log that goes on is named
    by all that the log says to its end, and that it is one.
    """
    return f"{base}source/{identity.digest(digest, path) if path else digest[:32]}"


def file_of(base: str, path: str) -> str:
    """Return the name of a path in the ledger."""
    return f"{base}{SOURCE_FILES}{identity.digest(path)}"


def entry(graph: Graph, source: str) -> Entry | None:
    """Return what the ledger says of a source."""
    facts = list(graph.quads(source, None, None, graph.iri(LEDGER)))
    if not any(quad.predicate.value == RDF_TYPE and _value(quad.object) == PKG.Source for quad in facts):
        return None
    versions = [_value(quad.object) for quad in facts if quad.predicate.value == PKG.readBy]
    paths = sorted(_value(quad.object) for quad in facts if quad.predicate.value == PKG.sourcePath)
    before = [_value(quad.object) for quad in facts if quad.predicate.value == PKG.follows]
    return Entry(source, tuple(paths), min(versions, default=""), min(before, default=""))


def sources(graph: Graph) -> list[str]:
    """Return all sources of a store."""
    return sorted(_value(quad.subject) for quad in graph.quads(None, RDF_TYPE, PKG.Source, graph.iri(LEDGER)))


def documents(graph: Graph) -> list[str]:
    """Return the last stretch of each document of a store, which no other follows."""
    followed = {_value(quad.object) for quad in graph.quads(None, PKG.follows, None, graph.iri(LEDGER))}
    return [source for source in sources(graph) if source not in followed]


def placed(graph: Graph, path: str) -> Placed | None:
    """Return what the ledger says of a path."""
    facts = {each.predicate.value: _value(each.object) for each in file_quads(graph, path)}
    if PKG.holds not in facts:
        return None
    return Placed(path, facts[PKG.holds], facts[PKG.sha256], *(int(facts.get(term, 0)) for term in _NUMBERS))


def paths(graph: Graph) -> list[str]:
    """Return all paths of a ledger."""
    ledger = graph.iri(LEDGER)
    files = [_value(quad.subject) for quad in graph.quads(None, RDF_TYPE, PKG.SourceFile, ledger)]
    return sorted(_value(each.object) for file in files for each in graph.quads(file, PKG.sourcePath, None, ledger))


def chain(graph: Graph, last: str) -> list[str]:
    """Return the stretches of a document in order, of which this is the last."""
    found: dict[str, None] = {}
    while last and last not in found:
        found[last] = None
        before = graph.quads(last, PKG.follows, None, graph.iri(LEDGER))
        last = min((_value(quad.object) for quad in before), default="")
    return [*reversed(found)]


def file_quads(graph: Graph, path: str) -> list[Quad]:
    """Return the ledger's quads of a path."""
    return list(graph.quads(file_of(graph.base, path), None, None, graph.iri(LEDGER)))


def _value(term: object) -> str:
    return str(getattr(term, "value", ""))


def file_lines(base: str, it: Placed, when: str) -> list[str]:
    """Return what the ledger says of a path, as N-Triples."""
    f = f"<{file_of(base, it.path)}>"
    return [
        f"{f} <{RDF_TYPE}> <{PKG.SourceFile}> .",
        f"{f} <{PKG.sourcePath}> {literal(it.path)} .",
        f"{f} <{PKG.holds}> <{it.holds}> .",
        f"{f} <{PKG.sha256}> {literal(it.digest)} .",
        *(f"{f} <{term}> {integer(number)} ." for term, number in zip(_NUMBERS, it[3:], strict=True)),
        f'{f} <{PROV.generatedAtTime}> "{when}"^^<{XSD}dateTime> .',
    ]


def lines(
    entry: Entry,
    digest: str,
    read: Bytes,
    reader: str,
    when: str,
    counts: Counter[str],
    remarks: Counter[str],
) -> list[str]:
    """Return what the ledger says of a source, as N-Triples."""
    s = f"<{entry.graph}>"
    found = [
        f"{s} <{RDF_TYPE}> <{PKG.Source}> .",
        f"{s} <{RDF_TYPE}> <{PROV.Bundle}> .",
        *(f"{s} <{PKG.sourcePath}> {literal(path)} ." for path in entry.paths),
        f"{s} <{PKG.sha256}> {literal(digest)} .",
        f"{s} <{PKG.byteOffset}> {integer(read.begin)} .",
        f"{s} <{PKG.byteCount}> {integer(read.length)} .",
        f"{s} <{PKG.recordBytes}> {integer(read.records)} .",
        f"{s} <{PKG.noRecordBytes}> {integer(read.nothing)} .",
        f"{s} <{PKG.quarantinedBytes}> {integer(read.quarantined)} .",
        f"{s} <{PKG.reader}> {literal(reader)} .",
        f"{s} <{PKG.readBy}> {literal(entry.version)} .",
        f'{s} <{PROV.generatedAtTime}> "{when}"^^<{XSD}dateTime> .',
        *([f"{s} <{PKG.follows}> <{entry.follows}> ."] if entry.follows else []),
    ]
    found += [f"{s} <{term}> {integer(counts[name])} ." for name, term in COUNTED.items()]
    for number, (about, count) in enumerate(sorted(remarks.items()), 1):
        r = f"<{entry.graph}/remark/{number}>"
        found += [
            f"{s} <{PKG.remark}> {r} .",
            f"{r} <{PKG.about}> {literal(about)} .",
            f"{r} <{PKG.count}> {integer(count)} .",
        ]
    return found


def uncounted_lines(base: str, source: str) -> list[str]:
    """Return what the ledger says of a graph of which it knows nothing else, as N-Quads: the next ingest reads it."""
    end = f"<{base}{LEDGER}> .\n"
    facts = (f"<{RDF_TYPE}> <{PKG.Source}>", f"<{RDF_TYPE}> <{PROV.Bundle}>", f'<{PKG.readBy}> "{NO_VERSION}"')
    return [f"<{source}> {fact} {end}" for fact in facts]


def quarantine_lines(source: str, pieces: Iterable[Quarantined]) -> list[str]:
    """Return the quarantined pieces of a source, as N-Triples: where each lies, why, and its first bytes."""
    found = []
    for piece in pieces:
        q = f"<{source}/quarantined/{piece.offset}-{piece.length}>"
        found += [
            f"{q} <{RDF_TYPE}> <{PKG.Quarantined}> .",
            f"{q} <{PKG.inSource}> <{source}> .",
            f"{q} <{PKG.line}> {integer(piece.line)} .",
            f"{q} <{PKG.byteOffset}> {integer(piece.offset)} .",
            f"{q} <{PKG.byteLength}> {integer(piece.length)} .",
            f"{q} <{PKG.reason}> {literal(piece.reason)} .",
            f"{q} <{PKG.text}> {literal(piece.text)} .",
        ]
    return found


def forgotten(graph: Graph, source: str) -> list[Quad]:
    """Return the ledger's quads of a source."""
    ledger = graph.iri(LEDGER)
    found = list(graph.quads(source, None, None, ledger))
    for quad in graph.quads(None, PKG.inSource, source, ledger):
        found += graph.quads(_value(quad.subject), None, None, ledger)
    for quad in graph.quads(source, PKG.remark, None, ledger):
        found += graph.quads(_value(quad.object), None, None, ledger)
    return found


def path_quads(graph: Graph, source: str, path: str) -> list[Quad]:
    """Return the claim of a path on a source."""
    return list(graph.quads(source, PKG.sourcePath, Literal(path), graph.iri(LEDGER)))
