"""`provkg diff` and `provkg why`: where two histories part first."""

import click

from provkg.cli import say
from provkg.cli.output import chosen, opened, with_format, write


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("--all", "everything", is_flag=True, help="What differs only as a consequence, too.")
@click.option("--env", "environments", is_flag=True, help="The environments of two activities, sessions or products.")
@click.option("--config", "configurations", is_flag=True, help="Their configurations.")
@with_format()
@click.pass_context
def diff(
    ctx: click.Context,
    first: str,
    second: str,
    everything: bool,
    environments: bool,
    configurations: bool,
    form: str | None,
    as_json: bool,
) -> int:
    """Say why two products differ: the first points at which their histories part, and nothing that follows from these.

    Both are aligned step by step, by type of activity and by role. FIRST and SECOND are products; with --env and
    --config also activities or sessions, by IRI. Exit status 1: they differ.
    """
    if sum((everything, environments, configurations)) > 1:
        raise click.UsageError("at most one of --all, --env and --config", ctx)
    graph = opened(ctx)
    if environments:
        found = graph.ask("environment-diff", first=first, second=second)
    elif configurations:
        found = graph.ask("configuration-diff", first=first, second=second)
    else:
        found = graph.diff(first, second, consequences=everything)
    columns = list(found.columns)
    write(columns, ([row[name] for name in columns] for row in found), chosen(form, as_json=as_json))
    if not ctx.obj["quiet"]:
        say("nothing on record differs" if not found else f"{len(found)} points of divergence")
    return 1 if found else 0


why = diff
