"""The digest of what a store says, sha256 of its canonical N-Quads: its memory does not grow with the store."""

from __future__ import annotations

import hashlib
import heapq
import io
import tempfile
from collections.abc import Collection
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

_RUN = 32 << 20  # bytes that are sorted at once


class Digest(io.RawIOBase):
    r"""Takes N-Quads that have no blank nodes, in any order; RDFC-1.0 is then their lines, each once, sorted.

    What is more than a run is kept in files that have no name until the digest is asked for.

    Args:
        left_out: the names of graphs that do not count.

    >>> with Digest() as digest:
    ...     _ = digest.write(b'<a:2> <a:p> "x" <a:g> .\n<a:1> <a:p> "x" <a:g>')
    ...     _ = digest.write(b' .\n')
    ...     digest.hexdigest() == hashlib.sha256(b'<a:1> <a:p> "x" <a:g> .\n<a:2> <a:p> "x" <a:g> .\n').hexdigest()
    True
    """

    def __init__(self, left_out: Collection[str] = (), *, run: int = _RUN) -> None:
        super().__init__()
        self.endings = tuple(f" <{name}> .\n".encode() for name in left_out)
        self.run, self.size = run, 0
        self.pieces: list[bytes] = []
        self.runs: list[IO[bytes]] = []
        self.files = ExitStack()

    def close(self) -> None:
        """Forget what was written."""
        self.files.close()
        super().close()

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, data: Buffer) -> int:
        """Take the next bytes, which may end inside a line."""
        piece = bytes(data)
        self.pieces.append(piece)
        self.size += len(piece)
        if self.size > self.run:
            whole, newline, rest = b"".join(self.pieces).rpartition(b"\n")
            self._keep(whole + newline)
            self.pieces, self.size = [rest], len(rest)
        return len(piece)

    def hexdigest(self) -> str:
        """Return the digest of all that was written."""
        self._keep(b"".join(self.pieces))
        self.pieces = []
        found = hashlib.sha256()
        last = b""
        for line in heapq.merge(*self.runs):
            if line != last:
                found.update(line)
                last = line
        return found.hexdigest()

    def _keep(self, text: bytes) -> None:
        """Sort lines into a file."""
        lines = io.BytesIO(text)  # ends lines at newlines, and not at what else ends lines, which may stand in literals
        file = self.files.enter_context(tempfile.TemporaryFile(prefix="provkg-"))  # noqa: SIM115 - it is entered
        file.writelines(sorted(line for line in lines if not line.endswith(self.endings)))
        file.seek(0)
        self.runs.append(cast("IO[bytes]", file))
