"""What is told of an archive: gaps, and a matrix of nights by level."""

from dataclasses import dataclass
from typing import NamedTuple

# the most important first
KINDS = ("silent step", "broken chain", "orphan", "ghost", "missing input", "unread", "unfinished")


class Gap(NamedTuple):
    """A gap: of what kind, in which night and level, where; ``number`` is of how many files or activities.

    ``behind`` is how many products were made, step by step, from what is in doubt.
    """

    kind: str
    night: str
    level: str
    what: str
    number: int
    behind: int
    advice: str


class Cell(NamedTuple):
    """A night and a level: files in the archive, those of them that are recorded, and recorded ones not there."""

    night: str
    level: str
    files: int
    recorded: int
    ghosts: int

    @property
    def percent(self) -> float:
        """How much of what lies there, or should, is both recorded and there."""
        return round(100 * self.recorded / (self.files + self.ghosts), 1) if self.files + self.ghosts else 100.0


@dataclass(frozen=True)
class Gaps:
    """What lies in an archive against what the graph knows.

    Args:
        roots: the folders that were compared.
        matrix: counts by night and level.
        gaps: the most important first.
        assumed: how much was assumed or left out, by what.
        unread: what of the listing could not be read.
    """

    roots: tuple[str, ...]
    matrix: tuple[Cell, ...]
    gaps: tuple[Gap, ...]
    assumed: dict[str, int]
    unread: tuple[str, ...]

    def below(self, percent: float) -> list[Cell]:
        """Return the cells of which less is recorded and there."""
        return [each for each in self.matrix if each.percent < percent]
