"""Stores: where quads are kept. A store is read as a :class:`Graph` and written by one :class:`Writing`."""

from provkg.store.embedded import EmbeddedStore, Writing, open_store
from provkg.store.graph import Graph, Row, readable, text_of, values, written

__all__ = ["EmbeddedStore", "Graph", "Row", "Writing", "open_store", "readable", "text_of", "values", "written"]
