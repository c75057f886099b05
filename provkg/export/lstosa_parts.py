"""The parts of a run of which provprocess writes products, and which steps belong to each."""

from collections.abc import Iterable

from provkg.errors import InputError
from provkg.rollup import ACTIVITY, Node, Rules, View

PARTS = {
    "calibration_to_dl1": ("calibration", "r0_to_dl1"),
    "calibration_to_dl2": ("calibration", "r0_to_dl1", "dl1_to_dl2"),
    "r0_to_dl1": ("r0_to_dl1",),
    "dl1_to_dl2": ("dl1_to_dl2",),
}
NEEDED = {"calibration_to_dl2": "dl1_to_dl2", "dl1_to_dl2": "dl1_to_dl2"}  # without such a step there is no such part


def chosen(parts: Iterable[str]) -> list[str]:
    """Return parts of a run, in order; all when none is named.

    Raises:
        InputError: there is no such part.
    """
    wanted = list(parts) or list(PARTS)
    for each in wanted:
        if each not in PARTS:
            raise InputError(f"there is no part {each!r} of a run", hint=f"one of {', '.join(PARTS)}")
    return [each for each in PARTS if each in wanted]


def is_of(part: str, run: str, rules: Rules, node: Node) -> bool:
    """Say whether a step belongs to a part of a run: a calibration of any run does, others where they are of it."""
    level = next((level for level in PARTS[part] if node.type in rules.levels.get(level, ())), "")
    return level == "calibration" or (bool(level) and node.key("run") == run)


def missing(part: str, view: View, rules: Rules) -> str:
    """Say why there is nothing to write of a part, or nothing."""
    types = {node.type for node in view.nodes.values() if node.kind == ACTIVITY}
    needed = NEEDED.get(part, "r0_to_dl1")
    return "" if types & {*rules.levels.get(needed, ())} else f"no step of {needed} is on record"
