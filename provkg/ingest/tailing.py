"""A log that grows: what is new is read and mapped, and the stretch that it belongs to is told again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from msgspec.structs import replace

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError
from provkg.ingest.growth import Growth
from provkg.ingest.keeping import recalled
from provkg.ingest.outcomes import Outcome, Whole
from provkg.ingest.sources import absolute
from provkg.readers import CHUNK_BYTES, Bounded, Reader
from provkg.readers.mending import Lookout, Repair

LEFT_SECONDS = 30  # after which a line that is not complete is read as it is


class Tail:
    """A log as far as it was read; what it says is the same as if it had been read at once.

    A line is read when it is complete, or when nothing was written for a while: its writer is dead, or it is not known
    how long it takes; then all is read again if something comes. The file stays open, so that what was written before
    it was renamed is read to its end.

    Args:
        path: the log, which is not compressed.
        reader: reads logs that grow.
        config: the settings; the base is that of the store.
        known: what is shared and already written; kept by the caller.
        repairs: of this and of other documents; a log in which a piece was repaired is to be read from its beginning.
        kept: the file that says how far it was read before, if it does.

    Raises:
        InputError: it cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        reader: Reader,
        config: Config,
        known: set[str],
        repairs: Iterable[Repair] = (),
        kept: Path | None = None,
    ) -> None:
        self.path, self.shown, self.base = path, absolute(path), config.base
        self.began = ""
        self.broken = self.ended = self.settled = False
        self.lookout = Lookout(repairs)
        try:
            self.file: IO[bytes] = path.open("rb")
            self.device = path.parent.stat().st_dev
        except OSError as error:
            raise InputError(f"{self.shown}: {error.strerror or error}") from None
        self.growth = growth = Growth(self.shown, reader, config, known, lambda _: False)
        size = os.fstat(self.file.fileno()).st_size
        self.untold = kept is not None and recalled(growth, config, kept, Bounded(self.file, size), size)
        if not self.untold:
            self.growth = Growth(self.shown, reader, config, known, lambda _: False)

    @property
    def offset(self) -> int:
        """How many bytes were read."""
        return self.growth.reading.offset

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def is_at(self, path: Path) -> bool:
        """Say whether this is the file at a path."""
        mine = os.fstat(self.file.fileno())
        try:
            there = path.stat()
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino) and there.st_size >= self.offset

    def is_lost(self) -> bool:
        """Say whether the disk that it was on is not there: that says nothing of the log."""
        try:
            return self.path.parent.stat().st_dev != self.device
        except OSError as error:
            return not isinstance(error, FileNotFoundError)

    def is_left(self) -> bool:
        """Say whether it ends within a line, and nothing was written for a while."""
        facts = os.fstat(self.file.fileno())
        return facts.st_size > self.offset and _is_old(facts)

    def is_repaired(self) -> bool:
        """Say whether a piece of what is there was repaired."""
        return self.lookout.meets(self.file, os.fstat(self.file.fileno()).st_size)

    @property
    def replaced(self) -> bool:
        """Say whether something else lies at the path now, or less than was read."""
        return not self.is_at(self.path)

    def moved(self, shown: str, path: Path | None = None) -> None:
        """Take over another name: that of the file now, or what the ledger calls what is no more."""
        self.path, self.shown = path or self.path, shown
        self.growth.shown, self.growth.whole = shown, [replace(each, path=shown) for each in self.growth.whole]

    def read(self, *, final: bool = False, again: bool = False) -> Iterator[Outcome]:
        """Read what is new, and give all stretches; nothing where nothing is new.

        Args:
            final: nothing will come any more, so a line without its end is read too.
            again: give all stretches though nothing is new.
        """
        try:
            facts = os.fstat(self.file.fileno())
            end = self._complete(facts.st_size)
            if facts.st_size > end and (final or _is_old(facts)):
                end, self.ended = facts.st_size, True
            if end <= self.offset and not self.untold and not (again and self.began):
                return
            self.untold = self.settled = False
            yield from [*self.growth.whole]
            self.file.seek(self.offset)
            yield from self.growth.stretches(Bounded(self.file, max(0, end - self.offset)))
        except OSError as error:
            self.broken = True
            yield InputError(f"{self.shown}: {error.strerror or error}")
            return
        last = self.growth.last()
        yield last
        identity = (facts.st_size, facts.st_dev, facts.st_ino, facts.st_mtime_ns)
        yield Whole(ledger.Placed(self.shown, last.graph, last.digest, last.end, *identity), self.began)
        self.began = last.digest
        self.settled = True

    def _complete(self, size: int) -> int:
        """Return where the last line ends that is complete."""
        at = size
        while at > self.offset:
            begin = max(self.offset, at - CHUNK_BYTES)
            self.file.seek(begin)
            found = self.file.read(at - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            at = begin
        return self.offset


def _is_old(facts: os.stat_result) -> bool:
    """Say whether a file was not written for a while."""
    return time.time() - facts.st_mtime > LEFT_SECONDS
