"""The command that reads records while they are written."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import click

from provkg.cli import say
from provkg.cli.output import emit, opened
from provkg.errors import StoreError
from provkg.ingest import Summary
from provkg.watch import RULES, Alarm, AlarmFile, Batch, Rules, WebHook
from provkg.watch.telling import as_json

_DAY = timedelta(days=1)
NONE = "none"


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--poll", is_flag=True, help="Look at each file again and again; so it is on network file systems anyway."
)
@click.option(
    "--rule", "names", multiple=True, type=click.Choice((*RULES, NONE)), help="A rule that speaks up; all by default."
)
@click.option(
    "--silence",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="MINUTES",
    help="After so many minutes without a record an activity that runs is silent.",
)
@click.option("--alarms", metavar="FILE", type=click.Path(path_type=Path), help="Add a line of JSON for each alarm.")
@click.option("--webhook", metavar="URL", help="POST each alarm as JSON.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each batch and each alarm.")
@click.pass_context
def watch(
    ctx: click.Context,
    paths: tuple[Path, ...],
    poll: bool,
    names: tuple[str, ...],
    silence: float,
    alarms: Path | None,
    webhook: str | None,
    as_json: bool,
) -> int:
    """Read files and folders while pipelines write them: what is written can be asked within seconds.

    Files may grow, be rotated or be new in a folder; a line is read when it is complete. Says one line for each batch
    that brought records, and one for each trouble that a rule sees. SIGTERM (systemd, Slurm) and Ctrl-C end it after
    the batch that has begun; what comes later is read when it is started again.
    """
    rules = Rules(
        frozenset(names or RULES) - {NONE},
        silence * 60,
        since=f"{datetime.now(UTC) - _DAY:%Y-%m-%dT%H:%M:%S}",
    )
    graph, stop, speaking = opened(ctx), Event(), _Speaking(ctx.obj["quiet"], as_json, rules, alarms, webhook)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for found in graph.watch(paths, poll=poll, stop=stop, rules=rules):
            match found:
                case StoreError():
                    say(f"error: {found.message}; tried again")
                case Alarm():
                    speaking.alarm(found)
                case Batch():
                    speaking.batch(found, paths)
    finally:
        notify("STOPPING=1")
        speaking.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


class _Speaking:
    """Says what was read and what is wrong; of what was there before it began, alarms are said only to a file."""

    def __init__(self, quiet: bool, as_json: bool, rules: Rules, file: Path | None, url: str | None) -> None:
        self.quiet, self.as_json = quiet, as_json
        self.file = AlarmFile(file) if file is not None else None
        self.hook = WebHook(url, say) if url else None
        self.batches = self.old = 0
        if self.file is not None:
            rules.said |= self.file.said()

    def batch(self, found: Batch, paths: tuple[Path, ...]) -> None:
        """Say what a batch brought."""
        self.batches += 1
        _tell(found, as_json=self.as_json, quiet=self.quiet)
        if self.batches == 1:
            notify("READY=1")
            if not self.quiet:
                say(f"watching {', '.join(map(str, paths))}; Ctrl-C ends it")
        elif self.old and not self.quiet:
            say(f"{self.old:,} alarms of what was there before: --alarms FILE has them")
            self.old = 0

    def alarm(self, found: Alarm) -> None:
        """Say an alarm."""
        if self.batches == 1 and self.file is None:
            self.old += 1
            return
        if self.as_json:
            emit(json.dumps(as_json(found), ensure_ascii=False))
        else:
            emit(f"{time.strftime('%H:%M:%S')} {found.rule}: {found.text}")
        for each in (self.file, self.hook):
            if each is not None:
                each.tell(found)

    def close(self) -> None:
        """Wait for what is being sent."""
        if self.hook is not None:
            self.hook.close()


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
        emit(json.dumps(_as_json(batch), ensure_ascii=False))
    else:
        told = ", ".join(f"{summary.counts[name]:,} {name}" for name in ("activities", "usages", "generations"))
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
