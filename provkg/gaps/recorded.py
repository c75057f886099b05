"""What the graph knows of products, activities and nights, for the whole store at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from provkg.lineage.index import index_of
from provkg.lineage.index.delta import GENERATED, LINKS, UNRESOLVED
from provkg.lineage.order import makers_of
from provkg.model import Definition
from provkg.questions.choices import PROLOGUE
from provkg.store import Graph, text_of

RAW = frozenset(("R0", "R1", "DL0"))
_CALLS = """SELECT DISTINCT ?a ?label ?start ?end ?tag ?session ?known ?night WHERE {
  { SELECT DISTINCT ?a WHERE {
      { ?a a prov:Activity } UNION { ?m prov:wasGeneratedBy ?a } UNION { ?a prov:qualifiedUsage ?u } } }
  MINUS { ?a a pkg:Session }
  OPTIONAL { ?a rdfs:label ?label } OPTIONAL { ?a prov:startedAtTime ?start } OPTIONAL { ?a prov:endedAtTime ?end }
  OPTIONAL { ?a pkg:sessionTag ?tag }
  OPTIONAL { ?a pkg:inSession ?session .
    OPTIONAL { ?session a ?known } OPTIONAL { ?session pkg:observationDate ?night } } }"""
_ROLES = """SELECT ?a ?role (COUNT(DISTINCT ?usage) AS ?count) WHERE {
  ?a prov:qualifiedUsage ?usage . OPTIONAL { ?usage prov:hadRole ?concept . ?concept skos:prefLabel ?role } }
  GROUP BY ?a ?role"""
_NIGHTS = "SELECT DISTINCT ?night WHERE { ?session a pkg:Session ; pkg:observationDate ?night }"
_DEFINED = """SELECT DISTINCT ?step ?kind WHERE { ?d a vp:ActivityDescription ; vp:name ?step .
  { ?d vp:hasUsageDescription ?slot } UNION { ?d vp:hasGenerationDescription ?slot }
  OPTIONAL { ?d vp:hasGenerationDescription ?made . ?made vp:expectsEntityDescription ?of . ?of vp:name ?kind } }"""


@dataclass
class Call:
    """An activity, as far as it is recorded."""

    iri: str
    label: str = ""
    start: str = ""
    end: str = ""
    tag: str = ""
    session: str = ""
    session_known: bool = False
    night: str = ""
    roles: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """The products and activities of a store, by number of the lineage index.

    ``makers`` and ``inputs`` are edges as pairs of arrays: product and activity, product and what it was made from by
    which activity. ``from_raw`` says of each product whether raw data is among what it was made from.
    """

    calls: dict[str, Call]
    nights: tuple[str, ...]
    steps: dict[str, set[str]]  # those that are defined, with the kinds of what they make
    activity: list[str]
    location: list[str]
    kind: list[str]
    level: list[str]
    makers: dict[int, list[int]]
    inputs: dict[int, set[int]]
    from_raw: NDArray[np.bool_]

    def is_raw(self, number: int) -> bool:
        """Say whether a product is raw data."""
        return bool(RAW & set(self.level[number].split()))


def recorded(graph: Graph, definition: Definition | None) -> Recorded:
    """Read what a store knows.

    Args:
        graph: an open store.
        definition: the steps that are defined; those that were ingested when None.
    """
    index = index_of(graph)
    everything = np.arange(index.nodes, dtype=np.uint32)
    told = index.describe(everything)
    products, via = makers_of(index, everything)
    makers: dict[int, list[int]] = defaultdict(list)
    for product, by in zip(products.tolist(), via.tolist(), strict=True):
        makers[product].append(by)
    edges = index.edges()
    walked = edges.where(edges.kind < UNRESOLVED)
    inputs: dict[int, set[int]] = defaultdict(set)
    for product, origin in zip(walked.of.tolist(), walked.node.tolist(), strict=True):
        inputs[product].add(origin)
    levels = [each.level for each in told]
    raw = np.array([number for number, level in enumerate(levels) if RAW & set(level.split())], np.uint32)
    from_raw = np.zeros(index.nodes, bool)
    from_raw[index.closure(raw, down=True) if len(raw) else raw] = True
    assert GENERATED > UNRESOLVED > max(LINKS)
    return Recorded(
        calls=_calls(graph),
        nights=tuple(sorted(text_of(row["night"]) for row in graph.select(PROLOGUE + _NIGHTS))),
        steps=_defined(graph, definition),
        activity=index.activities(np.arange(index.vias, dtype=np.uint32)),
        location=[each.location for each in told],
        kind=[each.name for each in told],
        level=levels,
        makers=dict(makers),
        inputs=dict(inputs),
        from_raw=from_raw,
    )


def _calls(graph: Graph) -> dict[str, Call]:
    found: dict[str, Call] = {}
    for row in graph.select(PROLOGUE + _CALLS):
        iri, label, start, end, tag, session, known, night = (text_of(row[name]) for name in row)
        call = found.setdefault(iri, Call(iri))
        call.label, call.tag, call.session = call.label or label, call.tag or tag, call.session or session
        call.start, call.end, call.night = max(call.start, start), max(call.end, end), max(call.night, night)
        call.session_known = call.session_known or bool(known)
    for row in graph.select(PROLOGUE + _ROLES):
        iri, role, count = (text_of(row[name]) for name in ("a", "role", "count"))
        if iri in found:
            found[iri].roles[role] = int(count)
    return found


def _defined(graph: Graph, definition: Definition | None) -> dict[str, set[str]]:
    if definition is not None:
        made = (
            (each, [slot.entity for slot in each.slots if slot.kind == "generation"]) for each in definition.activities
        )
        return {each.name: set(kinds) for each, kinds in made}
    found: dict[str, set[str]] = defaultdict(set)
    for row in graph.select(PROLOGUE + _DEFINED):
        found[text_of(row["step"])] |= {text_of(row["kind"])} - {""}
    return dict(found)


def usual(calls: Iterable[Call]) -> dict[str, set[str]]:
    """Return for each type of activity the roles in which nearly all of them read something: 9 of 10, of 4 or more."""
    groups: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        groups[call.label].append(call)
    found = {}
    for label, some in groups.items():
        having = Counter(role for call in some for role in call.roles)
        found[label] = {role for role, count in having.items() if len(some) >= 4 and 10 * count >= 9 * len(some)}
    return found
