"""Walk the history of a product: up to what it came from, down to what came from it.

An edge is a usage (with the version it is resolved to and the evidence),
a derivation or a membership that a record asserts. ``prov:wasInfluencedBy`` is never followed: through membership it
leads from a collection into everything else in it.
"""

from dataclasses import dataclass, replace

import numpy as np

from provkg.lineage.index import Index, Reached, index_of
from provkg.lineage.index.columns import distinct
from provkg.lineage.index.delta import GENERATED, KINDS, LINKS
from provkg.store import Graph
from provkg.vocab import PKG, PROV, SKOS

COLUMNS = ("depth", "location", "name", "entity", "activity", "activityName", "startedAt", "evidence")
"""what is told of a step, in this order: others script against it"""


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
    index = index_of(graph)
    start = index.find(product)
    if start is None:
        return []
    steps = _Steps(index, index.reached(start, down=down, depth=depth)).steps()
    nameless = [at for at, step in enumerate(steps) if step.name is None and step.activity and not down]
    for at in nameless:
        steps[at] = replace(steps[at], name=_role(graph, steps[at]))
    return sorted(steps, key=_order)


def _order(step: Step) -> tuple[object, ...]:
    named = (step.location or "", step.activityName or "", step.startedAt or "")
    return step.depth, *named, step.entity, step.of, step.evidence


class _Steps:
    """Edges as steps: what is one step for people may be several edges, of which the nearest is told."""

    def __init__(self, index: Index, reached: Reached) -> None:
        self.index = index
        self.ids = distinct(np.concatenate([reached.edges.of, reached.edges.node]))
        self.iris = index.iris(self.ids)
        rank = np.empty(len(self.ids), np.uint32)  # in the order of their IRIs, whatever the order of ingests
        rank[np.argsort(np.array(self.iris, object))] = np.arange(len(self.ids), dtype=np.uint32)
        of, depth = reached.edges.of, reached.depth
        link = np.isin(reached.edges.kind, LINKS)
        # an activity that read one product is one step, however many it made; a link is one step for each of its ends
        one = np.where(link, of, np.uint32(0))
        order = np.lexsort((rank[np.searchsorted(self.ids, of)], depth, one, *reached.edges[1:]))
        columns = [column[order] for column in (one, *reached.edges[1:])]
        new = np.ones(len(order), bool)
        new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
        self.edges, self.depth, self.link = reached.edges.where(order[new]), depth[order[new]], link[order[new]]

    def steps(self) -> list[Step]:
        of, node, via, kind = self.edges
        calls, call = np.unique(via, return_inverse=True)
        activities, made = self.index.activities(calls), self.index.made(calls)
        told = self.index.describe(self.ids)
        rows = zip(
            np.searchsorted(self.ids, of).tolist(),
            np.searchsorted(self.ids, node).tolist(),
            call.tolist(),
            kind.tolist(),
            self.depth.tolist(),
            self.link.tolist(),
            strict=True,
        )
        return [
            Step(
                depth - 1 if number == GENERATED else depth,
                told[there].location or None,
                told[there].name or None,
                self.iris[there],
                None if link else activities[at],
                None if link else made[at].label or None,
                None if link else made[at].start or None,
                KINDS[number],
                self.iris[here],
            )
            for here, there, at, number, depth, link in rows
        ]


def _role(graph: Graph, step: Step) -> str | None:
    """Return the role in which an activity used an entity that nobody gave a name."""
    for node in graph.objects(str(step.activity), PROV.qualifiedUsage):
        used = graph.objects(node, PKG.usedVersion) or graph.objects(node, PROV.entity)
        for role in graph.objects(node, PROV.hadRole) if step.entity in used else ():
            return next(iter(graph.objects(role, SKOS.prefLabel)), None)
    return None
