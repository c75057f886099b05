"""Stores: where quads are kept. A store is read as a :class:`Graph` and written by one :class:`Writing`."""

from pathlib import Path

from provkg.config import MEMORY, Config
from provkg.errors import StoreError
from provkg.store.embedded import EmbeddedStore
from provkg.store.graph import Graph, Row, Term, is_iri, readable, text_of, values, written
from provkg.store.local import LocalGraph
from provkg.store.memory import MemoryStore
from provkg.store.protocol import PIECE_CHARACTERS, Session, Store, Unfinished, Writing
from provkg.store.sparql import tokens, words

__all__ = [
    "PIECE_CHARACTERS",
    "EmbeddedStore",
    "Graph",
    "LocalGraph",
    "MemoryStore",
    "Row",
    "Session",
    "Store",
    "Term",
    "Unfinished",
    "Writing",
    "is_iri",
    "open_store",
    "readable",
    "text_of",
    "tokens",
    "values",
    "words",
    "written",
]


def open_store(config: Config) -> Store:
    """Return the store that the settings name: a folder, a server at an http(s) URL, or ``memory:``.

    Raises:
        StoreError: it is a URL of another kind, or holds a password.
    """
    if config.store.startswith(("http://", "https://")):
        from provkg.store.remote import RemoteStore  # noqa: PLC0415 - slow to import, and seldom needed

        return RemoteStore(config)
    if config.store == MEMORY:
        return MemoryStore(config)
    if "://" in config.store:
        scheme = config.store.partition("://")[0]
        raise StoreError(f"a store is a folder or an http(s) URL, not {scheme}://", hint="--store http://HOST:PORT")
    return EmbeddedStore(Path(config.store), config)
