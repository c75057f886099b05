"""What is known of one product, and what a store holds, as facts to read."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from provkg import ledger
from provkg.lineage import Candidate
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PREFIXES, PROV, RDFS_LABEL, RESOLUTION, VP, short

_PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())
_STATUS = {
    "activities": "?x a prov:Activity",
    "usages": "?x a prov:Usage",
    "generations": "?x a prov:Generation",
    "sessions": "?x a pkg:Session",
    "files": "?x a pkg:File",
    "ended": "?x a prov:Activity ; prov:endedAtTime ?end",
    "quarantined": "?x a pkg:Quarantined",
}


@dataclass(frozen=True)
class Card:
    """What is known of one entity, as (section, fact, value) in the order to read it."""

    entity: str
    facts: tuple[tuple[str, str, str], ...]


def _count(graph: Graph, pattern: str) -> int:
    query = f"{_PREFIXES}SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE {{ {pattern} }}"
    return int(text_of(next(iter(graph.select(query)))["n"]))


def status_of(graph: Graph, name: str) -> dict[str, Any]:
    """Return what a store holds: counts, sources, evidence, what was assumed and what was quarantined."""
    evidence: Counter[str] = Counter()
    for quad in graph.quads(None, PKG.evidence, None, graph.iri(RESOLUTION)):
        evidence[short(getattr(quad.object, "value", ""))] += 1
    remarks: Counter[str] = Counter()
    for row in graph.select(f"{_PREFIXES}SELECT ?about ?count WHERE {{ ?remark pkg:about ?about ; pkg:count ?count }}"):
        remarks[text_of(row["about"])] += int(text_of(row["count"]))
    counts = {name: _count(graph, pattern) for name, pattern in _STATUS.items()}
    return {
        "store": name,
        "base": graph.base,
        "sources": len(ledger.documents(graph)),
        **counts,
        "evidence": dict(sorted(evidence.items())),
        "remarks": dict(sorted(remarks.items())),
    }


def card_of(graph: Graph, candidate: Candidate) -> Card:
    """Return the card of one entity."""
    entity = candidate.iri
    facts: list[tuple[str, str, str]] = [("", "location", candidate.location), ("", "entity", entity)]
    places = graph.objects(entity, PROV.specializationOf)
    for thing in (entity, *places):
        for description in graph.objects(thing, VP.entityDescription):
            facts += [("", "kind", name) for name in graph.objects(description, VP.name)]
            facts += [("", "content type", name) for name in graph.objects(description, VP.contentType)]
            facts += [("", "level", short(level)) for level in graph.objects(description, PKG.dataLevel)]
        facts += [("", "level", short(level)) for level in graph.objects(thing, PKG.dataLevel)]
        facts += [("", "path digest", value) for value in graph.objects(thing, PKG.pathDigest)]
        for digest in graph.objects(thing, PKG.contentDigest):
            facts.append(
                (
                    "",
                    "content digest",
                    " ".join(graph.objects(digest, PKG.digestAlgorithm) + graph.objects(digest, PKG.digestValue)),
                )
            )
    facts += [("", "product id", value) for value in graph.objects(entity, PKG.productId)]
    for taint in graph.objects(entity, PROV.wasInvalidatedBy):
        facts += [("", "tainted", reason) for reason in graph.objects(taint, RDFS_LABEL) or [taint]]
    siblings = {version for place in places for version in graph.subjects(PROV.specializationOf, place)} - {entity}
    if siblings:
        facts.append(("", "other versions at this path", str(len(siblings))))
    activities = graph.objects(entity, PROV.wasGeneratedBy)
    for activity in activities:
        facts += _activity_facts(graph, activity)
    if not activities:
        facts.append(("made by", "activity", "nothing recorded making it"))
    used_by = Counter(
        label
        for node in graph.subjects(PKG.usedVersion, entity)
        for activity in graph.subjects(PROV.qualifiedUsage, node)
        for label in graph.objects(activity, RDFS_LABEL) or ["?"]
    )
    facts += [("used by", name, str(count)) for name, count in sorted(used_by.items())]
    return Card(entity, tuple(dict.fromkeys(facts)))


def _activity_facts(graph: Graph, activity: str) -> list[tuple[str, str, str]]:
    def say(fact: str, *predicates: str) -> list[tuple[str, str, str]]:
        found = next((values for predicate in predicates if (values := graph.objects(activity, predicate))), [])
        return [("made by", fact, value) for value in found]

    facts = (
        say("activity", RDFS_LABEL)
        + say("started", PKG.recordedStart, PROV.startedAtTime)
        + say("ended", PKG.recordedEnd, PROV.endedAtTime)
    )
    facts += [(section, fact, short(value)) for section, fact, value in say("status", PKG.status)]
    facts += say("exit code", PKG.exitCode)
    process = [activity, *graph.objects(activity, PKG.inSession)]
    for subject in process:
        for agent in graph.objects(subject, PROV.wasAssociatedWith):
            facts += [("made by", "agent", label) for label in graph.objects(agent, RDFS_LABEL)]
        for environment in graph.objects(subject, PKG.environment):
            facts += [("made by", "host", host) for host in graph.objects(environment, PKG.host)]
        facts += [("made by", "run", run) for run in graph.objects(subject, PKG.run)]
        facts += [("made by", "night", night) for night in graph.objects(subject, PKG.observationDate)]
    facts.append(("made by", "inputs", str(len(graph.objects(activity, PROV.qualifiedUsage)))))
    for quad in graph.quads(activity, PKG.line):
        source = getattr(quad.graph_name, "value", "")
        facts += [
            ("recorded in", path, f"line {getattr(quad.object, 'value', '')}")
            for path in graph.objects(source, PKG.sourcePath)
        ]
    return facts
