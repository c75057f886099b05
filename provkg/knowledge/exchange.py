"""What the library does with other stores: backups, imports, and a copy with another base."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from provkg.errors import InputError, StoreError
from provkg.knowledge.exporting import Exports
from provkg.store import EmbeddedStore

if TYPE_CHECKING:  # each is imported by the call that needs it
    from provkg.ingest.importing import Merged
    from provkg.moving import Backup, Rebased


class Exchange(Exports):
    """A store that can be copied, brought back and merged with others."""

    def backup(self, folder: str | Path) -> Backup:
        """Write all of the store into a new folder; see :func:`provkg.moving.backup`."""
        from provkg.moving import backup

        return backup(self.graph(), folder)

    def restore(self, folder: str | Path, *, replace_all: bool = False) -> Backup:
        """Bring a backup back, and see that the graph is the one that was backed up.

        Args:
            folder: a backup.
            replace_all: in the place of what the store holds; otherwise it must hold nothing.

        Raises:
            InputError: it is no backup, or is damaged; then the store stays as it was.
            StoreError: the store holds something, or cannot be written.
        """
        from provkg.knowledge.checks import index_again
        from provkg.moving import restored

        if self.store.exists() and not replace_all:
            raise StoreError(f"{self.store.name} holds a store", hint="--replace puts the backup in its place")
        with self.store.write() as writing:
            found = restored(writing, folder)
            index_again(writing)
        return found

    def merge(self, *paths: str | Path) -> Merged:
        """Take over what other stores hold, as if it had been ingested here; see :mod:`provkg.ingest.importing`.

        Args:
            paths: exports of whole stores (.nq, .trig, .jsonld, parts, backups), or a folder with a store.

        Raises:
            InputError: one cannot be read, is no export of a whole store, or has another base.
        """
        from provkg.ingest.importing import merge
        from provkg.knowledge.checks import index_again
        from provkg.moving import exports

        with exports(paths, self.config) as other:
            base = self.store.base()
            if other.base != base:
                told = f"their IRIs begin with {other.base}, those of this store with {base}"
                raise InputError(told, hint=f"provkg --store THEIRS rebase {base} FOLDER makes a copy to import")
            with self.store.write() as writing:
                found = merge(writing, other, self.config)
                index_again(writing)
        return found

    def rebase(self, base: str, folder: str | Path, *, aliases: bool = False) -> Rebased:
        """Write a copy of the store whose IRIs begin with another base; see :func:`provkg.moving.rebased`.

        Args:
            base: such as ``https://provenance.example.org/``.
            folder: another embedded store; what was in it is replaced, at once.
            aliases: with ``owl:sameAs`` from the new IRIs to the old ones.

        Raises:
            InputError: the base is none.
            StoreError: the folder cannot be written, or is this store.
        """
        from provkg.knowledge.checks import index_again
        from provkg.moving import rebased

        target = Path(folder)
        if isinstance(self.store, EmbeddedStore) and target.resolve() == self.store.path.resolve():
            raise StoreError(f"{folder} is the store itself", hint="name another folder")
        with EmbeddedStore(target, replace(self.config, base=base)).write() as writing:
            found = rebased(self.graph(), writing, aliases=aliases)
            index_again(writing)
        return found
