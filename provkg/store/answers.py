"""Read what a server answers: every term as pyoxigraph would give it, and nothing that was cut off."""

from functools import lru_cache
from typing import cast

import msgspec
import pyoxigraph
import requests
from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from provkg.errors import StoreError
from provkg.store.dialects import SHIELD, Dialect, holds
from provkg.store.graph import Row, Term
from provkg.vocab import XSD

_NODE = NamedNode("urn:x")
_AS_IT_IS = (XSD + "string", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString")


class Value(msgspec.Struct):
    """A term as SPARQL results JSON has it."""

    type: str
    value: str
    datatype: str | None = None
    language: str | None = msgspec.field(name="xml:lang", default=None)


class _Head(msgspec.Struct):
    vars: list[str] = []


class _Results(msgspec.Struct):
    bindings: list[dict[str, Value]]


class Answer(msgspec.Struct):
    """SPARQL results JSON; Virtuoso answers a constant ASK with a row."""

    head: _Head
    results: _Results | None = None
    boolean: bool | None = None


def decode(response: requests.Response, url: str) -> Answer:
    """Read results JSON.

    Raises:
        StoreError: it is a web page, a part of the answer, or no SPARQL results.
    """
    if response.headers.get("X-SQL-State") == "S1TAT":
        raise StoreError(f"{url} gave a part of the answer only: its time limit was reached", hint="ask for less")
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    try:
        return msgspec.json.decode(response.content, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if "html" in kind:
            raise StoreError(
                f"{url} answered with a web page", hint="is that the address of the SPARQL server? see docs/servers.md"
            ) from None
        if "json" in kind:
            raise StoreError(
                f"{url} broke off in the middle of its answer", hint="is there a time limit at the server? ask for less"
            ) from None
        raise StoreError(f"{url} did not answer with SPARQL results but with {kind or 'nothing'}") from None


def rows(answer: Answer) -> list[Row]:
    """Return the rows of an answer.

    Raises:
        StoreError: it has none, or a term that is none.
    """
    if answer.results is None:
        raise StoreError("the server answered a SELECT query without rows")
    try:
        return [
            {name: term(row[name]) if name in row else None for name in answer.head.vars}
            for row in answer.results.bindings
        ]
    except ValueError as error:
        raise StoreError(f"the server answered with a term that is no RDF: {error}") from None


def term(value: Value) -> Term:
    """Return a term as pyoxigraph would give it after loading the same statement."""
    if value.type == "uri":
        return _iri(value.value)
    if value.type == "bnode":
        return cast("Term", BlankNode(value.value.removeprefix("nodeID://")))
    return _literal(value.value, value.datatype or "", value.language or "")


@lru_cache(65_536)
def _iri(iri: str) -> NamedNode:
    return NamedNode(iri)


@lru_cache(65_536)
def _literal(text: str, datatype: str, language: str) -> Literal:
    if language:
        return Literal(text, language=language)
    if not datatype or datatype == _AS_IT_IS[0]:
        return Literal(text)
    shielded = datatype.startswith(SHIELD)
    return canonical(Literal(text, datatype=NamedNode(datatype.removeprefix(SHIELD) if shielded else datatype)))


@lru_cache(65_536)
def canonical(literal: Literal) -> Literal:
    """Return a literal in the lexical form that pyoxigraph stores.

    >>> canonical(Literal("1", datatype=NamedNode(XSD + "boolean"))).value
    'true'
    """
    if literal.datatype.value in _AS_IT_IS:
        return literal
    store = pyoxigraph.Store()
    store.add(Quad(_NODE, _NODE, literal))
    return cast("Literal", next(iter(store)).object)


def sent(value: object, dialect: Dialect) -> str:
    """Return a term as a server is told it.

    A literal that the server would not give back as it is goes as text, with a datatype that says which it has.

    Raises:
        StoreError: the server would cut an IRI off.
    """
    if isinstance(value, Literal):
        literal = canonical(value)
        if not dialect.exact and not holds(literal):
            return str(Literal(literal.value, datatype=NamedNode(SHIELD + literal.datatype.value)))
        return str(literal)
    text = str(value)
    if dialect.iri_limit and len(text.encode()) > dialect.iri_limit:
        raise StoreError(
            f"{text[:100]}… is longer than the {dialect.iri_limit} bytes that {dialect.name} takes for an IRI",
            hint="use an embedded store, or another server",
        )
    return text
