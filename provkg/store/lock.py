"""The lock of an embedded store: there is one writer, and the kernel knows when it is dead."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from provkg.errors import StoreLocked

SESSION, WANTED = ", watching", "wanted"  # who holds the lock, and who waits for it
PATIENCE_SECONDS = 30  # for a session to give up the lock: a batch of a night's logs takes some ten seconds
_LOOK_SECONDS = 0.02


def lock(folder: Path, what: str = "") -> IO[str]:
    """Become the writer of a store, until the file that is returned is closed; a session is asked to give way.

    Args:
        folder: the store.
        what: what is said of the writer besides its pid, host and start.

    Raises:
        StoreLocked: another process is writing.
    """
    stream = (folder / "lock").open("a+", encoding="utf-8")
    if not _taken(stream):
        stream.seek(0)
        owner = stream.read().strip()
        if what or not owner.endswith(SESSION) or not _given(stream, folder):
            stream.close()
            pid = owner.partition(" ")[0]
            raise StoreLocked(
                f"another provkg is writing to {folder}: pid {owner}",
                hint=f"wait for it to end, or stop it with kill {pid}; reading goes on meanwhile",
            )
    if what:
        (folder / WANTED).unlink(missing_ok=True)  # of one that died; one that waits says so again
    stream.truncate(0)
    stream.write(f"{os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}{what}")
    stream.flush()
    return stream


def wanted(folder: Path) -> bool:
    """Say whether another process waits for a session to end."""
    return (folder / WANTED).exists()


def _taken(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _given(stream: IO[str], folder: Path) -> bool:
    """Take the lock from a session, which gives it up between two transactions."""
    try:
        for _ in range(round(PATIENCE_SECONDS / _LOOK_SECONDS)):
            (folder / WANTED).touch()
            if _taken(stream):
                return True
            time.sleep(_LOOK_SECONDS)
    finally:
        (folder / WANTED).unlink(missing_ok=True)
    return False
