"""Keep the lineage index beside the store equal to it while an ingest goes on."""

from provkg.lineage.index import Delta, Index, append, load, tidy
from provkg.store import Writing


class Indexing:
    """The index of one transaction."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.index: Index | None = None
        if writing.beside is not None:
            tidy(writing.beside)

    def known(self, names: set[str]) -> set[str]:
        """Return those of some names that the store spoke of before."""
        if self.writing.beside is None:
            return set() if self.writing.fresh else names
        if self.index is None:
            self.index = load(self.writing.beside, self.writing.base)
        return self.index.knows(names)

    def add(self, delta: Delta) -> None:
        """Take over what a batch changed."""
        if self.writing.beside is not None:
            append(self.writing.beside, self.writing.base, delta)
            self.index = None
