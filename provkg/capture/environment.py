"""What a process runs in: interpreter, platform, packages with versions, and the variables that matter."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Names only: a value may be a secret, so no variable is recorded that is not here.
VARIABLES = ("CONDA_DEFAULT_ENV", "VIRTUAL_ENV", "SINGULARITY_CONTAINER", "APPTAINER_CONTAINER", "SLURM_JOB_ID")
_SECONDS = 30
_ASK = """
import importlib.metadata as metadata, json, platform, sys
found = sorted({(each.metadata["Name"] or "", each.version) for each in metadata.distributions()})
packages = [{"name": name, "version": version} for name, version in found if name]
print(json.dumps({"executable": sys.executable, "python": {
    "version": platform.python_version(), "implementation": platform.python_implementation(), "packages": packages}}))
"""


@dataclass(frozen=True)
class Surroundings:
    """An environment, named by the digest of its content."""

    digest: str
    system: dict[str, Any]


def surroundings(command: str | None = None) -> Surroundings:
    """Return what a command runs in.

    Args:
        command: the program. Packages are told where it is a Python interpreter or a script for one, which is asked;
            of other programs only the platform is known. This process when None.
    """
    interpreter = sys.executable if command is None else _interpreter(command)
    names = ("system", "release", "machine", "node")
    system: dict[str, Any] = {"platform": {name: getattr(platform, name)() for name in names}}
    system |= _asked(interpreter) if interpreter else {"executable": shutil.which(str(command)) or str(command)}
    system["environment"] = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    text = json.dumps(system, sort_keys=True)
    return Surroundings(hashlib.sha256(text.encode()).hexdigest()[:32], system)


def _interpreter(command: str) -> str | None:
    """Return the Python interpreter that runs a program, or None where none does."""
    path = shutil.which(command)
    if path is None:
        return None
    if Path(path).name.startswith("python"):
        return path
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - as the shell names it
            first = stream.readline(512)
    except OSError:
        return None
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    if words and Path(words[0]).name == "env":
        words = words[1:]
    return shutil.which(words[0]) if words and Path(words[0]).name.startswith("python") else None


@cache
def _asked(interpreter: str) -> dict[str, Any]:
    """Ask an interpreter for its version and its packages: those of another one are not ours."""
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user runs anyway
            [interpreter, "-c", _ASK], capture_output=True, timeout=_SECONDS, check=True
        )
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {"executable": interpreter}
    return found if isinstance(found, dict) else {"executable": interpreter}
