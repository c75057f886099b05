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


class Described:
    """What one activity uses and generates, as its definition says."""

    def __init__(self, pipeline: Pipeline, activity: Activity) -> None:
        self.pipeline, self.activity = pipeline, activity
        self.usages = [slot for slot in activity.slots if slot.kind == "usage"]
        self.generations = [slot for slot in activity.slots if slot.kind == "generation"]
        self._said: set[Expression] = set()

    def before(self, call: Call) -> None:
        """Find parameters, and what is used; a parameter that is false, zero or empty is one all the same."""
        for parameter in self.activity.parameters:
            if parameter.value is not None:
                value = self.value(parameter.value, call.scopes)
                if value is not MISSING:
                    call.parameters[parameter.name] = plain(value)
        for slot in self.usages:
            used = self.references(slot, slot.captured, call.scopes)
            call.used += used
            call.derived += [(each, made) for each in used for made in self.made_as(slot, call, each)]
        for slot in self.generations:
            for path in self.paths(slot, call):
                call.look(path)

    def made_as(self, slot: Slot, call: Call, used: Reference) -> Iterator[Reference]:
        """Give what a variable stood for when it was generated for this lot, if it is used as something else now."""
        known = self.pipeline.made.get((call.lot, slot.captured.value)) if call.lot else None
        if known is not None and _identity(known) != _identity(used):
            yield known

    def after(self, call: Call) -> None:
        """Find what was generated, with its members and progenitors."""
        for slot in self.generations:
            for made in self.references(slot, slot.captured, call.scopes):
                call.generated.append(call.changed(made))
                if call.lot:
                    self.pipeline.made[call.lot, slot.captured.value] = made
                for what, pairs in ((slot.members, call.members), (slot.progenitors, call.derived)):
                    if what is not None:
                        pairs += [(made, each) for each in self.items(slot, what, call)]

    def paths(self, slot: Slot, call: Call) -> Iterator[str]:
        """Give the paths of what will be generated, to see later whether it was."""
        entity = self.pipeline.entities.get(slot.entity)
        expression = slot.captured.value or slot.captured.location
        if entity is None or "File" not in entity.type or expression is None:
            return
        if path := _path(self.value(expression, call.scopes, quiet=True)):
            yield path

    def items(self, slot: Slot, what: Captured, call: Call) -> Iterator[Reference]:
        """Give members or progenitors: of each item of a list, else what the pipeline itself names."""
        if what.many is None:
            yield from self.references(slot, what, call.scopes)
            return
        listed = self.value(what.many, call.scopes)
        for each in listed if isinstance(listed, list | tuple | set | frozenset) else []:
            yield from self.references(slot, what, [each])

    def references(self, slot: Slot, what: Captured, scopes: list[Any]) -> list[Reference]:
        """Return what a record says of the entity that is meant: nothing where there is none."""
        entity = self.pipeline.entities.get(what.entity or slot.entity)
        about = _about(slot if what is slot.captured else None, entity, what.entity)
        location = self.value(what.location, scopes) if what.location is not None else None
        value = self.value(what.value, scopes) if what.value is not None else location
        local = self.value(what.id, scopes) if what.id is not None else None
        value, location, local = (None if each is MISSING else each for each in (value, location, local))
        if local is not None:
            about["local"] = f"{what.namespace}:{local}" if what.namespace else str(local)
        where = _path(value) if entity is not None and "File" in entity.type else None
        where = where or _path(location)
        if where:
            index = {"index": entity.index} if entity is not None and entity.index else {}
            return [reference(where, **about, **index)]
        if local is not None:
            return [about]
        if value is None:
            return []
        expression = what.value or what.location
        return [about | self.pipeline.objects.reference(value, expression.text if expression else "")]

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


def _about(slot: Slot | None, entity: Entity | None, name: str) -> Reference:
    """Return role and kind of an entity."""
    facts = {
        "role": slot.role if slot is not None else "",
        "name": entity.name if entity is not None else name,
        "type": entity.type if entity is not None else "",
        "content_type": entity.content_type if entity is not None else "",
    }
    return {key: value for key, value in facts.items() if value}


def _identity(reference: Reference) -> str | None:
    return reference.get("real") or reference.get("path") or reference.get("local")


def _path(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, str | os.PathLike) else ""
