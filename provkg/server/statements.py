"""What a store says of a thing, and who speaks of it, as tables."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode

from provkg.server.pages import SHOWN, Cell, Table, link
from provkg.store import text_of
from provkg.vocab import PREFIXES, short

if TYPE_CHECKING:
    from provkg.server.site import Site

_VALUES = 100  # of one property


def statements(site: Site, iri: str) -> Table:
    """Return what a store says of an IRI."""
    found: dict[str, dict[str, Cell]] = defaultdict(dict)
    for quad in site.graph().quads(iri):
        value = quad.object
        cell = Cell(text_of(value)) if isinstance(value, Literal) else link(site, text_of(value))
        found[text_of(quad.predicate)][text_of(value)] = cell
    rows = [
        [Cell(_name(predicate)), cell]
        for predicate, values in sorted(found.items())
        for cell in list(values.values())[:_VALUES]
    ]
    count = sum(map(len, found.values()))
    left_out = f"at most {_VALUES} of one property, {SHOWN} in all" if len(rows[:SHOWN]) < count else ""
    return Table(f"Statements: {count:,}", ("property", "value"), rows[:SHOWN], left_out)


def mentions(site: Site, iri: str) -> Table:
    """Return who speaks of an IRI."""
    found = islice(site.graph().pattern(None, None, NamedNode(iri), None), _VALUES + 1)
    rows = sorted({(_name(text_of(quad.predicate)), text_of(quad.subject)) for quad in found})
    left_out = f"the first {_VALUES}" if len(rows) > _VALUES else ""
    cells = [[link(site, subject), Cell(predicate)] for predicate, subject in rows[:_VALUES]]
    return Table("Who speaks of it", ("subject", "property"), cells, left_out)


def _name(iri: str) -> str:
    """Return a property as people write it."""
    near = next((f"{prefix}:" for prefix, space in PREFIXES.items() if iri == space + short(iri)), None)
    return near + short(iri) if near else iri
