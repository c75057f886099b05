"""What a picture of a roll-up shows, before anything is drawn: shapes with their words, and arrows between them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from urllib.parse import quote, urlsplit

from provkg.errors import InputError
from provkg.graphview.tree import middle
from provkg.graphview.words import LONG, MOST_LINES, PLURAL, lines_of, marks_of, title_of, tooltip_of
from provkg.identity import harmless
from provkg.rollup import ACTIVITY, AGENT, ENTITY, Fold, Rollup, Rules

SCREEN, TEXT = 30, 50  # characters of a title; a line may have some more, a role some less
PAPER = (24, 20, 16, 12)  # the same: as many as a page can show in letters that can be read
_MORE = 6
_LONG_LINK = 2000  # letters that every browser takes
_FIELD = re.compile(r"\{(\w*)\}")
_FIELDS = ("iri", "location", "name")
_SCHEMES = ("http", "https", "file", "ftp")


@dataclass(frozen=True)
class Links:
    """Where shapes lead to: templates with ``{iri}``, ``{location}`` and ``{name}``, which are percent-encoded.

    Args:
        page: of every shape; ``{iri}`` alone is the IRI as it is.
        file: of the name of a file that lies somewhere.
    """

    page: str = "{iri}"
    file: str = "file://{location}"

    def __post_init__(self) -> None:
        for template in (self.page, self.file):
            for field in _FIELD.findall(template):
                if field not in _FIELDS:
                    raise InputError(f"{{{field}}} is no field of a link", hint=f"one of {', '.join(_FIELDS)}")
            if template != "{iri}" and urlsplit(template).scheme not in ("", *_SCHEMES):
                raise InputError(f"{template} leads nowhere a picture may lead", hint=f"one of {', '.join(_SCHEMES)}")

    def of(self, fold: Fold) -> str:
        """Return where a shape leads to, or nothing."""
        return self._filled(self.page, fold)

    def of_file(self, fold: Fold) -> str:
        """Return where the name of a file leads to, or nothing."""
        return self._filled(self.file, fold) if fold.kind == ENTITY and fold.count == 1 and "/" in fold.label else ""

    def _filled(self, template: str, fold: Fold) -> str:
        location = fold.label if fold.count == 1 and fold.kind == ENTITY else ""
        values = {"iri": fold.iri, "location": location, "name": location.rpartition("/")[2]}
        if any(not values[field] for field in _FIELD.findall(template)):
            return ""
        safe = "" if "{iri}" in template else "/"
        link = fold.iri if template == "{iri}" else _FIELD.sub(lambda field: quote(values[field[1]], safe), template)
        safe_link = urlsplit(link).scheme in ("", *_SCHEMES) and harmless(link) == link and len(link) <= _LONG_LINK
        return link if safe_link else ""


@dataclass(frozen=True)
class Shape:
    """A node as it is drawn: ``lines`` stand under the title, ``file`` under these; ``marks`` make it an exception."""

    id: str
    fold: Fold
    title: str
    lines: tuple[str, ...]
    file: str
    marks: tuple[str, ...]
    tooltip: str
    link: str
    file_link: str


@dataclass(frozen=True)
class Arrow:
    """All relations of one kind between two shapes: what it says, and what it says when one points at it."""

    subject: str
    object: str
    kind: str
    label: str
    tooltip: str


@dataclass(frozen=True)
class Picture:
    """Shapes in the order of what came from what, and arrows that point back in time."""

    title: str
    shapes: tuple[Shape, ...]
    arrows: tuple[Arrow, ...]
    caption: str


def picture_of(rollup: Rollup, title: str, rules: Rules, links: Links, *, width: int = SCREEN) -> Picture:
    """Return what a picture of a roll-up shows.

    Args:
        rollup: what to draw.
        title: what it is of.
        rules: how many files of one type are called together.
        links: where shapes lead to.
        width: how many characters a title may have.
    """
    names = {iri: f"n{number}" for number, iri in enumerate(_ordered(rollup), 1)}
    shapes = tuple(_shape(names[iri], rollup.folds[iri], rules, links, width) for iri in names)
    return Picture(harmless(title), shapes, tuple(_arrows(rollup, names, width - _MORE)), caption(rollup))


def caption(rollup: Rollup) -> str:
    """Say how much is folded in how many shapes."""
    counts: Counter[str] = Counter()
    for fold in rollup.folds.values():
        counts.update(member.kind for member in fold.members)
    told = ", ".join(_counted(counts[kind], kind) for kind in (ACTIVITY, ENTITY, AGENT) if counts[kind])
    folded = sum(fold.count > 1 for fold in rollup.folds.values())
    return f"{told} in {len(rollup.folds):,} shapes, {folded:,} of which hold several" if folded else told


def _counted(count: int, kind: str) -> str:
    return f"{count:,} {PLURAL[kind][count != 1]}" if kind in PLURAL else f"{count:,}"


def _ordered(rollup: Rollup) -> list[str]:
    """Return the folds so that each comes after those it came from; in their own order where there is a circle."""
    after: dict[str, list[str]] = {iri: [] for iri in rollup.folds}
    for relation in rollup.relations:
        if relation.subject != relation.object and relation.object not in after[relation.subject]:
            after[relation.subject].append(relation.object)
    try:
        return [*TopologicalSorter(after).static_order()]
    except CycleError:
        return [*rollup.folds]


def _shape(name: str, fold: Fold, rules: Rules, links: Links, width: int) -> Shape:
    title = harmless(title_of(fold, rules))
    is_file = fold.count == 1 and fold.kind == ENTITY
    file = harmless(fold.label.rpartition("/")[2] or fold.label) if is_file else ""
    return Shape(
        id=name,
        fold=fold,
        title=middle(title, width),
        lines=tuple(middle(harmless(line), width + _MORE) for line in lines_of(fold)),
        file="" if file == title else middle(file, width + _MORE),
        marks=marks_of(fold),
        tooltip=tooltip_of(fold, title),
        link=links.of(fold),
        file_link=links.of_file(fold),
    )


def _arrows(rollup: Rollup, names: dict[str, str], width: int) -> Iterable[Arrow]:
    """Give one arrow for all relations of one kind between two folds."""
    together = defaultdict(list)
    for relation in rollup.relations:
        together[relation.kind, relation.subject, relation.object].append(relation)
    for (kind, subject, object_), relations in sorted(
        together.items(), key=lambda each: (int(names[each[0][1]][1:]), int(names[each[0][2]][1:]), each[0][0])
    ):
        roles = [relation.role for relation in relations if relation.role]
        count = sum(len(relation.members) for relation in relations)
        reached = {member.object for relation in relations for member in relation.members}
        part = rollup.folds[object_].count
        some = [f"{len(reached):,} of {part:,}"] if len(reached) < part else []
        told = [
            f"{middle(relation.role, LONG) or kind}: {len(relation.members):,}" for relation in relations[:MOST_LINES]
        ]
        label = "\n".join([*(middle(harmless(role), width) for role in roles[:2]), *some])
        more = f"\nand {len(roles) - 2} more" if len(roles) > 2 else ""
        tooltip = f"{kind}, {count:,} relations\n" + "\n".join(harmless(line) for line in told)
        yield Arrow(names[subject], names[object_], kind, label + more, tooltip)
