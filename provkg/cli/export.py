"""`provkg export`: what leaves provkg, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkg.cli import say
from provkg.cli.graph import scope_of, with_view
from provkg.cli.output import emit, opened, uncollected
from provkg.errors import InputError

if TYPE_CHECKING:
    from provkg.export import Products

_PARTS = ("calibration_to_dl1", "calibration_to_dl2", "r0_to_dl1", "dl1_to_dl2")


@click.command()
@with_view
@click.option(
    "--grain",
    type=click.Choice(["subrun", "run", "night"]),
    default="subrun",
    show_default=True,
    help="How far to fold.",
)
@click.option(
    "--format", "form", type=click.Choice(["prov-json", "prov-n", "prov-xml"]), default="prov-json", show_default=True
)
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to; - is stdout, the default.")
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
    grain: str,
    form: str,
    output: str,
    lstosa: tuple[str, str] | None,
    parts: tuple[str, ...],
    **said: Any,
) -> int:
    """Write the history of PRODUCT, a run or a night as a PROV document, folded by grain or not.

    A fold of files is a prov:Collection with all its members, a fold of steps names its members; nothing is left out.
    With --lstosa, write <part>_<run>_prov.log, .json and .pdf as provprocess does, without its faults.
    """
    kg = opened(ctx)
    if lstosa:
        if any(said[name] for name in ("product", "run", "night", "everything", "levels", "steps")):
            raise click.UsageError("--lstosa names its run itself: lstosa's products are of a whole run", ctx)
        return _told(kg.lstosa(*lstosa, parts=parts, calibration=said["calibration"]), quiet=ctx.obj["quiet"])
    if parts:
        raise click.UsageError("--filter is for --lstosa", ctx)
    from provkg.export import written

    scope = scope_of(ctx, said)
    with uncollected():
        text = written(kg.rollup(grain=grain, **scope), form)
    if output == "-":
        emit(text.rstrip("\n"))
        return 0
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output}: {error.strerror or error}") from None
    return 0


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
