"""Kill a command of provkg at some moment, and go on as a user would: by saying it again."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import provkg
from tests.conftest import environment

Arguments = list[object]


@dataclass(frozen=True)
class Case:
    """What is killed.

    Args:
        name: for people.
        arguments: of the command, in a folder of its own.
        store: what the store holds before, a folder or nothing.
        after: what must hold when the command was said again.
        done: what is there when it was killed after its work was done, and so refuses to do it again.
    """

    name: str
    arguments: Callable[[Path], Arguments]
    store: Path | None
    after: Callable[[Path], bool]
    done: str = ""


def run(arguments: Arguments, store: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "provkg", "--store", str(store), *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), start_new_session=True
    )


def took(case: Case, folder: Path) -> float:
    """Return how many seconds a case takes that nobody kills."""
    prepare(case, folder)
    begin = time.monotonic()
    assert run(case.arguments(folder), folder / "store").wait() in (0, 4)
    assert case.after(folder), f"{case.name}, undisturbed"
    return time.monotonic() - begin


def killed(case: Case, folder: Path, seconds: float) -> bool:
    """Kill a case after some time, say it again, and see that all is well; return whether it was killed in time."""
    prepare(case, folder)
    process = run(case.arguments(folder), folder / "store")
    try:
        process.wait(seconds)
        alive = False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        alive = True
    if (folder / "store" / "CURRENT").exists():
        assert provkg.open(folder / "store").graph().snapshot, "what readers see is whole"
    if not case.done or not (folder / case.done).exists():
        assert run(case.arguments(folder), folder / "store").wait() in (0, 4), f"{case.name}, killed after {seconds} s"
    assert case.after(folder), f"{case.name}, killed after {seconds} s"
    left = [path.name for path in (folder / "store" / "snapshots").iterdir() if not path.name.isdigit()]
    assert not left, f"{case.name} leaves {left}"
    return alive


def prepare(case: Case, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if case.store is not None:
        shutil.copytree(case.store, folder / "store")


def moments(seconds: float, count: int, seed: int) -> list[float]:
    """Return when to kill: spread over the time it takes, each somewhere in its part of it."""
    dice = random.Random(seed)
    return [seconds * (number + dice.random()) / count for number in range(count)]


def cases(folder: Path, logs: Path, more: Path) -> list[Case]:
    """Return the cases: ingest into an empty store and into one that holds something, index, backup, restore.

    Args:
        folder: for the stores that are made once.
        logs: a folder of records.
        more: another one.
    """
    first, both = provkg.open(folder / "first"), provkg.open(folder / "both")
    first.ingest([logs])
    both.ingest([logs, more])
    first.backup(folder / "backup")
    digests = first.graph().digest(), both.graph().digest()

    def same(digest: str) -> Callable[[Path], bool]:
        def after(here: Path) -> bool:
            kg = provkg.open(here / "store")
            return kg.graph().digest() == digest and all(check.ok for check in kg.doctor())

        return after

    def saved(here: Path) -> bool:
        again = provkg.open(here / "again")
        again.restore(here / "backup")
        return again.graph().digest() == digests[0]

    return [
        Case("ingest into a new store", lambda _: ["ingest", logs], None, same(digests[0])),
        Case("ingest", lambda _: ["ingest", more], folder / "first", same(digests[1])),
        Case("index", lambda _: ["doctor", "--reindex"], folder / "first", same(digests[0])),
        Case("backup", lambda here: ["backup", here / "backup"], folder / "first", saved, "backup"),
        Case("restore", lambda _: ["restore", folder / "backup", "--replace"], folder / "both", same(digests[0])),
    ]
