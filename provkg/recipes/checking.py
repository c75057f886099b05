"""What stands in the way of making a product again here and now."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from provkg.capture.environment import surroundings
from provkg.recipes.plan import Call, File, Plan

_MOST = 5


class Blocker(NamedTuple):
    """Something in the way: what kind it is, at which step, and what exactly."""

    blocker: str
    step: str
    what: str


def blockers(plan: Plan) -> list[Blocker]:
    """Return what no record tells, and what is not here: files with their bytes, programs, packages.

    It reads the files from outside; nothing is run but the interpreters, which are asked for their packages.
    """
    found = [Blocker("not recorded", call.label if call else "", text) for call, text in plan.gaps()]
    found += [Blocker(state, "", each.path) for each in plan.inputs if (state := _here(each))]
    for call in plan.calls:
        found += _program(plan, call)
    return list(dict.fromkeys(found))


def _here(file: File) -> str:
    """Say what is wrong with a file from outside, or nothing."""
    if not Path(file.path).is_file():
        return "input is missing"
    if not file.digest:
        return ""
    try:
        return "" if digest_of(Path(file.path), file.digest) == file.digest else "input has changed"
    except OSError as error:
        return f"input cannot be read ({error.strerror})"


def digest_of(path: Path, like: str) -> str:
    """Return the digest of a file, by the algorithm of another digest.

    Raises:
        OSError: it cannot be read.
    """
    algorithm = like.partition(":")[0]
    with path.open("rb") as stream:
        return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"


def _program(plan: Plan, call: Call) -> Iterator[Blocker]:
    """Give what is missing of the program of a call and of what it needs."""
    if not call.command:
        return
    program = "".join(call.command[0])
    if shutil.which(program) is None:
        yield Blocker("program is missing", call.label, program)
        return
    wanted = {each for name in call.process.environments for each in plan.packages.get(name, ())}
    if not wanted:
        yield Blocker("not recorded", call.label, "the packages of its environment")
        return
    python = surroundings(program).system.get("python") or {}
    there = {_plain(each["name"]): each["version"] for each in python.get("packages", ())}
    there["python"] = str(python.get("version", ""))
    other = sorted(
        f"{name} {version} (here: {there.get(_plain(name)) or 'none'})"
        for name, version in wanted
        if there.get(_plain(name)) != version
    )
    if other:
        more = f" and {len(other) - _MOST} more" if len(other) > _MOST else ""
        yield Blocker("packages differ", call.label, ", ".join(other[:_MOST]) + more)


def _plain(name: str) -> str:
    """Return the name of a package as pip compares it. https://packaging.python.org/en/latest/specifications/name-normalization."""
    return name.lower().replace("_", "-").replace(".", "-")
