"""An activity that is being recorded, and the one in which this code runs."""

import os
import traceback
from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from provkg.capture import redaction
from provkg.capture.facts import file_facts, now, plain
from provkg.capture.lines import LINE_BYTES, VERSION, line, several
from provkg.capture.sink import Opened
from provkg.capture.warned import warn

if TYPE_CHECKING:
    from provkg.capture.recorder import Recorder

Path = str | os.PathLike[str]
Reference = dict[str, Any]
CURRENT: ContextVar["Run | None"] = ContextVar("provkg_run", default=None)
_ERROR_CHARACTERS = 2000
_STATUS = ("completed", "failed", "interrupted")


def current() -> "Run | None":
    """Return the activity in which this code runs: that of this thread and of this task, or None.

    A thread, and a process, begins with none: where it was made does not say for which activity it works.
    """
    return CURRENT.get()


class Run:
    """An activity that is being recorded; as a context manager, it ends with the block.

    ``id`` is a UUID of version 7; ``dry`` says that nothing is really done (``PROVKG_DRY=1``).
    """

    __slots__ = ("_open", "_pid", "_to", "_tokens", "dry", "id", "name", "recorder")

    def __init__(self, recorder: "Recorder", id_: str, name: str, to: Opened | None, dry: bool) -> None:
        self.recorder, self.id, self.name, self.dry = recorder, id_, name, dry
        self._to, self._pid, self._open = to, os.getpid(), [True]
        self._tokens: list[Token[Run | None]] = []

    def used(self, path: Path, role: str = "", **about: Any) -> None:
        """Record a file that is read, as it is now.

        Args:
            path: where it is; a URL is kept as it is.
            role: what it is to the activity, such as ``Input``.
            about: ``name``, ``type``, ``content_type``: what kind of entity it is.
        """
        self._file("used", path, role, about)

    def generated(self, path: Path, role: str = "", **about: Any) -> None:
        """Record a file that was written, as it is now. The arguments are those of :meth:`used`."""
        self._file("generated", path, role, about)

    def parameter(self, name: str, value: Any) -> None:
        """Record a parameter; the value of one that is named like a secret is not recorded."""
        self._make("parameter", lambda: {"name": name, "value": redaction.parameters({name: plain(value)})[name]})

    def derived(self, path: Path, source: Path) -> None:
        """Record that a file was made from another: where not everything is made from all that is used."""
        self._make("derived", lambda: {"entity": reference(path), "source": reference(source)})

    def member(self, collection: Path, *members: Path) -> None:
        """Record what a collection holds; it is one of the files that the activity generated."""
        for each in members:
            self._make("member", partial(_member, collection, each))

    def end(self, status: str = "completed", **facts: Any) -> None:
        """Record the end, once.

        Args:
            status: ``completed``, ``failed`` or ``interrupted``.
            facts: ``exit``, the exit status; ``error``, what was raised; what else the end tells.
        """
        try:
            self._open.pop()  # of two threads, one has it
        except IndexError:
            return
        if self._to is not None and os.getpid() == self._pid:
            told = self.record("end")
            told["time"], told["status"] = now(), status if status in _STATUS else "failed"
            told.update(facts)
            self.put(told)

    def later(self, kind: str, files: list[Reference]) -> None:
        """Let the digests that are wanted be made in the background, and told."""
        recorder = self.recorder
        if not recorder.later or self.dry or self._to is None or not recorder.digests.policy.wants(kind):
            return
        for each in files:
            if "size" in each:
                recorder.digests.later(each, partial(self._digested, each))

    def write(self, kind: str, facts: dict[str, Any]) -> None:
        """Write a record; what goes wrong is a warning."""
        if self._to is not None:
            self.put({**self.record(kind), **facts})

    def record(self, kind: str) -> dict[str, Any]:
        """Return what every record of this activity begins with."""
        if self.dry:
            return {"provkg": VERSION, "kind": kind, "id": self.id, "dry": True}
        return {"provkg": VERSION, "kind": kind, "id": self.id}

    def put(self, record: dict[str, Any]) -> None:
        """Write a whole record; what goes wrong is a warning."""
        to = self._to
        if to is None:
            return
        try:
            text = line(record)
            if len(text) <= LINE_BYTES:
                to.write(text)
            else:
                for each in several(record):
                    to.write(each)
        except Exception as error:  # noqa: BLE001 - the program that is watched goes on
            told = error if isinstance(error, OSError) else repr(error)
            warn(f"provkg could not record to {self.recorder.path}: {told}", level=4)

    def _make(self, kind: str, facts: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Write a record of facts that are still to be found, and return them."""
        if self._to is None:
            return {}
        try:
            found = facts()
        except Exception as error:  # noqa: BLE001 - the program that is watched goes on
            warn(f"provkg could not record that {self.name} {kind}: {error!r}", level=4)
            return {}
        self.write(kind, found)
        return found

    def _file(self, kind: str, path: Path, role: str, about: dict[str, Any]) -> None:
        def facts() -> dict[str, Any]:
            [file] = self.recorder.digested(kind, [reference(path, role, **about)])
            return {**file, "time": now()}

        self.later(kind, [self._make(kind, facts)])

    def _digested(self, file: Reference, digest: dict[str, Any]) -> None:
        self.write("digest", {key: file[key] for key in ("path", "real", "size", "mtime_ns") if key in file} | digest)

    def enter(self) -> None:
        """Be the current activity from here on."""
        self._tokens.append(CURRENT.set(self))

    def leave(self) -> None:
        """Be the current activity no more."""
        try:
            CURRENT.reset(self._tokens.pop())
        except ValueError:  # in another context than that which it entered, as in a generator
            CURRENT.set(None)

    def __enter__(self) -> "Run":
        self.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
        self.end(**outcome(error))


def reference(path: Path, role: str = "", **about: Any) -> Reference:
    """Return what a record says of a file; a URL is no path of this machine."""
    facts: Reference = file_facts(path)
    if role:
        facts["role"] = role
    if about:
        facts |= {key: value for key, value in about.items() if value}
    return facts


def _member(collection: Path, member: Path) -> dict[str, Any]:
    return {"collection": reference(collection), "member": reference(member)}


def outcome(error: BaseException | None) -> dict[str, Any]:
    """Return how something ended: with an exit status where it says one, with the error where there is one.

    >>> outcome(SystemExit(3)), outcome(KeyboardInterrupt())["status"]
    ({'status': 'failed', 'exit': 3}, 'interrupted')
    """
    if error is None or isinstance(error, GeneratorExit):
        return {"status": "completed"}
    if isinstance(error, SystemExit):
        code = 0 if error.code is None else error.code if isinstance(error.code, int) else 1
        return {"status": "failed" if code else "completed", "exit": code}
    interrupted = isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError"
    text = "".join(traceback.format_exception_only(error)).strip()
    return {"status": "interrupted" if interrupted else "failed", "error": text[:_ERROR_CHARACTERS]}


def after_fork() -> None:
    """Leave the activity of the parent: what a forked process will do is not known to be part of it."""
    CURRENT.set(None)
