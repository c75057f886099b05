"""The expressions of a definition: which value of the pipeline is meant, in the little language of its dialects.

``settings.fit.fit_range``, ``observations[0].obs_id``, ``location(hdu_type="events").path().__str__()``: names joined
by dots, calls with texts as arguments, indices. They are followed and never evaluated as code: what is called is a
method of an object that the pipeline itself holds; modules, classes and functions lead nowhere.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

MISSING = object()
_STEP = re.compile(r"""([^\s.()\[\],="']+)((?:\((?:[^()"']|"[^"]*"|'[^']*')*\)|\[[^\[\]]*\])*)""")
_PART = re.compile(r"""\(((?:[^()"']|"[^"]*"|'[^']*')*)\)|\[([^\[\]]*)\]""")
_ARGUMENT = re.compile(r"""\s*(?:([\w-]+)\s*=\s*)?("[^"]*"|'[^']*'|[^,"'=]+?)\s*(?:,|$)""")
_OPEN = ("__str__", "__repr__", "__len__", "__hash__", "__abs__", "__name__", "__fspath__")
_LEADS_NOWHERE = (ModuleType, type, FunctionType)


@dataclass(frozen=True)
class Call:
    """A call with texts: positional ones, then named ones."""

    arguments: tuple[str, ...] = ()
    named: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Step:
    """A name, and what is done with its value: calls, and indices or keys."""

    name: str
    parts: tuple[Call | int | str, ...] = ()


@dataclass(frozen=True)
class Expression:
    """An expression as it is written, in a line of a definition."""

    text: str
    steps: tuple[Step, ...]
    line: int = field(default=0, compare=False)


def parse(text: str, line: int = 0) -> Expression:
    """Read an expression.

    >>> parse('a.b(c="1.5")[0]').steps[1].parts
    (Call(arguments=(), named=(('c', '1.5'),)), 0)

    Raises:
        ValueError: it is none; the message says from where on.
    """
    steps, at, whole = [], 0, text.strip()
    while True:
        match = _STEP.match(whole, at)
        if match is None:
            raise ValueError(f"no name at {whole[at:]!r}" if whole[at:] else "a name is missing at its end")
        steps.append(Step(match[1], tuple(map(_part, _PART.finditer(match[2])))))
        at = match.end()
        if at == len(whole):
            return Expression(text, tuple(steps), line)
        if whole[at] != ".":
            raise ValueError(f"no end and no dot at {whole[at:]!r}")
        at += 1


def _part(match: re.Match[str]) -> Call | int | str:
    if match[2] is not None:
        index = match[2].strip()
        return int(index) if re.fullmatch(r"-?\d{1,9}", index) else index.strip("\"'")
    positional, named, at = [], [], 0
    while at < len(match[1].rstrip()):
        found = _ARGUMENT.match(match[1], at)
        if found is None:
            raise ValueError(f"no argument at {match[1][at:]!r}")
        value = found[2].strip("\"'")
        if found[1]:
            named.append((found[1], value))
        else:
            positional.append(value)
        at = found.end()
    return Call(tuple(positional), tuple(named))


def follow(expression: Expression, scopes: Iterable[Any]) -> Any:
    """Return the value that is meant, or ``MISSING``.

    Args:
        expression: what to follow.
        scopes: mappings and objects, of which the first that has the first name counts.

    Raises:
        Exception: what a property or a method of the pipeline raises.

    >>> follow(parse("config.depth"), [{"config": {"depth": 0}}])
    0
    """
    steps = expression.steps
    first = steps[0]
    value = MISSING
    for scope in scopes:
        value = scope.get(first.name, MISSING) if type(scope) is dict else _member(scope, first.name)
        if value is not MISSING:
            break
    if first.parts:
        value = _parts(value, first.parts)
    for step in steps[1:]:
        value = _parts(_member(value, step.name), step.parts)
    return value


def _member(value: Any, name: str) -> Any:
    if value is MISSING or isinstance(value, _LEADS_NOWHERE):
        return MISSING
    if isinstance(value, Mapping) and name in value:
        return value[name]
    if name.startswith("__") and name not in _OPEN:
        return MISSING
    return getattr(value, name, MISSING)


def _parts(value: Any, parts: Sequence[Call | int | str]) -> Any:
    for part in parts:
        if isinstance(part, Call):
            owner = getattr(value, "__self__", None)
            if owner is None or isinstance(owner, _LEADS_NOWHERE):
                return MISSING
            value = value(*part.arguments, **dict(part.named))
        elif isinstance(value, Mapping):
            value = value.get(part, MISSING)
        else:
            try:
                value = value[part]
            except (TypeError, IndexError, KeyError):
                return MISSING
    return value
