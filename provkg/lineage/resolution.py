"""Version resolution: which version of a place did a usage read?

A path is not a version. In order of evidence:

* ``byContent``: the same content digest;
* ``byIdentity``: the same CTA product id;
* ``byTime``: the last generation at that place that had ended when the using activity started;
* ``assumed``: no generation could be it, so what lay there before anything was recorded.

What was asserted stays in its source's graph; what is resolved stands in a graph of its own and is redone for the
places an ingest touches, so the order of ingests never changes the answer. Where the time of a usage is unknown and
generations exist, nothing is resolved: a wrong edge is worse than a missing one.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pyoxigraph import Quad

from provkg import identity
from provkg.edges import Generation, Link, Usage
from provkg.lineage.batch import Batch
from provkg.lineage.facts import Facts, earliest, latest
from provkg.lineage.index.delta import GENERATED, KIND, Delta
from provkg.lineage.summaries import Call, took
from provkg.lineage.telling import FINAL, Telling
from provkg.lineage.versions import BY_IDENTITY, Versions, statement
from provkg.records import Kind
from provkg.store import Graph, Writing
from provkg.vocab import PKG, PROV, RDF_TYPE, RESOLUTION, short

UNRESOLVED = PKG.unresolved


@dataclass
class Resolved:
    """What resolution found.

    ``evidence`` says how many usages were resolved by what, ``delta`` what changes in the lineage index; ``calls`` are
    the activities of which the batch knows all that is counted.
    """

    evidence: Counter[str]
    delta: Delta
    calls: dict[str, Call]


def resolve(writing: Writing, batch: Batch, known: Callable[[set[str]], set[str]]) -> Resolved:
    """Resolve what a batch says, after its quads were loaded.

    Args:
        writing: the open transaction.
        batch: what was read since the last call.
        known: returns those of some names that batches before may have spoken of; of the others this one knows all.
    """
    return _Resolution(writing, batch, known).run()


class _Resolution:
    def __init__(self, writing: Writing, batch: Batch, known: Callable[[set[str]], set[str]]) -> None:
        self.writing, self.batch = writing, batch
        self.base = writing.base
        self.facts = Facts(writing.graph)
        self.counts: Counter[str] = Counter()
        self.lines: list[str] = []
        self.released: set[str] = set()
        self.times: dict[str, tuple[int | None, int | None]] = {}
        self.usages: dict[str, dict[tuple[str, str], Usage]] = defaultdict(dict)  # by activity, node and what was used
        self.outputs: dict[str, dict[str, Generation]] = defaultdict(dict)
        self.links: dict[str, Link] = {}
        self.read: dict[str, list[tuple[str, str]]] = {}
        headers = {self.product(each) for edges in batch.edges.values() for each in edges.generations if each.product}
        self.delta = Delta(known=batch.names(self.base) | headers)
        self.before = known(self.delta.known)
        self.telling = Telling(writing.graph, batch.edges.values(), self.before)
        self.versions = Versions(self.base, self.facts, self.delta.known, self.before | self.telling.asked, self.lines)

    def run(self) -> Resolved:
        self.take_batch()
        self.widen()
        generations = (each for outputs in self.outputs.values() for each in outputs.values())
        self.versions.know(generations, self.times, self.batch.edges.values())
        for activity, usages in self.usages.items():
            self.activity(activity, usages.values())
        for activity in self.outputs.keys() - self.usages.keys():
            self.activity(activity, ())
        for link in self.links.values():
            self.link(link)
        for activity in self.times:
            self.status(activity)
        self.rewritten()
        self.writing.load_lines(self.lines)
        self.sweep()
        self.telling.tell(self.delta, self.batch.places, self.versions.places)
        calls = {activity: self.call(activity) for activity in self.times if self.telling.knows(activity)}
        return Resolved(self.counts, self.delta, calls)

    def call(self, activity: str) -> Call:
        """Return what is counted of an activity."""
        start, end = self.times[activity]
        return Call(
            self.telling.all.made[activity].label,
            self.telling.all.nights.get(self.telling.all.sessions.get(activity, ""), ""),
            end is not None,
            took(start, end),
            tuple(self.level(output) for output in self.outputs.get(activity, ())),
            tuple((KIND[short(evidence)], self.level(version)) for version, evidence in self.read.get(activity, ())),
        )

    def level(self, entity: str) -> str:
        """Return the level of a product."""
        told = self.delta.products.get(entity)
        return (told or self.telling.product(entity, self.versions.places.get(entity, ""))).level

    def product(self, generation: Generation) -> str:
        """Return the entity that a header names."""
        return self.base + identity.product(generation.product)

    # What there is to resolve

    def take_batch(self) -> None:
        for edges in self.batch.edges.values():
            for activity, (start, end) in edges.times.items():
                known = self.times.get(activity, (None, None))
                self.times[activity] = (earliest(start, known[0]), latest(end, known[1]))
            for usage in edges.usages:
                self.usages[usage.activity][usage.node, usage.used] = usage
            for generation in edges.generations:
                self.outputs[generation.activity][generation.version] = generation
            for link in edges.links:
                self.links[link.node] = link

    def widen(self) -> None:
        """Take in what the store already held: activities and links that the batch changes the answer for."""
        facts, before = self.facts, self.before
        # what an activity wrote before may now have been written at another time
        retimed = (self.times.keys() & before) | self.batch.activities
        generations = [each for outputs in self.outputs.values() for each in outputs.values()]
        generations += [each for activity in retimed for each in facts.generations(activity)]
        affected, links = self.speakers(self.places(generations, retimed))
        links |= self.batch.links | {node for each in retimed for node in facts.graph.subjects(PKG.recordedBy, each)}
        affected |= self.batch.activities | self.users(generations, retimed)
        spoken_of = (self.times.keys() | self.usages.keys() | self.outputs.keys()) & before
        known_before = {activity for activity in spoken_of if len(facts.tellers(activity)) > 1}
        known_before |= self.batch.again | self.sharing()
        self.batch.activities |= affected | known_before
        for activity in (affected - self.times.keys()) | known_before:
            if facts.is_activity(activity):
                self.times[activity] = facts.times(activity)
            if facts.tellers(activity):
                self.usages[activity] = {(usage.node, usage.used): usage for usage in facts.usages(activity)}
                self.outputs[activity] = {each.version: each for each in facts.generations(activity)}
            self.forget_activity(activity)
        self.delta.killed |= self.batch.activities | self.widen_links(links | (self.links.keys() & before))

    def sharing(self) -> set[str]:
        """Return the activities whose usages have an id that other records gave to a usage of something else."""
        ends: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        for edges in self.batch.edges.values():
            for usage in edges.foreign(self.base):
                ends[usage.node].add((usage.activity, usage.used))
        shared = [node for node, pairs in ends.items() if len(pairs) > 1 or node in self.before]
        return {each for node in shared for each in self.facts.graph.subjects(PROV.qualifiedUsage, node)}

    def places(self, generations: Iterable[Generation], retimed: set[str]) -> set[str]:
        """Return the places known before, at which something was written, was written at another time, or is gone."""
        before, found = self.before, set(self.batch.places)
        for each in generations:
            found |= {each.place} if each.place in before or each.activity in retimed else set()
            found |= set(self.facts.places_of(each.version)) if each.version in before else set()
        for edges in self.batch.edges.values():
            found |= before.intersection(edges.places.values())
        return found

    def speakers(self, places: Iterable[str]) -> tuple[set[str], set[str]]:
        """Return the activities and the links that speak of some places."""
        activities, links = set(), set()
        for node in (node for place in places for node in self.facts.nodes_of(place)):
            activity = self.facts.activity_of(node)
            if activity:
                activities.add(activity)
            else:
                links.add(node)
        return activities, links

    def users(self, generations: Iterable[Generation], retimed: set[str]) -> set[str]:
        """Return the activities that used what some generations wrote, by digest or product id."""
        found: set[str] = set()
        for each in generations:
            again = each.activity in retimed
            if each.digest and (again or each.digest in self.before):
                found |= self.facts.users_of_digest(each.digest)
            if each.product and (again or self.product(each) in self.before):
                found |= self.facts.users_of(self.product(each))
        return found

    def widen_links(self, links: set[str]) -> set[str]:
        """Take in links that the batch changes the answer for, and those that share an edge with them; return all."""
        for node in set(links):
            for version in self.facts.graph.objects(node, PKG.ofVersion):
                links |= set(self.facts.graph.subjects(PKG.ofVersion, version))
        for node in links - self.links.keys():
            link = self.facts.link(node)
            if link is not None:
                self.links[node] = link
        for node in links:
            self.forget_link(node)
        return links

    # Answers

    def activity(self, activity: str, usages: Iterable[Usage]) -> None:
        start = self.times.get(activity, (None, None))[0]
        read: dict[tuple[str, str], None] = {}
        for usage in usages:
            version, evidence = self.versions.version(
                usage.used, activity, usage.at if usage.at is not None else start, usage.digest
            )
            if version is None:
                evidence, version = UNRESOLVED, usage.used
                self.put(usage.node, PKG.usedSomeVersionOf, usage.used)
            else:
                self.put(usage.node, PKG.usedVersion, version)
            self.counts[evidence] += 1
            self.put(usage.node, PKG.evidence, evidence)
            self.put(activity, PROV.used, version)
            read[version, evidence] = None
        self.read[activity] = list(read)
        for output in self.outputs.get(activity, ()):
            for version in dict.fromkeys(version for version, evidence in read if evidence != UNRESOLVED):
                if version != output:
                    self.put(output, PKG.progenitor, version)
            edges = [(output, version, activity, KIND[short(evidence)]) for version, evidence in read]
            self.delta.edges += edges or [(output, output, activity, GENERATED)]

    def link(self, link: Link) -> None:
        """Resolve both ends of a derivation or membership, at the start of the activity it was recorded by."""
        at = link.at if link.at is not None else self.facts_start(link.activity)
        subject, _ = (
            self.versions.version(link.subject, link.activity, at, "")
            if self.versions.is_place(link.subject)
            else (link.subject, BY_IDENTITY)
        )
        other, evidence = self.member(link) or self.versions.version(link.object, link.activity, at, "")
        if subject is None or other is None:
            self.counts[UNRESOLVED] += 1
            return
        self.put(link.node, PKG.usedVersion, other)
        self.put(link.node, PKG.evidence, evidence)
        self.put(link.node, PKG.ofVersion, subject)
        kind = "derivation" if link.kind is Kind.DERIVED else "membership"
        if subject != other:
            self.delta.edges.append((subject, other, link.node, KIND[kind]))
            self.put(subject, PKG.drawnFrom, other)
            self.put(subject, PROV.wasDerivedFrom if link.kind is Kind.DERIVED else PROV.hadMember, other)

    def member(self, link: Link) -> tuple[str, str] | None:
        """Return the member that the activity of a membership wrote itself, if it did."""
        if link.kind is not Kind.MEMBER or not self.versions.is_place(link.object):
            return None
        own = [each.version for each in self.versions.written(link.object) if each.activity == link.activity]
        return (own[0], BY_IDENTITY) if own else None

    def facts_start(self, activity: str) -> int | None:
        if not activity:
            return None
        return self.times[activity][0] if activity in self.times else self.facts.times(activity)[0]

    def status(self, activity: str) -> None:
        """Say that an activity whose outcome nobody recorded is running (if it said so) or unknown."""
        outcome = self.telling.outcome(activity)
        if outcome not in FINAL:
            self.put(activity, PKG.status, PKG.running if outcome == "running" else PKG.unknown)
        if self.times[activity][1] is None:
            self.put(activity, RDF_TYPE, PKG.Unended)

    def rewritten(self) -> None:
        """Mark the places that were written more than once."""
        graph, places = self.base + RESOLUTION, set(self.batch.places)
        for edges in self.batch.edges.values():
            places |= {each.place for each in edges.generations} | set(edges.places.values())
        for place in places:
            if place in self.before:
                self.writing.remove(list(self.facts.graph.quads(place, RDF_TYPE, PKG.Rewritten, graph)))
            if len({each.version for each in self.versions.written(place)}) > 1:
                self.put(place, RDF_TYPE, PKG.Rewritten)

    def put(self, subject: str, predicate: str, object_: str) -> None:
        self.lines.append(statement(self.base, subject, predicate, object_))

    # What was said before

    def forget_activity(self, activity: str) -> None:
        """Take back what was resolved for an activity."""
        facts, graph = self.facts, self.base + RESOLUTION
        old = list(facts.graph.quads(activity, None, None, graph))
        for usage in {node for node, _ in self.usages.get(activity, ())}:
            old += facts.graph.quads(usage, None, None, graph)
            self.released |= set(facts.graph.objects(usage, PKG.usedVersion))
        for output in self.outputs.get(activity, ()):
            old += facts.graph.quads(output, PKG.progenitor, None, graph)
        self.writing.remove(old)

    def forget_link(self, node: str) -> None:
        """Take back what was resolved for a derivation or membership."""
        graph = self.facts.graph
        self.released |= {*graph.objects(node, PKG.usedVersion), *graph.objects(node, PKG.ofVersion)}
        self.writing.remove([*link_quads(graph, node), *graph.quads(node, None, None, self.base + RESOLUTION)])

    def sweep(self) -> None:
        """Remove first versions that no usage, derivation or membership means any more."""
        graph = self.facts.graph
        for version in self.released:
            meant = graph.subjects(PKG.usedVersion, version) or graph.subjects(PKG.ofVersion, version)
            if not meant and not graph.objects(version, PROV.wasGeneratedBy):
                self.writing.remove(list(graph.quads(version, None, None, self.base + RESOLUTION)))


def link_quads(graph: Graph, node: str) -> list[Quad]:
    """Return the edge that was resolved for a derivation or membership."""
    resolution = graph.iri(RESOLUTION)
    return [
        quad
        for subject in graph.objects(node, PKG.ofVersion)
        for other in graph.objects(node, PKG.usedVersion)
        for predicate in (PKG.drawnFrom, PROV.wasDerivedFrom, PROV.hadMember)
        for quad in graph.quads(subject, predicate, other, resolution)
    ]
