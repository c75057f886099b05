"""A part of the graph as nodes and relations: PROV's three types, and one table of relations.

Source: https://www.w3.org/TR/prov-dm/, table 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

ACTIVITY, ENTITY, AGENT = "activity", "entity", "agent"


class Node(NamedTuple):
    """An activity, an entity or an agent.

    Args:
        iri: its name.
        kind: ``activity``, ``entity`` or ``agent``.
        type: its type of activity, what kind of file it is, or what kind of agent.
        label: where a file lies, or what people call it.
        start: of an activity, as recorded.
        end: of an activity, as recorded.
        status: of an activity: completed, failed, interrupted, running or unknown.
        keys: pairs of a key of the rules (night, run, subrun, …) and its value.
        parameters: pairs of a name and a value.
        marks: what makes it an exception: failed, never ended, missing, changed, tainted, different.
        session: the session of an activity.
    """

    iri: str
    kind: str
    type: str = ""
    label: str = ""
    start: str = ""
    end: str = ""
    status: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    marks: tuple[str, ...] = ()
    session: str = ""

    def key(self, name: str) -> str:
        """Return the value of a key, or nothing."""
        return next((value for key, value in self.keys if key == name), "")


class Relation(NamedTuple):
    """A row of PROV-DM's table of relations: ``kind`` is the property, such as ``used``; it points back in time."""

    kind: str
    subject: str
    object: str
    role: str = ""


@dataclass(frozen=True)
class View:
    """Nodes by IRI and the relations between them, each once.

    Args:
        nodes: by IRI; every end of a relation is there.
        relations: in order.
        focus: what it is a view of; never folded with others.
        base: what the IRIs of folds begin with.
    """

    nodes: dict[str, Node] = field(repr=False)
    relations: tuple[Relation, ...] = field(repr=False)
    focus: frozenset[str] = frozenset()
    base: str = ""

    def only(self, wanted: Callable[[Node], bool]) -> View:
        """Return the activities that are wanted, with what stands in relation to them."""
        kept = {node.iri for node in self.nodes.values() if node.kind == ACTIVITY and wanted(node)}
        relations = [each for each in self.relations if self._kept(each, kept)]
        ends = {end for each in relations for end in (each.subject, each.object)}
        links = [
            each
            for each in self.relations
            if each.subject in ends and each.object in ends and not self._ends(each) & {ACTIVITY}
        ]
        nodes = {iri: node for iri, node in self.nodes.items() if iri in kept or iri in ends}
        return View(nodes, tuple(sorted({*relations, *links})), self.focus & nodes.keys(), self.base)

    def _ends(self, relation: Relation) -> set[str]:
        return {self.nodes[relation.subject].kind, self.nodes[relation.object].kind}

    def _kept(self, relation: Relation, kept: set[str]) -> bool:
        """Say whether a relation is of an activity that is kept, and of none that is not."""
        ends = [end for end in (relation.subject, relation.object) if self.nodes[end].kind == ACTIVITY]
        return bool(ends) and all(end in kept for end in ends)


def view_of(nodes: Iterable[Node], relations: Iterable[Relation], focus: Iterable[str] = (), base: str = "") -> View:
    """Return a view in order; what a relation names and nobody describes is an entity without a name."""
    found = {node.iri: node for node in nodes}
    ordered = tuple(sorted(set(relations)))
    for each in ordered:
        for end in (each.subject, each.object):
            found.setdefault(end, Node(end, ENTITY))
    return View(dict(sorted(found.items())), ordered, frozenset(focus) & found.keys(), base)
