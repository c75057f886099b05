"""Pictures of a history: a tree for a terminal, and the same tree as SVG.

Siblings that differ only in their number fold into one line with a count, so a run of a hundred sub-runs stays
readable; nothing is counted twice.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from rich.tree import Tree

from provkg.lineage import Step

MOST_LINES = 60
_NUMBER = re.compile(r"\d+")
_THEME = TerminalTheme(
    (255, 255, 255),
    (40, 40, 40),
    [(40, 40, 40), (176, 42, 42), (30, 110, 60), (140, 90, 0), (25, 85, 150), (120, 50, 130), (0, 110, 120), (90, 90, 90)],
)
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="lineage">
<style>.{unique_id}-matrix {{ font: 20px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre }} {styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<rect width="100%" height="100%" fill="#ffffff"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


@dataclass(frozen=True)
class _Branch:
    """Inputs of one step that read alike: one line, with a count."""

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
    root = Tree(Text(title, style="bold"), guide_style="bright_black")
    _grow(root, (product,), by_source, set(), [MOST_LINES], down=down)
    return root


def _grow(tree: Tree, sources: tuple[str, ...], by_source: dict[str, list[Step]], shown: set[str], budget: list[int], *, down: bool) -> None:
    fresh = [source for source in sources if source not in shown]
    shown.update(fresh)
    by_step: dict[str, list[Step]] = defaultdict(list)
    for source in fresh:
        for step in by_source.get(source, ()):
            by_step[step.activityName or f"({step.evidence})"].append(step)
    for label, steps in sorted(by_step.items()):
        if budget[0] <= 0:
            tree.add(Text("… more: ask for a table, or a smaller --depth", style="italic"))
            return
        budget[0] -= 1
        activities = {step.activity for step in steps if step.activity}
        times = f" ×{len(activities)}" if len(activities) > 1 else ""
        start = min((step.startedAt for step in steps if step.startedAt), default="")
        branch = tree.add(Text.assemble((label + times, "cyan"), (f"  {start}" if start else "", "bright_black")))
        for each in _folded(steps):
            budget[0] -= 1
            _grow(branch.add(_line(each)), each.entities, by_source, shown, budget, down=down)


def _folded(steps: list[Step]) -> list[_Branch]:
    groups: dict[tuple[str, str], dict[str, Step]] = defaultdict(dict)
    for step in steps:
        if step.evidence != "generated":
            groups[_NUMBER.sub("#", step.location or step.name or step.entity), step.evidence][step.entity] = step
    return [_Branch(next(iter(found.values())), len(found), tuple(found)) for found in groups.values()]


def _line(branch: _Branch) -> Text:
    step = branch.step
    name = _middle((step.location or step.name or step.entity).rpartition("/")[2] or step.entity)
    count = f"  and {branch.count - 1} more like it" if branch.count > 1 else ""
    kind = f"  {step.name}" if step.name and step.location else ""
    return Text.assemble((name, "bold"), (count, "yellow"), (kind, ""), (f"  [{step.evidence}]", "bright_black"))


def _middle(text: str, width: int = 64) -> str:
    """Shorten in the middle.

    >>> _middle("abcdefghij", 7)
    'abc…hij'
    """
    half = (width - 1) // 2
    return text if len(text) <= width else f"{text[:half]}…{text[-half:]}"


def svg(root: Tree, *, width: int = 110) -> str:
    """Return a tree as SVG: selectable text, no script, no font from elsewhere."""
    console = Console(record=True, width=width, file=_Nowhere(), force_terminal=True, color_system="truecolor")
    console.print(root)
    return console.export_svg(theme=_THEME, code_format=_SVG, title="", unique_id="lineage")


class _Nowhere:
    """A file that keeps nothing: rich records what it prints."""

    def write(self, text: str) -> int:
        """Take text."""
        return len(text)

    def flush(self) -> None:
        """Do nothing."""
