"""A call of a traced function: what it was given, and what of it is recorded before and after."""

import os
import stat
import time
from typing import Any, Protocol

from provkg.capture.facts import absolute
from provkg.capture.run import Reference

# Within a tick of the clock of its file system, a file that was written twice can look as if it was written once.
_TICK_NS, _COARSE_NS, _SECOND_NS = 20_000_000, 2_000_000_000, 1_000_000_000


class Plan(Protocol):
    """Where to look for what an activity uses and generates."""

    def before(self, call: "Call") -> None:
        """Put into a call what is known before it: ``parameters``, ``used``, ``paths``."""

    def after(self, call: "Call") -> None:
        """Put into a call what is known after it: ``used``, ``generated``, ``members``, ``derived``."""


class Call:
    """One call: its arguments by name, and what of it is recorded next.

    ``scopes`` are where expressions of a definition begin; ``session`` are facts of the session that the pipeline
    gives; ``members`` and ``derived`` hold both ends. ``lot`` is what calls work on, where the pipeline says that: what
    was generated for a lot and is used for it under another name was derived. ``dry`` says that it does nothing.
    """

    __slots__ = (
        *("_seen", "_since", "derived", "dry", "generated", "lot", "members", "parameters", "paths", "scopes"),
        *("session", "used", "values"),
    )

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.parameters: dict[str, Any] = {}
        self.session: dict[str, Any] = {}
        self.used: list[Reference] = []
        self.generated: list[Reference] = []
        self.paths: list[Reference] = []
        self.members: list[tuple[Reference, Reference]] = []
        self.derived: list[tuple[Reference, Reference]] = []
        self.scopes: list[Any] = []
        self.lot = ""
        self.dry = False
        self._seen: dict[str, tuple[int, int]] = {}
        self._since = time.time_ns()

    def look(self, path: str | os.PathLike[str]) -> bool:
        """Note what lies at a path before the call, and say whether it is a folder."""
        try:
            status = os.stat(path)  # noqa: PTH116 - at each call
        except (OSError, ValueError):
            return False
        self._seen[absolute(path)] = (status.st_size, status.st_mtime_ns)
        return stat.S_ISDIR(status.st_mode)

    def changed(self, file: Reference) -> Reference:
        """Return a reference, marked ``unchanged`` where the call did not write the file.

        Where it was written so shortly before that nobody can tell, it is taken as generated and marked ``assumed``.
        """
        before = self._seen.get(file.get("path", ""))
        if before is None or before != (file.get("size"), file.get("mtime_ns")):
            return file
        tick = _TICK_NS if before[1] % _SECOND_NS else _COARSE_NS
        return file | ({"assumed": True} if self._since - before[1] < tick else {"unchanged": True})
