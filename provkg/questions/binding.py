"""Put RDF terms in the place of a question's placeholders.

The placeholders are grlc's: ``?_product_iri`` and ``?_file`` are required, ``?__night`` is optional; what follows the
next underscore says what kind of value it is (``iri``, ``number``, ``xsd_dateTime``). The query is cut into tokens, so
that a placeholder is never found inside a string, an IRI or a comment, and terms are written as N-Triples writes them:
no value can change anything but its term.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pyoxigraph import Literal, NamedNode

from provkg.store import tokens

Term = NamedNode | Literal
Terms = Mapping[str, Term | Sequence[Term]]
_MARK = re.compile(r"[?$](__?)([A-Za-z0-9]\w*)")


class Placeholder(NamedTuple):
    """A token of a query that stands for a value."""

    name: str
    required: bool
    start: int
    end: int


def placeholders(sparql: str) -> Iterator[Placeholder]:
    """Give the placeholders of a query in order.

    >>> [each.name for each in placeholders("SELECT ?x { ?x ?p ?_file ; ?q ?__of_iri } # ?_no")]
    ['file', 'of']
    """
    for token in tokens(sparql):
        mark = _MARK.fullmatch(token["variable"] or "")
        if mark:
            yield Placeholder(mark[2].partition("_")[0], mark[1] == "_", token.start(), token.end())


def bind(sparql: str, terms: Terms) -> str:
    r"""Return a query with terms in the place of its placeholders; several terms are separated by commas, as in ``IN``.

    A placeholder without a term stays a variable.

    >>> bind("SELECT ?x { ?x ?p ?_file }", {"file": Literal('a "b"')})
    'SELECT ?x { ?x ?p "a \\"b\\"" }'
    """
    pieces, at = [], 0
    for each in placeholders(sparql):
        if each.name in terms:
            given = terms[each.name]
            several = [given] if isinstance(given, NamedNode | Literal) else given
            pieces += [sparql[at : each.start], ", ".join(map(str, several))]
            at = each.end
    return "".join([*pieces, sparql[at:]])
