"""Gaps: what lies in an archive against what the graph knows, and where records are missing."""

from provkg.gaps.finding import gaps
from provkg.gaps.gap import Gap, Gaps
from provkg.gaps.listing import Listing, read_listing
from provkg.gaps.page import page

__all__ = ["Gap", "Gaps", "Listing", "gaps", "page", "read_listing"]
