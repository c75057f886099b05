"""Fold a view until it has no more nodes than a person can look at, with the exceptions apart."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterator

from provkg.rollup.folding import Fold, Rollup, fold
from provkg.rollup.grain import Groups, between, grouped, numbered, typed
from provkg.rollup.rules import GRAINS, Rules
from provkg.rollup.view import Node, View

NODES = 60
_HOPELESS = 100  # times as many groups as wanted: that many are not alike
_FEW = 4  # a group that would become so many is shown as these, where there is room


def budgeted(view: View, rules: Rules, *, nodes: int = NODES, grain: str = "subrun") -> Rollup:
    """Fold a view to at most so many nodes: no more than it must, and by grain before by type.

    Members that failed, never ended, are missing, changed, tainted or different are taken out of their fold as far as
    there is room; groups near what the view is of are shown as their parts where these are few.

    Args:
        view: the view.
        rules: which keys make a grain.
        nodes: the most nodes to give, 1 or more.
        grain: the finest grain to give.

    Raises:
        InputError: there is no such grain.
    """
    finer: Groups | None = None
    for groups in _coarser(view, rules, grain, nodes):
        if len(set(groups.values())) <= nodes:
            break
        finer = groups
    groups = _excepted(view, groups, nodes)
    if finer is not None:
        groups = _shown(view, groups, finer, nodes)
    return fold(view, groups)


def _coarser(view: View, rules: Rules, grain: str, nodes: int) -> Iterator[Groups]:
    """Give groups of the nodes, each coarser than those before; the last is one group for all."""
    grains = GRAINS[GRAINS.index(grain) :] if grain in GRAINS else (grain,)
    for each in grains:
        groups = grouped(view, rules, each)
        yield groups
        if len(set(groups.values())) < _HOPELESS * nodes:
            yield _alike(view, groups)
    yield typed(view, deep=True)
    groups = typed(view, deep=False)
    yield groups
    chained = _chained(view, groups)
    yield chained
    counts = Counter(chained.values())
    for most in (40, 20, 10, 4):  # types that are the most frequent, and the others together by kind
        kept = {group for group, _ in sorted(counts.items(), key=lambda each: (-each[1], repr(each[0])))[:most]}
        yield {
            iri: group if group in kept or iri in view.focus else ("others", view.nodes[iri].kind)
            for iri, group in chained.items()
        }
    yield {iri: iri if iri in view.focus else view.nodes[iri].kind for iri in view.nodes}
    yield {iri: "focus" if iri in view.focus else "others" for iri in view.nodes}
    yield dict.fromkeys(view.nodes, "all")


def _alike(view: View, groups: Groups) -> Groups:
    """Put groups together that are of one kind and type and stand in the same relations to the same others."""
    ends: dict[Hashable, set[tuple[object, ...]]] = defaultdict(set)
    related = {(groups[each.subject], groups[each.object], each.kind, each.role) for each in view.relations}
    for subject, object_, kind, role in related:
        ends[subject].add(("to", kind, role, object_))
        ends[object_].add(("from", kind, role, subject))
    found: dict[Hashable, Hashable] = {}
    for iri, group in groups.items():
        node = view.nodes[iri]
        if iri in view.focus:
            found[group] = group
        else:
            found.setdefault(group, ("alike", node.kind, node.type, frozenset(ends[group])))
    return numbered({iri: found[group] for iri, group in groups.items()})


def _chained(view: View, groups: Groups) -> Groups:
    """Put groups together that follow each other without a branch."""
    to: dict[Hashable, set[Hashable]] = defaultdict(set)
    of: dict[Hashable, set[Hashable]] = defaultdict(set)
    for subject, object_ in between(view, groups):
        to[subject].add(object_)
        of[object_].add(subject)
    focus = {groups[iri] for iri in view.focus}
    inner = {
        group
        for group in dict.fromkeys(groups.values())
        if len(to[group]) == 1 == len(of[group]) and group not in focus
    }
    found: dict[Hashable, Hashable] = {}
    for group in dict.fromkeys(groups.values()):
        if group not in inner or group in found:
            continue
        chain, todo = [], [group]
        while todo:  # both ways along the chain
            one = todo.pop()
            if one in inner and one not in found:
                found[one] = ("chain", group)
                chain.append(one)
                todo += [*to[one], *of[one]]
        if len(chain) == 1:
            found[group] = group
    return numbered({iri: found.get(group, group) for iri, group in groups.items()})


def _excepted(view: View, groups: Groups, nodes: int) -> Groups:
    """Take the members that are exceptions out of their groups, the rarest first, while there is room."""
    found = dict(groups)
    room = nodes - len(set(groups.values()))
    apart: dict[tuple[Hashable, str], list[Node]] = defaultdict(list)
    together: dict[Hashable, list[Node]] = defaultdict(list)
    for iri, group in groups.items() if room > 0 else ():
        together[group].append(view.nodes[iri])
    for group, members in together.items():
        each = Fold("", tuple(members))
        for member in members if len(members) > 1 else ():
            if exception := each.exception(member):
                apart[group, exception].append(member)
    sizes = {group: len(members) for group, members in together.items()}
    for (group, exception), members in sorted(apart.items(), key=lambda item: (len(item[1]), item[1][0].iri)):
        if room > 0 and len(members) < sizes[group]:
            room -= 1
            found |= {member.iri: (group, exception) for member in members}
    return found


def _shown(view: View, groups: Groups, finer: Groups, nodes: int) -> Groups:
    """Show groups as the finer ones of which they consist, nearest to the focus first, where these are few."""
    found = dict(groups)
    parts: dict[Hashable, dict[Hashable, list[str]]] = defaultdict(lambda: defaultdict(list))
    for iri, group in groups.items():
        parts[group][finer[iri]].append(iri)
    room = nodes - len(parts)
    for group in _nearest(view, groups):
        few = parts[group]
        if 1 < len(few) <= min(_FEW, room + 1):
            room -= len(few) - 1
            found |= {iri: ("part", part) for part, members in few.items() for iri in members}
    return found


def _nearest(view: View, groups: Groups) -> list[Hashable]:
    """Return the groups, those nearest to the focus first."""
    beside: dict[Hashable, dict[Hashable, None]] = defaultdict(dict)
    for subject, object_ in between(view, groups):
        beside[subject][object_] = beside[object_][subject] = None
    starts = dict.fromkeys(groups[iri] for iri in sorted(view.focus)) or dict.fromkeys(groups.values())
    seen, todo = dict(starts), deque(starts)
    while todo:
        for other in beside[todo.popleft()]:
            if other not in seen:
                seen[other] = None
                todo.append(other)
    return [*seen, *(group for group in dict.fromkeys(groups.values()) if group not in seen)]
