"""An answer: rows to iterate, to show, to compute with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from pyoxigraph import Literal

from provkg.identity import one_line, printable
from provkg.store import Row
from provkg.vocab import short

if TYPE_CHECKING:
    from provkg.questions.question import Column, Question
    from provkg.store import Graph

_NUMBERS = ("integer", "int", "long", "nonNegativeInteger", "decimal", "double", "float")
Plain = str | int | float | bool | None


class Phase(NamedTuple):
    """A step on the way to an answer: what was done, the facts of it, and the seconds it took."""

    what: str
    detail: str
    seconds: float


class Answer(Sequence[dict[str, Plain]]):
    """The rows of an answer, each a dict of column to value; IRIs of roles, levels and evidence are short words.

    Args:
        question: what was asked.
        values: what was given, as it was written.
        sparql: the query that was run.
        terms: the rows as RDF terms.
        graph: the state of the store that was asked.
        cut: why these are not all rows, or an empty string.
        plan: how the answer was found.
    """

    def __init__(
        self,
        question: Question,
        values: Mapping[str, Any],
        sparql: str,
        terms: Sequence[Row],
        graph: Graph,
        *,
        cut: str = "",
        plan: Sequence[Phase] = (),
    ) -> None:
        self.question, self.values, self.sparql, self.terms = question, dict(values), sparql, list(terms)
        self.graph, self.base, self.cut, self.plan = graph, graph.base, cut, tuple(plan)

    @property
    def columns(self) -> dict[str, Column]:
        """The columns by name."""
        return self.question.columns

    @overload
    def __getitem__(self, at: int) -> dict[str, Plain]: ...
    @overload
    def __getitem__(self, at: slice) -> list[dict[str, Plain]]: ...
    def __getitem__(self, at: int | slice) -> dict[str, Plain] | list[dict[str, Plain]]:
        """Return a row, or some."""
        return [self._row(row) for row in self.terms[at]] if isinstance(at, slice) else self._row(self.terms[index(at)])

    def __iter__(self) -> Iterator[dict[str, Plain]]:
        """Give the rows."""
        return map(self._row, self.terms)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.terms)

    def _row(self, row: Row) -> dict[str, Plain]:
        return {name: plain(row.get(name), column.type) for name, column in self.columns.items()}

    def lines(self, *hidden: str) -> Iterator[str]:
        """Give the rows as tab-separated text, equal for equal answers: IRIs of the store have no base.

        Args:
            hidden: what else is taken from the beginning of values; columns that each ingest changes are then left out.
        """
        names = [name for name, column in self.columns.items() if not (hidden and column.volatile)]
        for row in self:
            yield "\t".join(flat(_without(row[name], self.base, *hidden)) for name in names)

    @property
    def digest(self) -> str:
        """The sha256 of the names of the columns and of all rows in order."""
        return self.digest_of()

    def digest_of(self, *hidden: str) -> str:
        """Return the digest of the rows as :meth:`lines` gives them."""
        return digest_of(self.columns, self.lines(*hidden))

    def to_pandas(self) -> Any:
        """Return a pandas.DataFrame; times are of dtype datetime64 in UTC.

        Raises:
            MissingExtra: pandas is not installed.
        """
        from provkg.questions.formats import to_pandas  # noqa: PLC0415

        return to_pandas(self)

    def to_table(self) -> Any:
        """Return an astropy.table.Table with units; what is unknown is masked.

        Raises:
            MissingExtra: astropy is not installed.
        """
        from provkg.questions.formats import to_table  # noqa: PLC0415

        return to_table(self)

    def _repr_html_(self) -> str:
        from provkg.questions.formats import to_html  # noqa: PLC0415

        return to_html(self)

    def __repr__(self) -> str:
        cut = f", {self.cut}" if self.cut else ""
        return f"<answer to {self.question.name}: {len(self)} rows{cut}>"


def digest_of(columns: Iterable[str], lines: Iterable[str]) -> str:
    """Return the digest of an answer."""
    text = "\n".join(["\t".join(columns), *lines])
    return "sha256:" + sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def plain(term: Any, kind: str = "string") -> Plain:
    """Return a term as a plain value: a number where it is one, a short word for a ``term`` column."""
    if term is None:
        return None
    if isinstance(term, Literal):
        datatype = short(term.datatype.value)
        with suppress(ValueError):  # what is no number is shown as it is
            if datatype in _NUMBERS:
                whole = datatype not in ("decimal", "double", "float") or (
                    "." not in term.value and datatype == "decimal"
                )
                return int(term.value) if whole and kind != "decimal" else float(term.value)
        if datatype == "boolean":
            return term.value in ("true", "1")
    return short(term.value) or None if kind == "term" else str(term.value)


def _without(value: Plain, *prefixes: str) -> str:
    text = "" if value is None else str(value)
    for prefix in prefixes:
        text = text.removeprefix(prefix)
    return text


def flat(text: str) -> str:
    """Return text without what would break a line into fields."""
    return one_line(printable(text).replace("\\", "\\\\"))
