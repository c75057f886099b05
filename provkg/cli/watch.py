"""The command that reads records while they are written."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from threading import Event

import click

from provkg.cli import say
from provkg.cli.output import emit, opened
from provkg.errors import StoreError
from provkg.ingest import Summary
from provkg.watch import Batch


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--poll", is_flag=True, help="Look at each file again and again; so it is on network file systems anyway."
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each batch.")
@click.pass_context
def watch(ctx: click.Context, paths: tuple[Path, ...], poll: bool, as_json: bool) -> int:
    """Read files and folders while pipelines write them: what is written can be asked within seconds.

    Files may grow, be rotated or be new in a folder; a line is read when it is complete. Says one line for each batch
    that brought records. SIGTERM (systemd, Slurm) and Ctrl-C end it after the batch that has begun; what comes later,
    and what was written meanwhile, is read when it is started again.
    """
    graph, stop, quiet = opened(ctx), Event(), ctx.obj["quiet"]
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    ready = False
    try:
        for found in graph.watch(paths, poll=poll, stop=stop):
            if isinstance(found, StoreError):
                say(f"error: {found.message}; tried again")
                continue
            _tell(found, as_json=as_json, quiet=quiet)
            if not ready:
                ready = True
                notify("READY=1")
                if not quiet:
                    say(f"watching {', '.join(map(str, paths))}; Ctrl-C ends it")
    finally:
        notify("STOPPING=1")
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _tell(batch: Batch, *, as_json: bool, quiet: bool) -> None:
    """Say what a batch brought."""
    summary = batch.summary
    for error in summary.errors:
        say(f"error: {error.message}")
    for path, piece in summary.quarantined:
        say(f"quarantined: {path}:{piece.line}: {piece.reason} (byte {piece.offset}, {piece.length} bytes)")
    if not summary.sources or (quiet and not as_json):
        return
    if as_json:
        import json

        emit(json.dumps(_as_json(batch), ensure_ascii=False))
    else:
        told = ", ".join(f"{summary.counts[name]:,} {name}" for name in ("activities", "usages", "generations") if name)
        emit(f"{time.strftime('%H:%M:%S')} {summary.sources:,} sources: {told}, in {batch.seconds:.2f} s")


def _as_json(batch: Batch) -> dict[str, object]:
    summary: Summary = batch.summary
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "sources": summary.sources,
        "grown": summary.grown,
        **dict(sorted(summary.counts.items())),
        "paths": summary.paths,
        "seconds": round(batch.seconds, 3),
    }


def notify(state: str) -> None:
    """Tell systemd a state; nothing where it does not ask. https://www.freedesktop.org/software/systemd/man/sd_notify.html."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if where:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as stream:
            stream.sendto(state.encode(), "\0" + where[1:] if where.startswith("@") else where)
