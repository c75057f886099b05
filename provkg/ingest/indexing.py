"""Keep what is derived from the sources equal to them while an ingest goes on: lineage index and summaries."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from provkg.lineage.batch import Batch
from provkg.lineage.index import Delta, Index, append, deltas_of, load, made, rebuild, tidy
from provkg.lineage.index.layer import NODE
from provkg.lineage.resolution import Resolved
from provkg.lineage.summaries import Call, Calls, Summaries
from provkg.store import Writing
from provkg.vocab import PKG, PROV

COUNTED = 50_000  # activities of which is kept what is counted


class Indexing:
    """The index and the summaries of one transaction.

    ``gone`` are the sources that were removed since the last batch; ``recount`` says that the sums may be wrong.

    Args:
        writing: the transaction.
        counted: what is counted of activities, as far as it is known and still holds; kept by the caller.
    """

    def __init__(self, writing: Writing, counted: dict[str, Call]) -> None:
        self.writing, self.counted = writing, counted
        self.opened: Index | None = None
        self.summaries = Summaries(writing)
        self.gone: set[str] = set()
        self.recount = False
        if writing.beside is not None and not writing.fresh and not made(writing.beside):
            rebuild(writing.beside, writing.base, deltas_of(writing.graph))  # without it nothing is known to be there
        self.background = ThreadPoolExecutor(1)
        self.merging = self.background.submit(tidy, writing.beside) if writing.beside is not None else None

    @property
    def index(self) -> Index | None:
        """The index before this batch; None for a store that has it made by the next who reads."""
        if self.merging is not None:
            self.merging.result()
        if self.opened is None and self.writing.beside is not None:
            self.opened = load(self.writing.beside, self.writing.base)
        return self.opened

    def known(self, names: set[str]) -> set[str]:
        """Return those of some names that the store spoke of before."""
        if self.index is not None:
            return self.index.knows(names)
        return set() if self.writing.fresh else names

    def take(self, batch: Batch, resolved: Resolved) -> set[str]:
        """Take over what a batch changed, and return the graphs of the sources it touched."""
        calls = Calls(self.writing.graph, self.counted)
        activities = set(batch.activities) | self.relevelled(resolved.delta)
        sessions = batch.sessions | self.known({session for edges in batch.edges.values() for session in edges.nights})
        for session in sessions:
            activities |= set(self.writing.graph.subjects(PKG.inSession, session))
        self.forget(activities.union(*(edges.speaks_of() for edges in batch.edges.values())))
        touched = {graph for activity in activities for graph in calls.tellers(activity)}
        for graph in batch.recounted:  # its name has changed, and so which source is the first to tell
            touched |= {teller for activity in calls.told_by(graph) for teller in calls.tellers(activity)}
        self.summarise(batch, resolved, calls, touched)
        if self.writing.beside is not None and self.index is not None:
            append(self.writing.beside, self.writing.base, resolved.delta)
            self.opened = None
        return touched

    def forget(self, activities: set[str]) -> None:
        """Forget what was counted of activities of which something is new."""
        if len(self.counted) > COUNTED:
            self.counted.clear()
        for activity in activities:
            self.counted.pop(activity, None)

    def stop(self) -> None:
        """End the other thread, in which layers of the index are merged while sources are read."""
        self.background.shutdown()
        self.merging = None  # its error would keep the store open

    def relevelled(self, delta: Delta) -> set[str]:
        """Return the activities that made or read a product of which people are now told something else."""
        view, names = self.writing.graph, list(delta.retold)
        if self.index is not None:
            before = self.index.numbered(map(self.index.name, names), NODE)[1]
            names = [name for name in names if self.index.name(name) in before]
            told = self.index.describe(np.array([before[self.index.name(name)] for name in names], np.uint32))
            names = [name for name, was in zip(names, told, strict=True) if was.level != delta.products[name].level]
        found = {activity for name in names for activity in view.objects(name, PROV.wasGeneratedBy)}
        for node in (node for name in names for node in view.subjects(PKG.usedVersion, name)):
            found |= set(view.subjects(PROV.qualifiedUsage, node))
        return found

    def summarise(self, batch: Batch, resolved: Resolved, calls: Calls, touched: set[str]) -> None:
        """Count the sources of a batch, and those that it touched or that are gone."""
        began = {graph: edges.times.keys() - edges.ends.keys() for graph, edges in batch.edges.items()}
        told = Counter(activity for names in began.values() for activity in names)
        sources: dict[str, Iterable[Call]] = dict.fromkeys(self.gone, ())
        for graph in touched | batch.edges.keys():
            activities = began.get(graph) if graph not in batch.recounted else None
            if activities is not None and all(name in resolved.calls and told[name] == 1 for name in activities):
                sources[graph] = [resolved.calls[name] for name in activities]
            else:
                sources[graph] = calls.of_source(graph)
        self.summaries.update(sources, recount=self.recount)
        self.gone.clear()
        self.recount = False
