"""What an ingest did, in numbers and names."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from provkg.errors import InputError
from provkg.records import Quarantined

Progress = Callable[[int, int, str], None]


@dataclass
class Summary:
    """What an ingest did.

    ``errors`` are the inputs that could not be read at all, each with its hint; ``touched`` the graphs of the sources
    that are new, or of which the answer to what was read has changed; ``paths`` what was read, or was known;
    ``activities`` and ``sessions`` those of which something new was read.
    """

    sources: int = 0
    unchanged: int = 0
    grown: int = 0
    replaced: int = 0
    skipped: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    quarantined: list[tuple[str, Quarantined]] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    paths: list[str] = field(default_factory=list)
    activities: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)

    @property
    def exit_status(self) -> int:
        """0 everything was read; 4 some of it; 3 nothing."""
        if self.errors and not (self.sources or self.unchanged):
            return 3
        return 4 if self.errors or self.counts["quarantined"] else 0
