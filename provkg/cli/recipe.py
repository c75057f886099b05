"""`provkg recipe`: how to make a product again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkg.cli import say
from provkg.cli.output import chosen, emit, opened, with_format, write

if TYPE_CHECKING:
    from provkg.recipes import Plan

_BLOCKERS = ("blocker", "step", "what")
_OUTCOMES = ("state", "step", "path", "recorded", "found")
_MATCHES = ("finding", "step", "first", "second", "recipe", "digest")


@click.command()
@click.argument("product", required=False)
@click.option(
    "--to",
    "language",
    type=click.Choice(["sh", "make", "snakemake", "cwl"]),
    default="sh",
    show_default=True,
    help="What the recipe is written for.",
)
@click.option("-o", "--output", metavar="FOLDER", help="Write the recipe, a lock of each environment and inputs.tsv.")
@click.option("--check", is_flag=True, help="List what stands in the way of making it again here and now.")
@click.option("--run", "root", metavar="FOLDER", help="Make it again in an empty FOLDER, and compare each product.")
@click.option("--digest", is_flag=True, help="Write the recipe digest: equal for equal computations.")
@click.option(
    "--compare", is_flag=True, help="Of the whole store: same recipe and other bytes, the reverse, done twice."
)
@with_format()
@click.pass_context
def recipe(
    ctx: click.Context,
    product: str | None,
    language: str,
    output: str | None,
    check: bool,
    root: str | None,
    digest: bool,
    compare: bool,
    form: str | None,
    as_json: bool,
) -> int:
    """Write how PRODUCT is made: commands in order, with inputs by digest and environments as locks.

    What no record tells is a line that fails, never a guess. Exit status 1: --check found something, --run made
    something else, --compare found a difference.
    """
    if bool(product) == compare or sum(map(bool, (output, check, root, digest, compare))) > 1:
        raise click.UsageError("name a PRODUCT and at most one of -o, --check, --run and --digest; or --compare alone")
    graph, form = opened(ctx), chosen(form, as_json=as_json)
    if compare:
        matches = graph.recipes_compared()
        write(_MATCHES, matches, form)
        return 1 if any("different" in each.finding for each in matches) else 0
    plan = graph.recipe(str(product))
    if check:
        return _check(plan, form)
    if root:
        return _run(plan, Path(root), form)
    if digest:
        emit(plan.recipe)
    elif as_json:
        emit(_json(plan))
    else:
        _write(plan, language, output)
    gaps = sum(1 for _ in plan.gaps())
    if gaps and not ctx.obj["quiet"]:
        say(f"{gaps} things are not recorded: provkg recipe PRODUCT --check lists them")
    return 0


def _write(plan: Plan, language: str, output: str | None) -> None:
    """Write the recipe alone to stdout, or all of its files to a folder."""
    from provkg.recipes import files_of

    files = files_of(plan, language)
    if output is None:
        emit(next(iter(files.values())), newline=False)
        return
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    say(f"{len(files)} files in {folder}: {', '.join(files)}")


def _check(plan: Plan, form: str) -> int:
    from provkg.recipes import blockers

    found = blockers(plan)
    write(_BLOCKERS, found, form)
    say(f"{len(found)} things are in the way" if found else "nothing is in the way that records can tell")
    return 1 if found else 0


def _run(plan: Plan, root: Path, form: str) -> int:
    from provkg.recipes import rerun

    found = list(rerun(plan, root))
    shown = 3 if form == "table" else len(_OUTCOMES)
    write(_OUTCOMES[:shown], (each[:shown] for each in found), form)
    counts = {
        state: sum(each.state == state for each in found) for state in dict.fromkeys(each.state for each in found)
    }
    said = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    say(f"{len(found)} products: {said or 'none'}")
    return 1 if any(each.state in ("different", "not made") for each in found) else 0


def _json(plan: Plan) -> str:
    """Return a plan as JSON."""
    import json

    calls: list[dict[str, Any]] = [
        {
            "number": each.number,
            "label": each.label,
            "directory": each.directory,
            "host": each.process.host,
            "command": ["".join(word) for word in each.command],
            "reads": [file._asdict() for file in each.reads],
            "writes": [file._asdict() for file in each.writes],
            "after": each.after,
            "unknown": each.unknown,
            "steps": [
                {"activity": step.iri, "start": step.start, "parameters": dict(step.parameters)} for step in each.steps
            ],
            "environments": each.process.environments,
        }
        for each in plan.calls
    ]
    facts = {
        "product": plan.target.iri,
        "location": plan.target.location,
        "recipeDigest": plan.recipe,
        "inputs": [file._asdict() for file in plan.inputs],
        "calls": calls,
        "unknown": plan.unknown,
        "packages": plan.packages,
    }
    return json.dumps(facts, ensure_ascii=False, indent=1)
