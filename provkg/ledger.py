"""The ledger: which sources the store holds, what was read of each, and what was not.

It is a graph of its own: one ``pkg:Source`` (a prov:Bundle, the named graph of what the source says) with its paths,
size, digest, reader, counts and remarks, and one ``pkg:Quarantined`` for each piece of input that could not be read.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pyoxigraph import Literal, Quad

from provkg import identity
from provkg.mapping.terms import integer, literal
from provkg.records import Quarantined
from provkg.store import Graph
from provkg.vocab import LEDGER, PKG, PROV, RDF_TYPE, XSD

COUNTED = {
    "sessions": PKG.sessionCount,
    "activities": PKG.activityCount,
    "usages": PKG.usageCount,
    "generations": PKG.generationCount,
    "parameters": PKG.parameterCount,
    "quarantined": PKG.quarantinedCount,
}


@dataclass(frozen=True)
class Entry:
    """What the ledger says of one source."""

    graph: str
    paths: tuple[str, ...]
    version: str


def graph_of(base: str, digest: str, path: str = "") -> str:
    """Return the graph of a source: its content names it, so it is the same from whatever path it is read.

    Where the path is part of what it says (a product), the path names it too.
    """
    return f"{base}source/{identity.digest(digest, path) if path else digest[:32]}"


def entries(graph: Graph) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the sources of a store by graph, and the graph of each path."""
    found: dict[str, Entry] = {}
    ledger = graph.iri(LEDGER)
    for quad in graph.quads(None, RDF_TYPE, PKG.Source, ledger):
        name = _value(quad.subject)
        version = next((_value(each.object) for each in graph.quads(name, PKG.readBy, None, ledger)), "")
        paths = tuple(sorted(_value(each.object) for each in graph.quads(name, PKG.sourcePath, None, ledger)))
        found[name] = Entry(name, paths, version)
    return found, {path: name for name, entry in found.items() for path in entry.paths}


def _value(term: object) -> str:
    return str(getattr(term, "value", ""))


def lines(
    source: str,
    paths: tuple[str, ...],
    digest: str,
    size: int,
    reader: str,
    version: str,
    when: str,
    counts: Counter[str],
    remarks: Counter[str],
) -> list[str]:
    """Return what the ledger says of a source, as N-Triples."""
    s = f"<{source}>"
    found = [
        f"{s} <{RDF_TYPE}> <{PKG.Source}> .",
        f"{s} <{RDF_TYPE}> <{PROV.Bundle}> .",
        *(f"{s} <{PKG.sourcePath}> {literal(path)} ." for path in paths),
        f"{s} <{PKG.sha256}> {literal(digest)} .",
        f"{s} <{PKG.byteCount}> {integer(size)} .",
        f"{s} <{PKG.reader}> {literal(reader)} .",
        f"{s} <{PKG.readBy}> {literal(version)} .",
        f'{s} <{PROV.generatedAtTime}> "{when}"^^<{XSD}dateTime> .',
    ]
    found += [f"{s} <{term}> {integer(counts[name])} ." for name, term in COUNTED.items()]
    for number, (about, count) in enumerate(sorted(remarks.items()), 1):
        r = f"<{source}/remark/{number}>"
        found += [
            f"{s} <{PKG.remark}> {r} .",
            f"{r} <{PKG.about}> {literal(about)} .",
            f"{r} <{PKG.count}> {integer(count)} .",
        ]
    return found


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
