"""What pipelines record about the machine: shared by lstosa, logprov, gammapy and ctapipe."""

import hashlib
from typing import Any

from provkg.identity import canonical
from provkg.records import Environment, Properties
from provkg.vocab import PKG

CHANGING = ("arguments", "start_time_utc")


def environment(system: dict[str, Any]) -> Environment:
    """Make an environment from a ``system`` record, without what changes from call to call."""
    static = {key: value for key, value in system.items() if key not in CHANGING}
    text = canonical(static)
    platform = _mapping(static.get("platform"))
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    return Environment(text, digest, str(platform.get("node") or ""), tuple(sorted(set(_software(static)))))


def _software(system: dict[str, Any]) -> list[tuple[str, str]]:
    python = _mapping(system.get("python"))
    found = []
    version = python.get("version")
    if version:
        found.append(("python", ".".join(map(str, version)) if isinstance(version, list) else str(version)))
    packages = python.get("packages")
    each = [package for package in packages if isinstance(package, dict)] if isinstance(packages, list) else []
    found += [(str(item["name"]), str(item["version"])) for item in each if item.get("name") and item.get("version")]
    dependencies = _mapping(system.get("dependencies"))
    found += [(str(name), str(version)) for name, version in dependencies.items() if version]
    versions = [(str(key), value) for key, value in system.items() if str(key).endswith("_version") and value]
    found += [(key.removesuffix("_version"), str(value)) for key, value in versions]
    return found


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def arguments(value: Any) -> tuple[str, ...]:
    """Return a command line as recorded, or nothing."""
    if isinstance(value, list):
        return tuple(map(str, value))
    return (str(value),) if value else ()


def started(system: dict[str, Any]) -> Properties:
    """Return when a process began, as recorded: lstosa calls it UTC and writes local time."""
    start = system.get("start_time_utc")
    return ((PKG.processStart, str(start)),) if start else ()
