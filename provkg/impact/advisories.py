"""Advisories: what is known to be bad of software and configurations, and which products it has touched.

::

    advisories:
      - id: LST-2023-01
        title: Wrong pedestals
        software: lstchain>=0.9.10,<0.9.14     # or value: NAME=VALUE, config: FILE, run, agent, host, since, until
        activities: [drs4_pedestal]            # only these types of activity
        severity: high                         # low, medium, high, critical
        text: What is wrong, and what to do.
        link: https://…

All that one entry says narrows the same activities down; ``docs/advisories.schema.json`` is its JSON Schema.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from provkg.config import Config
from provkg.errors import InputError, ProvkgError, did_you_mean
from provkg.impact.seeds import Seeds, check, found
from provkg.impact.taint import Affected, Taint, tainted
from provkg.store import Graph

SEVERITIES = ("low", "medium", "high", "critical")
_SEEDS = ("software", "value", "config", "run", "agent", "host", "since", "until")
_KEYS = ("id", "title", "severity", "text", "link", "activities", *_SEEDS)


@dataclass(frozen=True)
class Advisory:
    """Something that is known to be bad, and where the file says so."""

    id: str
    title: str
    severity: str
    text: str
    link: str
    seeds: Seeds
    line: int


class Touched(NamedTuple):
    """A product that an advisory concerns, directly or through what it was made from."""

    advisory: str
    severity: str
    affected: Affected


@dataclass(frozen=True)
class Audit:
    """What advisories concern in a store; ``nothing`` are those that concern no activity of it."""

    taints: tuple[tuple[Advisory, Taint], ...]
    nothing: tuple[Advisory, ...]
    partial: tuple[str, ...]

    def products(self) -> Iterator[Touched]:
        """Give each product that is concerned, advisory by advisory."""
        for advisory, taint in self.taints:
            yield from (Touched(advisory.id, advisory.severity, each) for each in taint.products)

    @property
    def current(self) -> int:
        """How many products are concerned and not superseded."""
        return len({each.affected.product for each in self.products() if not each.affected.superseded})


def read_advisories(path: Path) -> tuple[list[Advisory], list[InputError]]:
    """Read advisories, and what is wrong with those that cannot be read.

    Raises:
        InputError: the file is no list of advisories at all.
    """
    try:
        text = path.read_text("utf-8")
        data, node = yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    listed = data.get("advisories") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not isinstance(node, yaml.MappingNode):
        raise InputError(f"{path}: no list of advisories", hint="advisories: at the top, and a list below it")
    [lines] = [value.value for key, value in node.value if key.value == "advisories"]
    advisories, errors = [], []
    for item, at in zip(listed, lines, strict=True):
        line = at.start_mark.line + 1
        try:
            advisories.append(_advisory(item, line))
        except InputError as error:
            errors.append(InputError(f"{path}:{line}: {error.message}", hint=error.hint))
    return advisories, errors


def _advisory(item: Any, line: int) -> Advisory:
    if not isinstance(item, dict) or not str(item.get("id") or ""):
        raise InputError("an advisory without an id")
    for key in item:
        if key not in _KEYS:
            raise InputError(f"unknown key {key!r}", hint=did_you_mean(str(key), _KEYS, f"keys: {', '.join(_KEYS)}"))
    severity, activities = str(item.get("severity") or "high"), item.get("activities") or []
    if severity not in SEVERITIES:
        raise InputError(f"severity {severity!r} is unknown", hint=f"one of {', '.join(SEVERITIES)}")
    if not isinstance(activities, list):
        raise InputError("activities must be a list")
    given: dict[str, Any] = {key: str(item[key]) for key in _SEEDS if item.get(key) is not None}
    if not given:
        raise InputError(f"{item['id']} says nothing that is bad", hint=f"give one of {', '.join(_SEEDS)}")
    seeds = Seeds(steps=tuple(map(str, activities)), **given)
    check(seeds)
    title, text, link = (str(item.get(key) or "") for key in ("title", "text", "link"))
    return Advisory(str(item["id"]), title, severity, text, link, seeds, line)


def audit(graph: Graph, advisories: list[Advisory], config: Config) -> Audit:
    """Return what advisories concern: products made so, their descendants, and which of them are superseded."""
    taints, nothing, partial = [], [], []
    for advisory in advisories:
        try:
            start = found(graph, advisory.seeds, config)
        except ProvkgError:  # the store has no such version, parameter or activity
            nothing.append(advisory)
            continue
        result = tainted(graph, config, start.products, advisory.seeds.said(), start.partial)
        taints.append((advisory, result))
        partial += [f"{advisory.id}: {each}" for each in result.partial]
    return Audit(tuple(taints), tuple(nothing), tuple(partial))
