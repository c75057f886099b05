"""The parts of a definition, as plain frozen data."""

import re
from dataclasses import dataclass, field

from provkg.model.expressions import Expression

_MULTIPLICITY = re.compile(r"\*|(\d{1,9})(?:\.\.(\d{1,9}|\*))?")


@dataclass(frozen=True)
class Captured:
    """How capture finds an entity: expressions of its value, location and id, and a namespace for the id.

    ``many`` is the expression of a list of which each item is meant, where members and progenitors have one.
    """

    value: Expression | None = None
    location: Expression | None = None
    id: Expression | None = None
    many: Expression | None = None
    namespace: str = ""
    entity: str = ""

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions that there are."""
        return tuple(each for each in (self.value, self.location, self.id, self.many) if each is not None)


@dataclass(frozen=True)
class Slot:
    """An input or an output of an activity. ``kind`` is usage or generation; ``entity`` names an :class:`Entity`."""

    kind: str
    role: str
    description: str
    entity: str
    multiplicity: str
    usage_type: str
    line: int
    captured: Captured = Captured()
    members: Captured | None = None
    progenitors: Captured | None = None

    @property
    def declared(self) -> bool:
        """Say whether the definition gives a multiplicity; where it gives none, one is assumed."""
        return bool(self.multiplicity)

    @property
    def bounds(self) -> tuple[int, int | None]:
        """The least and the greatest number of entities in this role; None is any.

        >>> Slot("usage", "r", "", "", "1..*", "", 1).bounds
        (1, None)
        """
        return bounds(self.multiplicity or "1")


@dataclass(frozen=True)
class Parameter:
    """A parameter that activities take; ``facts`` are datatype, unit, ucd, min and so on, as text."""

    name: str
    description: str
    facts: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    line: int
    value: Expression | None = None


@dataclass(frozen=True)
class Activity:
    """A type of activity."""

    name: str
    description: str
    contact: str
    version: str
    parameters: tuple[Parameter, ...]
    slots: tuple[Slot, ...]
    line: int


@dataclass(frozen=True)
class Entity:
    """A kind of entity."""

    name: str
    description: str
    docurl: str
    content_type: str
    type: str
    line: int
    index: str = ""


@dataclass(frozen=True)
class Definition:
    """A pipeline's definition, and what in it was not understood, by line."""

    path: str
    activities: tuple[Activity, ...]
    entities: tuple[Entity, ...]
    agents: tuple[tuple[str, str], ...] = ()
    odd: tuple[tuple[int, str], ...] = field(default=())

    def entity(self, name: str) -> Entity | None:
        """Return a kind of entity by name."""
        return next((each for each in self.entities if each.name == name), None)


def bounds(text: str) -> tuple[int, int | None]:
    """Read a multiplicity.

    Raises:
        ValueError: it cannot be read, or its least is more than its most.
    """
    match = _MULTIPLICITY.fullmatch(text)
    if match is None:
        raise ValueError(text)
    if text == "*":
        return 0, None
    least = int(match[1])
    most = least if match[2] is None else None if match[2] == "*" else int(match[2])
    if most is not None and most < least:
        raise ValueError(text)
    return least, most
