"""Group the nodes of a view by grain: what happened in one run or night, and the files of one kind that it made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from provkg.rollup.rules import Rules
from provkg.rollup.view import ACTIVITY, AGENT, ENTITY, Node, View

Groups = dict[str, Hashable]


def grouped(view: View, rules: Rules, grain: str) -> Groups:
    """Return the group of each node.

    Activities of one type that share the keys of the grain are one group, and so are entities of one type that one
    group made in one role; entities that nobody made, where they share the keys. Who has no keys stays alone, and so
    does what the view is of. No group comes from itself, whatever its members come from each other.

    Args:
        view: the view.
        rules: which keys make a grain.
        grain: ``subrun``, which groups nothing, ``run`` or ``night``.

    Raises:
        InputError: there is no such grain.
    """
    wanted = rules.finer(grain)
    groups: Groups = {iri: iri for iri in view.nodes}
    if not wanted:
        return groups
    made = _made(view)
    for iri, node in view.nodes.items():
        if node.kind == ACTIVITY and iri not in view.focus:
            groups[iri] = _keyed(node, wanted)
    for iri, node in view.nodes.items():
        if node.kind != ENTITY or iri in view.focus:
            continue
        groups[iri] = (ENTITY, node.type, made[iri][1], groups[made[iri][0]]) if iri in made else _keyed(node, wanted)
    return acyclic(view, numbered(groups))


def numbered(groups: Groups) -> Groups:
    """Return the same groups with a number for each, which is compared faster than what it was made of.

    >>> numbered({"a": ("x", "y"), "b": "z", "c": ("x", "y")})
    {'a': 0, 'b': 1, 'c': 0}
    """
    numbers: dict[Hashable, int] = {}
    return {iri: numbers.setdefault(group, len(numbers)) for iri, group in groups.items()}


def typed(view: View, *, deep: bool) -> Groups:
    """Return as groups the activities of one type, and the entities of one type; where deep by who made them, too."""
    made = _made(view)
    groups: Groups = {}
    for iri, node in view.nodes.items():
        if iri in view.focus:
            groups[iri] = iri
        elif node.kind == ENTITY and deep and iri in made:
            maker, role = made[iri]
            groups[iri] = (node.kind, node.type, role, view.nodes[maker].type)
        elif node.kind == AGENT and deep:
            groups[iri] = iri
        else:
            groups[iri] = (node.kind, node.type)
    return numbered(groups)


def _made(view: View) -> dict[str, tuple[str, str]]:
    """Return who made each entity, and in which role; the first where there are several."""
    return {
        each.subject: (each.object, each.role) for each in reversed(view.relations) if each.kind == "wasGeneratedBy"
    }


def _keyed(node: Node, wanted: list[tuple[str, ...]]) -> Hashable:
    """Return the group of a node by the first of some lists of keys of which it has the first key."""
    known = dict(node.keys)
    for keys in wanted:
        if keys[0] in known:
            return node.kind, node.type, tuple((key, known.get(key)) for key in keys)
    return node.iri


def acyclic(view: View, groups: Groups) -> Groups:
    """Split groups of which one comes from itself, by how far their members are from what they come from.

    Where nodes come from themselves by their own records, their groups stay as they are.
    """
    after: dict[Hashable, list[Hashable]] = defaultdict(list)
    for subject, object_ in between(view, groups):
        after[subject].append(object_)
    circle = {group: number for number, circle in enumerate(circles(after)) for group in circle}
    inner: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for each in view.relations if circle else ():
        number = circle.get(groups[each.subject])
        if number is not None and number == circle.get(groups[each.object]):
            inner[number].append((each.subject, each.object))
    ranks = {iri: rank for pairs in inner.values() for iri, rank in _ranks(pairs).items()}
    return numbered(groups | {iri: (groups[iri], rank) for iri, rank in ranks.items()}) if ranks else groups


def between(view: View, groups: Groups) -> dict[tuple[Hashable, Hashable], None]:
    """Return the pairs of different groups between which there are relations, each once and in order."""
    pairs = dict.fromkeys((groups[each.subject], groups[each.object]) for each in view.relations)
    return {pair: None for pair in pairs if pair[0] != pair[1]}


def circles(after: Mapping[Hashable, Iterable[Hashable]]) -> list[list[Hashable]]:
    """Return the nodes that come from each other, for each circle or several that touch; in order.

    Source: Tarjan, Depth-first search and linear graph algorithms, 1972.

    >>> circles({"a": ["b"], "b": ["a", "c"], "c": []})
    [['b', 'a']]
    """
    number: dict[Hashable, int] = {}
    low: dict[Hashable, int] = {}
    stack: list[Hashable] = []
    waiting: set[Hashable] = set()
    found = []
    for start in after:
        todo = [] if start in number else [(start, iter(after[start]))]
        while todo:
            node, rest = todo[-1]
            if node not in number:
                number[node] = low[node] = len(number)
                stack.append(node)
                waiting.add(node)
            for other in rest:
                if other not in number:
                    todo.append((other, iter(after.get(other, ()))))
                    break
                if other in waiting:
                    low[node] = min(low[node], number[other])
            else:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[node])
                if low[node] == number[node]:
                    circle: list[Hashable] = []
                    while not circle or circle[-1] != node:
                        circle.append(stack.pop())
                    waiting.difference_update(circle)
                    found.append(circle)
    return [each for each in found if len(each) > 1]


def _ranks(pairs: list[tuple[str, str]]) -> dict[str, int]:
    """Return the longest way from each node to one that comes from nothing; nothing where nodes make a circle."""
    after: dict[str, set[str]] = defaultdict(set)
    for subject, object_ in pairs:
        after[subject].add(object_)
    ranks: dict[str, int] = {}
    try:
        for iri in TopologicalSorter(after).static_order():
            ranks[iri] = max((ranks[each] + 1 for each in after.get(iri, ())), default=0)
    except CycleError:
        return {}
    return ranks
