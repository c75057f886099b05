"""What a function's annotations say of what it uses and generates.

``Used`` and ``Generated`` mark arguments. An argument that is annotated as a path says not which: it is looked at
before and after the call, and what is concluded is marked as assumed.
"""

import inspect
import os
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any

from provkg.capture.call import Call
from provkg.capture.facts import file_facts, plain
from provkg.capture.run import reference


@dataclass(frozen=True)
class Mark:
    """What an argument is to the activity: ``used`` or ``generated``; its role is its name where none is given.

    ``Annotated[Path, Mark("used", "raw data")]`` gives the role.
    """

    kind: str
    role: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("used", "generated"):
            raise ValueError(f"an argument is used or generated, and not {self.kind!r}")


Used = Annotated[str | os.PathLike[str], Mark("used")]
Generated = Annotated[str | os.PathLike[str], Mark("generated")]
_PATH = Mark.__new__(Mark)
object.__setattr__(_PATH, "kind", "path")
object.__setattr__(_PATH, "role", "")


class Signature:
    """The parameters of a function, prepared once: binding a call is a zip."""

    def __init__(self, function: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(function).parameters.values())
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        first = parameters[0] if parameters and parameters[0].kind in positional else None
        self.is_method = first is not None and first.name in ("self", "cls")
        self.positional = tuple(each.name for each in parameters if each.kind in positional)
        self.rest = next((each.name for each in parameters if each.kind is inspect.Parameter.VAR_POSITIONAL), "")
        self.defaults = {each.name: each.default for each in parameters if each.default is not inspect.Parameter.empty}
        self.count = len(parameters)
        self.marks = _marks(function)
        self.read, self.made, self.undecided = map(self._roles, ("used", "generated", "path"))

    def _roles(self, kind: str) -> list[tuple[str, str]]:
        """Return the names of the arguments that have a mark, with their roles."""
        return [(name, mark.role or name) for name, mark in self.marks.items() if mark.kind == kind]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name; what does not fit is left to the call itself."""
        values = dict(zip(self.positional, args, strict=False))
        if kwargs:
            values.update(kwargs)
        if len(values) < self.count:
            for name, default in self.defaults.items():
                values.setdefault(name, default)
        if self.rest and len(args) > len(self.positional):
            values[self.rest] = args[len(self.positional) :]
        if self.is_method:
            values.pop(self.positional[0], None)
        return values

    def before(self, call: Call) -> None:
        """Find parameters, what is used, and paths of which it is not known what becomes of them."""
        values = call.values
        for name, role in self.read:
            value = values.get(name)
            paths = _paths(value)
            for path in paths:
                file = file_facts(path)
                file["role"] = role
                call.used.append(file)
            if not paths and value:  # marked as a file, and none: what it is, is a parameter
                call.parameters[name] = plain(value)
        for name, _ in self.made:
            for path in _paths(values.get(name)):
                call.look(path)
        for name, role in self.undecided:
            for path in _paths(values.get(name)):
                if call.look(path):
                    call.parameters[name] = plain(values[name])  # what is read and written in a folder is not known
                else:
                    call.paths.append(reference(path, role))
        marks = self.marks
        call.parameters |= {name: plain(value) for name, value in values.items() if name not in marks}

    def after(self, call: Call) -> None:
        """Find what was generated; a path without a mark was used where nothing changed, else generated.

        It stays undecided where its clock is too coarse to tell.
        """
        for name, role in self.made:
            for path in _paths(call.values.get(name)):
                file = file_facts(path)
                file["role"] = role
                call.generated.append(call.changed(file))
        undecided, call.paths = call.paths, []
        for was in undecided:
            now = call.changed(reference(was["path"], was["role"])) if "path" in was else was
            if "unchanged" in now:
                del now["unchanged"]
                call.used.append(now | {"assumed": True})
            elif "assumed" in now:
                call.paths.append(was)
            elif "size" in now and not os.path.isdir(now["path"]):  # noqa: PTH112
                call.generated.append(now | {"assumed": True})


def _paths(value: Any) -> list[str | os.PathLike[str]]:
    """Return the paths in an argument: of itself, or of its items."""
    if type(value) is str:
        return [value] if value else []
    if isinstance(value, str | os.PathLike):
        return [value] if os.fspath(value) else []
    return [each for each in value if isinstance(each, str | os.PathLike)] if isinstance(value, list | tuple) else []


def _marks(function: Callable[..., Any]) -> dict[str, Mark]:
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 - names that are only there for a type checker
        hints = getattr(function, "__annotations__", {})
    found = {name: _mark(hint) for name, hint in hints.items() if name != "return"}
    return {name: mark for name, mark in found.items() if mark is not None}


def _mark(hint: Any) -> Mark | None:
    """Return the mark of an annotation, also of one in a list or a union."""
    if typing.get_origin(hint) is Annotated:
        given = next((each for each in hint.__metadata__ if isinstance(each, Mark)), None)
        return given or _mark(hint.__origin__)
    if inspect.isclass(hint):
        return _PATH if issubclass(hint, PurePath) or hint is os.PathLike else None
    if typing.get_origin(hint) is os.PathLike:
        return _PATH
    return next((mark for each in typing.get_args(hint) if (mark := _mark(each)) is not None), None)
