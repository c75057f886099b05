"""Read the file of a question: its header is checked key by key, so that a mistake is told where it stands."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from provkg.errors import QuestionError, did_you_mean
from provkg.questions.binding import placeholders
from provkg.questions.question import COLUMNS, TYPES, Column, Expected, Parameter, Question
from provkg.store import words

Kind = type | tuple[type, ...]
Typed = TypeVar("Typed", Parameter, Column)
_NAME, _ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*"), re.compile(r"[A-Z][A-Za-z0-9.]*")
_NEEDED = ("summary", "id", "description", "tags", "source", "columns")
_KINDS: dict[Kind, tuple[str, ...]] = {
    str: ("summary", "description", "source"),
    dict: ("params", "columns", "budget", "code", "index", "expect"),
    list: ("tags", "first"),
    (str, list): ("tree",),
    bool: ("local",),
}
_KNOWN = {*_NEEDED, "params", "budget", "code", "index", "first", "tree", "local", "expect"}
_WORDS = {str: "text", list: "a list", dict: "a table of names", bool: "true or false"}
_GRLC = {"endpoint", "endpoint_in_url", "method", "pagination", "enumerate", "defaults", "mime", "transform"}
_FACTS = {"type", "required", "many", "default", "unit", "of", "choices", "example", "description"}


def load(path: Path) -> Question:
    """Read a question.

    Raises:
        QuestionError: the file or its header cannot be read, or its parameters are not the placeholders of the query.
    """
    if not _NAME.fullmatch(path.stem):
        raise QuestionError(f"{path}: a question's name is small letters, digits and hyphens", hint="rename the file")
    try:
        return parse(path, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"{path}: cannot be read: {error}") from None


def parse(path: Path, text: str) -> Question:
    """Read the text of a question; errors are those of :func:`load`."""
    head = "\n".join(line[2:].removeprefix(" ") for line in text.split("\n") if line.startswith("#+"))
    try:
        _single(yaml.compose(head, yaml.SafeLoader), set())
        header = yaml.safe_load(head)
        if not isinstance(header, dict):
            raise QuestionError(f"{path}: it has no header", hint="lines that begin with #+, such as #+ summary: …")
        _typed(path, header)
        found = _question(path, text, header, yaml.load(head, yaml.BaseLoader))  # noqa: S506 - it makes text only
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        place = getattr(error, "problem_mark", None)
        where = f"{path}:{_line(text, place.line)}" if place is not None else f"{path}"
        raise QuestionError(f"{where}: its header cannot be read: {getattr(error, 'problem', None) or error}") from None
    used = {each.name: each.required for each in placeholders(found.sparql)}
    declared = {each.name: each.required for each in found.parameters.values()}
    if used != declared:
        raise QuestionError(f"{path}: the header declares {declared}, the query has {used}")
    for query in (found.sparql, *(each.choices for each in found.parameters.values())):
        if "SERVICE" in words(query):
            raise QuestionError(f"{path}: SERVICE is refused: a question asks one store", hint="leave it out")
    return found


def _single(node: yaml.Node | None, seen: set[int]) -> None:
    """Refuse a key that stands twice, of which YAML would take the last, and what is meant to be repeated."""
    if node is not None and id(node) in seen:
        raise yaml.MarkedYAMLError(problem="an alias: write it out", problem_mark=node.start_mark)
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.value in keys:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands twice", problem_mark=key.start_mark)
            if key.tag != "tag:yaml.org,2002:str":
                raise yaml.MarkedYAMLError(problem=f"{key.value} is no name: quote it", problem_mark=key.start_mark)
            keys.add(key.value)
            _single(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _single(each, seen)


def _typed(path: Path, header: dict[str, Any]) -> None:
    """Check the keys of a header, and what kind of value each has."""
    missing = [key for key in _NEEDED if key not in header]
    if missing:
        raise QuestionError(f"{path}: the header has no {missing[0]}", hint=f"it needs {', '.join(_NEEDED)}")
    _known(path, "the header", header, _KNOWN | _GRLC)
    for kind, keys in _KINDS.items():
        for key in keys:
            if header.get(key) is not None and not isinstance(header[key], kind):
                names = " or ".join(_WORDS[each] for each in (kind if isinstance(kind, tuple) else (kind,)))
                raise QuestionError(f"{path}: {key} is {header[key]!r}, and should be {names}")
    if not _ID.fullmatch(str(header["id"])):
        raise QuestionError(f"{path}: the id {header['id']!r} is not a capital letter, then letters and digits")


def _line(text: str, number: int) -> int:
    """Return the line of the file that is a line of its header, from 1."""
    lines = [at for at, line in enumerate(text.split("\n"), 1) if line.startswith("#+")]
    return lines[min(number, len(lines) - 1)] if lines else 1


def _known(path: Path, what: str, facts: Mapping[str, Any], known: set[str]) -> None:
    for key in facts:
        if key not in known:
            hint = did_you_mean(str(key), known, f"known: {', '.join(sorted(known))}")
            raise QuestionError(f"{path}: {what} has an unknown key {key!r}", hint=hint)


def _question(path: Path, text: str, header: dict[str, Any], written: dict[str, Any]) -> Question:
    """Make a question of a header, and of the same header as it is written: a value ``012`` is not the number 10."""
    parameters = {}
    for name, facts in (header.get("params") or {}).items():
        _known(path, f"parameter {name}", facts, _FACTS)
        said = {**facts, **{key: str(written["params"][name][key]) for key in ("default", "example") if key in facts}}
        parameters[name] = _one_of(path, Parameter(name, **said), TYPES)
    budget, expected = header.get("budget") or {}, header.get("expect")
    tree = header.get("tree") or ()
    return Question(
        name=path.stem,
        id=str(header["id"]),
        summary=header["summary"].strip(),
        description=header["description"].strip(),
        tags=tuple(header["tags"]),
        source=header["source"].strip(),
        parameters=parameters,
        columns={name: _one_of(path, _column(name, facts), COLUMNS) for name, facts in header["columns"].items()},
        text=text,
        path=path,
        seconds=float(budget.get("seconds", 1.0)),
        rows=int(budget.get("rows", 10_000)),
        code=dict(header.get("code") or {}),
        index=dict(header.get("index") or {}),
        first=tuple(header.get("first") or ()),
        tree=(tree,) if isinstance(tree, str) else tuple(tree),
        local=bool(header.get("local")),
        expected=Expected(**expected) if expected else None,
    )


def _column(name: str, facts: Any) -> Column:
    return Column(name, **facts) if isinstance(facts, dict) else Column(name, facts)


def _one_of(path: Path, each: Typed, types: tuple[str, ...]) -> Typed:
    if each.type not in types:
        hint = did_you_mean(str(each.type), types, f"one of {', '.join(types)}")
        raise QuestionError(f"{path}: {each.name} has an unknown type {each.type!r}", hint=hint)
    return each
