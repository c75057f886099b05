"""The graph: a page with the picture, whose shapes open at a click, or the picture as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from provkg.errors import InputError, MissingExtra
from provkg.graphview import Links, draw
from provkg.questions.negotiation import best
from provkg.rollup import DIRECTIONS, GRAINS, NODES, Fold, opened
from provkg.server.failing import failed
from provkg.server.messages import Asked, Reply
from provkg.server.pages import rendered

if TYPE_CHECKING:
    from provkg.rollup import Rollup
    from provkg.server.site import Site

_PICTURES = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf", "json": "application/json"}
_PICTURES |= {"dot": "text/vnd.graphviz", "mermaid": "text/plain; charset=utf-8", "text": "text/plain; charset=utf-8"}
_MOST_NODES = 400


@dataclass(frozen=True)
class Shown:
    """What a picture is of: the parameters of its address.

    Args:
        of: product, run or night, with its name.
        grain: subrun, run or night.
        direction: up, down or both.
        nodes: the most shapes, before any is opened.
        depth: how many steps; all where empty.
        open: the folds that are opened, in order.
    """

    of: tuple[str, str]
    grain: str = "subrun"
    direction: str = "up"
    nodes: int = NODES
    depth: int | None = None
    open: tuple[str, ...] = ()

    def address(self, **other: Any) -> str:
        """Return the address of this picture, or of one that is a bit different."""
        facts: dict[str, Any] = {self.of[0]: self.of[1], "grain": self.grain, "direction": self.direction}
        facts |= {"nodes": self.nodes, "depth": self.depth or "", "open": list(self.open), **other}
        pairs = [
            (key, each) for key, value in facts.items() for each in (value if isinstance(value, list) else [value])
        ]
        return "/graph?" + urlencode([(key, str(value)) for key, value in pairs if value != ""])


@dataclass(frozen=True)
class PageLinks(Links):
    """Shapes that are several open, the others lead to their pages."""

    root: str = ""
    shown: Shown = Shown(("product", ""))

    def of(self, fold: Fold) -> str:
        """Return where a shape leads to."""
        if fold.count > 1:
            return self.root + self.shown.address(open=[*self.shown.open, fold.iri])
        return f"{self.root}/resource?iri={quote(fold.iri, safe='')}"


def picture(site: Site, asked: Asked) -> Reply:
    """Answer with a graph, as a page or as a file."""
    shown = _shown(asked)
    if shown is None:
        return rendered(site, asked, "graph_form", title="Graph")
    form = asked.one("format") or best(asked.accept, {"text/html": "html", "image/svg+xml": "svg", "image/png": "png"})
    if form not in ("html", *_PICTURES):
        return failed(406, f"there is no picture as {form}", f"format is one of {', '.join(_PICTURES)}")
    rollup = _rolled(site, shown)
    root = asked.root if form != "html" else "/".join(["", *asked.root.split("/")[3:]]).rstrip("/")
    links = PageLinks(page="{iri}", file="", root=root, shown=shown)
    title = " ".join(shown.of).removeprefix("product ")
    drawn: bytes | None
    try:
        drawn = draw(rollup, "svg" if form == "html" else form, title=title, rules=site.kg.rules(), links=links)
    except MissingExtra:
        if form != "html":
            raise
        drawn = None
    if form != "html":
        return Reply(200, drawn or b"", _PICTURES[form], {"Vary": "Accept"})
    text = "" if drawn is None else drawn.decode().partition("?>")[2]
    outline = draw(rollup, "text", title=title, rules=site.kg.rules(), links=links).decode()
    return rendered(
        site,
        asked,
        "graph",
        title=f"Graph: {title}",
        svg=text,
        outline=outline,
        shown=shown,
        grains=GRAINS,
        directions=DIRECTIONS,
        files=[(each, shown.address(format=each)) for each in _PICTURES],
        folds=[(fold.iri, fold.type or fold.kind, fold.count) for fold in rollup.folds.values() if fold.count > 1],
    )


def _rolled(site: Site, shown: Shown) -> Rollup:
    scope = {shown.of[0]: shown.of[1], "direction": shown.direction, "depth": shown.depth}
    rollup = site.kg.rollup(grain=shown.grain, nodes=shown.nodes, **scope)
    return opened(rollup, shown.open)


def _shown(asked: Asked) -> Shown | None:
    """Return what a picture is asked of; None where nothing is named.

    Raises:
        InputError: a value is wrong.
    """
    of = next(((kind, asked.one(kind)) for kind in ("product", "run", "night") if asked.one(kind)), None)
    if of is None:
        return None
    grain, direction = asked.one("grain", "subrun"), asked.one("direction", "up")
    if grain not in GRAINS or direction not in DIRECTIONS:
        raise InputError("there is no such grain or direction", hint=f"{', '.join(GRAINS)}; {', '.join(DIRECTIONS)}")
    nodes = _number(asked, "nodes", NODES)
    depth = _number(asked, "depth", 0) or None
    return Shown(of, grain, direction, min(nodes, _MOST_NODES), depth, tuple(asked.all("open")[:20]))


def _number(asked: Asked, name: str, default: int) -> int:
    text = asked.one(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError(f"{name}: {text!r} is no number")
    return int(text)
