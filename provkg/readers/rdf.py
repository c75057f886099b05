"""PROV-O in any RDF syntax: every triple is kept, and the edges lineage needs are read off them."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import Any

from pyoxigraph import (
    BlankNode,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
)

from provkg import identity
from provkg.errors import InputError, said
from provkg.readers import Reader, Source
from provkg.readers.depth import LIMIT as DEPTH
from provkg.readers.depth import too_deep
from provkg.records import Digest, Iri, Kind, Node, Quarantined, Record, Relation, Typed, Value
from provkg.resources import folder
from provkg.vocab import LEDGER, OWL, PKG, PROV, RDF_TYPE, VOPROV, VP

LIMIT = 512 << 20
_XML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<(?:\?xml[\s\S]{0,2000}?<|!--[\s\S]{0,2000}?<)?\s*rdf:RDF\b")
_TURTLE = re.compile(rb"(?im)^\s*(?:@prefix|prefix)\s+[\w.-]*:\s*<[^>\s]*>")
_NQUADS = re.compile(rb"\A\s*(?:#[^\n]*\n\s*)*(?:<[^<>\s]+>|_:\S+)\s+<[^<>\s]+>\s+\S")

# An edge as PROV-O says it directly, and the node that qualifies it: https://www.w3.org/TR/prov-o/#qualified-terms-table
_DIRECT = {
    PROV.used: Kind.USED,
    PROV.wasGeneratedBy: Kind.GENERATED,
    PROV.wasDerivedFrom: Kind.DERIVED,
    PROV.wasRevisionOf: Kind.DERIVED,
    PROV.wasQuotedFrom: Kind.DERIVED,
    PROV.hadPrimarySource: Kind.DERIVED,
    PROV.hadMember: Kind.MEMBER,
}
_DERIVED = (*(PKG.usedVersion, PKG.usedSomeVersionOf, PKG.ofVersion, PKG.evidence, PKG.progenitor, PKG.drawnFrom),)
_TELLING = (PROV.specializationOf, PROV.atTime, PKG.contentDigest, PKG.recordedBy, PKG.usedVersion, PKG.ofVersion)
_INVERSE = {PROV.generated: Kind.GENERATED}
_QUALIFIED = {
    PROV.qualifiedUsage: (Kind.USED, PROV.entity),
    PROV.qualifiedGeneration: (Kind.GENERATED, PROV.activity),
    PROV.qualifiedDerivation: (Kind.DERIVED, PROV.entity),
    PKG.qualifiedMembership: (Kind.MEMBER, PROV.entity),
}
_RESOLVED = {Kind.USED: PROV.used, Kind.DERIVED: PROV.wasDerivedFrom, Kind.MEMBER: PROV.hadMember}


def knows(source: Source) -> bool:
    """Say whether a source is RDF: RDF/XML, JSON-LD, Turtle, TriG, N-Triples or N-Quads."""
    return _format(source.head) is not None


def _format(head: bytes) -> RdfFormat | None:
    if _XML.match(head):
        return RdfFormat.RDF_XML
    if head.lstrip()[:1] in (b"{", b"[") and b'"@' in head:
        return RdfFormat.JSON_LD
    if b"\0" in head[:1024]:
        return None
    if _TURTLE.search(head):
        return RdfFormat.TRIG
    return RdfFormat.N_QUADS if _NQUADS.match(head) else None


def read(source: Source) -> Iterator[Record]:
    """Read a dataset; blank nodes become IRIs that depend on the content alone.

    Raises:
        InputError: it is broken; the message names line and column.
    """
    quads = dataset(source)
    _refuse_stores(source, quads)
    yield from _Dataset(source.digest[:16], quads, source.config.base).records()


def _refuse_stores(source: Source, quads: Dataset) -> None:
    """Refuse the export of a whole store: it is no document about what it says, but what another store holds.

    Raises:
        InputError: it is one.
    """
    kind, entry = NamedNode(RDF_TYPE), NamedNode(PKG.Source)
    for quad in quads.quads_for_predicate(kind):
        if quad.object == entry and str(getattr(quad.graph_name, "value", "")).endswith(LEDGER):
            raise InputError(f"{source.path}: an export of a whole store", hint=f"provkg import {source.path}")


def dataset(source: Source) -> Dataset:
    """Parse a dataset; its blank nodes are named by their order.

    A canonical form would take exponential time for some documents, and it is not needed: names that blank nodes give
    IRIs begin with the digest of the document.

    Raises:
        InputError: it is broken; the message names line and column.
    """
    form = _format(source.head)
    assert form is not None
    data = source.read(LIMIT)
    if form is RdfFormat.RDF_XML and b"<!DOCTYPE" in data[:65536]:
        raise InputError(f"{source.path}: XML with a document type declaration is refused", hint="remove the DOCTYPE")
    if too_deep(data, form):
        raise InputError(f"{source.path}: nested more than {DEPTH} levels deep", hint="write it flat")
    try:
        return Dataset(_named(parse(data, format=form, base_iri=source.config.base)))
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{source.path}: {said(error)}") from None


def _named(quads: Iterable[Quad]) -> Iterator[Quad]:
    names: dict[str, BlankNode] = {}

    def same(term: Any) -> Any:
        if isinstance(term, BlankNode):
            return names.setdefault(term.value, BlankNode(f"b{len(names)}"))
        return Triple(same(term.subject), term.predicate, same(term.object)) if isinstance(term, Triple) else term

    for quad in quads:
        if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode | Literal):
            yield (
                quad
                if not isinstance(quad.graph_name, BlankNode)
                else Quad(quad.subject, quad.predicate, quad.object, same(quad.graph_name))
            )
        else:
            yield Quad(same(quad.subject), quad.predicate, same(quad.object), same(quad.graph_name))


READER = Reader("rdf", knows, read)


def _term(iri: str) -> str:
    """Return our term for one that voprov and OPUS write in their own namespace.

    >>> _term("http://www.ivoa.net/documents/ProvenanceDM/index.html#ConfigurationRelation")
    'https://w3id.org/provkg/voprov#Configuration'
    """
    return _ours().get(iri) or VP[identity.part(iri.removeprefix(VOPROV))] if iri.startswith(VOPROV) else iri


@cache
def _ours() -> dict[str, str]:
    """Return the equivalences of ``voprov.ttl``, from their terms to ours."""
    equal = (OWL.equivalentClass, OWL.equivalentProperty)
    quads = parse(path=folder("ontologies") / "voprov.ttl", format=RdfFormat.TURTLE)
    return {
        quad.object.value: quad.subject.value
        for quad in quads
        if quad.predicate.value in equal and isinstance(quad.object, NamedNode) and isinstance(quad.subject, NamedNode)
    }


class _Dataset:
    """A dataset; what it says with names of this base is taken as this store's own records are.

    So a part of a store that was exported means in another store what it meant there: which versions were used is found
    anew, and what was found there is left out.
    """

    def __init__(self, scope: str, dataset: Dataset, base: str) -> None:
        self.scope, self.base = scope, base
        every = sorted(dataset, key=str)
        self.told: dict[tuple[str, str], str] = {}
        for quad in every:
            if quad.predicate.value in _TELLING:
                self.told[quad.predicate.value, self.name(quad.subject)] = self.name(quad.object)
        self.resolved = set(self._resolved(every))
        self.quads = [quad for quad in every if not self._derived(quad)]

    def _resolved(self, quads: list[Quad]) -> Iterator[tuple[str, str, str]]:
        """Give the edges that version resolution has drawn, of names of this base."""
        for quad in quads:
            kind, _ = _QUALIFIED.get(quad.predicate.value, (None, ""))
            subject, node = self.name(quad.subject), self.name(quad.object)
            version = self.told.get((PKG.usedVersion, node), "")
            if kind in _RESOLVED and version:
                yield _RESOLVED[kind], self.told.get((PKG.ofVersion, node), subject), version

    def _derived(self, quad: Quad) -> bool:
        """Say whether version resolution has said something, of names of this base."""
        if not (isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(self.base)):
            return False
        edge = quad.predicate.value, self.name(quad.subject), self.name(quad.object)
        value = str(getattr(quad.object, "value", ""))
        return edge in self.resolved or quad.predicate.value in _DERIVED or value in (PKG.Unended, PKG.Rewritten)

    def records(self) -> Iterator[Record]:
        yield from self.statements()
        yield from self.relations()

    def name(self, term: object) -> str:
        if isinstance(term, BlankNode):
            return f"node/{self.scope}/{identity.part(term.value)}"
        return str(getattr(term, "value", term)).removeprefix(self.base)

    def value(self, term: object) -> Value:
        if isinstance(term, Literal):
            return Typed(term.value, term.datatype.value, term.language or "")
        return Iri(self.name(term))

    def statements(self) -> Iterator[Record]:
        """Give what is said of each subject, and in which graphs."""
        for subject, quads in groupby(self.quads, key=lambda quad: quad.subject):
            types: list[str] = []
            properties: list[tuple[str, Value]] = []
            for quad in quads:
                if isinstance(subject, Triple) or isinstance(quad.object, Triple):
                    reason = "a triple term (RDF 1.2) is not read"
                    yield Quarantined(line=0, offset=0, length=0, reason=reason, text=str(quad))
                    continue
                if quad.predicate.value == RDF_TYPE and isinstance(quad.object, NamedNode):
                    types.append(_term(quad.object.value))
                else:
                    properties.append((_term(quad.predicate.value), self.value(quad.object)))
                if not isinstance(quad.graph_name, DefaultGraph):
                    properties.append((PKG.inBundle, Iri(self.name(quad.graph_name))))
            if types or properties:
                each = tuple(dict.fromkeys(properties))
                yield Node(name=self.name(subject), types=tuple(dict.fromkeys(types)), properties=each)

    def relations(self) -> Iterator[Record]:
        """Give each edge once: with the node that qualifies it, where there is one."""
        ends: dict[str, dict[str, str]] = {}
        for quad in self.edges():
            if quad.predicate.value in (PROV.entity, PROV.activity):
                ends.setdefault(self.name(quad.subject), {})[quad.predicate.value] = self.name(quad.object)
        given = set()
        for quad in self.edges():
            kind, end = _QUALIFIED.get(quad.predicate.value, (None, ""))
            node = self.name(quad.object)
            other = ends.get(node, {}).get(end)
            if kind is not None and other is not None:
                given.add((kind, self.name(quad.subject), other))
                yield self.relation(kind, self.name(quad.subject), other, node)
        for quad in self.edges():
            yield from self._direct(quad, given)

    def relation(self, kind: Kind, subject: str, other: str, node: str = "") -> Relation:
        """Return a relation; a version that was generated lies at its place."""
        place = self.told.get((PROV.specializationOf, subject), "") if kind is Kind.GENERATED else ""
        digest = self.told.get((PKG.contentDigest, subject if kind is Kind.GENERATED else node), "")
        _, _, named = digest.partition("digest/")
        algorithm, _, value = named.partition("/")
        return Relation(
            kind=kind,
            subject=subject,
            object=other,
            node=node,
            place=place if identity.is_place(place) else "",
            time=self.told.get((PROV.atTime, node), ""),
            activity=self.told.get((PKG.recordedBy, node), ""),
            digest=Digest(algorithm, value, "content") if value else None,
        )

    def edges(self) -> Iterator[Quad]:
        """Give the triples between two nodes: a literal is never the end of an edge."""
        return (quad for quad in self.quads if isinstance(quad.object, NamedNode | BlankNode))

    def _direct(self, quad: Quad, given: set[tuple[Kind, str, str]]) -> Iterator[Record]:
        subject, other = self.name(quad.subject), self.name(quad.object)
        kind = _DIRECT.get(quad.predicate.value)
        if kind is None and quad.predicate.value in _INVERSE:
            kind, subject, other = _INVERSE[quad.predicate.value], other, subject
        if kind is not None and (kind, subject, other) not in given:
            given.add((kind, subject, other))
            yield self.relation(kind, subject, other)
