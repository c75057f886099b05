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

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from provkg.errors import QuestionError, did_you_mean
from provkg.questions.binding import Terms, bind

TYPES = (
    *("product", "activity", "run", "night", "step", "level", "software", "version-range", "account"),
    *("time", "number", "integer", "thing", "iri", "string"),
)
COLUMNS = ("string", "integer", "decimal", "boolean", "dateTime", "iri", "term")
_EXPECT = re.compile(r"#\+ *expect *:")


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
        return "\n".join(line for line in self.text.split("\n") if not line.startswith("#+")).strip() + "\n"

    @cached_property
    def digest(self) -> str:
        """The sha256 of the file without what it expects."""
        return "sha256:" + sha256("\n".join(self.without_expected()).encode()).hexdigest()

    def without_expected(self) -> list[str]:
        """Return the lines of the file without what it expects."""
        lines, inside = [], False
        for line in self.text.rstrip("\n").split("\n"):
            inside = bool(_EXPECT.match(line)) or (inside and line.startswith("#+  "))
            lines += [] if inside else [line]
        return lines

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
            hint = did_you_mean(name, self.parameters, f"it has: {', '.join(self.parameters) or 'none'}")
            raise QuestionError(f"{self.name} has no parameter {name!r}", hint=hint)
        for each in self.parameters.values():
            if each.required and given.get(each.name) in (None, "", []):
                raise QuestionError(f"{self.name} needs {each.name}=…", hint=each.description)
