"""Look up in the store what version resolution needs to know."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pyoxigraph import Literal

from provkg.edges import Generation, Link, Usage
from provkg.records import Kind
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PROV, RDF_TYPE, RESOLUTION

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Written:
    """A version, the activity that wrote it, and when that ran (microseconds since 1970)."""

    version: str
    activity: str
    start: int | None
    end: int | None
    digest: str = ""
    product: str = ""


class Facts:
    """What the graphs of all sources say; the resolution graph is left out."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.resolution = graph.iri(RESOLUTION)

    def times(self, activity: str) -> tuple[int | None, int | None]:
        """Return start and end of an activity in microseconds since 1970."""
        starts = map(_micros, self.graph.objects(activity, PROV.startedAtTime))
        ends = map(_micros, self.graph.objects(activity, PROV.endedAtTime))
        return earliest(*starts), latest(*ends)

    def tellers(self, activity: str) -> set[str]:
        """Return the graphs of the sources that tell of an activity, or of what it used or made."""
        told = {text_of(quad.graph_name) for quad in self.graph.quads(activity)}
        told |= {text_of(quad.graph_name) for quad in self.graph.quads(None, PROV.wasGeneratedBy, activity)}
        return told - {self.resolution}

    def is_activity(self, iri: str) -> bool:
        """Say whether some source declares an activity: others only say what it used or made."""
        return any(True for _ in self.graph.quads(iri, RDF_TYPE, PROV.Activity))

    def usages(self, activity: str) -> list[Usage]:
        """Return the usages of an activity."""
        found = []
        for node in self.graph.objects(activity, PROV.qualifiedUsage):
            used = self.graph.objects(node, PROV.entity)
            at, digest = self.graph.objects(node, PROV.atTime), self.graph.objects(node, PKG.contentDigest)
            found += [
                Usage(node, activity, each, _micros(at[0]) if at else None, digest[0] if digest else "")
                for each in used
            ]
        return found

    def generations(self, activity: str) -> list[Generation]:
        """Return what an activity generated."""
        found = []
        for version in self.graph.subjects(PROV.wasGeneratedBy, activity):
            places = self.graph.objects(version, PROV.specializationOf) or [version]
            digest, product = (
                self.graph.objects(version, PKG.contentDigest),
                self.graph.objects(version, PKG.headerProductId),
            )
            found.append(
                Generation(version, places[0], activity, digest[0] if digest else "", product[0] if product else "")
            )
        return found

    def written(self, place: str) -> list[Written]:
        """Return the versions of a place that somebody wrote."""
        return [
            each for version in self.graph.subjects(PROV.specializationOf, place) for each in self._written(version)
        ]

    def with_digest(self, digest: str) -> list[Written]:
        """Return the versions that somebody wrote with a content digest."""
        return [each for version in self.graph.subjects(PKG.contentDigest, digest) for each in self._written(version)]

    def _written(self, version: str) -> list[Written]:
        activities = self.graph.objects(version, PROV.wasGeneratedBy)
        if not activities:
            return []
        digest, product = (
            self.graph.objects(version, PKG.contentDigest),
            self.graph.objects(version, PKG.headerProductId),
        )
        return [
            Written(
                version, activity, *self.times(activity), digest[0] if digest else "", product[0] if product else ""
            )
            for activity in activities
        ]

    def places_of(self, entity: str) -> list[str]:
        """Return the places at which an entity was seen."""
        return self.graph.objects(entity, PROV.specializationOf)

    def is_generated(self, entity: str) -> bool:
        """Say whether somebody recorded making an entity."""
        return bool(self.graph.objects(entity, PROV.wasGeneratedBy))

    def makers(self, entity: str) -> list[str]:
        """Return the activities that recorded making an entity."""
        return self.graph.objects(entity, PROV.wasGeneratedBy)

    def claiming_product(self, product: str) -> list[str]:
        """Return versions whose header carries a product id without being that product by their log."""
        return self.graph.subjects(PKG.headerProductId, Literal(product))

    def has_product(self, version: str) -> bool:
        """Say whether a version has a product id."""
        return bool(self.graph.objects(version, PKG.productId))

    # Who speaks of a place

    def nodes_of(self, place: str) -> set[str]:
        """Return the usages, derivations and memberships that speak of a place, or of an entity seen there."""
        nodes = set(self.graph.subjects(PROV.entity, place)) | set(self.graph.objects(place, PROV.qualifiedDerivation))
        for version in self.graph.subjects(PROV.specializationOf, place):
            nodes |= set(self.graph.subjects(PROV.entity, version))
        return nodes

    def activity_of(self, usage: str) -> str | None:
        """Return the activity of a usage node, or None for another kind of node."""
        found = self.graph.subjects(PROV.qualifiedUsage, usage)
        return found[0] if found else None

    def users_of(self, entity: str) -> set[str]:
        """Return the activities that used an entity by its id."""
        return {activity for node in self.graph.subjects(PROV.entity, entity) if (activity := self.activity_of(node))}

    def users_of_digest(self, digest: str) -> set[str]:
        """Return the activities that used something with a content digest."""
        return {
            activity for node in self.graph.subjects(PKG.contentDigest, digest) if (activity := self.activity_of(node))
        }

    def link(self, node: str) -> Link | None:
        """Return a derivation or membership as asserted."""
        objects = self.graph.objects(node, PROV.entity)
        for kind, term in ((Kind.DERIVED, PROV.qualifiedDerivation), (Kind.MEMBER, PKG.qualifiedMembership)):
            subjects = self.graph.subjects(term, node)
            if subjects and objects:
                by, at = self.graph.objects(node, PKG.recordedBy), self.graph.objects(node, PROV.atTime)
                return Link(kind, node, subjects[0], objects[0], by[0] if by else "", _micros(at[0]) if at else None)
        return None


def earliest(*times: int | None) -> int | None:
    """Return the first of the times that are known: several sources may tell of one activity."""
    return min((time for time in times if time is not None), default=None)


def latest(*times: int | None) -> int | None:
    """Return the last of the times that are known."""
    return max((time for time in times if time is not None), default=None)


def _micros(text: str) -> int | None:
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except (ValueError, TypeError):
        return None
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
