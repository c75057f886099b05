"""The lineage index: who came from whom, as arrays beside the store.

A layer is one immutable file: the edges, products and activities that one ingest added, and the activities whose
earlier edges no longer hold. An index is a list of layers; small ones are merged into larger ones as they come.
"""

from provkg.lineage.index.building import deltas_of, index_of
from provkg.lineage.index.delta import Delta
from provkg.lineage.index.files import append, load, made, rebuild, tidy
from provkg.lineage.index.index import Index, Reached

__all__ = ["Delta", "Index", "Reached", "append", "deltas_of", "index_of", "load", "made", "rebuild", "tidy"]
