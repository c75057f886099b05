"""The steps of a roll-up as an abstract workflow in CWL 1.2: which types of step read what the others make.

Its steps are Operations, which say what is done and not how. What a type reads of its own kind, or of one that comes
after it, is an input of the workflow, since a workflow has no cycles. Source:
https://www.commonwl.org/v1.2/Workflow.html#Operation
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from provkg.identity import printable
from provkg.rollup import ACTIVITY, Rollup

UNNAMED = "unnamed"


@dataclass(frozen=True)
class Tool:
    """A type of step: the roles in which it reads and makes files, and the names of its parameters."""

    name: str
    reads: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass
class Workflow:
    """The types of step in order, and which input of each is which output of another."""

    tools: list[Tool]
    sources: dict[tuple[str, str], set[tuple[str, str]]] = field(default_factory=dict)

    def cwl(self) -> str:
        """Return it as an abstract workflow."""
        inputs: dict[str, str] = {}
        steps = {}
        for tool in self.tools:
            given = {}
            for role in tool.reads:
                known = sorted(self.sources.get((tool.name, role), ()))
                own = f"{_id(tool.name)}_{_id(role)}"
                given[_id(role)] = [f"{_id(name)}/{_id(made)}" for name, made in known] or own
                if not known:
                    inputs[own] = "File[]"
            steps[_id(tool.name)] = {
                "label": printable(tool.name),
                "run": {
                    "class": "Operation",
                    "inputs": {_id(role): "File[]" for role in tool.reads},
                    "outputs": {_id(role): "File[]" for role in tool.makes},
                },
                "in": {
                    name: {"source": source, "linkMerge": "merge_flattened"} if isinstance(source, list) else source
                    for name, source in given.items()
                },
                "out": [_id(role) for role in tool.makes],
            }
        told = {"cwlVersion": "v1.2", "class": "Workflow", "requirements": {"MultipleInputFeatureRequirement": {}}}
        return json.dumps(told | {"inputs": inputs, "outputs": {}, "steps": steps}, indent=1) + "\n"


def workflow(rollup: Rollup) -> Workflow:
    """Return the abstract workflow of a roll-up: types of step in the order of their first start."""
    steps = {fold.iri: fold.type or UNNAMED for fold in rollup.folds.values() if fold.kind == ACTIVITY}
    starts: dict[str, str] = {}
    parameters: dict[str, set[str]] = defaultdict(set)
    for iri, name in steps.items():
        starts[name] = min(filter(None, (starts.get(name, ""), rollup.folds[iri].start)), default="")
        parameters[name] |= {*rollup.folds[iri].parameters, *rollup.folds[iri].differing}
    reads: dict[str, set[str]] = defaultdict(set)
    makes: dict[str, set[str]] = defaultdict(set)
    made_by: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for each in rollup.relations:
        if each.kind == "wasGeneratedBy" and each.object in steps:
            makes[steps[each.object]].add(each.role or UNNAMED)
            made_by[each.subject].add((steps[each.object], each.role or UNNAMED))
    order = sorted(starts, key=lambda name: (starts[name], name))
    before = {name: set(order[:at]) for at, name in enumerate(order)}
    sources: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for each in rollup.relations:
        if each.kind == "used" and each.subject in steps:
            name, role = steps[each.subject], each.role or UNNAMED
            reads[name].add(role)
            sources[name, role] |= {made for made in made_by[each.object] if made[0] in before[name]}
    return Workflow(
        [Tool(name, *map(_sorted, (reads[name], makes[name], parameters[name]))) for name in order], sources
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _id(text: str) -> str:
    """Return a text as an identifier of CWL.

    >>> _id("DL1 subrun dataset")
    'DL1_subrun_dataset'
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or UNNAMED
