"""The recorder: activities with what they used, generated and were configured by, as JSON Lines.

Each record is one line, written by one call on a descriptor that appends: processes share a file without a lock. A
start is written before the work begins, so what never ended is known::

    {"provkg": 1, "kind": "environment", "digest": "…", "system": {…}}
    {"provkg": 1, "kind": "start", "id": "…", "name": "…", "time": "…Z", "environment": "…", "arguments": […], …}
    {"provkg": 1, "kind": "used", "id": "…", "path": "/…", "role": "…", "digest": "sha256:…", "size": 1, "time": "…Z"}
    {"provkg": 1, "kind": "generated", …}   {"provkg": 1, "kind": "parameter", "id": "…", "name": "…", "value": …}
    {"provkg": 1, "kind": "end", "id": "…", "time": "…Z", "status": "completed", "exit": 0}
"""

import getpass
import hashlib
import json
import os
import secrets
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from provkg.capture.environment import Surroundings, surroundings

VERSION = 1


class Recorder:
    """Write records to a file; nothing is opened before the first.

    >>> import tempfile
    >>> recorder = Recorder(tempfile.mkdtemp() + "/log.jsonl")
    >>> with recorder.activity("count") as run:
    ...     run.parameter("depth", 3)
    >>> len(recorder.path.read_text().splitlines())
    4
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._told: set[str] = set()

    @contextmanager
    def activity(
        self,
        name: str,
        *,
        arguments: Sequence[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        around: Surroundings | None = None,
    ) -> Iterator["Run"]:
        """Record an activity: its start now, its end when the block ends, as failed where it raises.

        Args:
            name: the type of activity, such as ``r0_to_dl1``.
            arguments: the command line; that of this process when None.
            parameters: what it was configured by.
            around: what it runs in; what this process runs in when None.
        """
        run = Run(self, _uuid7())
        run.start(name, sys.orig_argv if arguments is None else arguments, around)
        for key, value in (parameters or {}).items():
            run.parameter(key, value)
        try:
            yield run
        except BaseException as error:
            run.end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", error=repr(error))
            raise
        run.end("completed")

    def write(self, kind: str, **facts: Any) -> None:
        """Write one record; what goes wrong is a warning."""
        try:
            line = json.dumps({"provkg": VERSION, "kind": kind, **facts}, default=str, ensure_ascii=False)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(descriptor, line.encode("utf-8", "backslashreplace") + b"\n")
            finally:
                os.close(descriptor)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            warnings.warn(f"provkg could not record to {self.path}: {error}", stacklevel=3)

    def environment(self, around: Surroundings) -> str:
        """Write an environment the first time that it is seen, and return its digest."""
        if around.digest not in self._told:
            self._told.add(around.digest)
            self.write("environment", digest=around.digest, system=around.system)
        return around.digest


@dataclass
class Run:
    """An activity that is being recorded."""

    recorder: Recorder
    id: str
    ended: bool = field(default=False, init=False)

    def start(self, name: str, arguments: Sequence[str], around: Surroundings | None) -> None:
        """Record the start."""
        environment = self.recorder.environment(around if around is not None else surroundings())
        facts = {"arguments": list(arguments), "directory": str(Path.cwd()), "agent": _account(), "pid": os.getpid()}
        self.recorder.write("start", id=self.id, name=name, time=_now(), environment=environment, **facts)

    def used(self, path: str | Path, role: str = "") -> None:
        """Record a file that is read, with the digest of its bytes as they are now."""
        self._file("used", path, role)

    def generated(self, path: str | Path, role: str = "") -> None:
        """Record a file that was written, with the digest of its bytes as they are now."""
        self._file("generated", path, role)

    def parameter(self, name: str, value: Any) -> None:
        """Record a parameter."""
        self.recorder.write("parameter", id=self.id, name=name, value=value)

    def end(self, status: str, **facts: Any) -> None:
        """Record the end, once.

        Args:
            status: ``completed``, ``failed`` or ``interrupted``.
            facts: ``exit``, the exit status; ``error``, what was raised.
        """
        if not self.ended:
            self.ended = True
            self.recorder.write("end", id=self.id, time=_now(), status=status, **facts)

    def _file(self, kind: str, path: str | Path, role: str) -> None:
        where = os.path.abspath(path)  # noqa: PTH100 - symbolic links stay as the program named them
        self.recorder.write(kind, id=self.id, path=where, role=role, **_bytes(where), time=_now())


def _bytes(path: str) -> dict[str, Any]:
    """Return digest, size and time of change of a file; what cannot be read has a reason instead."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - any name that the program used
            facts = os.fstat(stream.fileno())
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        changed = datetime.fromtimestamp(facts.st_mtime, UTC).isoformat().replace("+00:00", "Z")
    except (OSError, ValueError) as error:
        return {"undigested": getattr(error, "strerror", None) or str(error)}
    return {"digest": f"sha256:{digest}", "size": facts.st_size, "changed": changed}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _uuid7() -> str:
    """Return a UUID of version 7. https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))
