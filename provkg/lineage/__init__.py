"""Lineage: what a product was made from, and what was made from it."""

from provkg.lineage.products import Candidate, find, find_one
from provkg.lineage.walk import Step, lineage

__all__ = ["Candidate", "Step", "find", "find_one", "lineage"]
