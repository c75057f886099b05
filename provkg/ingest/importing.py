"""Merge another store into this one: what was ingested there is here as if it had been ingested here.

Sources are named by their content, so what both hold is one, and no co-ordination is needed. Where a path holds
different content in the two, the one that was read later stands, as when a file is ingested again. What is derived
(versions, index, summaries) is derived anew over both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyoxigraph import Quad, RdfFormat, serialize

from provkg import ledger
from provkg.config import Config
from provkg.ingest.summary import Summary
from provkg.ingest.transaction import Transaction
from provkg.ledger.repairs import repair_quads, repairs
from provkg.lineage.batch import Batch
from provkg.lineage.resolution import resolve
from provkg.store import Graph, Writing, text_of
from provkg.vocab import INFERENCES, LEDGER, PKG, PROV, RESOLUTION, SUMMARIES

_AT_ONCE = 200  # sources whose usages are resolved together
_DERIVED = (LEDGER, RESOLUTION, SUMMARIES, INFERENCES)


@dataclass
class Merged:
    """What came of a merge: how many documents are new, were there, were replaced, or are older than what is here."""

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
        return merging.merged
    finally:
        transaction.stop()


class _Merging:
    def __init__(self, transaction: Transaction, other: Graph) -> None:
        self.transaction, self.other = transaction, other
        self.writing, self.base = transaction.writing, transaction.base
        self.merged = Merged()
        self.batch = transaction.batch
        self.pending = 0
        self.theirs = {path: ledger.placed(other, path) for path in ledger.paths(other)}
        self.held = {placed.holds for placed in self.theirs.values() if placed is not None}

    def run(self) -> None:
        """Merge the documents, then what belongs to no source."""
        sources = set(ledger.sources(self.other))
        for path in sorted(self.theirs, key=lambda path: (self.read_at(self.other, path), path)):
            self.document(path)
            self.resolve_some()
        for last in ledger.documents(self.other):
            if last not in self.held:  # by any path, as of streams and in what was released
                self.stretches(last)
                self.resolve_some()
        self.repairs()
        derived = {self.base + name for name in _DERIVED}
        for name in sorted(self.other.graphs()):
            if name not in derived and name not in sources:
                self.load(name)
        self.transaction.let_go()
        self.resolve()
        self.transaction.removal.collect()

    def repairs(self) -> None:
        """Merge the repairs of pieces that were not repaired here."""
        here = {(each.offset, each.before) for each in self.transaction.repairs}
        for each in repairs(self.other):
            if (each.offset, each.before) not in here:
                self.put(serialize(repair_quads(self.other, each), format=RdfFormat.N_QUADS))

    def document(self, path: str) -> None:
        """Merge what a path holds, unless this store read something else there later."""
        theirs, ours = self.theirs[path], self.transaction.there.placed(path)
        if theirs is None:
            return
        self.transaction.loading.flush()
        if (
            ours is not None
            and ours.holds != theirs.holds
            and self.read_at(self.other, path) <= self.read_at(self.writing.graph, path)
        ):
            self.merged.outdated += not self.transaction.there.holds(theirs.holds)
            return
        if ours is None or ours.holds != theirs.holds:
            self.merged.replaced += ours is not None
            self.stretches(theirs.holds)
            self.transaction.claim(theirs)
        else:
            self.merged.unchanged += 1

    def stretches(self, last: str) -> None:
        """Merge the stretches of a document that are not here: their graphs, and their entries in the ledger."""
        todo, chain = last, []
        while (
            todo
            and self.transaction.there.entry(todo) is None
            and (known := ledger.entry(self.other, todo)) is not None
        ):
            chain.append(known)
            todo = known.follows
        self.merged.sources += bool(chain)
        self.merged.unchanged += not chain
        for known in reversed(chain):
            self.load(known.graph)
            self.put(serialize(self.kept(known.graph), format=RdfFormat.N_QUADS))
            paths = tuple(path for path in known.paths if path not in self.theirs)
            self.transaction.there.entries[known.graph] = replace(known, paths=paths)
            self.transaction.loading.flush()
            self.transaction.removal.touch(known.graph, self.batch)
            self.pending += 1

    def kept(self, source: str) -> list[Quad]:
        """Return what the other ledger says of a source but the paths that hold it: these are claimed one by one."""
        found = ledger.forgotten(self.other, source)
        return [
            quad for quad in found if quad.predicate.value != PKG.sourcePath or text_of(quad.object) not in self.theirs
        ]

    def read_at(self, graph: Graph, path: str) -> str:
        """Return when a path was read."""
        found = (quad for quad in ledger.file_quads(graph, path) if quad.predicate.value == PROV.generatedAtTime)
        return max((text_of(quad.object) for quad in found), default="")

    def resolve_some(self) -> None:
        """Resolve what waits, where it is much."""
        if self.pending >= _AT_ONCE:
            self.resolve()
            self.pending = 0

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
