"""Ingest: sources become graphs, in one transaction.

Each source is read and mapped into a graph of its own; a source whose content is already there is left alone, one
whose path now has other content replaces the old graph. Then the usages are resolved over all sources. Loading runs
in a second thread while the next source is mapped.
"""

from collections.abc import Iterable
from pathlib import Path

from provkg.ingest.cluster import ADDRESS, Cluster, Died, workers
from provkg.ingest.sources import files
from provkg.ingest.summary import Progress, Summary
from provkg.ingest.transaction import Transaction
from provkg.store import Store

__all__ = ["ADDRESS", "Cluster", "Died", "Progress", "Summary", "ingest", "workers"]


def ingest(
    store: Store,
    paths: Iterable[str | Path],
    *,
    progress: Progress | None = None,
    scheduler: str | Cluster | None = None,
) -> Summary:
    """Read files and folders into a store; the store is made when it is not there.

    Args:
        store: the store to write.
        paths: files, folders (read recursively), or ``-`` for standard input.
        progress: called with the bytes done, the bytes in all and the name of each source.
        scheduler: who reads the files: ``local:N``, the address of a scheduler of dask.distributed, or an open
            :class:`Cluster`; this process where None.

    Raises:
        MissingExtra: a scheduler is given, and dask.distributed is not installed.
        StoreError: the store cannot be written; then nothing of this ingest is visible.
    """
    summary = Summary()
    found = list(files(paths, summary.errors))
    if not found:
        return summary
    with store.write() as writing, workers(scheduler) as cluster:
        Transaction(writing, store.config, summary).run(found, progress, cluster)
    return summary
