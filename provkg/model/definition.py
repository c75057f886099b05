"""Read a definition.yaml, each part with its line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from provkg.errors import InputError

NODE_LIMIT = 100_000
_ACTIVITIES = ("activities", "activity_descriptions")
_ENTITIES = ("entities", "entity_descriptions")
_KIND = ("entityName", "entityType", "entity_description")
_MULTIPLICITY = re.compile(r"(\*|\d+)(?:\.\.(\d+|\*))?")
_VALUE = ("datatype", "arraysize", "xtype", "unit", "ucd", "utype", "min", "max", "default")


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
        match = _MULTIPLICITY.fullmatch(self.multiplicity or "1")
        assert match is not None
        if match[1] == "*":
            return 0, None
        least = int(match[1])
        return (least, least) if match[2] is None else (least, None if match[2] == "*" else int(match[2]))


@dataclass(frozen=True)
class Parameter:
    """A parameter that activities take; ``facts`` are datatype, unit, ucd, min and so on, as text."""

    name: str
    description: str
    facts: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    line: int


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


class _Map(dict[str, Any]):
    """A YAML mapping that knows its line and the lines of its keys."""

    line = 0
    lines: dict[str, int]


def read_definition(text: str | bytes, path: str) -> Definition:
    """Read a definition.

    Args:
        text: YAML; nothing in it is executed, and aliases cannot make it larger than it is.
        path: where it lies, for errors.

    Raises:
        InputError: it is no YAML, or no definition; the message names the line.
    """
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        raise InputError(f"{where}: no YAML: {getattr(error, 'problem', None) or error}") from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"{path}: no YAML: {error}") from None
    return _Reading(path).definition(root)


class _Reading:
    def __init__(self, path: str) -> None:
        self.path = path
        self.left = NODE_LIMIT
        self.odd: list[tuple[int, str]] = []

    def definition(self, root: yaml.Node | None) -> Definition:
        document = self.plain(root, 0) if root is not None else None
        if not isinstance(document, _Map) or not any(key in document for key in _ACTIVITIES):
            raise InputError(f"{self.path}: no definition: it has no key activities or activity_descriptions")
        self.known(document, {*_ACTIVITIES, *_ENTITIES, "agents"})
        activities = tuple(self.activity(*each) for key in _ACTIVITIES for each in self.items(document, key))
        entities = tuple(self.entity(*each) for key in _ENTITIES for each in self.items(document, key))
        agents = tuple((name, self.text(agent, "email")) for name, agent in self.items(document, "agents"))
        return Definition(self.path, activities, entities, agents, tuple(self.odd))

    def activity(self, name: str, data: _Map) -> Activity:
        self.known(data, {"description", "contact", "version", "parameters", "usage", "generation"})
        slots = [self.slot(kind, each) for kind in ("usage", "generation") for each in self.list(data, kind)]
        return Activity(
            name,
            self.text(data, "description"),
            self.text(data, "contact"),
            self.text(data, "version"),
            tuple(self.parameter(each) for each in self.list(data, "parameters")),
            tuple(slots),
            data.line,
        )

    def slot(self, kind: str, data: _Map) -> Slot:
        capture = {"location", "value", "id", "namespace", "overwrite", "has_members", "has_progenitors"}
        self.known(data, {"role", "description", "multiplicity", "type", *_KIND, *capture})
        entity = next((self.text(data, key) for key in _KIND if data.get(key)), "")
        role = self.text(data, "role") or entity
        if not role:
            raise InputError(f"{self.path}:{data.line}: a {kind} without a role", hint="say role:")
        multiplicity = self.text(data, "multiplicity")
        if multiplicity and not _MULTIPLICITY.fullmatch(multiplicity):
            line = data.lines.get("multiplicity", data.line)
            raise InputError(
                f"{self.path}:{line}: the multiplicity {multiplicity!r} cannot be read", hint="write n, *, m..n or m..*"
            )
        return Slot(
            kind, role, self.text(data, "description"), entity, multiplicity, self.text(data, "type"), data.line
        )

    def parameter(self, data: _Map) -> Parameter:
        self.known(data, {"name", "description", "value", "options", *_VALUE})
        name = self.text(data, "name") or self.text(data, "value")
        if not name:
            raise InputError(f"{self.path}:{data.line}: a parameter without a name", hint="say name:")
        options = data.get("options") or []
        facts = tuple((key, self.text(data, key)) for key in _VALUE if self.text(data, key))
        listed = options if isinstance(options, list) else (options,)
        return Parameter(name, self.text(data, "description"), facts, tuple(map(str, listed)), data.line)

    def entity(self, name: str, data: _Map) -> Entity:
        self.known(data, {"description", "docurl", "contentType", "type", "index"})
        description, docurl, content_type, kind = (
            self.text(data, key) for key in ("description", "docurl", "contentType", "type")
        )
        return Entity(name, description, docurl, content_type, kind, data.line)

    # YAML

    def plain(self, node: yaml.Node, depth: int) -> Any:
        """Return a node as plain data: text stays text, whatever YAML would make of it."""
        self.left -= 1
        if self.left < 0 or depth > 50:
            raise InputError(f"{self.path}: too large or too deep for a definition")
        if isinstance(node, yaml.MappingNode):
            found = _Map()
            found.line = node.start_mark.line + 1
            found.lines = {}
            for key, value in node.value:
                name = str(getattr(key, "value", ""))
                if name in found:
                    raise InputError(f"{self.path}:{key.start_mark.line + 1}: {name!r} is defined twice")
                found.lines[name] = key.start_mark.line + 1
                found[name] = self.plain(value, depth + 1)
                if isinstance(found[name], _Map):
                    found[name].line = key.start_mark.line + 1
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(each, depth + 1) for each in node.value]
        empty = node.tag == "tag:yaml.org,2002:null"
        return None if empty else str(node.value)

    def items(self, data: _Map, key: str) -> Iterator[tuple[str, _Map]]:
        """Give the named parts of a mapping; an empty one is a mapping without keys."""
        held = data.get(key)
        if held is None:
            return
        if not isinstance(held, _Map):
            raise InputError(f"{self.path}:{data.lines[key]}: {key} must be a mapping of names")
        for name, part in held.items():
            if part is None:
                part = _Map()  # noqa: PLW2901
                part.line, part.lines = held.lines[name], {}
            if not isinstance(part, _Map):
                raise InputError(f"{self.path}:{held.lines[name]}: {name} must be a mapping")
            yield name, part

    def list(self, data: _Map, key: str) -> Iterator[_Map]:
        """Give the parts of a list; it may be empty or null."""
        held = data.get(key) or []
        if not isinstance(held, list) or not all(isinstance(each, _Map) for each in held):
            raise InputError(f"{self.path}:{data.lines[key]}: {key} must be a list of mappings")
        yield from held

    def text(self, data: _Map, key: str) -> str:
        """Return a value as text; folded lines are joined."""
        value = data.get(key)
        if isinstance(value, _Map | list):
            raise InputError(f"{self.path}:{data.lines[key]}: {key} must be text")
        return " ".join(str(value).split()) if value is not None else ""

    def known(self, data: _Map, keys: set[str]) -> None:
        """Note the keys that no dialect has."""
        self.odd += [(data.lines[key], key) for key in data if key not in keys]
