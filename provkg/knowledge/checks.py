"""Look after a store: is what lies beside its quads what they say, and make it again where it is not."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from provkg import ledger
from provkg.errors import StoreError
from provkg.ledger.accounting import document_of
from provkg.lineage.index import Index, deltas_of, index_of, load, rebuild
from provkg.lineage.index.columns import distinct
from provkg.lineage.summaries import Calls, Counts, Summaries, counted, kept, summed
from provkg.store import Graph, Store, Writing, text_of
from provkg.vocab import PKG, PROV, RESOLUTION, SUMMARIES

Edge = tuple[str, str, str, int]


@dataclass(frozen=True)
class Check:
    """What was looked at, whether it is as it should be, and what was found."""

    name: str
    ok: bool
    found: str


def checks(store: Store) -> Iterator[Check]:
    """Look at a store, part by part.

    Raises:
        StoreError: it cannot be read at all.
    """
    graph = store.read()
    sources = ledger.sources(graph)
    strange, lost = of_no_ledger(graph), without_graph(graph)
    found = f"{len(sources):,} in the ledger, {len(lost):,} of these without a graph"
    yield Check("sources", not strange and not lost, f"{found}; {len(strange):,} graphs of which it knows nothing")
    yield _bytes(graph)
    yield _resolution(graph)
    yield _index(graph)
    yield _summaries(graph, sources)


def of_no_ledger(graph: Graph) -> list[str]:
    """Return the graphs of sources of which the ledger knows nothing."""
    held = {name for name in graph.graphs() if name.startswith(graph.iri("source/"))}
    return sorted(held - set(ledger.sources(graph)))


def without_graph(graph: Graph) -> list[str]:
    """Return the sources that said something, by the ledger, of which there is no graph."""
    there, empty = set(graph.graphs()), {"0"}
    counted = [term for name, term in ledger.COUNTED.items() if name != "quarantined"]
    return [
        source
        for source in ledger.sources(graph)
        if source not in there
        and any({text_of(each.object) for each in graph.quads(source, term)} - empty for term in counted)
    ]


def unheld(graph: Graph) -> list[str]:
    """Return the paths that hold what is not there."""
    held = set(ledger.documents(graph))
    return [path for path in ledger.paths(graph) if (it := ledger.placed(graph, path)) is None or it.holds not in held]


def _resolution(graph: Graph) -> Check:
    """See that of each usage it is said how the version that was read is known."""
    usages = {text_of(quad.object) for quad in graph.quads(None, PROV.qualifiedUsage)}
    usages &= {text_of(quad.subject) for quad in graph.quads(None, PROV.entity)}  # others say nothing to resolve
    known = {text_of(quad.subject) for quad in graph.quads(None, PKG.evidence, None, graph.iri(RESOLUTION))}
    lost = len(usages - known)
    return Check("resolution", not lost, f"{len(usages):,} usages, of {lost:,} of these nothing says which version")


def _bytes(graph: Graph) -> Check:
    """See that each byte of each document is accounted for once: as records, as no records, or as quarantined."""
    told, paths = [document_of(graph, last) for last in ledger.documents(graph)], unheld(graph)
    wrong = [each.last for each in told if each.wrong]
    found = (
        f"{sum(each.size for each in told):,} bytes of {len(told):,} documents, {len(wrong):,} of these do not add up"
    )
    return Check("ledger", not wrong and not paths, f"{found}; {len(paths):,} paths hold what is not there")


def _index(graph: Graph) -> Check:
    try:
        there = set(edges(index_of(graph)))
        told = people(index_of(graph))
    except (StoreError, ValueError, IndexError) as error:
        return Check("lineage index", False, f"damaged: {error}")
    with TemporaryDirectory() as folder:
        rebuild(Path(folder), graph.base, deltas_of(graph))
        made = load(Path(folder), graph.base)
        said, tell = set(edges(made)), people(made)
    found = f"{len(there):,} edges"
    if there != said:
        found += (
            f", of which {len(there - said):,} are not in the graph; {len(said - there):,} of the graph are missing"
        )
    if told != tell:
        found += f"; people are told something else of {len(told.items() ^ tell.items()):,}"
    return Check("lineage index", there == said and told == tell, found)


def edges(index: Index) -> Iterator[Edge]:
    """Give all living edges of an index, by IRI: product, what it was made from, activity or link, kind."""
    found = index.edges()
    columns = index.iris(found.of), index.iris(found.node), index.activities(found.via), found.kind.tolist()
    return zip(*columns, strict=True)


def people(index: Index) -> dict[str, object]:
    """Return what people are told of all products and activities that have living edges."""
    found = index.edges()
    products, activities = distinct(np.concatenate([found.of, found.node])), distinct(found.via)
    told: dict[str, object] = dict(zip(index.iris(products), index.describe(products), strict=True))
    made = ((each.label, each.start) for each in index.made(activities))
    return told | dict(zip(index.activities(activities), made, strict=True))


def _summaries(graph: Graph, sources: list[str]) -> Check:
    calls = Calls(graph)
    counts: Counts = counted(chain.from_iterable(map(calls.of_source, sources)))
    sums = summed(counts)
    nights = sums.keys() | {text_of(quad.object) for quad in graph.quads(None, PKG.night)}
    wrong = sum(kept(graph, night) != sums.get(night, {}) for night in nights)
    return Check("summaries", not wrong, f"{len(counts):,} counts of nights, {wrong:,} nights differ")


def optimize(store: Store) -> None:
    """Put together what many ingests have left apart in a store.

    Raises:
        StoreLocked: another process is writing.
        StoreError: the store cannot be written.
    """
    with store.write() as writing:
        writing.optimize()


def reindex(store: Store) -> int:
    """Make the lineage index and the summaries of a store again from its quads, and return how many edges there are.

    Raises:
        StoreLocked: another process is writing.
        StoreError: the store cannot be written.
    """
    with store.write() as writing:
        index_again(writing)
    return len(index_of(store.read()).edges().of)


def index_again(writing: Writing) -> None:
    """Make the lineage index and the summaries again from the quads of a transaction."""
    view = writing.graph
    calls = Calls(view)
    sources = ledger.sources(view)
    writing.remove_graph(writing.base + SUMMARIES)
    Summaries(writing).update({source: calls.of_source(source) for source in sources}, recount=True)
    if writing.beside is not None:
        rebuild(writing.beside, writing.base, deltas_of(writing.graph))
    writing.changed = True
