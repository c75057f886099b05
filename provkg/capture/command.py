"""Capture any program: what it was given, how it ended, what it read and wrote, and what it took."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any

from provkg.capture import redaction
from provkg.capture.environment import surroundings
from provkg.capture.facts import plain, uuid7
from provkg.capture.recorder import Recorder
from provkg.capture.run import Run, reference
from provkg.capture.warned import warn

_PASSED = (signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_PIECE_BYTES = 1 << 16
Files = Sequence[tuple[str, str]]


def run_command(
    recorder: Recorder,
    command: Sequence[str],
    *,
    name: str = "",
    used: Files = (),
    generated: Files = (),
    parameters: Mapping[str, object] | None = None,
    output: bool = False,
) -> int:
    """Run a program and record it.

    Args:
        recorder: where to.
        command: the program and its arguments; no shell reads them.
        name: the type of activity; the name of the program when empty.
        used: roles and paths of what it reads; they are digested before it starts.
        generated: roles and paths of what it writes; they are digested after it has ended.
        parameters: what it is configured by.
        output: digest what it writes to stdout and stderr, which are pipes for it then and no terminal.

    Returns:
        its exit status; 128 and the number of the signal where one ended it; 127 where there is no such program. 0
        where the recorder is dry: nothing runs then.
    """
    run = _started(recorder, command, name, used, parameters or {})
    if run.dry:
        run.end("completed", generated=[reference(path, role) for role, path in generated])
        return 0
    try:
        with _Output(output) as streams:
            code, taken = _run(command, streams, run.id)
    except OSError as error:
        run.end("failed", exit=127, error=str(error))
        warn(f"{command[0]}: {error.strerror or error}")
        return 127
    status = "interrupted" if -code in _INTERRUPTED else "completed" if code == 0 else "failed"
    made = _made(recorder, generated)
    exit_status = 128 - code if code < 0 else code
    run.end(status, exit=exit_status, resources=taken, **made, **streams.digests())
    return exit_status


def _started(
    recorder: Recorder, command: Sequence[str], name: str, used: Files, parameters: Mapping[str, object]
) -> Run:
    """Record the start: the command line and what it runs in are those of its session, not of this process."""
    files = recorder.digested("used", [reference(path, role) for role, path in used], at_once=True)
    told: dict[str, Any] = {"parameters": redaction.parameters(plain(parameters))} if parameters else {}
    told |= {"used": files} if files else {}
    around = surroundings(command[0], pipeline=recorder.sessions.folder, variables=recorder.sessions.environ)
    session = {"id": uuid7(), "arguments": redaction.arguments(command), "script": None}
    return recorder.start(name or Path(command[0]).name, told, around=around, session=session)


def _made(recorder: Recorder, generated: Files) -> dict[str, Any]:
    """Return what was generated; what was not is a warning."""
    files = []
    for role, path in generated:
        if os.path.lexists(path):
            files.append(reference(path, role))
        else:
            warn(f"{path} was not generated")
    return {"generated": recorder.digested("generated", files, at_once=True)} if files else {}


def _run(command: Sequence[str], streams: "_Output", within: str) -> tuple[int, dict[str, Any]]:
    """Run a program to its end; signals that would end this process go to it first.

    Returns:
        its return code, as :mod:`subprocess` has it, and the resources that it and its children took.
    """
    around = os.environ | {"PROVKG_WITHIN": within}
    with _passing() as started:
        process = subprocess.Popen(command, env=around, stdout=streams.pipe, stderr=streams.pipe)  # noqa: S603 - the user's
        started(process)
        streams.read(process)
        while True:
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except KeyboardInterrupt:  # the terminal sends it to the program as well, which decides
                continue
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, _resources(usage)


def _resources(usage: resource.struct_rusage) -> dict[str, Any]:
    """Return the resources that were taken: seconds, bytes, blocks of 512 bytes. See getrusage(2)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "cpu_user_seconds": round(usage.ru_utime, 6),
        "cpu_system_seconds": round(usage.ru_stime, 6),
        "max_resident_bytes": usage.ru_maxrss * unit,
        "blocks_read": usage.ru_inblock,
        "blocks_written": usage.ru_oublock,
        "context_switches": usage.ru_nvcsw + usage.ru_nivcsw,
    }


class _Output:
    """What a program writes to stdout and stderr, passed on and digested where that is asked for."""

    def __init__(self, wanted: bool) -> None:
        self.pipe = subprocess.PIPE if wanted else None
        self.hashes = {"stdout": hashlib.sha256(), "stderr": hashlib.sha256()} if wanted else {}
        self.sizes = dict.fromkeys(self.hashes, 0)
        self.threads: list[threading.Thread] = []

    def __enter__(self) -> "_Output":
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.threads:
            each.join()

    def read(self, process: subprocess.Popen[bytes]) -> None:
        """Begin to pass on what a process writes."""
        for name, here in (("stdout", sys.stdout), ("stderr", sys.stderr)) if self.hashes else ():
            there = getattr(process, name)
            self.threads.append(threading.Thread(target=self._pass, args=(name, there, here.fileno())))
            self.threads[-1].start()

    def _pass(self, name: str, there: IO[bytes], here: int) -> None:
        with there:
            while piece := os.read(there.fileno(), _PIECE_BYTES):
                self.hashes[name].update(piece)
                self.sizes[name] += len(piece)
                try:
                    with open(here, "wb", closefd=False) as stream:
                        stream.write(piece)
                except OSError:  # nobody reads any more; the program is still read to its end
                    continue

    def digests(self) -> dict[str, Any]:
        """Return the digests of what was written, with its sizes in bytes."""
        found = {
            name: {"digest": f"sha256:{each.hexdigest()}", "size": self.sizes[name]}
            for name, each in self.hashes.items()
        }
        return {"output": found} if found else {}


@contextmanager
def _passing() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Pass signals on to the process that is given when it has started; those that came before it as well."""
    processes: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def send(number: int, _: FrameType | None) -> None:
        if processes and processes[0].returncode is None:  # send_signal would wait for it, and lose what it took
            os.kill(processes[0].pid, number)
        else:
            early.append(number)

    def started(process: subprocess.Popen[bytes]) -> None:
        processes.append(process)
        for number in early:
            os.kill(process.pid, number)

    before = {number: signal.signal(number, send) for number in _PASSED}
    try:
        yield started
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
