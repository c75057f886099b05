"""Relations as statements, direct and qualified, and as edges for version resolution."""

from __future__ import annotations

from provkg import identity
from provkg.edges import Generation, Link, Usage
from provkg.mapping.statements import Statements
from provkg.mapping.terms import integer, literal
from provkg.records import Digest, Digested, Kind, Relation
from provkg.shelves import Draft, Shelf
from provkg.vocab import PKG, PROV, RDF_TYPE, VP

_A, _LINE = f"<{RDF_TYPE}>", f"<{PKG.line}>"
_ENTITY, _COLLECTION = f"<{PROV.Entity}>", f"<{PROV.Collection}>"

# kind: (direct property, qualifying property, class, property to the other end). https://www.w3.org/TR/prov-o/#qualified-terms-table
QUALIFIED: dict[Kind, tuple[str, str, str, str]] = {
    Kind.ASSOCIATED: (PROV.wasAssociatedWith, PROV.qualifiedAssociation, PROV.Association, PROV.agent),
    Kind.ATTRIBUTED: (PROV.wasAttributedTo, PROV.qualifiedAttribution, PROV.Attribution, PROV.agent),
    Kind.INFORMED: (PROV.wasInformedBy, PROV.qualifiedCommunication, PROV.Communication, PROV.activity),
    Kind.DELEGATED: (PROV.actedOnBehalfOf, PROV.qualifiedDelegation, PROV.Delegation, PROV.agent),
    Kind.INVALIDATED: (PROV.wasInvalidatedBy, PROV.qualifiedInvalidation, PROV.Invalidation, PROV.activity),
    Kind.STARTED: (PROV.wasStartedBy, PROV.qualifiedStart, PROV.Start, PROV.entity),
    Kind.ENDED: (PROV.wasEndedBy, PROV.qualifiedEnd, PROV.End, PROV.entity),
    Kind.INFLUENCED: (PROV.wasInfluencedBy, PROV.qualifiedInfluence, PROV.Influence, PROV.influencer),
}
DIRECT: dict[Kind, str] = {
    Kind.SPECIALIZED: PROV.specializationOf,
    Kind.ALTERNATE: PROV.alternateOf,
    Kind.CONFIGURED: VP.wasConfiguredBy,
    Kind.DESCRIBED: VP.isDescribedBy,
}


class Relations:
    """Write relations into the statements of one source, of which some may have been written before.

    ``nodes`` are the generations by version and activity, with their times; ``usages`` those of which a place is known.
    """

    def __init__(self, out: Statements, before: Relations | None = None) -> None:
        self.out = out
        self.nodes: Shelf[str, tuple[str, str]] | Draft[str, tuple[str, str]] = (
            Shelf(str, tuple[str, str]) if before is None else Draft(before.nodes)
        )
        self.usages: Shelf[tuple[str, str], bool] | Draft[tuple[str, str], bool] = (
            Shelf(tuple[str, str], bool) if before is None else Draft(before.usages)
        )

    def relation(self, record: Relation) -> None:
        """A relation, direct and qualified."""
        if record.kind is Kind.USED:
            self.used(record)
        elif record.kind is Kind.GENERATED:
            self.generated(record)
        elif record.kind in (Kind.DERIVED, Kind.MEMBER):
            self.link(record)
        else:
            subject, other = self.out.names.iri(record.subject), self.out.names.iri(record.object)
            if record.kind in DIRECT:
                self.out.source.append(f"{subject} <{DIRECT[record.kind]}> {other} .")
                self.out.edges.asked.add(subject[1:-1])
                self.out.properties(subject, record.properties, {})
                return
            direct, qualified, kind, end = QUALIFIED[record.kind]
            self.out.source.append(f"{subject} <{direct}> {other} .")
            if record.role or record.time or record.node or record.properties:
                node = self.out.names.iri(
                    record.node
                    or f"relation/{identity.digest(record.kind.value, record.subject, record.object, record.role)}"
                )
                self.qualify(node, subject, qualified, kind, end, other, record)

    def qualify(
        self, node: str, subject: str, qualified: str, kind: str, end: str, other: str, record: Relation
    ) -> int | None:
        """Write a qualified node and return its time."""
        put = self.out.source.append
        put(f"{subject} <{qualified}> {node} .")
        put(f"{node} {_A} <{kind}> .")
        put(f"{node} <{end}> {other} .")
        if record.role:
            put(f"{node} <{PROV.hadRole}> {self.out.shared.role(record.role)} .")
        if record.line:
            put(f"{node} {_LINE} {integer(record.line)} .")
        at, _ = self.out.time(node, PROV.atTime, PKG.recordedTime, record.time)
        for predicate, value in record.properties:
            put(f"{node} {self.out.names.iri(predicate)} {self.out.names.value(value)} .")
        return at

    def used(self, record: Relation) -> None:
        """A usage: of the place, or of the very entity where the record knows it."""
        activity, used = self.out.names.iri(record.subject), self.out.names.iri(record.object)
        node = self.out.names.iri(record.node or f"usage/{identity.digest(record.subject, record.object, record.role)}")
        if (node, used) in self.usages:
            return
        self.usages.put((node, used), True, len(node) + len(used))
        self.out.counts["usages"] += 1
        at = self.qualify(node, activity, PROV.qualifiedUsage, PROV.Usage, PROV.entity, used, record)
        digest = self.content_digest(node, record.digest)
        self.out.edges.usages.append(Usage(node[1:-1], activity[1:-1], used[1:-1], at, digest))

    def generated(self, record: Relation) -> None:
        """A generation: what an activity wrote at a place is a version of its own."""
        is_place, version = identity.is_place(record.subject), self.version(record)
        place, activity = self.out.names.iri(record.place or record.subject), self.out.names.iri(record.object)
        known = self.nodes.get(version + activity)
        if known is not None:  # one generation, named twice (PROV-CONSTRAINTS 24): a second id, or a second role
            told, time = known
            dated = record.time and time and record.time != time
            name = (
                record.node or f"generation/{identity.digest(record.subject, record.object, record.role, record.time)}"
            )
            again = self.out.names.iri(name) if record.node or dated else told
            if again != told:
                self.qualify(again, version, PROV.qualifiedGeneration, PROV.Generation, PROV.activity, activity, record)
            elif record.role:
                self.out.source.append(f"{told} <{PROV.hadRole}> {self.out.shared.role(record.role)} .")
            return
        node = self.out.names.iri(
            record.node or f"generation/{identity.digest(record.subject, record.object, record.role)}"
        )
        self.nodes.put(version + activity, (node, record.time), len(version) + len(activity) + len(node))
        self.out.counts["generations"] += 1
        put = self.out.source.append
        put(f"{version} <{PROV.wasGeneratedBy}> {activity} .")
        self.qualify(node, version, PROV.qualifiedGeneration, PROV.Generation, PROV.activity, activity, record)
        if is_place:
            put(f"{version} {_A} {_ENTITY} .")
            put(f"{version} <{PROV.specializationOf}> {place} .")
            self.out.edges.lies(version[1:-1], place[1:-1])
            if record.subject.startswith("file/"):
                put(f"{version} {_A} <{VP.DatasetEntity}> .")
            if place in self.out.collections:
                put(f"{version} {_A} {_COLLECTION} .")
        digest = self.content_digest(version, record.digest)
        if record.product:
            put(f"{version} <{PKG.headerProductId}> {literal(record.product)} .")
        self.out.edges.generations.append(
            Generation(version[1:-1], place[1:-1], activity[1:-1], digest, record.product)
        )

    def digested(self, record: Digested) -> None:
        """The digest of what was used or generated, after that was told: so the relation is said again here."""
        subject, other = self.out.names.iri(record.subject), self.out.names.iri(record.object)
        if record.kind is Kind.USED:
            node = self.out.names.iri(f"usage/{identity.digest(record.subject, record.object, record.role)}")
            self.out.source.append(f"{subject} <{PROV.qualifiedUsage}> {node} .")
            digest = self.content_digest(node, record.digest)
            self.out.edges.usages.append(Usage(node[1:-1], subject[1:-1], other[1:-1], self.at(record.time), digest))
        else:
            version = self.version(record)
            node = (self.nodes.get(version + other) or (version, ""))[0]
            self.out.source.append(f"{version} <{PROV.wasGeneratedBy}> {other} .")
            digest = self.content_digest(version, record.digest)
            self.out.edges.generations.append(Generation(version[1:-1], subject[1:-1], other[1:-1], digest))
        for predicate, value in record.properties:
            self.out.source.append(f"{node} {self.out.names.iri(predicate)} {self.out.names.value(value)} .")

    def version(self, record: Relation | Digested) -> str:
        """Return what was generated: what an activity wrote at a place is a version of its own."""
        is_place = identity.is_place(record.subject)
        return self.out.names.iri(identity.version(record.subject, record.object) if is_place else record.subject)

    def at(self, time: str) -> int | None:
        """Return a time that was written before, in microseconds since 1970."""
        try:
            return self.out.clock.read(time)[1] if time else None
        except (ValueError, OverflowError):
            return None

    def link(self, record: Relation) -> None:
        """A derivation or a membership, as asserted; which versions it means is resolved."""
        by = record.activity
        subject = record.subject
        if record.kind is Kind.MEMBER and by and identity.is_place(subject):
            subject = identity.version(subject, by)
        s, other = self.out.names.iri(subject), self.out.names.iri(record.object)
        word = "derivation" if record.kind is Kind.DERIVED else "membership"
        node = self.out.names.iri(record.node or f"{word}/{identity.digest(record.subject, record.object, by)}")
        if record.kind is Kind.DERIVED:
            at = self.qualify(node, s, PROV.qualifiedDerivation, PROV.Derivation, PROV.entity, other, record)
        else:
            at = self.qualify(node, s, PKG.qualifiedMembership, PKG.Membership, PROV.entity, other, record)
        if by:
            self.out.source.append(f"{node} <{PKG.recordedBy}> {self.out.names.iri(by)} .")
        self.out.edges.links.append(
            Link(record.kind, node[1:-1], s[1:-1], other[1:-1], self.out.names.iri(by)[1:-1] if by else "", at)
        )

    def content_digest(self, subject: str, digest: Digest | None) -> str:
        """Say what the bytes were; only a content digest counts as evidence."""
        if digest is None or digest.of != "content":
            return ""
        d = self.out.shared.digest(digest)
        self.out.source.append(f"{subject} <{PKG.contentDigest}> {d} .")
        return d[1:-1]
