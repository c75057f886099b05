"""A cell of a notebook as an activity: ``%load_ext provkg.capture.notebook``, then ``%%provkg NAME …``.

::

    %%provkg clean --used raw.fits --generated Clean=clean.fits --param level=3
    table = clean(read("raw.fits"))

In the cell, ``run`` is the activity, for ``run.used(…)`` and the other calls.
"""

import argparse
import shlex
from functools import partial
from typing import Any, NoReturn

from provkg.capture import redaction
from provkg.capture.recorder import Recorder
from provkg.capture.run import outcome

_RUN = "run"
_FILE = {"metavar": "[ROLE=]FILE", "action": "append", "default": []}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"%%provkg: {message}")


_PARSER = _Parser(prog="%%provkg", add_help=False)
_PARSER.add_argument("name", nargs="?", default="cell")
_PARSER.add_argument("--used", **_FILE)  # type: ignore[arg-type]
_PARSER.add_argument("--generated", **_FILE)  # type: ignore[arg-type]
_PARSER.add_argument("--param", metavar="NAME=VALUE", action="append", default=[])


def load_ipython_extension(shell: Any) -> None:
    """Register the magic; IPython calls this."""
    shell.register_magic_function(partial(run_cell, Recorder(), shell), "cell", "provkg")


def run_cell(recorder: Recorder, shell: Any, line: str, cell: str) -> None:
    """Run a cell and record it: its source, what it read and wrote, how it ended.

    Args:
        recorder: where to.
        shell: the interactive shell of IPython.
        line: ``NAME [--used [ROLE=]FILE]… [--generated [ROLE=]FILE]… [--param NAME=VALUE]…``.
        cell: the source.

    Raises:
        ValueError: the line cannot be read; the cell was not run.
    """
    given = _PARSER.parse_args(shlex.split(line))
    parameters = dict(text.partition("=")[::2] for text in given.param)
    told = {"source": cell} | ({"parameters": redaction.parameters(parameters)} if parameters else {})
    run = recorder.start(given.name, told)
    for role, path in map(_file, given.used):
        run.used(path, role)
    before = {_RUN: shell.user_ns[_RUN]} if _RUN in shell.user_ns else {}
    shell.user_ns[_RUN] = run
    run.enter()
    try:
        result = None if run.dry else shell.run_cell(cell)
    finally:
        run.leave()
        shell.user_ns.pop(_RUN, None)
        shell.user_ns.update(before)
    error = result and (result.error_before_exec or result.error_in_exec)
    for role, path in map(_file, given.generated) if not error else ():
        run.generated(path, role)
    run.end(**outcome(error))


def _file(text: str) -> tuple[str, str]:
    role, is_named, path = text.partition("=")
    return (role, path) if is_named else ("", text)
