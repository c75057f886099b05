"""What a process is and what it runs in: told once to each place, and referred to."""

import os
import platform
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provkg.capture import redaction
from provkg.capture.digesting import Digests, Policy
from provkg.capture.environment import Surroundings, slurm, surroundings
from provkg.capture.facts import file_facts, now, uuid7
from provkg.capture.lines import VERSION, several
from provkg.capture.run import Reference
from provkg.capture.sink import Opened


@dataclass
class Sessions:
    """The sessions of this process: one, or several where a pipeline gives them facts of their own.

    ``folder`` lies in the git repository of the pipeline; ``environ`` are names of more variables to tell; ``personal``
    tells the account; ``dry`` marks all as of a dry run.
    """

    folder: Path | None
    environ: tuple[str, ...]
    personal: bool
    dry: bool
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _around: Surroundings | None = None
    _lock: Any = field(default_factory=threading.RLock)

    def id(self, to: Opened, around: Surroundings | None, facts: Mapping[str, Any] | None) -> str:
        """Return the id of a session; a place that has it not yet is told, with its environment.

        Raises:
            OSError: the place cannot be written to.
        """
        key = f"{around.digest if around is not None else ''}{sorted((facts or {}).items())}" if around or facts else ""
        known = self._known.get(key)
        if known is None or known["id"] not in to.told:
            with self._lock:
                around = around or self.surroundings()
                if known is None:
                    begun = {"id": uuid7(), "time": now(), "environment": around.digest, **self._process()}
                    told = begun | dict(facts or {})
                    known = self._known.setdefault(
                        key, {key: value for key, value in told.items() if value is not None}
                    )
                if known["id"] not in to.told:
                    if around.digest not in to.told:
                        self._tell(to, "environment", {"digest": around.digest, "system": around.system})
                        to.told.add(around.digest)
                    self._tell(to, "session", known)
                    to.told.add(known["id"])
        return str(known["id"])

    def surroundings(self) -> Surroundings:
        """Return what this process runs in; it is found once."""
        if self._around is None:
            self._around = surroundings(pipeline=self.folder, variables=self.environ)
        return self._around

    def forget(self) -> None:
        """Forget the sessions of the process from which this one was forked; what it runs in is the same."""
        self._known, self._lock = {}, threading.RLock()

    def _tell(self, to: Opened, kind: str, facts: dict[str, Any]) -> None:
        dry = {"dry": True} if self.dry else {}
        for each in several({"provkg": VERSION, "kind": kind, **dry, **facts}):
            to.write(each)

    def _process(self) -> dict[str, Any]:
        home, folder = "" if self.personal else redaction.home(), _folder()
        facts: dict[str, Any] = {
            "arguments": redaction.arguments(sys.orig_argv, home),
            "directory": folder and redaction.without_person(folder, home),
            "host": platform.node(),
            "pid": os.getpid(),
        }
        job, agent = slurm(), redaction.account() if self.personal else ""
        facts |= {"agent": agent} if agent else {}
        facts |= {"slurm": job} if job else {}
        return facts | ({"script": told} if (told := script()) else {})


def _folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return None


def main_script() -> Path | None:
    """Return the main script of this process, if it has one."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(main).absolute() if main else None


def main_folder() -> Path | None:
    """Return where the main script of this process lies, if it has one."""
    main = main_script()
    return main.parent if main is not None else None


def script() -> Reference:
    """Return the main script with its digest: nothing where there is none, or it is installed with a package.

    There is no digest where it may have changed since this process read it.
    """
    main = main_script()
    installed = main is None or any(main.is_relative_to(prefix) for prefix in {sys.prefix, sys.base_prefix})
    if main is None or installed or sys.modules["__main__"].__spec__ is not None:  # as python -m has it
        return {}
    facts = file_facts(main)
    if "size" not in facts:
        return {}
    if facts["mtime_ns"] > _started_ns():
        return facts | {"undigested": "changed since the process began"}
    return facts | Digests(Policy()).of(facts)


def _started_ns() -> int:
    """Return when this process began; now where the system does not tell. See proc_pid_stat(5), field 22."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        since_boot = ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.time_ns()
    return time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME) + since_boot
