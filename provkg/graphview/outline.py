"""A picture as an outline for a terminal: what came last at the top, and under each what it came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rich.text import Text
from rich.tree import Tree

from provkg.graphview.picture import Arrow, Picture, Shape
from provkg.rollup import ACTIVITY, AGENT, ENTITY

_SIGN = {ACTIVITY: "▭", ENTITY: "○", AGENT: "⌂"}


def outline(picture: Picture) -> Tree:
    """Return a picture as a tree; what has been shown is named again, and not gone into."""
    root = Tree(Text(f"{picture.title}: {picture.caption}", style="bold"), guide_style="bright_black")
    shapes = {shape.id: shape for shape in picture.shapes}
    below: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in picture.arrows:
        below[arrow.subject].append(arrow)
    reached = {arrow.object for arrow in picture.arrows if arrow.object != arrow.subject}
    last = [shape.id for shape in reversed(picture.shapes) if shape.id not in reached]
    shown: set[str] = set()
    for start in (*last, *(shape.id for shape in reversed(picture.shapes))):  # a circle has no end to begin with
        if start not in shown:
            _grow(root, start, shapes, below, shown)
    return root


def _grow(root: Tree, start: str, shapes: dict[str, Shape], below: dict[str, list[Arrow]], shown: set[str]) -> None:
    """Add a shape with all that it came from, however deep that is."""
    todo: list[tuple[Tree, str, list[Arrow]]] = [(root, start, [])]
    while todo:
        tree, name, arrows = todo.pop()
        known = name in shown
        branch = tree.add(_line(shapes[name], arrows, again=known and bool(below[name])))
        if known:
            continue
        shown.add(name)
        together: dict[str, list[Arrow]] = defaultdict(list)
        for arrow in below[name]:
            together[arrow.object].append(arrow)
        todo += [(branch, end, some) for end, some in reversed(together.items())]


def _line(shape: Shape, arrows: Iterable[Arrow], *, again: bool) -> Text:
    roles = ", ".join(arrow.label.replace("\n", ", ") or arrow.kind for arrow in arrows)
    alike = roles in (shape.title, "")
    text = Text.assemble(
        f"{_SIGN.get(shape.fold.kind, '⋯')} ",
        (shape.title, "bold red" if shape.marks else "bold"),
        (f"  {', '.join(filter(None, (shape.file, *shape.lines)))}", ""),
        ("" if alike else f"  [{roles}]", "cyan"),
        ("  (shown above)" if again else "", "bright_black"),
    )
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
