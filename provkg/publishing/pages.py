"""The pages of a site: jinja2 templates, in which all that comes from data is escaped; none needs a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from provkg.errors import MissingExtra
from provkg.graphview import Links, draw
from provkg.identity import printable
from provkg.publishing.subjects import MOST_SHAPES, Subject, Subjects, called, within
from provkg.rollup import ACTIVITY, AGENT, ENTITY, Fold, Rules, budgeted

if TYPE_CHECKING:
    from provkg.publishing.site import About

STATIC = "static"
_FOLDER = Path(__file__).parent / "static"
_MOST_ROWS = 2_000  # members on a page; all are in its data
_EXAMPLES = (
    ("How many steps of each type there are, and how they ended", "steps"),
    ("What a product was made from, step by step", "history"),
    ("Products without anything that says how they were made", "origins"),
    ("What every step of a type was configured with", "parameters"),
)


def assets() -> dict[str, bytes]:
    """Return styles and scripts by name."""
    return {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.is_file()}


@dataclass(frozen=True)
class PageLinks(Links):
    """Shapes lead to their pages; what has none leads nowhere.

    Args:
        pages: of folds, without their ending.
    """

    pages: Mapping[str, str] = field(default_factory=dict)

    def of(self, fold: Fold) -> str:
        """Return where a shape leads to, or nothing."""
        return f"../{self.pages[fold.iri]}.html" if fold.iri in self.pages else ""

    def of_file(self, fold: Fold) -> str:  # noqa: ARG002 - files of an archive lie elsewhere
        """Return nothing: where files lie is told, and not linked."""
        return ""


class Pages:
    """Render the pages of a site; ``undrawn`` says that there is nothing to draw pictures with.

    Args:
        subjects: what there are pages of.
        rules: those of pictures.
        about: what is said of the site as a whole.
    """

    def __init__(self, subjects: Subjects, rules: Rules, about: About) -> None:
        self.subjects, self.rules, self.about = subjects, rules, about
        self.undrawn = False
        loader = PackageLoader("provkg.publishing", "templates")
        self.env = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self.env.filters |= {"printable": printable, "called": called}
        self.links = PageLinks(pages=subjects.path_of)

    def picture(self, subject: Subject) -> bytes:
        """Return the picture of a subject as SVG; nothing where it cannot be drawn."""
        try:
            shown = within(subject.around, (iri for iri, fold in subject.around.folds.items() if fold.kind != AGENT))
            if len(shown.folds) > MOST_SHAPES:
                shown = budgeted(shown.unfolded(), self.rules, nodes=MOST_SHAPES)
            return draw(shown, "svg", title=subject.name, rules=self.rules, links=self.links)
        except MissingExtra:
            self.undrawn = True
            return b""

    def page(self, subject: Subject, picture: str) -> str:
        """Return the page of a subject."""
        inline = picture[picture.index("<svg") :] if picture else ""
        template = "product.html" if subject.kind == "product" else "group.html"
        facts = self.product(subject) if subject.kind == "product" else self.group(subject)
        return self.render(template, "..", subject.name, subject=subject, picture=inline, **facts)

    def product(self, subject: Subject) -> dict[str, Any]:
        """Return what the page of a product tells."""
        fold, folds = subject.folds[0], self.subjects.rollup.folds
        makers, origins = [], []
        for each in self.subjects.rollup.by_subject.get(fold.iri, []):
            if each.kind == "wasGeneratedBy":
                makers.append((folds[each.object], each))
            else:
                origins.append((each, folds[each.object]))
        used = [
            (
                maker,
                [
                    (each, folds[each.object])
                    for each in self.subjects.rollup.by_subject.get(maker.iri, [])
                    if each.kind == "used"
                ],
            )
            for maker, _ in makers
        ]
        readers = [(folds[each.subject], each) for each in self.subjects.to[fold.iri]]
        return {
            "fold": fold,
            "makers": makers,
            "inputs": used,
            "origins": origins,
            "readers": readers,
            "members": fold.members[:_MOST_ROWS] if fold.count > 1 else (),
            "more": max(0, fold.count - _MOST_ROWS),
        }

    def group(self, subject: Subject) -> dict[str, Any]:
        """Return what the page of a run or a night tells: its steps by type, its products, its runs."""
        steps: dict[str, list[Fold]] = {}
        for fold in subject.folds:
            if fold.kind == ACTIVITY:
                steps.setdefault(fold.type or "unnamed", []).append(fold)
        rows = [
            (name, sum(each.count for each in folds), _outcomes(folds), *_times(folds)) for name, folds in steps.items()
        ]
        runs = (
            {value for fold in subject.folds for value in fold.keys.get("run", [])}
            if subject.kind == "night"
            else set()
        )
        return {
            "rows": sorted(rows, key=lambda row: (row[3], row[0])),
            "products": sorted(
                ((fold, self.made_by(fold)) for fold in subject.folds if fold.kind == ENTITY),
                key=lambda each: (called(each[0]), each[1]),
            ),
            "runs": [(run, f"run/{run}") for run in sorted(runs) if run in self.subjects.groups["run"]],
        }

    def made_by(self, fold: Fold) -> str:
        """Return the type of the step that made a product, or nothing."""
        makers = (each for each in self.subjects.rollup.by_subject.get(fold.iri, []) if each.kind == "wasGeneratedBy")
        return ", ".join(sorted({self.subjects.rollup.folds[each.object].type for each in makers}))

    def index(self, every: list[Subject], quads: int) -> str:
        """Return the page that everything is found from."""
        ordered = sorted(every, key=lambda each: each.name)
        kinds = {kind: [each for each in ordered if each.kind == kind] for kind in ("night", "run", "product")}
        members = sum(fold.count for each in kinds["product"] for fold in each.folds)
        steps = sum(fold.count for fold in self.subjects.rollup.folds.values() if fold.kind == ACTIVITY)
        counts = {"products": members, "steps": steps, "statements": quads}
        return self.render("index.html", ".", self.about.title, kinds=kinds, counts=counts)

    def sparql(self, shards: int) -> str:
        """Return the page that answers SPARQL queries in the browser."""
        examples = [(text, self.env.get_template(f"{name}.rq").render()) for text, name in _EXAMPLES]
        return self.render("sparql.html", ".", "SPARQL", examples=examples, shards=shards)

    def door(self) -> str:
        """Return the page of the bag, which leads into it."""
        return self.env.get_template("door.html").render(about=self.about)

    def render(self, template: str, root: str, title: str, **facts: Any) -> str:
        """Return a page."""
        pages = self.subjects.path_of
        told = {"root": root, "title": title, "about": self.about, "pages": pages, **facts}
        return self.env.get_template(template).render(told)


def _outcomes(folds: Iterable[Fold]) -> str:
    counts: Counter[str] = sum((fold.statuses for fold in folds), Counter())
    return ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))


def _times(folds: list[Fold]) -> tuple[str, str]:
    start = min((fold.start for fold in folds if fold.start), default="")
    return start, max((fold.end for fold in folds if fold.end), default="")
