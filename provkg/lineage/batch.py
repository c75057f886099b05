"""What is resolved at once: the edges of the sources of one ingest, or of a part of it."""

from dataclasses import dataclass, field

from provkg.edges import Edges


@dataclass
class Batch:
    """The edges of some sources by graph, and the names in sources that were removed before.

    ``recounted`` are the sources of which the edges are not all, ``again`` the activities of which they say only what
    is new.
    """

    edges: dict[str, Edges] = field(default_factory=dict)
    places: set[str] = field(default_factory=set)
    activities: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    recounted: set[str] = field(default_factory=set)
    again: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return sum(map(len, self.edges.values()))

    def __bool__(self) -> bool:
        return bool(self.edges or self.places or self.activities or self.links or self.sessions)

    def names(self, base: str) -> set[str]:
        """Return all names by which records of another batch could mean what this one speaks of."""
        names = set(self.places)
        for edges in self.edges.values():
            names |= edges.times.keys() | edges.described.keys() | edges.places.keys() | set(edges.places.values())
            names |= edges.asked
            names |= edges.nights.keys() | set(edges.sessions.values())
            for usage in edges.usages:
                names |= {usage.used, usage.digest, usage.activity}
            names |= {usage.node for usage in edges.foreign(base)}
            for each in edges.generations:
                names |= {each.version, each.place, each.activity, each.digest}
            for link in edges.links:
                names |= {link.node, link.subject, link.object, link.activity}
        return names - {""}
