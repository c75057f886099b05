"""Code of questions that goes row by row: commands, environments, digests, durations."""

import hashlib
import json
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from pyoxigraph import Literal, NamedNode

from provkg.questions.asking import Asked
from provkg.questions.code.divergence import SIDES
from provkg.store import Row, text_of
from provkg.vocab import PKG, VP, XSD

_DECIMAL = NamedNode(XSD + "decimal")
_STOCK = ("paths", "versions", "recorded", "rewritten")


def decimal(value: float) -> Literal:
    """Return a number to the microsecond, as xsd:decimal."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return Literal(text or "0", datatype=_DECIMAL)


def shell(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Write ``command``, a list of arguments as JSON, as a line for a POSIX shell; other text stays as it is."""
    for row in rows:
        text = text_of(row["command"])
        try:
            arguments = json.loads(text)
        except ValueError:
            arguments = None
        yield {**row, "command": Literal(shlex.join(map(str, arguments)) if isinstance(arguments, list) else text)}


def versus(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Put what two sides had beside each other, and leave out what is equal."""
    had: dict[tuple[tuple[str, Any], ...], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        key = tuple((name, term) for name, term in row.items() if name not in ("side", "version"))
        had[key][text_of(row["side"])].add(text_of(row["version"]))
    for key, sides in had.items():
        if sides[SIDES[0]] != sides[SIDES[1]]:
            yield {**dict(key), **{side: _listed(sides[side]) for side in SIDES}}


def _listed(values: set[str]) -> Literal | None:
    return Literal(", ".join(sorted(values))) if values else None


def last(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Keep the first row of each activity: the query gives the last good one first."""
    seen: set[str] = set()
    for row in rows:
        activity = text_of(row["activity"])
        if activity not in seen:
            seen.add(activity)
            yield row


class Took(NamedTuple):
    """An activity once, however many sources tell of it: its first row, and how long it took where that is known."""

    row: Row
    seconds: float | None


def each_once(rows: Iterable[Row]) -> list[Took]:
    """Put the rows of each activity together: from its first start to its last end."""
    told: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        told[text_of(row["activity"])].append(row)
    return [Took(some[0], _seconds(some)) for some in told.values()]


def _seconds(rows: Sequence[Row]) -> float | None:
    """Return how long something took, unless a time is missing or no time, or it ended before it began."""
    try:
        starts, ends = (
            [_moment(row[name]) for row in rows if row[name] is not None] for name in ("startedAt", "endedAt")
        )
        taken = (max(ends) - min(starts)).total_seconds()
    except (ValueError, TypeError):
        return None
    return taken if taken >= 0 else None


def unusual(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Keep activities that took more than ``factor`` times the median, or less than that part of it."""
    found = [each for each in each_once(rows) if each.seconds is not None]
    if not found:
        return
    middle = median(each.seconds or 0.0 for each in found)
    for row, taken in found:
        factor = float(text_of(row["factor"]))
        if taken is not None and (taken > factor * middle or taken * factor < middle):
            times = decimal(taken / middle) if middle else None
            yield {**row, "seconds": decimal(taken), "median": decimal(middle), "times": times}


def walltime(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Sum how long the activities of each step took on each host."""
    taken: dict[tuple[Any, Any], list[float | None]] = defaultdict(list)
    for row, seconds in each_once(rows):
        taken[row["step"], row["host"]].append(seconds)
    for (step, host), each in taken.items():
        timed = [value for value in each if value is not None]
        counts = {"activities": Literal(len(each)), "timed": Literal(len(timed)), "seconds": decimal(sum(timed))}
        yield {"step": step, "host": host, **counts}


def needed(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Count activities by type: those that were needed, and then the others of their sessions."""
    told: dict[str, Row] = {}
    for row in rows:  # the query gives those that are needed first
        told.setdefault(text_of(row["activity"]), row)
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in told.values():
        groups[text_of(row["necessary"]), text_of(row["step"])].append(row)
    for made in groups.values():
        starts, ends = ([row[name] for row in made if row[name] is not None] for name in ("startedAt", "endedAt"))
        yield {
            **{name: made[0][name] for name in ("necessary", "step")},
            "times": Literal(len(made)),
            "first": min(starts, key=_moment, default=None),
            "last": max(ends, key=_moment, default=None),
        }


def _moment(term: object) -> datetime:
    return datetime.fromisoformat(text_of(term))


def stock(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Put in what descriptions say; the level is that of the version, else that of the kind, else that of the path."""
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * len(_STOCK))
    for row in rows:
        kind, content, theirs = (
            max(asked.graph.objects(text_of(row["described"]), property_), default="") if row["described"] else ""
            for property_ in (VP.name, VP.contentType, PKG.dataLevel)
        )
        level = text_of(row["ours"]) or theirs or text_of(row["placed"])
        if row["wanted"] is None or text_of(row["wanted"]) == level:
            for at, name in enumerate(_STOCK):
                counts[level, kind, content][at] += int(text_of(row[name]))
    for (level, kind, content), numbers in sorted(counts.items()):
        yield {
            "level": NamedNode(level) if level else None,
            "kind": Literal(kind) if kind else None,
            "contentType": Literal(content) if content else None,
            **{name: Literal(number) for name, number in zip(_STOCK, numbers, strict=True)},
        }


def platform(asked: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Read interpreter, system, conda environment, container and commit of each environment."""
    known: dict[str, Row] = {}
    for row in rows:
        environment = text_of(row["environment"])
        if environment not in known:
            texts = asked.graph.objects(environment, PKG.json)
            known[environment] = {
                **_platform(json.loads(texts[0]) if texts else {}),
                "packages": Literal(len(asked.graph.objects(environment, PKG.includes))),
            }
        yield {**row, **known[environment]}


def _platform(facts: Mapping[str, Any]) -> Row:
    python, system, variables = (_part(facts, name) for name in ("python", "platform", "environment"))
    version = python.get("version", "")
    written = ".".join(map(str, version)) if isinstance(version, list) else str(version)
    words = (python.get("implementation"), written)
    container = next((variables[name] for name in variables if name.upper().endswith("_CONTAINER")), None)
    told, state = _part(facts, "container"), _part(facts, "git")
    return {
        "interpreter": _words(*words) if written else None,
        "system": _words(system.get("system"), system.get("release"), system.get("machine")),
        "conda": _words(variables.get("CONDA_DEFAULT_ENV")),
        "container": _words(container or told.get("image") or told.get("kind")),
        "commit": _words(state.get("commit"), f"+{state.get('changed')} changed" if state.get("dirty") else ""),
    }


def _part(facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = facts.get(name)
    return part if isinstance(part, dict) else {}


def _words(*words: Any) -> Literal | None:
    return Literal(" ".join(str(word) for word in words if word)) if any(words) else None


def check(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Compare the digest of each file on this machine with the recorded one."""
    for row in rows:
        yield {**row, "state": Literal(_state(row))}


def _state(row: Row) -> str:
    algorithm, recorded = text_of(row["algorithm"]).lower(), text_of(row["digest"]).lower()
    path = Path(text_of(row["location"]))
    try:
        if not path.is_file():
            return "missing"
        if algorithm not in hashlib.algorithms_available or not recorded:
            return "unverifiable"
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, algorithm).hexdigest()
    except (OSError, ValueError, TypeError):  # no right to read it, a name that cannot be; a digest without a length
        return "unreadable"
    if found == recorded:
        return "verified"
    return "rewritten" if text_of(row["rewritten"]) in ("true", "1") else "changed"
