"""Compare one file with what was recorded, and find files that moved."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from provkg.fixity.cache import DigestCache
from provkg.fixity.expected import Expected, algorithm_of

STATES = ("verified", "changed", "missing", "moved", "unverifiable")


class Found(NamedTuple):
    """What became of a file: one of :data:`STATES`; ``digest`` is that of the bytes that lie there now.

    ``where`` is the path of a file that moved, ``reason`` why nothing could be verified.
    """

    entity: str
    path: str
    state: str
    digest: str = ""
    where: str = ""
    reason: str = ""


class Rate:
    """Let no more than so many bytes a second pass, over all threads; any number when 0."""

    def __init__(self, bytes_per_second: float) -> None:
        self.rate, self._next, self._lock = bytes_per_second, 0.0, threading.Lock()

    def take(self, count: int) -> None:
        """Wait until so many more bytes may be read."""
        if self.rate <= 0:
            return
        with self._lock:
            start = max(self._next, time.monotonic())
            self._next = start + count / self.rate
        time.sleep(max(0.0, start - time.monotonic()))


def check(each: Expected, cache: DigestCache, rate: Rate) -> Found:
    """Compare one file with what was recorded."""
    if not os.path.lexists(each.path) and not each.elsewhere:
        return Found(each.entity, each.path, "missing")
    if each.unsure or not each.best:
        reason = each.unsure or f"no algorithm here for {', '.join(each.digests)}"
        return Found(each.entity, each.path, "unverifiable", reason=reason)
    if not Path(each.path).is_file():
        reason = "a broken link" if Path(each.path).is_symlink() else "no regular file"
        return Found(each.entity, each.path, "unverifiable", reason=reason)
    try:
        digest = digest_like(each.best, each.path, cache, rate)
    except FileNotFoundError:
        return Found(each.entity, each.path, "missing")
    except (OSError, ValueError) as error:
        return Found(each.entity, each.path, "unverifiable", reason=getattr(error, "strerror", None) or str(error))
    state = "verified" if digest == each.best else "changed"
    return Found(each.entity, each.path, state, digest=digest)


def digest_like(wanted: str, path: str, cache: DigestCache, rate: Rate) -> str:
    """Return the digest of a file, written as another digest is.

    Raises:
        OSError: it cannot be read.
    """
    value, _ = cache.digest(path, algorithm_of(wanted), rate.take)
    return f"{wanted.partition(':')[0]}:{value}"


def moved(
    missing: Iterable[Expected], folders: Iterable[str], there: set[str], cache: DigestCache, rate: Rate
) -> Iterator[Found]:
    """Give the missing files that lie elsewhere, by their bytes.

    Args:
        missing: what is not at its path; what has no digest, or is empty as any other, is not looked for.
        folders: where to look, with all below; links to folders are not followed.
        there: paths at which something else was recorded to lie.
        cache: digests that are known.
        rate: how fast to read.
    """
    wanted: dict[str, list[Expected]] = defaultdict(list)
    for each in missing:
        if each.best and each.size != 0:
            wanted[each.best].append(each)
    sizes = {each.size for some in wanted.values() for each in some}
    found: dict[str, str] = {}
    for path, size in _files(folders) if wanted else ():
        if path in there or (None not in sizes and size not in sizes) or size == 0:
            continue
        for spelled in {algorithm_of(each): each for each in wanted}.values():
            try:
                digest = digest_like(spelled, path, cache, rate)
            except OSError:
                continue
            for digest_wanted in wanted:
                if _same(digest, digest_wanted):
                    found[digest_wanted] = min(found.get(digest_wanted, path), path)
    for digest_wanted, path in found.items():
        for each in wanted[digest_wanted]:
            yield Found(each.entity, each.path, "moved", digest=digest_wanted, where=path)


def _same(one: str, other: str) -> bool:
    return algorithm_of(one) == algorithm_of(other) and one.partition(":")[2] == other.partition(":")[2]


def _files(folders: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Give the regular files below some folders, each once, with their sizes."""
    seen: set[str] = set()
    for folder in sorted(set(folders)):
        for above, _, names in os.walk(folder):
            for name in names:
                path = f"{above.rstrip('/')}/{name}"
                try:
                    facts = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - a million names
                except OSError:
                    continue
                if (facts.st_mode & 0o170000) == 0o100000 and path not in seen:
                    seen.add(path)
                    yield path, facts.st_size


def folders_of(missing: Iterable[Expected], all_paths: Iterable[str]) -> list[str]:
    """Return where missing files are looked for: their folders that are there, and what all paths have in common."""
    found = {folder for each in missing if os.path.isdir(folder := each.path.rpartition("/")[0])}  # noqa: PTH112
    common = os.path.commonpath([each.rpartition("/")[0] or "/" for each in all_paths] or ["/"])
    if common != "/" and os.path.isdir(common):  # noqa: PTH112
        found.add(common)
    return sorted(found - {"", "/"})
