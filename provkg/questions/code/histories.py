"""Code of questions about whole histories: ways between products, recipes, attempts, what is current, batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode

from provkg.lineage.facts import Facts, Written
from provkg.lineage.index import index_of
from provkg.lineage.order import batches as in_batches
from provkg.questions.code.divergence import SIDES
from provkg.questions.code.rows import decimal
from provkg.store import Row, text_of
from provkg.vocab import PROV, RDFS_LABEL, XSD

if TYPE_CHECKING:
    from provkg.questions.asking import Asked

_YOUNGER, _OLDER = "the second was made from the first", "the first was made from the second"
_COMMON = "both were made from it"


# Ways


def shortest(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Keep the edges on a shortest way between two products, in order; common origins where there is no way."""
    found = list(rows)
    edges = [row for row in found if row["from"] is not None]
    down: dict[str, set[str]] = defaultdict(set)
    up: dict[str, set[str]] = defaultdict(set)
    for row in edges:
        down[text_of(row["from"])].add(text_of(row["entity"]))
        up[text_of(row["entity"])].add(text_of(row["from"]))
    first, second = (text_of(asked.terms[side]) for side in SIDES)
    for start, end, relation in ((first, second, _YOUNGER), (second, first, _OLDER)):
        before, after = _distances(start, down), _distances(end, up)
        if first == second or end not in before:
            continue
        ways: dict[tuple[int, str, str, str], Row] = {}
        for row in edges:
            here, there = text_of(row["from"]), text_of(row["entity"])
            if here in before and there in after and before[here] + 1 + after[there] == before[end]:
                key = (before[here] + 1, text_of(row["location"]), there, text_of(row["startedAt"]))
                ways[key] = {**row, "relation": Literal(relation), "position": Literal(key[0])}
        yield from (row for _, row in sorted(ways.items()))
        return
    if first != second:
        yield from ({**row, "relation": Literal(_COMMON)} for row in found if row["from"] is None)


def _distances(start: str, edges: dict[str, set[str]]) -> dict[str, int]:
    """Return how many steps each node that can be reached is from the start."""
    found, frontier = {start: 0}, [start]
    while frontier:
        frontier = list(dict.fromkeys(to for at in frontier for to in edges[at] if to not in found))
        found |= dict.fromkeys(frontier, max(found.values()) + 1)
    return found


# Same recipe, other bytes


def recipes(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Put together what different activities made from the same facts, and give the pairs with different bytes."""
    facts: dict[str, set[str]] = defaultdict(set)  # of an activity, or of a product
    products: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        activity, product = text_of(row["activity"]), text_of(row["product"])
        if row["digest"] is not None:
            products.setdefault((activity, product, text_of(row["algorithm"])), row)
        else:
            facts[product or activity].add(text_of(row["fact"]))
    groups: dict[tuple[str, str, str, frozenset[str]], list[Row]] = defaultdict(list)
    for (activity, product, algorithm), row in products.items():
        recipe = frozenset(facts[activity] | facts[product])
        groups[text_of(row["step"]), text_of(row["role"]), algorithm, recipe].append(row)
    for made in groups.values():
        for pair in combinations(made, 2):
            if pair[0]["activity"] != pair[1]["activity"] and pair[0]["digest"] != pair[1]["digest"]:
                yield {
                    "step": pair[1]["step"],
                    **{side: row["location"] for side, row in zip(SIDES, pair, strict=True)},
                    **{f"{side}Digest": row["digest"] for side, row in zip(SIDES, pair, strict=True)},
                    **{f"{side}Made": row["startedAt"] for side, row in zip(SIDES, pair, strict=True)},
                }


# Attempts and what is current


def subset(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Keep what wrote at the same path, and what may have tried to: it read nothing that the maker did not read."""
    read: dict[str, set[str]] = defaultdict(set)
    told: dict[str, Row] = {}
    for row in rows:
        read[text_of(row["activity"])] |= {text_of(row["other"])} - {""}
        told.setdefault(text_of(row["activity"]), row)
    users: dict[str, int] = {}

    def shared(place: str) -> bool:
        if place not in users:
            users[place] = len(asked.graph.subjects(PROV.entity, place))
        return users[place] > sum(place in some for some in read.values())

    for activity, row in told.items():
        maker = text_of(row["maker"])
        if activity == maker:
            made = "this version"
        elif text_of(row["wrote"]) == "yes":
            made = "another version"
        elif row["label"] != row["step"] or not read[activity] <= read[maker]:
            continue
        else:
            only_shared = all(map(shared, read[activity]))
            made = "nothing (perhaps for another product)" if only_shared else "nothing"
        yield {**row, "made": Literal(made)}


def current(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Leave out what is not the last version at its own path, and tell what wrote the last version of each input."""
    facts = Facts(asked.graph)
    last: dict[str, Written | None] = {}

    def newest(place: str) -> Written | None:
        if place not in last:
            known = [each for each in facts.written(place) if each.end is not None or each.start is not None]
            last[place] = max(known, key=lambda each: (each.end or each.start or 0, each.activity), default=None)
        return last[place]

    for row in rows:
        mine, newer = newest(text_of(row["own"])), newest(text_of(row["place"]))
        if mine is not None and mine.version == text_of(row["entity"]) and newer is not None:
            labels = asked.graph.objects(newer.activity, RDFS_LABEL)
            ends = asked.graph.objects(newer.activity, PROV.endedAtTime)
            end = Literal(max(ends), datatype=NamedNode(XSD + "dateTime")) if ends else None
            yield {**row, "newer": end, "newerBy": Literal(labels[0]) if labels else None}


# Batches


def batches(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Put the steps that made the descendants of a product in batches, each of which needs only those before it."""
    means = {text_of(row["step"]): _mean(row) for row in rows}
    index = index_of(asked.graph)
    start = index.find(text_of(asked.terms["product"]))
    if start is None:
        return
    for each in in_batches(index, index.closure(start, down=True), start):
        mean = means.get(each.step)
        yield {
            "batch": Literal(each.number),
            "step": Literal(each.step) if each.step else None,
            "activities": Literal(each.activities),
            "products": Literal(each.products),
            "seconds": None if mean is None else decimal(round(mean * each.activities, 3)),
        }


def _mean(row: Row) -> float | None:
    timed, micros = text_of(row["timed"]), text_of(row["microseconds"])
    return int(micros) / int(timed) / 1e6 if timed and int(timed) else None
