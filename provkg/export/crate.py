"""A roll-up as an RO-Crate: Provenance Run Crate 0.5, with the abstract workflow and the whole graph as files in it.

Files stay where they are: each is named by the IRI of its version, and says where it lies. Sources:
https://w3id.org/ro/wfrun/provenance/0.5, https://w3id.org/ro/crate/1.1
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from provkg.errors import InputError, MissingExtra
from provkg.export.crateworkflow import UNNAMED, Tool, Workflow, workflow
from provkg.identity import digest, part, printable
from provkg.rollup import ACTIVITY, AGENT, ENTITY, Fold, Rollup

_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_STATUS = {"completed": "CompletedActionStatus", "failed": "FailedActionStatus", "interrupted": "FailedActionStatus"}
_METADATA = "ro-crate-metadata.json"
UNSTATED = "No licence is stated"


@dataclass(frozen=True)
class About:
    """What is said of a crate as a whole."""

    name: str
    description: str
    licence: str = ""


def write_crate(rollup: Rollup, target: str | Path, about: About, provenance: Callable[[Path], object]) -> None:
    """Write a crate into a new or empty folder, or a .zip file.

    Args:
        rollup: which steps and files.
        target: the folder or file.
        about: what is said of the crate as a whole.
        provenance: writes the graph as TriG into a file.

    Raises:
        MissingExtra: rocrate is not installed.
        InputError: the folder holds something, or cannot be written.
    """
    crate_class = _rocrate()
    path = Path(target)
    if path.suffix != ".zip" and path.is_dir() and any(path.iterdir()):
        raise InputError(f"{path} is not empty", hint="name a new folder")
    with tempfile.TemporaryDirectory(prefix="provkg-crate-") as held:
        flow, graph = Path(held) / "workflow.cwl", Path(held) / "provenance.trig"
        found = workflow(rollup)
        flow.write_text(found.cwl(), "utf-8")
        provenance(graph)
        crate = crate_class(version="1.1")
        _Crate(crate, rollup, found).write(about, flow, graph)
        try:
            if path.suffix == ".zip":
                crate.write_zip(path)
            else:
                crate.write(path)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None


def _rocrate() -> Any:
    try:
        from rocrate.rocrate import ROCrate  # noqa: PLC0415 - slow and optional
    except ImportError:
        raise MissingExtra("rocrate is needed for RO-Crates", hint="pip install 'provkg[rocrate]'") from None
    return ROCrate


def _with_steps() -> Any:
    """Return the class of a workflow that names its steps."""
    from rocrate.model.computationalworkflow import ComputationalWorkflow  # noqa: PLC0415 - slow and optional

    return type("HowTo", (ComputationalWorkflow,), {"TYPES": [*ComputationalWorkflow.TYPES, "HowTo"]})


class _Crate:
    """Fill a crate."""

    def __init__(self, crate: Any, rollup: Rollup, flow: Workflow) -> None:
        self.crate, self.rollup, self.flow = crate, rollup, flow
        self.tools = {tool.name: tool for tool in flow.tools}
        self.steps = [fold for fold in rollup.folds.values() if fold.kind == ACTIVITY]

    def add(self, iri: str, kind: str | list[str], /, **properties: Any) -> dict[str, str]:
        """Add an entity that is no file, and return the reference to it."""
        from rocrate.model.contextentity import ContextEntity  # noqa: PLC0415 - slow and optional

        told = {key: _one(value) for key, value in properties.items() if value not in ("", [], None)}
        self.crate.add(ContextEntity(self.crate, iri, properties={"@type": kind, **told}))
        return {"@id": iri}

    def write(self, about: About, flow: Path, graph: Path) -> None:
        """Add everything."""
        crate = self.crate
        crate.name, crate.description = about.name, about.description
        crate.license = about.licence or UNSTATED
        crate.metadata.extra_contexts.append(_TERMS)
        profiles = [
            self.add(iri, "CreativeWork", name=name, version=iri.rpartition("/")[2]) for iri, name in _PROFILES.items()
        ]
        crate.root_dataset["conformsTo"] = profiles
        crate.add_file(graph, "provenance.trig", {"name": "The graph", "encodingFormat": "application/trig"})
        main = crate.add_workflow(flow, "workflow.cwl", main=True, cls=_with_steps())
        told = {"name": "Common Workflow Language", "version": "1.2", "url": {"@id": "https://www.commonwl.org/v1.2/"}}
        main["programmingLanguage"] = self.add("#cwl", "ComputerLanguage", alternateName="CWL", **told)
        main["name"] = f"Workflow of {about.name}"
        main["hasPart"] = [self.tool(tool) for tool in self.flow.tools]
        main["step"] = [self.howto(at, tool) for at, tool in enumerate(self.flow.tools, 1)]
        for fold in self.rollup.folds.values():
            if fold.kind == ENTITY:
                self.file(fold)
            elif fold.kind == AGENT:
                self.agent(fold)
        actions = [*self.actions()]
        crate.root_dataset["mentions"] = [self.whole(about), *actions]

    def tool(self, tool: Tool) -> dict[str, str]:
        """Add a type of step."""
        formal = {
            "input": [*(self.formal(tool, role, "File", "in") for role in tool.reads)]
            + [self.formal(tool, name, "Text", "parameter") for name in tool.parameters],
            "output": [self.formal(tool, role, "File", "out") for role in tool.makes],
        }
        return self.add(_tool_id(tool.name), "SoftwareApplication", name=printable(tool.name), **formal)

    def formal(self, tool: Tool, name: str, kind: str, slot: str) -> dict[str, str]:
        """Add what a type of step reads, makes or is configured by."""
        told = {"additionalType": kind, "name": printable(name), "conformsTo": {"@id": _PARAMETER}}
        return self.add(_formal_id(tool.name, slot, name), "FormalParameter", **told)

    def howto(self, at: int, tool: Tool) -> dict[str, str]:
        """Add the place of a type of step in the workflow."""
        name = f"#step/{part(tool.name)}"
        return self.add(name, "HowToStep", position=str(at), workExample={"@id": _tool_id(tool.name)})

    def file(self, fold: Fold) -> None:
        """Add a file, or a collection of files with its members."""
        if fold.count == 1:
            path = fold.label if fold.label.startswith("/") else ""
            told = {"name": fold.type or path.rpartition("/")[2] or fold.label or fold.iri}
            where = {"contentUrl": "file://" + quote(path, errors="surrogateescape")} if path else {}
            self.crate.add_file(fold.iri, properties={**{k: printable(v) for k, v in told.items()}, **where})
            return
        for member in fold.members:
            self.crate.add_file(member.iri, properties={"name": printable(member.label or member.iri)})
        members = [{"@id": member.iri} for member in fold.members]
        self.add(fold.iri, "Collection", name=printable(f"{fold.count} {fold.type or 'files'}"), hasPart=members)

    def agent(self, fold: Fold) -> None:
        """Add an agent."""
        kind = "SoftwareApplication" if fold.type == "software" else "Person"
        self.add(fold.iri, kind, name=printable(fold.label or fold.iri))

    def actions(self) -> list[dict[str, str]]:
        """Add each step as an action, with what controlled it."""
        ends: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for each in self.rollup.relations:
            if each.kind == "wasGeneratedBy":
                ends[each.object]["result"].append(each.subject)
            elif each.kind in ("used", "wasAssociatedWith"):
                ends[each.subject][each.kind].append(each.object)
        found: list[dict[str, str]] = []
        for fold in self.steps:
            tool, of = fold.type or UNNAMED, ends[fold.iri]
            name = f"{fold.count} times {tool}" if fold.count > 1 else tool
            objects: list[Any] = [{"@id": iri} for iri in sorted({*of["used"]})]
            objects += [self.value(tool, key, value) for key, value in fold.parameters.items()]
            agents = [{"@id": iri} for iri in sorted({*of["wasAssociatedWith"]})]
            told = {"object": objects, "result": [{"@id": iri} for iri in sorted({*of["result"]})], "agent": agents}
            action = self.action(
                fold.iri, [fold], {"name": printable(name), "instrument": {"@id": _tool_id(tool)}, **told}
            )
            found.append(action)
            step = {"@id": f"#step/{part(tool)}"}
            self.add(
                f"#control/{digest(fold.iri)}",
                "ControlAction",
                name=f"Run {printable(name)}",
                instrument=step,
                object=action,
            )
        return found

    def value(self, tool: str, name: str, value: str) -> dict[str, str]:
        """Add the value of a parameter."""
        iri = f"#value/{digest(tool, name, value)}"
        if self.crate.dereference(iri) is not None:
            return {"@id": iri}
        example = {"@id": _formal_id(tool, "parameter", name)}
        return self.add(iri, "PropertyValue", name=printable(name), value=value or '""', exampleOfWork=example)

    def whole(self, about: About) -> dict[str, str]:
        """Add the run of the whole workflow: what came from outside, and what nothing of it read again."""
        made = {each.subject for each in self.rollup.relations if each.kind == "wasGeneratedBy"}
        read = {each.object for each in self.rollup.relations if each.kind == "used"}
        told: dict[str, Any] = {"name": f"Run of {about.name}", "instrument": {"@id": "workflow.cwl"}}
        told |= {"object": [{"@id": iri} for iri in sorted(read - made)]}
        told |= {"result": [{"@id": iri} for iri in sorted(made - read)]}
        return self.action("#run", self.steps, told)

    def action(self, name: str, folds: list[Fold], told: dict[str, Any]) -> dict[str, str]:
        """Add an action of some steps: when it began and ended, and whether all of it succeeded."""
        statuses = {status for fold in folds for status in fold.statuses}
        known = {_STATUS.get(status, "") for status in statuses}
        failed = _STATUS["failed"] in known
        status = _STATUS["failed"] if failed else _STATUS["completed"] if known == {_STATUS["completed"]} else ""
        start = min((fold.start for fold in folds if fold.start), default="")
        end = max((fold.end for fold in folds if fold.end), default="")
        error = ", ".join(sorted(statuses - {"completed"})) if failed else ""
        outcome = {"actionStatus": {"@id": f"http://schema.org/{status}"} if status else None, "error": error}
        return self.add(name, "CreateAction", startTime=start, endTime=end, **outcome, **told)


def _one(value: Any) -> Any:
    """Return the value of a list of one, else the value itself."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _tool_id(name: str) -> str:
    return f"#tool/{part(name)}"


def _formal_id(tool: str, slot: str, name: str) -> str:
    return f"#{slot}/{part(tool)}/{part(name)}"
