"""`provkg graph`: a picture of a product's history, a run or a night."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from provkg.cli import say
from provkg.cli.output import emit, opened, uncollected
from provkg.errors import InputError

_FORMATS = ("svg", "pdf", "png", "dot", "mermaid", "text", "json")
_BINARY = ("pdf", "png")


def with_view(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say of what a view is."""
    for option in reversed(
        (
            click.argument("product", required=False, default=""),
            click.option("--run", metavar="NUMBER", default="", help="A run, with what it came from."),
            click.option("--night", metavar="YYYYMMDD", default="", help="A night, with what it came from."),
            click.option("--all", "everything", is_flag=True, help="The whole store."),
            click.option("--up", "direction", flag_value="up", default="up", help="What it came from (the default)."),
            click.option("--down", "direction", flag_value="down", help="What came of it."),
            click.option("--both", "direction", flag_value="both", help="Both."),
            click.option("--depth", type=click.IntRange(min=1), help="How many steps to go; all by default."),
            click.option("--own", is_flag=True, help="Only the steps of the run or night themselves."),
            click.option(
                "--level",
                "levels",
                multiple=True,
                metavar="LEVEL",
                help="Only steps of this level, such as r0_to_dl1; repeatable.",
            ),
            click.option("--step", "steps", multiple=True, metavar="TYPE", help="Only steps of this type; repeatable."),
            click.option(
                "--calibration",
                metavar="PEDESTALRUN-CALIBRATIONRUN",
                default="",
                help="The steps of this calibration, too.",
            ),
            click.option("--agents", is_flag=True, help="With the agents of the steps."),
        )
    ):
        command = option(command)
    return command


def scope_of(ctx: click.Context, said: dict[str, Any]) -> dict[str, Any]:
    """Return what a view is of, from the options.

    Raises:
        UsageError: nothing is said, or several things.
    """
    everything = said.pop("everything")
    if sum(map(bool, (said["product"], said["run"], said["night"], everything))) != 1:
        raise click.UsageError("name one of PRODUCT, --run, --night and --all", ctx)
    if said["own"] and not (said["run"] or said["night"]):
        raise click.UsageError("--own is for --run and --night", ctx)
    return said


@click.command()
@with_view
@click.option(
    "--grain",
    type=click.Choice(["subrun", "run", "night"]),
    default="subrun",
    show_default=True,
    help="The finest to show.",
)
@click.option("--nodes", type=click.IntRange(min=1), default=60, show_default=True, help="The most shapes to show.")
@click.option(
    "-o", "--output", metavar="FILE", help="Where to: .svg .pdf .png .dot .mmd .txt .json; - is stdout, the default."
)
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Default: what FILE says, else text.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--title", default="", help="What stands under the picture.")
@click.option(
    "--link", metavar="TEMPLATE", help="Where shapes lead to, with {iri}, {location} and {name}; default: their IRIs."
)
@click.option("--file-link", metavar="TEMPLATE", help="Where names of files lead to; default: file://{location}.")
@click.pass_context
def graph(
    ctx: click.Context,
    /,
    grain: str,
    nodes: int,
    output: str | None,
    form: str | None,
    as_json: bool,
    title: str,
    link: str | None,
    file_link: str | None,
    **said: Any,
) -> int:
    """Draw the history of PRODUCT, a run or a night with at most 60 shapes.

    Steps and files that belong together are one shape that says how many they are: by run, by night, by type, as far as
    must be. What failed, never ended, is missing, changed or tainted is a shape of its own as long as there is room.
    Arrows point back in time, as PROV's do. Steps are boxes, files are ellipses, double where they are several, agents
    are houses. Json has every member.
    """
    kg = opened(ctx)
    scope = scope_of(ctx, said)
    form = "json" if as_json else form or _by_name(ctx, output)
    if form in _BINARY and output in (None, "-") and sys.stdout.isatty():
        raise click.UsageError(f"{form} is nothing for a terminal: name a file with -o", ctx)
    from provkg.graphview import Links

    links = Links(link or kg.config.page_link, file_link or kg.config.file_link)
    with uncollected():
        data = kg.picture(form, title=title, links=links, grain=grain, nodes=nodes, **scope)
    if output in (None, "-"):
        if form in _BINARY:
            sys.stdout.buffer.write(data)
        else:
            emit(data.decode().rstrip("\n"))
        return 0
    try:
        Path(str(output)).write_bytes(data)
    except OSError as error:
        raise InputError(f"{output}: {error.strerror or error}") from None
    if not ctx.obj["quiet"]:
        say(f"{output}: {len(data):,} bytes")
    return 0


def _by_name(ctx: click.Context, output: str | None) -> str:
    """Return the format that the name of a file says."""
    if output in (None, "-"):
        return "text"
    from provkg.graphview import SUFFIXES

    suffix = Path(str(output)).suffix.removeprefix(".").lower()
    if suffix not in SUFFIXES:
        raise click.UsageError(f"{output}: what format is .{suffix}? Say --format", ctx)
    return SUFFIXES[suffix]
