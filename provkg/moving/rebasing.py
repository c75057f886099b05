"""Another base for the IRIs of a store: what stands after the base never changes, so one rule redirects them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from pyoxigraph import DefaultGraph, NamedNode, Quad

from provkg.errors import InputError
from provkg.store import Graph, Writing
from provkg.vocab import OWL

ALIASES = "graph/aliases"
_AT_ONCE = 50_000
_THINGS = ("activity/", "agent/", "entity/", "file/", "object/", "session/", "software/")


class Rebased(NamedTuple):
    """How many statements there are, and how many say that an IRI means what an old one did."""

    quads: int
    aliases: int


def rebased(graph: Graph, writing: Writing, *, aliases: bool = False) -> Rebased:
    """Write a graph with the base of another store, in the place of all that was there.

    Args:
        graph: an open store.
        writing: a transaction of another store, whose base is the new one.
        aliases: add ``owl:sameAs`` from the new IRI of each step, file, product and agent to the old one.
    """
    old, new = graph.base, writing.base
    for name in writing.graph.graphs():
        writing.remove_graph(name)
    count: Counter[str] = Counter()
    lines = _lines(graph, old, new, count, aliases=aliases)
    while some := list(islice(lines, _AT_ONCE)):
        writing.load("".join(some))
    return Rebased(count["quads"], count["aliases"])


def _lines(graph: Graph, old: str, new: str, count: Counter[str], *, aliases: bool) -> Iterator[str]:
    """Give the quads with the new base, as N-Quads."""
    same, where = NamedNode(OWL.sameAs), NamedNode(new + ALIASES)

    @lru_cache(500_000)
    def moved(term: object) -> object:
        if isinstance(term, NamedNode) and term.value.startswith(old):
            return NamedNode(new + term.value.removeprefix(old))
        return term

    told: set[str] = set()
    for quad in graph.pattern(None, None, None, None):
        count["quads"] += 1
        name = quad.graph_name
        place = name if isinstance(name, DefaultGraph) else cast("NamedNode", moved(name))
        subject = cast("NamedNode", moved(quad.subject))
        object_ = cast("NamedNode", moved(quad.object))
        yield f"{Quad(subject, quad.predicate, object_, place)} .\n"
        before = str(getattr(quad.subject, "value", ""))
        if aliases and before not in told and before.removeprefix(old).startswith(_THINGS) and before.startswith(old):
            told.add(before)
            count["aliases"] += 1
            yield f"{Quad(subject, same, NamedNode(before), where)} .\n"


def redirects(old: str, new: str, server: str) -> str:
    """Return the configuration of a web server at the old base that sends who asks there to the new one.

    >>> print(redirects("https://old.example/prov/", "https://new.example/", "nginx"), end="")
    location /prov/ { rewrite ^/prov/(.*)$ https://new.example/$1 permanent; }

    Raises:
        InputError: there is no such server.
    """
    path = urlsplit(old).path or "/"
    if server == "nginx":
        return f"location {path} {{ rewrite ^{path}(.*)$ {new}$1 permanent; }}\n"
    if server == "apache":
        return f"RedirectMatch permanent ^{path}(.*)$ {new}$1\n"
    raise InputError(f"no redirects for {server!r}", hint="nginx or apache")
