"""Lineage: what a product was made from, and what was made from it."""

from provkg.lineage.products import Candidate, find, find_one
from provkg.lineage.walk import COLUMNS, Step, lineage

__all__ = ["COLUMNS", "Candidate", "Step", "find", "find_one", "lineage"]
