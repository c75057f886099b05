"""The option of the commands that record what they do."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def with_record(what: str) -> Callable[[Command], Command]:
    """Add ``--record`` to a command: the log to which it appends."""
    return click.option(
        "--record",
        metavar="FILE",
        default="provkg.jsonl",
        envvar="PROVKG_CAPTURE_FILE",
        show_default=True,
        help=f"{what}, for `provkg ingest`; also PROVKG_CAPTURE_FILE.",
    )
