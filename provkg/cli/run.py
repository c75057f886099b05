"""`provkg run`: capture any program."""

import warnings
from typing import TYPE_CHECKING

import click

from provkg.cli import say
from provkg.cli.recording import with_record

if TYPE_CHECKING:
    from provkg.capture.digesting import Which


def _files(_ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> list[tuple[str, str]]:
    """Take ``ROLE=FILE``, ``=FILE`` or ``FILE`` apart."""
    found = []
    for text in given:
        role, is_named, path = text.partition("=")
        found.append((role, path) if is_named else ("", text))
        if not found[-1][1]:
            raise click.BadParameter(f"{text!r} names no file")
    return found


def _values(_ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Take ``NAME=VALUE`` apart."""
    pairs = [text.partition("=") for text in given]
    for name, is_named, _ in pairs:
        if not (name and is_named):
            raise click.BadParameter(f"{name!r} has no value: NAME=VALUE")
    return {name: value for name, _, value in pairs}


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--used", metavar="[ROLE=]FILE", multiple=True, callback=_files, help="A file that it reads; repeatable.")
@click.option(
    "--generated", metavar="[ROLE=]FILE", multiple=True, callback=_files, help="A file that it writes; repeatable."
)
@click.option("--param", metavar="NAME=VALUE", multiple=True, callback=_values, help="A parameter; repeatable.")
@click.option("--name", default="", help="The type of activity. Default: the name of the program.")
@with_record("Where the records go")
@click.option("--output", is_flag=True, help="Digest what it writes to stdout and stderr, which are pipes for it then.")
@click.option(
    "--digest",
    type=click.Choice(["never", "inputs", "outputs", "all"]),
    envvar="PROVKG_DIGEST",
    default="all",
    show_default=True,
    help="Which files are digested; also PROVKG_DIGEST.",
)
@click.option(
    "--limit", metavar="BYTES", type=click.IntRange(0), help="Files larger than this are not digested, and marked so."
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    used: list[tuple[str, str]],
    generated: list[tuple[str, str]],
    param: dict[str, str],
    name: str,
    record: str,
    output: bool,
    digest: "Which",
    limit: int | None,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND (after `--`) and record it: when, how it ended, with what, and the digests of what it read and wrote.

    The exit status is that of COMMAND. What cannot be recorded is a warning: COMMAND runs all the same.
    """
    from provkg.capture import Recorder, run_command
    from provkg.capture.digesting import LIMIT_BYTES

    with warnings.catch_warnings(record=True) as troubles:
        warnings.simplefilter("always")
        recorder = Recorder(record, digest=digest, limit=LIMIT_BYTES if limit is None else limit, pipeline=".")
        files = {"used": used, "generated": generated}
        code = run_command(recorder, command, name=name, parameters=param, output=output, **files)
    for trouble in troubles:
        say(f"warning: {trouble.message}")
    return code
