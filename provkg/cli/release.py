"""`provkg release`: a copy of the store that may be told to everybody."""

from __future__ import annotations

import click

from provkg.cli import say
from provkg.cli.output import emit, opened

_MOST = 40  # leaks that are listed


@click.command()
@click.argument("folder", required=False)
@click.option("--policy", metavar="FILE", help="A TOML file: what is done with each kind of private data.")
@click.option("--manifest", metavar="FILE", help="Write what was removed, by kind and stand-in.")
@click.option("--sign", metavar="KEY", help="Sign the manifest with this key of OpenSSH.")
@click.option("--check", is_flag=True, help="Write nothing; list what the gate finds in the store as it is.")
@click.pass_context
def release(
    ctx: click.Context, folder: str | None, policy: str | None, manifest: str | None, sign: str | None, check: bool
) -> int:
    """Write a copy of the store without private data into FOLDER, another store; what was in it is replaced at once.

    Accounts, hosts, contacts, addresses of e-mail, home directories, tokens and variables of environments are kept,
    dropped, generalised, or replaced by a pseudonym that only the key can make, wherever they stand, in IRIs too. Then
    a gate looks at all that is left: by shapes, by patterns, by entropy, and for each replaced value in any spelling.
    If it finds anything, nothing is written, and the exit status is 1.
    """
    kg = opened(ctx)
    if check:
        found = kg.leaks(policy)
        for each in found:
            emit(each.shown())
        say(f"{len(found):,} leaks" if found else "nothing private was found")
        return 1 if found else 0
    if folder is None or policy is None:
        raise click.UsageError("FOLDER and --policy say where to and what is done; --check needs neither", ctx)
    if sign and not manifest:
        raise click.UsageError("--sign signs a manifest: name it with --manifest", ctx)
    told = kg.release(policy, folder)
    if told.leaks:
        for leak in told.leaks[:_MOST]:
            say(f"left: {leak.shown()}")
        say(f"{len(told.leaks):,} leaks; nothing was written")
        say("hint: mend the policy, or let words pass with allow = […]")
        return 1
    if manifest:
        from provkg.releasing import write_manifest

        write_manifest(told.manifest, manifest, sign_with=sign)
    emit(folder)
    if not ctx.obj["quiet"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(told.redaction.replaced.items()))
        say(f"replaced: {kinds or 'nothing'}; {told.redaction.left_out} digests of paths left out")
    return 0
