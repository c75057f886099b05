"""Pictures of a history: a tree for a terminal, and the same tree as SVG.

Siblings that differ only in their number fold into one line with a count, so a run of a hundred sub-runs stays
readable; nothing is counted twice.
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from rich.tree import Tree

from provkg.identity import harmless
from provkg.lineage import Step

MOST_LINES = 60
_SURE = ("byContent", "byIdentity", "byTime")
_NUMBER = re.compile(r"\d+")
_THEME = TerminalTheme(
    (255, 255, 255),
    (40, 40, 40),
    [
        (40, 40, 40),
        (176, 42, 42),
        (30, 110, 60),
        (140, 90, 0),
        (25, 85, 150),
        (120, 50, 130),
        (0, 110, 120),
        (90, 90, 90),
    ],
)
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="lineage">
<style>.{unique_id}-matrix {{ font: 20px ui-monospace, "DejaVu Sans Mono", Menlo, monospace; white-space: pre }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<rect width="100%" height="100%" fill="#ffffff"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


@dataclass(frozen=True)
class _Branch:
    """Entities that read alike: one line, with a count."""

    step: Step
    count: int
    entities: tuple[str, ...]


def tree(steps: list[Step], product: str, title: str, *, down: bool = False) -> Tree:
    """Return a history as a tree; what has been shown before is not gone into again.

    Args:
        steps: the steps of :func:`provkg.lineage.lineage`.
        product: the IRI the history is of.
        title: what to call it.
        down: whether the steps go down.
    """
    by_source: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        by_source[step.of].append(step)
    arrow = "→" if down else "←"
    shown: set[str] = set()
    root = Tree(
        _whole(Text(harmless(title), style="bold"), _makers([product], by_source, arrow)), guide_style="bright_black"
    )
    _grow(root, (product,), by_source, shown, [MOST_LINES], arrow)
    return root


def _grow(
    tree: Tree,
    sources: tuple[str, ...],
    by_source: dict[str, list[Step]],
    shown: set[str],
    budget: list[int],
    arrow: str,
) -> None:
    fresh = [source for source in sources if source not in shown]
    shown.update(fresh)
    for branch in _folded([step for source in fresh for step in by_source.get(source, ())]):
        if budget[0] <= 0:
            tree.add(Text("… more: ask for a table, or a smaller --depth", style="italic"))
            return
        budget[0] -= 1
        known = all(entity in shown for entity in branch.entities)
        makers = Text("") if known else _makers(branch.entities, by_source, arrow)
        below = tree.add(
            _whole(
                _line(branch),
                makers,
                Text("  (shown above)", style="bright_black") if known and _has(branch, by_source) else Text(""),
            )
        )
        _grow(below, branch.entities, by_source, shown, budget, arrow)


def _has(branch: _Branch, by_source: dict[str, list[Step]]) -> bool:
    return any(by_source.get(entity) for entity in branch.entities)


def _folded(steps: list[Step]) -> list[_Branch]:
    groups: dict[tuple[str, str], dict[str, Step]] = defaultdict(dict)
    for step in steps:
        if step.evidence != "generated":
            groups[_NUMBER.sub("#", step.location or step.name or step.entity), step.evidence][step.entity] = step
    return [_Branch(next(iter(found.values())), len(found), tuple(found)) for found in groups.values()]


def _makers(entities: Iterable[str], by_source: dict[str, list[Step]], arrow: str) -> Text:
    """Name the steps between entities and what the tree goes into next."""
    activities: dict[str, set[str]] = defaultdict(set)
    for entity in entities:
        for step in by_source.get(entity, ()):
            if step.activity:
                activities[step.activityName or "?"].add(step.activity)
    names = [f"{name} ×{len(found)}" if len(found) > 1 else name for name, found in sorted(activities.items())]
    return Text(f"  {arrow} {harmless(', '.join(names))}" if names else "", style="cyan")


def _line(branch: _Branch) -> Text:
    step = branch.step
    name = middle((step.location or step.name or step.entity).rpartition("/")[2] or step.entity)
    count = f" and {branch.count - 1} more like it" if branch.count > 1 else ""
    doubt = "" if step.evidence in _SURE else f" [{step.evidence}]"
    return Text.assemble((harmless(name), "bold"), (count, "yellow"), (doubt, "bright_black"))


def _whole(*parts: Text) -> Text:
    text = Text.assemble(*parts)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def middle(text: str, width: int = 64) -> str:
    """Shorten in the middle.

    >>> middle("abcdefghij", 7)
    'abc…hij'
    """
    half = (width - 1) // 2
    return text if len(text) <= width else f"{text[:half]}…{text[-half:]}"


def svg(root: Tree, *, width: int = 110) -> str:
    """Return a tree as SVG: selectable text, no script, no font from elsewhere."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(root)
    return console.export_svg(theme=_THEME, code_format=_SVG, title="", unique_id="lineage")
