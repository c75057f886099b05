"""Open folds: what a person clicks on is shown as its parts, few enough to look at."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from provkg.rollup.folding import Fold, Rollup, fold

MOST = 40  # parts of one fold


def opened(rollup: Rollup, folds: Iterable[str]) -> Rollup:
    """Return a roll-up with some folds shown as their parts; a fold that is not there is passed over.

    A fold of at most 40 is shown as its members; a larger one by the first key that parts it into at most 40, else in
    pieces of the order of its members.

    Args:
        rollup: what is shown.
        folds: the IRIs of folds to open, one after the other: one may be a part of another.
    """
    for iri in folds:
        if iri in rollup.folds and rollup.folds[iri].count > 1:
            groups: dict[str, Hashable] = {
                member.iri: each.iri for each in rollup.folds.values() for member in each.members if each.iri != iri
            }
            rollup = fold(rollup.unfolded(), groups | _parts(rollup.folds[iri]))
    return rollup


def _parts(each: Fold) -> dict[str, Hashable]:
    """Return the part of each member."""
    if each.count <= MOST:
        return {member.iri: (each.iri, member.iri) for member in each.members}
    for key, values in each.keys.items():
        if 1 < len(values) < MOST:
            return {member.iri: (each.iri, key, member.key(key)) for member in each.members}
    size = -(-each.count // MOST)
    return {member.iri: (each.iri, at // size) for at, member in enumerate(each.members)}
