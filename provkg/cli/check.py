"""Commands that check."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import click

from provkg.cli import say
from provkg.cli.output import FORMATS, emit, opened, settings, with_format, write
from provkg.knowledge.files import contract, model_turtle, validate_files
from provkg.validation import ENGINES, LAYERS, SEVERITIES, Report
from provkg.validation.formats import FORMATS as REPORTS

_COLUMNS = (
    *("severity", "source", "line", "message", "hint", "focus", "path", "value"),
    *("layer", "shape", "rule", "standard"),
)
_TABLE = ("severity", "layer", "name", "where", "message", "value")


@click.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--layer", "layers", type=click.Choice(LAYERS), multiple=True, help="Only the rules of this layer; repeatable."
)
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    default="Warning",
    show_default=True,
    help="The least severity to report.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default="Violation",
    show_default=True,
    help="The least severity for exit status 1.",
)
@click.option("--model", metavar="DEFINITION", help="A definition.yaml: what was captured must be what was defined.")
@click.option("--night", metavar="YYYYMMDD", help="Only what happened in the sessions of this night.")
@click.option("--run", "run_", metavar="NUMBER", help="Only what happened in the sessions of this run.")
@click.option("--product", metavar="PRODUCT", help="Only the history of this product.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    show_default=True,
    help="shacl is fast, pyshacl the reference; both compares them.",
)
@with_format(*REPORTS, default="text")
@click.pass_context
def validate(
    ctx: click.Context,
    paths: tuple[str, ...],
    layers: tuple[str, ...],
    severity: str,
    fail_on: str,
    model: str | None,
    night: str | None,
    run_: str | None,
    product: str | None,
    engine: str,
    form: str | None,
    as_json: bool,
) -> int:
    """Validate the store, or the files and folders in PATHS without any store: SHACL shapes and PROV-CONSTRAINTS.

    Exit status 0: nothing of the severity of --fail-on; 1: something; 3 or 4: some of the input could not be read.
    """
    quiet, form = ctx.obj["quiet"], "json" if as_json else form or "text"
    least = max(SEVERITIES.index(severity), SEVERITIES.index(fail_on))
    options: dict[str, Any] = {"layers": layers or LAYERS, "severity": SEVERITIES[least], "engine": engine}
    unread = 0
    if "" in (night, run_, product, model, *paths):
        raise click.UsageError("an empty name: is a variable of the shell not set?")
    if paths:
        if night or run_ or product:
            raise click.UsageError("--night, --run and --product choose from the store: give no PATHS")
        report, summary = validate_files(paths, settings(ctx), definition=model, **options)
        for error in summary.errors:
            say(f"error: {error.message}")
        for path, piece in () if quiet else summary.quarantined:
            say(f"quarantined: {path}:{piece.line}: {piece.reason}")
        unread = summary.exit_status
    else:
        chosen = {"night": night or "", "run": run_ or "", "product": product or ""}
        report = opened(ctx).validate(definition=model, **chosen, **options)
    failing = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    show(replace(report, failing=failing), form, severity, quiet=quiet)
    return 1 if any(each.severity in failing for each in report.findings) else unread


def show(report: Report, form: str, severity: str, *, quiet: bool) -> None:
    """Write the findings of a severity and above, and say the verdict."""
    wanted = SEVERITIES[: SEVERITIES.index(severity) + 1]
    kept = tuple(each for each in report.findings if each.severity in wanted)
    shown = replace(report, findings=kept)
    if form in REPORTS:
        _lines(REPORTS[form](shown))
    else:
        assert form in FORMATS
        columns = _TABLE if form == "table" else _COLUMNS
        write(columns, ([getattr(each, column) for column in columns] for each in kept), form)
    if not quiet:
        say(verdict(report))


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        emit(line)


def verdict(report: Report) -> str:
    """Say in one line what a validation found."""
    counts = ", ".join(
        f"{report.count(severity):,} {severity.lower()}{'s' if report.count(severity) != 1 else ''}"
        for severity in SEVERITIES
        if report.count(severity)
    )
    found = f": {counts}" if counts else ""
    said = "conforms" if report.conforms else "does not conform"
    return f"{said}{found} ({report.sources:,} sources, {report.nodes:,} typed nodes, engine {report.engine})"


@click.command()
@click.argument("definition")
@click.option(
    "--part",
    type=click.Choice(["shapes", "descriptions", "both"]),
    default="both",
    show_default=True,
    help="What to write.",
)
@click.option("-o", "--output", metavar="FILE", help="Where to write; default: stdout.")
@click.pass_context
def model(ctx: click.Context, definition: str, part: str, output: str | None) -> int:
    """Turn a pipeline's DEFINITION (definition.yaml) into IVOA descriptions and SHACL shapes, as Turtle.

    The shapes are what `provkg validate --model DEFINITION` uses; any SHACL engine can use them on an export.
    """
    store = opened(ctx).store
    own = replace(settings(ctx), base=store.base())  # the IRIs of the store that is there
    known = contract(definition, own.base)
    text = model_turtle(known, own, shapes=part != "descriptions", descriptions=part != "shapes")
    if output in (None, "-"):
        emit(text, newline=False)
    else:
        with open(str(output), "w", encoding="utf-8") as file:  # noqa: PTH123 - a name from the command line
            file.write(text)
    if not ctx.obj["quiet"]:
        slots = sum(len(each.slots) for each in known.definition.activities)
        undeclared = sum(not slot.declared for each in known.definition.activities for slot in each.slots)
        say(
            f"{len(known.definition.activities)} activities, {slots} inputs and outputs"
            f" ({undeclared} without a multiplicity: one is assumed), {len(known.definition.entities)} kinds of entity"
        )
        for line, odd in known.definition.odd:
            say(f"{definition}:{line}: {odd}")
    return 0
