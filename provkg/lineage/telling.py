"""What people are told of products and activities: from what a batch says, or from the graph."""

from collections.abc import Collection

from provkg.edges import Described, Edges, Made
from provkg.lineage.index.delta import Delta
from provkg.store import Graph
from provkg.vocab import PKG, PROV, RDFS_LABEL, VP, short

FINAL = {"completed", "failed", "interrupted"}


def _first(graph: Graph, subject: str, *predicates: str) -> str:
    return next((found[0] for predicate in predicates if (found := graph.objects(subject, predicate))), "")


def describe_entity(graph: Graph, entity: str) -> Described:
    """Return where an entity lies, what it is called and its levels, as the graph says; each may be empty."""
    places = [entity, *graph.objects(entity, PROV.specializationOf)]
    location = next((found for place in places if (found := _first(graph, place, PKG.location))), "")
    described = next((found for place in places if (found := _first(graph, place, VP.entityDescription))), "")
    name = _first(graph, described, VP.name) if described else _first(graph, entity, RDFS_LABEL, VP.name)
    kinds = {kind for place in places for kind in graph.objects(place, VP.entityDescription)}
    told = {short(level) for each in (*places, *kinds) for level in graph.objects(each, PKG.dataLevel)}
    return Described(location, name, " ".join(sorted(told)))


def describe_activity(graph: Graph, activity: str) -> Made:
    """Return the type of an activity, when it started (as recorded and in UTC) and how it ended; each may be empty."""
    start = _first(graph, activity, PKG.recordedStart, PROV.startedAtTime)
    return Made(_first(graph, activity, RDFS_LABEL), start, _outcome(graph, activity))


def _outcome(graph: Graph, activity: str) -> str:
    told = {short(status) for status in graph.objects(activity, PKG.status)} & FINAL
    return min(told) if told else "running" if "running" in graph.objects(activity, PKG.recordedStatus) else ""


class Telling:
    """What a batch says to people; the graph is asked of what batches before spoke of, and where it says more.

    Args:
        graph: the store, with the batch in it.
        batch: the edges of its sources.
        before: the names of which earlier batches may have spoken.
    """

    def __init__(self, graph: Graph, batch: Collection[Edges], before: set[str]) -> None:
        self.graph, self.asked = graph, set(before)
        self.all = Edges()
        for edges in batch:
            self.asked |= edges.asked
            self.all.asked |= edges.asked & before
            for iri, told in edges.described.items():
                self.all.describe(iri, told)
            for version, place in edges.places.items():
                self.all.lies(version, place)
            for activity, made in edges.made.items():
                self.all.make(activity, made)
            for activity, session in edges.sessions.items():
                self.all.happen(activity, session)
            for session, night in edges.nights.items():
                self.all.observe(session, night)
        for edges in batch:
            for activity, outcome in edges.ends.items():
                self.all.end(activity, outcome)
        self.asked |= self.all.asked | self.all.ends.keys()  # these began in no source of the batch

    def knows(self, activity: str) -> bool:
        """Say whether the batch knows all that people are told of an activity, and its session."""
        session = self.all.sessions.get(activity)
        if activity in self.asked or activity not in self.all.made:
            return False
        return session is None or (session in self.all.nights and session not in self.asked)

    def outcome(self, activity: str) -> str:
        """Return how an activity ended, ``running``, or nothing where nobody recorded it."""
        if activity in self.asked or activity not in self.all.made:
            return _outcome(self.graph, activity)
        return self.all.made[activity].outcome

    def activity(self, activity: str) -> Made:
        """Return what people are told of an activity."""
        if activity in self.asked or activity not in self.all.made:
            return describe_activity(self.graph, activity)
        return self.all.made[activity]

    def product(self, entity: str, place: str) -> Described:
        """Return what people are told of a product at a place."""
        place = self.all.places.get(entity, place)
        if {entity, place} & self.asked or not {entity, place} & self.all.described.keys():
            return describe_entity(self.graph, entity)
        own, there = self.all.described.get(entity, Described()), self.all.described.get(place, Described())
        name = own.name or there.name
        levels = " ".join(sorted({own.level, there.level} - {""}))
        return Described(own.location or there.location, name, levels)

    def tell(self, delta: Delta, touched: set[str], first: dict[str, str]) -> None:
        """Put into a delta what people are told of what it speaks of.

        Args:
            delta: the edges of a batch.
            touched: the places of sources that were removed.
            first: the places of first versions.
        """
        for of, node, via, _ in delta.edges:
            for entity in (of, node):
                if entity not in delta.products:
                    delta.products[entity] = self.product(entity, first.get(entity, ""))
            if via not in delta.activities:
                delta.activities[via] = self.activity(via)
        again = touched | ((self.all.described.keys() | self.all.asked) & self.asked)
        again |= {place for kind in again for place in self.graph.subjects(VP.entityDescription, kind)}
        for place in again:  # what lies there is told of anew
            for version in (place, *self.graph.subjects(PROV.specializationOf, place)):
                if version not in delta.products or version in self.asked:
                    delta.products[version] = describe_entity(self.graph, version)
                delta.retold.add(version)
