"""`provkg publish`: the store as a site that needs no server."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provkg.cli import say
from provkg.cli.output import emit, opened
from provkg.cli.write import progressing

if TYPE_CHECKING:
    from provkg.knowledge import KnowledgeGraph

_MOST = 20  # leaks that are listed


@click.command()
@click.argument("folder")
@click.option("--policy", metavar="FILE", help="Publish a copy without private data, as this policy says.")
@click.option("--no-gate", is_flag=True, help="Publish the store as it is, whatever is private in it.")
@click.option(
    "--grain",
    type=click.Choice(["subrun", "run", "night"]),
    help="What has a page: each product, or collections by run or night. Default: as fine as 2,000 pages allow.",
)
@click.option("--title", default="Provenance", show_default=True, help="What the site is called.")
@click.option("--url", metavar="URL", default="", help="Where it will be; default: the base of the IRIs.")
@click.option("--publisher", metavar="NAME", default="", help="Who publishes it.")
@click.option("--licence", metavar="URL", default="", help="What others may do with it.")
@click.pass_context
def publish(
    ctx: click.Context,
    folder: str,
    policy: str | None,
    no_gate: bool,
    grain: str | None,
    title: str,
    url: str,
    publisher: str,
    licence: str,
) -> int:
    """Write the store as a static site into FOLDER: pages, pictures, data, search and SPARQL, from a file or over HTTP.

    Each product (or collection), run and night has a page, SVG, Turtle, JSON-LD and PROV-JSON. All statements are there
    as N-Quads. The folder is a bag with checksums, and holds configuration for nginx and Apache. A gate looks for
    private data first; with --policy a copy without them is published.
    """
    quiet = ctx.obj["quiet"]
    with tempfile.TemporaryDirectory(prefix="provkg-release-") as held:
        kg = _cleared(opened(ctx), policy, Path(held) / "store", gate=not no_gate)
        if kg is None:
            return 1
        with progressing("publishing", "pages", quiet=quiet) as progress:
            told = kg.publish(
                folder, grain=grain or "", title=title, url=url, publisher=publisher, licence=licence, progress=progress
            )
    emit(str(told.start))
    if not quiet:
        say(f"{told.pages:,} pages, {told.files:,} files, {told.size / 1e6:,.1f} MB")
        if told.undrawn:
            say("warning: pictures need graphviz, and there are none")
            say("hint: apt-get install graphviz")
    return 4 if told.undrawn else 0


def _cleared(kg: KnowledgeGraph, policy: str | None, copy: Path, *, gate: bool) -> KnowledgeGraph | None:
    """Return what may be published: the store or its copy; nothing where the gate finds leaks, which are listed."""
    from provkg.knowledge import open_with

    if policy:
        found, kg = kg.release(policy, copy).leaks, open_with(kg.config, copy)
    else:
        found = kg.leaks() if gate else []
    for leak in found[:_MOST]:
        say(f"left: {leak.shown()}")
    if not found:
        return kg
    say(f"{len(found):,} leaks; nothing was published")
    say("hint: --policy FILE publishes a copy without private data, --no-gate the store as it is")
    return None
