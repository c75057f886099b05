"""The embedded store: pyoxigraph on disk, in immutable snapshots.

::

    .provkg/
        format.json        version of this layout, base of the IRIs
        CURRENT            the number of the snapshot readers open
        snapshots/000007/  a state that nothing writes to any more
            quads/         a RocksDB folder
            beside/        what is kept beside the quads: the lineage index
        logs/              how far logs were read that may grow; it may be removed
        lock               held by the one writer: its pid, host and start
        wanted             there while another waits for a session to end

A writer makes a hard-link copy of the current snapshot, changes the copy, and makes it current by renaming one file:
readers see all of an ingest or nothing, a crash leaves a copy that the next writer removes, and readers never wait.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph

from provkg.config import Config
from provkg.errors import StoreError
from provkg.store.embedded_files import (
    BESIDE,
    QUADS,
    age,
    disk_errors,
    link_beside,
    next_number,
    replace_file,
    told,
)
from provkg.store.embedded_writing import EmbeddedWriting
from provkg.store.local import LocalGraph
from provkg.store.lock import SESSION, lock, wanted
from provkg.store.protocol import FORMAT, Store, same_base, same_format
from provkg.store.session import EmbeddedSession

KEPT_SNAPSHOTS, KEPT_SECONDS = 2, 60  # a snapshot stays until it is older than both


class EmbeddedStore(Store):
    """A folder that holds a store. Making one touches nothing: reading and writing open it."""

    def __init__(self, path: Path, config: Config, *, oldest: int = FORMAT) -> None:
        self.path = path
        self.config = config
        self.oldest = oldest
        self._kept: tuple[object, LocalGraph] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Return what another process needs: not what is open here."""
        return {**self.__dict__, "_kept": None}

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.path)

    def exists(self) -> bool:
        """Say whether anything was ever ingested here."""
        return self.current() is not None

    def current(self) -> Path | None:
        """Return the snapshot that readers open, or None where nothing has been ingested."""
        try:
            number = (self.path / "CURRENT").read_text("ascii").strip()
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise StoreError(f"{self.path} is a file, not a store", hint="--store FOLDER") from None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.path}: {error}") from None
        if not re.fullmatch(r"\d{6,}", number):
            raise StoreError(f"{self.path}: CURRENT does not name a snapshot", hint="restore the store from a backup")
        return self.path / "snapshots" / number

    def read(self) -> LocalGraph:
        """Open the current snapshot for reading; it does not change.

        It is kept for a minute, and until the second ingest after it.

        While it is the current one it stays open: what was read of it stays in memory.

        Raises:
            StoreError: there is no store, or it cannot be read.
        """
        for _ in range(10):
            snapshot = self.current()
            if snapshot is None:
                raise StoreError(f"no store at {self.path}", hint="make one: provkg ingest PATH")
            base = self.base()
            try:
                state = (snapshot, base, *told(snapshot))
                if self._kept is None or self._kept[0] != state:
                    store = pyoxigraph.Store.read_only(str(snapshot / QUADS))
                    self._kept = state, LocalGraph(store, base, snapshot.name, snapshot / BESIDE)
                return self._kept[1]
            except OSError as error:
                if self.current() == snapshot:  # otherwise a writer replaced it while we looked
                    raise StoreError(f"{snapshot}: {error}") from None
        raise StoreError(f"{self.path}: replaced faster than it can be opened")

    def revision(self) -> str:
        """Name the snapshot that readers open; of another store at the same place it is another."""
        snapshot = self.current()
        if snapshot is None:
            return ""
        try:
            return "-".join(map(str, (int(snapshot.name), *told(snapshot))))
        except OSError:
            return ""

    def layout(self) -> tuple[int, str]:
        """Return the format of the store, and the base of its IRIs; those of a new one where there is none."""
        try:
            layout = json.loads((self.path / "format.json").read_text("utf-8"))
            return int(layout["format"]), str(layout["base"])
        except FileNotFoundError:
            return FORMAT, self.config.base
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self.path}/format.json: {error}") from None

    def note_format(self, base: str) -> None:
        """Say that the store has the format of this provkg."""
        replace_file(self.path / "format.json", json.dumps({"format": FORMAT, "base": base}))

    def base(self) -> str:
        """Return the base of the store's IRIs.

        Raises:
            StoreError: a newer provkg wrote this store.
        """
        version, base = self.layout()
        same_format(str(self.path), version, self.oldest)
        return base

    @contextmanager
    def write(self) -> Iterator[EmbeddedWriting]:
        """Open one transaction; it becomes visible when the block ends without an error.

        Raises:
            StoreLocked: another process is writing.
            StoreError: the disk is full, read-only, or the store is broken.
        """
        with self._locked() as base, disk_errors(self.path):
            yield from self._transaction(base)

    @contextmanager
    def session(self) -> Iterator[EmbeddedSession]:
        """Open a session: the copy that is written stays open, and each transaction leaves a snapshot of it.

        Raises:
            StoreLocked: another process is writing.
            StoreError: the disk is full, read-only, or the store is broken.
        """
        with self._locked(SESSION) as base:
            session = EmbeddedSession(self, base)
            try:
                yield session
            finally:
                session.close()

    @contextmanager
    def _locked(self, what: str = "") -> Iterator[str]:
        """Be the one writer, and give the base of the store's IRIs."""
        with disk_errors(self.path):
            (self.path / "snapshots").mkdir(parents=True, exist_ok=True)
            held = lock(self.path, what)
        self._kept = None  # nothing of the state before stays open
        try:
            with disk_errors(self.path):
                base = self.base()
                same_base(base, self.config.base)
                self.sweep(self.current())
            yield base
        finally:
            held.close()

    def _transaction(self, base: str) -> Iterator[EmbeddedWriting]:
        current = self.current()
        copy = self.path / "snapshots" / f"{next_number(current):06d}.part"
        writing = self.copied(current, copy, base)
        try:
            yield writing
            if writing.changed:
                writing.store.flush()
        except BaseException:
            del writing.store, writing
            shutil.rmtree(copy, ignore_errors=True)
            raise
        changed = writing.changed
        del writing.store, writing  # close the files before they are renamed
        if changed:
            self.publish(copy, base)
        else:
            shutil.rmtree(copy, ignore_errors=True)

    def copied(self, current: Path | None, copy: Path, base: str) -> EmbeddedWriting:
        """Copy a snapshot, by hard links, to where it is written."""
        (copy / BESIDE).mkdir(parents=True)
        if current is not None:
            pyoxigraph.Store.read_only(str(current / QUADS)).backup(str(copy / QUADS))
            link_beside(current / BESIDE, copy / BESIDE)
        writing = EmbeddedWriting(pyoxigraph.Store(str(copy / QUADS)), base, copy / BESIDE, fresh=current is None)
        writing.logs = self.path / "logs"
        return writing

    def publish(self, copy: Path, base: str, *, kept: Path | None = None) -> None:
        """Make a copy the current snapshot, and remove those that readers have had time to leave.

        Args:
            copy: a whole snapshot with the name of the next one.
            base: what IRIs begin with.
            kept: a copy that goes on being written.
        """
        copy.rename(copy.with_suffix(""))
        if self.current() is None:
            self.note_format(base)
        replace_file(self.path / "CURRENT", copy.stem)
        self.sweep(self.current(), kept=kept)

    def sweep(self, current: Path | None, *, kept: Path | None = None) -> None:
        """Remove what crashed writers left, and snapshots that readers have had time to leave."""
        number = int(current.name) if current else 0
        for folder in (self.path / "snapshots").iterdir():
            if folder == kept:
                continue
            left = folder.suffix == ".part" or not folder.name.isdigit() or int(folder.name) > number
            if left or (int(folder.name) <= number - KEPT_SNAPSHOTS and age(folder) > KEPT_SECONDS):
                shutil.rmtree(folder, ignore_errors=True)

    def wanted(self) -> bool:
        """Say whether another process waits for a session to end."""
        return wanted(self.path)
