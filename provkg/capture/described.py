"""What a definition says that an activity uses and generates, found in a running pipeline."""

import hashlib
import os
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from provkg.capture.call import Call
from provkg.capture.facts import plain
from provkg.capture.run import Reference, reference
from provkg.capture.warned import warn
from provkg.errors import InputError
from provkg.model import Activity, Captured, Definition, Entity, Slot, read_definition
from provkg.model.expressions import MISSING, Expression, follow

_SMALL = 1000
_VALUE_CHARACTERS = 200


class Pipeline:
    """A definition that is being watched."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.entities = {each.name: each for each in definition.entities}
        self.activities = {each.name: each for each in definition.activities}
        self.objects = Objects()
        self.made: dict[tuple[str, Expression | None], Reference] = {}  # what was generated last, by lot and variable

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Pipeline | None":
        """Read a definition; what is wrong in it is a warning with file and line, and the rest of it counts."""
        try:
            with open(path, "rb") as stream:  # noqa: PTH123 - any kind of path
                definition = read_definition(stream.read(), os.fspath(path))
        except (InputError, OSError) as error:
            warn(f"without a definition: {error}", level=6)
            return None
        for line, text in definition.odd:
            warn(f"{definition.path}:{line}: {text}", level=6)
        return cls(definition)

    def plan(self, name: str) -> "Described | None":
        """Return the plan of an activity, if the definition has it."""
        activity = self.activities.get(name)
        return Described(self, activity) if activity is not None else None


class _Item:
    """An entity that a definition names, prepared: how it is found, and what is always said of it."""

    def __init__(self, what: Captured, entity: Entity | None, role: str) -> None:
        self.what, self.value, self.location, self.id = what, what.value, what.location, what.id
        self.is_file = entity is not None and "File" in entity.type
        about = {"role": role, "name": entity.name if entity is not None else what.entity}
        if entity is not None:
            about |= {"type": entity.type, "content_type": entity.content_type, "index": entity.index}
        self.about = {key: value for key, value in about.items() if value}


class Described:
    """What one activity uses and generates, as its definition says."""

    def __init__(self, pipeline: Pipeline, activity: Activity) -> None:
        self.pipeline, self.activity = pipeline, activity
        self.parameters = [(each.name, each.value) for each in activity.parameters if each.value is not None]
        self.usages = [self._item(slot.captured, slot.role) for slot in activity.slots if slot.kind == "usage"]
        self.generations = [self._items(slot) for slot in activity.slots if slot.kind == "generation"]
        self._said: set[Expression] = set()

    def _item(self, what: Captured, role: str = "") -> _Item:
        return _Item(what, self.pipeline.entities.get(what.entity), role)

    def _items(self, slot: Slot) -> tuple[_Item, _Item | None, _Item | None]:
        others = [self._item(each) if each is not None else None for each in (slot.members, slot.progenitors)]
        return self._item(slot.captured, slot.role), others[0], others[1]

    def before(self, call: Call) -> None:
        """Find parameters, and what is used; a parameter that is false, zero or empty is one all the same."""
        scopes = call.scopes
        for name, expression in self.parameters:
            value = self.value(expression, scopes)
            if value is not MISSING:
                call.parameters[name] = plain(value)
        for item in self.usages:
            used = self.reference(item, scopes)
            if used is not None:
                call.used.append(used)
                known = self.pipeline.made.get((call.lot, item.value)) if call.lot else None
                if known is not None and _identity(known) != _identity(used):
                    call.derived.append((used, known))
        for item, _, _ in self.generations:
            where = item.value or item.location
            if item.is_file and where is not None:
                path = _path(self.value(where, scopes, quiet=True))
                if path:
                    call.look(path)

    def after(self, call: Call) -> None:
        """Find what was generated, with its members and progenitors."""
        for item, members, progenitors in self.generations:
            made = self.reference(item, call.scopes)
            if made is None:
                continue
            call.generated.append(call.changed(made))
            if call.lot:
                self.pipeline.made[call.lot, item.value] = made
            if members is not None:
                call.members += [(made, each) for each in self.each(members, call)]
            if progenitors is not None:
                call.derived += [(made, each) for each in self.each(progenitors, call)]

    def each(self, item: _Item, call: Call) -> Iterator[Reference]:
        """Give members or progenitors: of each item of a list, else what the pipeline itself names."""
        listed: Any = [None]
        if item.what.many is not None:
            listed = self.value(item.what.many, call.scopes)
        for each in listed if isinstance(listed, list | tuple | set | frozenset) else []:
            found = self.reference(item, call.scopes if item.what.many is None else [each])
            if found is not None:
                yield found

    def reference(self, item: _Item, scopes: list[Any]) -> Reference | None:
        """Return what a record says of the entity that is meant; None where there is none."""
        location = self.value(item.location, scopes) if item.location is not None else None
        value = self.value(item.value, scopes) if item.value is not None else location
        where = (_path(value) if item.is_file else "") or _path(location)
        about = item.about
        if item.id is not None:
            local = self.value(item.id, scopes)
            if local is not MISSING and local is not None:
                about = about | {"local": f"{item.what.namespace}:{local}" if item.what.namespace else str(local)}
        if where:
            return reference(where) | about
        if "local" in about:
            return about
        if value is None or value is MISSING:
            return None
        expression = item.value or item.location
        return about | self.pipeline.objects.reference(value, expression.text if expression is not None else "")

    def value(self, expression: Expression, scopes: list[Any], *, quiet: bool = False) -> Any:
        """Follow an expression; one that leads nowhere is said once, with file and line."""
        trouble = ""
        try:
            found = follow(expression, scopes)
        except Exception as error:  # noqa: BLE001 - the pipeline's own code: what it raises ends here
            found, trouble = MISSING, f": {error!r}"
        if found is MISSING and not quiet and expression not in self._said:
            self._said.add(expression)
            path = self.pipeline.definition.path
            warn(
                f"{path}:{expression.line}: {expression.text!r} of {self.activity.name} was not found{trouble}", level=7
            )
        return found


class Objects:
    """Names for things in memory: one for each object while it lives, and for equal plain values of one variable."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], str]] = {}
        self._count = 0

    def reference(self, value: Any, expression: str) -> Reference:
        """Return what a record says of a thing in memory."""
        try:
            return {"local": self._living(value)}
        except TypeError:
            pass
        self._count += 1
        sized = len(value) if hasattr(value, "__len__") else 0
        if sized > _SMALL and not isinstance(value, str | bytes):
            return {"local": f"{expression} {self._count}"}  # its own: what is not looked into is joined with nothing
        digest = hashlib.sha256(repr(plain(value)).encode("utf-8", "backslashreplace")).hexdigest()[:16]
        text = str(value)[:_VALUE_CHARACTERS]
        return {"local": f"{expression} {digest}", "value": text}

    def _living(self, value: Any) -> str:
        if isinstance(value, str | bytes | int | float | Mapping | list | tuple | set | frozenset):
            raise TypeError
        known = self._known.get(id(value))
        if known is None or known[0]() is not value:
            self._count += 1
            name = f"{type(value).__qualname__} {self._count}"
            known = self._known[id(value)] = (weakref.ref(value), name)
        return known[1]


def _identity(reference: Reference) -> str | None:
    return reference.get("real") or reference.get("path") or reference.get("local")


def _path(value: Any) -> str:
    if type(value) is str:
        return value
    return os.fsdecode(value) if isinstance(value, str | os.PathLike) else ""
