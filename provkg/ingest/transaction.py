"""One ingest: each source into a graph of its own, then version resolution, in one transaction."""

import tempfile
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provkg import ledger
from provkg.config import Config
from provkg.errors import InputError
from provkg.ingest.cluster import Cluster
from provkg.ingest.document import Document
from provkg.ingest.holdings import Holdings, Memory
from provkg.ingest.indexing import Indexing
from provkg.ingest.keeping import Keeping
from provkg.ingest.loading import Loading, in_graph
from provkg.ingest.outcomes import VERSION, Outcome, Present, Read, Skipped, Task, Whole
from provkg.ingest.reading import read, readable
from provkg.ingest.removal import Removal
from provkg.ingest.sources import absolute, size, spooled
from provkg.ingest.summary import Progress, Summary
from provkg.ledger.repairs import repairs
from provkg.lineage.batch import Batch
from provkg.lineage.resolution import resolve
from provkg.mapping.terms import literal
from provkg.readers import Source, open_source, shown
from provkg.store import Writing
from provkg.vocab import INFERENCES, LEDGER, PKG, short

BATCH_EDGES = 200_000  # a night has 55,000
KNOWN_LIMIT = 200_000
SMALL_BYTES = 1 << 16  # about 10 ms of reading: less than that is not worth a task
STALE = "graph of inferences removed: it was of the store before (provkg infer makes it again)"
TAKEN_BACK = "unfinished ingest found and taken back: ingest its files again"


class Transaction:
    """Sources become graphs; then the usages are resolved over all of them."""

    def __init__(self, writing: Writing, config: Config, summary: Summary, memory: Memory | None = None) -> None:
        self.writing, self.config, self.summary = writing, config, summary
        memory = memory or Memory()
        self.base = writing.base
        self.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.known = memory.known
        self.there = Holdings(writing, memory)
        self.batch = Batch()
        self.index = Indexing(writing, memory.counted)
        self.loading, self.removal = Loading(writing), Removal(writing)
        self.take_back()
        self.repairs = repairs(writing.graph)
        self.keeping = Keeping(writing.logs)
        self.unheld: set[str] = set()
        self.extended: set[str] = set()
        self.waiting: set[str] = set()  # sources and paths of which something is not loaded yet

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
                self.finish()
            finally:
                self.stop()

    def finish(self) -> None:
        """Forget what is held by no path, resolve, and clean up."""
        self.let_go()
        self.resolve()
        self.removal.collect()
        self.keeping.sweep()

    def stop(self) -> None:
        """End the other threads."""
        self.loading.stop()
        self.index.stop()

    # Reading

    def tasks(self, files: list[tuple[Path, bool]], sizes: list[int]) -> dict[int, Task]:
        """Return, by their numbers, the files that are worth a task; streams and small files are not."""
        found = {}
        for number, (path, named) in enumerate(files):
            if sizes[number] >= SMALL_BYTES and readable(path):
                where = absolute(path)
                before = frozenset(filter(self.there.holds, self.there.chain(where)))
                kept = str(self.keeping.file(where) or "")
                placed, mended = self.there.placed(where), tuple(self.repairs)
                found[number] = Task(str(path.absolute()), where, named, before, placed, mended, kept)
        return found

    def read(self, path: Path, *, named: bool) -> Iterator[Outcome]:
        """Read one file or stream in this process."""
        options: dict[str, Any] = {"named": named, "present": self.there.holds, "known": self.known}
        try:
            if str(path) == "-" or (path.exists() and not path.is_file()):  # a pipe can be read only once
                with tempfile.TemporaryDirectory() as folder:
                    source = open_source(spooled(path, Path(folder)), self.config, location="")
                    yield from read(source, ledger.STREAM, self.config, **options | {"named": True})
            else:
                where = absolute(path)
                options |= {"before": self.there.placed(where), "kept": self.keeping.file(where)}
                yield from read(self.opened(path, where), where, self.config, **options)
        except InputError as error:
            yield error

    def opened(self, path: Path, where: str) -> Source:
        """Open a file as its repairs have it."""
        return open_source(path, self.config, at=self.there.size_of(where), repairs=self.repairs)

    def take(self, outcomes: Iterable[Outcome], path: Path) -> None:
        """Take over what a file became."""
        document: Document | None = None
        for outcome in outcomes:
            match outcome:
                case InputError():
                    self.summary.errors.append(outcome)
                    if document is not None:
                        document.broken()
                case Skipped():
                    self.summary.skipped.append(outcome.path)
                case Present() | Whole() if not self.there.holds(outcome.graph):
                    # a document of this ingest took its place since a worker was told of it
                    self.take(self.read(path, named=True), path)
                    return
                case Present() | Read() | Whole():
                    document = document or Document(self, outcome.path)
                    document.take(outcome)

    # Replacing

    def claim(self, placed: ledger.Placed) -> None:
        """Note what a path holds now; what it held before and does not any more is gone if no other path holds it."""
        path, before = placed.path, self.there.placed(placed.path)
        now = dict.fromkeys(self.there.stretches(placed.holds))
        self.release(path, [graph for graph in self.there.chain(path) if graph not in now])
        for graph in now:
            self.name(graph, path)
        if before is None or before != placed:
            if before is not None:
                self.settle(path)
                self.writing.remove(ledger.file_quads(self.writing.graph, path))
            self.loading.add(in_graph(self.base + LEDGER, ledger.file_lines(self.base, placed, self.now)))
            self.waiting.add(path)
            self.there.paths[path] = placed

    def name(self, graph: str, path: str) -> None:
        """Note that a source was read from a path."""
        known = self.there.entry(graph)
        if known is not None and path not in known.paths:
            self.there.entries[graph] = replace(known, paths=(*known.paths, path))
            self.waiting.add(graph)
            self.loading.add(in_graph(self.base + LEDGER, [f"<{graph}> <{PKG.sourcePath}> {literal(path)} ."]))

    def extends(self, read: Read, path: str) -> bool:
        """Take away the stretch of which this one says all and more, if no other path holds it; say whether it did."""
        known = self.there.entry(read.more.than) if read.more is not None else None
        if known is None or known.paths != (path,) or self.there.entry(read.graph) is not None:
            return False
        self.settle(known.graph)
        self.removal.supersede(known.graph)
        self.index.gone.add(known.graph)
        self.there.entries[known.graph] = None
        self.extended.add(read.graph)
        return True

    def settle(self, name: str) -> None:
        """Load what waits, if it says something of a source or a path."""
        if name in self.waiting:
            self.loading.flush()
            self.waiting.clear()

    def release(self, path: str, graphs: list[str]) -> None:
        """Take a path from sources; a source that no path holds at the end is gone."""
        for graph in graphs:
            known = self.there.entry(graph)
            if known is None or path not in known.paths:
                continue
            self.settle(graph)
            self.writing.remove(ledger.path_quads(self.writing.graph, graph, path))
            rest = tuple(each for each in known.paths if each != path)
            self.there.entries[graph] = replace(known, paths=rest)
            if not rest:
                self.unheld.add(graph)

    def let_go(self) -> None:
        """Forget the sources that no path holds any more."""
        for graph in sorted(self.unheld):
            known = self.there.entry(graph)
            if known is not None and not known.paths:
                self.forget(graph)
        self.unheld.clear()

    def forget(self, graph: str) -> None:
        """Remove what a source said."""
        self.loading.flush()
        self.removal.forget(graph, self.batch)
        self.index.gone.add(graph)
        self.there.entries[graph] = None
        self.known.clear()

    # Writing

    def write(self, read: Read, path: str, follows: str) -> None:
        """Write what a source says, and its entry in the ledger."""
        graph, before = read.graph, self.there.entry(read.graph)
        paths = tuple(sorted({path, *(before.paths if before is not None else ())}))
        if before is not None:
            self.forget(graph)
        self.loading.add(read.quads)
        entry = ledger.Entry(graph, paths, VERSION, follows)
        told = ledger.lines(entry, read.digest, read.bytes, read.reader, self.now, read.counts, read.remarks)
        self.loading.add(in_graph(self.base + LEDGER, told + ledger.quarantine_lines(graph, read.quarantined)))
        self.there.entries[graph] = entry
        self.waiting.add(graph)
        if len(self.known) > KNOWN_LIMIT:
            self.known.clear()
        self.known |= read.described
        self.tell(read)
        self.summary.touched.add(graph)
        self.summary.counts += read.counts
        self.summary.remarks += read.remarks
        self.summary.quarantined += [(path, piece) for piece in read.quarantined]
        if len(self.batch) >= BATCH_EDGES:
            self.resolve()

    def tell(self, read: Read) -> None:
        """Note what is to be resolved: of a stretch that was told before only what is new."""
        new = read.more.edges if read.more is not None and read.graph in self.extended else read.edges
        self.summary.activities |= new.speaks_of()
        self.summary.sessions |= new.nights.keys()
        if read.more is None or new is read.edges:
            self.batch.edges[read.graph] = read.edges
            return
        self.batch.edges[read.graph] = read.more.edges
        self.batch.again |= (read.more.activities & read.more.edges.speaks_of()) | read.more.open
        self.batch.recounted.add(read.graph)

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


def _nothing() -> Generator[list[Outcome], None, None]:
    yield from ()
