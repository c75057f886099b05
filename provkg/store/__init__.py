"""Stores: where quads are kept. A store is read as a :class:`Graph` and written by one :class:`Writing`."""

from pathlib import Path

from provkg.config import Config
from provkg.errors import StoreError
from provkg.store.embedded import EmbeddedStore
from provkg.store.graph import Graph, Row, Term, readable, text_of, values, written
from provkg.store.local import LocalGraph
from provkg.store.protocol import Store, Writing

__all__ = [
    "EmbeddedStore",
    "Graph",
    "LocalGraph",
    "Row",
    "Store",
    "Term",
    "Writing",
    "open_store",
    "readable",
    "text_of",
    "values",
    "written",
]


def open_store(config: Config) -> Store:
    """Return the store that the settings name.

    Raises:
        StoreError: it is an endpoint; only folders can be opened yet.
    """
    if "://" in config.store:
        raise StoreError(
            f"{config.store} is no folder", hint="this version keeps its store in a folder: --store FOLDER"
        )
    return EmbeddedStore(Path(config.store), config)
