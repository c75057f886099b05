"""What SPARQL servers do differently: where they listen, what they hold, and where they cut answers off.

A server is known by its ``Server`` header, or said by ``dialect`` in the settings. Oxigraph server 0.5 and Virtuoso 7.2
are tested; the others are written down from their documentation. ``docs/servers.md`` says how to set each up.
"""

import math
import re
from dataclasses import dataclass

from pyoxigraph import Literal

from provkg.vocab import XSD

SHIELD = "urn:provkg:lexical:"


@dataclass(frozen=True)
class Dialect:
    """How to speak with one kind of server.

    Args:
        name: what ``dialect`` in the settings says.
        header: how its ``Server`` header begins.
        query: where queries go, below the address of the store.
        update: where updates go.
        graphs: where the Graph Store Protocol is; empty where updates are used instead.
        datasets: the Graph Store Protocol takes N-Quads of many graphs in one request.
        digest: user and password go by digest authentication.
        union: the parameter that makes the union of all graphs the default graph; empty where it always is. ``*`` has
            no such parameter: all graphs are named in each query.
        exclude: the server can leave out graphs of the union (Virtuoso's ``define input:default-graph-exclude``).
        max_rows: answers are cut after so many rows; 0 is never.
        statements: as many may stand in one INSERT DATA or DELETE DATA.
        iri_limit: longer IRIs are cut off without a word; 0 is never.
        exact: every literal comes back as pyoxigraph would give it; else :func:`holds` says which do.
    """

    name: str
    header: str
    query: str
    update: str
    graphs: str
    datasets: bool = False
    digest: bool = False
    union: str = ""
    exclude: bool = False
    max_rows: int = 0
    statements: int = 10_000
    iri_limit: int = 0
    exact: bool = True


DIALECTS = {
    each.name: each
    for each in (
        Dialect("oxigraph", "Oxigraph/", "/query", "/update", "/store", datasets=True, union="union-default-graph"),
        # The Graph Store Protocol of 7.2.5 answers 200 to half a load and refuses literals over 64 kB: updates
        Dialect(
            *("virtuoso", "Virtuoso/", "/sparql", "/sparql-auth", ""),
            digest=True,
            exclude=True,
            max_rows=10_000,
            statements=1_000,
            iri_limit=1_800,
            exact=False,
        ),
        Dialect("fuseki", "Apache Jena Fuseki", "/query", "/update", "/data", datasets=True),
        Dialect("graphdb", "GraphDB", "", "/statements", "/rdf-graphs/service"),
        Dialect("qlever", "QLever", "", "", "", statements=100_000),
        Dialect("generic", "", "", "", "", union="*"),
    )
}

_PLAIN = {XSD + name for name in ("string", "boolean", "integer", "decimal", "double", "date", "dateTime")}
_DIGITS = re.compile(r"-?\d{1,18}")
_HELD = {
    "string": re.compile(r".*", re.DOTALL),
    "anyURI": re.compile(r".*", re.DOTALL),
    "boolean": re.compile(r"true|false"),
    "decimal": re.compile(r"-?\d{1,9}(?:\.\d{1,6})?"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "dateTime": re.compile(r"(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?"),
    **dict.fromkeys(("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger"), _DIGITS),
}
# rewritten as XML, as a geometry
_REWRITTEN = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#XMLLiteral",
    "http://www.opengis.net/ont/geosparql#",
    "http://www.openlinksw.com/",
)


def holds(literal: Literal) -> bool:
    """Say whether Virtuoso gives a literal back as it was: it writes doubles with six digits, for instance.

    Args:
        literal: in the lexical form that pyoxigraph gives.

    >>> [holds(Literal(value)) for value in (0.1, 1 / 3)]
    [True, False]
    """
    kind, text = literal.datatype.value, literal.value
    if not kind.startswith(XSD):
        return not kind.startswith(_REWRITTEN)
    name = kind.removeprefix(XSD)
    if name in ("double", "float"):
        try:
            value = float(text)
        except ValueError:
            return False
        return math.isfinite(value) and float(f"{value:g}") == value
    return name in _HELD and _HELD[name].fullmatch(text) is not None


def plain(term: object) -> bool:
    """Say whether Virtuoso removes a statement about a term together with others.

    Of literals with a language or a datatype of others it removes none where a request names several, and says it did.
    """
    return not isinstance(term, Literal) or (term.datatype.value in _PLAIN and holds(term))


def find_dialect(name: str, header: str) -> Dialect:
    """Return the dialect that the settings name, or that a ``Server`` header shows.

    >>> find_dialect("", "Virtuoso/07.20.3229 (Linux)").name
    'virtuoso'
    """
    if name:
        return DIALECTS[name]
    known = (each for each in DIALECTS.values() if each.header and header.startswith(each.header))
    return next(known, DIALECTS["generic"])
