"""One ingest: each source into a graph of its own, then version resolution, in one transaction."""

import tempfile
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError
from provkg.ingest.cluster import Cluster
from provkg.ingest.indexing import Indexing
from provkg.ingest.loading import Loading, in_graph
from provkg.ingest.reading import VERSION, Mapped, Outcome, Present, Skipped, Task, read, readable
from provkg.ingest.removal import Removal
from provkg.ingest.sources import absolute, size, spooled
from provkg.ingest.summary import Progress, Summary
from provkg.lineage.batch import Batch
from provkg.lineage.resolution import resolve
from provkg.mapping.terms import literal
from provkg.readers import open_source, shown
from provkg.store import Writing
from provkg.vocab import INFERENCES, LEDGER, PKG, short

BATCH_USAGES = 400_000
KNOWN_LIMIT = 200_000
SMALL_BYTES = 1 << 16  # about 10 ms of reading: less than that is not worth a task
STREAM = "-"
STALE = "graph of inferences removed: it was of the store before (provkg infer makes it again)"
TAKEN_BACK = "unfinished ingest found and taken back: ingest its files again"


class Transaction:
    """Sources become graphs; then the usages are resolved over all of them."""

    def __init__(self, writing: Writing, config: Config, summary: Summary) -> None:
        self.writing, self.config, self.summary = writing, config, summary
        self.base = writing.base
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

    def run(self, files: list[tuple[Path, bool]], progress: Progress | None, cluster: Cluster | None = None) -> None:
        """Read all files, then resolve and clean up."""
        sizes = [size(path) for path, _ in files]
        tasks = self.tasks(files, sizes) if cluster is not None else {}
        done = 0
        with closing(cluster.outcomes(tasks.values(), self.config) if cluster is not None else _nothing()) as elsewhere:
            try:
                for number, (path, named) in enumerate(files):
                    if progress is not None:
                        progress(done, sum(sizes), shown(path))
                    self.take(next(elsewhere) if number in tasks else self.read(path, named=named), path)
                    done += sizes[number]
                    if len(self.batch) >= BATCH_USAGES:
                        self.resolve()
                self.resolve()
                self.removal.collect()
            finally:
                self.loading.stop()
                self.index.stop()

    # Reading

    def tasks(self, files: list[tuple[Path, bool]], sizes: list[int]) -> dict[int, Task]:
        """Return, by their numbers, the files that are worth a task; streams and small files are not."""
        found = {}
        for number, (path, named) in enumerate(files):
            if sizes[number] >= SMALL_BYTES and readable(path):
                where = absolute(path)
                before = self.by_path.get(where, "")
                found[number] = Task(str(path.absolute()), where, named, before if self.holds(before) else "")
        return found

    def holds(self, graph: str) -> bool:
        """Say whether the store holds a source, read by this version of provkg."""
        entry = self.entries.get(graph)
        return entry is not None and entry.version == VERSION

    def read(self, path: Path, *, named: bool) -> Outcome:
        """Read one file or stream in this process."""
        options: dict[str, Any] = {"named": named, "present": self.holds, "known": self.known}
        try:
            if str(path) == "-" or (path.exists() and not path.is_file()):  # a pipe can be read only once
                with tempfile.TemporaryDirectory() as folder:
                    source = open_source(spooled(path, Path(folder)), self.config, location="")
                    return read(source, STREAM, self.config, **options | {"named": True})
            return read(open_source(path, self.config), absolute(path), self.config, **options)
        except InputError as error:
            return error

    def take(self, outcome: Outcome, path: Path) -> None:
        """Take over what a file became."""
        match outcome:
            case InputError():
                self.summary.errors.append(outcome)
            case Skipped():
                self.summary.skipped.append(outcome.path)
            case Present() if not self.holds(outcome.graph):  # a source of this ingest took its place meanwhile
                self.take(self.read(path, named=True), path)
            case Present() | Mapped():
                self.source(outcome)

    def source(self, found: Present | Mapped) -> None:
        """Write a source, unless its content is already there."""
        graph, path = found.graph, found.path
        before = self.entries.get(graph)
        old = self.by_path.get(path) if path != STREAM else None
        if self.holds(graph) or isinstance(found, Present):
            self.summary.unchanged += 1
            self.claim(graph, path, old)
            return
        if before is not None:
            self.forget(graph)
        if old not in (None, graph):
            self.release(str(old), path)
        paths = {path, *(before.paths if before is not None else ())}
        self.write(found, tuple(sorted(paths)))

    # Replacing

    def claim(self, graph: str, path: str, old: str | None) -> None:
        """Note that a path holds content that is already there."""
        if old == graph:
            return
        if old is not None:
            self.release(old, path)
        self.note_path(path, graph)
        self.loading.add(in_graph(self.base + LEDGER, [f"<{graph}> <{PKG.sourcePath}> {literal(path)} ."]))

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

    def write(self, mapped: Mapped, paths: tuple[str, ...]) -> None:
        """Write what a source says, and its entry in the ledger."""
        graph, counts = mapped.graph, mapped.counts
        self.loading.add(mapped.quads)
        entry = ledger.lines(
            graph, paths, mapped.digest, mapped.size, mapped.reader, VERSION, self.now, counts, mapped.remarks
        )
        self.loading.add(in_graph(self.base + LEDGER, entry + ledger.quarantine_lines(graph, mapped.quarantined)))
        self.entries[graph] = ledger.Entry(graph, paths, VERSION)
        for path in paths:
            self.note_path(path, graph)
        if len(self.known) > KNOWN_LIMIT:
            self.known.clear()
        self.known |= mapped.described
        self.batch.edges[graph] = mapped.edges
        self.summary.touched.add(graph)
        self.summary.sources += 1
        self.summary.counts += counts
        self.summary.remarks += mapped.remarks
        self.summary.quarantined += [(paths[0], piece) for piece in mapped.quarantined]

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


def _nothing() -> Generator[Outcome, None, None]:
    yield from ()
