"""Find things: the first page, the search, the nights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from pyoxigraph import Literal

from provkg.errors import NotFound
from provkg.identity import printable
from provkg.lineage import find
from provkg.questions.choices import choices
from provkg.server.failing import failed
from provkg.server.linked import page_path
from provkg.server.messages import Asked, Reply
from provkg.server.pages import Cell, Table, link, rendered
from provkg.store import text_of
from provkg.vocab import PKG

if TYPE_CHECKING:
    from provkg.server.site import Site

_MOST = 100
_NIGHTS = "SELECT DISTINCT ?night ?run WHERE { ?s <%s> ?night OPTIONAL { ?s <%s> ?run } }" % (  # noqa: UP031
    PKG.observationDate,
    PKG.run,
)
_INSIDE = """SELECT DISTINCT ?thing ?text WHERE {{ VALUES ?wanted {{ {wanted} }}
?thing <{name}> ?text FILTER(CONTAINS(LCASE(?text), ?wanted)) }} ORDER BY ?text LIMIT {most}"""


def home(site: Site, asked: Asked) -> Reply:
    """Answer with the first page."""
    if not site.kg.store.exists():
        return rendered(site, asked, "empty", title="Nothing is here yet")
    known = runs_of_nights(site)
    return rendered(site, asked, "home", title="Provenance", nights=list(known)[:30], more=len(known) - 30)


def runs_of_nights(site: Site) -> dict[str, list[str]]:
    """Return the runs of each night, the newest night first."""
    found: dict[str, set[str]] = {}
    for row in site.graph().select(_NIGHTS):
        if night := text_of(row["night"]):
            found.setdefault(night, set()).update([text_of(row["run"])] if row["run"] else [])
    return {night: sorted(found[night]) for night in sorted(found, reverse=True)}


def nights(site: Site, asked: Asked) -> Reply:
    """Answer with all nights and their runs."""
    rows = [
        (Cell(night, f"/night/{night}"), [Cell(run, f"/run/{quote(run, safe='')}") for run in runs])
        for night, runs in runs_of_nights(site).items()
    ]
    return rendered(site, asked, "nights", title="Nights", rows=rows)


def search(site: Site, asked: Asked) -> Reply:
    """Answer with what a text can mean: a run, a night, a path, a name, a digest, an IRI, or a part of a name."""
    text = asked.one("q").strip()
    if not text:
        return rendered(site, asked, "search", title="Search", text="", table=None)
    place = _number(site, text)
    if place:
        return Reply(303, headers={"Location": asked.root + place})
    found = find(site.graph(), text, site=site.kg.config.site)
    if len(found) == 1:
        return Reply(303, headers={"Location": asked.root + page_path(site, found[0].iri)})
    rows = [
        [link(site, each.iri, each.location or each.iri), Cell(each.made_by), Cell(each.started)]
        for each in found[:_MOST]
    ]
    caption = f"{len(found):,} products answer to {text}"
    if not rows:
        rows = _inside(site, text)
        caption = f"names that contain {text}"
    left_out = f"the first {_MOST}" if max(len(found), len(rows)) >= _MOST else ""
    table = Table(caption, ("product", "made by", "at"), rows, left_out)
    return rendered(site, asked, "search", title=f"Search: {text}", text=text, table=table)


def _number(site: Site, text: str) -> str:
    """Return where a run or a night of this number is, or nothing."""
    bare = re.sub(r"^(run|night)\s*", "", text, flags=re.IGNORECASE).replace("-", "")
    if not bare.isascii() or not bare.isdigit():
        return ""
    graph = site.graph()
    if bare in choices(graph, site.questions["night-overview"].parameters["night"]):
        return f"/night/{bare}"
    known = {each.lstrip("0"): each for each in choices(graph, site.questions["run-agents"].parameters["run"])}
    run = known.get(bare.lstrip("0"))
    return f"/run/{quote(run, safe='')}" if run else ""


def _inside(site: Site, text: str) -> list[list[Cell]]:
    """Return the files whose name contains a text."""
    wanted = str(Literal(printable(text.lower())))
    query = _INSIDE.format(wanted=wanted, name=PKG.fileName, most=_MOST)
    return [
        [link(site, text_of(row["thing"]), text_of(row["text"])), Cell(""), Cell("")]
        for row in site.graph().select(query)
    ]


def product(site: Site, asked: Asked) -> Reply:
    """Send who names a product in any way to its page."""
    name = asked.one("name") or asked.one("product")
    if not name:
        return failed(400, "no product is named", "/product?name=PATH")
    found = find(site.graph(), name, site=site.kg.config.site)
    if not found:
        raise NotFound(f"nothing in the store answers to {name!r}", hint="a path, a file name, an IRI or a digest")
    if len(found) > 1:
        return failed(300, f"{name!r} can mean {len(found)} products", candidates=[str(each) for each in found])
    return Reply(303, headers={"Location": asked.root + page_path(site, found[0].iri)})
