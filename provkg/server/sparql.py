"""SPARQL 1.1 Protocol for queries, and the Graph Store Protocol for reading.

Sources: https://www.w3.org/TR/sparql11-protocol/, https://www.w3.org/TR/sparql11-http-rdf-update/.
"""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
from pyoxigraph import (
    DefaultGraph,
    NamedNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Triple,
    serialize,
)

from provkg.errors import StoreError
from provkg.questions.negotiation import best
from provkg.server.failing import failed
from provkg.server.messages import Asked, Reply
from provkg.store import is_iri

if TYPE_CHECKING:
    from provkg.server.site import Site

RESULTS = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "application/xml": QueryResultsFormat.XML,
    "text/csv": QueryResultsFormat.CSV,
    "text/tab-separated-values": QueryResultsFormat.TSV,
}
TRIPLES = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/ld+json": RdfFormat.JSON_LD,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "text/n3": RdfFormat.N3,
    "application/trig": RdfFormat.TRIG,
    "application/n-quads": RdfFormat.N_QUADS,
    "text/plain": RdfFormat.N_TRIPLES,
}
FORM, QUERY, UPDATE = "application/x-www-form-urlencoded", "application/sparql-query", "application/sparql-update"
_MANY = 5_000  # parameters of a form
_SHORT = 40  # bytes that no triple has less of
_READ_ONLY = "this server only reads"


class TooLong(Exception):
    """An answer has more bytes than it may have."""


class _Bounded(io.BytesIO):
    """What is written, up to a length."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.longest = longest

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self.tell() + len(data) > self.longest:
            raise TooLong
        return super().write(data)


def query(site: Site, asked: Asked) -> Reply:
    """Answer a request to the SPARQL endpoint."""
    pairs = list(asked.query)
    if asked.method == "POST":
        posted = _posted(asked)
        if isinstance(posted, Reply):
            return posted
        pairs += posted
    if any(name in ("update", "using-graph-uri", "using-named-graph-uri") for name, _ in pairs):
        return failed(403, "updates are refused", _READ_ONLY)
    queries = [value for name, value in pairs if name == "query"]
    if len(queries) != 1:
        return failed(400, f"there are {len(queries)} queries", "give one as the parameter query")
    default, named = ([value for name, value in pairs if name == f"{kind}-graph-uri"] for kind in ("default", "named"))
    if wrong := next((each for each in (*default, *named) if not is_iri(each)), None):
        return failed(400, f"{wrong!r} is no IRI of a graph")
    try:
        results = site.graph().over(queries[0], default, named, site.setup.services)
        return _answered(site, results, asked.accept, next((value for name, value in pairs if name == "format"), ""))
    except SyntaxError as error:
        return failed(400, str(error), "the query is no SPARQL 1.1 query, or asks what this server refuses")
    except TooLong:
        return _too_long(site)
    except (ValueError, RuntimeError) as error:
        return failed(500, f"the query cannot be answered: {error}")
    except OSError as error:
        raise StoreError(str(error)) from None


def _posted(asked: Asked) -> list[tuple[str, str]] | Reply:
    """Return the parameters of a request by POST, or what it is refused with."""
    media, *parameters = (each.strip().lower() for each in asked.media.split(";"))
    if media == UPDATE:
        return failed(403, "updates are refused", _READ_ONLY)
    if media not in (FORM, QUERY):
        return failed(415, f"{media or 'nothing'} is no type of a query", f"POST {FORM} or {QUERY}")
    charset = next((each.partition("=")[2].strip('"') for each in parameters if each.startswith("charset=")), "utf-8")
    if charset not in ("utf-8", "utf8", "us-ascii"):
        return failed(415, f"the charset {charset!r} is not read", "use UTF-8")
    try:
        text = asked.body.decode("utf-8")
        if media == QUERY:
            return [("query", text)]
        return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=_MANY)
    except (UnicodeDecodeError, ValueError) as error:
        return failed(400, f"the body is no {media}: {error}")


def _answered(site: Site, results: QuerySolutions | QueryBoolean | QueryTriples, accept: str, form: str) -> Reply:
    """Return an answer in the format that is accepted most.

    Raises:
        TooLong: it is longer than it may be.
    """
    if isinstance(results, QueryTriples):
        media = form if form in TRIPLES else best(accept, {each: each for each in TRIPLES})
        if media is None:
            return failed(406, "triples are given as none of what is accepted", ", ".join(TRIPLES))
        triples = list(islice(results, site.setup.rows + 1))
        if len(triples) > site.setup.rows:
            raise TooLong
        return triples_reply(triples, media, site.setup.longest)
    offered = {each: each for each in RESULTS}
    media = form if form in RESULTS else best(accept, offered)
    if media is None:
        return failed(406, "rows are given as none of what is accepted", ", ".join(RESULTS))
    out = _Bounded(site.setup.longest)
    results.serialize(out, format=RESULTS[media])
    body = out.getvalue()
    if isinstance(results, QuerySolutions) and _rows(body, RESULTS[media]) > site.setup.rows:
        raise TooLong
    charset = "; charset=utf-8" if media.startswith("text/") else ""
    return Reply(200, body, media + charset, {"Vary": "Accept"})


class _Results(msgspec.Struct):
    bindings: list[msgspec.Raw]


class _Document(msgspec.Struct):
    results: _Results


def _rows(body: bytes, form: QueryResultsFormat) -> int:
    """Return how many rows an answer has."""
    if form == QueryResultsFormat.JSON:
        return len(msgspec.json.decode(body, type=_Document).results.bindings)
    if form == QueryResultsFormat.XML:
        return body.count(b"<result>")
    if form == QueryResultsFormat.TSV:
        return body.count(b"\n") - 1
    csv.field_size_limit(2**31 - 1)
    return sum(1 for _ in csv.reader(io.StringIO(body.decode(), newline=""))) - 1


def _too_long(site: Site) -> Reply:
    most = f"{site.setup.rows:,} rows or {site.setup.longest >> 20} MB"
    return failed(413, f"the answer has more than {most}, and no part of it is given", "say LIMIT, or provkg export")


def triples_reply(triples: list[Triple], media: str, longest: int) -> Reply:
    """Return triples in a format.

    Raises:
        TooLong: they are longer than they may be.
    """
    body = serialize(triples, format=TRIPLES[media])
    assert body is not None
    if len(body) > longest:
        raise TooLong
    return Reply(200, body, media + ("; charset=utf-8" if media.startswith("text/") else ""), {"Vary": "Accept"})


def graph_store(site: Site, asked: Asked) -> Reply:
    """Answer a request to the graph store: a graph as a whole, by its name."""
    names = asked.all("graph")
    if (len(names) == 1) == any(name == "default" for name, _ in asked.query):
        return failed(400, "one graph is to be named", "?graph=IRI, or ?default")
    media = best(asked.accept, {each: each for each in TRIPLES})
    if media is None:
        return failed(406, "graphs are given as none of what is accepted", ", ".join(TRIPLES))
    name = NamedNode(names[0]) if names and is_iri(names[0]) else None if names else DefaultGraph()
    if name is None:
        return failed(400, f"{names[0]!r} is no IRI of a graph")
    graph = site.graph()
    if isinstance(name, NamedNode) and not any(True for _ in graph.pattern(None, None, None, name)):
        return failed(404, f"there is no graph {name.value}", "GET /sparql?query=SELECT DISTINCT ?g { GRAPH ?g {} }")
    found = graph.pattern(None, None, None, name) if isinstance(name, NamedNode) else iter(())
    within = site.setup.longest // _SHORT
    triples = [quad.triple for quad in islice(found, within + 1)]
    with suppress(TooLong):
        if len(triples) <= within:
            return triples_reply(triples, media, site.setup.longest)
    return failed(413, f"the graph has more than {site.setup.longest >> 20} MB", "provkg export")
