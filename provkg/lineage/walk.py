"""Walk the history of a product: up to what it came from, down to what came from it.

An edge is a usage (with the version it is resolved to and the evidence),
a derivation or a membership that a record asserts. ``prov:wasInfluencedBy`` is never followed: through membership it
leads from a collection into everything else in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from provkg.store import Graph
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, SKOS, VP, short


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a history: an entity, the activity between it and the product, and how the step is known.

    Going up, ``activity`` used the entity; going down, it generated it. An activity that used nothing has one step,
    with what it generated and the evidence ``generated``. A derivation or membership has no activity. Times are as
    recorded, in UTC.
    """

    depth: int
    location: str | None
    name: str | None
    entity: str
    activity: str | None
    activityName: str | None  # noqa: N815 - the fixed names of the JSON output
    startedAt: str | None  # noqa: N815
    evidence: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class _Edge:
    depth: int
    source: str
    activity: str
    target: str
    evidence: str
    role: str


def lineage(graph: Graph, product: str, *, down: bool = False, depth: int | None = None) -> list[Step]:
    """Return the history of a product, or what was made from it.

    Args:
        graph: an open store.
        product: the IRI of an entity.
        down: go to what was made from it instead of to what it came from.
        depth: how many steps to go; None is all the way.

    Returns:
        the steps in order of depth, location, activity name and start.
    """
    edges = list(_walk(graph, product, down=down, depth=depth))
    entities = {iri: describe_entity(graph, iri) for iri in {edge.target for edge in edges}}
    activities = {iri: describe_activity(graph, iri) for iri in {edge.activity for edge in edges if edge.activity}}
    steps = [_step(edge, entities[edge.target], activities.get(edge.activity, ("", ""))) for edge in edges]
    return sorted(
        steps,
        key=lambda step: (
            step.depth,
            step.location or "",
            step.activityName or "",
            step.startedAt or "",
            step.entity,
            step.of,
        ),
    )


def _step(edge: _Edge, entity: tuple[str, str], activity: tuple[str, str]) -> Step:
    return Step(
        depth=edge.depth,
        location=entity[0] or None,
        name=entity[1] or edge.role or None,
        entity=edge.target,
        activity=edge.activity or None,
        activityName=activity[0] or None,
        startedAt=activity[1] or None,
        evidence=edge.evidence,
        of=edge.source,
    )


def _walk(graph: Graph, product: str, *, down: bool, depth: int | None) -> Iterator[_Edge]:
    """Go level by level; each entity is gone into once, each edge given once."""
    seen, given = {product}, set()
    frontier, level = [product], 0
    while frontier and (depth is None or level < depth):
        level += 1
        following = []
        for edge in _edges(graph, frontier, level, down=down):
            key = (
                (edge.activity, edge.target, edge.evidence)
                if edge.activity
                else (edge.source, edge.target, edge.evidence)
            )
            if key not in given:
                given.add(key)
                yield edge
            if edge.target not in seen:
                seen.add(edge.target)
                following.append(edge.target)
        frontier = following


def _edges(graph: Graph, frontier: list[str], level: int, *, down: bool) -> Iterator[_Edge]:
    for source in frontier:
        yield from _down(graph, source, level) if down else _up(graph, source, level)
        here, there = (PKG.usedVersion, PKG.ofVersion) if down else (PKG.ofVersion, PKG.usedVersion)
        for node in graph.subjects(here, source):
            for target in graph.objects(node, there):
                if target != source:
                    kind = "membership" if PKG.Membership in graph.objects(node, RDF_TYPE) else "derivation"
                    yield _Edge(level, source, "", target, kind, "")


def _up(graph: Graph, product: str, level: int) -> Iterator[_Edge]:
    for activity in graph.objects(product, PROV.wasGeneratedBy):
        usages = graph.objects(activity, PROV.qualifiedUsage)
        if not usages:
            yield _Edge(level - 1, product, activity, product, "generated", "")
        for node in usages:
            evidence = graph.objects(node, PKG.evidence)
            for version in graph.objects(node, PKG.usedVersion) or graph.objects(node, PROV.entity):
                yield _Edge(
                    level,
                    product,
                    activity,
                    version,
                    short(evidence[0]) if evidence else "unresolved",
                    _role(graph, node),
                )


def _down(graph: Graph, used: str, level: int) -> Iterator[_Edge]:
    for node in graph.subjects(PKG.usedVersion, used):
        evidence = graph.objects(node, PKG.evidence)
        for activity in graph.subjects(PROV.qualifiedUsage, node):
            for product in graph.subjects(PROV.wasGeneratedBy, activity):
                yield _Edge(level, used, activity, product, short(evidence[0]) if evidence else "unresolved", "")


def _role(graph: Graph, node: str) -> str:
    roles = graph.objects(node, PROV.hadRole)
    labels = graph.objects(roles[0], SKOS.prefLabel) if roles else []
    return labels[0] if labels else ""


def _first(graph: Graph, subject: str, *predicates: str) -> str:
    return next((found[0] for predicate in predicates if (found := graph.objects(subject, predicate))), "")


def describe_entity(graph: Graph, entity: str) -> tuple[str, str]:
    """Return where an entity lies and what it is called; either may be empty."""
    places = [entity, *graph.objects(entity, PROV.specializationOf)]
    location = next((found for place in places if (found := _first(graph, place, PKG.location))), "")
    described = next((found for place in places if (found := _first(graph, place, VP.entityDescription))), "")
    return location, _first(graph, described, VP.name) if described else _first(graph, entity, RDFS_LABEL, VP.name)


def describe_activity(graph: Graph, activity: str) -> tuple[str, str]:
    """Return the type of an activity and when it started, as recorded and in UTC; either may be empty."""
    return _first(graph, activity, RDFS_LABEL), _first(graph, activity, PKG.recordedStart, PROV.startedAtTime)
