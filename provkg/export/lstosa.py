"""The products of lstosa's provprocess for one run: a log of records, PROV-JSON and a picture for each part of it.

Their form is that of provprocess (lstosa 0.10): one ``repr`` of a record a line, and PROV-JSON with the prefixes ``id``
and ``param``. What differs, and why, is in docs/pictures.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pyoxigraph import Literal

from provkg import identity
from provkg.histories.facts import Facts, described, first
from provkg.rollup import ACTIVITY, ENTITY, Fold, FoldedRelation, Rollup, Rules
from provkg.store import Graph
from provkg.vocab import PKG, PROV, RDFS_LABEL, VP, short

_FOLDED_KEYS = ("ObservationSubRun",)  # a run has no value of these
_PREFIX = "md5:"
_READ: dict[str, Callable[[str], Any]] = {"boolean": lambda text: text == "true", "integer": int, "double": float}
Record = dict[str, Any]


def records(rollup: Rollup, graph: Graph, rules: Rules, run: str) -> list[Record]:
    """Return what provprocess would write of a run, a record each.

    Args:
        rollup: the run, folded by run.
        graph: the store, for what a view leaves out.
        rules: how many files of one type are called together.
        run: the run number, as the session of the run has it.
    """
    return [*_Run(rollup, graph, rules, run).records()]


@dataclass(frozen=True)
class _Run:
    """A run that is folded, and what else the graph says of its members."""

    rollup: Rollup
    graph: Graph
    rules: Rules
    run: str
    ids: dict[str, str] = field(default_factory=dict)

    @cached_property
    def activities(self) -> dict[str, Facts]:
        """What the graph says of the first member of each fold of activities."""
        return described(self.graph, [fold.members[0].iri for fold in self.steps])

    @cached_property
    def steps(self) -> list[Fold]:
        """The folds of activities, in the order of their first start."""
        return [fold for fold in self.rollup.folds.values() if fold.kind == ACTIVITY]

    @cached_property
    def things(self) -> dict[str, Facts]:
        """What the graph says of places, and of what describes these."""
        versions = [fold.members[0].iri for fold in self.rollup.folds.values() if fold.kind == ENTITY]
        found = described(self.graph, versions)
        places = {place for facts in found.values() for place in facts.get(PROV.specializationOf, ())}
        found |= described(self.graph, places)
        return found | described(self.graph, {d for iri in found for d in found[iri].get(VP.entityDescription, ())})

    def records(self) -> Iterator[Record]:
        """Give the session, then each step with what it read and made."""
        yield from self.session()
        told: set[str] = set()
        for fold in self.steps:
            yield from self.step(fold, told)

    def session(self) -> Iterator[Record]:
        """Give the session of the run; the first, where it had several."""
        own = [fold for fold in self.steps if self.run in fold.keys.get("run", ())] or self.steps
        sessions = sorted({member.session for fold in own for member in fold.members if member.session})
        found = described(self.graph, sessions)
        if not found:
            return
        facts = min(found.values(), key=lambda each: first(each, PROV.startedAtTime))
        around = described(
            self.graph,
            [
                *facts.get(VP.wasConfiguredBy, ()),
                *facts.get(PROV.wasAssociatedWith, ()),
                *facts.get(PKG.environment, ()),
            ],
        )
        night = first(facts, PKG.observationDate)
        record: Record = {
            "session_id": f"{night}{self.run}",
            "name": self.run,
            "startTime": first(facts, PROV.startedAtTime),
        }
        environment = first(around.get(first(facts, PKG.environment), {}), PKG.json)
        if environment:
            arguments = first(facts, PKG.arguments)
            record["system"] = json.loads(environment) | ({"arguments": json.loads(arguments)} if arguments else {})
        record["software_version"] = next(
            (first(each, PKG.packageVersion) for each in around.values() if PKG.packageVersion in each), ""
        )
        record |= {"observation_date": night, "observation_run": self.run}
        record["config_file"] = next(
            (first(each, PKG.location) for each in around.values() if PKG.location in each), ""
        )
        digest = first(facts, PKG.configurationFileDigest).removeprefix("path:")
        if digest:
            record["config_file_hash_type"], _, record["config_file_hash"] = digest.partition(":")
        yield {name: value for name, value in record.items() if value}

    def step(self, fold: Fold, told: set[str]) -> Iterator[Record]:
        """Give the records of one step of the run."""
        facts = self.activities[fold.members[0].iri]
        activity, tag = self.activity_id(fold), first(facts, PKG.sessionTag)
        tagged = {"session_tag": tag} if tag else {}
        agents = described(self.graph, facts.get(PROV.wasAssociatedWith, ()))
        night = next(iter(fold.keys.get("night", ())), "")
        record = {
            "activity_id": activity,
            "name": fold.type,
            "startTime": fold.start,
            "in_session": f"{night}{self.run}",
            "agent_name": next(
                (first(each, RDFS_LABEL) for each in agents.values() if PKG.packageName not in each), ""
            ),
            "script": first(facts, PKG.script),
            "calls": fold.count,
        }
        yield {name: value for name, value in record.items() if value} | tagged
        yield from self.parameters(fold, activity, tagged)
        for relation in self.rollup.relations:
            if relation.kind == "used" and relation.subject == fold.iri:
                yield from self.end(relation, relation.object, activity, "used", told, tagged)
        for relation in self.rollup.relations:
            if relation.kind == "wasGeneratedBy" and relation.object == fold.iri:
                yield from self.end(relation, relation.subject, activity, "generated", told, tagged)
        for relation in self.rollup.relations:
            if relation.kind == "wasDerivedFrom" and self.makes(fold, relation.object):
                ends = self.entity_id(relation.subject), self.entity_id(relation.object)
                yield {"entity_id": ends[0], "progenitor_id": ends[1], **tagged}
        if fold.end:
            yield {"activity_id": activity, "endTime": fold.end, **tagged}

    def makes(self, fold: Fold, entity: str) -> bool:
        """Say whether a step made an entity."""
        return any(
            each.kind == "wasGeneratedBy" and each.object == fold.iri for each in self.rollup.by_subject.get(entity, ())
        )

    def parameters(self, fold: Fold, activity: str, tagged: Record) -> Iterator[Record]:
        """Give the parameters in which all calls agree, and how many values the others had."""
        typed = self.typed(fold)
        agreed = {name: typed.get(name, value) for name, value in fold.parameters.items() if name not in _FOLDED_KEYS}
        differing = {name: count for name, count in fold.differing.items() if name not in _FOLDED_KEYS}
        if agreed or differing:
            more = {"differing_parameters": differing} if differing else {}
            yield {"activity_id": activity, "parameters": agreed, **more, **tagged}

    def typed(self, fold: Fold) -> dict[str, Any]:
        """Return the parameters of the first call with their types."""
        found: dict[str, Any] = {}
        parameters = self.activities[fold.members[0].iri].get(VP.wasConfiguredBy, ())
        for parameter, facts in described(self.graph, parameters).items():
            for quad in self.graph.quads(parameter, PKG.typedValue):
                if isinstance(quad.object, Literal):
                    read = _READ.get(short(quad.object.datatype.value), str)
                    found[first(facts, VP.name)] = read(quad.object.value)
        return found

    def end(
        self, relation: FoldedRelation, entity: str, activity: str, verb: str, told: set[str], tagged: Record
    ) -> Iterator[Record]:
        """Give an entity, where it was not given before, and who used or generated it."""
        fold = self.rollup.folds[entity]
        if entity not in told:
            told.add(entity)
            yield self.collection(fold) if self.is_collection(fold) else self.file(fold) | tagged
        role = self.rules.roles.get(relation.role, relation.role) if self.is_collection(fold) else relation.role
        yield {"activity_id": activity, f"{verb}_id": self.entity_id(entity), f"{verb}_role": role, **tagged}

    def is_collection(self, fold: Fold) -> bool:
        """Say whether it stands for many files: of a type that comes by sub-run, or of several places."""
        return fold.type in self.rules.collections or len({member.label for member in fold.members}) > 1

    def collection(self, fold: Fold) -> Record:
        """Return many files together."""
        folders = {member.label.rpartition("/")[0] + "/" for member in fold.members if "/" in member.label}
        record = {
            "entity_id": self.entity_id(fold.iri),
            "name": self.rules.collections.get(fold.type, fold.type),
            "type": "SetCollection",
            "size": fold.count,
        }
        return record | ({"filepath": folders.pop()} if len(folders) == 1 else {})

    def file(self, fold: Fold) -> Record:
        """Return one file, however often it was written."""
        facts = self.things.get(fold.members[0].iri, {})
        place = self.things.get(first(facts, PROV.specializationOf), {})
        description = self.things.get(first(place, VP.entityDescription) or first(facts, VP.entityDescription), {})
        digest = first(place, PKG.pathDigest)
        record = {
            "entity_id": self.entity_id(fold.iri),
            "name": fold.type,
            "filepath": fold.label,
            "hash": digest.removeprefix(_PREFIX),
            "hash_type": digest.partition(":")[0],
            "type": "File",
            "contentType": first(description, VP.contentType),
            "versions": fold.count if fold.count > 1 else 0,
        }
        return {name: value for name, value in record.items() if value}

    # Names: the same each time, and no name for two things

    def activity_id(self, fold: Fold) -> str:
        """Return the id of a step of the run."""
        return self.ids.setdefault(fold.iri, identity.digest(fold.iri)[:12])

    def entity_id(self, iri: str) -> str:
        """Return the id of a file, which is the digest of its path as far as that means one version, or of many."""
        if iri not in self.ids:
            fold = self.rollup.folds[iri]
            facts = self.things.get(fold.members[0].iri, {})
            digest = first(self.things.get(first(facts, PROV.specializationOf), {}), PKG.pathDigest)
            wanted = digest.removeprefix(_PREFIX) if digest.startswith(_PREFIX) and not self.is_collection(fold) else ""
            taken = wanted in self.ids.values()
            self.ids[iri] = wanted if wanted and not taken else identity.digest(iri)
        return self.ids[iri]
