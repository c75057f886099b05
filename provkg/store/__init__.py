"""Stores: where quads are kept. A store is read as a :class:`Graph` and written by one :class:`Writing`."""

from provkg.store.embedded import EmbeddedStore, Writing, open_store
from provkg.store.graph import Graph, Row, Term, readable, text_of, values, written
from provkg.store.local import LocalGraph

__all__ = [
    "EmbeddedStore",
    "Graph",
    "LocalGraph",
    "Row",
    "Term",
    "Writing",
    "open_store",
    "readable",
    "text_of",
    "values",
    "written",
]
