"""Make nodes of what was read: what each is called, which keys it has by the rules, and what makes it an exception."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from provkg.histories.facts import first, rows
from provkg.lineage.index import Index
from provkg.lineage.index.layer import NODE
from provkg.lineage.telling import describe_entity
from provkg.rollup.bulk import Bulk, Pairs, Properties, values_of
from provkg.rollup.rules import Rules
from provkg.rollup.view import ACTIVITY, AGENT, ENTITY, Node, Relation
from provkg.vocab import PKG, PROV, RDFS_LABEL, VP, short

_SESSION = (PKG.observationDate, PKG.run, PROV.wasAssociatedWith)
_AGENT = (RDFS_LABEL, PKG.packageName, PKG.packageVersion)
_ENDED = {
    "failed": ("failed",),
    "interrupted": ("failed",),
    "running": ("never ended",),
    "unknown": ("never ended",),
}
_NOT_AS_RECORDED = ("changed", "missing", "moved")


class Nodes:
    """Make nodes; what activities and entities refer to is read once.

    Args:
        bulk: reads the store.
        rules: which keys nodes get.
        index: what people are told of products.
        activities: what the graph says of the activities.
    """

    def __init__(self, bulk: Bulk, rules: Rules, index: Index, activities: Properties) -> None:
        self.bulk, self.index, self.activities = bulk, index, activities
        self.places = [(key, place) for key, places in rules.keys.items() for place in places]
        self.patterns = {text: re.compile(text) for text in rules.wanted("location")}
        self.sessions = bulk.properties(values_of(activities.values(), PKG.inSession), _SESSION)
        told = (*activities.values(), *self.sessions.values())
        self.agents = bulk.properties(values_of(told, PROV.wasAssociatedWith), _AGENT)
        self.observed: dict[str, str] = {}

    def observe(self, used: Pairs, made: Pairs, entities: set[str]) -> None:
        """Read of which observation entities are; an activity is of that of all it made, else of all it read."""
        if "product" not in {place.kind for _, place in self.places}:
            return
        said = self.bulk.properties(entities, (PKG.observationId,))
        products = {iri: ", ".join(facts[PKG.observationId]) for iri, facts in said.items()}
        for pairs in (used, made):
            found: dict[str, set[str]] = defaultdict(set)
            for activity, product in pairs if products else ():
                if product in products:
                    found[activity].add(products[product])
            self.observed |= {activity: ids.pop() for activity, ids in found.items() if len(ids) == 1}
        self.observed |= products

    def of_activities(self, configured: Pairs) -> Iterator[Node]:
        """Give the activities, of which is said by what each was configured."""
        said = self.bulk.properties({parameter for _, parameter in configured}, (VP.name, PROV.value))
        known = {
            iri: (first(facts, VP.name), facts[PROV.value][0]) for iri, facts in said.items() if PROV.value in facts
        }
        parameters: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for activity, parameter in configured:
            if parameter in known:
                parameters[activity].add(known[parameter])
        for iri, facts in self.activities.items():
            status, session = short(first(facts, PKG.status)), first(facts, PKG.inSession)
            values = tuple(sorted(parameters[iri])) if iri in parameters else ()
            yield Node(
                iri=iri,
                kind=ACTIVITY,
                type=first(facts, RDFS_LABEL),
                label=first(facts, RDFS_LABEL),
                start=first(facts, PROV.startedAtTime),
                end=(facts.get(PROV.endedAtTime) or [""])[-1],
                status=status,
                keys=self.keys(dict(values), session, "", self.observed.get(iri, "")),
                parameters=values,
                marks=_ENDED.get(status, ()),
                session=session,
            )

    def of_agents(self, names: Iterable[str]) -> Iterator[Node]:
        """Give agents."""
        for iri in names:
            facts = self.agents.get(iri, {})
            package = " ".join(filter(None, (first(facts, PKG.packageName), first(facts, PKG.packageVersion))))
            yield Node(iri, AGENT, "software" if package else "agent", package or first(facts, RDFS_LABEL) or iri)

    def of_entities(self, entities: set[str], relations: list[Relation], invalid: set[str]) -> Iterator[Node]:
        """Give entities; what nobody says what it is, is called by the role in which it was made or read."""
        roles: dict[str, str] = {}
        for each in relations:
            if each.role and each.kind == "used":
                roles[each.object] = min(each.role, roles.get(each.object, each.role))
        roles |= {each.subject: each.role for each in relations if each.role and each.kind == "wasGeneratedBy"}
        short_names = {self.index.name(iri): iri for iri in entities}
        _, known = self.index.numbered(short_names, NODE)
        numbers = {short_names[name]: number for name, number in known.items()}
        told = dict(zip(numbers, self.index.describe(np.array([*numbers.values()], np.uint32)), strict=True))
        told |= {name: describe_entity(self.bulk.graph, name) for name in entities - numbers.keys()}
        states = self.states(entities)
        for iri, about in told.items():
            marks = [*(["tainted"] if iri in invalid else []), *([states[iri]] if iri in states else [])]
            yield Node(
                iri=iri,
                kind=ENTITY,
                type=about.name or roles.get(iri, "") or about.level,
                label=about.location or about.name,
                keys=self.keys({}, "", about.location, self.observed.get(iri, "")),
                marks=tuple(marks),
            )

    def states(self, entities: set[str]) -> dict[str, str]:
        """Return what was found of entities that were not as recorded when somebody last looked."""
        if not any(True for _ in self.bulk.graph.quads(None, PKG.observed)):
            return {}
        newest: dict[str, tuple[str, str]] = {}
        pattern = "?n pkg:observed ?s ; pkg:state ?o ; prov:atTime ?at"
        for subject, state, at in rows(self.bulk.graph, entities, pattern, "s", "o", "at"):
            newest[subject] = max(newest.get(subject, ("", "")), (at, short(state)))
        return {iri: state for iri, (_, state) in newest.items() if state in _NOT_AS_RECORDED}

    def keys(
        self, parameters: dict[str, str], session: str, location: str, product: str
    ) -> tuple[tuple[str, str], ...]:
        """Return the keys of a node by the rules: what the first place says that says something."""
        found: dict[str, str] = {}
        for key, place in self.places:
            if key in found:
                continue
            value = ""
            if place.kind == "parameter" and parameters:
                value = parameters.get(place.what, "")
            elif place.kind == "session" and session:
                value = self.of_session(session, place.what)
            elif place.kind == "location" and location:
                match = self.patterns[place.what].search(location)
                value = (match[1] or "") if match else ""
            elif place.kind == "product":
                value = product
            if value:
                found[key] = value
        return tuple(found.items())

    def of_session(self, session: str, what: str) -> str:
        """Return the night, the run or the software of a session."""
        facts = self.sessions.get(session, {})
        if what == "software":
            agents = (self.agents.get(each, {}) for each in facts.get(PROV.wasAssociatedWith, ()))
            named = (f"{first(each, PKG.packageName)} {first(each, PKG.packageVersion)}" for each in agents)
            return ", ".join(sorted(name for name in named if name.strip()))
        return first(facts, PKG.observationDate if what == "night" else PKG.run)
