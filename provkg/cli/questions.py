"""Commands that ask."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click
from pyoxigraph import QueryBoolean, QueryResultsFormat, QueryTriples, RdfFormat

from provkg.cli.output import chosen, emit, opened, with_format, write
from provkg.errors import InputError, QuestionError
from provkg.questions import find_question, questions
from provkg.store import text_of

_SELECT = {"table": None, "json": QueryResultsFormat.JSON, "jsonl": None, "csv": None, "tsv": None}
_CONSTRUCT = {"turtle": RdfFormat.TURTLE, "ntriples": RdfFormat.N_TRIPLES}


@click.command()
@click.argument("question", required=False)
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--show", "show_query", is_flag=True, help="Print the SPARQL instead of running it.")
@with_format()
@click.pass_context
def ask(
    ctx: click.Context, question: str | None, values: tuple[str, ...], show_query: bool, form: str | None, as_json: bool
) -> int:
    """Ask a canned QUESTION by its name or id; without one, list them.

    `provkg ask parents product=dl3.fits`; a value without a name is the first parameter's.
    """
    form = chosen(form, as_json=as_json)
    if question is None:
        rows = [
            (
                each.id,
                each.name,
                each.summary,
                " ".join(_usage(parameter.name, parameter.required) for parameter in each.parameters.values()),
            )
            for each in questions().values()
        ]
        write(("id", "question", "summary", "values"), sorted(rows), form)
        return 0
    asked = find_question(question)
    named: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or (name not in asked.parameters and not name.isidentifier()):
            free = [each for each in asked.parameters if each not in named]
            if not free:
                raise QuestionError(f"{asked.name} takes no further value: {value!r}", hint="give NAME=VALUE")
            name, text = free[0], value
        named[name] = text
    if show_query:
        emit(asked.sparql.rstrip())
        return 0
    answers = opened(ctx).ask(asked.name, **named)
    # IRIs are for programs: a table on a terminal leaves them out, every other format has them
    columns = [name for name, kind in asked.columns.items() if form != "table" or kind != "iri"]
    write(columns, ([row[column] for column in columns] for row in answers), form)
    return 0


def _usage(name: str, required: bool) -> str:
    return f"{name}=…" if required else f"[{name}=…]"


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
    results = opened(ctx).graph().query(_text(file))
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


def _text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{file}: the query is not UTF-8") from None
