r"""Listings: what lies in an archive, from a folder or from the lists that tools write.

Found from the first line: paths, one a line; ``find -printf '%s %T@ %p\n'``; ``find -printf '%p\t%s\n'``; the output
of sha256sum and its kin; CSV or TSV with a column of paths. Any of them may be compressed.
"""

import csv
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provkg.config import Config
from provkg.errors import InputError
from provkg.readers import open_source

_NAMES = ("path", "filepath", "file_path", "location", "file", "filename", "name")
_SUM = re.compile(r"\\?[0-9a-fA-F]{32,128} [ *](?P<path>.+)")
_FIND = re.compile(r"\d+ \d+(?:\.\d+)? (?P<path>.+)")
_TABBED = re.compile(r"(?P<path>[^\t]+)\t.*")
_PLAIN = re.compile(r"(?P<path>[^\0]+)")
_FORMATS = (_SUM, _FIND, _TABBED, _PLAIN)


@dataclass(frozen=True)
class Listing:
    """Absolute paths of files, the folders that the list is all of, and what of it could not be read."""

    paths: frozenset[str]
    roots: tuple[str, ...]
    unread: tuple[InputError, ...] = ()


def read_listing(path: str | Path, config: Config, roots: Iterable[str] = ()) -> Listing:
    """Read what lies in an archive.

    Args:
        path: a folder, a file that lists files, or ``-`` for standard input.
        config: the settings.
        roots: the folders that the list is all of; where none is given, the folder itself, or what all paths have in
            common. Relative paths begin in the first, else in the folder of the list.

    Raises:
        InputError: it cannot be read at all.
    """
    given = tuple(os.path.abspath(each) for each in roots)  # noqa: PTH100 - links stay as they are written
    if str(path) != "-" and Path(path).is_dir():
        folder = os.path.abspath(path)  # noqa: PTH100
        errors: list[InputError] = []
        return Listing(frozenset(_walked(folder, errors)), given or (folder,), tuple(errors))
    if str(path) == "-":
        lines: Iterator[str] = (line.rstrip("\r\n") for line in sys.stdin)
        begin = given[0] if given else str(Path.cwd())
    else:
        with open_source(Path(path), config).open() as stream:
            lines = iter(stream.read().decode("utf-8", "surrogateescape").splitlines())
        begin = given[0] if given else os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120
    found: set[str] = set()
    unread: list[InputError] = []
    for number, text in _paths(lines):
        if text is None:
            unread.append(InputError(f"{path}:{number}: no path in this line"))
        else:
            found.add(os.path.normpath(os.path.join(begin, text)))  # noqa: PTH118
    common = (os.path.commonpath([os.path.dirname(each) for each in found]),) if found else ()  # noqa: PTH120
    return Listing(frozenset(found), given or common, tuple(unread))


def _walked(folder: str, errors: list[InputError]) -> Iterator[str]:
    """Give the files below a folder; links to folders are not followed."""

    def failed(error: OSError) -> None:
        errors.append(InputError(f"{error.filename}: {error.strerror}"))

    for above, _, names in os.walk(folder, onerror=failed):
        yield from (f"{above.rstrip('/')}/{name}" for name in names)


def _paths(lines: Iterator[str]) -> Iterator[tuple[int, str | None]]:
    """Give line numbers and paths; None where a line is not of the format that the first line has."""
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        return
    for separator in (",", "\t"):
        head = [each.strip().strip('"').lower() for each in first.split(separator)]
        column = next((head.index(name) for name in _NAMES if name in head), None)
        if column is not None and not first.startswith(("/", ".")):
            yield from _column(lines, separator, column)
            return
    take = _taking(next(each for each in _FORMATS if each.fullmatch(first)))
    yield 1, take(first)
    yield from ((number, take(line)) for number, line in enumerate(lines, 2) if line.strip())


def _column(lines: Iterator[str], separator: str, column: int) -> Iterator[tuple[int, str | None]]:
    rows = csv.reader(lines, delimiter=separator)
    for row in rows:
        if any(row):
            yield rows.line_num + 1, (row[column] or None) if len(row) > column else None


def _taking(form: re.Pattern[str]) -> Callable[[str], str | None]:
    def take(line: str) -> str | None:
        match = form.fullmatch(line)
        if match is None:
            return None
        path = match["path"]  # sha256sum escapes what would break its lines
        return path.replace("\\n", "\n").replace("\\\\", "\\") if line.startswith("\\") else path

    return take
