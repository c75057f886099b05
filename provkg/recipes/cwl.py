"""Recipes in the Common Workflow Language 1.2. https://www.commonwl.org/v1.2/.

A tool runs in a folder of its own, so a call can be written where all that it reads and writes lies in its working
directory or is named by its path in the command; where that is not so, the tool fails and says why.
"""

import json
import os
from typing import Any
from urllib.parse import quote

from provkg.identity import printable
from provkg.recipes.plan import Call, File, Plan, Word

VERSION = "v1.2"


def cwl(plan: Plan) -> str:
    """Return a plan as one document: a workflow, and a tool for each call."""
    sources = {file.product: f"input_{number}" for number, file in enumerate(plan.inputs, 1)}
    made: dict[str, str] = {}
    steps, tools = {}, []
    for each in plan.calls:
        tool = _tool(each)
        tools.append(tool)
        steps[f"step_{each.number}"] = {
            "run": f"#{tool['id']}",
            "in": {_name(each.reads, file): made.get(file.product, sources.get(file.product)) for file in each.reads},
            "out": list(tool["outputs"]),
        }
        made |= {file.product: f"step_{each.number}/{_name(each.writes, file, 'out')}" for file in each.writes}
    source = made.get(plan.target.iri)
    workflow = {
        "id": "main",
        "class": "Workflow",
        "doc": [f"Makes {printable(plan.target.shown)} again.", f"Recipe digest {plan.recipe}.", *_unknown(plan)],
        "inputs": {sources[file.product]: _from_outside(file) for file in plan.inputs},
        "outputs": {"product": {"type": "File", "outputSource": source}} if source else {},
        "steps": steps,
    }
    return json.dumps({"cwlVersion": VERSION, "$graph": [workflow, *tools]}, indent=1, ensure_ascii=False) + "\n"


def _unknown(plan: Plan) -> list[str]:
    return [f"Not known: {printable(text)}" for text in plan.unknown]


def _from_outside(file: File) -> dict[str, Any]:
    doc = f"with the digest {file.digest}" if file.digest else "no digest of its content is recorded"
    path = printable(file.path)
    return {"type": "File", "doc": doc, "default": {"class": "File", "location": "file://" + quote(path)}}


def _name(files: tuple[File, ...], file: File, word: str = "in") -> str:
    return f"{word}_{files.index(file) + 1}"


def _tool(call: Call) -> dict[str, Any]:
    """Return a call as a tool; what it cannot say of it is a command that fails."""
    outside = [file.path for file in (*call.reads, *call.writes) if not _relative(call, file.path)]
    unknown = [*call.unknown, *(f"how to stage {path} in CWL" for path in outside if not _named(call, path))]
    tool: dict[str, Any] = {
        "id": f"tool_{call.number}",
        "class": "CommandLineTool",
        "label": printable(call.label),
        "doc": [f"{printable(step.label)} <{step.iri}>" for step in call.steps],
        "requirements": {"InlineJavascriptRequirement": {}, "InitialWorkDirRequirement": {"listing": _listing(call)}},
        "inputs": {_name(call.reads, file): "File" for file in call.reads},
        "outputs": {
            _name(call.writes, file, "out"): {"type": "File", "outputBinding": {"glob": _placed(call, file.path)}}
            for file in call.writes
        },
    }
    if unknown:
        tool["baseCommand"] = ["sh", "-c", 'printf "not known: %s\\n" "$@" >&2; exit 3', "sh"]
        tool["arguments"] = [{"valueFrom": _text(each)} for each in unknown]
    else:
        tool["arguments"] = [{"valueFrom": _argument(call, each)} for each in call.command]
    return tool


def _listing(call: Call) -> list[dict[str, Any]]:
    """Stage what lies in the working directory at its place in it, and make the folders of what is written."""
    staged: list[dict[str, Any]] = [
        {"entry": f"$(inputs.{_name(call.reads, file)})", "entryname": place, "writable": True}
        for file in call.reads
        if (place := _relative(call, file.path))
    ]
    folders = {place.rpartition("/")[0] for file in call.writes if (place := _placed(call, file.path))} - {""}
    staged += [
        {"entry": '$({"class": "Directory", "listing": []})', "entryname": folder, "writable": True}
        for folder in sorted(folders)
        if not any(each["entryname"].startswith(folder + "/") for each in staged)
    ]
    return staged


def _relative(call: Call, path: str) -> str:
    """Return a path in the working directory as it stands from there, or nothing."""
    inside = os.path.relpath(path, call.directory) if call.directory else ".."
    return "" if inside.startswith("..") else inside


def _placed(call: Call, path: str) -> str:
    return _relative(call, path) or path.rpartition("/")[2]


def _named(call: Call, path: str) -> bool:
    return any(each.path == path for each in call.command)


def _argument(call: Call, each: Word) -> str:
    """Return an argument, with the place in which the tool finds the file that it names."""
    if not each.path:
        return _text(each.text)
    for file in call.reads:
        if file.path == each.path and not _relative(call, file.path):
            return f"{_text(each.text)}$(inputs.{_name(call.reads, file)}.path)"
    return _text(each.text + _placed(call, each.path))


def _text(text: str) -> str:
    r"""Return text in which CWL evaluates nothing.

    >>> _text("$(a)")
    '\\$(a)'
    """
    return printable(text).replace("\\", "\\\\").replace("$(", "\\$(").replace("${", "\\${")
