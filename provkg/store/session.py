"""Many transactions on one copy of an embedded store, one after the other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from provkg.store.embedded_files import BESIDE, QUADS, disk_errors, link_beside, next_number
from provkg.store.embedded_writing import EmbeddedWriting
from provkg.store.protocol import Session

if TYPE_CHECKING:
    from provkg.store.embedded import EmbeddedStore

LIVE = "live.part"  # what a session writes


class EmbeddedSession(Session):
    """Transactions on one copy, which stays open; after each of them a snapshot of it becomes the current one.

    Args:
        store: the store, which is locked.
        base: what its IRIs begin with.
    """

    def __init__(self, store: EmbeddedStore, base: str) -> None:
        self.store, self.base = store, base
        self.copy = store.path / "snapshots" / LIVE
        self.open: EmbeddedWriting | None = None

    @contextmanager
    def transaction(self) -> Iterator[EmbeddedWriting]:
        """Open the next transaction; see :meth:`Session.transaction`."""
        with disk_errors(self.store.path):
            current = self.store.current()
            writing = self.open = self.open or self.store.copied(current, self.copy, self.base)
            writing.changed, writing.fresh = False, current is None
            try:
                yield writing
                if writing.changed:
                    self.snapshot(writing, current)
            except BaseException:
                self.close()  # what it wrote is only in the copy
                raise

    def snapshot(self, writing: EmbeddedWriting, current: Path | None) -> None:
        """Make what was written the current snapshot."""
        part = self.copy.with_name(f"{next_number(current):06d}.part")
        (part / BESIDE).mkdir(parents=True)
        writing.store.flush()
        writing.store.backup(str(part / QUADS))
        link_beside(self.copy / BESIDE, part / BESIDE)
        self.store.publish(part, self.base, kept=self.copy)

    def close(self) -> None:
        """Forget the copy."""
        if self.open is not None:
            del self.open.store
            self.open = None
        shutil.rmtree(self.copy, ignore_errors=True)
