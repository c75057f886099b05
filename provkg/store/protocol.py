"""What every store does: it is read as a :class:`Graph` and written by one :class:`Writing` at a time."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path

from pyoxigraph import Quad

from provkg.config import Config
from provkg.store.graph import Graph


class Writing(ABC):
    """One transaction: ``fresh`` says that the store was empty before, ``changed`` that something was written.

    ``beside`` is the folder of what is kept beside the quads: its files are those of the state before, and are
    replaced, never changed. None where it is made anew by the next who reads.
    """

    base: str
    beside: Path | None
    fresh: bool
    changed: bool

    @property
    @abstractmethod
    def graph(self) -> Graph:
        """What this transaction sees."""

    @abstractmethod
    def load(self, quads: str) -> None:
        """Load N-Quads. The mapper has checked every IRI, so the parser need not."""

    @abstractmethod
    def remove(self, quads: list[Quad]) -> None:
        """Remove quads."""

    @abstractmethod
    def remove_graph(self, graph: str) -> None:
        """Remove a graph."""

    @abstractmethod
    def update(self, text: str) -> None:
        """Run a SPARQL update.

        Raises:
            SyntaxError: it is no SPARQL update.
        """


class Store(ABC):
    """A place that holds quads. Making one touches nothing: reading and writing open it."""

    config: Config

    @property
    @abstractmethod
    def name(self) -> str:
        """The folder or URL, for people."""

    @abstractmethod
    def exists(self) -> bool:
        """Say whether anything was ever ingested here."""

    @abstractmethod
    def base(self) -> str:
        """Return what the IRIs of the data begin with: the settings' base where nothing was ingested yet."""

    @abstractmethod
    def read(self) -> Graph:
        """Open the newest state for reading.

        Raises:
            StoreError: there is no store, or it cannot be read.
        """

    @abstractmethod
    def write(self) -> AbstractContextManager[Writing]:
        """Open one transaction.

        Raises:
            StoreLocked: another process is writing.
            StoreError: the store cannot be written.
        """
