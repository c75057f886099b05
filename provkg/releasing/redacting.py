"""Write a store without private data: values that are found as such are replaced wherever they stand, in IRIs too.

A value is replaced as a whole word; addresses of e-mail, home directories and tokens wherever their patterns find them.
The same value has the same stand-in everywhere, and two IRIs never become one: what was one is one and what was two is
two, so that no edge is lost and none is made.
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

from provkg.errors import InputError
from provkg.identity import SAFE
from provkg.releasing import patterns
from provkg.releasing.policy import Policy
from provkg.store import Graph, Writing
from provkg.vocab import OWL, PKG, PREFIXES, REPAIRS, SOURCE_FILES, VOPROV

_AT_ONCE = 50_000  # quads
_OURS = (*PREFIXES.values(), VOPROV, OWL.iri)
_WORD = r"[A-Za-z0-9_]"
_SHORTEST = 4  # letters of the name of a home directory that is replaced elsewhere, too
Term = NamedNode | BlankNode | Literal | Triple


@dataclass(frozen=True)
class Removed:
    """A value that was replaced: its kind, what stands for it, and how many times in all different terms."""

    kind: str
    instead: str
    times: int


@dataclass(frozen=True)
class Redaction:
    """What was done: what was replaced, how many statements were left out, and the values, which nobody else gets."""

    removed: tuple[Removed, ...] = ()
    left_out: int = 0
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def replaced(self) -> dict[str, int]:
        """How many values of each kind were replaced."""
        return dict(Counter(each.kind for each in self.removed))


def redacted(graph: Graph, found: Iterable[tuple[str, str]], policy: Policy, writing: Writing) -> Redaction:
    """Write a graph without private data, in the place of all that was there.

    Args:
        graph: an open store.
        found: kinds and values, as the question ``private-data`` has them.
        policy: what is done with each kind.
        writing: a transaction of another store.

    Raises:
        InputError: two names would become one.
    """
    values = {value: kind for kind, value in found if kind != "environment" and policy.action(kind) != "keep"}
    redacting = _Redacting(graph, values, policy)
    for name in writing.graph.graphs():
        writing.remove_graph(name)
    for lines in _pieces(redacting.lines()):
        writing.load("".join(lines))
    told = sorted(redacting.told.items())
    removed = tuple(Removed(kind, policy.instead(kind, value), count) for (kind, value), count in told)
    return Redaction(removed, redacting.left_out, tuple(redacting.told))


class _Redacting:
    """Replace values in terms; each term is looked at once."""

    def __init__(self, graph: Graph, values: dict[str, str], policy: Policy) -> None:
        self.graph, self.values, self.policy = graph, values, policy
        self.spelled = {form: value for value in values for form in {value, quote(value, safe=SAFE + "/")}}
        homes = {_name(value): value for value, kind in values.items() if kind == "home directory"}
        self.names = {name: value for name, value in homes.items() if len(name) >= _SHORTEST and name not in values}
        self.spelled |= self.names
        ordered = sorted(self.spelled, key=lambda each: (-len(each), each))
        inner = "|".join(map(re.escape, ordered))
        # a path may stand within another, as in an IRI of a file
        self.pattern = re.compile(f"(?:(?<!{_WORD})|(?=/))(?:{inner})(?!{_WORD})") if ordered else None
        roots = sorted(policy.paths, key=lambda each: (-len(each), each))
        self.roots = re.compile("(?:" + "|".join(map(re.escape, roots)) + r")(?![\w.-])") if roots else None
        self.told: Counter[tuple[str, str]] = Counter()
        self.made: dict[str, str] = {}
        self.left_out = 0
        self.term: Callable[[Term], Term] = lru_cache(500_000)(self._term)

    def text(self, text: str, instead: Callable[[str, str], str]) -> str:
        """Return a text without what is private."""

        def known(match: re.Match[str]) -> str:
            value = self.spelled[match[0]]
            told = self.replace(self.values[value], value, instead)
            return _name(told) if match[0] in self.names else told

        if self.roots is not None:
            text = self.roots.sub(lambda match: self.policy.paths[match[0]], text)
        if self.pattern is not None:
            text = self.pattern.sub(known, text)
        for kind, pattern in (("e-mail", patterns.E_MAIL), ("token", patterns.TOKEN)):
            if self.policy.action(kind) != "keep":
                text = pattern.sub(lambda match, kind=kind: self.replace(kind, match[0], instead), text)  # type: ignore[misc]
        return text if self.policy.action("home directory") == "keep" else self.homes(text, instead)

    def homes(self, text: str, instead: Callable[[str, str], str]) -> str:
        """Return a text without the names of home directories."""

        def home(match: re.Match[str]) -> str:
            if patterns.STAND_IN.fullmatch(match[1]):
                return match[0]
            return self.replace("home directory", match[0], instead)

        return patterns.HOME.sub(home, text)

    def replace(self, kind: str, value: str, instead: Callable[[str, str], str]) -> str:
        """Return what stands for a value, and count it."""
        self.told[kind, value] += 1
        return instead(kind, value)

    def _term(self, term: Term) -> Term:
        if isinstance(term, NamedNode):
            return term if term.value.startswith(_OURS) else self.named(term)
        if isinstance(term, Literal):
            new = self.text(term.value, self.policy.instead)
            if new == term.value:
                return term
            return Literal(new, language=term.language) if term.language else Literal(new, datatype=term.datatype)
        return term

    def named(self, term: NamedNode) -> NamedNode:
        """Return an IRI without what is private.

        Raises:
            InputError: another IRI has become the same.
        """
        new = NamedNode(self.text(term.value, self.policy.in_iri))
        if new == term:
            return term
        there = any(True for _ in self.graph.pattern(new, None, None, None))
        if there or self.made.setdefault(new.value, term.value) != term.value:
            raise InputError(f"two names would become one: {new.value}", hint="give each of [paths] its own place")
        return new

    def lines(self) -> Iterator[str]:
        """Give the quads of the graph as N-Quads."""
        variables = self.policy.action("environment") == "drop"
        own = self.graph.iri(SOURCE_FILES), self.graph.iri(REPAIRS)
        for quad in self.graph.pattern(None, None, None, None):
            if str(getattr(quad.subject, "value", "")).startswith(own):
                self.left_out += 1  # of the disks of those who release, and texts of which nobody knows what they hold
                continue
            subject, name = self.term(quad.subject), self.term(cast("Term", quad.graph_name))
            object_ = self.term(quad.object)
            if quad.predicate.value == PKG.pathDigest and subject != quad.subject:
                self.left_out += 1  # the digest of a path tells the path to who can guess it
                continue
            if variables and quad.predicate.value == PKG.json and isinstance(object_, Literal):
                object_ = _with_variables(object_, self.policy.variables)
            graph_name = DefaultGraph() if isinstance(quad.graph_name, DefaultGraph) else name
            told = Quad(cast("NamedNode", subject), quad.predicate, object_, cast("NamedNode", graph_name))
            yield f"{told} .\n"


def _name(home: str) -> str:
    """Return the name that a home directory has."""
    return home.replace("\\", "/").rpartition("/")[2]


def _with_variables(literal: Literal, kept: tuple[str, ...]) -> Literal:
    """Return the JSON of an environment with some of its variables."""
    try:
        facts = json.loads(literal.value)
    except ValueError:
        return literal
    if not isinstance(facts, dict) or not isinstance(facts.get("environment"), dict):
        return literal
    some = {name: value for name, value in facts.pop("environment").items() if name in kept}
    told = facts | ({"environment": some} if some else {})
    return Literal(json.dumps(told, ensure_ascii=False, sort_keys=True), datatype=literal.datatype)


def _pieces(lines: Iterator[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    for line in lines:
        piece.append(line)
        if len(piece) >= _AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece
