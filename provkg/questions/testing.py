"""Questions as their own regression tests: what is wrong with a file, and whether its example is still so answered."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyoxigraph

from provkg.errors import ProvkgError
from provkg.questions.answer import Answer
from provkg.questions.binding import placeholders
from provkg.questions.question import Question
from provkg.questions.reading import load, parse
from provkg.resources import sample
from provkg.store import words

RESERVED = {"self", "question", "limit", "seconds", "format"}  # of kg.ask() and of URLs
FIRST = 8  # rows of an answer that a file shows, or all where there are a few more
_GRLC = re.compile(r"\?_{1,2}([A-Za-z0-9]+)(?:_[A-Za-z0-9]+){0,2}")
_NO_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_XSD = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a question: its file, and what to do."""

    path: Path
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def lint(path: Path, code: Container[str]) -> Iterator[Problem]:
    """Give what is wrong with a file.

    Args:
        path: an ``.rq`` file.
        code: what a header's ``code`` can name.
    """
    try:
        question = load(path)
    except ProvkgError as error:
        yield Problem(path, error.message.removeprefix(f"{path}: ") + (f" ({error.hint})" if error.hint else ""))
        return
    for text in (*_header(question, code), *_sparql(question)):
        yield Problem(path, text)


def _header(question: Question, code: Container[str]) -> Iterator[str]:
    for each in question.parameters.values():
        if each.required and each.example is None and each.default is None:
            yield f"parameter {each.name} has no example"
        if each.name in RESERVED:
            yield f"parameter {each.name}: {', '.join(sorted(RESERVED))} have a meaning already"
        if not each.description:
            yield f"parameter {each.name} has no description"
        if each.type == "version-range" and each.of not in question.parameters:
            yield f"parameter {each.name}: of names no parameter"
    for name in question.code:
        if name not in code:
            yield f"there is no code {name!r}"
    if question.tree not in (("up",), ("down",)):
        yield from (f"tree: there is no column {name!r}" for name in question.tree if name not in question.columns)
    if question.seconds <= 0 or question.rows <= 0:
        yield "the budget is not above 0"
    if question.expected is None:
        yield "it has no expected answer: provkg questions test --update"


def _sparql(question: Question) -> Iterator[str]:
    try:
        found = pyoxigraph.Store().query(question.sparql)
    except SyntaxError as error:
        yield f"no SPARQL 1.1: {error}"
        return
    if not isinstance(found, pyoxigraph.QuerySolutions):
        yield "no SELECT query"
        return
    variables = [variable.value for variable in found.variables]
    if not question.code and not question.index and variables != list(question.columns):
        yield f"it selects {', '.join(variables)}, and its columns are {', '.join(question.columns)}"
    said = words(question.sparql)
    if not said & {"DISTINCT", "GROUP"}:
        yield "a statement of two sources counts twice: say DISTINCT"
    if not question.code and "ORDER" not in said:
        yield "its rows have no order: say ORDER BY"
    from provkg.questions.unbound import unbound  # noqa: PLC0415 - rdflib is slow to import

    for name in unbound(question.sparql):
        yield f"?{name} may be unbound where it is used again, and would match anything: use it in each arm of a UNION"
    yield from _for_grlc(question)


def _for_grlc(question: Question) -> Iterator[str]:
    """Give what a grlc server would read otherwise: it looks everywhere for placeholders, and has rules for types."""
    ours = [question.text[each.start : each.end] for each in placeholders(question.text)]
    theirs = [match[0] for match in _GRLC.finditer(question.text)]
    if sorted(ours) != sorted(theirs):
        odd = sorted(set(theirs) ^ set(ours))
        yield f"grlc finds placeholders in comments and strings too: {', '.join(odd)}"
    typed = [each for each in ours if each.endswith("_integer") or "_xsd_" in each]
    if typed and _XSD not in question.sparql:
        yield f"grlc needs {_XSD} for {typed[0]}"
    names = sorted(question.parameters)
    for one, other in pairwise(names):
        if other.startswith(one):
            yield f"grlc takes {other} for {one}: no name may begin with another"


def expected_of(answer: Answer) -> dict[str, Any]:
    """Return what a file says of its answer: how many rows, their digest, and the first of them without IRIs.

    It does not depend on where the sample lies and when it was ingested.
    """
    shown = [name for name, column in answer.columns.items() if column.type != "iri" and not column.volatile]
    where = f"{sample()}/"
    some = answer[:] if len(answer) <= FIRST + 4 else answer[:FIRST]
    return {
        "rows": len(answer),
        "digest": answer.digest_of(where),
        "first": [[_shown(row[name], where) for name in shown] for row in some],
    }


def _shown(value: Any, where: str) -> Any:
    return value.removeprefix(where) if isinstance(value, str) else value


def differs(question: Question, answer: Answer) -> list[str]:
    """Return how an answer differs from what the file expects; nothing where it does not."""
    expected, found = question.expected, expected_of(answer)
    if expected is None:
        return ["the file has no expected answer"]
    if (expected.rows, expected.digest) == (found["rows"], found["digest"]):
        return []
    lines = [f"{expected.rows} rows were expected, {found['rows']} found"]
    if expected.rows == found["rows"]:
        lines = [f"the {expected.rows} rows are not those that were expected"]
    for number, (was, now) in enumerate(zip(expected.first, found["first"], strict=False), 1):
        if [str(each) for each in was] != [str(each) for each in now]:
            lines.append(f"row {number}: expected {was}, found {now}")
            break
    return lines


def with_expected(question: Question, expected: Mapping[str, Any]) -> str:
    """Return the text of a question with another expected answer in its header.

    Raises:
        QuestionError: what is expected now does not stand in lines of its own, so that it cannot be replaced.
    """
    lines = question.without_expected()
    last = max(at for at, line in enumerate(lines) if line.startswith("#+"))
    rows = [_one_line(row) for row in expected["first"]]
    block = [
        "#+ expect:",
        f"#+   rows: {expected['rows']}",
        f'#+   digest: "{expected["digest"]}"',
        "#+   first:" + ("" if rows else " []"),
        *(f"#+     - {row}" for row in rows),
    ]
    text = "\n".join([*lines[: last + 1], *block, *lines[last + 1 :]]) + "\n"
    parse(question.path, text)
    return text


def _one_line(row: list[Any]) -> str:
    """Return a row as JSON in one line that is YAML too."""
    return _NO_YAML.sub(lambda odd: f"\\u{ord(odd[0]):04x}", json.dumps(row, ensure_ascii=False))
