"""Marks: a taint that is recorded, each in a graph of its own, so that lifting it leaves no trace in the others.

``<product> prov:wasInvalidatedBy <taint>``; the taint says why, when, by whom, and what was bad to begin with. The same
seeds make the same mark: to record it again brings it up to date.
"""

import getpass
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from provkg import identity
from provkg.errors import NotFound
from provkg.impact.taint import Taint
from provkg.mapping.terms import integer, literal
from provkg.store import Graph, Store
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, TAINTS, XSD


@dataclass(frozen=True)
class Mark:
    """A taint on record."""

    name: str
    reason: str
    when: str
    by: str
    seeds: tuple[str, ...]
    products: int
    partial: tuple[str, ...]


def record(store: Store, taint: Taint, reason: str) -> Mark:
    """Record a taint; one of the same seeds is replaced.

    Raises:
        StoreError: the store cannot be written.
    """
    name = identity.digest(*taint.seeds)[:12]
    when = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    mark = Mark(name, reason, when, _account(), taint.seeds, len(taint.products), taint.partial)
    with store.write() as writing:
        graph = f"{writing.base}{TAINTS}{name}"
        if any(True for _ in writing.graph.quads(graph=graph)):
            writing.remove_graph(graph)
        writing.load("".join(f"{line} <{graph}> .\n" for line in _lines(writing.base, mark, taint)))
    return mark


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _lines(base: str, mark: Mark, taint: Taint) -> Iterator[str]:
    """Give a mark as N-Triples without the final dot."""
    node = f"<{base}taint/{mark.name}>"
    yield f"{node} <{RDF_TYPE}> <{PKG.Taint}>"
    yield f"{node} <{RDFS_LABEL}> {literal(mark.reason)}"
    yield f'{node} <{PROV.startedAtTime}> "{mark.when}"^^<{XSD}dateTime>'
    yield f"{node} <{PKG.account}> {literal(mark.by)}"
    yield f"{node} <{PKG.count}> {integer(mark.products)}"
    yield from (f"{node} <{PKG.seed}> {literal(each)}" for each in mark.seeds)
    yield from (f"{node} <{PKG.partial}> {literal(each)}" for each in mark.partial)
    yield from (f"<{each.product}> <{PROV.wasInvalidatedBy}> {node}" for each in taint.products)


def marks(graph: Graph) -> list[Mark]:
    """Return the taints on record, the oldest first."""
    found = []
    for node in graph.subjects(RDF_TYPE, PKG.Taint):
        facts = {term: graph.objects(node, term) for term in (RDFS_LABEL, PROV.startedAtTime, PKG.account, PKG.count)}
        one = {term: next(iter(values), "") for term, values in facts.items()}
        seeds, partial = (tuple(graph.objects(node, term)) for term in (PKG.seed, PKG.partial))
        count = int(one[PKG.count] or 0)
        name = node.rpartition("/")[2]
        found.append(Mark(name, one[RDFS_LABEL], one[PROV.startedAtTime], one[PKG.account], seeds, count, partial))
    return sorted(found, key=lambda each: (each.when, each.name))


def lift(store: Store, name: str) -> Mark:
    """Take a taint back, and return what it was.

    Raises:
        NotFound: no taint of that name is on record.
    """
    known = {each.name: each for each in marks(store.read())}
    if name not in known:
        hint = f"there are {', '.join(known)}" if known else "none is on record"
        raise NotFound(f"no taint {name!r} is on record", hint=hint)
    with store.write() as writing:
        writing.remove_graph(f"{writing.base}{TAINTS}{name}")
    return known[name]
