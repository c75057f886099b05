"""Commands that write the store."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from provkg.cli import say
from provkg.cli import sources as accounts
from provkg.cli.output import chosen, emit, opened, settings, write
from provkg.ingest import ADDRESS, Cluster, Progress, Summary, workers
from provkg.ingest.parts import beside
from provkg.knowledge import KnowledgeGraph
from provkg.ledger.accounting import Document
from provkg.validation import Report

LOG_SECONDS = 30
MOST_SHOWN = 10


def _address(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not ADDRESS.fullmatch(value):
        raise click.BadParameter(f"{value!r} is none of local:N, tcp://HOST:PORT and tls://HOST:PORT")
    return value


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on stdout.")
@click.option(
    "--validate", "check", is_flag=True, help="Validate what this ingest touched; violations give exit status 1."
)
@click.option(
    "--scheduler",
    metavar="local:N|tcp://HOST:PORT",
    callback=_address,
    help="Let N processes of this machine, or the workers of a dask.distributed scheduler, read the files.",
)
@click.option(
    "--parts",
    metavar="FOLDER",
    help="Write N-Quads files for a server's bulk loader, instead of loading the store; .gz where FOLDER ends in .gz.",
)
@click.option(
    "--replay",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read again what was repaired in FILE, which `status --quarantine` wrote; in the place of PATHS.",
)
@click.option("--report", is_flag=True, help="Say of each source which of its bytes are records, none, or quarantined.")
@click.pass_context
def ingest(
    ctx: click.Context,
    paths: tuple[str, ...],
    as_json: bool,
    check: bool,
    scheduler: str | None,
    parts: str | None,
    replay: Path | None,
    report: bool,
) -> int:
    """Read files and folders (recursively) into the store, which is made when it is not there.

    What a file is, is found from its content; `-` is standard input. The same files again change nothing. What cannot
    be read is quarantined with its place and reason, and the rest still gets in.
    """
    if bool(paths) == bool(replay) or (replay and (scheduler or parts)):
        raise click.UsageError("give PATHS, or --replay FILE without --scheduler and --parts", ctx)
    quiet, found, written = ctx.obj["quiet"], None, None
    with ExitStack() as ending:
        cluster = ending.enter_context(_workers(scheduler))
        store = ending.enter_context(beside(Path(parts), settings(ctx))) if parts else None
        graph = KnowledgeGraph(store) if store is not None else opened(ctx)
        with progressing("reading", "bytes", quiet=quiet) as progress:
            if replay:
                summary = graph.replay(replay, progress=progress)
            else:
                summary = graph.ingest(paths, progress=progress, scheduler=cluster)
        if check and summary.touched:
            found = graph.validate(sources=summary.touched, severity="Warning", scheduler=cluster)
        if parts and graph.store.exists():
            written = graph.write_parts(parts, scheduler=cluster)
        documents = graph.sources(summary.paths) if report and summary.paths else []
    _tell(summary, documents if report else None, as_json=as_json, quiet=quiet)
    if found is not None:
        _judge(found, quiet=quiet)
    if written is not None and not quiet:
        say(f"{sum(each.quads for each in written):,} quads in {len(written):,} files of {parts}")
    return summary.exit_status if found is None or found.conforms else 1


@contextmanager
def _workers(scheduler: str | None) -> Iterator[Cluster | None]:
    """Open a cluster; meanwhile a closed socket is an error and does not end the program, as a closed stdout does."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN) if scheduler else None
    try:
        with workers(scheduler) as cluster:
            yield cluster
    finally:
        if before is not None:
            signal.signal(signal.SIGPIPE, before)


def _tell(summary: Summary, documents: list[Document] | None, *, as_json: bool, quiet: bool) -> None:
    """Say what an ingest did, and what it could not; where it is told of documents, stdout has these."""
    _report(summary, quiet=quiet)
    if as_json:
        import json

        told = {} if documents is None else {"documents": [accounts.as_json(each) for each in documents]}
        emit(json.dumps(_as_json(summary) | told, ensure_ascii=False))
        return
    if documents is not None:
        write(accounts.COLUMNS, accounts.rows(documents, summary.skipped), chosen(None, as_json=False))
        say(accounts.total(documents))
    if not quiet:
        for line in _lines(summary):
            (emit if documents is None else say)(line)


def _judge(report: Report, *, quiet: bool) -> None:
    """Say what is wrong with what an ingest touched; the findings go to stderr, stdout has the summary."""
    from provkg.cli.check import verdict
    from provkg.validation.formats import text

    for line in text(report):
        say(line)
    if not quiet:
        say(verdict(report))


def _report(summary: Summary, *, quiet: bool) -> None:
    """Say what could not be read: a few in full, the others by count."""
    for error in summary.errors[:MOST_SHOWN]:
        say(f"error: {error.message}")
        if error.hint:
            say(f"hint: {error.hint}")
    if len(summary.errors) > MOST_SHOWN:
        say(f"error: {len(summary.errors) - MOST_SHOWN} more inputs could not be read")
    if quiet:
        return
    for path, piece in summary.quarantined[:MOST_SHOWN]:
        say(f"quarantined: {path}:{piece.line}: {piece.reason} (byte {piece.offset}, {piece.length} bytes)")
    if len(summary.quarantined) > MOST_SHOWN:
        say(f"quarantined: {len(summary.quarantined) - MOST_SHOWN} more; all of them: provkg status --quarantine")


def _lines(summary: Summary) -> Iterator[str]:
    counts = summary.counts
    read = f"{summary.sources:,} sources read"
    known = f", {summary.unchanged:,} already known" if summary.unchanged else ""
    grown = f", {summary.grown:,} of them grown" if summary.grown else ""
    replaced = f", {summary.replaced:,} replaced" if summary.replaced else ""
    skipped = f", {len(summary.skipped):,} files that are no provenance skipped" if summary.skipped else ""
    yield read + grown + known + replaced + skipped
    if summary.sources:
        names = ("activities", "usages", "generations", "sessions")
        yield ", ".join(f"{counts[name]:,} {name}" for name in names) + f", {counts['quarantined']:,} quarantined"
    if summary.evidence:
        yield "versions read: " + ", ".join(f"{count:,} {name}" for name, count in sorted(summary.evidence.items()))
    for about, count in sorted(summary.remarks.items()):
        yield f"{count:,} {about}"


def _as_json(summary: Summary) -> dict[str, object]:
    return {
        "sources": summary.sources,
        "unchanged": summary.unchanged,
        "grown": summary.grown,
        "replaced": summary.replaced,
        "skipped": summary.skipped,
        **dict(sorted(summary.counts.items())),
        "evidence": dict(sorted(summary.evidence.items())),
        "remarks": dict(sorted(summary.remarks.items())),
        "errors": [error.message for error in summary.errors],
        "quarantine": [
            {"source": path, "line": piece.line, "offset": piece.offset, "length": piece.length, "reason": piece.reason}
            for path, piece in summary.quarantined
        ],
    }


@contextmanager
def progressing(word: str, unit: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Show a bar on a terminal, one line every 30 s elsewhere, nothing when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn(word), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(word, total=None)
            yield lambda done, total, _name: bar.update(task, completed=done, total=total)
    else:
        yield _logged(word, unit)


def _logged(word: str, unit: str) -> Callable[[int, int, str], None]:
    last = time.monotonic()

    def progress(done: int, total: int, name: str) -> None:
        nonlocal last
        if time.monotonic() - last >= LOG_SECONDS:
            last = time.monotonic()
            say(f"{word} {name}: {done / max(total, 1):.0%} of {total:,} {unit}")

    return progress
