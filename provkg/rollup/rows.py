"""Fold the rows of an answer: those that name steps or products of one fold become one row with their count."""

from __future__ import annotations

import os.path
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from provkg.rollup.folding import Rollup

COUNT = "rows"


def in_common(texts: Iterable[str]) -> str:
    """Return what several texts have in common at their beginning and end; nothing where that is little.

    >>> in_common(["dl1.Run01.0000.h5", "dl1.Run01.0001.h5"])
    'dl1.Run01.000….h5'
    """
    found = sorted(set(texts))
    start = os.path.commonprefix(found)  # noqa: RUF071 - characters are meant
    end = os.path.commonprefix([text[len(start) :][::-1] for text in found])[::-1]  # noqa: RUF071
    return f"{start}…{end}" if len(found) > 1 and len(start) + len(end) > 3 else ""


def rolled(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], rollup: Rollup) -> list[dict[str, Any]]:
    """Return the rows folded, in the order of the first of each; rows that name no node of the roll-up stay.

    What differs in a fold is its range where it is a number or a time, else what the texts have in common, else how
    many values there are.

    Args:
        rows: of an answer.
        columns: their names, in order.
        rollup: a roll-up that holds what the rows name.
    """
    place = {member.iri: fold.iri for fold in rollup.folds.values() for member in fold.members}
    together: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for number, row in enumerate(rows):
        named = tuple(place.get(str(row[column]), "") for column in columns)
        together[named if any(named) else number].append(row)
    return [
        {**{name: _one([row[name] for row in some], place) for name in columns}, COUNT: len(some)}
        for some in together.values()
    ]


def _one(values: list[Any], place: Mapping[str, str]) -> Any:
    """Return what stands for several values."""
    known = {place.get(str(value), value) for value in values if value is not None}
    if len(known) < 2:
        return known.pop() if known else None
    found = sorted(known, key=str)
    if all(isinstance(value, int | float) for value in found):
        return f"{min(found)} to {max(found)}"
    texts = [str(value) for value in found]
    if all(len(text) > 16 and text[4:5] == "-" and text[10:11] == "T" for text in texts):
        return f"{texts[0]} to {texts[-1]}"
    names = [text.rpartition("/")[2] for text in texts]
    return in_common(names) or f"{len(found):,} values"
