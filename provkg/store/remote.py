"""The remote store: a SPARQL 1.1 server behind the same protocol as a folder.

A server keeps no snapshots and has no transactions over several requests: what a reader sees may be half of an
ingest. ``provkg.store.remote_writing`` says how a crashed ingest is recognised and taken back.
"""

from contextlib import AbstractContextManager

from provkg.config import Config
from provkg.errors import StoreError
from provkg.store.beside import Cache
from provkg.store.endpoint import Endpoint
from provkg.store.graph import text_of
from provkg.store.markers import abandon, markers
from provkg.store.protocol import Store, same_format
from provkg.store.remote_graph import RemoteGraph
from provkg.store.remote_writing import RemoteWriting, transaction
from provkg.vocab import LEDGER, PKG


class RemoteStore(Store):
    """A store on a SPARQL server. Making one asks nothing."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.endpoint = Endpoint(config)

    @property
    def name(self) -> str:
        """The URL."""
        return self.endpoint.url

    def exists(self) -> bool:
        """Say whether anything was ever ingested here."""
        return bool(self._bases())

    def base(self) -> str:
        """Return what the IRIs of the data begin with.

        Raises:
            StoreError: the server holds stores of several bases, and the settings name none of them.
        """
        found = self._bases()
        if not found or self.config.base in found:
            return self.config.base
        if len(found) > 1:
            raise StoreError(
                f"{self.name} holds several stores: {', '.join(found)}", hint="set base in provkg.toml to one of them"
            )
        return found[0]

    def _bases(self) -> list[str]:
        query = f"SELECT DISTINCT ?g WHERE {{ GRAPH ?g {{ ?s a <{PKG.Source}> }} }}"
        names = sorted(text_of(row["g"]) for row in self.endpoint.select(query)[1])
        return [name.removesuffix(LEDGER) for name in names if name.endswith(LEDGER)]

    def read(self) -> RemoteGraph:
        """Open the store for reading.

        Raises:
            StoreError: nothing was ingested there, or it cannot be read.
        """
        if not self.exists():
            raise StoreError(f"nothing was ingested into {self.name} yet", hint="provkg ingest PATH")
        base = self.base()
        state = self.state(base)
        idle = state and not markers(self.endpoint, base)  # of a half-written state nothing is kept
        return RemoteGraph(self.endpoint, base, state, Cache(self.name, base).of(state) if idle else None)

    def state(self, base: str) -> str:
        """Return the name of the store's state: each change gives it a new one.

        Raises:
            StoreError: a newer or older provkg wrote the store.
        """
        ledger = f"<{base}{LEDGER}>"
        query = f"SELECT ?state WHERE {{ GRAPH {ledger} {{ {ledger} <{PKG.snapshot}> ?state }} }}"
        found = [text_of(row["state"]) for row in self.endpoint.select(query)[1]]
        for each in found:
            same_format(self.name, int(version) if (version := each.partition("-")[0]).isdecimal() else 0)
        return max(found, default="")

    def write(self) -> AbstractContextManager["RemoteWriting"]:
        """Open one transaction; see :mod:`provkg.store.writing`.

        Raises:
            StoreLocked: another process is writing.
            StoreError: the server refuses.
        """
        return transaction(self.endpoint, self.config.base, self.base, self.state)

    def writers(self) -> list[str]:
        """Return who is writing, or died while writing."""
        return [f"{each}{', which died' if each.dead else ''}" for each in markers(self.endpoint, self.base())]

    def unlock(self) -> list[str]:
        """Say that all who were writing are dead, and return who they were.

        The next ingest takes back what they left.
        """
        return abandon(self.endpoint, self.base())
