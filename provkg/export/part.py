"""A part of a store as a graph of its own, on disk for as long as it is needed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from pyoxigraph import Quad, Store

from provkg.export.slices import Slice
from provkg.store import Graph, LocalGraph

_AT_ONCE = 100_000


@contextmanager
def held(quads: Iterable[Quad], base: str) -> Iterator[LocalGraph]:
    """Give a graph that holds some quads, each once and in order."""
    with tempfile.TemporaryDirectory(prefix="provkg-part-") as folder:
        store, rest = Store(folder), iter(quads)
        while some := list(islice(rest, _AT_ONCE)):
            store.bulk_extend(some)
        graph = LocalGraph(store, base)
        try:
            yield graph
        finally:
            del graph.store, store  # close the files before they are removed


@contextmanager
def part_of(graph: Graph, nodes: Iterable[str]) -> Iterator[tuple[LocalGraph, int]]:
    """Give a part of a graph, and how many statements that lead out of it are left out; see :class:`Slice`."""
    some = Slice(graph, nodes)
    with held(some.quads(), graph.base) as found:
        yield found, some.cut
