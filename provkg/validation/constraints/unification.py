"""Constraints 23 to 29: relations that must be one are merged, and what cannot be merged is found.

https://www.w3.org/TR/prov-constraints/#uniqueness-constraints. What one node alone shows (two values of one part) the
shapes of the layer find; here are two nodes that must be the same, and what inference 11 says of a derivation.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from provkg.validation.constraints.breach import Breach
from provkg.validation.constraints.bundle import Bundle, Statement, moment
from provkg.vocab import PROV

_ADVICE = "Give the relation one id and one set of parts, or say which activity each is of."


def merged(bundle: Bundle) -> Iterator[Breach]:
    """Find what cannot be merged."""
    for number, kind in ((24, "generation"), (25, "invalidation"), (26, "start"), (27, "end")):
        groups: dict[tuple[str, str], list[Statement]] = defaultdict(list)
        for each in bundle.of(kind):
            key = each.object if number < 26 else each.activity
            if key:
                groups[each.subject, key].append(each)
        for (subject, key), group in groups.items():
            if len(group) > 1:
                yield from _group(number, kind, subject, key, group)
    yield from _specified(bundle)
    yield from _dated(bundle)


def _group(number: int, kind: str, subject: str, key: str, group: list[Statement]) -> Iterator[Breach]:
    ids = sorted({each.id for each in group} - {""})
    if len(ids) > 1:
        text = f"One {kind} by the same activity has several ids, the first two {ids[0]} and {ids[1]}."
        yield Breach((number,), subject, text, _ADVICE, key)
        return
    times = {moment(each.time) or each.time for each in group if each.time}
    objects = {each.object for each in group if each.object}
    for values, what in ((times, "times"), (objects, "triggers")):
        if len(values) > 1:
            text = f"Two records of one {kind} by the same activity have different {what}."
            yield Breach((number, 23), subject, text, _ADVICE, key)


def implied(bundle: Bundle) -> Bundle:
    """Return a bundle with what its derivations imply.

    A derivation by an activity implies a usage of the one entity and a generation of the other, both by it, whether or
    not it names them (inference 11).
    """
    known = {each.id for each in bundle.statements if each.id and each.kind in ("usage", "generation")}
    more = []
    for each in bundle.of("derivation"):
        if not each.activity:
            continue
        for kind, node, subject, other in (
            ("usage", each.usage, each.activity, each.object),
            ("generation", each.generation, each.subject, each.activity),
        ):
            variable = f"{each.node} {kind}"
            if other and node not in known:
                more.append(Statement(kind, "" if node.startswith("_:") else node, node or variable, subject, other))
    return replace(bundle, statements=[*bundle.statements, *more])


def _specified(bundle: Bundle) -> Iterator[Breach]:
    """A derivation that names an activity and a usage or generation says what these are (inference 11)."""
    known = {each.id: each for each in bundle.statements if each.id and each.kind in ("usage", "generation")}
    for each in bundle.of("derivation"):
        for node, ends in (
            (each.usage, (each.activity, each.object)),
            (each.generation, (each.subject, each.activity)),
        ):
            other = known.get(node) if each.activity else None
            if other is not None and any(
                mine and theirs and mine != theirs
                for mine, theirs in zip(ends, (other.subject, other.object), strict=True)
            ):
                text = f"A derivation names a {other.kind} of other things (inference 11)."
                yield Breach((23,), each.node, text, "Correct the ends of the derivation.", node)


def _dated(bundle: Bundle) -> Iterator[Breach]:
    """Every start of an activity is at its one start time, which need not be given (28); so with its ends (29)."""
    for number, kind, predicate in ((28, "start", PROV.startedAtTime), (29, "end", PROV.endedAtTime)):
        times: dict[str, set[datetime | str]] = defaultdict(set)
        for each in bundle.of(kind):
            if each.time:
                times[each.subject].add(moment(each.time) or each.time)
        for activity, found in times.items():
            own = {moment(text) or text for text in bundle.times[predicate].get(activity, ())}
            if len(found | own) > 1 and len(own) < 2:
                text = f"The {kind}s of an activity are at several times."
                advice = "See which of them is right."
                yield Breach((number,), activity, text, advice, ", ".join(sorted(map(str, found | own))))
