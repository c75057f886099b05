"""Make a product again in a clean folder, and compare it with what was recorded, product by product."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from provkg.errors import InputError
from provkg.recipes.checking import digest_of
from provkg.recipes.plan import Call, File, Plan


class Outcome(NamedTuple):
    """What became of a product: ``same``, ``different``, ``not made``, or ``made`` where no digest is recorded."""

    state: str
    step: str
    path: str
    recorded: str
    found: str


def rerun(plan: Plan, root: Path) -> Iterator[Outcome]:
    """Run a plan, and give what became of each file that its calls wrote.

    Args:
        plan: how to make the product; all of it must be known.
        root: a folder that is empty or not there: all that the plan names lies in it as it lay on the disk.

    Raises:
        InputError: something is not known, the folder is not empty, an input is missing or has other bytes, or a
            command failed.
    """
    gaps = [f"{call.label}: {text}" if call else text for call, text in plan.gaps()]
    if gaps:
        more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        raise InputError(f"the recipe is not complete: {gaps[0]}{more}", hint="see provkg recipe PRODUCT --check")
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InputError(f"{root} is not an empty folder", hint="name one that is not there")
    root = root.absolute()
    for file in plan.inputs:
        _fetch(file, root)
    for call in plan.calls:
        _run(call, root)
        yield from (_compared(call, file, root) for file in call.writes)


def _under(root: Path, path: str) -> Path:
    """Return where a path lies under the root; what would lead out of it does not."""
    return root.joinpath(*(part for part in Path(path).parts[1:] if part != ".."))


def _fetch(file: File, root: Path) -> None:
    """Put a file from outside in its place, if its bytes are those that were recorded."""
    target = _under(root, file.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(file.path, target)
        found = digest_of(target, file.digest)
    except OSError as error:
        raise InputError(f"{file.path}: {error.strerror or error}", hint="bring the input back") from None
    if found != file.digest:
        raise InputError(f"{file.path} has changed: recorded {file.digest}, found {found}", hint="bring it back")


def _run(call: Call, root: Path) -> None:
    """Run one call in its working directory under the root."""
    command = [word.text + (str(_under(root, word.path)) if word.path else "") for word in call.command]
    folder = _under(root, call.directory or "/")
    for path in (folder, *(_under(root, file.path).parent for file in call.writes)):
        path.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(command, cwd=folder, check=False)  # noqa: S603 - the user asked for this command
    except OSError as error:
        raise InputError(f"step {call.number} ({call.label}): {command[0]}: {error.strerror or error}") from None
    if done.returncode:
        raise InputError(f"step {call.number} ({call.label}) failed with exit status {done.returncode}")


def _compared(call: Call, file: File, root: Path) -> Outcome:
    """Compare what was made with what was recorded."""
    path = _under(root, file.path)
    if not path.is_file():
        return Outcome("not made", call.label, file.path, file.digest, "")
    found = digest_of(path, file.digest or "sha256:")
    state = "made" if not file.digest else "same" if found == file.digest else "different"
    return Outcome(state, call.label, file.path, file.digest, found)
