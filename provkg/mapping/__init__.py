"""Records become quads, by tables; the terms are those of ``ontologies/``.

Each statement stands in one graph: what happened in the source's own, what many sources share in the catalogue, words
(roles, descriptions) among the descriptions. What a usage read is not decided here: a path is not a version, so the
mapping gives the ends of each edge to :mod:`provkg.lineage`, which resolves them over all sources.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from provkg import identity
from provkg.config import Config
from provkg.identity import canonical
from provkg.mapping.edges import Edges, Generation, Link, Usage
from provkg.mapping.shared import Shared
from provkg.mapping.terms import Clock, Names, integer, literal
from provkg.records import (
    UNREADABLE_TIME,
    Activity,
    Agent,
    Digest,
    Ended,
    Entity,
    Environment,
    Kind,
    Node,
    Parameters,
    Properties,
    Quarantined,
    Record,
    Relation,
    Remark,
    Session,
)
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, VP, XSD

ASSUMED_ZONE = "times without a zone, taken as"
REPEATED_HOUR = "times in the hour that a clock change repeats (taken as the first)"
EXTRA = "records with keys without a term (kept under pkg:extra)"

_A, _LABEL, _NAME, _LINE = f"<{RDF_TYPE}>", f"<{RDFS_LABEL}>", f"<{VP.name}>", f"<{PKG.line}>"
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
_DIGEST = {"path": PKG.pathDigest, "content": PKG.recordedDigest, "unknown": PKG.unprovenDigest}
DIRECT: dict[Kind, str] = {
    Kind.SPECIALIZED: PROV.specializationOf,
    Kind.ALTERNATE: PROV.alternateOf,
    Kind.CONFIGURED: VP.wasConfiguredBy,
    Kind.DESCRIBED: VP.isDescribedBy,
}


@dataclass
class Mapping:
    """One source's records as N-Triples lines, by graph, with its edges and what is to be said about it."""

    config: Config
    known: set[str]
    source: list[str] = field(default_factory=list)
    edges: Edges = field(default_factory=Edges)
    remarks: Counter[str] = field(default_factory=Counter)
    quarantined: list[Quarantined] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.names = Names(self.config.base)
        self.shared = Shared(self.names, self.known)
        self.clock = Clock(self.config.zone_info)
        self.nodes: dict[str, str] = {}
        self.collections: set[str] = set()
        self.usage_nodes: set[str] = set()
        self.table = {
            Session: self.session,
            Activity: self.activity,
            Ended: self.ended,
            Parameters: self.parameters,
            Entity: self.entity,
            Agent: self.agent,
            Relation: self.relation,
            Node: self.node,
            Quarantined: self.quarantined.append,
            Remark: self.remark,
        }

    def add(self, record: Record) -> None:
        """Map one record."""
        self.table[type(record)](record)  # type: ignore[operator]

    def finish(self) -> None:
        """Count what was assumed."""
        if self.clock.assumed:
            self.remarks[f"{ASSUMED_ZONE} {self.config.zone}"] += self.clock.assumed
        if self.clock.repeated_hour:
            self.remarks[REPEATED_HOUR] += self.clock.repeated_hour

    def remark(self, record: Remark) -> None:
        """Count a remark."""
        self.remarks[record.about] += record.count

    # Nodes

    def session(self, record: Session) -> None:
        """A session is a prov:Activity in which others happen."""
        s, put = self.names.iri(record.name), self.source.append
        self.counts["sessions"] += 1
        put(f"{s} {_A} <{PKG.Session}> .")
        put(f"{s} {_LINE} {integer(record.line)} .")
        if record.label:
            put(f"{s} {_LABEL} {literal(record.label)} .")
        self.time(s, PROV.startedAtTime, PKG.recordedStart, record.start)
        if record.software:
            put(f"{s} <{PROV.wasAssociatedWith}> {self.shared.software(record.software)} .")
        self.surroundings(s, record.environment, record.arguments)
        if record.config_file:
            put(f"{s} <{VP.wasConfiguredBy}> {self.shared.config_file(record.config_file)} .")
        self.properties(s, record.properties, record.extra)

    def activity(self, record: Activity) -> None:
        """An activity, with what its start record says."""
        a, put = self.names.iri(record.name), self.source.append
        self.counts["activities"] += a[1:-1] not in self.edges.times
        put(f"{a} {_A} <{PROV.Activity}> .")
        if record.line:
            put(f"{a} {_LINE} {integer(record.line)} .")
        if record.label:
            put(f"{a} {_LABEL} {literal(record.label)} .")
            put(f"{a} <{VP.activityDescription}> {self.shared.activity_description(record.label)} .")
        start = self.time(a, PROV.startedAtTime, PKG.recordedStart, record.start)
        end = self.time(a, PROV.endedAtTime, PKG.recordedEnd, record.end)
        known = self.edges.times.get(a[1:-1], (None, None))
        self.edges.times[a[1:-1]] = (known[0] if start is None else start, known[1] if end is None else end)
        if record.status and record.status != "running":
            put(f"{a} <{PKG.status}> <{PKG[record.status]}> .")
        if record.recorded_status:
            put(f"{a} <{PKG.recordedStatus}> {literal(record.recorded_status)} .")
        if record.exit_code is not None:
            put(f"{a} <{PKG.exitCode}> {integer(record.exit_code)} .")
        if record.session:
            put(f"{a} <{PKG.inSession}> {self.names.iri(record.session)} .")
        if record.agent:
            put(f"{a} <{PROV.wasAssociatedWith}> {self.shared.account(record.agent)} .")
        if record.software:
            put(f"{a} <{PROV.wasAssociatedWith}> {self.shared.software(record.software)} .")
        if record.script:
            put(f"{a} <{PKG.script}> {literal(record.script)} .")
        self.surroundings(a, record.environment, record.arguments)
        self.properties(a, record.properties, record.extra)

    def ended(self, record: Ended) -> None:
        """The end of an activity."""
        a = self.names.iri(record.activity)
        end = self.time(a, PROV.endedAtTime, PKG.recordedEnd, record.end)
        self.edges.times[a[1:-1]] = (self.edges.times.get(a[1:-1], (None, None))[0], end)
        if record.status:
            self.source.append(f"{a} <{PKG.status}> <{PKG[record.status]}> .")
        self.counts["ended"] += 1

    def surroundings(self, subject: str, environment: Environment | None, arguments: tuple[str, ...]) -> None:
        """Link an environment, and give the command line as recorded."""
        if environment is not None:
            self.source.append(f"{subject} <{PKG.environment}> {self.shared.environment(environment)} .")
        if arguments:
            self.source.append(f"{subject} <{PKG.arguments}> {literal(canonical(list(arguments)))} .")

    def entity(self, record: Entity) -> None:
        """A place, or a version that has its own IRI. Files and products are shared, so they stand in the catalogue."""
        e = self.names.iri(record.name)
        is_file = record.name.startswith("file/")
        if "collection" in record.types:
            self.collections.add(e)
        put = self.source.append
        if is_file or record.name.startswith("entity/"):
            if not self.shared.first(f"{e} {replace(record, line=0)}"):
                return
            put = self.shared.catalogue.append
        put(f"{e} {_A} {_ENTITY} .")
        if is_file:
            put(f"{e} {_A} <{PKG.File}> .")
        elif record.name.startswith("object/"):
            put(f"{e} {_A} <{PKG.Object}> .")
        for kind in record.types:
            put(f"{e} {_A} {_COLLECTION if kind == 'collection' else self.names.iri(kind)} .")
        if record.path:
            put(f"{e} <{PKG.location}> {literal(record.path)} .")
            put(f"{e} <{PKG.fileName}> {literal(record.path.rstrip('/').rpartition('/')[2])} .")
        if record.place:
            put(f"{e} <{PROV.specializationOf}> {self.names.iri(record.place)} .")
        self.describe(e, record, put)
        if record.digest is not None:  # a content digest is evidence on a version: see relation
            put(f"{e} <{_DIGEST[record.digest.of]}> {literal(f'{record.digest.algorithm}:{record.digest.value}')} .")
        for predicate, value in record.properties:
            put(f"{e} {self.names.iri(predicate)} {self.names.value(value)} .")
        if record.extra:
            put(self.extra(e, record.extra))

    def describe(self, entity: str, record: Entity, put: Callable[[str], None]) -> None:
        """Link an entity's description, or give its level where nothing else is known of it."""
        if record.label or record.content_type:
            described = self.shared.entity_description(record.label, record.content_type, record.level)
            put(f"{entity} <{VP.entityDescription}> {described} .")
        elif record.level:
            put(f"{entity} <{PKG.dataLevel}> <{PKG[record.level]}> .")

    def agent(self, record: Agent) -> None:
        """An agent of a PROV document."""
        a = self.names.iri(record.name)
        self.source.append(f"{a} {_A} <{PROV.Agent}> .")
        if record.label:
            self.source.append(f"{a} {_LABEL} {literal(record.label)} .")
        self.source += [f"{a} {_A} {self.names.iri(kind)} ." for kind in record.types]
        self.properties(a, record.properties, record.extra)

    def node(self, record: Node) -> None:
        """Anything else, as it is."""
        n = self.names.iri(record.name)
        self.source += [f"{n} {_A} {self.names.iri(kind)} ." for kind in record.types]
        if PROV.Activity in record.types:
            self.counts["activities"] += n[1:-1] not in self.edges.times
            self.edges.times.setdefault(n[1:-1], (None, None))
        for predicate, value in record.properties:
            if predicate in (PROV.startedAtTime, PROV.endedAtTime):
                self.dated(n[1:-1], predicate, str(getattr(value, "text", value)))
        self.properties(n, record.properties, record.extra)

    def dated(self, activity: str, predicate: str, text: str) -> None:
        """Take a time that is already a triple, for resolution."""
        try:
            at = self.clock.read(text)[1]
        except (ValueError, OverflowError):
            self.remarks[UNREADABLE_TIME] += 1
            return
        start, end = self.edges.times.get(activity, (None, None))
        self.edges.times[activity] = (at, end) if predicate == PROV.startedAtTime else (start, at)

    # Relations

    def relation(self, record: Relation) -> None:
        """A relation, direct and qualified."""
        if record.kind is Kind.USED:
            self.used(record)
        elif record.kind is Kind.GENERATED:
            self.generated(record)
        elif record.kind in (Kind.DERIVED, Kind.MEMBER):
            self.link(record)
        else:
            subject, other = self.names.iri(record.subject), self.names.iri(record.object)
            if record.kind in DIRECT:
                self.source.append(f"{subject} <{DIRECT[record.kind]}> {other} .")
                self.properties(subject, record.properties, {})
                return
            direct, qualified, kind, end = QUALIFIED[record.kind]
            self.source.append(f"{subject} <{direct}> {other} .")
            if record.role or record.time or record.node or record.properties:
                node = self.names.iri(
                    record.node
                    or f"relation/{identity.digest(record.kind.value, record.subject, record.object, record.role)}"
                )
                self.qualify(node, subject, qualified, kind, end, other, record)

    def qualify(
        self, node: str, subject: str, qualified: str, kind: str, end: str, other: str, record: Relation
    ) -> int | None:
        """Write a qualified node and return its time."""
        put = self.source.append
        put(f"{subject} <{qualified}> {node} .")
        put(f"{node} {_A} <{kind}> .")
        put(f"{node} <{end}> {other} .")
        if record.role:
            put(f"{node} <{PROV.hadRole}> {self.shared.role(record.role)} .")
        if record.line:
            put(f"{node} {_LINE} {integer(record.line)} .")
        at = self.time(node, PROV.atTime, PKG.recordedTime, record.time) if record.time else None
        for predicate, value in record.properties:
            put(f"{node} {self.names.iri(predicate)} {self.names.value(value)} .")
        return at

    def used(self, record: Relation) -> None:
        """A usage: of the place, or of the very entity where the record knows it."""
        activity, used = self.names.iri(record.subject), self.names.iri(record.object)
        node = self.names.iri(record.node or f"usage/{identity.digest(record.subject, record.object, record.role)}")
        if node in self.usage_nodes:
            return
        self.usage_nodes.add(node)
        self.counts["usages"] += 1
        at = self.qualify(node, activity, PROV.qualifiedUsage, PROV.Usage, PROV.entity, used, record)
        digest = self.content_digest(node, record.digest)
        self.edges.usages.append(Usage(node[1:-1], activity[1:-1], used[1:-1], at, digest))

    def generated(self, record: Relation) -> None:
        """A generation: what an activity wrote at a place is a version of its own."""
        is_place = identity.is_place(record.subject)
        version = self.names.iri(identity.version(record.subject, record.object) if is_place else record.subject)
        place, activity = self.names.iri(record.place or record.subject), self.names.iri(record.object)
        known = self.nodes.get(version + activity)
        if known is not None:  # one generation, named twice: a second role of the one event (PROV-CONSTRAINTS 24)
            if record.role:
                self.source.append(f"{known} <{PROV.hadRole}> {self.shared.role(record.role)} .")
            return
        node = self.names.iri(
            record.node or f"generation/{identity.digest(record.subject, record.object, record.role)}"
        )
        self.nodes[version + activity] = node
        self.counts["generations"] += 1
        put = self.source.append
        put(f"{version} <{PROV.wasGeneratedBy}> {activity} .")
        self.qualify(node, version, PROV.qualifiedGeneration, PROV.Generation, PROV.activity, activity, record)
        if is_place:
            put(f"{version} {_A} {_ENTITY} .")
            put(f"{version} <{PROV.specializationOf}> {place} .")
            if record.subject.startswith("file/"):
                put(f"{version} {_A} <{VP.DatasetEntity}> .")
            if place in self.collections:
                put(f"{version} {_A} {_COLLECTION} .")
        digest = self.content_digest(version, record.digest)
        if record.product:
            put(f"{version} <{PKG.headerProductId}> {literal(record.product)} .")
        self.edges.generations.append(Generation(version[1:-1], place[1:-1], activity[1:-1], digest, record.product))

    def link(self, record: Relation) -> None:
        """A derivation or a membership, as asserted; which versions it means is resolved."""
        by = record.activity
        subject = record.subject
        if record.kind is Kind.MEMBER and by and identity.is_place(subject):
            subject = identity.version(subject, by)
        s, other = self.names.iri(subject), self.names.iri(record.object)
        word = "derivation" if record.kind is Kind.DERIVED else "membership"
        node = self.names.iri(record.node or f"{word}/{identity.digest(record.subject, record.object, by)}")
        if record.kind is Kind.DERIVED:
            at = self.qualify(node, s, PROV.qualifiedDerivation, PROV.Derivation, PROV.entity, other, record)
        else:
            at = self.qualify(node, s, PKG.qualifiedMembership, PKG.Membership, PROV.entity, other, record)
        if by:
            self.source.append(f"{node} <{PKG.recordedBy}> {self.names.iri(by)} .")
        self.edges.links.append(
            Link(record.kind, node[1:-1], s[1:-1], other[1:-1], self.names.iri(by)[1:-1] if by else "", at)
        )

    def content_digest(self, subject: str, digest: Digest | None) -> str:
        """Say what the bytes were; only a content digest counts as evidence."""
        if digest is None or digest.of != "content":
            return ""
        d = self.shared.digest(digest)
        self.source.append(f"{subject} <{PKG.contentDigest}> {d} .")
        return d[1:-1]

    # Parameters and facts

    def parameters(self, record: Parameters) -> None:
        """Parameters: a node for each name and value, shared by all activities that had it."""
        activity = self.names.iri(record.activity)
        for key, value in record.values.items():
            self.counts["parameters"] += 1
            self.source.append(f"{activity} <{VP.wasConfiguredBy}> {self.shared.parameter(str(key), value)} .")

    def time(self, subject: str, predicate: str, recorded: str, text: str) -> int | None:
        """Write a time in UTC; where xsd:dateTime would lose digits (or the text is no time), keep the text too."""
        if not text:
            return None
        try:
            shown, at = self.clock.read(text)
        except (ValueError, OverflowError):
            self.remarks[UNREADABLE_TIME] += 1
            self.source.append(f"{subject} <{recorded}> {literal(text)} .")
            return None
        self.source.append(f'{subject} <{predicate}> "{shown}"^^<{XSD}dateTime> .')
        if shown[-2] == "0" and "." in shown:
            self.source.append(f"{subject} <{recorded}> {literal(shown)} .")
        return at

    def properties(self, subject: str, properties: Properties, extra: dict[str, object]) -> None:
        """Write properties, and the keys without a term as JSON."""
        for predicate, value in properties:
            self.source.append(f"{subject} {self.names.iri(predicate)} {self.names.value(value)} .")
        if extra:
            self.source.append(self.extra(subject, extra))

    def extra(self, subject: str, extra: dict[str, object]) -> str:
        """Keep what has no term: nothing a record says is lost."""
        self.remarks[EXTRA] += 1
        return f"{subject} <{PKG.extra}> {literal(canonical(extra))} ."


def map_records(records: Iterable[Record], config: Config, known: set[str]) -> Mapping:
    """Map the records of one source.

    Args:
        records: the records of a reader.
        config: base of the IRIs and zone of naive times.
        known: what is shared and already written; kept by the caller from source to source.
    """
    mapping = Mapping(config, known)
    add = mapping.add
    for record in records:
        add(record)
    mapping.finish()
    return mapping
