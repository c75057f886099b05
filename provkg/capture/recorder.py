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
import platform
import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, TypeVar

from provkg.capture import redaction
from provkg.capture.described import Pipeline
from provkg.capture.digesting import LIMIT_BYTES, Digests, Policy, Which
from provkg.capture.environment import Surroundings, slurm, surroundings
from provkg.capture.facts import forked, now, plain, uuid7
from provkg.capture.lines import VERSION, lines
from provkg.capture.run import Run, after_fork, current
from provkg.capture.sink import File, Logger, Opened, Sink
from provkg.capture.tracing import traced
from provkg.capture.warned import warn

Traced = TypeVar("Traced", bound=Callable[..., Any])
OfRun = Callable[[Run], dict[str, Any]]
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
        self.background, self.personal, self.environ = background, personal, tuple(environ)
        self.variables = variables
        self._definition = definition
        self.folder = Path(pipeline) if pipeline is not None else _main_folder()
        self._lock = threading.RLock()
        self._sessions: dict[str, dict[str, Any]] = {}
        self._around: Surroundings | None = None
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
        *,
        within: str = "",
        told: OfRun | None = None,
        around: Surroundings | None = None,
        dry: bool = False,
        session: Mapping[str, Any] | None = None,
    ) -> Run:
        """Start an activity that is ended with :meth:`Run.end`.

        Args:
            name: the type of activity.
            within: the id of the activity that it is part of.
            told: gives what else the start tells; what it raises is a warning.
            around: what it runs in; what this process runs in when None.
            dry: nothing is really done; always so where the recorder is dry.
            session: facts of the session, where it has more than those of the process.
        """
        id_ = uuid7()
        if not self.enabled:
            return Run(self, id_, name, None)
        try:
            to = self._sink.opened()
            session_id = self._session(to, around, dict(session or {}))
        except Exception as error:  # noqa: BLE001 - the program that is watched goes on
            warn(f"provkg could not record to {self.path}: {error}", level=4)
            return Run(self, id_, name, None)
        run = Run(self, id_, name, to)
        run.dry = run.dry or dry
        parent = within or (above.id if (above := current()) is not None else self._within)
        part = {"within": parent} if parent else {}
        facts = {"name": name, "time": now(), "session": session_id, **part}
        if told is not None:
            try:
                facts |= told(run)
            except Exception as error:  # noqa: BLE001 - the program that is watched goes on
                warn(f"provkg could not record all of {name}: {error!r}", level=4)
        run.write("start", facts)
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

    # Records

    def write(self, to: Opened | None, kind: str, id_: str, facts: dict[str, Any], *, dry: bool = False) -> None:
        """Write one record of an activity; what goes wrong is a warning, and a record that is too long is several."""
        if to is None or not self.enabled:
            return
        try:
            record: dict[str, Any] = {"kind": kind, "id": id_}
            if dry:
                record["dry"] = True
            self._write(to, {**record, **facts})
        except Exception as error:  # noqa: BLE001 - the program that is watched goes on
            warn(
                f"provkg could not record to {self.path}: {error if isinstance(error, OSError) else repr(error)}",
                level=5,
            )

    def _write(self, to: Opened, record: dict[str, Any]) -> None:
        for each in lines({"provkg": VERSION, **record}):
            to.write(each)

    def _session(self, to: Opened, around: Surroundings | None, facts: dict[str, Any]) -> str:
        """Return the id of a session of this process; it is written to each place once, with its environment."""
        key = f"{around.digest if around is not None else ''}{sorted(facts.items())}" if around or facts else ""
        known = self._sessions.get(key)
        if known is None or known["id"] not in to.told:
            with self._lock:
                around = around or self._surroundings()
                if known is None:
                    begun = {"id": uuid7(), "time": now(), "environment": around.digest, **self._process(), **facts}
                    known = self._sessions.setdefault(key, begun)
                if known["id"] not in to.told:
                    self._environment(to, around)
                    dry = {"dry": True} if self.dry else {}
                    self._write(to, {"kind": "session", **known, **dry})
                    to.told.add(known["id"])
        return str(known["id"])

    def _environment(self, to: Opened, around: Surroundings) -> None:
        """Write an environment to a place that has it not yet."""
        if around.digest not in to.told:
            told = {"digest": around.digest, "system": around.system} | ({"dry": True} if self.dry else {})
            self._write(to, {"kind": "environment", **told})
            to.told.add(around.digest)

    def _surroundings(self) -> Surroundings:
        if self._around is None:
            self._around = surroundings(pipeline=self.folder, variables=self.environ)
        return self._around

    def _process(self) -> dict[str, Any]:
        home = "" if self.personal else redaction.home()
        facts: dict[str, Any] = {
            "arguments": redaction.arguments(sys.orig_argv, home),
            "directory": redaction.without_person(str(Path.cwd()), home),
            "host": platform.node(),
            "pid": os.getpid(),
        }
        job, agent = slurm(), redaction.account() if self.personal else ""
        return facts | ({"agent": agent} if agent else {}) | ({"slurm": job} if job else {})

    def forget(self) -> None:
        """Forget what belongs to the process from which this one was forked."""
        self._sessions, self._lock = {}, threading.RLock()
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
        run = self.recorder.start(self.name, within=self.within, told=lambda _: told)
        self._runs.append(run)
        return run.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runs.pop().__exit__(kind, error, trace)


def _main_folder() -> Path | None:
    """Return where the main script lies."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(main).absolute().parent if main else None


def _forked() -> None:
    forked()
    after_fork()
    for each in list(_recorders):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
