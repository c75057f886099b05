"""Write to a server, which has no transaction over several requests, so that a crash can be taken back.

1. A marker in the ledger says who writes, before anything else is written.
2. Graphs of sources are named in the marker, then written; graphs of sources that go are named in it and hidden from
   this writer. What is removed elsewhere is kept in mind, so nothing that was there before is gone from the server.
3. At the end: what was resolved before and no longer holds is removed, the ledger's new entries are written, the marker
   says that it is so far, and only then go the hidden graphs and the rest. Last comes a new name of the store's state,
   and the marker goes.

Whoever finds the marker of a dead writer knows what to do: before the last stage, the graphs written are half and the
hidden ones whole; in it, all that was written is whole and the hidden graphs are to be removed.
"""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pyoxigraph
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat

from provkg.errors import StoreError
from provkg.store.answers import canonical
from provkg.store.beside import Cache
from provkg.store.endpoint import Endpoint
from provkg.store.graph import Row, Term
from provkg.store.markers import ABANDONED, COMMITTING, Marker, acquire, note, release
from provkg.store.protocol import FORMAT, Unfinished, Writing, same_base
from provkg.store.remote_graph import RemoteGraph
from provkg.store.sparql import words
from provkg.vocab import CATALOGUE, DESCRIPTIONS, INFERENCES, LEDGER, PKG, RESOLUTION, SUMMARIES

SHARED = (CATALOGUE, DESCRIPTIONS, RESOLUTION, INFERENCES, SUMMARIES)


@contextmanager
def transaction(
    endpoint: Endpoint, config_base: str, store_base: Callable[[], str], state: Callable[[str], str]
) -> Iterator["RemoteWriting"]:
    """Open one transaction on a server.

    Raises:
        StoreLocked: another process is writing.
        StoreError: the server refuses, or holds a store of another base.
    """
    same_base(store_base(), config_base)
    marker, dead = acquire(endpoint, config_base)
    writing = RemoteWriting(endpoint, config_base, marker)
    cache = Cache(endpoint.url, config_base)
    writing.logs = cache.logs()
    try:
        writing.begin(dead)
        writing.beside = None if dead else cache.next(state(config_base))
        yield writing
        if writing.changed:
            named = writing.commit()
            if writing.beside is not None:
                cache.keep(writing.beside, named)
    except BaseException:
        with suppress(StoreError):  # the first error is the one to tell
            if writing.touched:
                note(endpoint, config_base, marker, PKG.stage, [ABANDONED])
            else:
                release(endpoint, config_base, [marker])
        raise
    finally:
        if writing.beside is not None:
            shutil.rmtree(writing.beside, ignore_errors=True)
    release(endpoint, config_base, [marker, *writing.taken_back()])


class RemoteWriting(Writing):
    """One transaction on a server; see the module for what is written when.

    ``touched`` says that the server holds something of it.
    """

    def __init__(self, endpoint: Endpoint, base: str, marker: Marker) -> None:
        self.endpoint, self.base, self.marker = endpoint, base, marker
        self.fresh = self.changed = self.touched = False
        self.beside: Path | None = None
        self.dead: list[Marker] = []
        self.entries = pyoxigraph.Store()  # what the ledger will say
        self.removed: set[Quad] = set()
        self.hidden: set[str] = set()
        self.written: set[str] = set()
        self.ledger, self.resolution = (NamedNode(base + name) for name in (LEDGER, RESOLUTION))
        self.view = _Seen(self)

    def begin(self, dead: list[Marker]) -> None:
        """Look at what is there, and at what dead writers left."""
        self.dead = dead
        source = f"GRAPH {self.ledger} {{ ?s a <{PKG.Source}> }}"
        self.fresh = not self.endpoint.select(f"SELECT ?s WHERE {{ {source} }} LIMIT 1")[1]
        half = {each for marker in dead if COMMITTING not in marker.stages for each in marker.written}
        half |= {each for marker in dead if COMMITTING in marker.stages for each in marker.removed}
        whole = {each for marker in dead for each in marker.removed} - half
        if self.fresh and dead:  # nothing was ever finished here: all of it goes
            self.touched = True
            for graph in (*sorted(half), *(self.base + name for name in SHARED)):
                self.endpoint.drop(graph)
        else:
            self.unfinished = Unfinished(frozenset(half), frozenset(whole)) if dead else None

    def taken_back(self) -> list[Marker]:
        """Return the markers of dead writers of whom nothing is left."""
        return [] if self.unfinished else self.dead

    @property
    def graph(self) -> RemoteGraph:
        """What this transaction sees."""
        return self.view

    def load(self, quads: str) -> None:
        """Load N-Quads: sources first, then what they share; the ledger waits for the end.

        Raises:
            StoreError: a statement is none, or the server refuses it.
        """
        graphs = self._by_graph(quads)
        if not graphs:
            return
        self.changed = True
        entries = graphs.pop(self.ledger.value, [])
        self.entries.extend(entries)
        self.removed.difference_update(entries)
        if not graphs:
            return
        shared = {self.base + name for name in SHARED}
        self._announce(PKG.writes, graphs.keys() - shared - self.written)
        self.written |= graphs.keys()
        for name in graphs.keys() & self.hidden:  # the same source again: what it no longer says goes at the end
            self.hidden.discard(name)
            self.removed |= set(self.view.stored(None, None, None, NamedNode(name)))
        for loaded in graphs.values():
            self.removed.difference_update(loaded)
        self.endpoint.load({name: graphs[name] for name in sorted(graphs, key=lambda name: (name in shared, name))})
        self.view.forget()

    def _by_graph(self, quads: str) -> dict[str, list[Quad]]:
        graphs: dict[str, list[Quad]] = defaultdict(list)
        try:
            for quad in pyoxigraph.parse(quads.encode(), format=RdfFormat.N_QUADS, lenient=True):
                plain = quad
                if isinstance(quad.object, Literal) and (literal := canonical(quad.object)) != quad.object:
                    plain = Quad(quad.subject, quad.predicate, literal, quad.graph_name)
                if not isinstance(quad.graph_name, NamedNode):
                    raise StoreError("a statement is in no graph", hint="please report it with the input")
                graphs[quad.graph_name.value].append(plain)
        except (SyntaxError, ValueError) as error:
            raise StoreError(
                f"a statement could not be loaded: {error}", hint="please report it with the input"
            ) from None
        return graphs

    def _announce(self, term: str, names: Iterable[str]) -> None:
        wanted = sorted(names)
        self.touched = True
        if wanted:
            note(self.endpoint, self.base, self.marker, term, wanted)

    def remove(self, quads: list[Quad]) -> None:
        """Remove quads: at once for this transaction, at the end for others."""
        for quad in quads:
            self.changed = True
            self.entries.remove(quad)
            self.removed.add(quad)

    def remove_graph(self, graph: str) -> None:
        """Remove a graph; that of a source goes at the end."""
        self.changed = True
        if graph in {self.base + name for name in SHARED}:
            self.touched = True
            self.endpoint.drop(graph)
            self.removed = {quad for quad in self.removed if quad.graph_name != NamedNode(graph)}
        else:
            self._announce(PKG.removes, {graph})
            self.hidden.add(graph)
        self.view.forget()

    def update(self, text: str) -> None:
        """Run a SPARQL update; what was removed before it is removed.

        Raises:
            SyntaxError: it is no SPARQL update.
        """
        if not words(text) & {"SERVICE", "LOAD"}:  # these would be fetched
            pyoxigraph.Store().update(text)
        self.changed = self.touched = True
        self.flush()
        self.endpoint.update(text, repeat=False)
        self.view.forget()

    def optimize(self) -> None:
        """Do nothing: a server does so by itself."""

    def flush(self) -> None:
        """Remove from the server what was resolved and no longer holds: queries would see it."""
        gone = {quad for quad in self.removed if quad.graph_name == self.resolution}
        if gone:
            self.touched = True
            self.endpoint.delete(gone)
            self.removed -= gone

    def commit(self) -> str:
        """Write the ledger, then remove what goes, then name the new state and return its name."""
        self.flush()
        self.touched = True
        self.endpoint.insert(self.entries)
        if self.hidden or self.removed:
            note(self.endpoint, self.base, self.marker, PKG.stage, [COMMITTING])
        self.endpoint.delete(quad for quad in self.removed if quad.graph_name != self.ledger)
        for graph in sorted(self.hidden):
            self.endpoint.drop(graph)
        self.endpoint.delete(quad for quad in self.removed if quad.graph_name == self.ledger)
        named = f"GRAPH {self.ledger} {{ {self.ledger} <{PKG.snapshot}>"
        self.endpoint.update(f"DELETE WHERE {{ {named} ?old }} }}")
        state = f"{FORMAT}-{uuid4()}"
        self.endpoint.update(f'INSERT DATA {{ {named} "{state}" }} }}')
        return state


class _Seen(RemoteGraph):
    """What a transaction sees: what the server holds, without what it removed, with what the ledger will say."""

    def __init__(self, writing: RemoteWriting) -> None:
        super().__init__(writing.endpoint, writing.base)
        self.writing = writing

    def forget(self) -> None:
        """Look everything up again: the server holds something else now."""
        self.known.clear()
        self.__dict__.pop("inferred", None)

    def stored(
        self, subject: NamedNode | None, predicate: NamedNode | None, object_: Term | None, graph: NamedNode | None
    ) -> Iterator[Quad]:
        """Give the quads that match on the server, whether removed or not."""
        return super().pattern(subject, predicate, object_, graph)

    def pattern(
        self, subject: NamedNode | None, predicate: NamedNode | None, object_: Term | None, graph: NamedNode | None
    ) -> Iterator[Quad]:
        """Give the quads that match."""
        writing = self.writing
        entries = set(writing.entries.quads_for_pattern(subject, predicate, object_, graph))
        for quad in self.stored(subject, predicate, object_, graph):
            name = quad.graph_name
            if quad not in writing.removed and not (isinstance(name, NamedNode) and name.value in writing.hidden):
                yield quad
                entries.discard(quad)
        yield from entries

    def select(self, query: str) -> Iterator[Row]:
        """Run a SELECT query; what the ledger will say is not seen by it."""
        self.writing.flush()
        return super().select(query)

    def hidden_graphs(self) -> list[str]:
        """Return the graphs that are not seen: those of sources that go, too."""
        return [*super().hidden_graphs(), *sorted(self.writing.hidden)]

    def graphs(self) -> list[str]:
        """Return the names of the store's graphs."""
        return [name for name in super().graphs() if name not in self.writing.hidden]
