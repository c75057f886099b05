"""`provkg gaps`: what lies in an archive against what the graph knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provkg.cli import say
from provkg.cli.output import chosen, emit, opened, with_format, write

if TYPE_CHECKING:
    from provkg.gaps import Gaps

_COLUMNS = ("kind", "night", "level", "what", "number", "behind", "advice")
_MATRIX = ("night", "level", "files", "recorded", "ghosts", "percent")
_ALWAYS = ("silent step", "broken chain", "unfinished")


@click.command()
@click.argument("listing", metavar="LISTING|FOLDER")
@click.option(
    "--definition", metavar="FILE", help="A definition.yaml with the steps that are expected; else those ingested."
)
@click.option(
    "--min", "least", type=click.FloatRange(0, 100), help="Exit status 1 below this percentage, not at any gap."
)
@click.option("--night", "nights", metavar="YYYYMMDD", multiple=True, help="Only this night; repeatable.")
@click.option("--root", "roots", metavar="FOLDER", multiple=True, help="What the listing is all of; repeatable.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many gaps a table has.")
@with_format("html")
@click.pass_context
def gaps(
    ctx: click.Context,
    listing: str,
    definition: str | None,
    least: float | None,
    nights: tuple[str, ...],
    roots: tuple[str, ...],
    limit: int,
    form: str | None,
    as_json: bool,
) -> int:
    """Compare what lies in an archive with what the graph knows: a FOLDER, or a LISTING of paths (`-`: standard input).

    orphan: nobody recorded making it; ghost: it was made and is not there; silent step: defined, and not seen in a
    night; broken chain: no way back to raw data; missing input, unread, unfinished: records are lost. A gap is told
    once: what follows from it is counted behind it. Exit status 1: there are gaps, or with --min too many; 4: a line of
    the listing could not be read.
    """
    form = chosen(form, as_json=as_json)
    found = opened(ctx).gaps(listing, definition=definition, nights=nights, roots=roots)
    if form == "json":
        emit(_json(found))
    elif form == "html":
        from provkg.gaps import page

        emit(page(found), newline=False)
    elif form == "table":
        write(_MATRIX, ((*each, each.percent) for each in found.matrix), form)
        emit("")
        write(_COLUMNS, found.gaps[:limit], form)
    else:
        write(_COLUMNS, found.gaps, form)
    if not ctx.obj["quiet"]:
        _tell(found, limit if form == "table" else len(found.gaps))
    return _status(found, least)


def _status(found: Gaps, least: float | None) -> int:
    if found.unread:
        return 4
    if least is None:
        return 1 if found.gaps else 0
    return 1 if found.below(least) or any(each.kind in _ALWAYS for each in found.gaps) else 0


def _tell(found: Gaps, shown: int) -> None:
    """Say in a few lines what was found, and what was assumed."""
    counts: dict[str, int] = {}
    for each in found.gaps:
        counts[each.kind] = counts.get(each.kind, 0) + 1
    said = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    say(f"{len(found.gaps):,} gaps under {', '.join(found.roots) or 'nothing'}: {said or 'none'}")
    if len(found.gaps) > shown:
        say(f"{len(found.gaps) - shown:,} more gaps: --limit")
    for about, count in found.assumed.items():
        say(f"{count:,} {about}")
    for error in found.unread:
        say(f"error: {error}")


def _json(found: Gaps) -> str:
    import json

    facts = {
        "roots": found.roots,
        "matrix": [{**each._asdict(), "percent": each.percent} for each in found.matrix],
        "gaps": [each._asdict() for each in found.gaps],
        "assumed": found.assumed,
        "unread": found.unread,
    }
    return json.dumps(facts, ensure_ascii=False, indent=1)
