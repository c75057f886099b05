"""Read one source: what it becomes is plain data, so any process can read it for the one that writes."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError, ProvkgError, said
from provkg.ingest.loading import in_graph
from provkg.mapping import Edges, Mapped, map_records
from provkg.readers import Reader, Source, find_reader, readers
from provkg.readers.mending import Repair
from provkg.records import Quarantined, Stretch
from provkg.vocab import CATALOGUE, DESCRIPTIONS

VERSION = version("provkg")
_SURPRISES = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
_known_readers = cache(readers)


class Read(Struct, frozen=True):
    """What a document, or a stretch of a log, became: ``quads`` for its own graph, the catalogue and the descriptions.

    ``digest`` is that of the document to the end of the stretch. ``described`` names what is shared and was written for
    the first time; it stays empty where another process reads on, which describes that again: RDF is a set, and a
    source never depends on what was read before it.
    """

    path: str
    graph: str
    digest: str
    bytes: ledger.Bytes
    reader: str
    quads: str
    edges: Edges
    counts: Counter[str]
    remarks: Counter[str]
    quarantined: list[Quarantined]
    described: set[str]
    more: "More | None" = None

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.bytes.begin + self.bytes.length


class More(Struct, frozen=True):
    """What a stretch says more than one that ended earlier, and which said nothing else.

    ``than`` is its graph, ``edges`` are those that are new, ``activities`` those that it spoke of.
    """

    than: str
    edges: Edges
    activities: set[str]


class Present(Struct, frozen=True):
    """A stretch that the store holds already."""

    path: str
    graph: str
    digest: str
    end: int


class Whole(Struct, frozen=True):
    """All of a document was read, or is known.

    ``placed`` is what its path is now, ``began`` the digest of as much of it as was there before.
    """

    placed: ledger.Placed
    began: str

    @property
    def path(self) -> str:
        """Where it lies."""
        return self.placed.path

    @property
    def graph(self) -> str:
        """Its last stretch."""
        return self.placed.holds


class Skipped(Struct, frozen=True):
    """A path that is no provenance."""

    path: str


Outcome = Read | Present | Whole | Skipped | InputError


class Task(Struct, frozen=True):
    """One file to read.

    ``before`` are the graphs that the store holds of its path, read by this version of provkg, ``size`` how long they
    are together, ``repairs`` what was repaired in this and other documents.
    """

    path: str
    shown: str
    named: bool
    before: frozenset[str] = frozenset()
    size: int = 0
    repairs: tuple[Repair, ...] = ()


def read(
    source: Source, path: str, config: Config, *, named: bool, present: Callable[[str], bool], known: set[str]
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
            yield from _stretches(source, path, reader, config, present=present, known=known)
        except InputError as error:
            yield error
            return
    yield Whole(
        ledger.Placed(path, last, source.digest, source.size, *source.identity, len(source.regions)), source.began
    )


def _stretches(
    source: Source, path: str, reader: Reader, config: Config, *, present: Callable[[str], bool], known: set[str]
) -> Iterator[Read | Present]:
    begin = 0
    for mapped in _mapped(source, path, reader, config, known):
        end = mapped.end or Stretch(end=source.size, digest=source.digest, nothing=0, last=True)
        if end.last and end.digest != source.digest:
            raise InputError(f"{path}: it was changed while it was read", hint="ingest it again")
        where = (path if reader.located else "") if end.last else ledger.INNER
        graph = ledger.graph_of(config.base, end.digest, where)
        if present(graph):
            yield Present(path, graph, end.digest, end.end)
        else:
            yield plain(mapped, path, graph, begin, end, reader, config.base)
        begin = end.end


def _mapped(source: Source, path: str, reader: Reader, config: Config, known: set[str]) -> Iterator[Mapped]:
    try:
        yield from map_records(reader.read(source), config, known)
    except InputError:
        raise
    except ProvkgError as error:
        raise InputError(error.message, hint=error.hint) from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except _SURPRISES as error:  # one source that nobody foresaw must not cost the others
        reason = f"{type(error).__name__}: {said(error)}"
        raise InputError(
            f"{path}: the reader {reader.name} failed: {reason}", hint="please report it with this file"
        ) from error


def plain(mapped: Mapped, path: str, graph: str, begin: int, end: Stretch, reader: Reader, base: str) -> Read:
    """Return what a stretch became, as plain data.

    Args:
        mapped: its statements.
        path: where the document lies, as the ledger writes it.
        graph: the stretch.
        begin: its first byte.
        end: where it ends.
        reader: what read it.
        base: of the IRIs.
    """
    mapped.counts["quarantined"] = len(mapped.quarantined)
    quads = [
        in_graph(graph, mapped.source),
        in_graph(base + CATALOGUE, mapped.catalogue),
        in_graph(base + DESCRIPTIONS, mapped.descriptions),
    ]
    lost = sum(piece.length for piece in mapped.quarantined)
    return Read(
        path=path,
        graph=graph,
        digest=end.digest,
        bytes=ledger.Bytes(begin, end.end - begin, end.nothing, lost),
        reader=reader.name,
        quads="".join(quads),
        edges=mapped.edges,
        counts=mapped.counts,
        remarks=mapped.remarks,
        quarantined=mapped.quarantined,
        described=mapped.described,
    )


def readable(path: Path) -> bool:
    """Say whether a file is there and may be read."""
    return path.is_file() and os.access(path, os.R_OK)
