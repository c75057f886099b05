"""The data of a page: its roll-up in PROV-O with all that the graph says of its products, and as PROV-JSON."""

from __future__ import annotations

import io
from collections.abc import Container, Iterable, Iterator
from typing import cast

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from provkg.export.jsonld import write_jsonld
from provkg.export.provdocument import written
from provkg.publishing.subjects import Subject
from provkg.rollup import ACTIVITY, ENTITY, Fold, Rollup
from provkg.store import Graph
from provkg.vocab import PKG, PREFIXES, PROV, RDF_TYPE, RDFS_LABEL, XSD

_FOLLOWED = (PROV.qualifiedGeneration, PROV.qualifiedDerivation, PKG.qualifiedMembership, PROV.specializationOf)


def data_of(subject: Subject, graph: Graph) -> dict[str, bytes]:
    """Return the data of a page by their endings.

    Args:
        subject: of what the page is; all that is said of its products is told where it is one of these.
        graph: an open store.
    """
    own = {fold.iri for fold in subject.folds}
    triples = {*folded(subject.around, own)}
    if subject.kind == "product":
        triples |= {
            quad.triple for quad in said_of(graph, (node.iri for fold in subject.folds for node in fold.members))
        }
    ordered = sorted(triples, key=lambda triple: (str(triple.subject), str(triple.predicate), str(triple.object)))
    turtle = cast("bytes", serialize(ordered, format=RdfFormat.TURTLE, prefixes=PREFIXES))
    stream = io.BytesIO()
    write_jsonld((Quad(*triple) for triple in ordered), stream)
    return {
        "ttl": turtle,
        "jsonld": stream.getvalue(),
        "prov.json": written(subject.around, "prov-json", whole=own).encode(),
    }


def said_of(graph: Graph, names: Iterable[str]) -> Iterator[Quad]:
    """Give what a store says of some products, of how each was made and of where each lies."""
    quads = list(graph.about(names))
    yield from quads
    more = {
        quad.object.value for quad in quads if quad.predicate.value in _FOLLOWED and isinstance(quad.object, NamedNode)
    }
    yield from graph.about(more)


def folded(rollup: Rollup, whole: Container[str]) -> Iterator[Triple]:
    """Give a roll-up in PROV-O: a fold of files is a collection, a fold of steps names them.

    Args:
        rollup: what to write.
        whole: the folds that are written with their members; the others have these on pages of their own.
    """
    for fold in rollup.folds.values():
        yield from _node(fold, whole=fold.iri in whole)
    for each in rollup.relations:
        yield Triple(NamedNode(each.subject), NamedNode(PROV[each.kind]), NamedNode(each.object))


def _node(fold: Fold, *, whole: bool) -> Iterator[Triple]:
    subject = NamedNode(fold.iri)
    kind = {ACTIVITY: PROV.Activity, ENTITY: PROV.Entity}.get(fold.kind, PROV.Agent)
    yield Triple(subject, NamedNode(RDF_TYPE), NamedNode(kind))
    label = fold.label or fold.type
    if label:
        yield Triple(subject, NamedNode(RDFS_LABEL), Literal(label))
    for predicate, time in ((PROV.startedAtTime, fold.start), (PROV.endedAtTime, fold.end)):
        if time and fold.kind == ACTIVITY:
            yield Triple(subject, NamedNode(predicate), Literal(time, datatype=NamedNode(XSD + "dateTime")))
    if fold.count == 1:
        return
    member = PROV.hadMember if fold.kind == ENTITY else PKG.member
    if fold.kind == ENTITY:
        yield Triple(subject, NamedNode(RDF_TYPE), NamedNode(PROV.Collection))
    yield Triple(subject, NamedNode(PKG.count), Literal(str(fold.count), datatype=NamedNode(XSD + "integer")))
    yield from (Triple(subject, NamedNode(member), NamedNode(node.iri)) for node in (fold.members if whole else ()))
