"""The commands that copy a store, bring it back, merge it with others and give it another base."""

from __future__ import annotations

import click

from provkg.cli import say
from provkg.cli.output import emit, opened


@click.command()
@click.argument("folder")
@click.pass_context
def backup(ctx: click.Context, folder: str) -> int:
    """Write all of the store into a new FOLDER: compressed N-Quads, with digests of the files and of the graph.

    It is the store as it was when the command began, whoever writes meanwhile; any triple store can read it.
    """
    found = opened(ctx).backup(folder)
    emit(folder)
    if not ctx.obj["quiet"]:
        say(f"{found.quads:,} quads in {found.files:,} files, digest {found.digest}")
    return 0


@click.command()
@click.argument("folder")
@click.option("--replace", "replace_all", is_flag=True, help="In the place of what the store holds.")
@click.pass_context
def restore(ctx: click.Context, folder: str, replace_all: bool) -> int:
    """Bring the backup in FOLDER back, and see that the graph is the one that was backed up.

    If a file or the graph is another, the store stays as it was.
    """
    found = opened(ctx).restore(folder, replace_all=replace_all)
    if not ctx.obj["quiet"]:
        say(f"{found.quads:,} quads, digest {found.digest}: as it was backed up")
    return 0


@click.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@click.pass_context
def import_(ctx: click.Context, paths: tuple[str, ...]) -> int:
    """Take over what another provkg holds, as if it had been ingested here.

    PATH is an export of a whole store (.nq, .trig, .jsonld, compressed or not), a folder of parts, a backup, or another
    store. Sources that are here already are left alone; where a path holds different content, what was read later
    stands. Which versions were used is found anew over both.
    """
    found = opened(ctx).merge(*paths)
    if not ctx.obj["quiet"]:
        told = f"{found.sources:,} sources imported, {found.unchanged:,} unchanged, {found.replaced:,} replaced"
        say(told + (f", {found.outdated:,} older than what is here" if found.outdated else ""))
    return 0


@click.command()
@click.argument("base")
@click.argument("folder")
@click.option("--same-as", is_flag=True, help="Say of each new IRI that it means what the old one did (owl:sameAs).")
@click.option(
    "--redirects", type=click.Choice(["nginx", "apache"]), help="Print the rule for the server at the old base."
)
@click.pass_context
def rebase(ctx: click.Context, base: str, folder: str, same_as: bool, redirects: str | None) -> int:
    """Write a copy of the store whose IRIs begin with BASE into FOLDER, another store; what was in it is replaced.

    What stands after the base never changes, so one rule redirects all IRIs.
    """
    kg = opened(ctx)
    before = kg.store.base()
    found = kg.rebase(base, folder, aliases=same_as)
    if redirects:
        from provkg.moving import redirects as rule

        emit(rule(before, base, redirects).rstrip("\n"))
    else:
        emit(folder)
    if not ctx.obj["quiet"]:
        told = f", {found.aliases:,} of them by owl:sameAs to what they were" if found.aliases else ""
        say(f"{found.quads:,} statements from {before} to {base}{told}")
    return 0
