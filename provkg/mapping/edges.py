"""The edges of one document: who read and wrote what, for :mod:`provkg.lineage` to resolve over all documents."""

from dataclasses import dataclass, field

from provkg.records import Kind


@dataclass(frozen=True, slots=True)
class Usage:
    """A usage to resolve: ``used`` is a place or the very entity; ``at`` in microseconds since 1970, or None."""

    node: str
    activity: str
    used: str
    at: int | None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """A version that an activity wrote at a place (its own IRI where there is no place)."""

    version: str
    place: str
    activity: str
    digest: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A derivation or membership to resolve: ``subject`` came from, or has as member, ``object``."""

    kind: Kind
    node: str
    subject: str
    object: str
    activity: str
    at: int | None


@dataclass
class Edges:
    """What a document says of who read and wrote what; all names are IRIs without brackets."""

    times: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    usages: list[Usage] = field(default_factory=list)
    generations: list[Generation] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
