"""Keep the public copy of a store equal to the store: when an ingest has landed, the copy is made anew beside it."""

from __future__ import annotations

import asyncio
import sys

from provkg.store import Store

_EVERY = 2.0  # seconds


class Refreshing:
    """Make a copy again when its source has changed.

    Args:
        source: the store.
        policy: the file that says what the copy leaves out.
        folder: the copy.
    """

    def __init__(self, source: Store, policy: str, folder: str) -> None:
        self.source, self.policy, self.folder = source, policy, folder
        self.done = source.revision()

    async def forever(self) -> None:
        """Look for changes until cancelled; a copy that cannot be made is tried again."""
        while True:
            await asyncio.sleep(_EVERY)
            now = self.source.revision()
            if now != self.done and await self._made():
                self.done = now

    async def _made(self) -> bool:
        """Make the copy in a process of its own; readers see the one before until it is there."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "provkg", "--quiet", "--store", self.source.name),
            *("release", "--policy", self.policy, "--", self.folder),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            return await process.wait() in (0, 1)  # where the gate finds something, the copy before stays
        except asyncio.CancelledError:
            process.kill()
            raise
