"""One ingest: each source into a graph of its own, then version resolution, in one transaction."""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError
from provkg.ingest.indexing import Indexing
from provkg.ingest.loading import Loading
from provkg.ingest.removal import Removal
from provkg.ingest.sources import absolute, mapped, size, spooled
from provkg.lineage.resolution import Batch, resolve
from provkg.mapping import Mapping
from provkg.mapping.terms import literal
from provkg.readers import Reader, Source, find_reader, open_source, readers, shown
from provkg.records import Quarantined
from provkg.store import Writing
from provkg.vocab import CATALOGUE, DESCRIPTIONS, INFERENCES, LEDGER, PKG, short

BATCH_USAGES = 400_000
KNOWN_LIMIT = 200_000
STREAM = "-"
STALE = "graph of inferences removed: it was of the store before (provkg infer makes it again)"
TAKEN_BACK = "unfinished ingest found and taken back: ingest its files again"
Progress = Callable[[int, int, str], None]


@dataclass
class Summary:
    """What an ingest did.

    ``errors`` are the inputs that could not be read at all, each with its hint; ``touched`` the graphs of the sources
    that are new, or of which the answer to what was read has changed.
    """

    sources: int = 0
    unchanged: int = 0
    replaced: int = 0
    skipped: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    quarantined: list[tuple[str, Quarantined]] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    @property
    def exit_status(self) -> int:
        """0 everything was read; 4 some of it; 3 nothing."""
        if self.errors and not (self.sources or self.unchanged):
            return 3
        return 4 if self.errors or self.counts["quarantined"] else 0


class Transaction:
    """Sources become graphs; then the usages are resolved over all of them."""

    def __init__(self, writing: Writing, config: Config, summary: Summary) -> None:
        self.writing, self.config, self.summary = writing, config, summary
        self.base = writing.base
        self.version = version("provkg")
        self.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.known: set[str] = set()
        self.batch = Batch()
        self.index = Indexing(writing)
        self.loading, self.removal = Loading(writing), Removal(writing)
        self.take_back()
        self.entries, self.by_path = ledger.entries(writing.graph)

    def take_back(self) -> None:
        """Take back what an ingest that crashed left behind, in a store that could not do so itself."""
        left = self.writing.unfinished
        if left is None:
            return
        for graph in sorted(left.half):
            self.removal.forget(graph, self.batch)
            self.index.gone.add(graph)
        for graph in sorted(left.whole):
            self.removal.touch(graph, self.batch)
        self.writing.remove_graph(self.base + INFERENCES)
        self.writing.unfinished = None
        self.index.recount = True
        self.summary.remarks[TAKEN_BACK] += 1

    def run(self, files: list[tuple[Path, bool]], progress: Progress | None) -> None:
        """Read all files, then resolve and clean up."""
        sizes = [size(path) for path, _ in files]
        done, known = 0, readers()
        try:
            for (path, named), length in zip(files, sizes, strict=True):
                if progress is not None:
                    progress(done, sum(sizes), shown(path))
                self.file(path, known, named=named)
                done += length
                if len(self.batch) >= BATCH_USAGES:
                    self.resolve()
            self.resolve()
            self.removal.collect()
        finally:
            self.loading.stop()

    def file(self, path: Path, known: dict[str, Reader], *, named: bool) -> None:
        """Read one file or stream; what cannot be read is noted."""
        try:
            if str(path) == "-" or (path.exists() and not path.is_file()):  # a pipe can be read only once
                with tempfile.TemporaryDirectory() as folder:
                    stream = spooled(path, Path(folder))
                    self.source(open_source(stream, self.config, location=""), STREAM, known, named=True)
            else:
                self.source(open_source(path, self.config), absolute(path), known, named=named)
        except InputError as error:
            self.summary.errors.append(error)

    def source(self, source: Source, path: str, known: dict[str, Reader], *, named: bool) -> None:
        """Read one source, unless its content is already there."""
        if not source.size and named:
            raise InputError(f"{path}: the file is empty", hint="was the pipeline stopped before it wrote?")
        reader = find_reader(source, known) if source.size else None
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
        mapping = mapped(source, path, reader, self.config, self.known)
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
        self.loading.add(self.base + LEDGER, [f"<{graph}> <{PKG.sourcePath}> {literal(path)} ."])

    def note_path(self, path: str, graph: str) -> None:
        """Remember which source a path holds; a stream holds nothing when it is over."""
        if path != STREAM:
            self.by_path[path] = graph

    def release(self, graph: str, path: str) -> None:
        """Take a path from a source; a source without a path is replaced."""
        self.loading.flush()
        self.summary.replaced += 1
        claims = self.writing.graph
        self.writing.remove(ledger.path_quads(claims, graph, path))
        if not any(True for _ in claims.quads(graph, PKG.sourcePath, None, self.base + LEDGER)):
            self.forget(graph)

    def forget(self, graph: str) -> None:
        """Remove what a source said."""
        self.loading.flush()
        self.removal.forget(graph, self.batch)
        self.index.gone.add(graph)
        self.entries.pop(graph, None)
        self.known.clear()

    # Writing

    def take(self, graph: str, paths: tuple[str, ...], source: Source, reader: Reader, mapping: Mapping) -> None:
        """Write what a source says, and its entry in the ledger."""
        counts = mapping.counts
        counts["quarantined"] = len(mapping.quarantined)
        self.loading.add(graph, mapping.source)
        self.loading.add(self.base + CATALOGUE, mapping.shared.catalogue)
        self.loading.add(self.base + DESCRIPTIONS, mapping.shared.descriptions)
        entry = ledger.lines(
            graph, paths, source.digest, source.size, reader.name, self.version, self.now, counts, mapping.remarks
        )
        self.loading.add(self.base + LEDGER, entry + ledger.quarantine_lines(graph, mapping.quarantined))
        self.entries[graph] = ledger.Entry(graph, paths, self.version)
        for path in paths:
            self.note_path(path, graph)
        if len(self.known) > KNOWN_LIMIT:
            self.known.clear()
        self.known |= mapping.shared.fresh
        self.batch.edges[graph] = mapping.edges
        self.summary.touched.add(graph)
        self.summary.sources += 1
        self.summary.counts += counts
        self.summary.remarks += mapping.remarks
        self.summary.quarantined += [(paths[0], piece) for piece in mapping.quarantined]

    def resolve(self) -> None:
        """Resolve what the sources since the last time say; what was inferred before no longer follows."""
        self.loading.flush()
        if self.batch.edges and any(True for _ in self.writing.graph.quads(graph=self.base + INFERENCES)):
            self.writing.remove_graph(self.base + INFERENCES)
            self.summary.remarks[STALE] += 1
        if self.batch:
            resolved = resolve(self.writing, self.batch, self.index.known)
            self.summary.evidence += Counter({short(key): count for key, count in resolved.evidence.items()})
            self.summary.touched |= self.index.take(self.batch, resolved)
            self.batch = Batch()
