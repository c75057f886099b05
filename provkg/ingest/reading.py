"""Read one source, stretch by stretch."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError, ProvkgError, said
from provkg.ingest.growth import Growth
from provkg.ingest.keeping import packed, recalled
from provkg.ingest.outcomes import Outcome, Present, Read, Skipped, Whole, plain
from provkg.mapping import map_records
from provkg.readers import Bounded, Reader, Source, find_reader, readers
from provkg.records import Stretch

PART_STATEMENTS = 200_000  # some 40 MB; a night's log of 1.7 MB has a tenth
_known_readers = cache(readers)


def read(
    source: Source,
    path: str,
    config: Config,
    *,
    named: bool,
    present: Callable[[str], bool],
    known: set[str],
    before: ledger.Placed | None = None,
    kept: Path | None = None,
) -> Iterator[Outcome]:
    """Read and map one source, stretch by stretch, but those that are already there.

    What cannot be read is the last outcome; what was read before it stands.

    Args:
        source: the open source.
        path: its path, as the ledger writes it.
        config: the settings; the base is that of the store.
        named: the user named this very file, so it must be provenance.
        present: says whether the store holds a graph, read by this version.
        known: what is shared and already written.
        before: what the path was when it was last read: of a log that grew only what is new is told.
        kept: the file that says how far it was read: then only what is new is read.
    """
    reader = find_reader(source, _known_readers()) if source.size else None
    if reader is None:
        yield _unknown(source, path) if named else Skipped(path)
        return
    last = ledger.graph_of(config.base, source.digest, path if reader.located else "")
    reading = _Reading(source, path, reader, config, present, known)
    if not present(last):
        try:
            yield from _guarded(reading.live(before, kept) if reader.live else reading.stretches(), path, reader)
        except InputError as error:
            yield error
            return
    placed = ledger.Placed(path, last, source.digest, source.size, *source.identity, len(source.regions))
    yield Whole(placed, source.began, reading.kept)


def _unknown(source: Source, path: str) -> InputError:
    if not source.size:
        return InputError(f"{path}: the file is empty", hint="was the pipeline stopped before it wrote?")
    return InputError(f"{path}: not a format that provkg knows", hint=f"known: {', '.join(_known_readers())}")


def _guarded(found: Iterator[Read | Present], path: str, reader: Reader) -> Iterator[Read | Present]:
    """Say what goes wrong: one source that nobody foresaw must not cost the others."""
    try:
        yield from found
    except InputError:
        raise
    except ProvkgError as error:
        raise InputError(error.message, hint=error.hint) from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except MemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {said(error)}"
        raise InputError(
            f"{path}: the reader {reader.name} failed: {reason}", hint="please report it with this file"
        ) from error


def _part(source: Source, number: int) -> Stretch:
    """Return the end of a part: of the document as a whole, of which no bytes are those of the part."""
    digest = sha256(f"{source.digest} {number}".encode()).hexdigest()
    return Stretch(end=0, digest=digest, nothing=0)


@dataclass
class _Reading:
    """How one source is read."""

    source: Source
    path: str
    reader: Reader
    config: Config
    present: Callable[[str], bool]
    known: set[str]
    kept: bytes = b""

    def stretches(self) -> Iterator[Read | Present]:
        """Read from the beginning to the end; what a document of many statements says is told in parts."""
        begin, source, base = 0, self.source, self.config.base
        records = self.reader.read(source)
        for number, mapped in enumerate(map_records(records, self.config, self.known, PART_STATEMENTS)):
            end = mapped.end or (source.end(0) if mapped.last else _part(source, number))
            if end.last:
                self.check(end.digest)
            where = (self.path if self.reader.located else "") if end.last else ledger.INNER
            graph = ledger.graph_of(base, end.digest, where)
            if self.present(graph):
                yield Present(self.path, graph, end.digest, end.end)
            else:
                yield plain(mapped, self.path, graph, begin, end, self.reader, base)
            begin = end.end

    def live(self, before: ledger.Placed | None, kept: Path | None) -> Iterator[Read | Present]:
        """Read a log that may grow; of one that grew by whole lines only what is new is read and told."""
        source = self.source
        if before is not None and 0 < before.size < source.size and source.began == before.digest:
            for file in dict.fromkeys((kept, None)):
                with source.open() as stream:
                    growth = self.growth()
                    if file is not None and not recalled(growth, self.config, file, stream, before.size):
                        continue
                    found = self.told(growth, stream, before)
                    if found is not None:
                        yield from found
                        yield from self.on(growth, stream)
                        return
        with source.open() as stream:
            yield from self.on(self.growth(), stream)

    def growth(self) -> Growth:
        """Return a log of which nothing was read."""
        return Growth(self.path, self.reader, self.config, self.known, self.present)

    def told(self, growth: Growth, stream: Bounded, before: ledger.Placed) -> list[Read | Present] | None:
        """Read on to where a log ended before; return what is there already, or None if it is not what was told."""
        whole = [*growth.whole]
        old = Bounded(stream, before.size - stream.passed)
        found = [*whole, *growth.stretches(old)]
        holds = all(self.present(graph) for graph in (before.holds, *(each.graph for each in whole)))
        return found if holds and old.complete and growth.pause() == before.holds else None

    def on(self, growth: Growth, stream: Bounded) -> Iterator[Read | Present]:
        """Read a log to its end."""
        yield from growth.stretches(stream)
        last = growth.last()
        self.check(last.digest)
        yield last
        if stream.complete and self.source.grows and growth.whole:  # what is short is read again as fast
            self.kept = packed(growth, self.config)

    def check(self, digest: str) -> None:
        """See that what was read is what was looked at."""
        if digest != self.source.digest:
            raise InputError(f"{self.path}: it was changed while it was read", hint="ingest it again")


def readable(path: Path) -> bool:
    """Say whether a file is there and may be read."""
    return path.is_file() and os.access(path, os.R_OK)
