"""A picture as a Mermaid flowchart, which GitHub, GitLab and Jupyter draw themselves.

Source: https://mermaid.js.org/syntax/flowchart.html.
"""

from collections.abc import Iterator

from provkg.graphview.picture import Picture, Shape
from provkg.rollup import ACTIVITY, AGENT, ENTITY

_SHAPES = {ACTIVITY: ("[", "]"), ENTITY: ("([", "])"), AGENT: ("{{", "}}")}
_FOLDED = {ACTIVITY: ("[[", "]]"), ENTITY: ("[(", ")]")}
_ARROWS = {"wasDerivedFrom": "-.->", "wasInformedBy": "-.->", "wasAssociatedWith": "-.->", "hadMember": "--o"}
_STYLES = """  classDef activity fill:#e3e8fb,stroke:#4a5a9e,color:#1f2328
  classDef entity fill:#fffbe0,stroke:#8a7a1f,color:#1f2328
  classDef agent fill:#fdebd3,stroke:#9a6324,color:#1f2328
  classDef chain fill:#eef1f4,stroke:#59636e,color:#1f2328
  classDef marked stroke:#a40e26,stroke-width:2px,stroke-dasharray:4"""


def mermaid(picture: Picture) -> str:
    """Return a picture as a Mermaid flowchart."""
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    yield f"%% {picture.title}: {picture.caption}".replace("{", "(").replace("}", ")")
    yield "flowchart BT"
    for shape in picture.shapes:
        yield f"  {shape.id}{_shape(shape)}:::{'marked' if shape.marks else shape.fold.kind}"
    for arrow in picture.arrows:
        label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
        yield f"  {arrow.subject} {_ARROWS.get(arrow.kind, '-->')}{label} {arrow.object}"
    for shape in picture.shapes:
        if shape.link:
            yield f'  click {shape.id} href "{_link(shape.link)}" "{_escaped(shape.tooltip.splitlines()[0])}"'
    yield _STYLES


def _shape(shape: Shape) -> str:
    opened, closed = (_FOLDED if shape.fold.count > 1 else {}).get(shape.fold.kind) or _SHAPES.get(
        shape.fold.kind, ("[", "]")
    )
    text = "\n".join((shape.title, *shape.lines, *([shape.file] if shape.file else [])))
    return f'{opened}"{_escaped(text)}"{closed}'


def _escaped(text: str) -> str:
    """Write as character codes what Mermaid, Markdown or HTML could read.

    >>> _escaped('a "b" <c>')
    'a #34;b#34; #60;c#62;'
    """
    kept = "".join(each if each.isalnum() or each in " \n.,:/-=_…" else f"#{ord(each)};" for each in text)
    return kept.replace("\n", "<br>")


def _link(link: str) -> str:
    """Write a link so that nothing ends it early."""
    return link.replace('"', "%22").replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")
