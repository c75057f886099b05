"""Watch files and folders: each batch of changes is one transaction."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from provkg.errors import InputError
from provkg.ingest.holdings import Memory
from provkg.ingest.keeping import Keeping, packed
from provkg.ingest.outcomes import Outcome, Skipped
from provkg.ingest.sources import absolute, files
from provkg.ingest.summary import Summary
from provkg.ingest.tailing import Tail
from provkg.ingest.transaction import Transaction
from provkg.readers import compressed, find_reader, peek, readers
from provkg.readers.lines import SEARCH_BYTES
from provkg.store import Session, Store


@dataclass
class Batch:
    """What one transaction did: its numbers, the files that were looked at, and how long it took."""

    summary: Summary
    files: list[Path] = field(default_factory=list)
    seconds: float = 0.0


class Watching:
    """What is known of the files that are watched.

    Args:
        store: the store to write.
        paths: files and folders.
    """

    def __init__(self, store: Store, paths: Iterable[Path]) -> None:
        self.store, self.paths = store, [path.absolute() for path in paths]
        self.readers = readers()
        self.memory = Memory()
        self.tails: dict[Path, Tail] = {}
        self.repaired: set[Path] = set()  # logs that are read from their beginning each time
        self.strange: dict[Path, int] = {}  # what is no provenance, and how long it was
        self.revision = ""
        self.keeping = Keeping(None)

    def everything(self) -> set[Path]:
        """Return all files that are watched, as they are now."""
        return {path for path, _ in files(self.paths, [])}

    def left(self) -> set[Path]:
        """Return the logs that end within a line, and in which nothing was written for a while."""
        return {path for path, tail in self.tails.items() if tail.is_left()}

    def batch(self, session: Session, changed: Iterable[Path]) -> Batch:
        """Read what is new in some files, in one transaction.

        Raises:
            StoreError: the store cannot be written; nothing of the batch is visible, and it can be tried again.
        """
        found, begin = Batch(Summary(), sorted(changed)), time.monotonic()
        if self.store.revision() != self.revision:  # somebody else wrote
            self.forget()
        try:
            with session.transaction() as writing:
                transaction = Transaction(writing, self.store.config, found.summary, self.memory)
                try:
                    for path in found.files:
                        for where, outcomes in self.documents(path, transaction):
                            transaction.take(outcomes, where)
                    transaction.finish()
                finally:
                    transaction.stop()
        except BaseException:
            self.forget()
            raise
        self.revision = self.store.revision()
        found.seconds = time.monotonic() - begin
        return found

    def documents(self, path: Path, transaction: Transaction) -> Iterator[tuple[Path, Iterable[Outcome]]]:
        """Give what is to be read where a file changed: the log that was there before, and what is there now."""
        tail = self.tails.get(path)
        if tail is not None and tail.replaced:
            del self.tails[path]
            if tail.is_lost():
                tail.close()
            else:
                yield self.rotated(tail)
            tail = None
        if not path.is_file():
            return
        yield path, self.outcomes(path, tail, transaction)
        if path in self.tails and (self.tails[path].broken or self.tails[path].ended):
            self.tails.pop(path).close()

    def rotated(self, tail: Tail) -> tuple[Path, Iterable[Outcome]]:
        """Read a log to its end that has another name now, or none: what it said stays."""
        where = next((path for path in self._beside(tail.path) if tail.is_at(path)), None)
        if where is None:
            tail.moved(f"{tail.shown} (until {datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ})")
            found = list(tail.read(final=True, again=True))
            tail.close()
            return tail.path, found
        tail.moved(absolute(where), where)
        self.tails[where] = tail
        return where, tail.read(again=True)

    def _beside(self, path: Path) -> Iterator[Path]:
        """Give the files beside a log that are watched."""
        with suppress(OSError):
            beside = sorted(path.parent.iterdir())
            yield from (each for each in beside if each in self.paths or any(map(each.is_relative_to, self.paths)))

    def outcomes(self, path: Path, tail: Tail | None, transaction: Transaction) -> Iterator[Outcome]:
        """Read what is new in one file."""
        try:
            tail = tail or self.tail(path, transaction)
            if tail is not None and tail.is_repaired():
                self.tails.pop(path).close()
                self.repaired.add(path)
                tail = None
        except InputError as error:
            yield error
            return
        if tail is not None:
            yield from tail.read()
        elif path not in self.strange:
            for outcome in transaction.read(path, named=False):
                if isinstance(outcome, Skipped):
                    self.strange[path] = _size(path)
                yield outcome

    def tail(self, path: Path, transaction: Transaction) -> Tail | None:
        """Begin to read a log that grows; None where a file is none, or is not known to be one, or was repaired."""
        before, size = self.strange.get(path), _size(path)
        if path in self.repaired:
            return None
        if before is not None and (size == before or before >= SEARCH_BYTES):
            return None
        self.strange.pop(path, None)
        source = peek(path, self.store.config)
        if not source.size or compressed(source.head):
            return None
        reader = find_reader(source, self.readers)
        if reader is None or reader.live is None:
            return None
        self.keeping = transaction.keeping
        kept, known = self.keeping.file(absolute(path)), self.memory.known
        found = self.tails[path] = Tail(path, reader, self.store.config, known, transaction.repairs, kept)
        return found

    def forget(self) -> None:
        """Forget how far files were read, but for what is kept: what is in the store already is left as it is."""
        self.memory.clear()
        for tail in self.tails.values():
            if tail.settled:
                with suppress(OSError):  # it was to be kept, and need not be
                    self.keeping.keep(tail.shown, packed(tail.growth, self.store.config))
            tail.close()
        self.keeping.sweep()
        self.tails.clear()
        self.repaired.clear()

    def close(self) -> None:
        """Close all files."""
        self.forget()


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0
