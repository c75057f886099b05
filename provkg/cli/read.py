"""Commands that read the store."""

import json
import sys
from typing import Any

import click

from provkg.cli import say
from provkg.cli import sources as accounts
from provkg.cli.output import PIPE_WIDTH, chosen, emit, opened, with_format, write
from provkg.lineage import COLUMNS, Step


@click.command()
@click.argument("product")
@click.option("--up", "direction", flag_value="up", default="up", help="What it was made from (the default).")
@click.option("--down", "direction", flag_value="down", help="What was made from it.")
@click.option("--depth", type=click.IntRange(min=1), help="How many steps to go; all by default.")
@click.option("--grain", type=click.Choice(["subrun", "run", "night"]), help="Fold steps of one run or night into one.")
@click.option("-o", "--output", metavar="FILE.svg", help="Write the tree as a picture; - is stdout.")
@with_format("tree")
@click.pass_context
def lineage(
    ctx: click.Context,
    product: str,
    direction: str,
    depth: int | None,
    grain: str | None,
    output: str | None,
    form: str | None,
    as_json: bool,
) -> int:
    """Show the history of PRODUCT: every input of every step, and how the version that was read is known.

    evidence is byContent (the same digest), byIdentity (the same product id), byTime (the last one written before the
    step began), assumed (nobody recorded writing it), derivation or membership (a record says so), generated (a step
    without inputs), or unresolved.
    """
    down = direction == "down"
    steps = opened(ctx).lineage(product, down=down, depth=depth)
    if output and (form or as_json or not (output == "-" or output.endswith(".svg"))):
        raise click.UsageError("-o writes a picture, FILE.svg or -, and goes without --format", ctx)
    if grain and (output or form == "tree"):
        raise click.UsageError("a folded history is a table or data; provkg graph draws one", ctx)
    form = chosen(form, as_json=as_json)
    if grain:
        from provkg.cli.questions import rows_of

        rows_of(
            opened(ctx),
            [dict(zip(COLUMNS, (getattr(step, each) for each in COLUMNS), strict=True)) for step in steps],
            list(COLUMNS),
            grain,
            form,
        )
        return 0
    if form == "tree" or output:
        from rich.console import Console

        from provkg.graphview import svg, tree

        root = tree(steps, _root(ctx, product), product, down=down)
        if output:
            with click.open_file(output, "w", encoding="utf-8") as stream:
                stream.write(svg(root))
            return 0
        Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(root)
        return 0
    rows = [[getattr(step, column) for column in COLUMNS] for step in steps]
    if form == "table":
        _table(steps)
    else:
        write(COLUMNS, rows, form)
    return 0


def _root(ctx: click.Context, product: str) -> str:
    return opened(ctx).find(product)[0].iri


def _table(steps: list[Step]) -> None:
    """Write what fits a terminal: the IRIs are in every other format."""
    columns = ("depth", "location", "name", "activityName", "startedAt", "evidence")
    write(columns, [[getattr(step, column) for column in columns] for step in steps], "table")


@click.command()
@click.argument("product")
@with_format()
@click.pass_context
def show(ctx: click.Context, product: str, form: str | None, as_json: bool) -> int:
    """Show the card of one PRODUCT: what it is, what made it, what used it, where that is recorded."""
    card = opened(ctx).show(product)
    form = chosen(form, as_json=as_json)
    if form == "json":
        facts: dict[str, Any] = {}
        for section, fact, value in card.facts:
            facts.setdefault(section or "product", {}).setdefault(fact, []).append(value)
        emit(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        write(("section", "fact", "value"), card.facts, form)
    return 0


@click.command()
@with_format()
@click.option("--digest", is_flag=True, help="Add the digest of the canonical graph (reads everything).")
@click.option("--sources", is_flag=True, help="What was read of each source: each of its bytes is accounted for.")
@click.option(
    "--quarantine", is_flag=True, help="What could not be read, a line of JSON each: repair it, and ingest --replay."
)
@click.pass_context
def status(ctx: click.Context, form: str | None, as_json: bool, digest: bool, sources: bool, quarantine: bool) -> int:
    """Say what the store holds: sources, activities, how versions are known, what was assumed or quarantined."""
    graph = opened(ctx)
    if quarantine:
        for piece in graph.quarantine():
            emit(piece.as_json())
        return 0
    if sources:
        documents = graph.sources()
        if (chosen(form, as_json=as_json)) == "json":
            emit(json.dumps([accounts.as_json(each) for each in documents], ensure_ascii=False, indent=1))
        else:
            write(accounts.COLUMNS, accounts.rows(documents), chosen(form, as_json=as_json))
            say(accounts.total(documents))
        return 1 if any(each.wrong for each in documents) else 0
    facts = graph.status()
    if digest:
        facts["digest"] = graph.graph().digest()
    form = chosen(form, as_json=as_json)
    if form == "json":
        emit(json.dumps(facts, ensure_ascii=False, indent=1))
        return 0
    rows = []
    for name, value in facts.items():
        rows += (
            [(f"{name}: {key}", count) for key, count in value.items()] if isinstance(value, dict) else [(name, value)]
        )
    write(("what", "value"), rows, form)
    return 0
