"""Write the embedded store: one transaction on a copy of the current snapshot."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat

from provkg.errors import StoreError
from provkg.store.local import LocalGraph
from provkg.store.protocol import Writing


class EmbeddedWriting(Writing):
    """One transaction: a private copy of the store.

    ``fresh`` says that there was no store before; ``changed`` that something was written or removed.
    """

    def __init__(self, store: pyoxigraph.Store, base: str, beside: Path | None, *, fresh: bool) -> None:
        self.store = store
        self.base = base
        self.beside = beside
        self.fresh = fresh
        self.changed = False

    @property
    def graph(self) -> LocalGraph:
        """What this transaction sees."""
        return LocalGraph(self.store, self.base, "", self.beside)

    def load(self, quads: str) -> None:
        """Load N-Quads. The mapper has checked every IRI, so the parser need not."""
        self.changed = True
        try:
            self.store.bulk_load(quads.encode("utf-8", "surrogatepass"), format=RdfFormat.N_QUADS, lenient=True)
        except (SyntaxError, ValueError) as error:
            raise StoreError(
                f"a statement could not be loaded: {error}", hint="please report it with the input"
            ) from None

    def remove(self, quads: list[Quad]) -> None:
        """Remove quads."""
        for quad in quads:
            self.changed = True
            self.store.remove(quad)

    def optimize(self) -> None:
        """Put together what many loads have left apart: about 1.5 s a night, and look-ups take half the time."""
        self.changed = True
        self.store.optimize()

    def update(self, text: str) -> None:
        """Run a SPARQL update.

        Raises:
            SyntaxError: it is no SPARQL update.
        """
        self.changed = True
        self.store.update(text)

    def remove_graph(self, graph: str) -> None:
        """Remove a graph."""
        self.changed = True
        self.store.remove_graph(NamedNode(graph))
