"""Pages: jinja2 templates, in which all that comes from data is escaped; no script is needed to read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from provkg.identity import harmless
from provkg.server.messages import Asked, Reply, html
from provkg.store import is_iri

if TYPE_CHECKING:
    from jinja2 import Environment

    from provkg.questions import Answer
    from provkg.server.site import Site

SHOWN = 500  # rows of a table on a page


class Cell(NamedTuple):
    """What stands in a table: text, and where it leads to."""

    text: str
    href: str = ""


class Table(NamedTuple):
    """A table: what it shows, the names of its columns, its rows, and what is left out of it."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    left_out: str = ""


@cache
def environment() -> Environment:
    """Return jinja2 with the templates of the pages."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - slow to import

    loader = PackageLoader("provkg.server", "templates")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)


def rendered(site: Site, asked: Asked, template: str, *, status: int = 200, **values: Any) -> Reply:
    """Return a page.

    Args:
        site: what is served.
        asked: what was asked.
        template: the name of the template, without its suffix.
        status: of the reply.
        values: what the template shows.
    """
    text = (
        environment()
        .get_template(f"{template}.html")
        .render(
            root=_path_of(asked.root), store=site.kg.store.name, base=site.kg.store.base(), path=asked.path, **values
        )
    )
    return html(status, text, {"Vary": "Accept"})


def _path_of(root: str) -> str:
    """Return the path of an address: links of pages are the same at every address of the server."""
    return "/".join(root.split("/")[3:]).join(("/", "")).rstrip("/")


def page_of_error(site: Site, asked: Asked, reply: Reply) -> Reply:
    """Return an error as a page; names that can be meant lead to their pages."""
    facts = json.loads(reply.body)
    found = [each.partition(" ") for each in facts.get("candidates", ())]
    rows = [[link(site, iri, iri), Cell(harmless(rest.strip()))] for iri, _, rest in found]
    table = Table(f"{len(rows)} things can be meant", ("entity", ""), rows)
    page = rendered(
        site,
        asked,
        "error",
        status=reply.status,
        title=facts["error"],
        hint=facts.get("hint", ""),
        table=table if rows else None,
    )
    return Reply(page.status, page.body, page.media, {**page.headers, **reply.headers})


def link(site: Site, iri: str, text: str = "") -> Cell:
    """Return a cell that leads to the page of an IRI."""
    from provkg.server.linked import page_path  # noqa: PLC0415

    base = site.kg.store.base()
    return Cell(harmless(text or iri.removeprefix(base)), page_path(site, iri) if is_iri(iri) else "")


def url(path: str, **values: str) -> str:
    """Return a path with a query; what is empty is left out."""
    told = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{told}" if told else path


_SHOWN_AS = {"entity": "location", "activity": "activityName"}  # what people read, and follow to the thing


def table_of(site: Site, answer: Answer, *, most: int = SHOWN) -> Table:
    """Return an answer as a table; what names a thing leads to its page.

    Args:
        site: what is served.
        answer: the answer.
        most: how many rows to show.
    """
    names = [name for name in answer.columns if _SHOWN_AS.get(name) not in answer.columns]
    rows = [[_cell(site, row, name) for name in names] for row in answer[:most]]
    left_out = [answer.cut] if answer.cut else []
    left_out += [f"the first {most:,} of {len(answer):,} rows"] if len(answer) > most else []
    heads = [f"{name} [{answer.columns[name].unit}]" if answer.columns[name].unit else name for name in names]
    return Table(f"{len(answer):,} rows", heads, rows, "; ".join(left_out))


def _cell(site: Site, row: Mapping[str, Any], name: str) -> Cell:
    value = row[name]
    if value is None:
        return Cell("")
    text = str(value)
    thing = next((row[each] for each, shown in _SHOWN_AS.items() if shown == name and row.get(each)), None)
    if thing is not None:
        return link(site, str(thing), text)
    if text.startswith(("http://", "https://", "urn:")) and is_iri(text):
        return link(site, text)
    return Cell(harmless(text))
