"""Constraints 50 and 52 to 55: what a node must be by its place in relations, and what it then cannot be.

https://www.w3.org/TR/prov-constraints/#type-constraints. Where both types are asserted, the shapes of the layer find
it; here at least one of them follows from a relation.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from provkg.validation.constraints.breach import Breach
from provkg.validation.constraints.bundle import ACTIVITY, AGENT, ENTITY, Bundle
from provkg.validation.constraints.events import Events, components
from provkg.vocab import PKG, PROV, short

# kind: what its subject is, and its object; "" where the relation does not tell
_ENDS = {
    "usage": ("activity", "entity"),
    "generation": ("entity", "activity"),
    "invalidation": ("entity", "activity"),
    "start": ("activity", "entity"),
    "end": ("activity", "entity"),
    "communication": ("activity", "activity"),
    "association": ("activity", "agent"),
    "attribution": ("entity", "agent"),
    "delegation": ("agent", "agent"),
    "derivation": ("entity", "entity"),
    "specialization": ("entity", "entity"),
    "alternate": ("entity", "entity"),
    "membership": ("entity", "entity"),
}
_TIMED = {
    **dict.fromkeys((PROV.startedAtTime, PROV.endedAtTime), "activity"),
    **dict.fromkeys((PROV.generatedAtTime, PROV.invalidatedAtTime), "entity"),
}
_CLASS = {kind: PROV[kind.capitalize()] for kind in _ENDS}
_CLASS["membership"] = PKG.Membership


def types(bundle: Bundle) -> dict[str, set[str]]:
    """Return the nodes that are entities, activities and agents, by assertion or by constraint 50."""
    found: dict[str, set[str]] = {"entity": set(), "activity": set(), "agent": set()}
    for node, classes in bundle.types.items():
        for word, terms in (("entity", ENTITY), ("activity", ACTIVITY), ("agent", AGENT)):
            if classes & terms:
                found[word].add(node)
    for predicate, word in _TIMED.items():
        found[word].update(bundle.times[predicate])
    for each in bundle.statements:
        subject, other = _ENDS[each.kind]
        found[subject].add(each.subject)
        if each.object:
            found[other].add(each.object)
        if each.activity:
            found["activity"].add(each.activity)
        if each.plan:
            found["entity"].add(each.plan)
    return found


def impossible(bundle: Bundle, found: dict[str, set[str]]) -> Iterator[Breach]:
    """Find what is of two types that exclude each other, and specializations of themselves."""
    for node in sorted(found["entity"] & found["activity"]):
        classes = bundle.types.get(node, set())
        if not (classes & {PROV.Entity} and classes & {PROV.Activity}):
            text = "A node is both an activity and an entity, by the relations it has (typing)."
            yield Breach((50, 55), node, text, "The document that describes a job needs a name of its own.")
    kinds: dict[str, set[str]] = defaultdict(set)
    for each in bundle.statements:
        if each.id:
            kinds[each.id].add(each.kind)
    for node in sorted(kinds):
        classes = bundle.types.get(node, set())
        if len(kinds[node] - {"derivation"}) > 1 and not all(_CLASS[kind] in classes for kind in kinds[node]):
            text = f"A relation is of two kinds: {' and '.join(sorted(kinds[node]))}."
            yield Breach((53,), node, text, "Two relations have two ids.")
        objects = [word for word, nodes in found.items() if node in nodes]
        asserted = classes & {PROV.Entity, PROV.Activity, PROV.Agent} and classes & set(_CLASS.values())
        if objects and not asserted:
            text = f"A node is both a {min(kinds[node])} and an {objects[0]}."
            yield Breach((54,), node, text, "Give the relation an id of its own.")
    yield from _reflexive(bundle)


def _reflexive(bundle: Bundle) -> Iterator[Breach]:
    """Constraint 52, after 19: nothing is a specialization of itself."""
    above = Events()
    for each in bundle.of("specialization"):
        above.put(52, ("", each.subject), ("", each.object))
    component = components(above)
    sizes = Counter(component)
    for number, (_, node) in enumerate(above.names):
        itself = any(other == number for other, _ in above.after[number])
        if itself or sizes[component[number]] > 1:
            text = f"{short(node)} is a specialization of itself."
            yield Breach((52,), node, text, "A version is more special than its file, never the other way round.")
