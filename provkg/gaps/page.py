"""The matrix and the gaps as one page of HTML, readable without colour and without a network."""

from jinja2 import Environment

from provkg.gaps.gap import Gaps

_TEMPLATE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gaps of {{ roots }}</title>
<style>
:root { color-scheme: light dark }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
caption { text-align: left; font-weight: 600; padding: .3rem 0 }
th, td { border-bottom: 1px solid #8886; padding: .3rem .7rem; text-align: left; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
td.short { font-weight: 700 }
td.path { overflow-wrap: anywhere }
</style>
<h1>Gaps</h1>
<p>Compared: {{ roots }}.</p>
<table>
<caption>Percent of the files that are recorded and there, by night and level; \
ghosts are recorded and not there</caption>
<thead><tr><th scope="col">night</th>{% for level in levels %}<th scope="col">{{ level }}</th>{% endfor %}</tr></thead>
<tbody>
{% for night in nights %}<tr><th scope="row">{{ night }}</th>
{% for level in levels %}{% set cell = cells.get((night, level)) %}\
<td class="number{% if cell and cell.percent < 100 %} short{% endif %}">\
{% if cell %}{{ cell.percent }} %{% if cell.percent < 100 %} !{% endif %}<br>
<small>{{ cell.recorded }} of {{ cell.files + cell.ghosts }}\
{% if cell.ghosts %}, {{ cell.ghosts }} ghosts{% endif %}</small>{% else %}none{% endif %}</td>
{% endfor %}</tr>
{% endfor %}</tbody>
</table>
<table>
<caption>{{ gaps | length }} gaps, the most important first</caption>
<thead><tr>{% for name in names %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for gap in gaps %}<tr><th scope="row">{{ gap.kind }}</th><td>{{ gap.night }}</td><td>{{ gap.level }}</td>
<td class="path">{{ gap.what }}</td><td class="number">{{ gap.number }}</td><td class="number">{{ gap.behind }}</td>
<td class="path">{{ gap.advice }}</td></tr>
{% endfor %}</tbody>
</table>
{% if assumed or unread %}<h2>Assumed and left out</h2>
<ul>{% for about, count in assumed.items() %}<li>{{ count }} {{ about }}</li>{% endfor %}
{% for each in unread %}<li>{{ each }}</li>{% endfor %}</ul>{% endif %}
</html>
"""


def page(found: Gaps) -> str:
    """Return a page of HTML."""
    cells = {(each.night, each.level): each for each in found.matrix}
    return (
        Environment(autoescape=True)
        .from_string(_TEMPLATE)
        .render(
            roots=", ".join(found.roots),
            nights=sorted({each.night for each in found.matrix}),
            levels=sorted({each.level for each in found.matrix}),
            cells=cells,
            gaps=found.gaps,
            names=("kind", "night", "level", "what", "number", "behind", "what to do"),
            assumed=found.assumed,
            unread=found.unread,
        )
    )
