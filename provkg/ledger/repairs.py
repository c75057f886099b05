"""Pieces of documents that were repaired by hand, as the ledger keeps them: a ``pkg:Repair`` each."""

import json
from collections.abc import Iterator

from pyoxigraph import Quad

from provkg import identity
from provkg.mapping.terms import integer, literal
from provkg.readers.mending import Repair
from provkg.store import Graph, text_of
from provkg.vocab import LEDGER, PKG, PROV, RDF_TYPE, REPAIRS, XSD


def repairs(graph: Graph) -> list[Repair]:
    """Return all repairs of a store, in the order of their places."""
    names = [text_of(quad.subject) for quad in graph.quads(None, RDF_TYPE, PKG.Repair, graph.iri(LEDGER))]
    return sorted((_repair(graph, name) for name in names), key=lambda each: (each.offset, each.before))


def _repair(graph: Graph, name: str) -> Repair:
    facts = {each.predicate.value: text_of(each.object) for each in graph.quads(name, None, None, graph.iri(LEDGER))}
    return Repair(
        facts[PKG.sha256Before],
        int(facts[PKG.byteOffset]),
        int(facts[PKG.byteLength]),
        facts[PKG.sha256],
        json.loads(facts[PKG.repairedText]),
        facts[PKG.atEnd] == "true",
    )


def repair_lines(base: str, it: Repair, path: str, when: str) -> Iterator[str]:
    """Give what the ledger says of a repair, as N-Triples.

    Args:
        base: of the IRIs.
        it: the repair.
        path: the file in which the piece was found.
        when: it was made.
    """
    r = f"<{_name(base, it)}>"
    yield f"{r} <{RDF_TYPE}> <{PKG.Repair}> ."
    yield f"{r} <{PKG.sha256Before}> {literal(it.before)} ."
    yield f"{r} <{PKG.byteOffset}> {integer(it.offset)} ."
    yield f"{r} <{PKG.byteLength}> {integer(it.length)} ."
    yield f"{r} <{PKG.sha256}> {literal(it.sha256)} ."
    yield f"{r} <{PKG.repairedText}> {literal(json.dumps(it.text))} ."
    yield f'{r} <{PKG.atEnd}> "{str(it.last).lower()}"^^<{XSD}boolean> .'
    yield f"{r} <{PKG.repairedIn}> {literal(path)} ."
    yield f'{r} <{PROV.generatedAtTime}> "{when}"^^<{XSD}dateTime> .'


def repair_quads(graph: Graph, it: Repair) -> list[Quad]:
    """Return the ledger's quads of the repair of a place, whatever it says."""
    return list(graph.quads(_name(graph.base, it), None, None, graph.iri(LEDGER)))


def _name(base: str, it: Repair) -> str:
    """Name a repair by its place: another one of the same place takes its name."""
    return f"{base}{REPAIRS}{identity.digest(it.before, str(it.offset))}"
