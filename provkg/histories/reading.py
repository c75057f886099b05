"""Read histories from the graph: activities, their sessions and usages, and products, many at once."""

import json
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from provkg.edges import Described
from provkg.histories.facts import Facts, described, first, listed, rows
from provkg.histories.history import History, Input, Output, Process, Product, Step
from provkg.histories.order import in_order
from provkg.lineage.index import index_of
from provkg.lineage.telling import describe_entity
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PROV, RDFS_LABEL, VP, short


def history_of(graph: Graph, *products: str) -> History:
    """Return the history of some products.

    Args:
        graph: an open store.
        products: IRIs of entities.
    """
    index = index_of(graph)
    numbers = [number for each in products if (number := index.find(each)) is not None]
    starts = np.array(numbers, np.uint32)
    reached = np.union1d(index.closure(starts, down=False), starts) if numbers else starts
    makers = index.makers(reached)
    return _Reading(graph, index.activities(makers), {*index.iris(reached), *products}).history(products)


def every_history(graph: Graph) -> History:
    """Return the histories of all products of a store."""
    rows = graph.select(f"SELECT DISTINCT ?a WHERE {{ ?made <{PROV.wasGeneratedBy}> ?a }}")
    return _Reading(graph, [text_of(row["a"]) for row in rows], set()).history(())


_USAGES = """?s prov:qualifiedUsage ?n . OPTIONAL { ?n prov:hadRole ?role } OPTIONAL { ?n pkg:evidence ?evidence }
  OPTIONAL { ?n pkg:usedVersion ?version } OPTIONAL { ?n pkg:usedSomeVersionOf ?some }"""
_MADE = """?version prov:wasGeneratedBy ?s .
  OPTIONAL { ?version prov:qualifiedGeneration ?n . ?n prov:activity ?s . OPTIONAL { ?n prov:hadRole ?role } }"""


class _Reading:
    """Read what the graph says of activities and of what they read and made."""

    def __init__(self, graph: Graph, activities: Iterable[str], products: set[str]) -> None:
        self.graph, self.wanted = graph, products
        self.paths: dict[str, str] = {}
        self.activities = described(graph, activities)
        self.sessions = described(graph, self._all(self.activities, PKG.inSession))
        around = {**self.activities, **self.sessions}
        things = (PKG.environment, PROV.wasAssociatedWith, VP.wasConfiguredBy)
        self.things = described(graph, {each for term in things for each in self._all(around, term)})
        self.things |= described(graph, self._all(self.things, PKG.includes))
        self.read = self._ends(_USAGES, "role", "evidence", "version", "some")
        self.made = self._ends(_MADE, "role", "version")
        concepts = {role for found in (*self.read.values(), *self.made.values()) for role, *_ in found}
        self.roles = listed(graph, concepts - {""}, "?s skos:prefLabel ?o")
        self.packages = {
            iri: tuple(sorted(self._package(each) for each in facts[PKG.includes]))
            for iri, facts in self.things.items()
            if PKG.includes in facts
        }

    def _ends(self, pattern: str, *variables: str) -> dict[str, list[list[str]]]:
        """Return what a pattern gives for each activity."""
        found: dict[str, list[list[str]]] = defaultdict(list)
        for activity, *rest in rows(self.graph, self.activities, pattern, "s", *variables):
            found[activity].append(rest)
        return found

    @staticmethod
    def _all(facts: dict[str, Facts], predicate: str) -> set[str]:
        return {value for each in facts.values() for value in each.get(predicate, ())}

    def _role(self, concept: str) -> str:
        return self.roles.get(concept, [short(concept)])[0]

    def _package(self, iri: str) -> tuple[str, str]:
        facts = self.things.get(iri, {})
        return first(facts, PKG.packageName), first(facts, PKG.packageVersion)

    # Steps

    def history(self, targets: tuple[str, ...]) -> History:
        """Return it all."""
        steps = [self.step(iri, facts) for iri, facts in self.activities.items()]
        read = {each.product for step in steps for each in step.inputs} - {""}
        made = {each.product for step in steps for each in step.outputs}
        products = products_of(self.graph, self.wanted | read | made)
        return History(tuple(targets), tuple(in_order(steps, products)), products, self.packages)

    def step(self, iri: str, facts: Facts) -> Step:
        """Return one activity."""
        outputs = {Output(self._role(role), version) for role, version in self.made.get(iri, ())}
        inputs = {
            Input(self._role(role), version or some, short(evidence))
            for role, evidence, version, some in self.read.get(iri, ())
        }
        parameters = [self.things.get(each, {}) for each in facts.get(VP.wasConfiguredBy, ())]
        return Step(
            iri=iri,
            label=first(facts, RDFS_LABEL),
            start=first(facts, PROV.startedAtTime),
            end=(facts.get(PROV.endedAtTime) or [""])[-1],
            status=short(first(facts, PKG.status)),
            script=first(facts, PKG.script),
            process=self.process(iri, facts),
            parameters=tuple(sorted((first(each, VP.name), first(each, PROV.value)) for each in parameters if each)),
            inputs=tuple(sorted(inputs)),
            outputs=tuple(sorted(outputs)),
            sources=self.sources(iri),
        )

    def process(self, iri: str, facts: Facts) -> Process:
        """Return the process in which an activity happened: what it says itself comes before what its session says."""
        sessions = [(each, self.sessions.get(each, {})) for each in facts.get(PKG.inSession, ())]
        known = [(iri, facts), *sessions]
        own = next((pair for pair in known if first(pair[1], PKG.arguments)), known[-1])
        environments = next((each[PKG.environment] for _, each in known if each.get(PKG.environment)), [])
        agents = [agent for _, each in known for agent in each.get(PROV.wasAssociatedWith, ())]
        told = [(agent, self.things.get(agent, {})) for agent in dict.fromkeys(agents)]
        configured = [self.things.get(each, {}) for _, some in known for each in some.get(VP.wasConfiguredBy, ())]
        return Process(
            iri=own[0],
            arguments=_arguments(first(own[1], PKG.arguments)),
            directory=first(own[1], PKG.workingDirectory),
            host=next((host for each in environments if (host := first(self.things.get(each, {}), PKG.host))), ""),
            environments=tuple(environments),
            software=tuple(sorted(self._package(agent) for agent, each in told if PKG.packageName in each)),
            agents=tuple(
                sorted(first(each, RDFS_LABEL) or agent for agent, each in told if PKG.packageName not in each)
            ),
            configuration=tuple(sorted({first(each, PKG.location) for each in configured if PKG.location in each})),
            configuration_digests=tuple(
                sorted({digest for _, each in known for digest in each.get(PKG.configurationFileDigest, ())})
            ),
            night=next((night for _, each in sessions if (night := first(each, PKG.observationDate))), ""),
            run=next((run for _, each in sessions if (run := first(each, PKG.run))), ""),
        )

    def sources(self, iri: str) -> tuple[tuple[str, str], ...]:
        """Return where an activity was recorded: files and lines."""
        told = self.graph.quads(iri, PKG.line)
        return tuple(sorted((self.path(text_of(quad.graph_name)), text_of(quad.object)) for quad in told))

    def path(self, source: str) -> str:
        """Return the path of a source; the first, where copies were read."""
        if source not in self.paths:
            self.paths[source] = next(iter(self.graph.objects(source, PKG.sourcePath)), source)
        return self.paths[source]


def _arguments(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text) if text else []
    except ValueError:
        found = [text]
    return tuple(map(str, found)) if isinstance(found, list) else (text,)


def products_of(graph: Graph, wanted: Iterable[str]) -> dict[str, Product]:
    """Return what is known of products, and of what they were derived from or have as members."""
    names = set(wanted)
    origins = listed(graph, names, "?s pkg:drawnFrom ?o")
    while missing := {each for some in origins.values() for each in some} - names:
        names |= missing
        origins |= listed(graph, missing, "?s pkg:drawnFrom ?o")
    places = listed(graph, names, "?s prov:specializationOf ?o")
    own = listed(graph, names, "?s pkg:productId ?o")
    digests: dict[str, set[str]] = defaultdict(set)
    pattern = "?s pkg:contentDigest ?d . ?d pkg:digestAlgorithm ?algorithm ; pkg:digestValue ?value"
    for name, algorithm, value in rows(graph, names, pattern, "s", "algorithm", "value"):
        digests[name].add(f"{algorithm}:{value}")
    told = _told(graph, names)
    return {
        name: Product(
            iri=name,
            location=told[name].location,
            name=told[name].name,
            levels=tuple(told[name].level.split()),
            digests=tuple(sorted(digests[name])),
            product_id=own.get(name, [""])[0],
            place=places.get(name, [""])[0],
            in_memory=any(each.startswith(graph.iri("object/")) for each in places.get(name, ())),
            origins=tuple(origins.get(name, ())),
        )
        for name in sorted(names)
    }


def _told(graph: Graph, names: set[str]) -> dict[str, Described]:
    """Return what people are told of products: by the index, or by the graph of what the index does not hold."""
    index = index_of(graph)
    numbers = {name: number for name in names if (number := index.find(name)) is not None}
    found = dict(zip(numbers, index.describe(np.array([*numbers.values()], np.uint32)), strict=True))
    return found | {name: describe_entity(graph, name) for name in names - numbers.keys()}
