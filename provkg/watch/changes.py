"""Which files changed: the kernel says it, or on file systems of other machines a look at each of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

from watchfiles import watch

from provkg.errors import InputError

# of these the kernel of this machine knows only what this machine writes
_OF_OTHERS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "9p", "afs", "panfs", "pvfs2"}
_POLL_MS = 300


def shared(path: Path, table: Path = Path("/proc/self/mounts")) -> bool:
    """Say whether a path lies on a file system of other machines, or on one of which nothing is known.

    Args:
        path: a file or folder.
        table: what is mounted where, https://man7.org/linux/man-pages/man5/fstab.5.html.
    """
    try:
        mounts = table.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return True
    real, best, kind = os.path.realpath(path), "", ""
    for each in mounts:
        fields = each.split(" ")
        where = fields[1].encode().decode("unicode_escape", "replace") if len(fields) > 2 else ""
        if len(where) >= len(best) and where and (real == where or real.startswith(where.rstrip("/") + "/")):
            best, kind = where, fields[2]
    return kind in _OF_OTHERS or kind.startswith("fuse.")


class Changes:
    """Files and folders that are looked at.

    Args:
        paths: files that are there, and folders.
        poll: look at each file again and again, whatever the file system is.
        stop: ends the waiting.
    """

    def __init__(self, paths: Sequence[Path], *, poll: bool, stop: Event) -> None:
        self.paths, self.stop = [path.absolute() for path in paths], stop
        self.poll = poll or any(shared(path) for path in self.paths)
        missing = [str(path) for path in self.paths if not path.exists()]
        if missing:
            raise InputError(f"{missing[0]}: no such file or folder", hint="make the folder first")

    def wait(self, seconds: float) -> Iterator[set[Path]]:
        """Give the files that changed; an empty set where so many seconds went by without a change."""
        folders = sorted({path if path.is_dir() else path.parent for path in self.paths})
        whole = [path for path in self.paths if path.is_dir()]
        step = max(1, round(seconds * 1000))
        found = watch(
            *folders,
            stop_event=self.stop,
            force_polling=self.poll or None,
            poll_delay_ms=_POLL_MS,
            debounce=200,
            step=20,
            rust_timeout=step,
            yield_on_timeout=True,
            watch_filter=None,
            raise_interrupt=False,
        )
        for changes in found:
            changed = {Path(path) for _, path in changes}
            yield {
                path
                for path in changed
                if path in self.paths or any(path.is_relative_to(root) and not _in_store(path, root) for root in whole)
            }


def _in_store(path: Path, root: Path) -> bool:
    """Say whether a path below a folder lies in a store: what is written there is not a record."""
    between = [each for each in path.parents if each.is_relative_to(root)]
    return any(
        (each / "CURRENT").is_file() or ((each / "lock").is_file() and (each / "snapshots").is_dir())
        for each in between
    )
