"""Read the statements of one bundle from its triples: relations with their ids and parts, times and types.

Each row of the table is one relation of PROV: https://www.w3.org/TR/prov-o/#qualified-terms-table
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pyoxigraph import BlankNode, Literal, Quad, Triple

from provkg.vocab import PKG, PROV, RDF_TYPE

# kind: direct properties, qualifying properties, property to the other end
RELATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "usage": ((PROV.used,), (PROV.qualifiedUsage,), PROV.entity),
    "generation": ((PROV.wasGeneratedBy,), (PROV.qualifiedGeneration,), PROV.activity),
    "invalidation": ((PROV.wasInvalidatedBy,), (PROV.qualifiedInvalidation,), PROV.activity),
    "start": ((PROV.wasStartedBy,), (PROV.qualifiedStart,), PROV.entity),
    "end": ((PROV.wasEndedBy,), (PROV.qualifiedEnd,), PROV.entity),
    "communication": ((PROV.wasInformedBy,), (PROV.qualifiedCommunication,), PROV.activity),
    "association": ((PROV.wasAssociatedWith,), (PROV.qualifiedAssociation,), PROV.agent),
    "attribution": ((PROV.wasAttributedTo,), (PROV.qualifiedAttribution,), PROV.agent),
    "delegation": ((PROV.actedOnBehalfOf,), (PROV.qualifiedDelegation,), PROV.agent),
    "derivation": (
        (PROV.wasDerivedFrom, PROV.wasRevisionOf, PROV.wasQuotedFrom, PROV.hadPrimarySource),
        (PROV.qualifiedDerivation, PROV.qualifiedRevision, PROV.qualifiedQuotation, PROV.qualifiedPrimarySource),
        PROV.entity,
    ),
    "specialization": ((PROV.specializationOf,), (), ""),
    "alternate": ((PROV.alternateOf,), (), ""),
    "membership": ((PROV.hadMember,), (), ""),
}
_INVERSE = {PROV.generated: PROV.wasGeneratedBy, PROV.invalidated: PROV.wasInvalidatedBy}
_TIMES = (PROV.startedAtTime, PROV.endedAtTime, PROV.generatedAtTime, PROV.invalidatedAtTime)
_PARTS = (PROV.atTime, PROV.hadActivity, PROV.hadUsage, PROV.hadGeneration, PROV.hadPlan, PKG.usedVersion)
_READ = frozenset(
    (
        *(term for direct, qualified, other in RELATIONS.values() for term in (*direct, *qualified, other)),
        *_INVERSE,
        *_TIMES,
        *_PARTS,
        PKG.ofVersion,
        RDF_TYPE,
    )
)
RELATION_CLASSES = (
    *(kind.capitalize() for kind, (_, qualified, _) in RELATIONS.items() if qualified),
    *("Revision", "Quotation", "PrimarySource", "Influence"),
)
ENTITY = frozenset((PROV.Entity, PROV.Plan, PROV.Collection, PROV.EmptyCollection, PROV.Bundle))
ACTIVITY = frozenset((PROV.Activity, PKG.Session))
AGENT = frozenset((PROV.Agent, PROV.Person, PROV.Organization, PROV.SoftwareAgent))
QUALIFIED = frozenset(term for _, qualified, _ in RELATIONS.values() for term in qualified)
# What to look up in a store for a bundle: predicate, and object or None
PATTERNS: tuple[tuple[str, str | None], ...] = (
    *((predicate, None) for predicate in sorted(_READ - {RDF_TYPE, "", PKG.usedVersion, PKG.ofVersion})),
    *((RDF_TYPE, kind) for kind in sorted(ENTITY | ACTIVITY | AGENT)),
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One relation; a part that is not given is the empty string. ``id`` is empty where it is a variable.

    ``node`` is what a finding is about: the qualified relation, or its subject.
    """

    kind: str
    id: str
    node: str
    subject: str
    object: str
    time: str = ""
    activity: str = ""
    usage: str = ""
    generation: str = ""
    plan: str = ""


@dataclass
class Bundle:
    """The statements of a bundle, its times by property and node, and its types by node."""

    statements: list[Statement] = field(default_factory=list)
    times: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {predicate: {} for predicate in _TIMES})
    types: dict[str, set[str]] = field(default_factory=dict)

    def of(self, kind: str) -> list[Statement]:
        """Return the statements of a kind."""
        return [each for each in self.statements if each.kind == kind]

    def take(self, other: "Bundle") -> None:
        """Take in what another bundle says."""
        self.statements += other.statements
        for predicate, nodes in other.times.items():
            mine = self.times.setdefault(predicate, {})
            for node, texts in nodes.items():
                mine.setdefault(node, []).extend(texts)
        for node, types in other.types.items():
            self.types.setdefault(node, set()).update(types)


def read(quads: Iterable[Quad | Triple], is_variable: Callable[[str], bool]) -> Bundle:
    """Read a bundle.

    Args:
        quads: the triples of the bundle, with what version resolution says of its usages and derivations: what is
            resolved takes the place of what is asserted of a path.
        is_variable: says whether the name of a node stands for an id that nobody gave.
    """
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    parts: dict[str, dict[str, str]] = defaultdict(dict)
    bundle = Bundle()
    for quad in quads:
        predicate = quad.predicate.value
        if predicate not in _READ:
            continue
        subject, value = _name(quad.subject), _name(quad.object)
        if predicate == RDF_TYPE:
            bundle.types.setdefault(subject, set()).add(value)
        elif predicate in _TIMES:
            bundle.times[predicate].setdefault(subject, []).append(value)
        elif isinstance(quad.object, Literal) and predicate != PROV.atTime:
            continue  # a text is never the end of a relation
        elif predicate in _INVERSE:
            pairs[_INVERSE[predicate]].append((value, subject))
        else:
            pairs[predicate].append((subject, value))
            parts[subject][predicate] = min(value, parts[subject].get(predicate, value))
    for kind, (direct, qualified, other) in RELATIONS.items():
        covered = set()
        for subject, node in (pair for term in qualified for pair in pairs.get(term, ())):
            statement = _qualified(kind, subject, node, parts.get(node, {}), other, is_variable)
            covered |= {(subject, parts.get(node, {}).get(other, "")), (statement.subject, statement.object)}
            bundle.statements.append(statement)
        bundle.statements += [
            Statement(kind, "", subject, subject, value)
            for subject, value in dict.fromkeys(pair for term in direct for pair in pairs.get(term, ()))
            if (subject, value) not in covered
        ]
    return bundle


def _qualified(
    kind: str, subject: str, node: str, parts: dict[str, str], other: str, is_variable: Callable[[str], bool]
) -> Statement:
    return Statement(
        kind,
        "" if is_variable(node) else node,
        node,
        parts.get(PKG.ofVersion, subject),
        parts.get(PKG.usedVersion) or parts.get(other, ""),
        parts.get(PROV.atTime, ""),
        parts.get(PROV.hadActivity, ""),
        parts.get(PROV.hadUsage, ""),
        parts.get(PROV.hadGeneration, ""),
        parts.get(PROV.hadPlan, ""),
    )


def _name(term: object) -> str:
    value = str(getattr(term, "value", term))
    return f"_:{value}" if isinstance(term, BlankNode) else value


def moment(text: str) -> datetime | None:
    """Return a time that can be compared, or None: text that is no time says nothing."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
