"""The page of a thing: of a product, an activity, or whatever else has an IRI."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from provkg.knowledge.cards import card_of
from provkg.lineage import Candidate, lineage
from provkg.lineage.telling import describe_entity
from provkg.server.messages import Asked, Reply
from provkg.server.pages import SHOWN, Cell, Table, link, rendered, table_of, url
from provkg.server.statements import mentions, statements
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL

if TYPE_CHECKING:
    from provkg.lineage import Step
    from provkg.server.site import Site

_NEAR = 200  # products one step away


def page(site: Site, asked: Asked, iri: str) -> Reply:
    """Answer with the page of an IRI."""
    graph = site.graph()
    kinds = set(graph.objects(iri, RDF_TYPE))
    if PKG.File in kinds:
        return _place(site, asked, iri)
    if PROV.Entity in kinds and PROV.Bundle not in kinds:
        return _product(site, asked, iri)
    if PROV.Activity in kinds:
        return _activity(site, asked, iri)
    return _anything(site, asked, iri)


def _anything(site: Site, asked: Asked, iri: str) -> Reply:
    label = next(iter(site.graph().objects(iri, RDFS_LABEL)), "")
    title = label or iri.removeprefix(site.kg.store.base())
    return _thing(site, asked, iri, title=title, tables=[statements(site, iri), mentions(site, iri)])


def _thing(site: Site, asked: Asked, iri: str, **values: Any) -> Reply:
    """Return a page with what every page of a thing has."""
    from provkg.server.linked import FORMATS, data_path  # noqa: PLC0415

    formats = [(suffix, media, data_path(site, iri, suffix)) for suffix, media in FORMATS.items()]
    told = {"tabs": [], "view": "", "card": [], "tables": [], "texts": [], "graph": "", "kind": "", "note": ""}
    return rendered(site, asked, "thing", **{**told, "iri": iri, "formats": formats, **values})


def _place(site: Site, asked: Asked, iri: str) -> Reply:
    """A path: what lay there."""
    graph = site.graph()
    found = []
    for version in graph.subjects(PROV.specializationOf, iri):
        makers = graph.objects(version, PROV.wasGeneratedBy)
        started = graph.objects(makers[0], PROV.startedAtTime) if makers else []
        label = graph.objects(makers[0], RDFS_LABEL) if makers else []
        told = label[0] if label else "nothing recorded making it" if not makers else ""
        found.append([link(site, version), Cell(told), Cell(started[0] if started else "")])
    found.sort(key=lambda row: row[2].text)
    title = next(iter(graph.objects(iri, PKG.location)), iri)
    table = Table(f"{len(found):,} versions lay at this path", ("version", "made by", "at"), found[:SHOWN])
    return _thing(site, asked, iri, title=title, kind="path", tables=[table, statements(site, iri)])


# A product


def _product(site: Site, asked: Asked, iri: str) -> Reply:
    view = asked.one("view", "overview")
    tabs = [(name, name.replace("-", " ")) for name in VIEWS]
    if view not in VIEWS:
        view = "overview"
    told = describe_entity(site.graph(), iri)
    title = told.location.rpartition("/")[2] or told.name or iri.removeprefix(site.kg.store.base())
    values = VIEWS[view](site, iri)
    kind = ", ".join(filter(None, (told.name or "product", told.level)))
    return _thing(site, asked, iri, title=title, kind=kind, tabs=tabs, view=view, **values)


def _overview(site: Site, iri: str) -> dict[str, Any]:
    graph = site.graph()
    card = card_of(graph, Candidate(iri, describe_entity(graph, iri).location))
    sections: dict[str, list[tuple[str, Cell]]] = defaultdict(list)
    for section, about, told in card.facts:
        fact, value = (told, about) if section == "recorded in" else (about, told)  # a line, then its file
        href = {"run": f"/run/{value}", "night": f"/night/{value}"}.get(fact, "") if section == "made by" else ""
        sections[section or "product"].append(
            (fact, link(site, value) if value.startswith("http") else Cell(value, href))
        )
    near = [
        _near(site, "Made from", lineage(graph, iri, depth=1), "nothing is recorded that it was made from"),
        _near(site, "Used for", lineage(graph, iri, down=True, depth=1), "nothing is recorded that was made from it"),
    ]
    return {
        "card": list(sections.items()),
        "tables": near,
        "graph": url("/graph", product=iri, direction="up"),
    }


def _near(site: Site, caption: str, steps: Iterable[Step], nothing: str) -> Table:
    """Return the products one step away."""
    found = [step for step in steps if step.evidence != "generated"]
    told = _steps(site, f"{caption}: {len(found):,}" if found else f"{caption}: {nothing}", found, _NEAR)
    return told._replace(columns=told.columns[1:], rows=[row[1:] for row in told.rows])


def _steps(site: Site, caption: str, steps: Sequence[Step], most: int) -> Table:
    """Return steps of a history as a table."""
    rows = [
        [
            Cell(str(step.depth)),
            link(site, step.entity, step.location or step.name or ""),
            Cell(step.name or ""),
            link(site, step.activity, step.activityName or "") if step.activity else Cell(""),
            Cell(step.startedAt or ""),
            Cell(step.evidence),
        ]
        for step in steps[:most]
    ]
    left_out = f"the first {most:,} of {len(steps):,}" if len(steps) > most else ""
    return Table(caption, ("depth", "product", "kind", "step", "at", "evidence"), rows, left_out)


def _history(*, down: bool) -> Callable[[Site, str], dict[str, Any]]:
    """Return a view that is a history."""

    def told(site: Site, iri: str) -> dict[str, Any]:
        steps = lineage(site.graph(), iri, down=down)
        caption = f"{len(steps):,} steps {'that used it, and what came of them' if down else 'that led to it'}"
        graph = url("/graph", product=iri, direction="down" if down else "up")
        return {"tables": [_steps(site, caption, steps, SHOWN)], "graph": graph}

    return told


def _asked(*names: str) -> Callable[[Site, str], dict[str, Any]]:
    """Return a view that is the answers to some questions."""

    def told(site: Site, iri: str) -> dict[str, Any]:
        tables = []
        for name in names:
            question = site.questions[name]
            answer = site.kg.ask_of(question, {"product": iri}, limit=question.rows)
            found = table_of(site, answer)
            tables.append(found._replace(caption=f"{question.summary} {found.caption}"))
        return {"tables": tables}

    return told


def _grade(site: Site, iri: str) -> dict[str, Any]:
    from provkg.grades import SCALES, judged  # noqa: PLC0415 - slow to import

    found = site.kg.grade(iri)
    columns = ("scale", "grade", "criterion", "met", "all", "what would help")
    rows = [[Cell("" if value is None else str(value)) for value in row] for row in judged(found)]
    letters = [("", [(scale, Cell(found.letter(scale))) for scale in SCALES])]
    return {"card": letters, "tables": [Table("The criteria", columns, rows)]}


def _recipe(site: Site, iri: str) -> dict[str, Any]:
    from provkg.recipes import blockers, files_of  # noqa: PLC0415 - slow to import

    plan = site.kg.recipe(iri)
    text = next(iter(files_of(plan, "sh").values()))
    found = list(blockers(plan))
    names = found[0]._fields if found else ("kind",)
    rows = [[Cell(str(value)) for value in each] for each in found[:SHOWN]]
    more = f"the first {SHOWN:,}" if len(found) > SHOWN else ""
    caption = f"What is in the way: {len(found):,}" if found else "Nothing is in the way that records can tell"
    return {"texts": [("How to make it again, as a shell script", text)], "tables": [Table(caption, names, rows, more)]}


def _cite(site: Site, iri: str) -> dict[str, Any]:
    found = site.kg.citations(iri)
    note = f"No citation is known of {', '.join(found.unknown)}." if found.unknown else ""
    return {
        "texts": [("How it was made", site.kg.explain(iri).text()), ("What to cite, as BibTeX", found.bibtex())],
        "note": note,
    }


def _said(site: Site, iri: str) -> dict[str, Any]:
    return {"tables": [statements(site, iri), mentions(site, iri)]}


VIEWS: dict[str, Callable[[Site, str], dict[str, Any]]] = {
    "overview": _overview,
    "history": _history(down=False),
    "what-came-of-it": _history(down=True),
    "parameters": _asked("parameters", "non-defaults"),
    "environment": _asked("environments", "software"),
    "checks": _asked("outcomes", "weak-links", "fixity", "findings"),
    "grade": _grade,
    "recipe": _recipe,
    "cite": _cite,
    "statements": _said,
}


# An activity


def _activity(site: Site, asked: Asked, iri: str) -> Reply:
    view = site.kg.view(names=(iri,), agents=True)
    node = view.nodes.get(iri)
    tables = []
    for caption, kind, end in (("Used", "used", "object"), ("Generated", "wasGeneratedBy", "subject")):
        found = [each for each in view.relations if each.kind == kind and iri in (each.subject, each.object)]
        rows = []
        for each in found[:SHOWN]:
            other = view.nodes[getattr(each, end)]
            rows.append([link(site, other.iri, other.label), Cell(other.type), Cell(each.role)])
        left_out = f"the first {SHOWN:,}" if len(found) > SHOWN else ""
        tables.append(Table(f"{caption}: {len(found):,}", ("product", "kind", "role"), rows, left_out))
    if node is not None and node.parameters:
        rows = [[Cell(name), Cell(value)] for name, value in sorted(node.parameters)]
        tables.append(Table(f"Parameters: {len(rows):,}", ("name", "value"), rows))
    tables.append(statements(site, iri))
    facts = [] if node is None else _facts(node.start, node.end, node.status, node.keys)
    title = node.type if node is not None and node.type else "activity"
    return _thing(site, asked, iri, title=title, kind="step", card=[("", facts)], tables=tables)


def _facts(start: str, end: str, status: str, keys: Iterable[tuple[str, str]]) -> list[tuple[str, Cell]]:
    found = [("started", Cell(start)), ("ended", Cell(end or "not recorded")), ("status", Cell(status or "unknown"))]
    for key, value in keys:
        found.append((key, Cell(value, f"/{key}/{value}" if key in ("run", "night") and value.isalnum() else "")))
    return found
