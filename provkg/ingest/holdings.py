"""What a store holds of documents and of paths, looked up once."""

from dataclasses import dataclass, field

from provkg import ledger
from provkg.ingest.outcomes import VERSION
from provkg.lineage.summaries import Call
from provkg.store import Writing


@dataclass
class Memory:
    """What a transaction looked up and the next one may use, while nobody else writes."""

    known: set[str] = field(default_factory=set)
    entries: dict[str, ledger.Entry | None] = field(default_factory=dict)
    paths: dict[str, ledger.Placed | None] = field(default_factory=dict)
    counted: dict[str, Call] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget all."""
        self.known.clear()
        self.entries.clear()
        self.paths.clear()
        self.counted.clear()


class Holdings:
    """What the ledger says, with what a transaction has changed of it.

    Args:
        writing: the transaction.
        memory: what was looked up before, and still holds.
    """

    def __init__(self, writing: Writing, memory: Memory) -> None:
        self.writing, self.entries, self.paths = writing, memory.entries, memory.paths

    def entry(self, graph: str) -> ledger.Entry | None:
        """Return what the ledger says of a source."""
        if graph not in self.entries:
            self.entries[graph] = ledger.entry(self.writing.graph, graph)
        return self.entries[graph]

    def holds(self, graph: str) -> bool:
        """Say whether the store holds a source, read by this version of provkg."""
        known = self.entry(graph)
        return known is not None and known.version == VERSION

    def placed(self, path: str) -> ledger.Placed | None:
        """Return what a path was when it was last read."""
        if path not in self.paths:
            self.paths[path] = ledger.placed(self.writing.graph, path) if path != ledger.STREAM else None
        return self.paths[path]

    def size_of(self, path: str) -> int:
        """Return how long the content of a path was when it was last read."""
        placed = self.placed(path)
        return placed.size if placed is not None else 0

    def chain(self, path: str) -> list[str]:
        """Return the stretches of what a path holds."""
        placed = self.placed(path)
        return self.stretches(placed.holds) if placed is not None else []

    def stretches(self, last: str) -> list[str]:
        """Return the stretches of a document by the last of them."""
        found: dict[str, None] = {}
        while last and last not in found:
            found[last] = None
            known = self.entry(last)
            last = known.follows if known is not None else ""
        return [*reversed(found)]
