"""The embedded store: pyoxigraph on disk, in immutable snapshots.

::

    .provkg/
        format.json        version of this layout, base of the IRIs
        CURRENT            the number of the snapshot readers open
        snapshots/000007/  a state that nothing writes to any more
            quads/         a RocksDB folder
            beside/        what is kept beside the quads: the lineage index
        lock               held by the one writer: its pid, host and start

A writer makes a hard-link copy of the current snapshot, changes the copy, and makes it current by renaming one file:
readers see all of an ingest or nothing, a crash leaves a copy that the next writer removes, and readers never wait.
"""

import fcntl
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat

from provkg.config import Config
from provkg.errors import StoreError, StoreLocked
from provkg.store.local import DIGEST, LocalGraph
from provkg.store.protocol import FORMAT, Store, Writing, same_base, same_format

QUADS, BESIDE = "quads", "beside"
KEPT_SNAPSHOTS = 2


class EmbeddedStore(Store):
    """A folder that holds a store. Making one touches nothing: reading and writing open it."""

    def __init__(self, path: Path, config: Config) -> None:
        self.path = path
        self.config = config
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
        """Open the current snapshot for reading; it does not change, and is kept until the second ingest after it.

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
                state = (snapshot, base, *_told(snapshot))
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
            return "-".join(map(str, (int(snapshot.name), *_told(snapshot))))
        except OSError:
            return ""

    def base(self) -> str:
        """Return the base of the store's IRIs.

        Raises:
            StoreError: a newer provkg wrote this store.
        """
        try:
            layout = json.loads((self.path / "format.json").read_text("utf-8"))
            version, base = int(layout["format"]), str(layout["base"])
        except FileNotFoundError:
            return self.config.base
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self.path}/format.json: {error}") from None
        same_format(str(self.path), version)
        return base

    @contextmanager
    def write(self) -> Iterator["EmbeddedWriting"]:
        """Open one transaction; it becomes visible when the block ends without an error.

        Raises:
            StoreLocked: another process is writing.
            StoreError: the disk is full, read-only, or the store is broken.
        """
        with _disk_errors(self.path):
            (self.path / "snapshots").mkdir(parents=True, exist_ok=True)
            lock = self._lock()
        self._kept = None  # nothing of the state before stays open
        try:
            with _disk_errors(self.path):
                base = self.base()
                same_base(base, self.config.base)
                yield from self._transaction(base)
        finally:
            lock.close()

    def _transaction(self, base: str) -> Iterator["EmbeddedWriting"]:
        current = self.current()
        self._sweep(current)
        number = int(current.name) + 1 if current else 1
        copy = self.path / "snapshots" / f"{number:06d}.part"
        (copy / BESIDE).mkdir(parents=True)
        if current is not None:
            pyoxigraph.Store.read_only(str(current / QUADS)).backup(str(copy / QUADS))
            for file in (current / BESIDE).iterdir():
                if not file.name.startswith(DIGEST):  # it is that of the state before
                    os.link(file, copy / BESIDE / file.name)
        writing = EmbeddedWriting(pyoxigraph.Store(str(copy / QUADS)), base, copy / BESIDE, fresh=current is None)
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
        if not changed:
            shutil.rmtree(copy, ignore_errors=True)
            return
        copy.rename(copy.with_suffix(""))
        if current is None:
            _replace(self.path / "format.json", json.dumps({"format": FORMAT, "base": base}))
        _replace(self.path / "CURRENT", f"{number:06d}")
        self._sweep(self.current())

    def _sweep(self, current: Path | None) -> None:
        """Remove what crashed writers left, and snapshots that readers have had time to leave."""
        number = int(current.name) if current else 0
        for folder in (self.path / "snapshots").iterdir():
            stale = (
                folder.suffix == ".part"
                or not folder.name.isdigit()
                or not number - KEPT_SNAPSHOTS < int(folder.name) <= number
            )
            if stale:
                shutil.rmtree(folder, ignore_errors=True)

    def _lock(self) -> IO[str]:
        stream = (self.path / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            owner = stream.read().strip()
            stream.close()
            pid = owner.partition(" ")[0]
            raise StoreLocked(
                f"another provkg is writing to {self.path}: pid {owner}",
                hint=f"wait for it to end, or stop it with kill {pid}; reading goes on meanwhile",
            ) from None
        stream.truncate(0)
        stream.write(f"{os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
        stream.flush()
        return stream


class EmbeddedWriting(Writing):
    """One transaction: a private copy of the store.

    ``fresh`` says that there was no store before; ``changed`` that something was written or removed.
    """

    def __init__(self, store: pyoxigraph.Store, base: str, beside: Path | None, *, fresh: bool) -> None:
        self.store = store
        self.base = base
        self.beside = beside
        self.fresh = fresh
        self.changed = False

    @property
    def graph(self) -> LocalGraph:
        """What this transaction sees."""
        return LocalGraph(self.store, self.base, "", self.beside)

    def load(self, quads: str) -> None:
        """Load N-Quads. The mapper has checked every IRI, so the parser need not."""
        self.changed = True
        try:
            self.store.bulk_load(quads.encode("utf-8", "surrogatepass"), format=RdfFormat.N_QUADS, lenient=True)
        except (SyntaxError, ValueError) as error:
            raise StoreError(
                f"a statement could not be loaded: {error}", hint="please report it with the input"
            ) from None

    def remove(self, quads: list[Quad]) -> None:
        """Remove quads."""
        for quad in quads:
            self.changed = True
            self.store.remove(quad)

    def optimize(self) -> None:
        """Put together what many loads have left apart: about 1.5 s a night, and look-ups take half the time."""
        self.changed = True
        self.store.optimize()

    def update(self, text: str) -> None:
        """Run a SPARQL update.

        Raises:
            SyntaxError: it is no SPARQL update.
        """
        self.changed = True
        self.store.update(text)

    def remove_graph(self, graph: str) -> None:
        """Remove a graph."""
        self.changed = True
        self.store.remove_graph(NamedNode(graph))


def _told(snapshot: Path) -> tuple[int, int, int]:
    """Return what tells a folder from any other: of another store at the same place it is another."""
    facts = snapshot.stat()
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "free some space; nothing of this ingest is visible, say it again" if "No space" in str(error) else ""
        raise StoreError(f"{path}: {reason}", hint=hint) from None


def _replace(path: Path, text: str) -> None:
    """Replace a small file at once, whatever happens."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
