"""Write records as provprocess writes them: a log, and the PROV-JSON that it makes of that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from prov.model import ProvActivity, ProvDocument

from provkg.errors import InputError
from provkg.export.lstosa import Record

# What is told otherwise, or not at all, in PROV-JSON
_ELSEWHERE = (
    *("session_id", "activity_id", "entity_id", "name", "startTime", "endTime", "type", "agent_name", "session_tag"),
    *("system", "hash", "hash_type"),
)


def log_of(records: list[Record]) -> str:
    """Return records as a log of provprocess: a ``repr`` of each."""
    return "".join(f"{record!r}\n" for record in records)


def document_of(records: list[Record]) -> ProvDocument:
    """Return records as the PROV document that provprocess makes of them."""
    document = ProvDocument()
    document.add_namespace("id", "id:")
    document.set_default_namespace("param:")
    for record in records:
        kind = next(key for key in _WRITE if key in record)
        _WRITE[kind](document, record)
    return document


def write_products(folder: Path, stem: str, records: list[Record], picture: bytes | None) -> list[Path]:
    """Write the files of one part of a run.

    Args:
        folder: where to; it is made where it is not there.
        stem: what their names begin with, such as ``r0_to_dl1_01807``.
        records: what the log says.
        picture: a PDF; None where nothing can draw one.

    Raises:
        InputError: they cannot be written.
    """
    text = str(document_of(records).serialize(indent=4))
    contents = {"log": log_of(records).encode(), "json": text.encode(), **({"pdf": picture} if picture else {})}
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, content in contents.items():
            paths.append(folder / f"{stem}_prov.{suffix}")
            paths[-1].write_bytes(content)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}") from None
    return paths


def _plain(record: Record) -> dict[str, str]:
    return {key: str(value) for key, value in record.items() if key not in _ELSEWHERE}


def _session(document: ProvDocument, record: Record) -> None:
    told = [("prov:label", record["name"]), ("prov:type", "ExecutionSession")]
    told.append(("prov:generatedAtTime", record["startTime"]))
    document.entity(f"id:{record['session_id']}", [*told, *_plain(record).items()])


def _activity(document: ProvDocument, record: Record) -> None:
    name = f"id:{record['activity_id']}"
    document.activity(name, record["startTime"], None, [("prov:label", record["name"]), *_plain(record).items()])
    if record.get("agent_name"):
        agent = f"id:{quote(record['agent_name'], safe='')}"
        document.agent(agent)
        document.wasAssociatedWith(name, agent)


def _end(document: ProvDocument, record: Record) -> None:
    [activity] = document.get_record(f"id:{record['activity_id']}")
    assert isinstance(activity, ProvActivity)
    activity.set_time(endTime=datetime.fromisoformat(record["endTime"]))


def _parameters(document: ProvDocument, record: Record) -> None:
    """Write the parameters of a step as an entity that it used as its set-up."""
    name = f"id:{record['activity_id']}_parameters"
    told: list[tuple[Any, Any]] = [("prov:label", "Parameters"), ("prov:type", "Parameters")]
    told += [(_key(key), str(value)) for key, value in record["parameters"].items()]
    told += [(_key(key), f"{count} values") for key, count in record.get("differing_parameters", {}).items()]
    document.entity(name, told)
    document.used(f"id:{record['activity_id']}", name, other_attributes={"prov:type": "Setup"})


def _derivation(document: ProvDocument, record: Record) -> None:
    document.wasDerivedFrom(f"id:{record['entity_id']}", f"id:{record['progenitor_id']}")


def _used(document: ProvDocument, record: Record) -> None:
    role = {"prov:role": record["used_role"]} if record["used_role"] else None
    document.used(f"id:{record['activity_id']}", f"id:{record['used_id']}", other_attributes=role)


def _generated(document: ProvDocument, record: Record) -> None:
    role = {"prov:role": record["generated_role"]} if record["generated_role"] else None
    document.wasGeneratedBy(f"id:{record['generated_id']}", f"id:{record['activity_id']}", other_attributes=role)


def _entity(document: ProvDocument, record: Record) -> None:
    told = [("prov:label", record["name"]), ("prov:type", record["type"])]
    document.entity(f"id:{record['entity_id']}", [*told, *_plain(record).items()])


# By the key that tells what kind of record it is; the first that is there counts
_WRITE: dict[str, Callable[[ProvDocument, Record], None]] = {
    "session_id": _session,
    "parameters": _parameters,
    "used_id": _used,
    "generated_id": _generated,
    "progenitor_id": _derivation,
    "startTime": _activity,
    "endTime": _end,
    "entity_id": _entity,
}


def _key(name: str) -> str:
    """Return the name of a parameter as that of an attribute: without what a qualified name cannot hold.

    >>> _key("a b:c")
    'a_b_c'
    """
    return "".join(each if each.isalnum() or each in "_-." else "_" for each in name) or "_"
