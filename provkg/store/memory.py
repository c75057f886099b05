"""A store in memory, for a script or a test: it is gone with the process."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import pyoxigraph

from provkg.config import MEMORY, Config
from provkg.errors import StoreError, StoreLocked
from provkg.store.embedded_writing import EmbeddedWriting
from provkg.store.local import LocalGraph
from provkg.store.protocol import Store


class MemoryStore(Store):
    """Quads in memory; each transaction works on a copy, so readers see all of it or nothing."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.state = 0
        self.current = pyoxigraph.Store()
        self.lock = Lock()

    @property
    def name(self) -> str:
        """What the settings call it."""
        return MEMORY

    def exists(self) -> bool:
        """Say whether anything was ever ingested here."""
        return self.state > 0

    def base(self) -> str:
        """Return what the IRIs of the data begin with."""
        return self.config.base

    def read(self) -> LocalGraph:
        """Open the newest state for reading.

        Raises:
            StoreError: nothing was ingested yet.
        """
        if not self.exists():
            raise StoreError("the store in memory is empty", hint="ingest something first")
        return LocalGraph(self.current, self.config.base, str(self.state))

    @contextmanager
    def write(self) -> Iterator[EmbeddedWriting]:
        """Open one transaction.

        Raises:
            StoreLocked: another thread is writing.
        """
        if not self.lock.acquire(blocking=False):
            raise StoreLocked("another thread is writing to the store in memory", hint="wait for it to end")
        try:
            copy = pyoxigraph.Store()
            copy.bulk_extend(self.current)
            writing = EmbeddedWriting(copy, self.config.base, None, fresh=not self.exists())
            yield writing
            if writing.changed:
                self.current, self.state = copy, self.state + 1
        finally:
            self.lock.release()
