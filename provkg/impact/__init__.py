"""Impact: what something bad has touched, how that is recorded and lifted, and what to make again."""

from provkg.impact.advisories import Advisory, Audit, audit, read_advisories
from provkg.impact.marks import Mark, lift, marks, record
from provkg.impact.seeds import Seeds
from provkg.impact.taint import Affected, Remake, Taint, taint

__all__ = [
    "Advisory",
    "Affected",
    "Audit",
    "Mark",
    "Remake",
    "Seeds",
    "Taint",
    "audit",
    "lift",
    "marks",
    "read_advisories",
    "record",
    "taint",
]
