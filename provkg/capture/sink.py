"""Where records go: one line by one call on a descriptor that appends, so that processes share a file without a lock.

An activity stays in the file in which it started: when the file is renamed, as logrotate does, what runs is finished
in the old one and what starts is written to the new one. A crash leaves at most one partial line.
"""

import logging
import os
import socket
import time
import weakref
from pathlib import Path
from typing import Protocol

from provkg.capture.facts import uuid7

_SECONDS = 0.05  # within which a file that was renamed may still be written to


class Opened(Protocol):
    """A place that takes lines now."""

    told: set[str]

    def write(self, text: bytes) -> None:
        """Take one line."""


class Sink(Protocol):
    """A place for lines."""

    def opened(self) -> Opened:
        """Return where what starts now is written."""

    def forget(self) -> None:
        """Forget what belongs to the process from which this one was forked."""


class OpenFile:
    """One file, open for appending; ``told`` are the sessions and environments that it holds from this process."""

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        weakref.finalize(self, os.close, self.descriptor).atexit = False  # something may still be told then
        status = os.fstat(self.descriptor)
        self.device, self.inode = status.st_dev, status.st_ino
        self.told: set[str] = set()

    def write(self, text: bytes) -> None:
        """Write a line, whole or not at all where the system grants it.

        Raises:
            OSError: it was not written, or not all of it.
        """
        written = os.write(self.descriptor, text)
        if written < len(text):
            os.write(self.descriptor, b"\n")  # what follows is not to suffer; the reader knows a partial line
            raise OSError(f"only {written} of {len(text)} bytes were written")


class File:
    """A file; or a file for each process in a folder: on NFS and GPFS appending is not safe between machines."""

    def __init__(self, path: Path, in_folder: bool = False) -> None:
        self.path, self.in_folder = path, in_folder
        self._name, self._until = "", 0.0
        self._open: OpenFile | None = None
        self._of_parent: tuple[int, int, set[str]] = (0, 0, set())

    def opened(self) -> OpenFile:
        """Return the file that has this name now."""
        now, at = self._open, time.monotonic()
        if now is None or (at > self._until and not self._is(now)):
            now = self._open = OpenFile(self._named())
            self._until = at + _SECONDS
            if (now.device, now.inode) == self._of_parent[:2]:
                now.told |= self._of_parent[2]
        return now

    def forget(self) -> None:
        """Open the file again; what the parent told in it, such as the environment, is told."""
        if self._open is not None:
            self._of_parent = (self._open.device, self._open.inode, self._open.told)
        self._name, self._open = "", None

    def _named(self) -> str:
        if not self._name:
            path = self.path
            if self.in_folder or path.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                path /= f"{socket.gethostname()}.{os.getpid()}.{uuid7()}.jsonl"
            self._name = str(path.absolute())  # also where the process changes its folder
        return self._name

    def _is(self, file: OpenFile) -> bool:
        try:
            status = os.stat(self._name)  # noqa: PTH116 - at each start of an activity
        except OSError:
            return False
        self._until = time.monotonic() + _SECONDS
        return status.st_ino == file.inode and status.st_dev == file.device


class Logger:
    """A logger of the standard library: a logging configuration decides where the lines go, one message each."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger
        self.told: set[str] = set()

    def opened(self) -> "Logger":
        """Return itself: handlers open and rotate files themselves."""
        return self

    def forget(self) -> None:
        """Forget what was told: a child tells its own session."""
        self.told = set()

    def write(self, text: bytes) -> None:
        """Log a line."""
        self.logger.info("%s", text.rstrip(b"\n").decode())
