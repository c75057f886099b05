"""Commands that ask."""

import sys
from pathlib import Path

import click

from provkg.cli.output import chosen, emit, opened, with_format, write
from provkg.errors import InputError, QuestionError
from provkg.questions import find_question, questions
from provkg.store import text_of

_RESULTS = {"json": "srj", "csv": "csv", "tsv": "tsv"}


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
    type=click.Choice(["table", "json", "csv", "tsv", "turtle", "ntriples"]),
    help="json is SPARQL results JSON.",
)
@click.pass_context
def query(ctx: click.Context, file: str, form: str | None) -> int:
    """Run the SPARQL 1.1 query in FILE (`-` is standard input) over the union of all graphs; it cannot write."""
    from pyoxigraph import QueryResultsFormat, QuerySolutions, QueryTriples, RdfFormat, serialize

    text = _text(file)
    graph = opened(ctx).graph()
    results = graph.store.query(text, use_default_graph_as_union=True)
    form = form or ("table" if sys.stdout.isatty() else "tsv")
    if isinstance(results, QueryTriples):
        syntax = RdfFormat.N_TRIPLES if form == "ntriples" else RdfFormat.TURTLE
        emit((serialize(results, format=syntax) or b"").decode(), newline=False)
    elif form == "table" and isinstance(results, QuerySolutions):
        names = [variable.value for variable in results.variables]
        write(names, ([text_of(solution[name]) for name in names] for solution in results), "table")
    elif isinstance(results, QuerySolutions) or form == "json":
        wanted = QueryResultsFormat.from_extension(_RESULTS.get(form, "tsv"))
        emit((results.serialize(format=wanted) or b"").decode())
    else:
        emit("true" if results else "false")
    return 0


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: {getattr(error, 'strerror', None) or error}") from None
