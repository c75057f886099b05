"""Workers of dask.distributed: they read sources for the one process that writes. https://distributed.dask.org/.

A worker can die at any time. dask gives its tasks to others; what it reads is a function of the file alone, and the one
writer takes each result once, in the order of the files, so a cluster changes nothing but the time an ingest takes.
"""

import re
import socket
import tempfile
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import uuid4

from msgspec.structs import replace

from provkg.config import Config
from provkg.errors import InputError, MissingExtra, ProvkgError, StoreError
from provkg.ingest.outcomes import VERSION, Outcome, Read, Task
from provkg.ingest.reading import read, readable
from provkg.readers import open_source

if TYPE_CHECKING:
    from distributed import Client, Future

ADDRESS = re.compile(r"local:(?P<workers>[1-9]\d{0,3})|(?:tcp|tls)://[^\s/]+:\d+")
AHEAD = 3  # tasks given out for each thread of the workers, and so the results that can wait to be taken
RETRIES = 2  # of a task that failed for what lies with its worker, such as a full disk
LOOK_SECONDS = 30
PATIENCE_SECONDS = 1800  # without any worker: a batch system can keep jobs waiting
LOCAL_PATIENCE_SECONDS = 120  # without any worker on this machine: a new one is there in seconds, or never
# A local worker that died is at once replaced, and each has one task at a time, so that few stand under suspicion
LOCAL = {
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.comm.timeouts.connect": "5s",  # who does not answer on loopback is dead
    # so long after a worker died, dask gives its place up if there is none at that moment, as when another just died
    "distributed.deploy.lost-worker-timeout": "30 days",
}
# Ctrl-C is for the process that ends them
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
G = TypeVar("G")
R = TypeVar("R")


class Died(Exception):
    """The workers that had a task died."""

    def __init__(self, times: int) -> None:
        super().__init__(times)
        self.times = times


class Cluster:
    """The workers of a scheduler, as a context manager; a local cluster ends with it.

    Args:
        scheduler: ``local:N`` starts N processes on this machine; ``tcp://host:port`` or ``tls://host:port`` is a
            scheduler that is there. Its workers must have this version of provkg and see the same file system.

    Raises:
        InputError: it is none of these.
    """

    def __init__(self, scheduler: str) -> None:
        self.scheduler = scheduler
        self.client: Client
        self.open = ExitStack()
        found = ADDRESS.fullmatch(scheduler)
        if found is None:
            raise InputError(
                f"scheduler {scheduler!r} is no address", hint="local:N, tcp://HOST:PORT or tls://HOST:PORT"
            )
        self.local = int(found["workers"] or 0)

    def __enter__(self) -> Self:
        """Start or find the workers.

        Raises:
            MissingExtra: dask.distributed is not installed.
            StoreError: there is no scheduler at that address.
        """
        try:
            import distributed  # noqa: F401, PLC0415 - optional
        except ImportError:
            raise MissingExtra("a cluster needs dask.distributed", hint="pip install 'provkg[cluster]'") from None
        with ExitStack() as opening:
            self.client = opening.enter_context(self._started(opening) if self.local else self._found())
            self.open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    def _started(self, opening: ExitStack) -> "Client":
        from dask import config  # noqa: PLC0415 - optional
        from distributed import Client, LocalCluster, Security  # noqa: PLC0415 - optional

        security = Security.temporary()  # whoever reaches a worker can run anything, and loopback is for all users
        scratch = opening.enter_context(tempfile.TemporaryDirectory(prefix="provkg-"))
        opening.enter_context(config.set(LOCAL))
        workers = opening.enter_context(
            LocalCluster(
                n_workers=self.local,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                protocol="tls://",
                security=security,
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                preload=[DEAF],
                silence_logs="CRITICAL",
                local_directory=scratch,
            )
        )
        return Client(workers, direct_to_workers=True, security=security)

    def _found(self) -> "Client":
        from distributed import Client  # noqa: PLC0415 - optional

        try:
            return Client(self.scheduler)
        except (OSError, TimeoutError):
            raise StoreError(
                f"no scheduler answers at {self.scheduler}", hint="is it running, and can this machine reach it?"
            ) from None

    def outcomes(self, tasks: Collection[Task], config: Config) -> Generator[list[Outcome], None, None]:
        """Read files on the workers, and give what became of each, in order."""
        for task, found in zip(tasks, self.spread(partial(read_task, config, VERSION), tasks), strict=True):
            yield (
                found
                if not isinstance(found, Died)
                else [
                    InputError(
                        f"{task.shown}: the workers that read it died {found.times} times",
                        hint="is there enough memory for it? without --scheduler it is read by this process",
                    )
                ]
            )

    def spread(self, work: Callable[[G], R], given: Iterable[G]) -> Generator[R | Died, None, None]:
        """Do work on the workers, a task for each thing given, and give the results in order.

        Raises:
            StoreError: the cluster was lost.
        """
        run, number, rest = uuid4().hex, 0, iter(given)
        waiting: deque[tuple[G, Future[R]]] = deque()
        try:
            while True:
                for each in _some(rest, self._room() - len(waiting)):
                    waiting.append((each, self._submit(work, each, f"provkg-{run}-{number}")))
                    number += 1
                if not waiting:
                    return
                each, future = waiting.popleft()
                yield self._result(work, each, future, [future for _, future in waiting])
                del future  # the workers may forget it
        finally:
            self.client.cancel([future for _, future in waiting], force=True)

    def _submit(self, work: Callable[[G], R], each: G, key: str) -> "Future[R]":
        return self.client.submit(work, each, key=key, pure=False, retries=RETRIES)

    def _room(self) -> int:
        return AHEAD * max(1, self._threads())

    def _threads(self) -> int:
        """Return how many threads all workers have together."""
        try:
            threads: dict[str, int] = self.client.nthreads()
        except OSError:
            raise self._lost() from None
        return sum(threads.values())

    def _lost(self) -> StoreError:
        return StoreError(
            f"the scheduler at {self.scheduler} was lost", hint="nothing of this ingest is in the store: say it again"
        )

    def _result(self, work: Callable[[G], R], each: G, future: "Future[R]", others: "list[Future[R]]") -> R | Died:
        found: R | Died = self._outcome(future)
        if not isinstance(found, Died):
            return found
        for other in others:  # a worker that dies throws suspicion on all that it had: alone it is clear who kills
            self._wait(other)
        again: R | Died = self._outcome(self._submit(work, each, f"{future.key}-alone"))
        return Died(found.times + again.times) if isinstance(again, Died) else again

    def _outcome(self, future: "Future[R]") -> "R | Died":
        from distributed import KilledWorker  # noqa: PLC0415 - optional

        self._wait(future)
        try:
            found: R = self._fetched(future)
        except KilledWorker as error:
            return Died(error.allowed_failures + 1)
        except ProvkgError:
            raise
        except Exception as error:  # such as an import that fails there
            raise StoreError(
                f"a worker of {self.scheduler} failed: {type(error).__name__}: {error}",
                hint="do the scheduler and all workers have this version of provkg and its extras?",
            ) from error
        return found

    def _fetched(self, future: "Future[Any]") -> Any:
        """Return the result of a task; it may be lost with its worker on the way, and is then waited for again."""
        from distributed import TimeoutError as Late  # noqa: PLC0415 - optional

        while True:
            try:
                found = future.result(timeout=LOOK_SECONDS)
            except Late:
                self._wait(future)
            else:
                return found

    def _wait(self, future: "Future[Any]") -> None:
        """Wait for a task while there are workers, or can be some soon.

        A result that is lost with its worker is made again: the scheduler sees to that.
        """
        from distributed import TimeoutError as Late  # noqa: PLC0415 - optional
        from distributed import wait  # noqa: PLC0415 - optional

        alone, patience = 0, LOCAL_PATIENCE_SECONDS if self.local else PATIENCE_SECONDS
        while True:
            try:
                wait(future, timeout=LOOK_SECONDS)
            except Late:
                alone = 0 if self._threads() and future.status != "lost" else alone + LOOK_SECONDS
                if alone >= patience:
                    raise StoreError(
                        f"no worker came to {self.scheduler} in {patience / 60:g} minutes",
                        hint="do their jobs run? nothing of this ingest is in the store",
                    ) from None
            except CancelledError:
                raise self._lost() from None
            if future.status == "cancelled":
                raise self._lost()
            if future.done():
                return


def workers(scheduler: str | Cluster | None) -> AbstractContextManager[Cluster | None]:
    """Return the workers of a scheduler; those that are open already stay open."""
    return Cluster(scheduler) if isinstance(scheduler, str) else nullcontext(scheduler)


def read_task(config: Config, wanted: str, task: Task) -> list[Outcome]:
    """Read one file, on a worker; what cannot be read is an outcome as well.

    Raises:
        StoreError: this worker has another version of provkg.
    """
    host = socket.gethostname()
    if wanted != VERSION:
        raise StoreError(f"the worker on {host} has provkg {VERSION}, this is {wanted}", hint="install the same on all")
    path = Path(task.path)
    if not readable(path):
        return [
            InputError(
                f"{task.shown}: the worker on {host} cannot read it",
                hint="workers must see the files under the same paths, and have the right to read them",
            )
        ]
    try:
        at = task.placed.size if task.placed is not None else 0
        found = read(
            open_source(path, config, at=at, repairs=task.repairs),
            task.shown,
            config,
            named=task.named,
            present=task.before.__contains__,
            known=set(),
            before=task.placed,
            kept=Path(task.kept) if task.kept else None,
        )
        return [replace(each, described=set()) if isinstance(each, Read) else each for each in found]
    except InputError as error:
        return [error]
    except MemoryError:
        return [InputError(f"{task.shown}: not enough memory on {host}", hint="give the workers more")]


def _some(of: Iterator[G], most: int) -> Iterator[G]:
    for _ in range(most):
        try:
            yield next(of)
        except StopIteration:
            return
