"""`provkg verify`: whether files are still what was recorded."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from provkg.cli import say
from provkg.cli.output import chosen, emit, opened, with_format, write

if TYPE_CHECKING:
    from provkg.fixity import Verification
    from provkg.fixity.verifying import Progress

_COLUMNS = ("state", "path", "where", "reason", "digest", "entity")
_TABLE = ("state", "path", "where", "reason")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def _rate(_ctx: click.Context, _parameter: click.Parameter, text: str) -> float:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)i?b?(?:/s)?", text.strip().lower())
    if match is None:
        raise click.BadParameter(f"{text!r} is no number of bytes a second: such as 100MB")
    return float(match[1]) * _UNITS[match[2]]


@click.command()
@click.argument("products", nargs=-1)
@click.option("--history", is_flag=True, help="PRODUCTS with all that they were made from.")
@click.option("--run", metavar="NUMBER", default="", help="What the sessions of this run read and wrote.")
@click.option("--night", metavar="YYYYMMDD", default="", help="What the sessions of this night read and wrote.")
@click.option("--jobs", type=click.IntRange(1, 256), default=4, show_default=True, help="Files to read at once.")
@click.option("--rate", metavar="BYTES", default="0", callback=_rate, help="Bytes a second, such as 100MB; 0 is any.")
@click.option("--no-cache", is_flag=True, help="Read every file, also those that did not change since they were read.")
@click.option("--search", metavar="FOLDER", multiple=True, help="Look here for files that moved; repeatable.")
@click.option("--sample", metavar="COUNT|N%", default="", help="Only some files, and say what that tells of all.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the sample.")
@click.option("--confidence", type=click.FloatRange(0.5, 0.999999), default=0.99, show_default=True)
@click.option("--dry-run", is_flag=True, help="Write no observations.")
@click.option("--all", "everything", is_flag=True, help="List what is verified, too; tables leave it out.")
@with_format()
@click.pass_context
def verify(
    ctx: click.Context,
    products: tuple[str, ...],
    history: bool,
    run: str,
    night: str,
    jobs: int,
    rate: float,
    no_cache: bool,
    search: tuple[str, ...],
    sample: str,
    seed: int,
    confidence: float,
    dry_run: bool,
    everything: bool,
    form: str | None,
    as_json: bool,
) -> int:
    """Compare the files of PRODUCTS, of a run, of a night, or all that is recorded, with the digests of their bytes.

    Five states: verified, changed, missing, moved (its bytes lie elsewhere), unverifiable (no digest of its bytes is
    recorded, or it cannot be read). Older versions at a path are left out. A run that was killed goes on where it was.
    Exit status 1: something is changed, missing or moved.
    """
    from provkg.fixity import Options

    if products and (run or night):
        raise click.UsageError("PRODUCTS, or --run and --night", ctx)
    options = Options(jobs, rate, not no_cache, search, sample, seed, confidence, record=not dry_run)
    graph, form = opened(ctx), chosen(form, as_json=as_json)
    with _progress(quiet=ctx.obj["quiet"]) as progress:
        found = graph.verify(*products, history=history, run=run, night=night, options=options, progress=progress)
    shown = [each for each in found.found if everything or form != "table" or each.state != "verified"]
    if form == "json":
        emit(_json(found))
    else:
        columns = _TABLE if form == "table" else _COLUMNS
        write(columns, ([getattr(each, column) for column in columns] for each in shown), form)
    _tell(found, quiet=ctx.obj["quiet"])
    return 0 if found.is_good else 1


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Progress | None]":
    from provkg.cli.write import progressing

    with progressing("verifying", "files", quiet=quiet) as progress:
        yield progress


def _json(found: "Verification") -> str:
    import json

    facts = {
        "when": found.when,
        "counts": dict(sorted(found.counts.items())),
        "superseded": found.superseded,
        "takenOver": found.taken_over,
        "confidence": found.confidence._asdict() if found.confidence else None,
        "files": [each._asdict() for each in found.found],
    }
    return json.dumps(facts, ensure_ascii=False, indent=1)


def _tell(found: "Verification", *, quiet: bool) -> None:
    """Say in a line or two what was found."""
    from provkg.fixity import STATES

    if quiet:
        return
    counts = ", ".join(f"{found.counts[state]:,} {state}" for state in STATES if found.counts[state])
    more = f"; {found.superseded:,} older versions at these paths left out" if found.superseded else ""
    say(f"{len(found.found):,} files: {counts or 'none'}{more}")
    if found.taken_over:
        say(f"{found.taken_over:,} of them were taken over from a run that was killed")
    if found.confidence:
        say(str(found.confidence))
