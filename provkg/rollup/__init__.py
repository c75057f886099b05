"""Granularity on demand: views of the graph, exact or folded by sub-run, run and night; nothing is thrown away."""

from provkg.rollup.budget import NODES, budgeted
from provkg.rollup.folding import MIXED, Fold, FoldedRelation, Rollup, fold
from provkg.rollup.grain import grouped
from provkg.rollup.opening import opened
from provkg.rollup.reading import read
from provkg.rollup.rows import COUNT, in_common, rolled
from provkg.rollup.rules import GRAINS, Rules, load
from provkg.rollup.scope import DIRECTIONS, Scope, find
from provkg.rollup.view import ACTIVITY, AGENT, ENTITY, Node, Relation, View, view_of

__all__ = [
    "ACTIVITY",
    "AGENT",
    "COUNT",
    "DIRECTIONS",
    "ENTITY",
    "GRAINS",
    "MIXED",
    "NODES",
    "Fold",
    "FoldedRelation",
    "Node",
    "Relation",
    "Rollup",
    "Rules",
    "Scope",
    "View",
    "budgeted",
    "find",
    "fold",
    "grouped",
    "in_common",
    "load",
    "opened",
    "read",
    "rolled",
    "view_of",
]
