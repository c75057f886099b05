"""Draw a picture with graphviz: in PROV's shapes, quiet, and the same bytes each time.

Shapes and colours: https://www.w3.org/2011/prov/wiki/Diagrams.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from xml.etree import ElementTree

import graphviz

from provkg.errors import MissingExtra, ProvkgError
from provkg.graphview.picture import Arrow, Picture, Shape
from provkg.rollup import ACTIVITY, AGENT, ENTITY

DRAWN = ("svg", "pdf", "png")
_FONT = "Helvetica,Arial,sans-serif"
_INK, _GREY, _ALARM = "#1f2328", "#59636e", "#a40e26"
_LOOK = {
    ENTITY: {"shape": "ellipse", "fillcolor": "#fffbe0", "color": "#8a7a1f", "margin": "0.02,0.02"},
    ACTIVITY: {"shape": "box", "fillcolor": "#e3e8fb", "color": "#4a5a9e", "margin": "0.10,0.05"},
    AGENT: {"shape": "house", "fillcolor": "#fdebd3", "color": "#9a6324", "margin": "0.05,0.02"},
}
_MIXED = {"shape": "octagon", "fillcolor": "#eef1f4", "color": "#59636e", "margin": "0.05,0.03"}
_LINE = {
    "used": {"style": "solid", "arrowhead": "vee"},
    "wasGeneratedBy": {"style": "solid", "arrowhead": "normal"},
    "wasDerivedFrom": {"style": "dashed", "arrowhead": "normal"},
    "hadMember": {"style": "solid", "arrowhead": "odiamond"},
    "wasInformedBy": {"style": "dashed", "arrowhead": "vee"},
}
_OTHER = {"style": "dotted", "arrowhead": "vee"}
_MANY_ARROWS = 250  # more of them take minutes to bend
_A4 = "11.2,7.8"  # inches, landscape, inside the margin
_SCREEN = {"title": "11", "line": "9", "role": "8", "ranksep": "0.28", "label": "label"}
_PAPER = {"title": "15", "line": "14", "role": "14", "ranksep": "0.14", "label": "xlabel"}  # roles where there is room
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


def dot(picture: Picture, *, paper: bool = False) -> str:
    """Return a picture in graphviz's language.

    Args:
        picture: what to draw.
        paper: whether it must fit a landscape A4.
    """
    graph = graphviz.Digraph("provenance")
    straight = len(picture.arrows) > _MANY_ARROWS
    size = _PAPER if paper else _SCREEN
    graph.attr(
        rankdir="BT",  # arrows point back in time, so what was first is at the top
        ranksep=size["ranksep"],
        nodesep="0.06" if paper else "0.14",
        outputorder="edgesfirst",
        splines="line" if straight else "true",
        fontname=_FONT,
        fontsize="9",
        fontcolor=_GREY,
        labelloc="b",
        label=graphviz.escape(f"{picture.title}: {picture.caption}"),
        forcelabels="false",
        **({"size": _A4, "margin": "0.2"} if paper else {}),
    )
    graph.attr(
        "node", fontname=_FONT, fontsize=size["title"], fontcolor=_INK, style="filled", penwidth="0.9", height="0.3"
    )
    graph.attr(
        "edge", fontname=_FONT, fontsize=size["role"], fontcolor=_GREY, color="#6e7781", arrowsize="0.6", penwidth="0.8"
    )
    for shape in picture.shapes:
        graph.node(shape.id, label=_label(shape, size["line"]), **_look(shape))
    for arrow in picture.arrows:
        graph.edge(arrow.subject, arrow.object, **_line(arrow, "" if straight else size["label"]))
    return str(graph.source)


def _look(shape: Shape) -> dict[str, str]:
    look = dict(_LOOK.get(shape.fold.kind, _MIXED))
    if shape.fold.count > 1:
        look["peripheries"] = "2"
    if shape.marks:
        look |= {"color": _ALARM, "style": "filled,dashed", "penwidth": "1.6"}
    look["tooltip"] = graphviz.escape(shape.tooltip)
    if shape.link:
        look |= {"URL": graphviz.escape(shape.link), "target": "_top"}
    return look


def _label(shape: Shape, points: str) -> str:
    """Return the words of a shape, as graphviz reads HTML."""
    rows = [f"<B>{escape(shape.title)}</B>"]
    font = f'<FONT POINT-SIZE="{points}" COLOR="{_INK}">'
    rows += [f"{font}{escape(line)}</FONT>" for line in shape.lines]
    cells = [f"<TR><TD>{row}</TD></TR>" for row in rows]
    if shape.file:
        href = (
            f' HREF="{escape(graphviz.escape(shape.file_link))}" TITLE="{escape(shape.file)}"'
            if shape.file_link
            else ""
        )
        cells.append(f"<TR><TD{href}>{font}{escape(shape.file)}</FONT></TD></TR>")
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{"".join(cells)}</TABLE>>'


def _line(arrow: Arrow, label: str) -> dict[str, str]:
    look = dict(_LINE.get(arrow.kind, _OTHER))
    if label and arrow.label:
        look[label] = graphviz.escape(arrow.label)
    look["tooltip"] = look["labeltooltip"] = graphviz.escape(arrow.tooltip)
    return look


def drawn(picture: Picture, form: str) -> bytes:
    """Draw a picture.

    Args:
        picture: what to draw.
        form: ``svg``, ``pdf`` or ``png``.

    Raises:
        MissingExtra: graphviz is not installed.
    """
    if form == "svg":
        return _finished(_run(dot(_linked(picture)), form), picture)
    data = _run(dot(picture, paper=form == "pdf"), form)
    return _undated(data) if form == "pdf" else data


def _linked(picture: Picture) -> Picture:
    """Return a picture whose links are escaped as XML has it: graphviz writes them into SVG as they are."""
    shapes = (
        replace(each, link=each.link.replace("&", "&amp;"), file_link=each.file_link.replace("&", "&amp;"))
        for each in picture.shapes
    )
    return replace(picture, shapes=tuple(shapes))


def smallest(picture: Picture) -> float:
    """Return how large the smallest letters of a picture are on a landscape A4, in points.

    Raises:
        MissingExtra: graphviz is not installed.
    """
    natural = _run(dot(picture, paper=True).replace(f'size="{_A4}"', ""), "plain")
    wide, high = map(float, natural.split(b"\n")[0].split()[2:4])
    width, height = map(float, _A4.split(","))
    return min(1, width / wide, height / high) * min(float(_PAPER[name]) for name in ("title", "line", "role"))


def _run(text: str, form: str) -> bytes:
    """Let graphviz draw; what it only remarks on is not shown."""
    try:
        return bytes(graphviz.Source(text).pipe(format=form, quiet=True))
    except graphviz.ExecutableNotFound:
        raise MissingExtra(
            "a picture needs graphviz", hint="apt-get install graphviz, or take --format mermaid, text, dot or json"
        ) from None
    except graphviz.CalledProcessError as error:
        raise ProvkgError(f"graphviz failed: {str(error).splitlines()[0]}") from None


def _undated(data: bytes) -> bytes:
    """Take the time of day out of a PDF; its length stays, so that its table of contents holds."""
    return re.sub(rb"/CreationDate \(D:\d{14}", b"/CreationDate (D:" + b"19700101000000", data)


def _finished(data: bytes, picture: Picture) -> bytes:
    """Say what is what to those who point, tab and listen; put links beside each other, not inside."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(data)  # noqa: S314 - what graphviz just wrote
    root.set("role", "graphics-document")
    root.set("aria-label", f"{picture.title}: {picture.caption}")
    tips = {shape.id: shape.tooltip for shape in picture.shapes}
    tips |= {f"{arrow.subject}->{arrow.object}": arrow.tooltip for arrow in picture.arrows}
    for group in root.iter(f"{{{_SVG}}}g"):
        title = group.find(f"{{{_SVG}}}title")
        if group.get("class") == "graph" and title is not None:
            title.text = f"{picture.title}: {picture.caption}"
        if group.get("class") in ("node", "edge") and title is not None:
            title.text = tips.get(title.text or "", title.text)
            if group.get("class") == "node":
                group.set("role", "graphics-symbol")
            _untangle(group)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _untangle(group: ElementTree.Element) -> None:
    """Take a link that lies in another out of it; drop what only repeats the title."""
    for outer in list(group.iter(f"{{{_SVG}}}a")):
        outer.attrib.pop(f"{{{_XLINK}}}title", None)
        for inner in list(outer):
            if inner.find(f"{{{_SVG}}}a") is not None:
                outer.remove(inner)
                group.append(inner)
