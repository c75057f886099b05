"""Ingest: sources become graphs, in one transaction.

Each source is read and mapped into a graph of its own; a source whose content is already there is left alone, one
whose path now has other content replaces the old graph. Then the usages are resolved over all sources. Loading runs
in a second thread while the next source is mapped.
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from pyoxigraph import NamedNode, Quad

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError, ProvkgError
from provkg.lineage.resolution import Batch, link_quads, resolve
from provkg.mapping import Mapping, map_records
from provkg.mapping.terms import literal
from provkg.readers import CHUNK_BYTES, Reader, Source, find_reader, open_source, readers, shown
from provkg.records import Quarantined
from provkg.store import EmbeddedStore, Graph, Writing
from provkg.vocab import CATALOGUE, DESCRIPTIONS, LEDGER, PKG, PROV, RDF_TYPE, RESOLUTION, short

BATCH_USAGES = 400_000
LOAD_CHARACTERS = 24 << 20
KNOWN_LIMIT = 200_000
STREAM = "-"
_SURPRISES = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
Progress = Callable[[int, int, str], None]


@dataclass
class Summary:
    """What an ingest did. ``errors`` are the inputs that could not be read at all, each with its hint."""

    sources: int = 0
    unchanged: int = 0
    replaced: int = 0
    skipped: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    quarantined: list[tuple[str, Quarantined]] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)

    @property
    def exit_status(self) -> int:
        """0 everything was read; 4 some of it; 3 nothing."""
        if self.errors and not (self.sources or self.unchanged):
            return 3
        return 4 if self.errors or self.counts["quarantined"] else 0


def ingest(store: EmbeddedStore, paths: Iterable[str | Path], *, progress: Progress | None = None) -> Summary:
    """Read files and folders into a store; the store is made when it is not there.

    Args:
        store: the store to write.
        paths: files, folders (read recursively), or ``-`` for standard input.
        progress: called with the bytes done, the bytes in all and the name of each source.

    Raises:
        StoreError: the store cannot be written; then nothing of this ingest is visible.
    """
    summary = Summary()
    found = list(_files(paths, summary))
    if not any(named for _, named in found) and not found:
        return summary
    with store.write() as writing:
        _Ingest(writing, store, summary).run(found, progress)
    return summary


def _files(paths: Iterable[str | Path], summary: Summary) -> Iterator[tuple[Path, bool]]:
    """Give each file once, and whether it was named itself; folders in a stable order."""
    seen: set[str] = set()
    for given in paths:
        path = Path(given)
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a parent may not be read
            for file in _walk(path, summary):
                if os.path.realpath(file) not in seen:
                    seen.add(os.path.realpath(file))
                    yield file, False
        elif str(given) == "-" or os.path.realpath(path) not in seen:
            seen.add(os.path.realpath(path))
            yield path, True


def _walk(folder: Path, summary: Summary) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        summary.errors.append(
            InputError(f"{shown(error.filename)}: {error.strerror}", hint="ask its owner for the right to read")
        )

    for here, folders, files in os.walk(folder, onerror=refused):
        # a store that lies among the records is not one of them
        folders[:] = sorted(name for name in folders if not os.path.isfile(f"{here}/{name}/CURRENT"))  # noqa: PTH113
        yield from (Path(here, name) for name in sorted(files) if os.path.isfile(f"{here}/{name}"))  # noqa: PTH113


class _Ingest:
    def __init__(self, writing: Writing, store: EmbeddedStore, summary: Summary) -> None:
        self.writing, self.config, self.summary = writing, store.config, summary
        self.base = writing.base
        self.version = version("provkg")
        self.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.entries, self.by_path = ledger.entries(writing.graph)
        self.known: set[str] = set()
        self.parts: list[str] = []
        self.size = 0
        self.batch = Batch()
        self.alone = writing.fresh
        self.orphans: set[str] = set()
        self.loader = ThreadPoolExecutor(1)
        self.loads: list[Future[None]] = []

    def run(self, files: list[tuple[Path, bool]], progress: Progress | None) -> None:
        sizes = [_size(path) for path, _ in files]
        done, known = 0, readers()
        try:
            for (path, named), size in zip(files, sizes, strict=True):
                if progress is not None:
                    progress(done, sum(sizes), shown(path))
                self.file(path, known, named=named)
                done += size
                if len(self.batch) >= BATCH_USAGES:
                    self.resolve()
            self.resolve()
            self.collect()
        finally:
            self.loader.shutdown(cancel_futures=True)

    def file(self, path: Path, known: dict[str, Reader], *, named: bool) -> None:
        try:
            if str(path) == "-" or (path.exists() and not path.is_file()):  # a pipe can be read only once
                with tempfile.TemporaryDirectory() as folder:
                    spooled = _spooled(path, Path(folder))
                    self.source(open_source(spooled, self.config, location=""), STREAM, known, named=True)
            else:
                self.source(open_source(path, self.config), _absolute(path), known, named=named)
        except InputError as error:
            if named or "file is empty" not in error.message:
                self.summary.errors.append(error)
            else:
                self.summary.skipped.append(shown(path))

    def source(self, source: Source, path: str, known: dict[str, Reader], *, named: bool) -> None:
        reader = find_reader(source, known)
        if reader is None:
            if named:
                raise InputError(f"{path}: not a format that provkg knows", hint=f"known: {', '.join(known)}")
            self.summary.skipped.append(path)
            return
        graph = ledger.graph_of(self.base, source.digest, path if reader.located else "")
        before = self.entries.get(graph)
        old = self.by_path.get(path) if path != STREAM else None
        if before is not None and before.version == self.version:
            self.summary.unchanged += 1
            self.claim(graph, path, old)
            return
        mapping = _mapped(source, path, reader, self.config, self.known)
        if before is not None:
            self.forget(graph)
        if old not in (None, graph):
            self.release(str(old), path)
        paths = {path, *(before.paths if before is not None else ())}
        self.take(graph, tuple(sorted(paths)), source, reader, mapping)

    # Replacing

    def claim(self, graph: str, path: str, old: str | None) -> None:
        """Note that a path holds content that is already there."""
        if old == graph:
            return
        if old is not None:
            self.release(old, path)
        self.note_path(path, graph)
        self.add(graph, self.base + LEDGER, [f"<{graph}> <{PKG.sourcePath}> {literal(path)} ."])

    def note_path(self, path: str, graph: str) -> None:
        """Remember which source a path holds; a stream holds nothing when it is over."""
        if path != STREAM:
            self.by_path[path] = graph

    def release(self, graph: str, path: str) -> None:
        """Take a path from a source; a source without a path is replaced."""
        self.flush()
        self.summary.replaced += 1
        claims = self.writing.graph
        self.writing.remove([quad for quad in ledger.path_quads(claims, graph, path) if isinstance(quad, Quad)])
        if not any(True for _ in claims.quads(graph, PKG.sourcePath, None, self.base + LEDGER)):
            self.forget(graph)

    def forget(self, graph: str) -> None:
        """Remove what a source said, and note what that touches."""
        self.flush()
        view = self.writing.graph
        facts = self.batch
        for quad in view.quads(None, RDF_TYPE, PROV.Activity, graph):
            facts.activities.add(_value(quad.subject))
        for quad in view.quads(None, PROV.specializationOf, None, graph):
            facts.places.add(_value(quad.object))
        for predicate in (PROV.qualifiedDerivation, PKG.qualifiedMembership):
            for quad in view.quads(None, predicate, None, graph):
                facts.places.add(_value(quad.subject))
        self.orphans |= {
            _value(quad.object) for quad in view.quads(None, None, None, graph) if isinstance(quad.object, NamedNode)
        }
        self.take_back(view, graph)
        self.writing.remove([quad for quad in ledger.forgotten(view, graph) if isinstance(quad, Quad)])
        self.writing.remove_graph(graph)
        self.entries.pop(graph, None)
        self.known.clear()
        self.alone = False

    def take_back(self, view: Graph, graph: str) -> None:
        """Remove what was resolved about the nodes of a source."""
        resolution, old = self.base + RESOLUTION, []
        for subject in {_value(quad.subject) for quad in view.quads(None, None, None, graph)}:
            for quad in view.quads(subject, None, None, resolution):
                old.append(quad)
                if quad.predicate.value == PKG.usedVersion:
                    self.orphans.add(_value(quad.object))
            old += link_quads(view, subject)
        self.writing.remove(old)

    def collect(self) -> None:
        """Remove shared descriptions and first versions that nothing refers to any more."""
        view = self.writing.graph
        shared = {self.base + CATALOGUE, self.base + DESCRIPTIONS, self.base + RESOLUTION}
        todo = self.orphans
        while todo:
            iri = todo.pop()
            own = [quad for quad in view.quads(iri) if _value(quad.graph_name) in shared]
            if not own or len(own) != sum(1 for _ in view.quads(iri)) or any(True for _ in view.quads(None, None, iri)):
                continue
            todo |= {_value(quad.object) for quad in own if isinstance(quad.object, NamedNode)}
            self.writing.remove(own)

    # Writing

    def take(self, graph: str, paths: tuple[str, ...], source: Source, reader: Reader, mapping: Mapping) -> None:
        counts = mapping.counts
        counts["quarantined"] = len(mapping.quarantined)
        self.add(graph, graph, mapping.source)
        self.add(graph, self.base + CATALOGUE, mapping.shared.catalogue)
        self.add(graph, self.base + DESCRIPTIONS, mapping.shared.descriptions)
        entry = ledger.lines(
            graph, paths, source.digest, source.size, reader.name, self.version, self.now, counts, mapping.remarks
        )
        self.add(graph, self.base + LEDGER, entry + ledger.quarantine_lines(graph, mapping.quarantined))
        self.entries[graph] = ledger.Entry(graph, paths, self.version)
        for path in paths:
            self.note_path(path, graph)
        if len(self.known) > KNOWN_LIMIT:
            self.known.clear()
        self.known |= mapping.shared.fresh
        self.batch.edges.append(mapping.edges)
        self.summary.sources += 1
        self.summary.counts += counts
        self.summary.remarks += mapping.remarks
        self.summary.quarantined += [(paths[0], piece) for piece in mapping.quarantined]

    def add(self, _source: str, graph: str, lines: list[str]) -> None:
        """Put N-Triples lines into a graph; loading happens in pieces, in the other thread."""
        if not lines:
            return
        end = f"<{graph}> .\n"
        text = "".join([line[:-1] + end for line in lines])
        self.parts.append(text)
        self.size += len(text)
        if self.size >= LOAD_CHARACTERS:
            self.submit()

    def submit(self) -> None:
        if self.parts:
            for load in self.loads[:-1]:  # at most two pieces wait in memory
                load.result()
            self.loads = [*self.loads[-1:], self.loader.submit(self.writing.load, "".join(self.parts))]
            self.parts, self.size = [], 0

    def flush(self) -> None:
        """Load what waits."""
        self.submit()
        for load in self.loads:
            load.result()
        self.loads = []

    def resolve(self) -> None:
        self.flush()
        if self.batch.edges or self.batch.activities or self.batch.places:
            self.summary.evidence += Counter(
                {short(key): count for key, count in resolve(self.writing, self.batch, alone=self.alone).items()}
            )
            self.alone = False
            self.batch = Batch()


def _mapped(source: Source, path: str, reader: Reader, config: Config, known: set[str]) -> Mapping:
    """Read and map one source.

    Raises:
        InputError: it cannot be read; the others can.
    """
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


def _value(term: object) -> str:
    return str(getattr(term, "value", ""))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _absolute(path: Path) -> str:
    return shown(path.absolute())


def _spooled(path: Path, folder: Path) -> Path:
    """Copy a stream to a file: readers look at a source twice."""
    target = folder / "stream"
    stream: IO[bytes] = sys.stdin.buffer if str(path) == "-" else path.open("rb")
    with stream, target.open("wb") as out:
        while chunk := stream.read(CHUNK_BYTES):
            out.write(chunk)
    return target
