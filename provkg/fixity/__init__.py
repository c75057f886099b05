"""Fixity: whether files are still what was recorded, as dated observations in the graph."""

from provkg.fixity.checking import STATES, Found
from provkg.fixity.expected import Expected, Selection
from provkg.fixity.sampling import Confidence
from provkg.fixity.verifying import Options, Verification, verify

__all__ = ["STATES", "Confidence", "Expected", "Found", "Options", "Selection", "Verification", "verify"]
