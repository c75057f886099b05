"""Commands that ask."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from provkg.cli import say
from provkg.cli.output import FORMATS, PIPE_WIDTH, chosen, emit, opened, settings, write
from provkg.errors import QuestionError
from provkg.identity import harmless
from provkg.knowledge import KnowledgeGraph
from provkg.questions import Answer, Question, in_order, questions
from provkg.questions.formats import TEXT, grouped
from provkg.questions.question import Parameter

HISTORIES = (("up",), ("down",))  # what a header's tree says of a history
PARTIAL = 4


@click.command()
@click.argument("question", required=False)
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--show", "show_query", is_flag=True, help="Print the SPARQL with the values instead of running it.")
@click.option(
    "--explain", is_flag=True, help="Print how the answer was found, and the time of each step, instead of it."
)
@click.option("--limit", type=click.IntRange(min=1), help="Give at most so many rows; a cut answer ends with status 4.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Wait at most so long; the same.")
@click.option("--grain", type=click.Choice(["subrun", "run", "night"]), help="Fold rows of one run or night into one.")
@click.option("--cite", type=click.Path(dir_okay=False, path_type=Path), help="Write what cites the answer to a file.")
@click.option(
    "--check", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Ask again what a citation asked."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "tree", *TEXT]),
    help="json is SPARQL results JSON. Default: table on a terminal, tsv in a pipe.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def ask(
    ctx: click.Context,
    /,
    question: str | None,
    values: tuple[str, ...],
    form: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Ask a canned QUESTION by its name or id; without one, list them.

    `provkg ask parents product=dl3.fits`; a value without a name is the first parameter's, and a name that stands
    twice gives several. A product is a path, a file name, a digest, an IRI, or the beginning of one.
    """
    how = How(**options)
    _refuse(ctx, question, form, how)
    form = chosen(form, as_json=as_json)
    if how.check is not None:
        return _checked(opened(ctx), how.check)
    if question is None:
        return _listed(ctx, form)
    graph = opened(ctx)
    asked = graph.question(question)
    if form == "tree" and (how.limit or how.seconds) and asked.tree in HISTORIES:
        raise click.UsageError("a history is drawn whole: leave out --limit and --seconds", ctx)
    named = _named(asked, values)
    if how.show_query:
        emit((graph.bound_of(asked, named) if named else asked.sparql).rstrip())
        return 0
    answer = graph.ask_of(asked, named, limit=how.limit, seconds=how.seconds)
    if how.explain:
        _explained(answer, form)
    elif how.grain:
        rows_of(graph, list(answer), list(answer.columns), how.grain, form)
    else:
        _written(graph, answer, form)
    if how.cite is not None:
        how.cite.write_text(json.dumps(graph.cite(answer), ensure_ascii=False, indent=1) + "\n", "utf-8")
    if answer.cut:
        say(f"warning: the answer was {answer.cut}")
        return PARTIAL
    return 0


def rows_of(graph: KnowledgeGraph, rows: list[dict[str, Any]], columns: list[str], grain: str, form: str) -> None:
    """Write rows folded by grain, with how many each stands for; a table leaves out IRIs, as ever."""
    from provkg.rollup import COUNT

    found = graph.rolled(rows, columns, grain)
    shown = [*columns, COUNT]
    if form == "table":
        shown = [each for each in shown if not any("://" in str(row[each]) for row in found)]
    write(shown, ([row[each] for each in shown] for row in found), form)


@dataclass(frozen=True)
class How:
    """The options of ``ask`` but the format."""

    show_query: bool
    explain: bool
    limit: int | None
    seconds: float | None
    grain: str | None
    cite: Path | None
    check: Path | None


def _refuse(ctx: click.Context, question: str | None, form: str | None, how: How) -> None:
    """Refuse options that would be ignored."""
    given = {
        "--show": how.show_query,
        "--explain": how.explain,
        "--cite": how.cite,
        "--limit": how.limit,
        "--seconds": how.seconds,
        "--grain": how.grain,
    }
    names = [name for name, value in given.items() if value]
    if how.check is not None and (question is not None or names or form is not None):
        raise click.UsageError("--check goes alone: the citation holds the question and its values", ctx)
    if question is None and names:
        raise click.UsageError(f"{names[0]} goes with a question", ctx)
    if how.grain and (form or "table") not in FORMATS:
        raise click.UsageError(f"a folded answer cannot be written as {form}; choose {', '.join(FORMATS)}", ctx)
    if how.grain and (how.explain or how.cite):
        raise click.UsageError("--explain and --cite are of the answer as it is: leave out --grain", ctx)
    if how.show_query and (len(names) > 1 or form is not None):
        raise click.UsageError("--show goes without other options: nothing is asked", ctx)


def _listed(ctx: click.Context, form: str) -> int:
    """List the questions in the order of their ids."""
    known = sorted(questions(settings(ctx).questions).values(), key=in_order)
    rows = [(each.id, each.name, each.summary, " ".join(map(_usage, each.parameters.values()))) for each in known]
    if form not in FORMATS:
        raise click.UsageError(f"the list cannot be written as {form}; choose {', '.join(FORMATS)}", ctx)
    write(("id", "question", "summary", "values"), rows, form)
    return 0


def _usage(parameter: Parameter) -> str:
    """Return how a value is given."""
    return f"{parameter.name}=…" if parameter.required and parameter.default is None else f"[{parameter.name}=…]"


def _named(asked: Question, values: tuple[str, ...]) -> dict[str, str | list[str]]:
    """Return the values by name; one without a name is that of the first parameter that has none yet."""
    named: dict[str, list[str]] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or (name not in asked.parameters and not name.isidentifier()):
            free = [each for each in asked.parameters if each not in named]
            if not free:
                raise QuestionError(f"{asked.name} takes no further value: {value!r}", hint="give NAME=VALUE")
            name, text = free[0], value
        named.setdefault(name, []).append(text)
    for name, several in named.items():
        if len(several) > 1 and name in asked.parameters and not asked.parameters[name].many:
            raise QuestionError(f"{name} is given {len(several)} times", hint="it takes one value")
    return {name: several if len(several) > 1 else several[0] for name, several in named.items()}


def _written(graph: KnowledgeGraph, answer: Answer, form: str) -> None:
    if form == "table":  # IRIs are for programs: a table on a terminal leaves them out, every other format has them
        columns = [name for name, column in answer.columns.items() if column.type != "iri"]
        write(columns, ([row[column] for column in columns] for row in answer), form)
    elif form == "tree":
        _tree(graph, answer)
    else:
        emit(TEXT[form](answer), newline=False)


def _tree(graph: KnowledgeGraph, answer: Answer) -> None:
    """Draw an answer as a tree: a history as it is, other answers grouped by some of their columns."""
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    from provkg.graphview import tree

    by = answer.question.tree
    if not by:
        trees = ", ".join(sorted(name for name, each in graph.questions().items() if each.tree))
        raise QuestionError(f"the answer to {answer.question.name} is no tree", hint=f"these are: {trees}")
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    if by in HISTORIES:
        name = next(each.name for each in answer.question.parameters.values() if each.type == "product")
        product = answer.values[name]
        down = by == ("down",)
        console.print(tree(graph.lineage(product, down=down), graph.find(product)[0].iri, product, down=down))
        return
    root = Tree(Text(answer.question.summary, style="bold"), guide_style="bright_black")

    def grow(branch: Tree, below: dict[str, Any]) -> None:
        for name, deeper in below.items():
            count = f"  ({len(deeper)})" if len(deeper) > 1 else ""
            grow(branch.add(Text(harmless(name) + count)), deeper)

    grow(root, grouped(answer, by))
    console.print(root)


def _explained(answer: Answer, form: str) -> None:
    """Show how an answer was found."""
    rows = [(phase.what, phase.detail, f"{1000 * phase.seconds:.1f}") for phase in answer.plan]
    rows += [(f"code: {name}", says, "") for name, says in answer.question.code.items()]
    budget = f"{1000 * answer.question.seconds:g} ms and {answer.question.rows} rows for a night"
    write(("step", "what", "ms"), [*rows, ("budget", budget, "")], form if form in FORMATS else "table")


def _checked(graph: KnowledgeGraph, path: Path) -> int:
    """Ask a citation's question again, and say what has changed."""
    found = graph.check(path)
    for each in found:
        emit(each.text)
    same = not any(each.kind == "answer" for each in found)
    emit("the answer is still the same" if same else "the answer has changed")
    return 0 if same else 1
