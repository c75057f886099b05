"""Fold a view: nodes that belong together become one with their members, and nothing is lost or counted twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from provkg import identity
from provkg.rollup.view import Node, Relation, View, view_of

MIXED = "chain"
_MOST_AGREE, _MANY = 0.9, 10  # who differs from nine of ten is an exception; of fewer nobody can say


class FoldedRelation(NamedTuple):
    """All relations of one kind and role between two folds; ``members`` are the relations themselves."""

    kind: str
    subject: str
    object: str
    role: str
    members: tuple[Relation, ...]


@dataclass(frozen=True)
class Fold:
    """One node of a roll-up: a single node, or many.

    Args:
        iri: that of the node, or one made of those of the members.
        members: in the order of their start, place and name.
    """

    iri: str
    members: tuple[Node, ...] = field(repr=False)

    @property
    def count(self) -> int:
        """How many nodes it is."""
        return len(self.members)

    @cached_property
    def kind(self) -> str:
        """``activity``, ``entity``, ``agent``, or ``chain`` where it is of several."""
        return self._common("kind") or MIXED

    @cached_property
    def type(self) -> str:
        """The type of all members; empty where they have several."""
        return self._common("type")

    @cached_property
    def label(self) -> str:
        """The label of all members; empty where they have several."""
        return self._common("label")

    def _common(self, name: str) -> str:
        found = {getattr(member, name) for member in self.members}
        return str(found.pop()) if len(found) == 1 else ""

    @cached_property
    def start(self) -> str:
        """The first start of a member."""
        return min((member.start for member in self.members if member.start), default="")

    @cached_property
    def end(self) -> str:
        """The last end of a member."""
        return max((member.end for member in self.members if member.end), default="")

    @cached_property
    def statuses(self) -> Counter[str]:
        """How many members have each status."""
        return Counter(member.status for member in self.members if member.status)

    @cached_property
    def marks(self) -> Counter[str]:
        """How many members have each mark."""
        return Counter(mark for member in self.members for mark in member.marks)

    @cached_property
    def keys(self) -> dict[str, list[str]]:
        """The values of each key, each once and in order."""
        found: dict[str, set[str]] = defaultdict(set)
        for member in self.members:
            for key, value in member.keys:
                found[key].add(value)
        return {key: sorted(values) for key, values in found.items()}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters that all members have with one value."""
        values = self._values
        return {name: next(iter(found)) for name, found in values.items() if self._agree(found)}

    @cached_property
    def differing(self) -> dict[str, int]:
        """How many values the other parameters have; to have none is one, too."""
        return {
            name: len(found) + (found.total() < self.count)
            for name, found in self._values.items()
            if not self._agree(found)
        }

    def _agree(self, found: Counter[str]) -> bool:
        return len(found) == 1 and found.total() == self.count

    @cached_property
    def _values(self) -> dict[str, Counter[str]]:
        values: dict[str, Counter[str]] = defaultdict(Counter)
        for member in self.members:
            for name, value in member.parameters:
                values[name][value] += 1
        return dict(sorted(values.items()))

    @cached_property
    def different(self) -> frozenset[str]:
        """The members with a parameter in which nine of ten agree, and not with them."""
        if self.count < _MANY:
            return frozenset()
        common = {
            name: value
            for name, found in self._values.items()
            for value, count in found.most_common(1)
            if self.count > count >= _MOST_AGREE * self.count
        }
        return frozenset(
            member.iri
            for member in self.members
            if common and any(dict(member.parameters).get(name) != value for name, value in common.items())
        )

    def exception(self, member: Node) -> str:
        """Return what sets a member apart from the others, or nothing."""
        return ", ".join((*member.marks, *(["different"] if member.iri in self.different else [])))


@dataclass(frozen=True)
class Rollup:
    """Folds by IRI, the relations between them, and those inside one fold.

    Args:
        folds: in order; each node of the view is a member of exactly one.
        relations: in order; each relation of the view is a member of exactly one, or is inside.
        inside: the relations between members of one fold.
        focus: what it is a view of.
    """

    folds: dict[str, Fold] = field(repr=False)
    relations: tuple[FoldedRelation, ...] = field(repr=False)
    inside: tuple[Relation, ...] = field(repr=False)
    focus: frozenset[str] = frozenset()
    base: str = ""

    def unfolded(self) -> View:
        """Return the view of which this is the roll-up."""
        nodes = [member for fold in self.folds.values() for member in fold.members]
        relations = [member for relation in self.relations for member in relation.members]
        return view_of(nodes, [*relations, *self.inside], self.focus, self.base)

    @cached_property
    def by_subject(self) -> dict[str, list[FoldedRelation]]:
        """The relations of each fold, in order."""
        found: dict[str, list[FoldedRelation]] = defaultdict(list)
        for relation in self.relations:
            found[relation.subject].append(relation)
        return dict(found)


def fold(view: View, groups: Mapping[str, Hashable]) -> Rollup:
    """Fold the nodes of a view that are of one group.

    Args:
        view: the view.
        groups: the group of each node, by IRI; a node without one stays alone.
    """
    together: dict[Hashable, list[Node]] = defaultdict(list)
    for iri, node in view.nodes.items():
        together[("group", groups[iri]) if iri in groups else iri].append(node)
    folds = [_folded(members, view.base) for members in together.values()]
    place = {member.iri: each.iri for each in folds for member in each.members}
    found: dict[tuple[str, str, str, str], list[Relation]] = defaultdict(list)
    inside = []
    for each in view.relations:
        subject, object_ = place[each.subject], place[each.object]
        if subject == object_ and each.subject != each.object:
            inside.append(each)
        else:
            found[each.kind, subject, object_, each.role].append(each)
    relations = tuple(FoldedRelation(*key, tuple(members)) for key, members in sorted(found.items()))
    ordered = {each.iri: each for each in sorted(folds, key=_order)}
    return Rollup(ordered, relations, tuple(inside), view.focus, view.base)


def _folded(members: list[Node], base: str) -> Fold:
    if len(members) == 1:
        return Fold(members[0].iri, (members[0],))
    ordered = sorted(members, key=lambda member: (member.start, member.label, member.iri))
    return Fold(f"{base}fold/{identity.digest(*sorted(member.iri for member in members))}", tuple(ordered))


def _order(each: Fold) -> tuple[str, str, str, str, str]:
    first = each.members[0]
    return each.kind, each.start, first.type, first.label, each.iri
