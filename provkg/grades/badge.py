"""A badge: the letters of a product as a small SVG, readable without colour."""

from jinja2 import Environment

from provkg.grades.grades import SCALES, Grades

_COLOURS = {"A": "#1b7a3d", "B": "#4f7a1b", "C": "#7a6a12", "D": "#8f5210", "E": "#93381a", "F": "#8c1d2b"}
_CHARACTER = 6.6  # pixels of 11px Verdana, on average
_TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{{ width }}" height="20" role="img" aria-label="{{ label }}">
<title>{{ label }}</title>
<rect width="{{ width }}" height="20" rx="3" fill="#444"/>
{% for part in parts %}\
<rect x="{{ part.at }}" width="20" height="20" fill="{{ part.colour }}"/>
<text x="{{ part.text_at }}" y="14" fill="#fff">{{ part.scale }}</text>
<text x="{{ part.at + 10 }}" y="14" fill="#fff" text-anchor="middle" font-weight="bold">{{ part.letter }}</text>
{% endfor %}\
<style>text { font: 11px Verdana, "DejaVu Sans", sans-serif }</style>
</svg>
"""


def badge(found: Grades) -> str:
    """Return the badge of a product as SVG."""
    parts, at = [], 0
    for scale in SCALES:
        letter = found.letter(scale)
        width = round(len(scale) * _CHARACTER) + 10
        facts = {"scale": scale, "letter": letter, "text_at": at + 6, "at": at + width, "colour": _COLOURS[letter]}
        parts.append(facts)
        at += width + 20
    label = ", ".join(f"{scale} {found.letter(scale)}" for scale in SCALES)
    return Environment(autoescape=True).from_string(_TEMPLATE).render(parts=parts, width=at, label=label)
