"""Bring the parts of a store together again that do not agree; what was read and is lost is to be ingested again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from provkg import ledger
from provkg.ingest.summary import Summary
from provkg.ingest.transaction import Transaction
from provkg.knowledge.checks import index_again, of_no_ledger, unheld, without_graph
from provkg.ledger.accounting import UNCOUNTED, document_of
from provkg.store import Store, Writing
from provkg.vocab import LEDGER, PKG, RESOLUTION


@dataclass
class Mended:
    """What was done.

    Args:
        adopted: graphs of which the ledger knew nothing: they stay, and the next ingest of their files counts them.
        forgotten: sources of which a part was lost.
        again: the files to ingest again.
    """

    adopted: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    again: set[str] = field(default_factory=set)


def repair(store: Store) -> Mended:
    """Make ledger, resolution, index and summaries of a store agree with its graphs, in one transaction.

    Raises:
        StoreLocked: another process is writing.
        StoreError: the store cannot be read or written.
    """
    done = Mended()
    with store.write() as writing:
        transaction = Transaction(writing, store.config, Summary())
        try:
            _adopt(writing, done)
            for path in unheld(writing.graph):
                done.again.add(path)
                writing.remove(ledger.file_quads(writing.graph, path))
            while broken := sorted(set(_broken(writing))):
                for source in broken:
                    done.forgotten.append(source)
                    done.again |= set(known.paths) if (known := ledger.entry(writing.graph, source)) else set()
                    transaction.forget(source)
                for path in unheld(writing.graph):
                    writing.remove(ledger.file_quads(writing.graph, path))
            writing.remove_graph(writing.base + RESOLUTION)
            for source in ledger.sources(writing.graph):
                transaction.removal.touch(source, transaction.batch)
            transaction.finish()
        finally:
            transaction.stop()
        index_again(writing)
    return done


def _adopt(writing: Writing, done: Mended) -> None:
    """Let the ledger know of graphs; nobody knows what was read of their files, so these are read again."""
    for graph in of_no_ledger(writing.graph):
        done.adopted.append(graph)
        writing.load_lines(ledger.uncounted_lines(writing.base, graph))
    view = writing.graph
    for last in ledger.documents(view):
        parts = ledger.chain(view, last)
        if not {*parts}.isdisjoint(done.adopted):
            for source in parts:
                done.again |= set(known.paths) if (known := ledger.entry(view, source)) else set()
                writing.remove(list(view.quads(source, PKG.readBy, None, view.iri(LEDGER))))
                writing.load_lines(ledger.uncounted_lines(writing.base, source))


def _broken(writing: Writing) -> Iterator[str]:
    """Give the sources that are not what the ledger says, and those that follow them or go before."""
    view = writing.graph
    lost = set(without_graph(view))
    yield from lost
    for last in ledger.documents(view):
        if document_of(view, last).wrong not in ("", UNCOUNTED) or lost & set(ledger.chain(view, last)):
            yield from ledger.chain(view, last)
