"""Digests of the bytes of files: which, how large at most, in a thread beside the run, each content once."""

import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, get_args

Which = Literal["never", "inputs", "outputs", "all"]
LIMIT_BYTES = 4 << 30
_SETTLED_NS = 2_000_000_000  # a file that was changed just now can be changed again in the same tick of its clock
_KINDS = {"never": (), "inputs": ("used",), "outputs": ("generated",), "all": ("used", "generated")}
_MOST_KNOWN = 100_000
_Key = tuple[int, int, int, int]


@dataclass(frozen=True)
class Policy:
    """Which files are digested.

    ``which`` is never, inputs, outputs or all; ``limit`` the largest size in bytes; ``algorithm`` a name that
    :mod:`hashlib` knows. A file that is not digested says why under ``undigested``.
    """

    which: Which = "all"
    limit: int = LIMIT_BYTES
    algorithm: str = "sha256"

    def __post_init__(self) -> None:
        if self.which not in get_args(Which):
            raise ValueError(f"digest is one of {', '.join(get_args(Which))}, and not {self.which!r}")
        if self.limit < 0:
            raise ValueError(f"the limit of digests is a number of bytes, and not {self.limit}")
        if hashlib.new(self.algorithm).digest_size == 0:
            raise ValueError(f"{self.algorithm} has no digest of one length")

    def wants(self, kind: str) -> bool:
        """Say whether files that were ``used`` or ``generated`` are digested."""
        return kind in _KINDS[self.which]


class Digests:
    """Digest files as a policy says; ``tell`` gets what is found in the background."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._known: dict[_Key, str] = {}
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None

    def of(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Return the digest of a file, or why it has none.

        Args:
            facts: what :func:`provkg.capture.facts.file_facts` found; the digest is of these bytes or not given.
        """
        if facts["size"] > self.policy.limit:
            return {"undigested": f"larger than {self.policy.limit} bytes"}
        path = facts.get("real") or facts["path"]
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a pipe would never end
                return {"undigested": "no regular file"}
            with open(path, "rb") as stream:  # noqa: PTH123 - any name that was used
                before = _identity(stream.fileno())
                if before[2] != facts["size"] or before[3] != facts["mtime_ns"]:
                    return {"undigested": "changed before it was digested"}
                if before in self._known:
                    return {"digest": self._known[before]}
                began = time.time_ns()
                found = f"{self.policy.algorithm}:{hashlib.file_digest(stream, self.policy.algorithm).hexdigest()}"
                if _identity(stream.fileno()) != before:
                    return {"undigested": "changed while it was digested"}
        except (OSError, ValueError) as error:
            return {"undigested": getattr(error, "strerror", None) or str(error)}
        if began - before[3] > _SETTLED_NS:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[before] = found
        return {"digest": found}

    def later(self, facts: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        """Digest a file in the background, and tell what was found; the interpreter waits for it when it ends."""
        try:
            with self._lock:
                self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="provkg-digests")
                self._last = self._pool.submit(lambda: tell(self.of(facts)))
        except RuntimeError:  # the interpreter ends
            tell(self.of(facts))

    def wait(self) -> None:
        """Wait until all that was asked for is told."""
        if self._last is not None:  # there is one thread: what was asked for last is told last
            self._last.result()

    def forked(self) -> None:
        """Forget the thread: it is not in a child that was forked."""
        self._lock, self._pool, self._last = threading.Lock(), None, None


def _identity(descriptor: int) -> _Key:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
