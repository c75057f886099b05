"""What the graph says of a thing as statements of PROV, exactly: relations with their ids, all else as attributes.

A usage is of the version that was read, where that is known. Things that are neither steps nor agents (parameters,
environments, descriptions) are entities with their type, as the IVOA's own mapping to W3C PROV has them. Shortcuts that
follow from the rest (``pkg:progenitor``) are left out. Source: https://www.w3.org/TR/prov-o/#qualified-terms-table
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from prov.constants import (
    PROV_ACTIVITY,
    PROV_AGENT,
    PROV_ALTERNATE,
    PROV_ASSOCIATION,
    PROV_ATTRIBUTION,
    PROV_COMMUNICATION,
    PROV_DELEGATION,
    PROV_DERIVATION,
    PROV_END,
    PROV_ENTITY,
    PROV_GENERATION,
    PROV_INFLUENCE,
    PROV_INVALIDATION,
    PROV_MEMBERSHIP,
    PROV_SPECIALIZATION,
    PROV_START,
    PROV_USAGE,
)
from prov.identifier import QualifiedName
from prov.model import PROV_REC_CLS, ProvBundle, parse_xsd_datetime
from pyoxigraph import Literal, NamedNode

from provkg.export.provnames import ProvNames
from provkg.store import text_of
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, SKOS, VP

Facts = dict[str, list[Any]]
AGENTS = (PROV.Agent, PROV.SoftwareAgent, PROV.Person, PROV.Organization)
STEPS = (PROV.Activity, PKG.Session)


class Shape(NamedTuple):
    """A relation: its type, direct and qualifying property, where its other end stands, and further arguments."""

    kind: QualifiedName
    direct: str
    qualifying: str = ""
    ends: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()


SHAPES = (
    Shape(PROV_USAGE, PROV.used, PROV.qualifiedUsage, (PKG.usedVersion, PKG.usedSomeVersionOf, PROV.entity)),
    Shape(PROV_GENERATION, PROV.wasGeneratedBy, PROV.qualifiedGeneration, (PROV.activity,)),
    Shape(PROV_INVALIDATION, PROV.wasInvalidatedBy, PROV.qualifiedInvalidation, (PROV.activity,)),
    Shape(PROV_COMMUNICATION, PROV.wasInformedBy, PROV.qualifiedCommunication, (PROV.activity,)),
    Shape(PROV_START, PROV.wasStartedBy, PROV.qualifiedStart, (PROV.entity,), ((PROV.hadActivity, "starter"),)),
    Shape(PROV_END, PROV.wasEndedBy, PROV.qualifiedEnd, (PROV.entity,), ((PROV.hadActivity, "ender"),)),
    Shape(
        PROV_DERIVATION,
        PROV.wasDerivedFrom,
        PROV.qualifiedDerivation,
        (PKG.usedVersion, PROV.entity),
        ((PROV.hadActivity, "activity"), (PROV.hadGeneration, "generation"), (PROV.hadUsage, "usage")),
    ),
    Shape(PROV_ATTRIBUTION, PROV.wasAttributedTo, PROV.qualifiedAttribution, (PROV.agent,)),
    Shape(
        PROV_ASSOCIATION,
        PROV.wasAssociatedWith,
        PROV.qualifiedAssociation,
        (PROV.agent,),
        ((PROV.hadPlan, "plan"),),
    ),
    Shape(
        PROV_DELEGATION,
        PROV.actedOnBehalfOf,
        PROV.qualifiedDelegation,
        (PROV.agent,),
        ((PROV.hadActivity, "activity"),),
    ),
    Shape(PROV_INFLUENCE, PROV.wasInfluencedBy, PROV.qualifiedInfluence, (PROV.influencer,)),
    Shape(PROV_MEMBERSHIP, PROV.hadMember, PKG.qualifiedMembership, (PKG.usedVersion, PROV.entity)),
    Shape(PROV_SPECIALIZATION, PROV.specializationOf),
    Shape(PROV_ALTERNATE, PROV.alternateOf),
)
_BY_DIRECT = {shape.direct: shape for shape in SHAPES}
_BY_QUALIFYING = {shape.qualifying: shape for shape in SHAPES if shape.qualifying}
RELATING = (*_BY_DIRECT, *_BY_QUALIFYING)
_SHORTCUTS = (PKG.progenitor, PKG.drawnFrom)
_NO_ATTRIBUTES = {*RELATING, *_SHORTCUTS, VP.wasConfiguredBy, RDF_TYPE}
_HAPPENED = (
    (PROV.generatedAtTime, PROV.wasGeneratedBy, PROV_GENERATION),
    (PROV.invalidatedAtTime, PROV.wasInvalidatedBy, PROV_INVALIDATION),
)
_FOLLOW = (PKG.Unended, PKG.Rewritten)  # types that follow from the rest
_ATTRIBUTES = {
    RDFS_LABEL: "prov:label",
    PKG.location: "prov:location",
    PKG.recordedType: "prov:type",
    PROV.value: "prov:value",
    VP.role: "prov:role",
}
_CONFIGURES = VP.Configuration


class ProvStatements:
    """Write what the graph says of things into a document.

    Args:
        document: where to.
        names: its namespaces.
        facts: what the graph says of any name: what is described, its qualified relations, roles and descriptions.
    """

    def __init__(self, document: ProvBundle, names: ProvNames, facts: dict[str, Facts]) -> None:
        self.document, self.names, self.facts = document, names, facts

    def element(self, iri: str) -> None:
        """Write a thing with the relations that it is the subject of."""
        facts = self.facts[iri]
        types = {text_of(term) for term in facts.get(RDF_TYPE, ())}
        kind = element_kind(types)
        formal = [*self.times(facts)] if kind == PROV_ACTIVITY else []
        if types:  # what has none is named by others and declared by nobody
            self.document.new_record(kind, self.names.name(iri), formal, [*self.attributes(facts, types, kind)])
        for predicate, kind in self.happenings(facts):
            time = parse_xsd_datetime(text_of(facts[predicate][0]))
            self.document.new_record(kind, None, [("prov:entity", self.names.name(iri)), ("prov:time", time)])
        told: set[tuple[str, str]] = set()
        for predicate, shape in _BY_QUALIFYING.items():
            for node in facts.get(predicate, ()):
                self.qualified(iri, shape, text_of(node), told)
        for predicate, shape in _BY_DIRECT.items():
            for other in facts.get(predicate, ()):
                if isinstance(other, NamedNode) and (predicate, other.value) not in told:
                    self.record(shape, None, iri, other.value, [], [])
        for other in facts.get(VP.wasConfiguredBy, ()):
            more = [("prov:type", self.names.name(_CONFIGURES))]
            self.record(_BY_DIRECT[PROV.wasInfluencedBy], None, iri, text_of(other), [], more)

    def happenings(self, facts: Facts) -> Iterator[tuple[str, QualifiedName]]:
        """Give what happened to an entity at a time, and by which step is not said."""
        for predicate, by, kind in _HAPPENED:
            if len(facts.get(predicate, ())) == 1 and by not in facts:
                yield predicate, kind

    def times(self, facts: Facts) -> Iterator[tuple[str, Any]]:
        """Give start and end, where there is one of each."""
        for predicate, name in ((PROV.startedAtTime, "prov:startTime"), (PROV.endedAtTime, "prov:endTime")):
            if len(facts.get(predicate, ())) == 1:
                yield name, parse_xsd_datetime(text_of(facts[predicate][0]))

    def attributes(self, facts: Facts, types: set[str], kind: QualifiedName) -> Iterator[tuple[Any, Any]]:
        """Give what else is said of a thing."""
        yield from (("prov:type", self.names.name(each)) for each in sorted(types - {str(kind.uri), *_FOLLOW}))
        if VP.entityDescription in facts:
            yield from (("prov:label", self.names.value(term)) for term in self.called(facts))
        happened = {predicate for predicate, _ in self.happenings(facts)}
        for predicate, values in facts.items():
            once = predicate in (PROV.startedAtTime, PROV.endedAtTime) and len(values) == 1 and kind == PROV_ACTIVITY
            if once or predicate in _NO_ATTRIBUTES or predicate in happened:
                continue
            yield from ((self.key(predicate), self.names.value(term)) for term in values)

    def called(self, facts: Facts) -> list[Any]:
        """Return what a thing is called by its descriptions: what was its label where it was read."""
        described = (self.facts.get(text_of(each), {}) for each in facts[VP.entityDescription])
        return [term for each in described for term in each.get(VP.name, ())]

    def key(self, predicate: str) -> Any:
        """Return a property as the name of an attribute; those that PROV has attributes for, as these."""
        return _ATTRIBUTES.get(predicate) or self.names.name(predicate)

    # Relations

    def qualified(self, subject: str, shape: Shape, node: str, told: set[tuple[str, str]]) -> None:
        """Write a qualified relation; what its direct property would say again is noted."""
        facts = self.facts.get(node, {})
        other = next((text_of(facts[each][0]) for each in shape.ends if facts.get(each)), "")
        told |= {(shape.direct, text_of(end)) for each in shape.ends for end in facts.get(each, ())}
        if shape.kind in (PROV_DERIVATION, PROV_MEMBERSHIP):
            resolved = [text_of(each) for each in facts.get(PKG.ofVersion, ())]
            if resolved and resolved[0] != subject:
                return  # the version says it itself, by the direct property
        if not other or (other == subject and self.is_place(subject)):
            return  # which versions of a place are meant is not known
        formal: list[tuple[str, Any]] = [
            (f"prov:{name}", self.names.name(text_of(facts[each][0]))) for each, name in shape.more if facts.get(each)
        ]
        if PROV.atTime in facts:
            formal.append(("prov:time", parse_xsd_datetime(text_of(facts[PROV.atTime][0]))))
        self.record(shape, self.names.name(node), subject, other, formal, [*self.node_attributes(shape, facts)])

    def is_place(self, iri: str) -> bool:
        """Say whether a thing is a place, of which there are versions."""
        types = {text_of(term) for term in self.facts.get(iri, {}).get(RDF_TYPE, ())}
        return bool(types & {PKG.File, PKG.Object})

    def record(
        self,
        shape: Shape,
        name: QualifiedName | None,
        subject: str,
        other: str,
        formal: list[tuple[str, Any]],
        more: list[tuple[Any, Any]],
    ) -> None:
        """Write a relation; one that PROV gives no id and no attributes has none."""
        first, second = PROV_REC_CLS[shape.kind].FORMAL_ATTRIBUTES[:2]
        ends = [(first, self.names.name(subject)), (second, self.names.name(other))]
        bare = shape.kind in (PROV_MEMBERSHIP, PROV_SPECIALIZATION, PROV_ALTERNATE)
        self.document.new_record(
            shape.kind, None if bare else name, ends if bare else [*ends, *formal], None if bare else more
        )

    def node_attributes(self, shape: Shape, facts: Facts) -> Iterator[tuple[Any, Any]]:
        """Give what is said of a qualified relation: its roles by their names, and the rest."""
        for role in facts.get(PROV.hadRole, ()):
            called = self.facts.get(text_of(role), {}).get(SKOS.prefLabel, ())
            yield "prov:role", self.names.value(called[0] if called else role)
        formal = {PROV.hadRole, PROV.atTime, *shape.ends, *(each for each, _ in shape.more)}
        own = f"{PROV.iri}{shape.kind.localpart}"
        for predicate, values in facts.items():
            if predicate in formal:
                continue
            for term in values:
                if predicate != RDF_TYPE:
                    yield self.key(predicate), self.names.value(term)
                elif text_of(term) != own:
                    yield "prov:type", self.names.value(term)


def element_kind(types: set[str]) -> QualifiedName:
    """Return what a thing of some types is to PROV."""
    if types.intersection(STEPS):
        return PROV_ACTIVITY
    return PROV_AGENT if types.intersection(AGENTS) else PROV_ENTITY


def refers(facts: Facts) -> Iterator[str]:
    """Give the names of what must be known to write a thing: its qualified relations and its description."""
    for predicate in (*_BY_QUALIFYING, VP.entityDescription):
        yield from (text_of(term) for term in facts.get(predicate, ()) if not isinstance(term, Literal))
