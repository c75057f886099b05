"""Quads as compact JSON-LD 1.1, one node after the other; the context is ``ontologies/context.jsonld``.

The context stands in each document: who reads it in thirty years needs no server. Published sites have it as a file,
too. Source: https://www.w3.org/TR/json-ld11/.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import Any, BinaryIO, NamedTuple

from pyoxigraph import DefaultGraph, Literal, Quad

from provkg.resources import folder
from provkg.store import text_of
from provkg.vocab import PREFIXES, RDF_TYPE, XSD

_LONGEST = 2**53  # JSON numbers beyond it are not exact everywhere


class Terms(NamedTuple):
    """The terms of a context: for each IRI its term, and what values of it are coerced to."""

    of: dict[str, str]
    coerced: dict[str, str]

    def name(self, iri: str) -> str:
        """Return the term of an IRI, else the IRI with a prefix, else as it is."""
        known = self.of.get(iri)
        if known is not None:
            return known
        at = max(iri.rfind("#"), iri.rfind("/")) + 1
        prefix = _prefixes().get(iri[:at])
        return f"{prefix}:{iri[at:]}" if prefix and iri[at:] and not iri[at:].startswith("//") else iri


@cache
def context() -> dict[str, Any]:
    """Return the published context."""
    found: dict[str, Any] = json.loads((folder("ontologies") / "context.jsonld").read_bytes())["@context"]
    return found


@cache
def terms() -> Terms:
    """Return the terms of the published context, turned around."""
    of: dict[str, str] = {}
    coerced: dict[str, str] = {}
    said = context()
    for term, meaning in said.items():
        iri = _full(meaning["@id"] if isinstance(meaning, dict) else str(meaning))
        if term not in PREFIXES and not term.startswith("@"):
            of.setdefault(iri, term)
            if isinstance(meaning, dict):
                coerced[iri] = _full(meaning["@type"])
    return Terms(of, coerced)


def write_jsonld(quads: Iterable[Quad], output: BinaryIO) -> None:
    """Write quads; those of one graph, and in it those of one subject, come one after the other.

    Args:
        quads: in order of graphs and subjects; a subject that comes again is another object of the same ``@id``.
        output: where to.
    """

    def put(text: str) -> None:
        output.write(text.encode("utf-8", "backslashreplace"))

    put(f'{{"@context": {json.dumps(context(), ensure_ascii=False)},\n"@graph": [')
    between = "\n"
    for name, group in groupby(quads, key=lambda quad: quad.graph_name):
        named = not isinstance(name, DefaultGraph)
        if named:
            put(f'{between}{{"@id": {json.dumps(text_of(name))}, "@graph": [')
            between = "\n"
        for node in _nodes(group):
            put(between + json.dumps(node, ensure_ascii=False))
            between = ",\n"
        if named:
            put("]}")
    put("\n]}\n")


def _nodes(quads: Iterable[Quad]) -> Iterator[dict[str, Any]]:
    """Give a node object for each subject."""
    known = terms()
    for subject, group in groupby(quads, key=lambda quad: quad.subject):
        node: dict[str, Any] = {"@id": text_of(subject)}
        values: dict[str, list[Any]] = {}
        for quad in group:
            predicate = quad.predicate.value
            if predicate == RDF_TYPE and not isinstance(quad.object, Literal):
                values.setdefault("@type", []).append(known.name(text_of(quad.object)))
            else:
                told = _value(quad.object, known.coerced.get(predicate, ""))
                values.setdefault(known.name(predicate), []).append(told)
        yield node | {key: each[0] if len(each) == 1 else each for key, each in values.items()}


def _value(term: Any, coerced: str) -> Any:
    """Return a value: as short as it can be and mean the same."""
    if not isinstance(term, Literal):
        return term.value if coerced == "@id" else {"@id": text_of(term)}
    kind = term.datatype.value
    if term.language:
        return {"@value": term.value, "@language": term.language}
    if kind == coerced or (kind == XSD + "string" and not coerced):
        return term.value
    if kind == XSD + "string":
        return {"@value": term.value}
    if kind == XSD + "boolean" and term.value in ("true", "false"):
        return term.value == "true"
    if kind == XSD + "integer" and not coerced and _plain(term.value):
        return int(term.value)
    return {"@value": term.value, "@type": kind}


def _plain(text: str) -> bool:
    """Say whether JSON writes an integer in the same way."""
    return (
        len(text) < 17 and text.removeprefix("-").isdecimal() and str(int(text)) == text and abs(int(text)) < _LONGEST
    )


def _full(name: str) -> str:
    prefix, colon, local = name.partition(":")
    return PREFIXES[prefix] + local if colon and prefix in PREFIXES else name


@cache
def _prefixes() -> dict[str, str]:
    return {iri: prefix for prefix, iri in PREFIXES.items()}
