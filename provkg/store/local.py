"""Quads in this process: pyoxigraph, on disk or in memory."""

import csv
import io
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import IO, cast

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
)

from provkg.store.graph import Graph, Row, Term
from provkg.store.sparql import allowed, one_store, words
from provkg.vocab import RDF_TYPE

_AT_ONCE = 32  # rows: an answer that is read whole is let go of here, and not in the thread in which garbage is found
DIGEST = "sha256"  # the file beside the quads that holds the digest of this state


class LocalGraph(Graph):
    """The quads of an open pyoxigraph store.

    Args:
        store: the store.
        base: what the IRIs of the data begin with.
        snapshot: names this state of the store.
        beside: the folder of what is kept beside the quads.
    """

    parallel = min(4, os.cpu_count() or 1)  # a question that is given whole, as CSV, leaves Python alone

    def __init__(self, store: Store, base: str, snapshot: str = "", beside: Path | None = None) -> None:
        super().__init__(base, snapshot, beside)
        self.store = store

    def pattern(
        self, subject: NamedNode | None, predicate: NamedNode | None, object_: Term | None, graph: NamedNode | None
    ) -> Iterator[Quad]:
        """Give the quads that match."""
        return self.store.quads_for_pattern(subject, predicate, object_, graph)

    def query(self, query: str) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Run any query; see :meth:`Graph.query`."""
        return self.store.query(query, use_default_graph_as_union="FROM" not in one_store(query))

    def over(
        self, query: str, default: Collection[str] = (), named: Collection[str] = (), services: Collection[str] = ()
    ) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Run any query over some graphs; see :meth:`Graph.over`."""
        allowed(query, services)
        if not default and not named:
            return self.store.query(query, use_default_graph_as_union="FROM" not in words(query))
        every: list[NamedNode | BlankNode | DefaultGraph] = [NamedNode(each) for each in default]
        some: list[NamedNode | BlankNode] = [NamedNode(each) for each in named]
        return self.store.query(query, default_graph=every, named_graphs=some)

    def select(self, query: str) -> Iterator[Row]:
        """Run a SELECT query; see :meth:`Graph.select`."""
        solutions = self._solutions(query)
        names = [variable.value for variable in solutions.variables]
        rows = ({name: cast("Term | None", solution[name]) for name in names} for solution in solutions)
        first = list(islice(rows, _AT_ONCE))
        if len(first) < _AT_ONCE:
            del rows, solutions
            return iter(first)
        return chain(first, rows)

    def texts(self, query: str) -> Iterator[list[str]]:
        """Run a SELECT query; see :meth:`Graph.texts`. The rows come as CSV, so that no term becomes an object."""
        written = cast("bytes", self._solutions(query).serialize(format=QueryResultsFormat.CSV))
        csv.field_size_limit(2**31 - 1)  # a term can be as long as it likes
        rows = csv.reader(io.StringIO(written.decode(), newline=""))
        next(rows)
        return (row or [""] for row in rows)  # one column that is unbound is an empty line

    def _solutions(self, query: str) -> QuerySolutions:
        asserted: list[NamedNode | BlankNode] = [
            name for name in self.store.named_graphs() if self.inferred and name != self.inferences
        ]
        solutions = (
            self.store.query(query, default_graph=[*asserted], named_graphs=asserted)
            if self.inferred
            else self.store.query(query, use_default_graph_as_union=True)
        )
        if not isinstance(solutions, QuerySolutions):
            raise TypeError("not a SELECT query")
        return solutions

    def subjects_of(self, predicate: str, objects: Iterable[str]) -> dict[str, list[str]]:
        """Return what has each of some IRIs as this value: look-ups one by one are faster here than a long query."""
        found = {each: self.subjects(predicate, each) for each in set(objects)}
        return {each: subjects for each, subjects in found.items() if subjects}

    def of_type(self, names: Iterable[str], kind: str) -> set[str]:
        """Return those of some IRIs that have a type: look-ups one by one are faster here than a long query."""
        return {each for each in set(names) if any(True for _ in self.quads(each, RDF_TYPE, kind))}

    def graphs(self) -> list[str]:
        """Return the names of all graphs."""
        return [name.value for name in self.store.named_graphs()]

    def text(self, graph: str) -> bytes:
        """Return a graph as N-Triples."""
        return cast("bytes", self.store.dump(format=RdfFormat.N_TRIPLES, from_graph=NamedNode(graph)))

    def digest(self) -> str:
        """Return the digest of the store; it is kept beside the quads, for this state of them."""
        kept = self.beside / DIGEST if self.beside is not None and self.snapshot else None
        if kept is None:
            return super().digest()
        with suppress(OSError, ValueError):
            if re.fullmatch(r"[0-9a-f]{64}", told := kept.read_text("ascii")):
                return told
        found = super().digest()
        with suppress(OSError):  # who may only read makes it each time
            part = kept.with_suffix(f".{os.getpid()}")
            part.write_text(found, "ascii")
            part.replace(kept)
        return found

    def save(self, output: IO[bytes] | str, form: RdfFormat, prefixes: dict[str, str]) -> None:
        """Write all quads; see :meth:`Graph.save`."""
        self.store.dump(output, format=form, prefixes=prefixes if form == RdfFormat.TRIG else None)

    def about(self, subjects: Iterable[str]) -> Iterator[Quad]:
        """Give the quads of some subjects: look-ups one by one are faster here than a long query."""
        for subject in sorted(set(subjects)):
            yield from self.quads(subject)

    def dump(self) -> bytes:
        """Return all quads as N-Quads."""
        return cast("bytes", self.store.dump(format=RdfFormat.N_QUADS))
