"""Write line logs as lstosa does, for tests."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

START = datetime(2023, 3, 13, 8, 0, 0, 120)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def line(
    record: dict[Any, Any], time: datetime = START, mark: str = "__PROV__", before: str = "INFO provLogger "
) -> str:
    return f"{before}{mark}{time.isoformat()}{mark}{record!r}\n"


def entity(path: str, name: str = "DL1SubrunDataset") -> dict[str, Any]:
    return {
        "entity_id": md5(path),
        "name": name,
        "filepath": path,
        "hash": md5(path),
        "hash_type": "md5",
        "type": "File",
        "contentType": "application/x-hdf",
    }


def session(
    number: Any = 8739478486569, run: str = "01618", tag: str = "r0_to_dl1:01618", **more: Any
) -> dict[str, Any]:
    system = {
        "executable": "/usr/bin/python",
        "platform": {"node": "cp15"},
        "python": {"version": "3.11.6", "packages": [{"name": "numpy", "version": "1.26.4"}]},
        "arguments": ["datasequence", run],
        "start_time_utc": START.isoformat(),
    }
    return {
        "session_id": number,
        "name": run,
        "startTime": START.isoformat(),
        "system": system,
        "software_version": "v0.9.13",
        "observation_date": "20230312",
        "observation_run": run,
        "session_tag": tag,
        **more,
    }


def activity(
    local: str,
    name: str = "r0_to_dl1",
    *,
    at: float = 0,
    seconds: float = 5,
    used: tuple[str | tuple[str, str], ...] = (),
    generated: tuple[str, ...] = (),
    parameters: dict[str, Any] | None = None,
    in_session: Any = 8739478486569,
    tag: str = "r0_to_dl1:01618",
    ends: bool = True,
) -> list[dict[str, Any]]:
    """Return the records of one call, in lstosa's order; an input is a path, or a path and its role."""
    start = START + timedelta(seconds=at)
    records: list[dict[str, Any]] = [
        {
            "activity_id": local,
            "name": name,
            "startTime": start.isoformat(),
            "in_session": in_session,
            "agent_name": "pipeline",
            "script": "datasequence",
            "session_tag": tag,
        }
    ]
    if parameters is not None:
        records.append({"activity_id": local, "parameters": parameters, "session_tag": tag})
    for each in used:
        path, role = (each, f"in {each[-1]}") if isinstance(each, str) else each
        records += [
            {**entity(path), "session_tag": tag},
            {"activity_id": local, "used_id": md5(path), "used_role": role, "session_tag": tag},
        ]
    for path in generated:
        records += [
            {**entity(path), "session_tag": tag},
            {"activity_id": local, "generated_id": md5(path), "generated_role": f"out {path[-1]}", "session_tag": tag},
        ]
    if ends:
        records.append(
            {"activity_id": local, "endTime": (start + timedelta(seconds=seconds)).isoformat(), "session_tag": tag}
        )
    return records


def log(*records: dict[str, Any] | list[dict[str, Any]]) -> str:
    """Return the lines of records."""
    flat = [each for item in records for each in (item if isinstance(item, list) else [item])]
    return "".join(line(record) for record in flat)
