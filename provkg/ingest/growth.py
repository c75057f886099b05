"""A log as far as it was read: what is new in it is mapped, and the stretch that it belongs to is told again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from provkg import ledger
from provkg.config import Config
from provkg.edges import Edges
from provkg.ingest.outcomes import More, Present, Read, plain
from provkg.mapping import Mapped, Mapping
from provkg.readers import Bounded, Live, Reader
from provkg.records import Stretch


class _Told(NamedTuple):
    """What a stretch said: its edges for good, the activities that it spoke of, those that are told again."""

    graph: str
    edges: Edges
    activities: set[str]
    open: set[str]


class Growth:
    """A log as far as it was read; what it says is the same as if it had been read at once.

    Args:
        shown: where it lies, as the ledger writes it.
        reader: reads logs that grow.
        config: the settings; the base is that of the store.
        known: what is shared and already written; kept by the caller.
        present: says whether a stretch need not be told.
    """

    def __init__(
        self, shown: str, reader: Reader, config: Config, known: set[str], present: Callable[[str], bool]
    ) -> None:
        assert reader.live is not None
        self.shown, self.reader, self.base, self.present = shown, reader, config.base, present
        self.reading: Live = reader.live(config)
        self.mapping = Mapping(config, known)
        self.whole: list[Present] = []
        self.told: _Told | None = None  # the last stretch, where what it said for good is known

    def stretches(self, stream: Bounded) -> Iterator[Read | Present]:
        """Read on, to the end of a stream, which must be the end of a line; give the stretches that this completes."""
        for record in self.reading.read(stream):
            if isinstance(record, Stretch):
                graph = ledger.graph_of(self.base, record.digest, ledger.INNER)
                there = Present(self.shown, graph, record.digest, record.end)
                mapped = self.mapping.cut(record)
                found = there if self.present(graph) else self._plain(graph, record, mapped)
                self.whole.append(there)
                yield found
            else:
                self.mapping.add(record)

    def last(self) -> Read:
        """Return what the last stretch is if nothing more comes; more can be read afterwards."""
        graph, stop, mapped, told = self._ended()
        found = self._plain(graph, stop, mapped)
        self.told = told
        return found

    def pause(self) -> str:
        """Note what was told when the log ended here, and return its last stretch."""
        graph, _, _, self.told = self._ended()
        return graph

    def _ended(self) -> tuple[str, Stretch, Mapped, _Told | None]:
        """Return the last stretch, and what it says for good; None where a later record may claim something of it."""
        *rest, stop = self.reading.rest()
        assert isinstance(stop, Stretch)
        graph, edges = ledger.graph_of(self.base, stop.digest), self.mapping.out.edges.copy()
        mapped = self.mapping.if_ended([*rest, stop])
        if rest and not self.reading.tells_again:
            return graph, stop, mapped, None
        open_ = mapped.edges.since(edges).speaks_of() if rest else set()
        return graph, stop, mapped, _Told(graph, edges, mapped.edges.speaks_of(), open_)

    def _plain(self, graph: str, end: Stretch, mapped: Mapped) -> Read:
        begin, told = self.whole[-1].end if self.whole else 0, self.told
        self.told = None
        found = plain(mapped, self.shown, graph, begin, end, self.reader, self.base)
        if told is None:
            return found
        new = mapped.edges.since(told.edges)
        return replace(found, more=More(told.graph, new, told.activities, told.open))
