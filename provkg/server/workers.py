"""Processes that answer: each has the store open for reading and answers one request at a time.

A request that takes too long, or too much memory, costs its worker: the process is ended, its processor time and memory
are free at once, and another takes its place.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from contextlib import suppress

from provkg.server.failing import failed
from provkg.server.messages import Asked, Reply, Setup, packed, received

_READY = 60.0  # seconds that a worker may take to begin


class Full(Exception):
    """Too many requests wait already."""


class Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def begun(cls, setup: Setup) -> Worker:
        """Begin a process, and wait until it can answer.

        Raises:
            OSError: it did not begin.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "provkg.server.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**20,
            start_new_session=True,  # Ctrl-C is for the server: it ends its workers when it has answered
        )
        worker = cls(process)
        try:
            worker.send(packed(setup))
            await asyncio.wait_for(worker.receive(), _READY)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            await worker.end()
            raise OSError(f"a worker did not begin: {error or type(error).__name__}") from None
        return worker

    def send(self, data: bytes) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    async def receive(self) -> Reply:
        """Receive a reply."""
        assert self.process.stdout is not None
        return await received(self.process.stdout, Reply)

    async def end(self) -> None:
        """End the process at once, whatever it does."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


class Workers:
    """A number of processes, and those who wait for one.

    Args:
        setup: what each begins with.
        count: how many.
        waiting: how many requests may wait.
    """

    def __init__(self, setup: Setup, count: int, waiting: int = 256) -> None:
        self.setup, self.count, self.most = setup, count, waiting
        self.idle: asyncio.Queue[Worker] = asyncio.Queue()
        self.all: set[Worker] = set()
        self.waiting = 0
        self.ended: Counter[str] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()
        self.stopping = False

    async def start(self) -> None:
        """Begin all processes.

        Raises:
            OSError: they do not begin.
        """
        await asyncio.gather(*(self._add() for _ in range(self.count)))

    async def stop(self) -> None:
        """End all processes."""
        self.stopping = True
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*(worker.end() for worker in self.all), return_exceptions=True)
        self.all.clear()

    @property
    def busy(self) -> int:
        """How many are answering."""
        return len(self.all) - self.idle.qsize()

    async def ask(self, asked: Asked) -> Reply:
        """Answer a request in a worker.

        Raises:
            Full: too many wait already.
        """
        if self.waiting >= self.most:
            raise Full
        self.waiting += 1
        try:
            worker = await self._free()
        finally:
            self.waiting -= 1
        if worker is None:
            return _failed(503, "no worker is free", "ask again later")
        try:
            worker.send(packed(asked))
            reply = await asyncio.wait_for(worker.receive(), self.setup.seconds)
        except TimeoutError:
            await self._replace(worker, "time")
            return _failed(503, f"the answer takes more than {self.setup.seconds:g} s", "ask for less")
        except (asyncio.IncompleteReadError, OSError):
            await self._replace(worker, "memory")
            return _failed(503, f"the answer takes more than {self.setup.memory >> 20} MB of memory", "ask for less")
        except BaseException:  # the server stops
            await self._replace(worker, "stopped")
            raise
        self.idle.put_nowait(worker)
        return reply

    async def _free(self) -> Worker | None:
        """Return a worker that is free and alive; None where none is within the time of one request."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.setup.seconds + 5):
                while True:
                    worker = await self.idle.get()
                    if worker.process.returncode is None:
                        return worker
                    await self._replace(worker, "died")
        return None

    async def _replace(self, worker: Worker, why: str) -> None:
        self.ended[why] += 1
        self.all.discard(worker)
        await worker.end()
        if not self.stopping:
            task = asyncio.create_task(self._again())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _again(self) -> None:
        """Add a worker, however often that fails."""
        while not self.stopping:
            try:
                await self._add()
            except OSError:
                await asyncio.sleep(1)
            else:
                return

    async def _add(self) -> None:
        worker = await Worker.begun(self.setup)
        self.all.add(worker)
        self.idle.put_nowait(worker)


def _failed(status: int, error: str, hint: str) -> Reply:
    return failed(status, error, hint, headers={"Retry-After": "5"})
