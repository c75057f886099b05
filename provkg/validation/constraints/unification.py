"""Constraints 23 to 27: relations that must be one are merged, and what cannot be merged is found.

https://www.w3.org/TR/prov-constraints/#uniqueness-constraints. What one node alone shows (two values of one part) the
shapes of the layer find; here are two nodes that must be the same, and what inference 11 says of a derivation.
"""

from collections import defaultdict
from collections.abc import Iterator

from provkg.validation.constraints.breach import Breach
from provkg.validation.constraints.bundle import Bundle, Statement, moment

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


def _group(number: int, kind: str, subject: str, key: str, group: list[Statement]) -> Iterator[Breach]:
    about = (subject, *(each.node for each in group))
    ids = sorted({each.id for each in group} - {""})
    if len(ids) > 1:
        text = f"One {kind} by the same activity has several ids, the first two {ids[0]} and {ids[1]}."
        yield Breach((number,), subject, text, _ADVICE, key, about)
        return
    times = {moment(each.time) or each.time for each in group if each.time}
    objects = {each.object for each in group if each.object}
    for values, what in ((times, "times"), (objects, "triggers")):
        if len(values) > 1:
            text = f"Two records of one {kind} by the same activity have different {what}."
            yield Breach((number, 23), subject, text, _ADVICE, key, about)


def _specified(bundle: Bundle) -> Iterator[Breach]:
    """A derivation that names activity, usage and generation says what these are (inference 11)."""
    known = {each.id: each for each in bundle.statements if each.id and each.kind in ("usage", "generation")}
    for each in bundle.of("derivation"):
        if not (each.activity and each.usage and each.generation):
            continue
        for node, ends in (
            (each.usage, (each.activity, each.object)),
            (each.generation, (each.subject, each.activity)),
        ):
            other = known.get(node)
            if other is not None and any(
                mine and theirs and mine != theirs
                for mine, theirs in zip(ends, (other.subject, other.object), strict=True)
            ):
                text = f"A derivation names a {other.kind} of other things (inference 11)."
                yield Breach((23,), each.node, text, "Correct the ends of the derivation.", node, (each.node, node))
