"""The words of a shape: what it is called, what stands under that, and what one is told who points at it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from provkg.graphview.tree import middle
from provkg.identity import harmless
from provkg.rollup import ACTIVITY, AGENT, ENTITY, Fold, Rules, in_common

PLURAL = {ACTIVITY: ("step", "steps"), ENTITY: ("file", "files"), AGENT: ("agent", "agents")}
MOST_LINES, LONG = 40, 240  # of a tooltip: lines, and letters of a line
_MOST_MEMBERS = 12  # names in a line
_KEYS = {"night": "nights", "run": "runs", "subrun": "sub-runs"}


def title_of(fold: Fold, rules: Rules) -> str:
    """Return what a shape is called: what its members are, and how many types where these are several."""
    if fold.kind not in PLURAL:
        return "steps and files"
    if not fold.type and fold.count > 1:
        types = len({member.type for member in fold.members})
        return f"{types:,} types of {PLURAL[fold.kind][0]}"
    if fold.kind == AGENT:
        return fold.label or fold.type
    if fold.count > 1 and fold.kind == ENTITY:
        return rules.collections.get(fold.type, fold.type)
    return fold.type or fold.label.rpartition("/")[2] or fold.iri.rpartition("/")[2]


def lines_of(fold: Fold) -> list[str]:
    """Return what stands under the title: how many, how they ended, of which runs."""
    if fold.count == 1:
        member = fold.members[0]
        shown = member.start.replace("T", " ")[:16] if fold.kind == ACTIVITY else ""
        return [*([shown] if shown else []), *([", ".join(marks_of(fold))] if marks_of(fold) else [])]
    if fold.kind == ACTIVITY:
        noun, rest = _noun(fold)
        return [f"{fold.count:,} {noun}: {_outcome(fold)}", *([rest] if rest else [])]
    noun = "versions" if _is_one_file(fold) else PLURAL[fold.kind][1] if fold.kind in PLURAL else "in a chain"
    told = f"{fold.count:,} {noun}"
    return [", ".join((told, *marks_of(fold))), *([common] if (common := _common(fold)) else [])]


def _noun(fold: Fold) -> tuple[str, str]:
    """Return what there are so many of, and how many runs and sub-runs where that is something else."""
    places: dict[str, set[Any]] = {
        "subrun": {(member.key("run"), member.key("subrun")) for member in fold.members if member.key("subrun")},
        "run": {member.key("run") for member in fold.members if member.key("run")},
        "night": {member.key("night") for member in fold.members if member.key("night")},
    }
    finest = next((key for key, found in places.items() if found), "")
    whole = bool(finest) and len(places[finest]) == fold.count
    told = [
        f"{len(found):,} {_KEYS[key]}"
        for key, found in places.items()
        if len(found) > 1 and not (whole and key == finest)
    ]
    return (_KEYS[finest] if whole else "times"), ", ".join(reversed(told))


def _outcome(fold: Fold) -> str:
    """Say how many ended well, and what became of the others."""
    ok = fold.statuses["completed"]
    if ok == fold.count:
        return "all ok"
    marked = [f"{count:,} {mark}" for mark, count in sorted(fold.marks.items())]
    return ", ".join(([f"{ok:,} ok"] if ok else []) + marked) or "no status"


def marks_of(fold: Fold) -> tuple[str, ...]:
    """Return what makes a fold an exception, with how many where it is not all."""
    told = {mark: f"{count:,} {mark}" if fold.count > 1 else mark for mark, count in sorted(fold.marks.items())}
    return tuple(told.values())


def _common(fold: Fold) -> str:
    """Return what the names of the files of a fold have in common; their name, where they are versions of one."""
    names = [member.label.rpartition("/")[2] for member in fold.members]
    return names[0] if _is_one_file(fold) else in_common(names)


def _is_one_file(fold: Fold) -> bool:
    return "/" in fold.label and fold.kind == ENTITY


def tooltip_of(fold: Fold, title: str) -> str:
    """Return all that a shape has no room for, in lines."""
    lines = [title, *([fold.label] if fold.count == 1 and fold.label and fold.label != title else [])]
    if fold.start:
        lines.append(f"{fold.start} to {fold.end or 'no recorded end'}")
    lines += [", ".join(f"{count:,} {status}" for status, count in sorted(fold.statuses.items()))]
    lines += [f"{key}: {_some(values)}" for key, values in fold.keys.items()]
    lines += [f"{name} = {value}" for name, value in fold.parameters.items()]
    lines += [f"{name}: {count:,} values" for name, count in fold.differing.items()]
    if fold.count > 1:
        lines.append(f"{fold.count:,} members: {_some([_named(member.label, member.iri) for member in fold.members])}")
    lines += [", ".join(marks_of(fold)), fold.iri]
    found = [middle(harmless(line), LONG) for line in lines if line]
    return "\n".join(
        [*found[:MOST_LINES], *([f"and {len(found) - MOST_LINES} more lines"] if len(found) > MOST_LINES else [])]
    )


def _named(label: str, iri: str) -> str:
    return label.rpartition("/")[2] or iri


def _some(values: Iterable[str]) -> str:
    found = list(values)
    more = f" and {len(found) - _MOST_MEMBERS:,} more" if len(found) > _MOST_MEMBERS else ""
    return ", ".join(found[:_MOST_MEMBERS]) + more
