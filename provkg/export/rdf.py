"""Quads in the syntaxes of RDF: Turtle, N-Triples, TriG, N-Quads and JSON-LD; memory does not grow with them.

A syntax without named graphs holds the union of all graphs, each statement once, without the bookkeeping of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pyoxigraph import DefaultGraph, Quad, RdfFormat, serialize

from provkg.export.jsonld import write_jsonld
from provkg.export.output import numbered, opened
from provkg.export.part import held
from provkg.export.slices import BOOKKEEPING
from provkg.store import Graph, LocalGraph, text_of
from provkg.vocab import PREFIXES

SYNTAXES = {
    "turtle": RdfFormat.TURTLE,
    "trig": RdfFormat.TRIG,
    "ntriples": RdfFormat.N_TRIPLES,
    "nquads": RdfFormat.N_QUADS,
    "jsonld": RdfFormat.JSON_LD,
}
WITHOUT_GRAPHS = ("turtle", "ntriples")


def write_rdf(graph: Graph, form: str, target: str | Path, *, compressed: bool = False, split: int = 0) -> list[Path]:
    """Write all of a graph, and return the files; the same graph gives the same bytes.

    Args:
        graph: a store, or a part of it.
        form: one of :data:`SYNTAXES`.
        target: a path, or ``-`` for stdout.
        compressed: with gzip.
        split: how many statements a file holds at most; one file when 0.

    Raises:
        InputError: a file cannot be written.
    """
    if form in WITHOUT_GRAPHS:
        with held(_flat(graph), graph.base) as flat:
            return _written(flat.quads(), form, target, compressed=compressed, split=split)
    if split or form == "jsonld":
        return _written(_by_graph(graph), form, target, compressed=compressed, split=split)
    with opened(target, compressed=compressed) as output:
        graph.save(output, SYNTAXES[form], PREFIXES)
    return [Path(target)]


def _flat(graph: Graph) -> Iterator[Quad]:
    """Give the quads of a graph without its bookkeeping, all in the default graph."""
    hidden = {graph.iri(name) for name in BOOKKEEPING}
    for quad in graph.pattern(None, None, None, None):
        if text_of(quad.graph_name) not in hidden:
            yield Quad(quad.subject, quad.predicate, quad.object, DefaultGraph())


def _by_graph(graph: Graph) -> Iterator[Quad]:
    """Give the quads of a graph: those of the default graph, then those of each named graph."""
    if isinstance(graph, LocalGraph):
        yield from graph.store.quads_for_pattern(None, None, None, DefaultGraph())
    for name in sorted(graph.graphs()):
        yield from graph.quads(None, None, None, name)


def _written(quads: Iterator[Quad], form: str, target: str | Path, *, compressed: bool, split: int) -> list[Path]:
    if not split:
        with opened(target, compressed=compressed) as output:
            _write(quads, form, output)
        return [Path(target)]
    paths: list[Path] = []
    for first in quads:
        paths.append(numbered(target, len(paths) + 1))
        with opened(paths[-1], compressed=compressed) as output:
            _write(_piece(first, quads, split), form, output)
    return paths


def _piece(first: Quad, rest: Iterator[Quad], size: int) -> Iterator[Quad]:
    yield first
    yield from islice(rest, size - 1)


def _write(quads: Iterator[Quad], form: str, output: BinaryIO) -> None:
    if form == "jsonld":
        write_jsonld(quads, output)
        return
    prefixes = PREFIXES if form in ("turtle", "trig") else None
    told: Iterable[object] = (quad.triple for quad in quads) if form in WITHOUT_GRAPHS else quads
    serialize(told, output=output, format=SYNTAXES[form], prefixes=prefixes)  # type: ignore[arg-type]
