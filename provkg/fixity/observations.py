"""Observations: what was found of each product when, in a graph of their own, so that fixity has a history."""

from collections.abc import Iterable, Iterator

from provkg import identity
from provkg.fixity.checking import Found
from provkg.mapping.terms import literal
from provkg.store import Store
from provkg.vocab import OBSERVATIONS, PKG, PROV, RDF_TYPE, XSD


def observe(store: Store, found: Iterable[tuple[Found, str]]) -> None:
    """Write what was found.

    Args:
        store: where to.
        found: what became of each file, and when that was seen, as xsd:dateTime in UTC.

    Raises:
        StoreError: the store cannot be written.
    """
    with store.write() as writing:
        graph = writing.base + OBSERVATIONS
        lines = (line for each, when in found for line in _lines(writing.base, each, when))
        writing.load("".join(f"{line} <{graph}> .\n" for line in lines))


def _lines(base: str, each: Found, when: str) -> Iterator[str]:
    node = f"<{base}observation/{identity.digest(each.entity, when)}>"
    yield f"{node} <{RDF_TYPE}> <{PKG.Observation}>"
    yield f"{node} <{PKG.observed}> <{each.entity}>"
    yield f"{node} <{PKG.state}> <{PKG[each.state]}>"
    yield f'{node} <{PROV.atTime}> "{when}"^^<{XSD}dateTime>'
    if each.state == "changed":
        yield f"{node} <{PKG.foundDigest}> {literal(each.digest)}"
    if each.where:
        yield f"{node} <{PKG.foundAt}> {literal(each.where)}"
    if each.reason:
        yield f"{node} <{PKG.reason}> {literal(each.reason)}"
