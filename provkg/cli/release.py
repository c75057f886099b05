"""`provkg release`: a copy of the store that may be told to everybody."""

from __future__ import annotations

import click

from provkg.cli import say
from provkg.cli.output import emit, opened


@click.command()
@click.argument("folder")
@click.option(
    "--policy", required=True, metavar="FILE", help="A TOML file: what is done with each kind of private data."
)
@click.pass_context
def release(ctx: click.Context, folder: str, policy: str) -> int:
    """Write a copy of the store without private data into FOLDER, another store; what was in it is replaced at once.

    Accounts, hosts, contacts, e-mail addresses, home directories and variables of environments: what
    `provkg ask private-data` finds is kept, dropped, or replaced by a pseudonym that only the key can make, wherever
    it stands, in IRIs too. What is private and stands in none of these places stays: look at the copy.
    """
    found = opened(ctx).release(policy, folder)
    emit(folder)
    if not ctx.obj["quiet"]:
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(found.replaced.items()))
        say(f"replaced: {told or 'nothing'}; {found.left_out} digests of paths left out")
    return 0
