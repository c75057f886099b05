"""Merge another store into this one: what was ingested there is here as if it had been ingested here.

Sources are named by their content, so what both hold is one, and no co-ordination is needed. Where a path holds
different content in the two, the one that was read later stands, as when a file is ingested again. What is derived
(versions, index, summaries) is derived anew over both.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyoxigraph import RdfFormat, serialize

from provkg import ledger
from provkg.config import Config
from provkg.ingest.loading import in_graph
from provkg.ingest.summary import Summary
from provkg.ingest.transaction import STREAM, Transaction
from provkg.lineage.batch import Batch
from provkg.lineage.resolution import resolve
from provkg.mapping.terms import literal
from provkg.store import Graph, Writing, text_of
from provkg.vocab import INFERENCES, LEDGER, PKG, PROV, RESOLUTION, SUMMARIES

_AT_ONCE = 200  # sources whose usages are resolved together
_DERIVED = (LEDGER, RESOLUTION, SUMMARIES, INFERENCES)


@dataclass
class Merged:
    """What came of a merge: how many sources are new, were there, were replaced, or are older than what is here."""

    sources: int = 0
    unchanged: int = 0
    replaced: int = 0
    outdated: int = 0


def merge(writing: Writing, other: Graph, config: Config) -> Merged:
    """Merge another graph into a transaction; the index and the summaries are left to the caller.

    Args:
        writing: a transaction of a store.
        other: all of another store with the same base.
        config: the settings of the store.
    """
    summary = Summary()
    transaction = Transaction(writing, config, summary)
    try:
        merging = _Merging(transaction, other)
        merging.run()
        merging.merged.replaced = summary.replaced
        return merging.merged
    finally:
        transaction.loading.stop()
        transaction.index.stop()


class _Merging:
    def __init__(self, transaction: Transaction, other: Graph) -> None:
        self.transaction, self.other = transaction, other
        self.writing, self.base = transaction.writing, transaction.base
        self.merged = Merged()
        self.batch = transaction.batch

    def run(self) -> None:
        """Merge the sources, then what belongs to no source."""
        entries, _ = ledger.entries(self.other)
        for name in sorted(entries, key=lambda name: (self.read_at(self.other, name), name)):
            self.source(entries[name])
            if self.merged.sources and self.merged.sources % _AT_ONCE == 0:
                self.resolve()
        derived = {self.base + name for name in _DERIVED}
        for name in sorted(self.other.graphs()):
            if name not in derived and name not in entries:
                self.load(name)
        self.resolve()
        self.transaction.removal.collect()

    def source(self, entry: ledger.Entry) -> None:
        """Merge one source: its graph, its entry in the ledger and its paths."""
        there = self.transaction.entries.get(entry.graph)
        paths = [path for path in entry.paths if self.later(path, entry.graph)]
        if there is None and entry.paths and not paths:
            self.merged.outdated += 1
            return
        if there is None:
            self.load(entry.graph)
            kept = [
                quad for quad in ledger.forgotten(self.other, entry.graph) if quad.predicate.value != PKG.sourcePath
            ]
            self.put(serialize(kept, format=RdfFormat.N_QUADS))
            self.transaction.entries[entry.graph] = ledger.Entry(entry.graph, (), entry.version)
            self.merged.sources += 1
        else:
            self.merged.unchanged += 1
        for path in paths:
            self.claim(entry.graph, path)
        if there is None:
            self.transaction.loading.flush()
            self.transaction.removal.touch(entry.graph, self.batch)

    def claim(self, graph: str, path: str) -> None:
        """Note that a path holds a source; a stream holds nothing when it is over."""
        if path == STREAM:
            line = f"<{graph}> <{PKG.sourcePath}> {literal(path)} ."
            self.transaction.loading.add(in_graph(self.base + LEDGER, [line]))
        else:
            self.transaction.claim(graph, path, self.transaction.by_path.get(path))

    def later(self, path: str, graph: str) -> bool:
        """Say whether what the other store has at a path was read after what this one has there."""
        ours = self.transaction.by_path.get(path) if path != STREAM else None
        if ours in (None, graph):
            return True
        self.transaction.loading.flush()
        return self.read_at(self.other, graph) > self.read_at(self.writing.graph, str(ours))

    def read_at(self, graph: Graph, source: str) -> str:
        """Return when a source was read."""
        found = graph.quads(source, PROV.generatedAtTime, None, graph.iri(LEDGER))
        return max((text_of(quad.object) for quad in found), default="")

    def load(self, name: str) -> None:
        """Load a graph of the other store."""
        self.put(serialize(self.other.quads(None, None, None, name), format=RdfFormat.N_QUADS))

    def put(self, quads: bytes | None) -> None:
        self.transaction.loading.add((quads or b"").decode())

    def resolve(self) -> None:
        """Resolve what was merged since the last time over both stores; what was inferred no longer follows."""
        self.transaction.loading.flush()
        if not self.batch:
            return
        self.writing.remove_graph(self.base + INFERENCES)
        resolve(self.writing, self.batch, lambda names: names)
        self.transaction.batch = self.batch = Batch()
