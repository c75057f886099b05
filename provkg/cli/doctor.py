"""The command that looks after a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provkg.cli import say
from provkg.cli.output import chosen, emit, opened, with_format, write
from provkg.knowledge import open as open_graph

if TYPE_CHECKING:
    from provkg.knowledge.repair import Mended


@click.command()
@click.option("--reindex", is_flag=True, help="Make the lineage index and the summaries again from the quads.")
@click.option("--repair", is_flag=True, help="Bring together again what does not agree, and make the rest again.")
@click.option("--optimize", is_flag=True, help="Put together what many ingests have left apart (embedded store).")
@click.option("--unlock", is_flag=True, help="Say that whoever was writing to a server is dead.")
@click.option("--migrate", is_flag=True, help="Bring a store that an older provkg wrote to the format of this one.")
@with_format("table")
@click.pass_context
def doctor(
    ctx: click.Context,
    reindex: bool,
    repair: bool,
    optimize: bool,
    unlock: bool,
    migrate: bool,
    form: str | None,
    as_json: bool,
) -> int:
    """Check that the parts of the store agree: sources, ledger, resolution, lineage index, summaries.

    Reads all of the store: seconds a night. After some twenty ingests --optimize makes questions twice as fast; it
    takes 1 to 2 seconds a night that the store holds. Exit status 1 if something is not as it should be.
    """
    if migrate:
        before = open_graph(ctx.obj["store"]).migrate()
        say(f"the store had format {before} and has that of this provkg: ingest its files again to count their bytes")
        return 0
    kg = opened(ctx)
    if unlock:
        gone = kg.store.unlock()
        say("\n".join(f"unlocked: {each}" for each in gone) if gone else "nobody was writing")
    if repair:
        _tell(kg.repair())
    if reindex:
        say(f"index made again: {kg.reindex():,} edges")
    if optimize:
        kg.optimize()
        say("optimized")
    if unlock or repair or reindex or optimize:
        return 0
    found = list(kg.doctor())
    rows = [[each.name, "ok" if each.ok else "wrong", each.found] for each in found]
    write(("part", "state", "found"), rows, chosen(form, as_json=as_json))
    if all(each.ok for each in found):
        return 0
    say("hint: provkg doctor --repair brings these together; --reindex only makes the index and the summaries again")
    return 1


def _tell(done: Mended) -> None:
    """Say what a repair did; stdout has the files to ingest again."""
    say(
        f"{len(done.adopted):,} graphs taken into the ledger, {len(done.forgotten):,} sources with lost parts forgotten"
    )
    say(f"resolution, index and summaries made again; {len(done.again):,} files to ingest again")
    for path in sorted(done.again):
        emit(path)
