"""Verify files: in threads, no faster than wanted, going on where a killed run was, with the findings in the graph."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from provkg import identity
from provkg.errors import InputError
from provkg.fixity.cache import DigestCache, cache_path
from provkg.fixity.checking import Found, Rate, check, folders_of, moved
from provkg.fixity.expected import Expected, Selection, expected
from provkg.fixity.observations import observe
from provkg.fixity.sampling import Confidence, bound, size_of

if TYPE_CHECKING:
    from provkg.config import Config
    from provkg.store import Store

Progress = Callable[[int, int, str], None]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Options:
    """How to verify.

    Args:
        jobs: how many files are read at once.
        rate: bytes a second over all of them; any number when 0.
        cached: take the digest of a file that did not change since it was read.
        search: folders in which files that moved are looked for.
        sample: how many files, or how many of a hundred (``1%``); all when empty.
        seed: of the sample.
        confidence: of what is said after a sample.
        record: write the observations into the graph.
    """

    jobs: int = 4
    rate: float = 0
    cached: bool = True
    search: tuple[str, ...] = ()
    sample: str = ""
    seed: int = 0
    confidence: float = 0.99
    record: bool = True


@dataclass(frozen=True)
class Verification:
    """What was found: of each file, in the order of paths.

    Args:
        found: what became of each file.
        superseded: how many older versions at these paths were left out.
        taken_over: how many a run before, which was killed, had looked at.
        confidence: what is sure of all after a sample; None where all were looked at.
        when: the time of the observations; what was taken over has the time at which it was found.
    """

    found: tuple[Found, ...]
    superseded: int
    taken_over: int
    confidence: Confidence | None
    when: str

    @property
    def counts(self) -> Counter[str]:
        """How many files there are in each state."""
        return Counter(each.state for each in self.found)

    @property
    def is_good(self) -> bool:
        """Say whether nothing is changed, missing or moved."""
        return not {"changed", "missing", "moved"} & self.counts.keys()


def verify(
    store: Store, selection: Selection, config: Config, options: Options, *, progress: Progress | None = None
) -> Verification:
    """Compare files with what was recorded of them.

    Args:
        store: what was recorded.
        selection: which files.
        config: the scope of paths.
        options: how.
        progress: is told how many are done, how many there are, and which was the last.

    Raises:
        NotFound: nothing answers to a name.
        Ambiguous: several versions do.
        InputError: a sample or a folder to search is wrong.
        StoreError: the store cannot be read or written.
    """
    for folder in options.search:
        if not Path(folder).is_dir():
            raise InputError(f"{folder} is no folder to search")
    graph = store.read()
    wanted, superseded = expected(graph, selection, config)
    chosen = _sampled(wanted, options)
    journal = _Journal(store, f"{graph.snapshot} {selection} {options.sample} {options.seed}")
    begun = journal.read({(each.entity, each.path) for each in chosen})
    known = {entity: found for entity, (found, _) in begun.items()}
    journal.open()
    cache = DigestCache(cache_path() if options.cached else None)
    try:
        found = list(_checked(chosen, known, journal, cache, options, progress))
        found = list(_searched(chosen, found, wanted, cache, options))
    finally:
        cache.close()
        journal.close()
    when = _now()
    if options.record and found:
        observe(store, ((each, begun[each.entity][1] if each.entity in begun else when) for each in found))
    journal.remove()
    sure = _sure(wanted, found, options) if options.sample else None
    return Verification(tuple(found), superseded, len(known), sure, when)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _sampled(wanted: list[Expected], options: Options) -> list[Expected]:
    """Return some of the files, the same for the same seed; what cannot be verified is no part of a sample."""
    if not options.sample:
        return wanted
    possible = [each for each in wanted if not each.unsure]
    try:
        count = size_of(options.sample, len(possible))
    except ValueError:
        raise InputError(f"{options.sample!r} is no size of a sample", hint="such as 500 or 1%") from None
    chosen = random.Random(options.seed).sample(range(len(possible)), count)  # noqa: S311 - no secret
    return [possible[at] for at in sorted(chosen)]


def _sure(wanted: list[Expected], found: list[Found], options: Options) -> Confidence:
    population = sum(not each.unsure for each in wanted)
    bad = sum(each.state != "verified" for each in found)
    return bound(population, len(found), bad, options.confidence)


def _checked(
    chosen: list[Expected],
    known: dict[str, Found],
    journal: _Journal,
    cache: DigestCache,
    options: Options,
    progress: Progress | None,
) -> Iterator[Found]:
    """Give what became of each file, in order; what a run before had looked at is taken over."""
    rate = Rate(options.rate)

    def one(each: Expected) -> Found:
        if each.entity in known:
            return known[each.entity]
        found = check(each, cache, rate)
        journal.write(found)
        return found

    with ThreadPoolExecutor(max(1, options.jobs)) as threads:
        try:
            for done, found in enumerate(threads.map(one, chosen), 1):
                if progress is not None:
                    progress(done, len(chosen), found.path)
                yield found
        finally:  # who interrupts does not wait for the others
            threads.shutdown(cancel_futures=True)


def _searched(
    chosen: list[Expected], found: list[Found], wanted: list[Expected], cache: DigestCache, options: Options
) -> Iterator[Found]:
    """Give what became of each file; what is missing and lies elsewhere has moved."""
    gone = {each.entity for each in found if each.state == "missing"}
    missing = [each for each in chosen if each.entity in gone]
    paths = [each.path for each in wanted]
    folders = options.search or tuple(folders_of(missing, paths)) if missing else ()
    elsewhere = {each.entity: each for each in moved(missing, folders, set(paths), cache, Rate(options.rate))}
    yield from (elsewhere.get(each.entity, each) for each in found)


class _Journal:
    """What was found so far and when, a line of JSON each, for a run that goes on after a kill.

    A torn last line is left out, and what is older than a day: it says too little of now.
    """

    def __init__(self, store: Store, what: str) -> None:
        folder = cache_path().parent / "verify"
        self.path = folder / f"{identity.digest(store.name, what)}.jsonl"
        self._file: int | None = None

    def read(self, wanted: set[tuple[str, str]]) -> dict[str, tuple[Found, str]]:
        """Return what a run before has found of these, and when."""
        found: dict[str, tuple[Found, str]] = {}
        oldest = datetime.now(UTC) - _DAY
        with suppress(OSError), self.path.open("rb") as lines:
            for line in lines:
                try:
                    at, *facts = json.loads(line)
                    each, fresh = Found(*facts), datetime.fromisoformat(at) > oldest
                except (ValueError, TypeError):
                    continue
                if fresh and (each.entity, each.path) in wanted:
                    found[each.entity] = each, at
        return found

    def open(self) -> None:
        """Open it to write."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if self.path.stat().st_size:
            os.write(self._file, b"\n")  # a torn line ends here

    def write(self, each: Found) -> None:
        """Note one file, by one write."""
        assert self._file is not None
        os.write(self._file, json.dumps([_now(), *each]).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Remove it: all of it is in the graph, or nobody wants it."""
        self.path.unlink(missing_ok=True)
