"""The files of an embedded store: snapshots, what lies beside their quads, small files that are replaced at once."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provkg.errors import StoreError
from provkg.store.local import DIGEST

QUADS, BESIDE = "quads", "beside"


def next_number(current: Path | None) -> int:
    """Return the number of the snapshot after another one."""
    return int(current.name) + 1 if current else 1


def age(folder: Path) -> float:
    """Return how many seconds ago a snapshot was made."""
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def link_beside(beside: Path, copy: Path) -> None:
    """Link what lies beside a snapshot into its copy."""
    for file in beside.iterdir():
        if not file.name.startswith(DIGEST):  # it is that of the state before
            os.link(file, copy / file.name)


def told(snapshot: Path) -> tuple[int, int, int]:
    """Return what tells a folder from any other: of another store at the same place it is another."""
    facts = snapshot.stat()
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Tell what a disk refuses as an error of the store."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "free some space; nothing of this ingest is visible, say it again" if "No space" in str(error) else ""
        raise StoreError(f"{path}: {reason}", hint=hint) from None


def replace_file(path: Path, text: str) -> None:
    """Replace a small file at once, whatever happens."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
