"""`provkg reconcile`: what the scheduler saw, beside what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provkg.cli import say
from provkg.cli.output import chosen, emit, opened, with_format, write

if TYPE_CHECKING:
    from provkg.reconciling import Reconciliation

_TABLE = ("finding", "job", "name", "run", "host", "start", "state", "exit", "attempt", "recorded")


@click.command()
@click.argument("files", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Also attempts that ended well.")
@with_format()
@click.pass_context
def reconcile(ctx: click.Context, files: tuple[str, ...], everything: bool, form: str | None, as_json: bool) -> int:
    """Read FILES of a scheduler (`sacct --parsable2 > jobs.txt`, lstosa's .history) and join them with the records.

    A process is joined with its job by the id that it recorded, else by host, time and name; where several jobs fit,
    none is chosen. Without FILES, what was read before is joined again. Exit status 1: something failed, was killed or
    never ended; 3 or 4: a file, or a line of one, could not be read.
    """
    form = chosen(form, as_json=as_json)
    found = opened(ctx).reconcile(files)
    shown = found.attempts if everything else found.findings
    if form == "json":
        emit(_json(found))
    else:
        columns = _TABLE if form == "table" else (*_TABLE, "end", "status", "attempts", "unended", "iri")
        write(columns, ([getattr(each, column) for column in columns] for each in shown), form)
    return _tell(found, quiet=ctx.obj["quiet"])


def _tell(found: Reconciliation, *, quiet: bool) -> int:
    """Say what was joined and what could not be read; return the exit status."""
    unread = 0
    if found.summary is not None:
        for error in found.summary.errors:
            say(f"error: {error.message}")
        for path, piece in () if quiet else found.summary.quarantined:
            say(f"quarantined: {path}:{piece.line}: {piece.reason}")
        unread = found.summary.exit_status
    if not quiet:
        joined = ", ".join(f"{count:,} {name}" for name, count in found.joined.items()) or "none"
        say(
            f"{len(found.attempts):,} attempts, {len(found.findings):,} with findings; processes joined: {joined};"
            f" {found.ambiguous:,} ambiguous, {found.alone:,} to which no job fits;"
            f" {len(found.explained):,} activities without an end explained"
        )
    return unread or (1 if found.findings else 0)


def _json(found: Reconciliation) -> str:
    import json

    facts = {
        "attempts": [each._asdict() for each in found.attempts],
        "joined": found.joined,
        "explained": [{"activity": activity, "job": job} for activity, job in found.explained],
        "ambiguous": found.ambiguous,
        "alone": found.alone,
    }
    return json.dumps(facts, ensure_ascii=False, indent=1)
