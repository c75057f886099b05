"""The edges of one document: who read and wrote what, for :mod:`provkg.lineage` to resolve over all documents."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from msgspec import Struct

from provkg.records import Kind


class Described(NamedTuple):
    """What people are told of a product or its place: where it lies, what it is called, its levels."""

    location: str = ""
    name: str = ""
    level: str = ""


class Made(NamedTuple):
    """What people are told of an activity: its type, when it started (as recorded and in UTC), and how it ended.

    ``outcome`` is the last word of a status IRI, or ``running`` where that was recorded.
    """

    label: str = ""
    start: str = ""
    outcome: str = ""


class Usage(Struct, frozen=True):
    """A usage to resolve: ``used`` is a place or the very entity; ``at`` in microseconds since 1970, or None."""

    node: str
    activity: str
    used: str
    at: int | None
    digest: str = ""


class Generation(Struct, frozen=True):
    """A version that an activity wrote at a place (its own IRI where there is no place)."""

    version: str
    place: str
    activity: str
    digest: str = ""
    product: str = ""


class Link(Struct, frozen=True):
    """A derivation or membership to resolve: ``subject`` came from, or has as member, ``object``."""

    kind: Kind
    node: str
    subject: str
    object: str
    activity: str
    at: int | None


@dataclass
class Edges:
    """What a document says of who read and wrote what; all names are IRIs without brackets.

    ``described``, ``places`` and ``made`` are what it says to people of products and activities; for those in
    ``asked`` it says more than these can hold, so that the graph must be asked. ``sessions`` are those of activities,
    ``nights`` the observation dates of sessions, ``ends`` how activities ended that began elsewhere.
    """

    times: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    usages: list[Usage] = field(default_factory=list)
    generations: list[Generation] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    described: dict[str, Described] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    nights: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    ends: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.usages) + len(self.generations) + len(self.links)

    def __bool__(self) -> bool:
        return True

    def copy(self) -> "Edges":
        """Return the same edges, to which others can be added."""
        return Edges(*(copy(getattr(self, each.name)) for each in fields(self)))

    def since(self, before: "Edges") -> "Edges":
        """Return what was added or has changed since these were copied."""
        found = Edges(asked=self.asked - before.asked)
        for name in ("usages", "generations", "links"):
            setattr(found, name, getattr(self, name)[len(getattr(before, name)) :])
        for name in ("times", "described", "places", "made", "sessions", "nights", "ends"):
            known = getattr(before, name)
            setattr(found, name, {key: value for key, value in getattr(self, name).items() if known.get(key) != value})
        return found

    def foreign(self, base: str) -> Iterator[Usage]:
        """Give the usages whose ids are those of their records: others may have given them to something else."""
        own = f"{base}usage/"
        return (usage for usage in self.usages if not usage.node.startswith(own))

    def speaks_of(self) -> set[str]:
        """Return the activities of which it says something."""
        return {
            *self.times,
            *(each.activity for each in self.usages),
            *(each.activity for each in self.generations),
            *(each.activity for each in self.links if each.activity),
            *self.sessions,
        }

    def describe(self, iri: str, told: Described) -> None:
        """Note what people are told of a product or place."""
        if self.described.setdefault(iri, told) != told:
            self.asked.add(iri)

    def lies(self, version: str, place: str) -> None:
        """Note where a version lies."""
        if self.places.setdefault(version, place) != place:
            self.asked |= {version, place, self.places[version]}

    def make(self, activity: str, told: Made) -> None:
        """Note what people are told of an activity."""
        if self.made.setdefault(activity, told) != told or self.ends.pop(activity, None) is not None:
            self.asked.add(activity)

    def happen(self, activity: str, session: str) -> None:
        """Note in which session an activity happened."""
        if self.sessions.setdefault(activity, session) != session:
            self.asked.add(activity)

    def observe(self, session: str, night: str) -> None:
        """Note the observation date of a session."""
        if self.nights.setdefault(session, night) != night:
            self.asked.add(session)

    def end(self, activity: str, outcome: str) -> None:
        """Note how an activity ended."""
        if activity in self.made:
            self.made[activity] = self.made[activity]._replace(outcome=outcome)
        elif self.ends.setdefault(activity, outcome) != outcome:
            self.asked.add(activity)
