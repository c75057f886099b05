"""One document as it is read into a transaction, stretch by stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provkg import ledger
from provkg.ingest.outcomes import Present, Read, Whole

if TYPE_CHECKING:
    from provkg.ingest.transaction import Transaction


class Document:
    """What a path holds now, beside what it held before.

    Args:
        transaction: takes what is new.
        path: where it lies, as the ledger writes it.
    """

    def __init__(self, transaction: Transaction, path: str) -> None:
        self.transaction, self.path = transaction, path
        self.before = transaction.there.placed(path)
        self.old = transaction.there.chain(path)
        self.now: list[str] = []
        self.fresh = False
        self.end = ("", 0)  # digest and offset of what was read

    def take(self, outcome: Present | Read | Whole) -> None:
        """Take over what was read next."""
        if isinstance(outcome, Whole):
            self.whole(outcome)
            return
        at = len(self.now)
        if isinstance(outcome, Read) and self.extended(outcome, self.old[at:]):
            self.old = self.old[:at]
        elif self.old[at : at + 1] not in ([], [outcome.graph]):  # from here on it is another one
            self.transaction.release(self.path, self.old[at:])
            self.old = self.old[:at]
        if isinstance(outcome, Read) and not self.transaction.there.holds(outcome.graph):
            self.transaction.write(outcome, self.path, self.now[-1] if self.now else "")
            self.fresh = True
        else:
            self.transaction.name(outcome.graph, self.path)
        self.end = outcome.digest, outcome.end
        self.now.append(outcome.graph)

    def extended(self, read: Read, rest: list[str]) -> bool:
        """Take away the rest of what was there before, if what was read says all of it; say whether it does."""
        return read.more is not None and rest == [read.more.than] and self.transaction.extends(read, self.path)

    def whole(self, outcome: Whole) -> None:
        """Note that all of it was read, or is known."""
        summary, before = self.transaction.summary, self.before
        summary.paths.append(self.path)
        summary.sources += self.fresh
        summary.unchanged += not self.fresh
        if before is not None and before.digest != outcome.placed.digest:
            grown = outcome.began == before.digest
            summary.grown += grown
            summary.replaced += not grown
        if self.path == ledger.STREAM:  # it holds nothing when it is over
            for graph in self.transaction.there.stretches(outcome.graph):
                self.transaction.name(graph, self.path)
        else:
            self.transaction.claim(outcome.placed)
        if outcome.kept:
            self.transaction.keeping.keep(self.path, outcome.kept)

    def broken(self) -> None:
        """Keep what was read before it could not be read any further; what is as it was before stays as it was."""
        if self.fresh and self.path != ledger.STREAM:
            self.transaction.summary.sources += 1
            self.transaction.claim(ledger.Placed(self.path, self.now[-1], *self.end, 0, 0, 0, 0))
