"""Ask a question: values become terms, closures go through the index, SPARQL finds the rows, code finishes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from traceback import clear_frames
from typing import TYPE_CHECKING, Any

from provkg.errors import QuestionError
from provkg.lineage.closures import through_index
from provkg.questions.answer import Answer, Phase
from provkg.questions.indexed import rows_of
from provkg.questions.values import Values, plain_values

if TYPE_CHECKING:
    from provkg.config import Config
    from provkg.questions.binding import Term
    from provkg.questions.question import Question
    from provkg.store import Graph, Row

MOST = 10**9  # rows of an answer
Code = Callable[["Asked", Iterable["Row"]], Iterable["Row"]]


@dataclass
class Asked:
    """A question on its way: what was asked, of what, and what was done so far."""

    graph: Graph
    config: Config
    question: Question
    terms: dict[str, Term | list[Term]]
    sparql: str = ""
    plan: list[Phase] = field(default_factory=list)
    found: list[Row] = field(default_factory=list)

    def done(self, what: str, detail: str, start: float) -> None:
        """Note a step."""
        self.plan.append(Phase(what, detail, perf_counter() - start))


def ask(
    graph: Graph,
    question: Question,
    values: Mapping[str, Any],
    config: Config,
    *,
    code: Mapping[str, Code],
    limit: int | None = None,
    seconds: float | None = None,
) -> Answer:
    """Answer a question.

    Args:
        graph: an open store.
        question: which one.
        values: a value for each parameter, as a user writes it.
        config: zone of times without one, and scope of absolute paths.
        code: what a question's ``code`` can name.
        limit: how many rows to give at most.
        seconds: how long to wait at most; then the rows so far are the answer. The store cannot stop what it is
            doing, so the search may go on in the background.

    Raises:
        QuestionError: a value is missing, unknown or of the wrong type.
        NotFound: no product answers to a name.
        Ambiguous: several do.
    """
    _possible(question, code, limit, seconds)
    start = perf_counter()
    given, reading = plain_values(values), Values(graph, config)
    asked = Asked(graph, config, question, reading.terms(question, given))
    asked.done("bind values", ", ".join(asked.terms) or "none", start)
    start = perf_counter()
    rows = _rows(asked, code)
    some = islice(rows, None if limit is None else limit + 1)
    cut = [*reading.partial, _in_time(asked, some, rows, seconds)]
    asked.done("answer", f"{len(asked.found)} rows", start)
    if limit is not None and len(asked.found) > limit:
        del asked.found[limit:]
        cut.append(f"cut at {limit} rows: there are more")
    return Answer(question, given, asked.sparql, asked.found, graph, cut="; ".join(filter(None, cut)), plan=asked.plan)


def _possible(question: Question, code: Mapping[str, Code], limit: int | None, seconds: float | None) -> None:
    for name in question.code:
        if name not in code:
            raise QuestionError(f"{question.path}: there is no code {name!r}", hint=f"there is {', '.join(code)}")
    if limit is not None and not 0 < limit <= MOST:
        raise QuestionError(f"limit: {limit} is not between 1 and {MOST}", hint="leave it out for all rows")
    if seconds is not None and not 0 < seconds <= threading.TIMEOUT_MAX:
        raise QuestionError(f"seconds: {seconds} is no time to wait", hint="a number above 0")


def bound(graph: Graph, question: Question, values: Mapping[str, Any], config: Config) -> str:
    """Return the SPARQL of a question with its values."""
    return question.bind(Values(graph, config).terms(question, plain_values(values)))


def _rows(asked: Asked, code: Mapping[str, Code]) -> Generator[Row]:
    """Give the rows; nothing is done before the first is asked for."""
    if asked.question.index:
        yield from rows_of(asked)
        return
    start = perf_counter()
    plain = asked.question.bind(asked.terms)
    asked.sparql, closures = through_index(asked.graph, plain, asked.question.first)
    for each in closures:
        how = ", too many for this store: left to it" if each.stays else ""
        asked.done("sub-select", f"?{each.variable}: {each.found}{how}", start)
        start = perf_counter()
    rows: Iterable[Row] = _selected(asked)
    for name in asked.question.code:
        rows = code[name](asked, rows)
    yield from rows


def _selected(asked: Asked) -> Iterator[Row]:
    start, count = perf_counter(), 0
    for row in asked.graph.select(asked.sparql):
        count += 1
        yield row
    asked.done("SPARQL", f"{count} rows", start)


def _in_time(asked: Asked, some: Iterable[Row], rows: Generator[Row], seconds: float | None) -> str:
    """Collect some of the rows; return why these are not all that were wanted.

    Where waiting has an end, they come in a thread; what pyoxigraph gives has to end in the thread in which it began.
    """
    if seconds is None:
        asked.found = list(some)
        return ""
    found: list[Row] = []
    failed: list[BaseException] = []
    stop = threading.Event()

    def fetch() -> None:
        try:
            for row in some:
                if stop.is_set():
                    return
                found.append(row)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it was asked for
            clear_frames(error.__traceback__)
            failed.append(error)
        finally:
            rows.close()

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        late = thread.is_alive()
        stop.set()
    asked.found = list(found)
    if failed:
        raise failed[0]
    return f"cut after {seconds:g} s: there may be more" if late else ""
