"""A SPARQL server as one conversation: which kind it is, where it listens, and whole answers only."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from pyoxigraph import Literal, Quad

from provkg.config import Config
from provkg.errors import StoreError
from provkg.store.answers import Answer, decode, rows, sent
from provkg.store.dialects import Dialect, find_dialect, plain
from provkg.store.graph import Row
from provkg.store.http import Client
from provkg.store.sparql import chunks, parse

CHARACTERS = 4 << 20  # of one update
_PIECE = 32 << 20  # of one load by the Graph Store Protocol


@dataclass(frozen=True)
class Dataset:
    """What a query sees: without parts, the union of all graphs.

    Args:
        graphs: the graphs it sees, by default and by name; None is all.
        hidden: graphs it does not see.
    """

    graphs: tuple[str, ...] | None = None
    hidden: tuple[str, ...] = ()


class Endpoint:
    """One server. Making one asks nothing.

    Raises:
        StoreError: the URL holds a password.
    """

    def __init__(self, config: Config) -> None:
        try:
            parts = urlsplit(config.store)
        except ValueError as error:
            raise StoreError(f"the store is no URL: {error}", hint="--store http://HOST:PORT") from None
        if "@" in parts.netloc:
            raise StoreError(
                "a password does not belong in a URL, which others see", hint="set PROVKG_USER and PROVKG_PASSWORD"
            )
        self.settings = config.remote
        self.url = config.store.rstrip("/")

    @cached_property
    def dialect(self) -> Dialect:
        """The kind of server, asked once."""
        header = "" if self.settings.dialect else Client(self.settings, digest=False).header(self.url)
        return find_dialect(self.settings.dialect, header)

    @cached_property
    def client(self) -> Client:
        """The connection."""
        return Client(self.settings, digest=self.dialect.digest)

    @cached_property
    def _root(self) -> str:
        """The address below which the server listens, whichever of its addresses the user gave."""
        for path in (self.dialect.update, self.dialect.query):
            if path and self.url.endswith(path):
                return self.url.removesuffix(path)
        return self.url

    @property
    def query_url(self) -> str:
        """Where queries go; Virtuoso asks a user only at another address."""
        known = self.dialect.digest and self.settings.user
        return self._root + (self.dialect.update if known else self.dialect.query)

    @property
    def update_url(self) -> str:
        """Where updates go."""
        return self.settings.update or self._root + self.dialect.update

    @property
    def graphs_url(self) -> str:
        """Where the Graph Store Protocol is; empty where updates are used instead."""
        return self.settings.graph_store or (self._root + self.dialect.graphs if self.dialect.graphs else "")

    # Reading

    def select(self, query: str, dataset: Dataset | None = None) -> tuple[list[str], list[Row]]:
        """Return variables and all rows of a SELECT query, in pages where the server cuts.

        Args:
            query: a SELECT query that was checked.
            dataset: what it sees; None where it says so itself, by FROM or by GRAPH.

        Raises:
            StoreError: the server refuses, or does not give all.
        """
        answer, cut = self.answer(query, dataset)
        names, found = answer.head.vars, rows(answer)
        if not cut:
            return names, found
        parts, size = parse(query), len(found)
        if parts.dataset:
            dataset = Dataset(parts.default)
        found, last = [], size
        while last >= size:
            page = rows(self.answer(parts.page(names, size, len(found)), dataset)[0])
            last = len(page)
            found += page
        [count] = rows(self.answer(parts.count(), dataset)[0])
        if str(len(found)) != getattr(count["n"], "value", ""):
            raise StoreError(f"{self.url} changed while it was read", hint="say it again")
        return names, found

    def answer(self, query: str, dataset: Dataset | None = None) -> tuple[Answer, bool]:
        """Return one answer of the server, and whether it was cut."""
        prologue, parameters = self._seen(dataset)
        response = self.client.query(self.query_url, prologue + query, parameters)
        answer = decode(response, self.query_url)
        count = len(answer.results.bindings) if answer.results is not None else 0
        return answer, "X-SPARQL-MaxRows" in response.headers or 0 < self.dialect.max_rows == count

    def _seen(self, dataset: Dataset | None) -> tuple[str, dict[str, list[str]]]:
        """Return what stands before a query, and its parameters, so that it sees a dataset."""
        if dataset is None:
            return "", {}
        if dataset.graphs is not None:
            return "", {"default-graph-uri": [*dataset.graphs], "named-graph-uri": [*dataset.graphs]}
        leave_out = "".join(
            f"define input:{kind}-graph-exclude {graph}\n"
            for graph in (f"<{name}>" for name in dataset.hidden)
            for kind in ("default", "named")
        )
        return leave_out, {self.dialect.union: [""]} if self.dialect.union else {}

    # Writing

    def update(self, text: str, *, repeat: bool = True) -> None:
        """Send an update; ``repeat`` says that doing it twice does no harm."""
        self.client.update(self.update_url, text, repeat=repeat)

    def drop(self, graph: str) -> None:
        """Remove a graph, whether it is there or not."""
        self.update(f"DROP SILENT GRAPH <{graph}>")

    def delete(self, quads: Iterable[Quad]) -> None:
        """Remove statements; some have to be removed one by one."""
        together: list[Quad] = []
        alone: list[Quad] = []
        for quad in quads:
            (together if self.dialect.exact or plain(quad.object) else alone).append(quad)
        for piece in (together, *([quad] for quad in alone)):
            self._data("DELETE", piece)

    def insert(self, quads: Iterable[Quad]) -> None:
        """Add statements by updates."""
        self._data("INSERT", quads)

    def load(self, graphs: dict[str, list[Quad]]) -> None:
        """Add statements, by the Graph Store Protocol where the server does that well."""
        if not self.graphs_url:
            for quads in graphs.values():
                self.insert(quads)
        elif self.dialect.datasets:
            lines = (f"{self.triple(quad)} <{name}> .\n" for name, quads in graphs.items() for quad in quads)
            for piece in chunks(lines, 1 << 20, _PIECE):
                self.client.post(self.graphs_url, "".join(piece).encode(), "application/n-quads")
        else:
            for name, quads in graphs.items():
                for piece in chunks((f"{self.triple(quad)} .\n" for quad in quads), 1 << 20, _PIECE):
                    self.client.post(self.graphs_url, "".join(piece).encode(), "application/n-triples", graph=name)

    def triple(self, quad: Quad) -> str:
        """Return the triple of a quad as the server is told it."""
        return " ".join(sent(term, self.dialect) for term in (quad.subject, quad.predicate, quad.object))

    def term(self, term: object) -> str:
        """Return a term as the server is told it."""
        return sent(term, self.dialect) if isinstance(term, Literal) else str(term)

    def _data(self, verb: str, quads: Iterable[Quad]) -> None:
        """Send INSERT DATA or DELETE DATA in pieces."""
        lines = (f"GRAPH {quad.graph_name} {{ {self.triple(quad)} }}\n" for quad in quads)
        for piece in chunks(lines, self.dialect.statements, CHARACTERS):
            self.update(f"{verb} DATA {{\n{''.join(piece)}}}")
