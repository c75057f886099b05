"""Answers that the lineage index holds whole: what was made from a product, with what people are told of each.

A question says so in its header: ``index: {walk: down, of: product, order: [level, startedAt]}``; ``walk: rewritten``
is for what lay at paths that were written more than once. Its SPARQL gives the same rows on any endpoint, and takes
longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from pyoxigraph import Literal, NamedNode

from provkg.lineage.index import Index, index_of
from provkg.lineage.index.columns import Ids
from provkg.lineage.order import makers_of
from provkg.store import Row, text_of
from provkg.vocab import PKG, PROV, XSD

if TYPE_CHECKING:
    from provkg.questions.asking import Asked
    from provkg.store import Graph

_DATETIME = NamedNode(XSD + "dateTime")
_FRACTION = re.compile(r"(\.\d*?)0+Z$")
_OWN_ID = re.compile(r"/entity/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_REWRITTEN = f"SELECT DISTINCT ?version {{ ?place a <{PKG.Rewritten}> . ?version <{PROV.specializationOf}> ?place }}"


def rows_of(asked: Asked) -> Iterator[Row]:
    """Give the rows of a question that the index answers."""
    start = perf_counter()
    says, index = asked.question.index, index_of(asked.graph)
    reached = _rewritten(asked, index) if says["walk"] == "rewritten" else _walked(asked, index)
    asked.sparql = asked.question.bind(asked.terms)
    rows = sorted(_told(asked.graph, index, reached), key=lambda row: [_key(row[name]) for name in says["order"]])
    asked.done("lineage index", f"{len(reached)} products, {len(rows)} rows", start)
    yield from rows


def _walked(asked: Asked, index: Index) -> Ids:
    """Return what was made from a product, or what it was made from."""
    product = asked.terms[asked.question.index["of"]]
    number = index.find(product.value) if isinstance(product, NamedNode) else None
    if number is None:
        return np.zeros(0, np.uint32)
    return index.closure(number, down=asked.question.index["walk"] == "down")


def _rewritten(asked: Asked, index: Index) -> Ids:
    """Return what somebody wrote at a path that was written more than once."""
    versions = (text_of(row["version"]) for row in asked.graph.select(_REWRITTEN))
    found = np.array([number for each in versions if (number := index.find(each)) is not None], np.uint32)
    return np.unique(makers_of(index, found)[0]) if len(found) else found


def _told(graph: Graph, index: Index, reached: Ids) -> Iterator[Row]:
    products, makers = makers_of(index, reached)
    calls, call = np.unique(makers, return_inverse=True)
    activities, made = index.activities(calls), index.made(calls)
    unmade = reached[~np.isin(reached, products)]
    both = np.append(products, unmade)
    told = zip(index.iris(both), index.describe(both), [*call.tolist(), *[None] * len(unmade)], strict=True)
    for iri, described, at in told:
        start = "" if at is None else made[at].start
        row: Row = {
            "entity": NamedNode(iri),
            "location": _text(described.location),
            "name": _text(described.name),
            "level": _text(max((PKG[level] for level in described.level.split()), default="")) or Literal(""),
            "activity": None if at is None else NamedNode(activities[at]),
            "activityName": None if at is None else _text(made[at].label),
            "startedAt": _time(start),
        }
        for location in _places(graph, iri) or [described.location]:
            yield {**row, "location": _text(location)}


def _places(graph: Graph, entity: str) -> list[str]:
    """Return where a product that has an id of its own lies: it may have been copied. Others lie at one place."""
    if not _OWN_ID.search(entity):
        return []
    places = graph.objects(entity, PROV.specializationOf)
    return [location for place in places for location in graph.objects(place, PKG.location)]


def _text(text: str) -> Literal | None:
    return Literal(text) if text else None


def _time(text: str) -> Literal | None:
    """Return a time as xsd:dateTime has it; what is no time is not told."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return Literal(_FRACTION.sub(r"\1Z", text).replace(".Z", "Z"), datatype=_DATETIME)


def _key(term: object) -> tuple[bool, datetime, str]:
    """Return what rows are sorted by, as SPARQL sorts: what is unknown first."""
    if not isinstance(term, Literal | NamedNode):
        return False, _FIRST, ""
    if isinstance(term, Literal) and term.datatype == _DATETIME:
        return True, datetime.fromisoformat(term.value), ""
    return True, _FIRST, term.value
