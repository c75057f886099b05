"""No event strictly precedes itself, and none is dated before one that must precede it.

https://www.w3.org/TR/prov-constraints/#event-ordering-constraints. PROV compares no time stamps. :func:`anachronisms`
does, and is no rule of PROV but of the archive: an event that the order puts first must not be dated last.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from provkg.validation.constraints.breach import Breach
from provkg.validation.constraints.events import Events, components

_CYCLE = "A file that is rewritten is a new version: give it a name of its own, or correct the derivation."
_DATED = "Check the clocks and the zone in provkg.toml, and whether the file was copied later."
_SIMULTANEOUS = {"start": 31, "end": 32, "generation": 39, "invalidation": 40}


def cycles(found: Events) -> Iterator[Breach]:
    """Find the events that strictly precede themselves: a cycle through a derivation (42)."""
    strict = [(x, y) for x, after in enumerate(found.after) for y, rule in after if rule == 42]
    if not strict:
        return
    component = components(found)
    told = set()
    for x, y in strict:
        if component[x] != component[y] or component[x] in told:
            continue
        told.add(component[x])
        path = [x, *_path(found, y, x)]
        rules = tuple(sorted({42, *(_rule(found, *step) for step in pairwise(path))}))
        chain = " precedes ".join(f"the {kind} of {node}" for kind, node in (found.names[each] for each in path))
        yield Breach(rules, found.names[y][1], f"An event precedes itself: {chain}.", _CYCLE, found.names[x][1])


def anachronisms(found: Events) -> Iterator[Breach]:
    """Find the events that are dated before one that must precede them."""
    component = components(found)
    latest: dict[int, tuple[datetime, int]] = {}
    came: dict[int, tuple[int, int]] = {}
    for x in sorted(range(len(found.names)), key=lambda each: -component[each]):
        kind, node = found.names[x]
        dates = sorted(found.dates[x])
        if dates and dates[0][0] != dates[-1][0] and kind in _SIMULTANEOUS:
            text = f"The {kind} of {node} has several times: {dates[0][0].isoformat()} and {dates[-1][0].isoformat()}."
            yield Breach((_SIMULTANEOUS[kind],), node, text, _DATED, dates[-1][0].isoformat())
        bound = latest.get(x)
        if dates and bound is not None and dates[0][0] < bound[0]:
            yield _dated(found, x, dates[0], bound, came)
        if dates:
            latest[x] = (dates[-1][0], x)
        if x in latest:
            for y, rule in found.after[x]:
                if component[x] != component[y] and (y not in latest or latest[y][0] < latest[x][0]):
                    latest[y], came[y] = latest[x], (x, rule)


def _dated(
    found: Events,
    x: int,
    date: tuple[datetime, str],
    bound: tuple[datetime, int],
    came: dict[int, tuple[int, int]],
) -> Breach:
    rules, at = [], x
    while at != bound[1]:
        at, rule = came[at]
        rules.append(rule)
    kind, node = found.names[x]
    first, then = found.names[bound[1]]
    text = (
        f"The {kind} of {node} is dated {date[0].isoformat()}, before the {first} of {then}"
        f" ({bound[0].isoformat()}), which must precede it."
    )
    return Breach(tuple(sorted(set(rules))), date[1], text, _DATED, date[0].isoformat())


def _rule(found: Events, x: int, y: int) -> int:
    """Return the rule that puts one event after another; the strict one counts first."""
    return max((rule == 42, rule) for other, rule in found.after[x] if other == y)[1]


def _path(found: Events, start: int, goal: int) -> list[int]:
    """Return the shortest way from one event to another."""
    before, todo = {start: start}, deque([start])
    while goal not in before:
        x = todo.popleft()
        for y, _ in found.after[x]:
            if y not in before:
                before[y] = x
                todo.append(y)
    path = [goal]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]
