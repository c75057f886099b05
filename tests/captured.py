"""What tests of capture share: reading its records, and small pipelines."""

import json
from pathlib import Path
from typing import Any


def records(path: str | Path = "provkg.jsonl") -> list[dict[str, Any]]:
    """Return all records of a log."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def whole(path: str | Path = "provkg.jsonl") -> list[dict[str, Any]]:
    """Return the records of a log in which some may be cut: by a process that was killed while it wrote."""
    found = []
    for line in Path(path).read_text().splitlines():
        for piece in line.split('{"provkg":1,')[1:]:
            try:
                found.append(json.loads("{" + piece))
            except json.JSONDecodeError:
                continue
    return found


def of_kind(kind: str, path: str | Path = "provkg.jsonl") -> list[dict[str, Any]]:
    """Return the records of one kind."""
    return [record for record in records(path) if record["kind"] == kind]


def ends(path: str | Path = "provkg.jsonl") -> dict[str, dict[str, Any]]:
    """Return the end record of each activity, by its name; the last of each name."""
    names = {record["id"]: record["name"] for record in of_kind("start", path)}
    return {names[record["id"]]: record for record in of_kind("end", path)}
