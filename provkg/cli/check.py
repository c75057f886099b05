"""Commands that check."""

import tempfile
from pathlib import Path

import click

from provkg.cli import say
from provkg.cli.output import chosen, opened, settings, with_format, write
from provkg.errors import InputError
from provkg.knowledge import KnowledgeGraph, open_with
from provkg.validation import SEVERITIES, Report
from provkg.validation import validate as run_shapes

_COLUMNS = ("severity", "source", "line", "message", "focus", "path", "value", "shape")


@click.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    default="Warning",
    show_default=True,
    help="The least severity to report.",
)
@with_format("text", default="text")
@click.pass_context
def validate(ctx: click.Context, paths: tuple[str, ...], severity: str, form: str | None, as_json: bool) -> int:
    """Validate the store with SHACL shapes, or the files and folders in PATHS without any store.

    Exit status 0: conforms; 1: it does not, by at least one violation; 3 or 4: some of the input could not be read.
    """
    if not paths:
        return _validate(opened(ctx), severity, form, as_json=as_json, quiet=ctx.obj["quiet"])
    with tempfile.TemporaryDirectory() as folder:
        graph = open_with(settings(ctx), Path(folder) / "store")
        summary = graph.ingest(paths)
        for error in summary.errors:
            say(f"error: {error.message}")
        for path, piece in summary.quarantined:
            say(f"quarantined: {path}:{piece.line}: {piece.reason}")
        if not summary.sources:
            raise InputError("nothing to validate: no input could be read")
        return _validate(graph, severity, form, as_json=as_json, quiet=ctx.obj["quiet"]) or summary.exit_status


def _validate(graph: KnowledgeGraph, severity: str, form: str | None, *, as_json: bool, quiet: bool) -> int:
    report = run_shapes(graph.graph(), severity=severity)
    form = "text" if form is None and not as_json else chosen(form, as_json=as_json)
    if form == "text":
        for finding in report.findings:
            where = f"{finding.source}:{finding.line}" if finding.line else finding.source
            value = f" [{finding.value}]" if finding.value else ""
            click.echo(f"{where}: {finding.severity}: {finding.message} {finding.path}{value} <{finding.focus}>")
    else:
        write(_COLUMNS, ([getattr(finding, column) for column in _COLUMNS] for finding in report.findings), form)
    if not quiet:
        say(_verdict(report))
    return 0 if report.conforms else 1


def _verdict(report: Report) -> str:
    counts = ", ".join(
        f"{report.count(severity)} {severity.lower()}s" for severity in SEVERITIES if report.count(severity)
    )
    found = f": {counts}" if counts else ""
    verdict = "conforms" if report.conforms else "does not conform"
    return f"{verdict}{found} ({report.sources} sources, {report.nodes:,} typed nodes)"
