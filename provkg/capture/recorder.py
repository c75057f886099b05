"""The recorder: activities with what they used, generated and were configured by, as JSON Lines.

A start is written before the work begins, so what never ended is known. What a process is and what it runs in are
written once and referred to. All records are described by ``docs/capture.schema.json``::

    {"provkg":1,"kind":"environment","digest":"…","system":{…}}
    {"provkg":1,"kind":"session","id":"…","time":"…Z","environment":"…","arguments":[…],"directory":"/…","host":"…",…}
    {"provkg":1,"kind":"start","id":"…","name":"…","time":"…Z","session":"…","parameters":{…},"used":[{"path":"/…",…}]}
    {"provkg":1,"kind":"end","id":"…","time":"…Z","status":"completed","generated":[{"path":"/…","role":"…",…}]}
"""

import functools
import logging
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, TypeVar

from provkg.capture import redaction
from provkg.capture.described import Pipeline
from provkg.capture.digesting import LIMIT_BYTES, Digests, Policy, Which
from provkg.capture.environment import Surroundings
from provkg.capture.facts import forked, now, plain, uuid7
from provkg.capture.run import Reference, Run, after_fork, current
from provkg.capture.session import Sessions, main_folder
from provkg.capture.sink import File, Logger, Sink
from provkg.capture.tracing import traced
from provkg.capture.warned import warn

Traced = TypeVar("Traced", bound=Callable[..., Any])
FILE, DEFAULT = "PROVKG_CAPTURE_FILE", "provkg.jsonl"
_recorders: "weakref.WeakSet[Recorder]" = weakref.WeakSet()


class Recorder:
    """Record activities; nothing is opened before the first.

    >>> import tempfile
    >>> recorder = Recorder(tempfile.mkdtemp() + "/log.jsonl")
    >>> with recorder.activity("count", parameters={"depth": 3}) as run:
    ...     run.used(__file__, role="source")
    >>> recorder.wait()
    >>> len(recorder.path.read_text().splitlines())  # environment, session, start, used, end, digest
    6

    Args:
        path: the file to append to, or a folder in which each process has a file of its own. Default:
            ``PROVKG_CAPTURE_FILE``, else ``provkg.jsonl``.
        logger: a logger that takes the records instead of a file.
        definition: a definition.yaml of lstosa, gammapy or logprov, which says what traced functions use and generate.
        variables: called before each traced function with a namespace that has ``__name__``, ``args`` and ``kwargs``;
            the attributes it sets are what expressions of the definition name, and those of ``session`` are facts of
            the session.
        digest: which files are digested: never, inputs, outputs or all. Default: ``PROVKG_DIGEST``, else all.
        limit: the size in bytes above which a file is not digested, but marked so.
        algorithm: of the digests, as :mod:`hashlib` names it.
        background: digest in a thread beside the run.
        pipeline: a folder of the pipeline, of whose git repository commit and changes are told; where the main script
            lies when None.
        environ: names of more variables of the environment to record.
        personal: record the account that runs; home folders are never recorded in environments.
        enabled: False records nothing. Default: False where ``PROVKG_CAPTURE`` is 0.
        dry: True records what traced functions would do, and does not call them. Default: True where ``PROVKG_DRY``
            is 1.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        logger: logging.Logger | None = None,
        definition: str | os.PathLike[str] | None = None,
        variables: Callable[[SimpleNamespace], object] | None = None,
        digest: Which | None = None,
        limit: int = LIMIT_BYTES,
        algorithm: str = "sha256",
        background: bool = True,
        pipeline: str | os.PathLike[str] | None = None,
        environ: Sequence[str] = (),
        personal: bool = True,
        enabled: bool | None = None,
        dry: bool | None = None,
    ) -> None:
        self.enabled = os.environ.get("PROVKG_CAPTURE") != "0" if enabled is None else enabled
        self.dry = os.environ.get("PROVKG_DRY") == "1" if dry is None else dry
        self.path = Path(os.environ.get(FILE) or DEFAULT if path is None else path)
        named = os.fspath(self.path) if path is None else os.fspath(path)
        self._sink: Sink = Logger(logger) if logger is not None else File(self.path, named.endswith("/"))
        self.digests = Digests(Policy(digest or os.environ.get("PROVKG_DIGEST") or "all", limit, algorithm))  # type: ignore[arg-type]
        self.background, self.variables = background, variables
        wanted = self.digests.policy.which != "never" and not self.dry
        self.later, self.at_once = background and wanted, not background and wanted
        self._definition = definition
        folder = Path(pipeline) if pipeline is not None else main_folder()
        self.sessions = Sessions(folder, tuple(environ), personal, self.dry)
        self._within = os.environ.get("PROVKG_WITHIN", "")
        _recorders.add(self)

    # Activities

    def activity(self, name: str, *, parameters: dict[str, Any] | None = None, within: str = "") -> "Activity":
        """Return an activity: a context manager that gives a :class:`Run`, and a decorator.

        Args:
            name: the type of activity, such as ``r0_to_dl1``.
            parameters: what it was configured by.
            within: the id of the activity that it is part of; the one in which this code runs where none is given.
        """
        return Activity(self, name, parameters or {}, within)

    def start(
        self,
        name: str,
        facts: Mapping[str, Any] | None = None,
        *,
        within: str = "",
        around: Surroundings | None = None,
        session: Mapping[str, Any] | None = None,
        dry: bool = False,
    ) -> Run:
        """Start an activity that is ended with :meth:`Run.end`.

        Args:
            name: the type of activity.
            facts: what else the start tells: ``parameters``, ``used``.
            within: the id of the activity that it is part of.
            around: what it runs in; what this process runs in when None.
            session: facts of the session, where it has more than those of the process.
            dry: nothing is really done; always so where the recorder is dry.
        """
        to, session_id = None, ""
        if self.enabled:
            try:
                to = self._sink.opened()
                session_id = self.sessions.id(to, around, session)
            except Exception as error:  # noqa: BLE001 - the program that is watched goes on
                to = None
                warn(f"provkg could not record to {self.path}: {error}", level=4)
        run = Run(self, uuid7(), name, to, dry or self.dry)
        if to is not None:
            above = current()
            parent = within or (above.id if above is not None else self._within)
            told: dict[str, Any] = run.record("start")
            told["name"], told["time"], told["session"] = name, now(), session_id
            if parent:
                told["within"] = parent
            if facts:
                told.update(facts)
            run.put(told)
        return run

    def trace(self, traced_: Traced) -> Traced:
        """Record each call of a function, or of each public method of a class (with a definition: of those it has).

        What a function used and generated is said by the definition, else by its annotations: arguments marked with
        ``Used`` and ``Generated``, and those that are paths. What it does is left as it is, and what it raises.
        """
        return traced(self, traced_)

    __call__ = trace

    @functools.cached_property
    def pipeline(self) -> Pipeline | None:
        """What the definition says; None where there is none, or none that can be read, which is a warning."""
        return Pipeline.read(self._definition) if self._definition is not None else None

    def wait(self) -> None:
        """Wait until the digests that are made in the background are written."""
        try:
            self.digests.wait()
        except Exception as error:  # noqa: BLE001 - the program that is watched goes on
            warn(f"provkg could not digest: {error!r}")

    def digested(self, kind: str, files: list[Reference], *, at_once: bool = False) -> list[Reference]:
        """Return references to files with digests, where they are wanted and not made in the background."""
        if not self.digests.policy.wants(kind) or self.dry or (self.background and not at_once):
            return files
        return [{**each, **self.digests.of(each)} if "size" in each else each for each in files]

    def forget(self) -> None:
        """Forget what belongs to the process from which this one was forked."""
        self.sessions.forget()
        self._sink.forget()
        self.digests.forked()


class Activity:
    """An activity to be: a context manager for a block, and a decorator for a function."""

    def __init__(self, recorder: Recorder, name: str, parameters: dict[str, Any], within: str) -> None:
        self.recorder, self.name, self.parameters, self.within = recorder, name, parameters, within
        self._runs: list[Run] = []

    def __call__(self, function: Traced) -> Traced:
        """Return a function of which each call is this activity."""
        return traced(self.recorder, function, name=self.name, parameters=self.parameters)

    def __enter__(self) -> Run:
        known = self.parameters
        told = {"parameters": redaction.parameters(plain(known))} if known else {}
        run = self.recorder.start(self.name, told, within=self.within)
        self._runs.append(run)
        return run.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runs.pop().__exit__(kind, error, trace)


def _forked() -> None:
    forked()
    after_fork()
    for each in list(_recorders):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
