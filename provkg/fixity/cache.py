"""Digests of files that were read before, by device, inode, size and time of change.

A file of a megabyte or more that has all four the same is not read again. Who changes a file and sets its time back is
not seen; ``--no-cache`` reads all.
"""

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

CHUNK = 1 << 20
_FRESH_NS = 2_000_000_000  # a file that changed just now may change again within the clock's tick


class DigestCache:
    """A cache in one file of sqlite; without a path, or where it cannot be written, every file is read."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._database = sqlite3.connect(path, check_same_thread=False, timeout=30, isolation_level=None)
                self._database.execute("PRAGMA journal_mode=WAL")
                self._database.execute("PRAGMA synchronous=OFF")  # what is lost is read again
                self._database.execute(
                    "CREATE TABLE IF NOT EXISTS digests (device, inode, size, changed, algorithm, value,"
                    " PRIMARY KEY (device, inode, size, changed, algorithm)) WITHOUT ROWID"
                )
            except (OSError, sqlite3.Error):
                self._database = None

    def digest(self, path: str, algorithm: str, passing: Callable[[int], None] = lambda _: None) -> tuple[str, int]:
        """Return the digest of a file in hex, and its size.

        Args:
            path: the file; a symbolic link is followed.
            algorithm: a name of hashlib.
            passing: is told how many bytes are to be read, before each piece.

        Raises:
            OSError: it cannot be read, or is no regular file.
        """
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - any name that was recorded
            facts = os.fstat(stream.fileno())
            key = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, algorithm)
            known = self._known(key) if facts.st_size >= CHUNK else ""  # a small one is read as fast as it is looked up
            if known:
                return known, facts.st_size
            hashing = hashlib.new(algorithm, usedforsecurity=False)
            passing(min(CHUNK, facts.st_size))
            while data := stream.read(CHUNK):
                hashing.update(data)
                if len(data) == CHUNK:
                    passing(CHUNK)
            after = os.fstat(stream.fileno())
        value = hashing.hexdigest()
        still = (after.st_size, after.st_mtime_ns) == key[2:4] and time.time_ns() - after.st_mtime_ns > _FRESH_NS
        if still and after.st_size >= CHUNK:
            self._keep(key, value)
        return value, after.st_size

    def _known(self, key: tuple[int | str, ...]) -> str:
        if self._database is None:
            return ""
        query = "SELECT value FROM digests WHERE device=? AND inode=? AND size=? AND changed=? AND algorithm=?"
        with self._lock:
            try:
                row = self._database.execute(query, key).fetchone()
            except sqlite3.Error:
                return ""
        return str(row[0]) if row else ""

    def _keep(self, key: tuple[int | str, ...], value: str) -> None:
        if self._database is None:
            return
        with self._lock:
            try:
                self._database.execute("INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)", (*key, value))
            except sqlite3.Error:  # a full disk: the next time it is read again
                return

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()


def cache_path() -> Path:
    """Return where the cache lies."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "provkg" / "digests.sqlite"
