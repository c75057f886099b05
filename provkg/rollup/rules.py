"""Rules as data: which keys make a night, a run and a sub-run, which activities a level; a YAML file for a pipeline."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from provkg.errors import InputError, did_you_mean

SHIPPED = tuple(Path(__file__).with_name(name) for name in ("lst.yaml", "ctapipe.yaml"))
GRAINS = ("subrun", "run", "night")
PLACES = ("parameter", "session", "location", "product")
_SESSION = ("night", "run", "software")
_PARTS = ("keys", "grains", "levels", "collections", "roles")


class Place(NamedTuple):
    """Where a key is looked for: one of :data:`PLACES`, and which of it."""

    kind: str
    what: str


@dataclass(frozen=True)
class Rules:
    """The rules of some pipelines together.

    Args:
        keys: where each key is looked for, in order.
        grains: the keys that members of one fold share, for each grain but ``subrun``, which folds nothing.
        levels: types of activity.
        collections: how many files of one type are called together.
        roles: how the role of a file is called for many of them.
    """

    keys: dict[str, tuple[Place, ...]]
    grains: dict[str, tuple[tuple[str, ...], ...]]
    levels: dict[str, tuple[str, ...]]
    collections: dict[str, str]
    roles: dict[str, str]

    def wanted(self, kind: str) -> set[str]:
        """Return what is looked for in one kind of place."""
        return {place.what for places in self.keys.values() for place in places if place.kind == kind}

    def types(self, levels: Iterable[str], steps: Iterable[str] = ()) -> set[str] | None:
        """Return the types of activity of some levels, and some types; None where all are meant.

        Raises:
            InputError: there is no such level.
        """
        chosen = set(steps)
        for level in levels:
            if level == "all":
                return None
            if level not in self.levels:
                near = did_you_mean(level, self.levels)
                raise InputError(f"there is no level {level!r}", hint=near or f"one of all, {', '.join(self.levels)}")
            chosen |= {*self.levels[level]}
        return chosen or None

    def finer(self, grain: str) -> list[tuple[str, ...]]:
        """Return the keys of a grain, then those of the finer ones.

        Raises:
            InputError: there is no such grain.
        """
        if grain not in GRAINS:
            raise InputError(f"there is no grain {grain!r}", hint=f"one of {', '.join(GRAINS)}")
        found = [keys for each in reversed(GRAINS[: GRAINS.index(grain) + 1]) for keys in self.grains.get(each, ())]
        return list(dict.fromkeys(found))


def load(files: Iterable[str | Path] = ()) -> Rules:
    """Read rules: those of some files come before those that are shipped.

    Raises:
        InputError: a file cannot be read, or says what is no rule.
    """
    keys: dict[str, list[Place]] = defaultdict(list)
    grains: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    levels: dict[str, tuple[str, ...]] = {}
    names: dict[str, dict[str, str]] = {"collections": {}, "roles": {}}
    for path in (*map(Path, files), *SHIPPED):
        read = _read(path)
        for key, places in read["keys"].items():
            keys[key] += [_place(path, each) for each in places]
        for grain, shared in read["grains"].items():
            if grain not in GRAINS[1:]:
                raise InputError(f"{path}: there is no grain {grain!r}", hint=f"one of {', '.join(GRAINS[1:])}")
            grains[grain].append(_words(path, grain, shared))
        for level, types in read["levels"].items():
            levels[level] = (*levels.get(level, ()), *_words(path, level, types))
        for part, said in names.items():
            said |= {str(name): str(value) for name, value in read[part].items() if str(name) not in said}
    for of in (each for some in grains.values() for shared in some for each in shared):
        if of not in keys:
            raise InputError(f"a grain is made of {of!r}, which is no key", hint=f"one of {', '.join(keys)}")
    return Rules(
        {key: tuple(places) for key, places in keys.items()},
        {grain: tuple(some) for grain, some in grains.items()},
        levels,
        **names,
    )


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Read one file; its parts are mappings."""
    try:
        said = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(said, dict) or not said.keys() <= set(_PARTS):
        unknown = ", ".join(map(str, said.keys() - set(_PARTS))) if isinstance(said, dict) else "no mapping"
        raise InputError(f"{path}: {unknown} is no part of rules", hint=f"these are {', '.join(_PARTS)}")
    parts = {part: said.get(part) or {} for part in _PARTS}
    for part, value in parts.items():
        if not isinstance(value, dict):
            raise InputError(f"{path}: {part} is no mapping")
    return parts


def _place(path: Path, said: object) -> Place:
    """Read one place."""
    if not isinstance(said, dict) or len(said) != 1:
        raise InputError(f"{path}: {said!r} is no place", hint="such as {parameter: ObservationRun}")
    [(kind, what)] = said.items()
    place = Place(str(kind), str(what))
    if place.kind not in PLACES:
        raise InputError(f"{path}: {kind!r} is no kind of place", hint=f"one of {', '.join(PLACES)}")
    if place.kind == "session" and place.what not in _SESSION:
        raise InputError(f"{path}: a session has no {what!r}", hint=f"one of {', '.join(_SESSION)}")
    if place.kind == "product" and place.what != "observationId":
        raise InputError(f"{path}: a product has no {what!r}", hint="observationId")
    if place.kind == "location":
        _pattern(path, place.what)
    return place


def _pattern(path: Path, text: str) -> None:
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise InputError(f"{path}: {text!r} is no pattern: {error}") from None
    if groups != 1:
        raise InputError(f"{path}: {text!r} has {groups} groups", hint="one group is the key")


def _words(path: Path, name: str, said: object) -> tuple[str, ...]:
    if not isinstance(said, Collection) or isinstance(said, str | dict) or not said:
        raise InputError(f"{path}: {name} is no list")
    return tuple(map(str, said))
