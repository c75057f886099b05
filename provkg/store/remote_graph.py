"""Quads on a SPARQL server, read as :class:`Graph` says: equal answers, whatever the server does differently."""

import json
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import cast

import pyoxigraph
from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    parse_query_results,
)

from provkg.store.endpoint import Dataset, Endpoint
from provkg.store.graph import Graph, Row, Term, text_of, written
from provkg.store.sparql import Query, check, parse
from provkg.vocab import CATALOGUE, DESCRIPTIONS, INFERENCES, LEDGER, PKG, RESOLUTION, SUMMARIES

KEPT_SUBJECTS = 20_000
DESCRIBED_AT_ONCE = 200


class RemoteGraph(Graph):
    """The quads of a server. What was looked up of a subject is kept, so each is asked for once.

    Args:
        endpoint: the server.
        base: what the IRIs of the data begin with; graphs whose names do not are not the store's.
        snapshot: names this state of the store.
        beside: the folder of what is kept beside it on this machine.
    """

    constants = 1_000  # servers limit the length of a query: a longer closure stays a path that the server walks

    def __init__(self, endpoint: Endpoint, base: str, snapshot: str = "", beside: Path | None = None) -> None:
        super().__init__(base, snapshot, beside)
        self.endpoint = endpoint
        self.known: OrderedDict[NamedNode, list[Quad]] = OrderedDict()

    def pattern(
        self, subject: NamedNode | None, predicate: NamedNode | None, object_: Term | None, graph: NamedNode | None
    ) -> Iterator[Quad]:
        """Give the quads that match; see :meth:`Graph.pattern`."""
        if subject is not None:
            for quad in self._of_subject(subject):
                if (
                    predicate in (None, quad.predicate)
                    and object_ in (None, quad.object)
                    and graph in (None, quad.graph_name)
                ):
                    yield quad
        elif predicate is None and object_ is None and graph is None:
            for name in self.graphs():
                yield from self._asked(None, None, None, NamedNode(name))
        else:
            yield from self._asked(None, predicate, object_, graph)

    def _of_subject(self, subject: NamedNode) -> list[Quad]:
        found = self.known.get(subject)
        if found is None:
            found = self.known[subject] = list(self._asked(subject, None, None, None))
            if len(self.known) > KEPT_SUBJECTS:
                self.known.popitem(last=False)
        return found

    def _asked(
        self, subject: NamedNode | None, predicate: NamedNode | None, object_: Term | None, graph: NamedNode | None
    ) -> Iterator[Quad]:
        given = {"s": subject, "p": predicate, "o": object_, "g": graph}
        s, p, o, g = (f"?{name}" if term is None else self.endpoint.term(term) for name, term in given.items())
        head = " ".join(f"?{name}" for name, term in given.items() if term is None) or "(1 AS ?found)"
        _, rows = self.endpoint.select(f"SELECT {head} WHERE {{ GRAPH {g} {{ {s} {p} {o} }} }}")
        for row in rows:
            terms = {**given, **row}
            if text_of(terms["g"]).startswith(self.base):
                yield Quad(
                    cast("NamedNode", terms["s"]),
                    cast("NamedNode", terms["p"]),
                    cast("Term", terms["o"]),
                    cast("NamedNode", terms["g"]),
                )

    @cached_property
    def inferred(self) -> bool:
        """Say whether the store holds inferences."""
        return bool(self.endpoint.select(f"SELECT ?s WHERE {{ GRAPH {self.inferences} {{ ?s ?p ?o }} }} LIMIT 1")[1])

    def hidden_graphs(self) -> list[str]:
        """Return the graphs that canned questions and look-ups do not see."""
        return [self.inferences.value] if self.inferred else []

    def _dataset(self, hidden: Iterable[str]) -> Dataset:
        """Return the union of all graphs but some, as the server can be told it."""
        left_out, dialect = tuple(hidden), self.endpoint.dialect
        if dialect.union != "*" and (not left_out or dialect.exclude):
            return Dataset(hidden=left_out)
        return Dataset(tuple(name for name in self.graphs() if name not in left_out))

    def select(self, query: str) -> Iterator[Row]:
        """Run a SELECT query; see :meth:`Graph.select`."""
        check(query)
        parts = parse(query)
        if parts.form != "SELECT":
            raise TypeError("not a SELECT query")
        yield from self.endpoint.select(query, self._dataset(self.hidden_graphs()))[1]

    def over(
        self,
        query: str,
        default: Collection[str] = (),
        named: Collection[str] = (),
        services: Collection[str] = (),  # noqa: ARG002
    ) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Run any query over some graphs; see :meth:`Graph.over`. No other server is asked, whatever is allowed."""
        check(query)
        return self.query(parse(query).over(default, named) if default or named else query)

    def query(self, query: str) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Run any query; see :meth:`Graph.query`.

        The triples of CONSTRUCT and DESCRIBE are made here, from the rows of a SELECT query: a server may cut a graph
        off without a word, and servers differ in what they describe.
        """
        check(query)
        parts = parse(query)
        dataset = None if parts.dataset else self._dataset(())
        if parts.form == "SELECT":
            return _solutions(*self.endpoint.select(query, dataset))
        if parts.form == "ASK":
            return self._ask(query, dataset)
        if parts.form == "CONSTRUCT":
            return self._construct(parts, dataset or Dataset(parts.default))
        return self._describe(parts, dataset or Dataset(parts.default))

    def _ask(self, query: str, dataset: Dataset | None) -> QueryBoolean:
        answer = self.endpoint.answer(query, dataset)[0]
        found = answer.boolean
        if found is None and answer.results is not None:
            found = any(value.value not in ("0", "false") for row in answer.results.bindings for value in row.values())
        text = json.dumps({"head": {}, "boolean": bool(found)})
        return cast("QueryBoolean", parse_query_results(text, format=QueryResultsFormat.JSON))

    def _construct(self, parts: Query, dataset: Dataset) -> QueryTriples:
        names = parts.variables()
        head = " ".join(f"?{name}" for name in names)
        _, rows = self.endpoint.select(parts.select(head or "*"), dataset)
        values = " ".join(f"({' '.join(_written(row.get(name)) for name in names)})" for row in rows)
        block = f"VALUES ({head}) {{ {values} }}" if names else "" if rows else "FILTER(false)"
        made = f"{parts.prologue}\nCONSTRUCT {parts.head}\nWHERE {{ {block} }}"
        return cast("QueryTriples", pyoxigraph.Store().query(made))

    def _describe(self, parts: Query, dataset: Dataset) -> QueryTriples:
        named, names = parts.resources(), parts.variables()
        if parts.group:
            head = "*" if "*" in parts.head else " ".join(f"?{name}" for name in names)
            if head:
                _, rows = self.endpoint.select(parts.select(f"DISTINCT {head}"), dataset)
                named += [str(term) for row in rows for term in row.values() if isinstance(term, NamedNode)]
        told, todo = pyoxigraph.Store(), list(dict.fromkeys(named))
        for start in range(0, len(todo), DESCRIBED_AT_ONCE):
            some = " ".join(todo[start : start + DESCRIBED_AT_ONCE])
            text = f"{parts.prologue}\nSELECT ?s ?p ?o WHERE {{ VALUES ?s {{ {some} }} ?s ?p ?o }}"
            told.extend(
                Quad(cast("NamedNode", row["s"]), cast("NamedNode", row["p"]), cast("Term", row["o"]))
                for row in self.endpoint.select(text, dataset)[1]
            )
        return cast("QueryTriples", told.query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"))

    def graphs(self) -> list[str]:
        """Return the names of the store's graphs: its sources, those that are being written, and what they share."""
        ledger = self.iri(LEDGER)
        shared = [self.iri(name) for name in (CATALOGUE, DESCRIPTIONS, RESOLUTION, SUMMARIES, INFERENCES)]
        there = " UNION ".join(
            f"{{ SELECT ?g WHERE {{ GRAPH <{name}> {{ ?s ?p ?o }} BIND(<{name}> AS ?g) }} LIMIT 1 }}" for name in shared
        )
        sources = f"GRAPH <{ledger}> {{ {{ ?g a <{PKG.Source}> }} UNION {{ ?m <{PKG.writes}> ?g }} }}"
        _, rows = self.endpoint.select(f"SELECT DISTINCT ?g WHERE {{ {{ {sources} }} UNION {there} }}")
        return sorted({ledger, *(text_of(row["g"]) for row in rows)})

    def text(self, graph: str) -> bytes:
        """Return a graph as N-Triples."""
        return written(quad.triple for quad in self.pattern(None, None, None, NamedNode(graph))).encode()

    def dump(self) -> bytes:
        """Return all quads as N-Quads."""
        quads = self.pattern(None, None, None, None)
        return cast("bytes", pyoxigraph.serialize(quads, format=RdfFormat.N_QUADS))


def _solutions(names: list[str], rows: list[Row]) -> QuerySolutions:
    """Return rows as pyoxigraph's own kind of answer."""
    bindings = [{name: _json(term) for name, term in row.items() if term is not None} for row in rows]
    text = json.dumps({"head": {"vars": names}, "results": {"bindings": bindings}})
    return cast("QuerySolutions", parse_query_results(text, format=QueryResultsFormat.JSON))


def _json(term: object) -> dict[str, str]:
    if isinstance(term, Literal):
        more = {"xml:lang": term.language} if term.language else {"datatype": term.datatype.value}
        return {"type": "literal", "value": term.value, **more}
    kind = "bnode" if isinstance(term, BlankNode) else "uri"
    return {"type": kind, "value": str(getattr(term, "value", term))}


def _written(term: object) -> str:
    """Return a term as VALUES takes it; a blank node gets an IRI there."""
    if isinstance(term, BlankNode):
        return str(NamedNode(f"urn:provkg:blank:{term.value}"))
    return "UNDEF" if term is None else str(term)
