"""Answers as text and as tables of other libraries."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from pyoxigraph import BlankNode, Literal

from provkg.errors import MissingExtra
from provkg.identity import one_line
from provkg.questions.answer import Answer, plain
from provkg.vocab import XSD

if TYPE_CHECKING:
    from jinja2 import Environment

_BIG = 2**63
_NO_JSON = {"nan": "NaN", "inf": "INF", "-inf": "-INF"}  # as XSD writes them
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SHOWN = 200  # rows of an answer in a notebook
_TYPES: dict[str, type] = {"integer": int, "decimal": float, "boolean": bool}


@cache
def environment() -> Environment:
    """Return jinja2 with our templates; what stands in data is escaped in HTML."""
    from jinja2 import Environment, PackageLoader, select_autoescape  # noqa: PLC0415 - slow to import

    loader = PackageLoader("provkg.questions", "templates")
    return Environment(loader=loader, autoescape=select_autoescape(["html"]), trim_blocks=True, lstrip_blocks=True)


def text_of_cells(row: dict[str, Any]) -> list[str]:
    """Return a row as text; what is unknown is empty."""
    return ["" if value is None else str(value) for value in row.values()]


def to_tsv(answer: Answer) -> str:
    """Return tab-separated values, in which tabs and line ends are escaped so that cut and awk can read them."""
    lines = [list(answer.columns), *map(text_of_cells, answer)]
    return "".join("\t".join(map(one_line, line)) + "\n" for line in lines)


def to_csv(answer: Answer, *, formulas: bool = True) -> str:
    """Return comma-separated values (RFC 4180, with line feeds).

    Args:
        answer: the answer.
        formulas: leave text as it is; otherwise what a spreadsheet would compute begins with an apostrophe.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(answer.columns)
    rows = map(text_of_cells, answer)
    writer.writerows(rows if formulas else ([*map(_text_alone, row)] for row in rows))
    return stream.getvalue()


def _text_alone(text: str) -> str:
    """Return text that a spreadsheet only shows; a number stays one.

    >>> _text_alone("=1+1"), _text_alone("-1.5")
    ("'=1+1", '-1.5')
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(text) else text


def to_json(answer: Answer) -> str:
    """Return SPARQL 1.1 Query Results JSON."""
    rows = [
        {name: _term(term) for name in answer.columns if (term := row.get(name)) is not None} for row in answer.terms
    ]
    return json.dumps({"head": {"vars": [*answer.columns]}, "results": {"bindings": rows}}, ensure_ascii=False) + "\n"


def _term(term: Any) -> dict[str, str]:
    if isinstance(term, Literal):
        if term.language:
            return {"type": "literal", "value": term.value, "xml:lang": term.language}
        datatype = term.datatype.value
        return {
            "type": "literal",
            "value": term.value,
            **({} if datatype == XSD + "string" else {"datatype": datatype}),
        }
    return {"type": "bnode" if isinstance(term, BlankNode) else "uri", "value": term.value}


def to_jsonl(answer: Answer) -> str:
    """Return one JSON object a row; a number that JSON has not, such as NaN, is text."""
    rows = ({name: _legal(value) for name, value in row.items()} for row in answer)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _legal(value: Any) -> Any:
    return _NO_JSON[str(value)] if isinstance(value, float) and not math.isfinite(value) else value


def to_html(answer: Answer, *, page: bool = False) -> str:
    """Return a table in HTML, or a page with all rows; everything from data is escaped."""
    shown = answer[:] if page else answer[:SHOWN]
    notes = [answer.cut] if answer.cut else []
    if len(shown) < len(answer):
        notes.append(f"the first {len(shown)} of {len(answer)} rows")
    template = environment().get_template("answer.html")
    return template.render(answer=answer, rows=[list(row.values()) for row in shown], notes=notes, page=page)


def to_votable(answer: Answer) -> str:
    """Return a VOTable; QUERY_STATUS is OVERFLOW where the answer was cut, as DALI says.

    Raises:
        MissingExtra: astropy is not installed.
    """
    table = to_table(answer)
    from astropy.io.votable import from_table  # noqa: PLC0415
    from astropy.io.votable.tree import Info  # noqa: PLC0415
    from numpy.ma import masked  # noqa: PLC0415

    for name in table.colnames:
        if table[name].dtype.kind == "U":  # XML has no way to write some characters
            table[name] = [each if each is masked else _NO_XML.sub("\ufffd", each) for each in table[name]]
    document = from_table(table)
    resource = document.resources[0]
    resource.type = "results"
    resource.infos.append(Info(name="QUERY_STATUS", value="OVERFLOW" if answer.cut else "OK"))
    resource.description = answer.question.summary
    for column, field in zip(answer.columns.values(), resource.tables[0].fields, strict=True):
        field.ucd = "time" if column.type == "dateTime" else None
    stream = io.BytesIO()
    document.to_xml(stream)
    return stream.getvalue().decode()


def to_table(answer: Answer) -> Any:
    """Return an astropy.table.Table; see :meth:`Answer.to_table`."""
    try:
        from astropy.table import MaskedColumn, Table  # noqa: PLC0415 - heavy and optional
    except ImportError:
        raise MissingExtra("astropy is needed for tables", hint="pip install 'provkg[fits]'") from None

    table = Table(meta={"description": answer.question.summary})
    for name, column in answer.columns.items():
        values = _column(answer, name)
        kind = _TYPES.get(column.type, str) if _fits(values, column.type) else str
        empty = kind()
        table[name] = MaskedColumn(
            [empty if value is None else kind(value) for value in values],
            mask=[value is None for value in values],
            dtype=kind if values or kind is not str else "U1",
            unit=column.unit or None,
        )
    return table


def _fits(values: Sequence[Any], kind: str) -> bool:
    """Say whether all values are what their column says, and integers have at most 64 bit; else they stay text."""
    if kind == "integer":
        return all(value is None or (isinstance(value, int) and -_BIG <= value < _BIG) for value in values)
    types = {"decimal": int | float, "boolean": bool}.get(kind, object)
    return all(value is None or isinstance(value, types) for value in values)


def to_pandas(answer: Answer) -> Any:
    """Return a pandas.DataFrame; see :meth:`Answer.to_pandas`."""
    try:
        import pandas as pd  # noqa: PLC0415 - heavy and optional
    except ImportError:
        raise MissingExtra("pandas is needed for data frames", hint="pip install 'provkg[pandas]'") from None

    kinds = {"integer": "Int64", "decimal": "Float64", "boolean": "boolean"}
    series = {}
    for name, column in answer.columns.items():
        values = _column(answer, name)
        kind = kinds.get(column.type, "object") if _fits(values, column.type) else "object"
        series[name] = pd.Series(values, dtype=kind)
        if column.type == "dateTime":
            with suppress(ValueError):  # a year that pandas has not stays text
                series[name] = pd.to_datetime(series[name], utc=True, format="ISO8601")
    return pd.DataFrame(series)


def _column(answer: Answer, name: str) -> list[Any]:
    kind = answer.columns[name].type
    return [plain(row.get(name), kind) for row in answer.terms]


def grouped(answer: Answer, by: Sequence[str]) -> dict[str, Any]:
    """Return the values of some columns as a tree: each with what lies below it, in the order of the answer."""
    root: dict[str, Any] = {}
    for row in answer:
        at = root
        for name in by:
            at = at.setdefault("-" if row[name] is None else str(row[name]), {})
    return root


TEXT: dict[str, Callable[[Answer], str]] = {
    "tsv": to_tsv,
    "csv": to_csv,
    "json": to_json,
    "jsonl": to_jsonl,
    "votable": to_votable,
    "html": lambda answer: to_html(answer, page=True),
}
MEDIA = {
    "json": "application/sparql-results+json",
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "votable": "application/x-votable+xml",
    "html": "text/html; charset=utf-8",
    "jsonl": "application/jsonl",
}
