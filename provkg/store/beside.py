"""What is kept beside a store on a server: in a cache folder of this machine, by the state of the store.

``$XDG_CACHE_HOME/provkg/<server>/<state>/``; the states before the last two are removed. A folder that cannot be
made is no error: what would lie there is made anew by each process.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

KEPT = 2


class Cache:
    """The cache of one server and base."""

    def __init__(self, url: str, base: str) -> None:
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        self.folder = Path(home).expanduser() / "provkg" / sha256(f"{url} {base}".encode()).hexdigest()[:32]

    def of(self, state: str) -> Path | None:
        """Return the folder of a state, or None where it cannot be made."""
        folder = self.folder / Path(state).name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)
        except OSError:
            return None
        return folder

    def logs(self) -> Path | None:
        """Return the folder of what is known of logs that grow, or None where it cannot be made."""
        folder = self.folder.with_name(f"{self.folder.name}.logs")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return folder

    def next(self, state: str) -> Path | None:
        """Return a new folder with the files of a state, to be kept as the next; None where nothing is known of it."""
        before = self.folder / Path(state).name
        try:
            if not state or not any(before.iterdir()):
                return None
            folder = Path(tempfile.mkdtemp(prefix=".next-", dir=self.folder))
            for file in before.iterdir():
                os.link(file, folder / file.name)
        except OSError:
            return None
        return folder

    def keep(self, folder: Path, state: str) -> None:
        """Keep a folder as that of a state, and remove old ones."""
        with suppress(OSError):
            folder.rename(self.folder / state)
            states = sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime)
            for old in states[:-KEPT]:
                shutil.rmtree(old, ignore_errors=True)
