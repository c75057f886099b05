"""`provkg export`: what leaves provkg, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkg.cli import say
from provkg.cli.graph import scope_of, with_view
from provkg.cli.output import emit, opened, uncollected
from provkg.cli.query import text_of_query
from provkg.export.formats import FORMATS, form_of

if TYPE_CHECKING:
    from provkg.export import Exported, Products

_PARTS = ("calibration_to_dl1", "calibration_to_dl2", "r0_to_dl1", "dl1_to_dl2")
_SCOPE = ("product", "run", "night", "everything", "levels", "steps")


@click.command()
@with_view
@click.option("--query", metavar="FILE", default="", help="The triples of a CONSTRUCT query; - is standard input.")
@click.option(
    "--grain",
    type=click.Choice(["subrun", "run", "night"]),
    default="subrun",
    show_default=True,
    help="How far to fold.",
)
@click.option(
    "--format", "form", type=click.Choice([*FORMATS]), help="Default: what the name of FILE says, else prov-json."
)
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to; - is stdout, the default.")
@click.option("--gzip", "compressed", is_flag=True, help="Compress; so does a name that ends in .gz.")
@click.option("--split", type=click.IntRange(min=1), metavar="N", help="At most N statements in a file.")
@click.option("--licence", metavar="URL", default="", help="What an RO-Crate may be used for.")
@click.option(
    "--lstosa", nargs=2, metavar="RUN DIR", help="Write what lstosa's provprocess writes of a run into a folder."
)
@click.option(
    "--filter", "parts", multiple=True, type=click.Choice(_PARTS), help="Only this part, with --lstosa; repeatable."
)
@click.pass_context
def export(
    ctx: click.Context,
    /,
    query: str,
    grain: str,
    form: str | None,
    output: str,
    compressed: bool,
    split: int | None,
    licence: str,
    lstosa: tuple[str, str] | None,
    parts: tuple[str, ...],
    **said: Any,
) -> int:
    """Write the history of PRODUCT, a run, a night or the whole store for other programs.

    turtle, trig, ntriples, nquads and jsonld hold the graph statement for statement, prov-json, prov-jsonld, prov-xml,
    prov-n and voprov-json as PROV says it; ro-crate (a folder or .zip), votable, graphml and openlineage its steps and
    files. With --grain a fold of files is a prov:Collection with all its members, a fold of steps names its members.
    With --lstosa, write <part>_<run>_prov.log, .json and .pdf as provprocess does, without its faults.
    """
    kg = opened(ctx)
    if lstosa:
        if query or any(said[name] for name in _SCOPE):
            raise click.UsageError("--lstosa names its run itself: lstosa's products are of a whole run", ctx)
        return _told(kg.lstosa(*lstosa, parts=parts, calibration=said["calibration"]), quiet=ctx.obj["quiet"])
    if parts:
        raise click.UsageError("--filter is for --lstosa", ctx)
    if query and any(said[name] for name in _SCOPE):
        raise click.UsageError("--query says itself what is written", ctx)
    scope = {} if query else scope_of(ctx, said)
    chosen = form or ("prov-json" if output == "-" else form_of(output).name)
    if output == "-" and (split or chosen == "ro-crate"):
        raise click.UsageError("--split and ro-crate write no stream: name a file or folder with -o", ctx)
    scope |= {"query": text_of_query(query) if query else "", "compressed": compressed, "split": split or 0}
    with uncollected():
        found = kg.export(output, chosen, grain=grain, licence=licence, **scope)
    _say(found, output, quiet=ctx.obj["quiet"])
    return 0


def _say(found: Exported, output: str, *, quiet: bool) -> None:
    """Say what was written and what is not in it."""
    if len(found.paths) > 1:
        for path in found.paths:
            emit(str(path))
    if quiet:
        return
    if output != "-" and len(found.paths) == 1 and Path(output).is_file():
        say(f"{output}: {Path(output).stat().st_size:,} bytes")
    if found.cut:
        say(f"{found.cut:,} statements lead to steps and files outside and are left out")
    if found.untold:
        say(f"{found.untold:,} steps without any time are left out")


def _told(found: Products, *, quiet: bool) -> int:
    """Say what was written, and what was not and why."""
    for path in found.paths:
        emit(str(path))
    for part, why in found.left_out.items() if not quiet else ():
        say(f"{part} is not written: {why}")
    if found.undrawn:
        say("warning: pictures need graphviz, and no .pdf is written")
        say("hint: apt-get install graphviz")
    return 4 if found.undrawn else 0
