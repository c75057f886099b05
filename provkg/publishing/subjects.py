"""What a site has pages of: each product or collection of products, each run, each night."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from provkg.identity import digest
from provkg.rollup import ACTIVITY, ENTITY, Fold, FoldedRelation, Rollup

MOST_SHAPES = 60  # of a picture
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 60  # letters of a name in an address
_GROUPS = ("run", "night")


@dataclass(frozen=True)
class Subject:
    """What a page is about.

    Args:
        kind: ``product``, ``run`` or ``night``.
        name: what people call it.
        iri: its name in the graph.
        path: the address of its page without its ending.
        around: what is drawn and written of it: it and its neighbours.
        folds: the folds that it is, or that are its own.
    """

    kind: str
    name: str
    iri: str
    path: str
    around: Rollup = field(repr=False)
    folds: tuple[Fold, ...] = field(repr=False)


class Subjects:
    """The pages of a roll-up.

    Args:
        rollup: all of the store, rolled up as far as the site is.
    """

    def __init__(self, rollup: Rollup) -> None:
        self.rollup = rollup
        self.to: dict[str, list[FoldedRelation]] = defaultdict(list)
        for each in rollup.relations:
            self.to[each.object].append(each)
        products = [fold for fold in rollup.folds.values() if fold.kind == ENTITY]
        self.path_of = {fold.iri: f"product/{slug(called(fold), fold.iri)}" for fold in products}
        self.groups = {key: self._group(key) for key in _GROUPS}

    def _group(self, key: str) -> dict[str, list[Fold]]:
        """Return the folds of each value of a key, where each fold has one."""
        found: dict[str, list[Fold]] = defaultdict(list)
        for fold in self.rollup.folds.values():
            values = fold.keys.get(key, [])
            if fold.kind in (ACTIVITY, ENTITY) and len(values) == 1:
                found[values[0]].append(fold)
        steps = {value for value, folds in found.items() if any(fold.kind == ACTIVITY for fold in folds)}
        return {value: found[value] for value in sorted(steps)}

    def every(self) -> Iterator[Subject]:
        """Give all pages: nights, runs, then products."""
        for key in reversed(_GROUPS):
            for value, folds in self.groups[key].items():
                yield self.group(key, value, folds)
        for iri in self.path_of:
            yield self.product(self.rollup.folds[iri])

    def group(self, key: str, value: str, folds: list[Fold]) -> Subject:
        """Return the page of a run or a night: its steps, what they made, and what they read from outside."""
        own = {fold.iri for fold in folds}
        ends = {end for iri in own for each in self.near(iri) for end in (each.subject, each.object)}
        steps = {iri for iri in ends - own if self.rollup.folds[iri].kind == ACTIVITY}
        path = f"{key}/{slug(value, '')}"
        return Subject(
            key, value, f"{self.rollup.base}{path}", path, within(self.rollup, (own | ends) - steps), tuple(folds)
        )

    def product(self, fold: Fold) -> Subject:
        """Return the page of a product or a collection of products, with as much of its history as can be drawn."""
        kept, edge = {fold.iri}, [fold.iri]
        for each in self.to[fold.iri][: MOST_SHAPES // 3]:  # who read it, and what came of that
            kept |= {
                each.subject,
                *(made.subject for made in self.to[each.subject][:3] if made.kind == "wasGeneratedBy"),
            }
        while edge and len(kept) < MOST_SHAPES:
            edge = [
                each.object for iri in edge for each in self.rollup.by_subject.get(iri, []) if each.object not in kept
            ]
            edge = list(dict.fromkeys(edge))[: MOST_SHAPES - len(kept)]
            kept |= {*edge}
        return Subject("product", called(fold), fold.iri, self.path_of[fold.iri], within(self.rollup, kept), (fold,))

    def near(self, iri: str) -> list[FoldedRelation]:
        """Return the relations of a fold, in both directions."""
        return [*self.rollup.by_subject.get(iri, []), *self.to[iri]]


def within(rollup: Rollup, names: Iterable[str]) -> Rollup:
    """Return a part of a roll-up: some folds, and the relations between them."""
    kept = set(names)
    folds = {iri: fold for iri, fold in rollup.folds.items() if iri in kept}
    found = {each for iri in folds for each in rollup.by_subject.get(iri, []) if each.object in kept}
    return Rollup(folds, tuple(sorted(found)), (), frozenset(), rollup.base)


def called(fold: Fold) -> str:
    """Return what people call a fold."""
    if fold.count == 1:
        return fold.label.rpartition("/")[2] or fold.label or fold.type or fold.iri
    keys = " ".join(f"{key} {values[0]}" for key, values in fold.keys.items() if len(values) == 1)
    return f"{fold.count:,} × {fold.type or 'files'}" + (f", {keys}" if keys else "")


def slug(name: str, iri: str) -> str:
    """Return a name as a part of an address, which tells it from all others with the same letters.

    >>> slug("06269", ""), slug("dl3 (1).fits", "https://a.example/entity/1")
    ('06269', 'dl3-1-.fits-52e92548')
    """
    plain = _UNSAFE.sub("-", name).strip("-.")[:_LONGEST]
    return f"{plain}-{digest(iri)[:8]}" if iri or plain != name else plain
