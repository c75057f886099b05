"""Look at many steps at once: the pages of a run and a night, and two products side by side."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from provkg.errors import NotFound
from provkg.rollup import ACTIVITY
from provkg.server.messages import Asked, Reply
from provkg.server.pages import SHOWN, Cell, Table, link, rendered, table_of, url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provkg.rollup import Node, View
    from provkg.server.site import Site

_WELL = "completed"
_SUBRUNS = 30  # that are told by number


def run(site: Site, asked: Asked) -> Reply:
    """Answer with the page of a run: a matrix of steps by status, what is missing, its products."""
    number = unquote(asked.path.removeprefix("/run/"))
    view = site.kg.view(run=number, own=True, agents=False)
    steps = [node for node in view.nodes.values() if node.kind == ACTIVITY]
    statuses = sorted({step.status or "unknown" for step in steps}, key=lambda each: (each != _WELL, each))
    by_step: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, str] = {}
    for step in sorted(steps, key=lambda each: each.start):
        by_step[step.type or "?"][step.status or "unknown"] += 1
        first.setdefault(step.type or "?", step.start)
    rows = [
        [Cell(name), *(Cell(str(counts[status] or "")) for status in statuses), Cell(first[name])]
        for name, counts in by_step.items()
    ]
    matrix = Table(f"{len(steps):,} steps by status", ("step", *statuses, "first start"), rows)
    missing = [*_not_well(site, steps), *_gaps(steps)]
    tables = [matrix, Table(f"What is missing or went wrong: {len(missing):,}", ("step", "what", ""), missing[:SHOWN])]
    tables.append(_made(site, view))
    night = next((step.key("night") for step in steps if step.key("night")), "")
    return rendered(
        site,
        asked,
        "run",
        title=f"Run {number}",
        night=night,
        tables=tables,
        graph=url("/graph", run=number, grain="run"),
    )


def _not_well(site: Site, steps: Iterable[Node]) -> list[list[Cell]]:
    """Return the steps that did not end well, one by one."""
    return [
        [link(site, step.iri, step.type or "?"), Cell(step.status or "unknown"), Cell(_told(step))]
        for step in steps
        if step.status != _WELL
    ]


def _told(step: Node) -> str:
    return " ".join(filter(None, (f"sub-run {step.key('subrun')}" if step.key("subrun") else "", step.start)))


def _gaps(steps: Iterable[Node]) -> list[list[Cell]]:
    """Return the sub-runs that some steps have and others have not."""
    have: dict[str, set[str]] = defaultdict(set)
    for step in steps:
        if step.key("subrun"):
            have[step.type].add(step.key("subrun"))
    every = set().union(*have.values())
    found = []
    for name, there in have.items():
        gone = sorted(every - there)
        more = f" and {len(gone) - _SUBRUNS:,} more" if len(gone) > _SUBRUNS else ""
        if gone:
            found.append([Cell(name), Cell(f"{len(gone):,} sub-runs"), Cell(", ".join(gone[:_SUBRUNS]) + more)])
    return found


def _made(site: Site, view: View) -> Table:
    """Return the products that the activities made, those first of which there are few."""
    made = {each.subject for each in view.relations if each.kind == "wasGeneratedBy"}
    by_kind: dict[str, list[Node]] = defaultdict(list)
    for iri in made:
        node = view.nodes[iri]
        by_kind[node.type or node.label.rpartition(".")[2]].append(node)
    rows = []
    for kind, nodes in sorted(by_kind.items(), key=lambda each: (len(each[1]), each[0])):
        shown = sorted(nodes, key=lambda each: each.label)
        rows += [[Cell(kind), link(site, node.iri, node.label or node.iri)] for node in shown]
    left_out = f"the first {SHOWN:,} of {len(rows):,}" if len(rows) > SHOWN else ""
    return Table(f"Products: {len(rows):,}", ("kind", "product"), rows[:SHOWN], left_out)


def night(site: Site, asked: Asked) -> Reply:
    """Answer with the page of a night: a matrix of runs and steps, what did not end well, and what is missing."""
    said = unquote(asked.path.removeprefix("/night/")).replace("-", "")
    question = site.questions["night-overview"]
    answer = site.kg.ask_of(question, {"night": said}, limit=question.rows)
    if not len(answer):
        raise NotFound(f"nothing is recorded of night {said}", hint="/nights lists them")
    cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    steps: dict[str, str] = {}
    for row in answer:
        name = str(row["step"] or "?")
        cells[str(row["run"] or ""), name][str(row["status"] or "unknown")] += int(row["activities"] or 0)
        steps[name] = min(steps.get(name, "~"), str(row["first"] or "~"))
    order = sorted(steps, key=lambda each: (steps[each], each))
    rows = []
    for number in sorted({run for run, _ in cells}):
        head = Cell(number, f"/run/{quote(number, safe='')}") if number else Cell("calibration and others")
        rows.append([head, *(Cell(_counted(cells.get((number, name), Counter()))) for name in order)])
    asking = ("never-ended", "completeness")
    tables = [Table("Steps by run: how many, and how many of them not well", ("run", *order), rows, answer.cut)]
    for name in asking:
        found = table_of(site, site.kg.ask_of(site.questions[name], {"night": said}, limit=SHOWN))
        tables.append(found._replace(caption=f"{site.questions[name].summary} {found.caption}"))
    return rendered(
        site,
        asked,
        "run",
        title=f"Night {said}",
        night="",
        tables=tables,
        graph=url("/graph", night=said, grain="night"),
    )


def _counted(counts: Counter[str]) -> str:
    """Say how many steps there are, and how many of them did not end well."""
    other = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()) if status != _WELL)
    return f"{counts.total():,}{f' ({other})' if other else ''}" if counts else "-"


def compare(site: Site, asked: Asked) -> Reply:
    """Answer with the first points at which the histories of two products part."""
    first, second = asked.one("first"), asked.one("second")
    tables = []
    if first and second:
        answer = site.kg.diff(first, second, consequences=bool(asked.one("all")))
        found = table_of(site, answer)
        caption = found.caption if len(answer) else "Their histories do not differ in anything that is recorded"
        tables.append(found._replace(caption=caption))
    return rendered(
        site, asked, "compare", title="Compare", first=first, second=second, all=asked.one("all"), tables=tables
    )
