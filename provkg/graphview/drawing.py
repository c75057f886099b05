"""Draw a roll-up in any format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial

from rich.console import Console

from provkg.errors import InputError
from provkg.graphview.data import data
from provkg.graphview.dot import DRAWN, dot, drawn, smallest
from provkg.graphview.mermaid import mermaid
from provkg.graphview.outline import outline
from provkg.graphview.picture import PAPER, SCREEN, TEXT, Links, Picture, caption, picture_of
from provkg.rollup import Rollup, Rules

FORMATS = (*DRAWN, "dot", "mermaid", "text", "json")
SUFFIXES = {**{each: each for each in FORMATS}, "mmd": "mermaid", "gv": "dot", "txt": "text"}
_TEXT_WIDTH, _INDENT = 240, 4
_READABLE = 6  # points


def _readable(pictured: Callable[..., Picture]) -> Picture:
    """Return a picture whose letters can be read on a page: with names as long as that allows."""
    for width in PAPER[:-1]:
        picture = pictured(width=width)
        if smallest(picture) >= _READABLE:
            return picture
    return pictured(width=PAPER[-1])


def draw(rollup: Rollup, form: str, *, title: str, rules: Rules, links: Links | None = None) -> bytes:
    """Draw a roll-up; the same one gives the same bytes.

    Args:
        rollup: what to draw.
        form: one of :data:`FORMATS`.
        title: what it is of.
        rules: how many files of one type are called together.
        links: where shapes lead to; to their IRIs and files by default.

    Raises:
        InputError: there is no such format.
        MissingExtra: graphviz is not installed.
    """
    if form not in FORMATS:
        raise InputError(f"there is no picture as {form}", hint=f"one of {', '.join(FORMATS)}")
    if form == "json":
        return (json.dumps(data(rollup, title, caption(rollup)), ensure_ascii=False, indent=1) + "\n").encode()
    pictured = partial(picture_of, rollup, title, rules, links or Links())
    picture = _readable(pictured) if form == "pdf" else pictured(width=TEXT if form == "text" else SCREEN)
    if form in DRAWN:
        return drawn(picture, form)
    if form == "text":
        wide = _TEXT_WIDTH + _INDENT * len(picture.shapes)  # as deep as it may be, no name is cut
        console = Console(file=io.StringIO(), width=wide, force_terminal=False, color_system=None)
        console.print(outline(picture))
        assert isinstance(console.file, io.StringIO)
        return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines()).encode()
    return (dot(picture) if form == "dot" else mermaid(picture)).encode()
