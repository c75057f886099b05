"""Write a store without private data: values that are found as such are replaced wherever they stand, in IRIs too.

A value is replaced as a whole word. The same value has the same stand-in everywhere, so that what was one is one and
what was two is two: no edge is lost and none is made.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast
from urllib.parse import quote

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from provkg.identity import SAFE
from provkg.releasing.policy import Policy
from provkg.store import Graph, Writing
from provkg.vocab import OWL, PKG, PREFIXES, VOPROV

_AT_ONCE = 50_000  # quads
_OURS = (*PREFIXES.values(), VOPROV, OWL.iri)
_WORD = r"[A-Za-z0-9_]"
Term = NamedNode | BlankNode | Literal | Triple


@dataclass(frozen=True)
class Release:
    """What was done: how many values of each kind were replaced, and how many statements were left out."""

    replaced: dict[str, int] = field(default_factory=dict)
    left_out: int = 0


def released(graph: Graph, found: Iterable[tuple[str, str]], policy: Policy, writing: Writing) -> Release:
    """Write a graph without private data, in the place of all that was there.

    Args:
        graph: an open store.
        found: kinds and values, as the question ``private-data`` has them.
        policy: what is done with each kind.
        writing: a transaction of another store.
    """
    values = {value: kind for kind, value in found if kind != "environment" and policy.action(kind) != "keep"}
    redacting = _Redacting({value: policy.instead(kind, value) for value, kind in values.items()}, policy)
    for name in writing.graph.graphs():
        writing.remove_graph(name)
    for lines in _pieces(redacting.lines(graph)):
        writing.load("".join(lines))
    return Release(dict(Counter(values.values())), redacting.left_out)


class _Redacting:
    """Replace values in terms; each term is looked at once."""

    def __init__(self, instead: dict[str, str], policy: Policy) -> None:
        spelled = {form: new for value, new in instead.items() for form in {value, quote(value, safe=SAFE + "/")}}
        ordered = sorted(spelled, key=lambda each: (-len(each), each))
        inner = "|".join(map(re.escape, ordered))
        self.pattern = re.compile(f"(?<!{_WORD})(?:{inner})(?!{_WORD})") if ordered else None
        self.spelled = spelled
        self.policy, self.left_out = policy, 0
        self.term: Callable[[Term], Term] = lru_cache(500_000)(self._term)

    def text(self, text: str) -> str:
        """Return a text without what is private."""
        return text if self.pattern is None else self.pattern.sub(lambda match: self.spelled[match[0]], text)

    def _term(self, term: Term) -> Term:
        if isinstance(term, NamedNode):
            return term if term.value.startswith(_OURS) else NamedNode(self.text(term.value))
        if isinstance(term, Literal):
            new = self.text(term.value)
            if new == term.value:
                return term
            return Literal(new, language=term.language) if term.language else Literal(new, datatype=term.datatype)
        return term

    def lines(self, graph: Graph) -> Iterator[str]:
        """Give the quads of a graph as N-Quads."""
        variables = self.policy.action("environment") == "drop"
        for quad in graph.pattern(None, None, None, None):
            subject, name = self.term(quad.subject), self.term(cast("Term", quad.graph_name))
            object_ = self.term(quad.object)
            if quad.predicate.value == PKG.pathDigest and subject != quad.subject:
                self.left_out += 1  # the digest of a path tells the path to who can guess it
                continue
            if variables and quad.predicate.value == PKG.json and isinstance(object_, Literal):
                object_ = _without_variables(object_)
            graph_name = DefaultGraph() if isinstance(quad.graph_name, DefaultGraph) else name
            told = Quad(cast("NamedNode", subject), quad.predicate, object_, cast("NamedNode", graph_name))
            yield f"{told} .\n"


def _without_variables(literal: Literal) -> Literal:
    """Return the JSON of an environment without its variables."""
    try:
        facts = json.loads(literal.value)
    except ValueError:
        return literal
    if not isinstance(facts, dict) or "environment" not in facts:
        return literal
    kept = {name: value for name, value in facts.items() if name != "environment"}
    return Literal(json.dumps(kept, ensure_ascii=False, sort_keys=True), datatype=literal.datatype)


def _pieces(lines: Iterator[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    for line in lines:
        piece.append(line)
        if len(piece) >= _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece
