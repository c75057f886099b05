"""A question is one ``.rq`` file that says in itself what it asks, of what, what comes back, and how it is tested.

The header is grlc's ``#+`` YAML, so a grlc server can serve the folder, and the file is plain SPARQL 1.1::

    #+ summary: Which raw files does this product come from?
    #+ id: T4
    #+ description: One or more sentences.
    #+ tags: [traceability]
    #+ source: "IVOA ProvenanceDM use case A"
    #+ params:
    #+   product: {type: product, example: crab_flux_points.fits}
    #+   level: {type: level, required: false, many: true}
    #+ columns: {location: string, made: dateTime, seconds: {type: decimal, unit: s}}
    #+ budget: {seconds: 0.1, rows: 10000}
    #+ code: {shell: "writes each command as a line for a shell"}
    #+ expect: {rows: 2, digest: "sha256:…", first: [[…], […]]}

``code`` names what is done with the rows of the query before they are the answer, and says how; ``index`` says that
the lineage index gives the whole answer faster than the query, ``first`` names the variables of sub-selects that are
answered before the rest. ``tree`` names the columns by which a tree is grouped. ``local`` questions read files of this
machine: they are not offered over HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import yaml

from provkg.errors import QuestionError
from provkg.questions.binding import Terms, bind, placeholders

TYPES = (
    *("product", "activity", "run", "night", "step", "level", "software", "version-range", "account"),
    *("time", "number", "integer", "thing", "iri", "string"),
)
COLUMNS = ("string", "integer", "decimal", "boolean", "dateTime", "iri", "term")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NEEDED = ("summary", "id", "description", "tags", "source", "columns")
_KNOWN = {*_NEEDED, "params", "budget", "code", "index", "first", "tree", "local", "expect"}
_GRLC = {"endpoint", "endpoint_in_url", "method", "pagination", "enumerate", "defaults", "mime", "transform"}
_FACTS = {"type", "required", "many", "default", "unit", "of", "choices", "example", "description"}


@dataclass(frozen=True)
class Parameter:
    """A value that a question asks for.

    Args:
        name: its name in the query.
        type: one of :data:`TYPES`.
        required: whether there is no answer without it.
        many: whether it takes several values.
        default: its value where none is given, as a user would write it.
        unit: of a number, as astropy.units writes it.
        of: the parameter that names the software whose versions these are.
        choices: a SELECT query for the values that are possible, as ``?value``.
        example: a value for the bundled sample.
        description: what it is, for people.
    """

    name: str
    type: str
    required: bool = True
    many: bool = False
    default: str | None = None
    unit: str = ""
    of: str = ""
    choices: str = ""
    example: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Column:
    """A column of an answer: one of :data:`COLUMNS`, the unit of a number, and whether each ingest changes it."""

    name: str
    type: str
    unit: str = ""
    volatile: bool = False


Typed = TypeVar("Typed", Parameter, Column)


@dataclass(frozen=True)
class Expected:
    """The answer on the bundled sample: how many rows, their digest, and the first of them without IRIs."""

    rows: int
    digest: str
    first: list[list[Any]] = field(default_factory=list, hash=False)


@dataclass(frozen=True)
class Question:
    """A question: its name is the file's name."""

    name: str
    id: str
    summary: str
    description: str
    tags: tuple[str, ...]
    source: str
    parameters: dict[str, Parameter] = field(hash=False)
    columns: dict[str, Column] = field(hash=False)
    text: str = field(repr=False)
    path: Path
    seconds: float = 1.0
    rows: int = 10_000
    code: dict[str, str] = field(default_factory=dict, hash=False)
    index: dict[str, Any] = field(default_factory=dict, hash=False)
    first: tuple[str, ...] = ()
    tree: tuple[str, ...] = ()
    local: bool = False
    expected: Expected | None = None

    @cached_property
    def sparql(self) -> str:
        """The query, without its header."""
        return "\n".join(line for line in self.text.splitlines() if not line.startswith("#+")).strip() + "\n"

    @cached_property
    def digest(self) -> str:
        """The sha256 of the file without what it expects."""
        lines, inside = [], False
        for line in self.text.splitlines():
            inside = line.startswith("#+ expect:") or (inside and line.startswith("#+  "))
            lines += [] if inside else [line]
        return "sha256:" + sha256("\n".join(lines).encode()).hexdigest()

    @property
    def example(self) -> dict[str, str]:
        """Return the values of the example."""
        return {each.name: each.example for each in self.parameters.values() if each.example is not None}

    def bind(self, terms: Terms) -> str:
        """Return the SPARQL with terms in the place of the placeholders; see :func:`provkg.questions.binding.bind`."""
        return bind(self.sparql, terms)

    def check(self, given: Mapping[str, Any]) -> None:
        """Check the names of values.

        Raises:
            QuestionError: a parameter that is required has no value, or a value has no parameter.
        """
        for name in given.keys() - self.parameters.keys():
            near = get_close_matches(name, self.parameters, 1)
            known = ", ".join(self.parameters) or "none"
            raise QuestionError(
                f"{self.name} has no parameter {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"it has: {known}",
            )
        for each in self.parameters.values():
            if each.required and given.get(each.name) in (None, "", []):
                raise QuestionError(f"{self.name} needs {each.name}=…", hint=each.description)


def load(path: Path) -> Question:
    """Read a question.

    Raises:
        QuestionError: the header cannot be read, or its parameters are not the placeholders of the query.
    """
    try:
        text = path.read_text("utf-8")
        header = yaml.load(header_of(text), Loader=_LOADER)  # noqa: S506 - it is one of the safe ones
        missing = [key for key in _NEEDED if key not in header]
        if missing:
            raise QuestionError(f"{path}: the header has no {missing[0]}", hint=f"it needs {', '.join(_NEEDED)}")
        _known(path, "the header", header, _KNOWN | _GRLC)
        found = _question(path, text, header)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        place = getattr(error, "problem_mark", None)
        where = f"{path}:{_line(text, place.line)}" if place is not None else f"{path}"
        raise QuestionError(f"{where}: its header cannot be read: {getattr(error, 'problem', None) or error}") from None
    used = {each.name: each.required for each in placeholders(found.sparql)}
    declared = {each.name: each.required for each in found.parameters.values()}
    if used != declared:
        raise QuestionError(f"{path}: the header declares {declared}, the query has {used}")
    return found


def header_of(text: str) -> str:
    """Return the YAML of a header."""
    return "\n".join(line[2:].removeprefix(" ") for line in text.splitlines() if line.startswith("#+"))


def _line(text: str, number: int) -> int:
    """Return the line of the file that is a line of its header, from 1."""
    lines = [at for at, line in enumerate(text.splitlines(), 1) if line.startswith("#+")]
    return lines[min(number, len(lines) - 1)] if lines else 1


def _known(path: Path, what: str, facts: Mapping[str, Any], known: set[str]) -> None:
    for key in facts:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            raise QuestionError(f"{path}: {what} has an unknown key {key!r}", hint=hint)


def _question(path: Path, text: str, header: dict[str, Any]) -> Question:
    parameters = {}
    for name, facts in (header.get("params") or {}).items():
        _known(path, f"parameter {name}", facts, _FACTS)
        said: dict[str, Any] = {**facts, **{key: str(facts[key]) for key in ("default", "example") if key in facts}}
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
        near = get_close_matches(str(each.type), types, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(types)}"
        raise QuestionError(f"{path}: {each.name} has an unknown type {each.type!r}", hint=hint)
    return each
