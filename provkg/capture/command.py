"""Capture any program: what it was given, how it ended, and what it read and wrote."""

import os
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from provkg.capture.environment import surroundings
from provkg.capture.recorder import Recorder

_PASSED = (signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def run_command(
    recorder: Recorder,
    command: Sequence[str],
    *,
    name: str = "",
    used: Sequence[tuple[str, str]] = (),
    generated: Sequence[tuple[str, str]] = (),
    parameters: Mapping[str, object] | None = None,
) -> int:
    """Run a program and record it.

    Args:
        recorder: where to.
        command: the program and its arguments; no shell reads them.
        name: the type of activity; the name of the program when empty.
        used: roles and paths of what it reads; they are digested before it starts.
        generated: roles and paths of what it writes; they are digested after it has ended.
        parameters: what it is configured by.

    Returns:
        its exit status; 128 and the number of the signal where one ended it; 127 where there is no such program.
    """
    label = name or Path(command[0]).name
    around = surroundings(command[0])
    with recorder.activity(label, arguments=command, parameters=parameters, around=around) as run:
        for role, path in used:
            run.used(path, role)
        try:
            code = _run(command)
        except OSError as error:
            run.end("failed", exit=127, error=str(error))
            warnings.warn(f"{command[0]}: {error.strerror or error}", stacklevel=2)
            return 127
        for role, path in generated:
            if os.path.lexists(path):
                run.generated(path, role)
            else:
                warnings.warn(f"{path} was not generated", stacklevel=2)
        status = "interrupted" if -code in _INTERRUPTED else "completed" if code == 0 else "failed"
        shown = 128 - code if code < 0 else code
        run.end(status, exit=shown)
    return shown


def _run(command: Sequence[str]) -> int:
    """Run a program to its end; signals that would end this process go to it first."""
    with _passing() as started:
        process = subprocess.Popen(command)  # noqa: S603 - what the user runs
        started(process)
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the terminal sends it to the program as well, which decides
                continue


@contextmanager
def _passing() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Pass signals on to the process that is given when it has started; those that came before it as well."""
    processes: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def send(number: int, _: FrameType | None) -> None:
        if processes:
            processes[0].send_signal(number)
        else:
            early.append(number)

    def started(process: subprocess.Popen[bytes]) -> None:
        processes.append(process)
        for number in early:
            process.send_signal(number)

    before = {number: signal.signal(number, send) for number in _PASSED}
    try:
        yield started
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
