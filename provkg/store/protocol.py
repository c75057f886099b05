"""What every store does: it is read as a :class:`Graph` and written by one :class:`Writing` at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Quad

from provkg.config import Config
from provkg.errors import StoreError
from provkg.store.graph import Graph

# 2: pkg:drawnFrom; 3: what is beside the quads, summaries; 4: pkg:byContent; 5: stretches of logs, pkg:SourceFile
FORMAT, OLDEST = 5, 4  # of what a store holds, and the oldest that can be brought to it
PIECE_CHARACTERS = 24 << 20  # of N-Quads that are loaded at once


@dataclass(frozen=True)
class Unfinished:
    """What a crashed ingest left in a store that has no transactions.

    Args:
        half: graphs of sources that were being written or removed: they are to be removed.
        whole: graphs of sources that are whole, but what was resolved of them may be gone: it is to be done again.
    """

    half: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.half or self.whole)


class Writing(ABC):
    """One transaction.

    ``fresh`` says that the store was empty before, ``changed`` that something was written; ``unfinished`` is what the
    caller has to take back before it goes on, and sets to None when it did. ``beside`` is the folder of what is kept
    beside the quads: its files are those of the state before, and are replaced, never changed. None where it is made
    anew by the next who reads. ``logs`` is the folder of what is known of logs that grow, None where there is none: it
    is of all states, and what is in it may be lost.
    """

    base: str
    beside: Path | None
    fresh: bool
    changed: bool
    unfinished: Unfinished | None = None
    logs: Path | None = None

    @property
    @abstractmethod
    def graph(self) -> Graph:
        """What this transaction sees."""

    @abstractmethod
    def load(self, quads: str) -> None:
        """Load N-Quads. The mapper has checked every IRI, so the parser need not."""

    def load_lines(self, lines: Iterable[str]) -> None:
        """Load lines of N-Quads, or texts of many lines, in pieces that take a bounded amount of memory."""
        waiting, size = [], 0
        for piece in _pieces(lines):
            waiting.append(piece)
            size += len(piece)
            if size >= PIECE_CHARACTERS:
                self.load("".join(waiting))
                waiting, size = [], 0
        if waiting:
            self.load("".join(waiting))

    @abstractmethod
    def remove(self, quads: list[Quad]) -> None:
        """Remove quads."""

    @abstractmethod
    def remove_graph(self, graph: str) -> None:
        """Remove a graph."""

    @abstractmethod
    def optimize(self) -> None:
        """Put together what many loads have left apart."""

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

    def revision(self) -> str:
        """Name the state that :meth:`read` opens: another after each ingest; empty where that cannot be seen."""
        return ""

    def writers(self) -> list[str]:
        """Return who is writing, or died while writing: what is read now may be half of it. Never so in a folder."""
        return []

    def unlock(self) -> list[str]:
        """Say that all who were writing are dead, and return who they were; a folder knows that by itself."""
        return []

    def wanted(self) -> bool:
        """Say whether another process waits for a session to end."""
        return False

    def session(self) -> AbstractContextManager[Session]:
        """Open a session.

        Raises:
            StoreLocked: another process is writing.
            StoreError: the store cannot be written.
        """
        return nullcontext(OneByOne(self))

    @abstractmethod
    def write(self) -> AbstractContextManager[Writing]:
        """Open one transaction.

        Raises:
            StoreLocked: another process is writing.
            StoreError: the store cannot be written.
        """


class Session(ABC):
    """Many transactions one after the other, of which nobody else writes between."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Writing]:
        """Open the next one; it becomes visible when the block ends without an error.

        Raises:
            StoreError: the store cannot be written.
        """


class OneByOne(Session):
    """Transactions of a store that has no better way.

    Args:
        store: the store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def transaction(self) -> AbstractContextManager[Writing]:
        """Open the next one."""
        return self.store.write()


def same_format(name: str, version: int, oldest: int = FORMAT) -> None:
    """Refuse a store that another version of provkg wrote.

    Args:
        name: of the store, for people.
        version: its format.
        oldest: the oldest format that is taken.

    Raises:
        StoreError: a newer or an older one did.
    """
    if version > FORMAT:
        raise StoreError(
            f"{name} was written by a newer provkg (format {version}, this one knows {FORMAT})", hint="upgrade provkg"
        )
    if version < oldest:
        hint = "provkg doctor --migrate" if version >= OLDEST else "ingest its sources into a new store"
        raise StoreError(
            f"{name} was written by an older provkg (format {version}, this one writes {FORMAT})", hint=hint
        )


def same_base(stored: str, wanted: str) -> None:
    """Refuse to write into a store of another base.

    Raises:
        StoreError: the bases differ.
    """
    if stored != wanted:
        raise StoreError(
            f"the store's IRIs begin with {stored}, the settings say {wanted}", hint="set base in provkg.toml"
        )


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """Give texts, in parts that end with a line where they are long."""
    for text in texts:
        at = 0
        while len(text) - at > PIECE_CHARACTERS:
            end = text.index("\n", at + PIECE_CHARACTERS) + 1
            yield text[at:end]
            at = end
        yield text[at:] if at else text
