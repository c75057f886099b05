"""Read a definition.yaml, each part with its line."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from provkg.errors import InputError, said
from provkg.model.expressions import Expression, parse
from provkg.model.parts import Activity, Captured, Definition, Entity, Parameter, Slot, bounds

NODE_LIMIT = 100_000
_ACTIVITIES = ("activities", "activity_descriptions")
_ENTITIES = ("entities", "entity_descriptions")
_KIND = ("entityName", "entityType", "entity_description")
DEPTH_LIMIT = 50
_VALUE = ("datatype", "arraysize", "xtype", "unit", "ucd", "utype", "min", "max", "default")


class _Scalar(str):
    """A YAML scalar as it is written, with the tag that YAML gives it."""

    __slots__ = ("tag",)
    tag: str

    def value(self) -> str:
        """Return the value as a record has it: ``True`` is true, ``1_000`` is 1000, ``0.10`` is 0.1."""
        kind = self.tag.rpartition(":")[2]
        if kind not in ("bool", "int", "float"):
            return str(self)
        plain = yaml.safe_load(str(self))
        if isinstance(plain, bool):
            return "true" if plain else "false"
        return str(plain) if isinstance(plain, int) else repr(float(plain))


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
        _bounded(text, path)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        raise InputError(f"{where}: no YAML: {getattr(error, 'problem', None) or said(error)}") from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"{path}: no YAML: {said(error)}") from None
    return _Reading(path).definition(root)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _bounded(text: str | bytes, path: str) -> None:
    """Refuse what is too deep before it is composed: the composer of libyaml recurses."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_LIMIT:
            raise InputError(f"{path}: more than {DEPTH_LIMIT} levels deep: too large or too deep for a definition")


class _Reading:
    def __init__(self, path: str) -> None:
        self.path = path
        self.left = NODE_LIMIT
        self.odd: list[tuple[int, str]] = []
        self.constructor = yaml.constructor.SafeConstructor()

    def definition(self, root: yaml.Node | None) -> Definition:
        document = self.plain(root, 0) if root is not None else None
        if not isinstance(document, _Map) or not any(key in document for key in _ACTIVITIES):
            raise InputError(f"{self.path}: no definition: it has no key activities or activity_descriptions")
        self.known(document, {*_ACTIVITIES, *_ENTITIES, "agents", "namespaces"})
        activities = tuple(self.activity(*each) for key in _ACTIVITIES for each in self.items(document, key))
        entities = tuple(self.entity(*each) for key in _ENTITIES for each in self.items(document, key))
        self.unique(activities, "activity")
        self.unique(entities, "entity")
        named = {each.name for each in entities}
        self.odd += [
            (
                slot.line,
                f"the entity {slot.entity!r} is not defined: what fills {slot.role!r} is not checked for its kind",
            )
            for activity in activities
            for slot in activity.slots
            if slot.entity and slot.entity not in named
        ]
        agents = tuple((name, self.text(agent, "email")) for name, agent in self.items(document, "agents"))
        return Definition(self.path, activities, entities, agents, tuple(self.odd))

    def activity(self, name: str, data: _Map) -> Activity:
        self.known(data, {"description", "contact", "version", "parameters", "usage", "generation"})
        slots = [self.slot(kind, each) for kind in ("usage", "generation") for each in self.list(data, kind)]
        parameters = tuple(self.parameter(each) for each in self.list(data, "parameters"))
        self.unique(parameters, f"parameter of {name}")
        return Activity(
            name,
            self.text(data, "description"),
            self.text(data, "contact"),
            self.text(data, "version"),
            parameters,
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
        try:
            bounds(multiplicity or "1")
        except ValueError:
            shown = multiplicity if len(multiplicity) < 40 else f"{multiplicity[:40]}…"
            raise InputError(
                f"{self.path}:{data.lines['multiplicity']}: the multiplicity {shown!r} cannot be read",
                hint="write n, *, m..n or m..*",
            ) from None
        return Slot(
            kind,
            role,
            self.text(data, "description"),
            entity,
            multiplicity,
            self.text(data, "type"),
            data.line,
            self.captured(data),
            self.captured_of(data, "has_members"),
            self.captured_of(data, "has_progenitors"),
        )

    def captured_of(self, data: _Map, key: str) -> Captured | None:
        """Return how members or progenitors are found."""
        held = data.get(key)
        if held is None:
            return None
        if not isinstance(held, _Map):
            raise InputError(f"{self.path}:{data.lines[key]}: {key} must be a mapping")
        self.known(held, {"list", "id", "location", "value", "namespace", "description", "overwrite", *_KIND})
        return self.captured(held)

    def captured(self, data: _Map) -> Captured:
        """Return how capture finds an entity."""
        value, location, id_, many = (self.expression(data, key) for key in ("value", "location", "id", "list"))
        entity = next((self.text(data, key) for key in _KIND if data.get(key)), "")
        return Captured(value, location, id_, many, self.text(data, "namespace"), entity)

    def expression(self, data: _Map, key: str) -> Expression | None:
        """Return an expression; one that cannot be read is odd, and is left out."""
        text = self.text(data, key)
        try:
            return parse(text, data.lines[key]) if text else None
        except ValueError as error:
            self.odd.append((data.lines[key], f"the {key} {text!r} is no expression: {error}"))
            return None

    def parameter(self, data: _Map) -> Parameter:
        self.known(data, {"name", "description", "value", "options", *_VALUE})
        name = self.text(data, "name") or self.text(data, "value")
        if not name:
            raise InputError(f"{self.path}:{data.line}: a parameter without a name", hint="say name:")
        facts = tuple((key, self.value(data, key)) for key in _VALUE if self.text(data, key))
        limits = [self.number(data, key) for key in ("min", "max")]
        if None not in limits and limits[0] > limits[1]:  # type: ignore[operator]
            raise InputError(f"{self.path}:{data.lines['min']}: the minimum of {name!r} is above its maximum")
        return Parameter(
            name, self.text(data, "description"), facts, self.options(data), data.line, self.expression(data, "value")
        )

    def options(self, data: _Map) -> tuple[str, ...]:
        """Return the values that a parameter can take."""
        held = data.get("options")
        listed = held if isinstance(held, list) else [] if held is None else [held]
        if not all(isinstance(each, _Scalar) for each in listed):
            raise InputError(f"{self.path}:{data.lines['options']}: options must be a list of values")
        return tuple(each.value() for each in listed)

    def number(self, data: _Map, key: str) -> float | None:
        """Return a limit as a number."""
        try:
            return float(self.value(data, key)) if self.text(data, key) else None
        except ValueError:
            raise InputError(f"{self.path}:{data.lines[key]}: {key} must be a number") from None

    def unique(self, named: Iterable[Activity | Entity | Parameter], what: str) -> None:
        """Refuse two parts of one name."""
        seen = set()
        for each in named:
            if each.name in seen:
                raise InputError(f"{self.path}:{each.line}: the {what} {each.name!r} is defined twice")
            seen.add(each.name)

    def entity(self, name: str, data: _Map) -> Entity:
        self.known(data, {"description", "docurl", "contentType", "type", "index"})
        description, docurl, content_type, kind = (
            self.text(data, key) for key in ("description", "docurl", "contentType", "type")
        )
        return Entity(name, description, docurl, content_type, kind, data.line, self.text(data, "index"))

    # YAML

    def plain(self, node: yaml.Node, depth: int) -> Any:
        """Return a node as plain data: text stays text, whatever YAML would make of it."""
        self.left -= 1
        if self.left < 0 or depth > DEPTH_LIMIT:
            raise InputError(f"{self.path}: too large or too deep for a definition")
        if isinstance(node, yaml.MappingNode):
            found = _Map()
            found.line = node.start_mark.line + 1
            found.lines = {}
            own = set()
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise InputError(f"{self.path}:{key.start_mark.line + 1}: a key that is no text")
                if key.value in own and key.value != "<<":
                    raise InputError(f"{self.path}:{key.start_mark.line + 1}: {key.value!r} is defined twice")
                own.add(key.value)
            try:
                self.constructor.flatten_mapping(node)  # merge keys, as YAML has them: what is merged stands first
            except yaml.YAMLError as error:
                raise InputError(f"{self.path}:{node.start_mark.line + 1}: no YAML: {said(error)}") from None
            for key, value in node.value:
                name = str(key.value)
                found.lines[name] = key.start_mark.line + 1
                found[name] = self.plain(value, depth + 1)
                if isinstance(found[name], _Map):
                    found[name].line = key.start_mark.line + 1
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(each, depth + 1) for each in node.value]
        if node.tag == "tag:yaml.org,2002:null":
            return None
        scalar = _Scalar(node.value)
        scalar.tag = node.tag
        return scalar

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
        """Return a value as text; the lines of a description are joined, names are as they are."""
        value = data.get(key)
        if isinstance(value, _Map | list):
            raise InputError(f"{self.path}:{data.lines[key]}: {key} must be text")
        if value is None:
            return ""
        return " ".join(value.split()) if key == "description" else str(value)

    def value(self, data: _Map, key: str) -> str:
        """Return a value as a record has it."""
        held = data.get(key)
        return held.value() if isinstance(held, _Scalar) else ""

    def known(self, data: _Map, keys: set[str]) -> None:
        """Note the keys that no dialect has."""
        self.odd += [
            (data.lines[key], f"{key!r} is no key of a definition: ignored") for key in data if key not in keys
        ]
