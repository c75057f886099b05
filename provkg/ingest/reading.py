"""Read one source, stretch by stretch."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError, ProvkgError, said
from provkg.ingest.growth import Growth
from provkg.ingest.outcomes import Outcome, Present, Read, Skipped, Whole, plain
from provkg.mapping import map_records
from provkg.readers import Bounded, Reader, Source, find_reader, readers
from provkg.records import Stretch

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
    """
    if not source.size and named:
        yield InputError(f"{path}: the file is empty", hint="was the pipeline stopped before it wrote?")
        return
    among = _known_readers()
    reader = find_reader(source, among) if source.size else None
    if reader is None:
        hint = f"known: {', '.join(among)}"
        yield InputError(f"{path}: not a format that provkg knows", hint=hint) if named else Skipped(path)
        return
    last = ledger.graph_of(config.base, source.digest, path if reader.located else "")
    if not present(last):
        try:
            reading = _Reading(source, path, reader, config, present, known)
            yield from _guarded(reading.since(before) if before is not None else reading.stretches(), path, reader)
        except InputError as error:
            yield error
            return
    yield Whole(
        ledger.Placed(path, last, source.digest, source.size, *source.identity, len(source.regions)), source.began
    )


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


@dataclass
class _Reading:
    """How one source is read."""

    source: Source
    path: str
    reader: Reader
    config: Config
    present: Callable[[str], bool]
    known: set[str]

    def stretches(self) -> Iterator[Read | Present]:
        """Read from the beginning to the end."""
        begin, source, base = 0, self.source, self.config.base
        for mapped in map_records(self.reader.read(source), self.config, self.known):
            end = mapped.end or Stretch(end=source.size, digest=source.digest, nothing=0, last=True)
            if end.last:
                self.check(end.digest)
            where = (self.path if self.reader.located else "") if end.last else ledger.INNER
            graph = ledger.graph_of(base, end.digest, where)
            if self.present(graph):
                yield Present(self.path, graph, end.digest, end.end)
            else:
                yield plain(mapped, self.path, graph, begin, end, self.reader, base)
            begin = end.end

    def since(self, before: ledger.Placed) -> Iterator[Read | Present]:
        """Read so that only what is new since then is told, where it is a log that grew by whole lines."""
        source = self.source
        grown = before.size < source.size and source.began == before.digest and self.present(before.holds)
        if self.reader.live is None or not before.size or not grown:
            yield from self.stretches()
            return
        growth = Growth(self.path, self.reader, self.config, self.known, self.present)
        with source.open() as stream:
            old = Bounded(stream, before.size)
            found = list(growth.stretches(old))
            if old.complete and growth.pause() == before.holds:
                yield from found
                yield from growth.stretches(stream)
                last = growth.last()
                self.check(last.digest)
                yield last
                return
        yield from self.stretches()

    def check(self, digest: str) -> None:
        """See that what was read is what was looked at."""
        if digest != self.source.digest:
            raise InputError(f"{self.path}: it was changed while it was read", hint="ingest it again")


def readable(path: Path) -> bool:
    """Say whether a file is there and may be read."""
    return path.is_file() and os.access(path, os.R_OK)
