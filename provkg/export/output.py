"""Where an export goes: stdout, a file that appears whole or not at all, or several files of so many statements."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from provkg.errors import InputError

STDOUT = "-"


@contextmanager
def opened(target: str | Path, *, compressed: bool = False) -> Iterator[BinaryIO]:
    """Open a target for writing; the same content gives the same bytes.

    Args:
        target: a path, or ``-`` for stdout.
        compressed: with gzip; so it is where the name of the target ends in ``.gz``.

    Raises:
        InputError: the file cannot be written.
    """
    squeezed = compressed or str(target).endswith(".gz")
    if str(target) == STDOUT:
        with _packed(sys.stdout.buffer, squeezed) as stream:
            yield stream
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            try:
                with _packed(file, squeezed) as stream:
                    yield stream
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(f"{path}: {error.strerror or error}") from None


def numbered(target: str | Path, number: int) -> Path:
    """Return the name of one file of several.

    >>> numbered("night.nq.gz", 3).name
    'night-0003.nq.gz'
    """
    path = Path(target)
    stem, dot, rest = path.name.partition(".")
    return path.with_name(f"{stem}-{number:04d}{dot}{rest}")


@contextmanager
def _packed(stream: BinaryIO, squeezed: bool) -> Iterator[BinaryIO]:
    if not squeezed:
        yield stream
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=6, mtime=0) as packed:
        yield cast("BinaryIO", packed)
