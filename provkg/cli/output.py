"""Rows as a table, JSON, CSV or TSV: a table on a terminal, TSV in a pipe."""

import csv
import gc
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeVar

import click

from provkg import config
from provkg.identity import harmless, one_line, printable
from provkg.knowledge import KnowledgeGraph
from provkg.knowledge import open as open_graph

PIPE_WIDTH = 160
FORMATS = ("table", "json", "jsonl", "csv", "tsv")
Command = TypeVar("Command", bound=Callable[..., Any])


def with_format(*more: str, default: str = "table on a terminal, tsv in a pipe") -> Callable[[Command], Command]:
    """Add ``--format`` and ``--json`` to a command."""

    def decorate(command: Command) -> Command:
        option = click.option(
            "--format",
            "form",
            type=click.Choice([*FORMATS, *more]),
            help=f"Default: {default}.",
        )
        return option(click.option("--json", "as_json", is_flag=True, help="The same as --format json.")(command))

    return decorate


def chosen(form: str | None, *, as_json: bool) -> str:
    """Return the format that was asked for, or the one that suits where the output goes."""
    if as_json:
        return "json"
    return form or ("table" if sys.stdout.isatty() else "tsv")


def opened(ctx: click.Context) -> KnowledgeGraph:
    """Open the store that the options, the environment or the settings name; say if it may be half written."""
    from provkg.cli import say

    graph = open_graph(ctx.obj["store"])
    for each in graph.store.writers():
        say(f"warning: an ingest is writing to {graph.store.name}, and answers may be incomplete: {each}")
    return graph


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: who makes a million things that all stay would look in vain, and for long."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settings(ctx: click.Context) -> config.Config:
    """Read the settings."""
    return config.load(store=ctx.obj["store"])


def write(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: str) -> int:
    """Write rows to stdout and return how many there were."""
    if form == "table":
        return _table(columns, list(rows))
    count = 0
    if form in ("json", "jsonl"):
        objects = (dict(zip(columns, row, strict=True)) for row in rows)
        return _json(objects, lines=form == "jsonl")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in chain([columns], rows):
        if form == "tsv":
            emit("\t".join("" if value is None else one_line(str(value)) for value in row))
            count += 1
            continue
        writer.writerow(["" if value is None else value for value in row])
        emit(buffer.getvalue(), newline=False)
        buffer.seek(0)
        buffer.truncate()
        count += 1
    return count - 1


def _json(objects: Iterable[dict[str, Any]], *, lines: bool) -> int:
    count = 0
    if not lines:
        emit("[", newline=False)
    for each in objects:
        text = json.dumps(each, ensure_ascii=False)
        emit(text if lines else (",\n " if count else "") + text, newline=lines)
        count += 1
    if not lines:
        emit("]")
    return count


def _table(columns: Sequence[str], rows: list[Sequence[Any]]) -> int:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else harmless(str(value))) for value in row))
    console.print(table)
    return len(rows)


def emit(text: str, *, newline: bool = True) -> None:
    """Write text to stdout; what the terminal cannot show is escaped."""
    click.echo(printable(text), nl=newline)
