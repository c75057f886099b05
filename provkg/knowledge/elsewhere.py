"""Work on the snapshot that an ingest committed, by the workers of a cluster: validation and parts.

A snapshot never changes, so any number of processes can read it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from provkg.config import Config
from provkg.errors import StoreError
from provkg.ingest import Cluster, Died
from provkg.ingest.parts import Part, Writer, write_graph
from provkg.store import EmbeddedStore, Graph, Store
from provkg.validation import Contract, Finding, judged

R = TypeVar("R")


class Seen(Struct, frozen=True):
    """A snapshot, for a process that sees the same file system."""

    path: str
    config: Config
    snapshot: str

    def open(self) -> Graph:
        """Open it.

        Raises:
            StoreError: this process does not see it.
        """
        graph = EmbeddedStore(Path(self.path), self.config).read()
        if graph.snapshot != self.snapshot:
            raise StoreError(
                f"{self.path}: a worker sees snapshot {graph.snapshot}, not {self.snapshot}",
                hint="was it written to meanwhile? what was ingested is in the store",
            )
        return graph


def judging(
    cluster: Cluster, store: Store, graph: Graph, layers: Sequence[str], contract: Contract | None
) -> Callable[[Sequence[str], str], Iterable[Finding]]:
    """Return what judges sources by the shapes on the workers, a task for each.

    Raises:
        StoreError: the store is no folder.
    """
    work = partial(_judge, _seen(store, graph), tuple(layers), contract)
    return lambda sources, engine: chain.from_iterable(_alive(cluster.spread(partial(work, engine), sources)))


def writing(cluster: Cluster, store: Store, graph: Graph, folder: Path) -> Writer:
    """Return what writes graphs as parts on the workers, a task for each.

    Raises:
        StoreError: the store is no folder.
    """
    work = partial(_write, _seen(store, graph), str(folder.absolute()))
    return lambda names, ending: _alive(cluster.spread(partial(work, ending), names))


def _seen(store: Store, graph: Graph) -> Seen:
    if not isinstance(store, EmbeddedStore):
        raise StoreError(f"{store.name} is no folder that workers can open", hint="do this without --scheduler")
    return Seen(str(store.path.absolute()), store.config, graph.snapshot)


def _alive(found: Iterable[R | Died]) -> Iterator[R]:
    for each in found:
        if isinstance(each, Died):
            raise StoreError(f"the workers of a task died {each.times} times", hint="do this without --scheduler")
        yield each


def _judge(seen: Seen, layers: Sequence[str], contract: Contract | None, engine: str, source: str) -> list[Finding]:
    return judged(seen.open(), source, layers=layers, engine=engine, contract=contract)


def _write(seen: Seen, folder: str, ending: str, name: str) -> list[Part]:
    return write_graph(seen.open(), name, Path(folder), ending)
