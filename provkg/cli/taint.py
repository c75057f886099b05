"""`provkg taint` and `provkg audit`: what something bad has touched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkg.cli import say
from provkg.cli.output import chosen, emit, opened, with_format, write

if TYPE_CHECKING:
    from provkg.impact import Mark, Taint

_PRODUCTS = ("level", "location", "step", "started", "direct", "superseded", "product")
_LEVELS = ("level", "affected", "direct", "superseded")
_BATCHES = ("batch", "step", "activities", "products", "seconds")
_MARKS = ("name", "when", "by", "products", "reason", "seeds")
_TOUCHED = ("advisory", "severity", *_PRODUCTS)
_SUMMARY = ("advisory", "severity", "level", "affected", "direct", "superseded", "title")


@click.command()
@click.argument("products", nargs=-1)
@click.option("--run", metavar="NUMBER", default="", help="What was made in the sessions of this run.")
@click.option("--software", metavar="NAME[RANGE]", default="", help="What was made with it, such as 'lstchain<0.10'.")
@click.option("--value", metavar="NAME=VALUE", default="", help="What was made with this parameter.")
@click.option("--config", metavar="FILE|DIGEST", default="", help="What was made with this configuration file.")
@click.option("--since", metavar="TIME", default="", help="What was made by activities that had not ended before.")
@click.option("--until", metavar="TIME", default="", help="What was made by activities that had started before.")
@click.option("--agent", metavar="NAME", default="", help="What was made under this account.")
@click.option("--host", metavar="NAME", default="", help="What was made on this machine.")
@click.option("--step", "steps", metavar="TYPE", multiple=True, help="Only by this type of activity; repeatable.")
@click.option("--every-version", is_flag=True, help="All versions of PRODUCTS that have several.")
@click.option("--reason", metavar="TEXT", default="", help="Why; it is recorded.")
@click.option("--dry-run", is_flag=True, help="Record nothing.")
@click.option("--remake", is_flag=True, help="Write what to make again, in order, instead of the products.")
@click.option("--list", "listed", is_flag=True, help="The taints on record.")
@click.option("--lift", "lifted", metavar="TAINT", help="Take one back.")
@with_format()
@click.pass_context
def taint(
    ctx: click.Context,
    /,
    products: tuple[str, ...],
    reason: str,
    dry_run: bool,
    remake: bool,
    listed: bool,
    lifted: str | None,
    form: str | None,
    as_json: bool,
    **seeds: Any,
) -> int:
    """Find all that was made from PRODUCTS that are bad, or by activities of which something is, and record it.

    PRODUCTS are bad themselves; the options narrow the same activities down together. Exit status 1: something is bad;
    4: there may be more. `--lift` takes a taint back.
    """
    graph, form = opened(ctx), chosen(form, as_json=as_json)
    if listed:
        write(_MARKS, map(_mark, graph.marks()), form)
        return 0
    if lifted is not None:
        taken = graph.lift(lifted)
        say(f"lifted {taken.name}: {taken.products:,} products are as they were")
        return 0
    found = graph.taint(*products, **seeds)
    mark = None if dry_run else graph.mark(found, reason or "; ".join(found.seeds))
    _show(found, mark, form, remake=remake)
    if not ctx.obj["quiet"]:
        _tell(found, mark)
    return 4 if found.partial else 1 if found.products else 0


def _mark(mark: Mark) -> list[object]:
    return [mark.name, mark.when, mark.by, mark.products, mark.reason, "; ".join(mark.seeds)]


def _show(found: Taint, mark: Mark | None, form: str, *, remake: bool) -> None:
    """Write the products, or what to make again; a table has the levels, and JSON all of it."""
    if form == "json":
        import json

        facts = {
            "taint": mark.name if mark else None,
            "seeds": found.seeds,
            "levels": [dict(zip(_LEVELS, each, strict=True)) for each in found.levels()],
            "products": [each._asdict() for each in found.products],
            "remake": [each._asdict() for each in found.remake],
            "seconds": round(found.seconds, 3),
            "partial": found.partial,
        }
        emit(json.dumps(facts, ensure_ascii=False, indent=1))
    elif remake:
        write(_BATCHES, found.remake, form)
    elif form == "table":
        write(_LEVELS, ((level or "?", *rest) for level, *rest in found.levels()), form)
        if found.remake:
            emit("")
            write(_BATCHES, found.remake, form)
    else:
        write(_PRODUCTS, found.products, form)


def _tell(found: Taint, mark: Mark | None) -> None:
    """Say in a line or two how much it is."""
    superseded = sum(bool(each.superseded) for each in found.products)
    calls = sum(each.activities for each in found.remake)
    took = f", about {found.seconds / 3600:.1f} h one after the other" if found.seconds else ""
    say(f"{len(found.products):,} products are bad, {superseded:,} superseded; {calls:,} steps to run again{took}")
    for each in found.partial:
        say(f"partial: {each}")
    if mark is not None:
        say(f"recorded as taint {mark.name}; take it back with provkg taint --lift {mark.name}")


@click.command()
@click.argument("advisories", metavar="ADVISORIES.yaml")
@click.option("--products", "each_product", is_flag=True, help="Each product, instead of counts by level.")
@with_format()
@click.pass_context
def audit(ctx: click.Context, advisories: str, each_product: bool, form: str | None, as_json: bool) -> int:
    """Find products made with software or a configuration that ADVISORIES.yaml warns of, and all made from these.

    Exit status 1: some of these products are not superseded; 4: an advisory could not be read, or there may be more.
    """
    from provkg.impact import read_advisories

    form = chosen(form, as_json=as_json)
    known, errors = read_advisories(Path(advisories))
    for error in errors:
        say(f"error: {error.message}")
        if error.hint:
            say(f"hint: {error.hint}")
    found = opened(ctx).audit(known)
    if each_product:
        rows = ([each.advisory, each.severity, *each.affected] for each in found.products())
        write(_TOUCHED, rows, form)
    else:
        levels = ((advisory, level) for advisory, taint in found.taints for level in taint.levels())
        write(_SUMMARY, ([a.id, a.severity, *level, a.title] for a, level in levels), form)
    if not ctx.obj["quiet"]:
        said = f"{found.current:,} products that are current" if found.taints else "nothing"
        say(f"{len(known)} advisories concern {said}; {len(found.nothing)} of them concern no activity of this store")
        for each in found.partial:
            say(f"partial: {each}")
    return 4 if errors or found.partial else 1 if found.current else 0
