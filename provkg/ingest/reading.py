"""Read one source: what it becomes is plain data, so any process can read it for the one that writes."""

import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError, ProvkgError
from provkg.ingest.loading import in_graph
from provkg.mapping import Edges, Mapping, map_records
from provkg.readers import Reader, Source, find_reader, readers
from provkg.records import Quarantined
from provkg.vocab import CATALOGUE, DESCRIPTIONS

VERSION = version("provkg")
_SURPRISES = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
_known_readers = cache(readers)


class Mapped(Struct, frozen=True):
    """What a source became: ``quads`` for its own graph, the catalogue and the descriptions.

    ``described`` names what is shared and was written for the first time; it stays empty where another process reads
    on, which describes that again: RDF is a set, and a source never depends on what was read before it.
    """

    graph: str
    path: str
    digest: str
    size: int
    reader: str
    quads: str
    edges: Edges
    counts: Counter[str]
    remarks: Counter[str]
    quarantined: list[Quarantined]
    described: set[str]


class Present(Struct, frozen=True):
    """A path whose content the store holds already."""

    graph: str
    path: str


class Skipped(Struct, frozen=True):
    """A path that is no provenance."""

    path: str


Outcome = Mapped | Present | Skipped | InputError


class Task(Struct, frozen=True):
    """One file to read: ``before`` is the graph that the store holds of its path, read by this version of provkg."""

    path: str
    shown: str
    named: bool
    before: str


def read(
    source: Source, path: str, config: Config, *, named: bool, present: Callable[[str], bool], known: set[str]
) -> Mapped | Present | Skipped:
    """Read and map one source, unless its content is already there.

    Args:
        source: the open source.
        path: its path, as the ledger writes it.
        config: the settings; the base is that of the store.
        named: the user named this very file, so it must be provenance.
        present: says whether the store holds a graph, read by this version.
        known: what is shared and already written.

    Raises:
        InputError: it cannot be read; the others can.
    """
    if not source.size and named:
        raise InputError(f"{path}: the file is empty", hint="was the pipeline stopped before it wrote?")
    among = _known_readers()
    reader = find_reader(source, among) if source.size else None
    if reader is None:
        if named:
            raise InputError(f"{path}: not a format that provkg knows", hint=f"known: {', '.join(among)}")
        return Skipped(path)
    graph = ledger.graph_of(config.base, source.digest, path if reader.located else "")
    if present(graph):
        return Present(graph, path)
    return _plain(_mapped(source, path, reader, config, known), graph, path, source, reader, config.base)


def _mapped(source: Source, path: str, reader: Reader, config: Config, known: set[str]) -> Mapping:
    try:
        return map_records(reader.read(source), config, known)
    except InputError:
        raise
    except ProvkgError as error:
        raise InputError(error.message, hint=error.hint) from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except _SURPRISES as error:  # one source that nobody foresaw must not cost the others
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise InputError(
            f"{path}: the reader {reader.name} failed: {reason}", hint="please report it with this file"
        ) from error


def _plain(mapping: Mapping, graph: str, path: str, source: Source, reader: Reader, base: str) -> Mapped:
    mapping.counts["quarantined"] = len(mapping.quarantined)
    quads = [
        in_graph(graph, mapping.source),
        in_graph(base + CATALOGUE, mapping.shared.catalogue),
        in_graph(base + DESCRIPTIONS, mapping.shared.descriptions),
    ]
    return Mapped(
        graph=graph,
        path=path,
        digest=source.digest,
        size=source.size,
        reader=reader.name,
        quads="".join(quads),
        edges=mapping.edges,
        counts=mapping.counts,
        remarks=mapping.remarks,
        quarantined=mapping.quarantined,
        described=mapping.shared.fresh,
    )


def readable(path: Path) -> bool:
    """Say whether a file is there and may be read."""
    return path.is_file() and os.access(path, os.R_OK)
