"""Any SPARQL query; it cannot write."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click
from pyoxigraph import QueryBoolean, QueryResultsFormat, QueryTriples, RdfFormat

from provkg.cli.output import chosen, emit, opened, write
from provkg.errors import InputError
from provkg.store import text_of

_SELECT = {"table": None, "json": QueryResultsFormat.JSON, "jsonl": None, "csv": None, "tsv": None}
_CONSTRUCT = {"turtle": RdfFormat.TURTLE, "ntriples": RdfFormat.N_TRIPLES}


@click.command()
@click.argument("file")
@click.option(
    "--format",
    "form",
    type=click.Choice([*_SELECT, *_CONSTRUCT]),
    help="json is SPARQL results JSON; turtle and ntriples are for CONSTRUCT and DESCRIBE.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def query(ctx: click.Context, file: str, form: str | None, as_json: bool) -> int:
    """Run the SPARQL 1.1 query in FILE (`-` is standard input); it cannot write.

    Without FROM it asks the union of all graphs, where a triple that two sources state counts twice: say DISTINCT.
    """
    results = opened(ctx).graph().query(text_of_query(file))
    form = "json" if as_json else form
    if isinstance(results, QueryTriples):
        _fits(form, _CONSTRUCT, "CONSTRUCT and DESCRIBE", ctx)
        data = results.serialize(format=_CONSTRUCT[form or "turtle"])
    elif isinstance(results, QueryBoolean):
        _fits(form, {"json": None}, "ASK", ctx)
        data = results.serialize(format=_SELECT["json"]) if form else b"true" if results else b"false"
    else:
        _fits(form, _SELECT, "SELECT", ctx)
        form = chosen(form, as_json=as_json)
        if form != "json":
            names = [variable.value for variable in results.variables]
            write(names, ([text_of(solution[name]) or None for name in names] for solution in results), form)
            return 0
        data = results.serialize(format=_SELECT["json"])
    emit((data or b"").decode().rstrip("\n"))
    return 0


def _fits(form: str | None, allowed: Mapping[str, object], kind: str, ctx: click.Context) -> None:
    if form is not None and form not in allowed:
        raise click.UsageError(f"{kind} cannot be written as {form}; choose {', '.join(allowed)}", ctx)


def text_of_query(file: str) -> str:
    """Return the text of a query from a file or standard input."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{file}: the query is not UTF-8") from None
