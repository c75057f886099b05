"""What a process runs in: interpreter, platform, packages with versions, container, git state, chosen variables."""

import hashlib
import inspect
import json
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from provkg.capture import installed as installed_module
from provkg.capture import redaction
from provkg.capture.installed import installed

# Names only: a value may be a secret, so no variable is recorded that is not here or asked for.
VARIABLES = (
    *("CONDA_DEFAULT_ENV", "CONDA_PREFIX", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHASHSEED", "TZ"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "CUDA_VISIBLE_DEVICES"),
    *("CTAPIPE_SVC_PATH", "GAMMAPY_DATA", "LC_ALL", "LANG"),
)
_PERSONAL = {"HOME", "USER", "LOGNAME", "USERNAME", "MAIL"}
_CONTAINERS = {"apptainer": "APPTAINER_CONTAINER", "singularity": "SINGULARITY_CONTAINER"}
_JOB = {
    "job": "SLURM_JOB_ID",
    "array_job": "SLURM_ARRAY_JOB_ID",
    "array_task": "SLURM_ARRAY_TASK_ID",
    "step": "SLURM_STEP_ID",
    "name": "SLURM_JOB_NAME",
    "cluster": "SLURM_CLUSTER_NAME",
    "partition": "SLURM_JOB_PARTITION",
    "restart": "SLURM_RESTART_COUNT",
}
_SECONDS = 30
_GIT_SECONDS = 10


@dataclass(frozen=True)
class Surroundings:
    """An environment, named by the digest of its content; ``system`` is what is recorded."""

    digest: str
    system: dict[str, Any]


def surroundings(
    command: str | None = None, *, pipeline: Path | None = None, variables: tuple[str, ...] = ()
) -> Surroundings:
    """Return what a command runs in.

    Args:
        command: the program. Packages are told where it is a Python interpreter or a script for one, which is asked;
            of other programs only the platform is known. This process when None.
        pipeline: a folder in the git repository of the pipeline, whose commit and changes are told.
        variables: names of more variables of the environment to record.
    """
    names = ("system", "release", "machine", "node")
    system: dict[str, Any] = {"platform": {name: getattr(platform, name)() for name in names}}
    if command is None:
        system |= dict(installed())
    elif interpreter := _interpreter(command):
        system |= _asked(interpreter)
    else:
        system["executable"] = shutil.which(command) or command
    home = redaction.home()
    system["executable"] = redaction.without_person(system["executable"], home)
    system["environment"] = {
        name: redaction.REDACTED if name in _PERSONAL else redaction.arguments([os.environ[name]], home)[0]
        for name in sorted({*VARIABLES, *variables})
        if name in os.environ and not redaction.is_secret(name)
    }
    system |= {"container": held} if (held := _container(home)) else {}
    system |= {"git": state} if pipeline is not None and (state := git_state(pipeline)) else {}
    text = json.dumps(system, sort_keys=True)
    return Surroundings(hashlib.sha256(text.encode()).hexdigest()[:32], system)


def slurm() -> dict[str, str]:
    """Return the ids of the Slurm job of this process, if it has one. https://slurm.schedmd.com/sbatch.html."""
    return {key: os.environ[name] for key, name in _JOB.items() if os.environ.get(name)}


def git_state(folder: Path) -> dict[str, Any]:
    """Return commit, and how many tracked files differ from it, of the git repository of a folder; empty if none."""
    command = ["git", "-C", str(folder), "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    around = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {
        "GIT_OPTIONAL_LOCKS": "0"
    }
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command on a folder of the pipeline
            command, capture_output=True, timeout=_GIT_SECONDS, check=True, env=around, text=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    lines = done.stdout.splitlines()
    commit = next((line.rpartition(" ")[2] for line in lines if line.startswith("# branch.oid ")), "")
    changed = sum(not line.startswith("#") for line in lines)
    return {"commit": commit, "dirty": changed > 0, "changed": changed}


def _container(home: str) -> dict[str, str]:
    """Return the kind of container, and its image where it says so."""
    for kind, name in _CONTAINERS.items():
        if image := os.environ.get(name):
            return {"kind": kind, "image": redaction.without_person(image, home)}
    if Path("/.dockerenv").exists():
        return {"kind": "docker"}
    return {"kind": "podman"} if Path("/run/.containerenv").exists() else {}


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
            [interpreter, "-c", inspect.getsource(installed_module)], capture_output=True, timeout=_SECONDS, check=True
        )
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {"executable": interpreter}
    return found if isinstance(found, dict) else {"executable": interpreter}
