"""Read a view from the graph: activities, what they read and made and in which roles, many thousands at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from provkg.histories.facts import listed
from provkg.lineage.index import index_of
from provkg.rollup.bulk import Bulk, Pairs, Properties, Wanted, by_subject, values_of
from provkg.rollup.nodes import Nodes
from provkg.rollup.rules import Rules
from provkg.rollup.scope import Scope, around, find
from provkg.rollup.view import Relation, View, view_of
from provkg.store import Graph
from provkg.vocab import PKG, PROV, RDFS_LABEL, VP, short

_SHARE = 1 / 3  # of the activities of a store, from which on it is read as a whole
_ACTIVITY = (
    *(PROV.qualifiedUsage, VP.wasConfiguredBy),
    *(RDFS_LABEL, PROV.startedAtTime, PROV.endedAtTime, PKG.status, PKG.inSession, PROV.wasInformedBy),
)
_NODE = (PKG.usedVersion, PKG.usedSomeVersionOf, PROV.hadRole, PROV.qualifiedGeneration)
_LINK = (PROV.wasDerivedFrom, PROV.hadMember, PROV.wasInvalidatedBy)


def read(graph: Graph, scope: Scope, rules: Rules, site: str = "site", *, agents: bool = True) -> View:
    """Return a view of a part of a store.

    Args:
        graph: an open store.
        scope: which part.
        rules: which keys the nodes get.
        site: the scope of absolute paths.
        agents: with the agents of the activities.

    Raises:
        NotFound: nothing answers to the name, the run or the night.
        Ambiguous: several products do.
    """
    return _Reading(graph, scope, rules, site, agents=agents).view()


class _Reading(Bulk):
    """Read what the graph says of some activities, a property at a time."""

    def __init__(self, graph: Graph, scope: Scope, rules: Rules, site: str, *, agents: bool) -> None:
        super().__init__(graph)
        self.rules, self.with_agents = rules, agents
        self.down = scope.direction == "down"  # what else was read on the way did not come from there
        self.index = index_of(graph)
        self.usages: Pairs = []
        self.configured: Pairs = []
        self.made: Pairs = []
        self.generations: set[tuple[str, str]] = set()
        self.activities: Properties = {}
        self.version: dict[str, str] = {}
        self.role_of: dict[str, str] = {}
        begin = find(graph, scope, rules, site)
        self.focus, self.products = begin.focus, begin.products
        self.load(begin.activities)
        if scope.product or ((scope.run or scope.night) and not scope.own):
            read, made = (
                {self.version[node] for _, node in self.usages if node in self.version},
                {product for _, product in self.made},
            )
            ends = {"up": read, "down": made}.get(scope.direction, read | made)
            activities, products = around(self.index, begin.products or ends, scope)
            self.products = [*self.products, *products]
            new = {*activities} - self.activities.keys()
            self.load(sorted(new))
            if self.down:
                reached = {*products, *ends}
                self.usages = [
                    (activity, node)
                    for activity, node in self.usages
                    if activity not in new or self.version.get(node) in reached
                ]
        self.entities = {*self.products, *(product for _, product in self.made)}
        self.entities |= {self.version[node] for _, node in self.usages if node in self.version}
        self.links = [*self.linked()]
        self.roles = listed(graph, set(self.role_of.values()), "?s skos:prefLabel ?o")

    def load(self, activities: list[str]) -> None:
        """Read some activities, what they read and what they made."""
        whole = len(activities) > _SHARE * self.index.vias
        self.whole |= whole
        first = [
            *(Wanted(activities, each) for each in _ACTIVITY),
            Wanted(activities, PROV.wasGeneratedBy, inverse=True),
        ]
        if self.with_agents:
            first.append(Wanted(activities, PROV.wasAssociatedWith))
        found = self.at_once([*first, *(Wanted(None, each) for each in _NODE)] if whole else first)
        [usages, configured, *facts], made = found[: len(_ACTIVITY)], found[len(_ACTIVITY)]
        told = dict(zip(_ACTIVITY[2:], facts, strict=True))
        told |= {PROV.wasAssociatedWith: found[len(_ACTIVITY) + 1]} if self.with_agents else {}
        self.activities |= {each: {} for each in activities} | by_subject(told)
        self.usages += usages
        self.configured += configured
        self.made += [(activity, product) for product, activity in made]
        self.load_nodes({node for _, node in usages}, {product for product, _ in made}, found[len(first) :])

    def load_nodes(self, usages: set[str], products: set[str], read: list[Pairs]) -> None:
        """Read what usages and generations say; what of all of them was read already need not be waited for."""
        wanted = [*(Wanted(usages, each) for each in _NODE[:-1]), Wanted(products, PROV.qualifiedGeneration)]
        versions, some, roles, generated = read or self.at_once(wanted)
        generations = {pair for pair in generated if pair[0] in products}
        nodes = {node for _, node in generations}
        if not read:
            roles += self.pairs(nodes, PROV.hadRole)
        told = {node: version for node, version in (*some, *versions) if node in usages}
        self.version |= told | dict(self.pairs(usages - told.keys(), PROV.entity))
        self.role_of |= {node: role for node, role in roles if node in usages or node in nodes}
        self.generations |= generations

    def linked(self) -> Iterator[tuple[str, str, str]]:
        """Give derivations, memberships and invalidations of the entities, and take in what these lead to."""
        todo = self.entities
        while todo:
            new = set()
            for predicate, pairs in zip(_LINK, self.at_once([Wanted(todo, each) for each in _LINK]), strict=True):
                for subject, value in pairs:
                    if predicate == PROV.wasInvalidatedBy or not self.down or value in self.entities:
                        yield subject, predicate, value
                        new |= {value} - self.entities if predicate != PROV.wasInvalidatedBy else set()
            todo = new
            self.entities |= new

    def view(self) -> View:
        """Return it all as nodes and relations."""
        relations = [
            Relation("used", activity, self.version[node], self.role(self.role_of.get(node, "")))
            for activity, node in self.usages
            if node in self.version
        ]
        relations += self.generated()
        invalid = {subject for subject, predicate, _ in self.links if predicate == PROV.wasInvalidatedBy}
        relations += [
            Relation(short(predicate), subject, object_)
            for subject, predicate, object_ in self.links
            if predicate != PROV.wasInvalidatedBy and subject != object_
        ]
        for predicate in (PROV.wasAssociatedWith, PROV.wasInformedBy):
            relations += [
                Relation(short(predicate), activity, each)
                for activity, facts in self.activities.items()
                for each in facts.get(predicate, ())
                if predicate == PROV.wasAssociatedWith or each in self.activities
            ]
        nodes = Nodes(self, self.rules, self.index, self.activities)
        nodes.observe(
            [(activity, self.version.get(node, "")) for activity, node in self.usages], self.made, self.entities
        )
        told = [*nodes.of_activities(self.configured), *nodes.of_entities(self.entities, relations, invalid)]
        told += nodes.of_agents(values_of(self.activities.values(), PROV.wasAssociatedWith))
        return view_of(told, relations, self.focus, self.graph.base)

    def generated(self) -> Iterator[Relation]:
        """Give who made what; of a product that two made, the generation says in which role each did."""
        makers = Counter(product for _, product in set(self.made))
        several = {node for product, node in self.generations if makers[product] > 1}
        by = dict(self.pairs(several, PROV.activity))
        role = {
            (product, by.get(node, "")): self.role_of[node]
            for product, node in self.generations
            if node in self.role_of
        }
        for activity, product in self.made:
            concept = role.get((product, activity if makers[product] > 1 else ""), "")
            yield Relation("wasGeneratedBy", product, activity, self.role(concept))

    def role(self, concept: str) -> str:
        """Return what people call a role."""
        return self.roles[concept][0] if concept in self.roles else short(concept)
