"""Find the sources that a user names."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from provkg.errors import InputError
from provkg.readers import CHUNK_BYTES, shown


def files(paths: Iterable[str | Path], errors: list[InputError]) -> Iterator[tuple[Path, bool]]:
    """Give each file once, and whether it was named itself; folders in a stable order."""
    seen: set[str] = set()
    for given in paths:
        path = Path(given)
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a parent may not be read
            for file in _walk(path, errors):
                if os.path.realpath(file) not in seen:
                    seen.add(os.path.realpath(file))
                    yield file, False
        elif str(given) == "-" or os.path.realpath(path) not in seen:
            seen.add(os.path.realpath(path))
            yield path, True


def _walk(folder: Path, errors: list[InputError]) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        errors.append(
            InputError(f"{shown(error.filename)}: {error.strerror}", hint="ask its owner for the right to read")
        )

    for here, folders, files in os.walk(folder, onerror=refused):
        # a store that lies among the records is not one of them
        folders[:] = sorted(name for name in folders if not os.path.isfile(f"{here}/{name}/CURRENT"))  # noqa: PTH113
        yield from (Path(here, name) for name in sorted(files) if os.path.isfile(f"{here}/{name}"))  # noqa: PTH113


def size(path: Path) -> int:
    """Return how long a file is, as far as can be said."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def absolute(path: Path) -> str:
    """Return a path as the ledger writes it."""
    return shown(path.absolute())


def spooled(path: Path, folder: Path) -> Path:
    """Copy a stream to a file: readers look at a source twice."""
    target = folder / "stream"
    stream: IO[bytes] = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    with stream, target.open("wb") as out:
        while chunk := stream.read(CHUNK_BYTES):
            out.write(chunk)
    return target
