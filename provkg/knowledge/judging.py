"""Validation on the workers of a cluster, each source as a task, on the snapshot that was committed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from provkg.config import Config
from provkg.errors import StoreError
from provkg.ingest import Cluster, Died
from provkg.store import EmbeddedStore, Graph, Store
from provkg.validation import Contract, Finding, judged


def by_workers(
    cluster: Cluster, store: Store, graph: Graph, layers: Sequence[str], contract: Contract | None
) -> Callable[[Sequence[str], str], Iterable[Finding]]:
    """Return what judges sources on the workers, who must see the folder of the store under the same path.

    Raises:
        StoreError: the store is no folder: what a server holds is judged by this process.
    """
    if not isinstance(store, EmbeddedStore):
        raise StoreError(f"{store.name} is no folder that workers can open", hint="validate without --scheduler")
    where = str(store.path.absolute()), store.config, graph.snapshot

    def judge(sources: Sequence[str], engine: str) -> Iterator[Finding]:
        work = partial(judge_source, *where, tuple(layers), engine, contract)
        return chain.from_iterable(_alive(cluster.spread(work, sources)))

    return judge


def _alive(found: Iterable[list[Finding] | Died]) -> Iterator[list[Finding]]:
    for each in found:
        if isinstance(each, Died):
            raise StoreError(
                f"the workers that validated a source died {each.times} times", hint="validate without --scheduler"
            )
        yield each


def judge_source(
    path: str, config: Config, snapshot: str, layers: Sequence[str], engine: str, contract: Contract | None, source: str
) -> list[Finding]:
    """Judge one source, on a worker.

    Raises:
        StoreError: the worker does not see this state of the store.
    """
    graph = EmbeddedStore(Path(path), config).read()
    if graph.snapshot != snapshot:
        raise StoreError(
            f"{path}: a worker sees snapshot {graph.snapshot}, not {snapshot}",
            hint="was it written to meanwhile? validate again: what was ingested is in the store",
        )
    return judged(graph, source, layers=layers, engine=engine, contract=contract)
