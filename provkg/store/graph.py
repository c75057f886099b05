"""Read quads: SPARQL 1.1 over the union of all graphs, and look-ups by pattern."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, cast

from pyoxigraph import (
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Triple,
    serialize,
)

from provkg.store.digesting import Digest
from provkg.vocab import INFERENCES, LEDGER

Term = NamedNode | Literal
Row = dict[str, Term | None]


class Graph(ABC):
    """The quads of a store as they are at one time, whatever keeps them.

    Args:
        base: what the IRIs of the data begin with.
        snapshot: names this state of the store.
        beside: the folder of what is kept beside the quads of this state, such as an index; None where there is none.
    """

    constants = 1_000_000
    """how many constants a query may hold"""
    parallel = 1
    """how many questions are answered faster at once than one by one"""

    def __init__(self, base: str, snapshot: str, beside: Path | None = None) -> None:
        self.base = base
        self.snapshot = snapshot
        self.beside = beside
        self.inferences = NamedNode(base + INFERENCES)

    # What each kind of store does in its own way

    @abstractmethod
    def pattern(
        self, subject: NamedNode | None, predicate: NamedNode | None, object_: Term | None, graph: NamedNode | None
    ) -> Iterator[Quad]:
        """Give the quads that match, of all graphs (that of inferences too); None is any."""

    @abstractmethod
    def query(self, query: str) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Run any query: over the union of all graphs, unless it names its own with FROM.

        Raises:
            SyntaxError: the query is no SPARQL; the message names line and column.
        """

    @abstractmethod
    def over(
        self,
        query: str,
        default: Collection[str] = (),
        named: Collection[str] = (),
        services: Collection[str] = (),
    ) -> QuerySolutions | QueryBoolean | QueryTriples:
        """Run any query as SPARQL 1.1 Protocol has it.

        Args:
            query: the query.
            default: the graphs whose union it asks, in the place of those that it names.
            named: the graphs of GRAPH; with ``default`` none where both are empty means as :meth:`query` does.
            services: the servers that SERVICE may ask.

        Raises:
            SyntaxError: the query is no SPARQL, or asks another server.
        """

    @abstractmethod
    def select(self, query: str) -> Iterator[Row]:
        """Run a SELECT query over the union of all graphs but that of inferences.

        Raises:
            SyntaxError: the query is no SPARQL; the message names line and column.
        """

    def texts(self, query: str) -> Iterator[list[str]]:
        """Run a SELECT query as :meth:`select` does, and give its rows as text, as fast as the store can.

        A term is its text alone: what is unbound, and an empty literal, is empty.
        """
        return ([text_of(term) for term in row.values()] for row in self.select(query))

    @abstractmethod
    def graphs(self) -> list[str]:
        """Return the names of all graphs."""

    @abstractmethod
    def text(self, graph: str) -> bytes:
        """Return a graph as N-Triples."""

    @abstractmethod
    def dump(self) -> bytes:
        """Return all quads as N-Quads."""

    # What follows from these

    def save(self, output: IO[bytes] | str, form: RdfFormat, prefixes: dict[str, str]) -> None:
        """Write all quads into a file or stream, in a format that has named graphs; memory does not grow with them."""
        quads = self.pattern(None, None, None, None)
        serialize(quads, output=output, format=form, prefixes=prefixes if form == RdfFormat.TRIG else None)

    def about(self, subjects: Iterable[str]) -> Iterator[Quad]:
        """Give the quads of some subjects, in any order: of many at once, as fast as the store can."""
        wanted = sorted(set(subjects))
        for at in range(0, len(wanted), self.constants):
            some = values("s", wanted[at : at + self.constants])
            for row in self.select(f"SELECT ?s ?p ?o ?g WHERE {{ {some} GRAPH ?g {{ ?s ?p ?o }} }}"):
                yield Quad(*(cast("NamedNode", row[name]) for name in "spog"))

    @cached_property
    def inferred(self) -> bool:
        """Say whether the store holds inferences: no look-up and no canned question sees these."""
        return any(True for _ in self.pattern(None, None, None, self.inferences))

    def quads(
        self,
        subject: str | None = None,
        predicate: str | None = None,
        object_: str | Literal | None = None,
        graph: str | None = None,
    ) -> Iterator[Quad]:
        """Give the quads that match; IRIs are text, None is any (but no graph is that of inferences unless named)."""
        term = object_ if isinstance(object_, Literal) else _node(object_)
        found = self.pattern(_node(subject), _node(predicate), term, _node(graph))
        if graph is None and self.inferred:
            return (quad for quad in found if quad.graph_name != self.inferences)
        return found

    def objects(self, subject: str, predicate: str) -> list[str]:
        """Return the values of a property, each once, as text."""
        return sorted({text_of(quad.object) for quad in self.quads(subject, predicate)})

    def subjects(self, predicate: str, object_: str | Literal) -> list[str]:
        """Return what has this value, each once."""
        return sorted({text_of(quad.subject) for quad in self.quads(None, predicate, object_)})

    def subjects_of(self, predicate: str, objects: Iterable[str]) -> dict[str, list[str]]:
        """Return what has each of some IRIs as this value: of many at once, as fast as the store can."""
        found: dict[str, set[str]] = {}
        wanted = sorted(set(objects))
        for at in range(0, len(wanted), self.constants):
            some = values("o", wanted[at : at + self.constants])
            for row in self.select(f"SELECT DISTINCT ?s ?o WHERE {{ {some} ?s {NamedNode(predicate)} ?o }}"):
                found.setdefault(text_of(row["o"]), set()).add(text_of(row["s"]))
        return {each: sorted(subjects) for each, subjects in found.items()}

    def of_type(self, names: Iterable[str], kind: str) -> set[str]:
        """Return those of some IRIs that have a type: of many at once, as fast as the store can."""
        found: set[str] = set()
        wanted = sorted(set(names))
        for at in range(0, len(wanted), self.constants):
            some = values("s", wanted[at : at + self.constants])
            rows = self.select(f"SELECT DISTINCT ?s WHERE {{ {some} ?s a {NamedNode(kind)} }}")
            found |= {text_of(row["s"]) for row in rows}
        return found

    def iri(self, name: str) -> str:
        """Return the IRI of a name of this store."""
        return self.base + name

    def digest(self) -> str:
        """Return the sha256 of the canonical N-Quads of everything but the ledger and what reasoning added.

        The store holds no blank nodes, and nothing outside of named graphs, so RDFC-1.0 is the sorted lines. It is
        made by reading everything.
        """
        with Digest({self.iri(LEDGER), self.iri(INFERENCES)}) as digest:
            self.save(cast("IO[bytes]", digest), RdfFormat.N_QUADS, {})
            return digest.hexdigest()


def values(variable: str, iris: Iterable[str]) -> str:
    """Return a VALUES block that binds a variable to IRIs; each is checked, so none can change the query.

    >>> values("e", ["https://example.org/1"])
    'VALUES ?e { <https://example.org/1> }'
    """
    return f"VALUES ?{variable} {{ {' '.join(str(NamedNode(iri)) for iri in iris)} }}"


def written(triples: Iterable[Triple]) -> str:
    """Return triples as N-Triples."""
    return cast("bytes", serialize(triples, format=RdfFormat.N_TRIPLES)).decode()


def readable(triples: Iterable[Triple], prefixes: dict[str, str]) -> str:
    """Return triples as Turtle for people: blank nodes and lists stand where they belong."""
    import rdflib  # noqa: PLC0415 - slow to import

    graph = rdflib.Graph(bind_namespaces="none").parse(data=written(triples), format="nt")
    for prefix, iri in prefixes.items():
        graph.bind(prefix, iri)
    return graph.serialize(format="turtle").strip() + "\n"


def text_of(term: object) -> str:
    """Return a term as plain text; nothing is the empty string."""
    return "" if term is None else str(getattr(term, "value", term))


def is_iri(text: str) -> bool:
    """Say whether a text is an absolute IRI.

    >>> is_iri("https://example.org/1"), is_iri("10://x"), is_iri("dl1 ab")
    (True, False, False)
    """
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


def _node(iri: str | None) -> NamedNode | None:
    return None if iri is None else NamedNode(iri)
