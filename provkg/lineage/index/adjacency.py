"""Neighbours as compressed rows: the edges of row ``rows[i]`` lie between ``ends[i]`` and ``ends[i + 1]``."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from provkg.lineage.index.columns import Array, Ids


class Edges(NamedTuple):
    """Edges between products, by number: ``of`` was made from ``node`` by the activity (or link) ``via``.

    ``kind`` says how that is known; see :data:`provkg.lineage.index.delta.KINDS`.
    """

    of: Ids
    node: Ids
    via: Ids
    kind: NDArray[np.uint8]

    def where(self, mask: Array) -> "Edges":
        """Return some of the edges."""
        return Edges(self.of[mask], self.node[mask], self.via[mask], self.kind[mask])

    def turned(self) -> "Edges":
        """Return the edges in the other direction."""
        return Edges(self.node, self.of, self.via, self.kind)


def no_edges() -> Edges:
    """Return no edges."""
    none = np.zeros(0, np.uint32)
    return Edges(none, none, none, np.zeros(0, np.uint8))


def all_of(parts: list[Edges]) -> Edges:
    """Return all edges of several lists."""
    return Edges(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else no_edges()


def rows_of(name: str, edges: Edges) -> dict[str, Array]:
    """Return edges as compressed rows by what they are ``of``."""
    key = edges.of.astype(np.uint64) << np.uint64(32) | edges.node
    if not bool((key[1:] >= key[:-1]).all()):  # layers that follow one another are in order already
        edges = edges.where(np.argsort(key))
    new = np.ones(len(edges.of), bool)
    new[1:] = edges.of[1:] != edges.of[:-1]
    starts = np.flatnonzero(new)
    return {
        f"{name}.rows": edges.of[starts],
        f"{name}.ends": np.append(starts, len(edges.of)).astype(np.uint32),
        f"{name}.node": edges.node,
        f"{name}.via": edges.via,
        f"{name}.kind": edges.kind,
    }


class Rows:
    """Compressed rows as they lie in a file."""

    def __init__(self, columns: Mapping[str, Array], name: str) -> None:
        self.rows, self.ends = columns[f"{name}.rows"], columns[f"{name}.ends"]
        self.node, self.via, self.kind = columns[f"{name}.node"], columns[f"{name}.via"], columns[f"{name}.kind"]
        # all numbers from the first to the last have a row: no search is needed
        self.first = int(self.rows[0]) if len(self.rows) else 0
        self.dense = bool(len(self.rows)) and int(self.rows[-1]) - self.first + 1 == len(self.rows)

    def of(self, ids: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the edges of some products lie, and for each edge the place of its product in ``ids``."""
        if not len(self.rows):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        if self.dense:
            at = ids.astype(np.int64) - self.first
            there = (at >= 0) & (at < len(self.rows))
        else:
            at = np.searchsorted(self.rows, ids)
            there = self.rows[np.minimum(at, len(self.rows) - 1)] == ids
        which = np.flatnonzero(there)
        at = at[which]
        starts = self.ends[at].astype(np.int64)
        counts = self.ends[at + 1].astype(np.int64) - starts
        before = np.cumsum(counts) - counts
        return np.repeat(starts - before, counts) + np.arange(int(counts.sum())), np.repeat(which, counts)

    def edges(self) -> Edges:
        """Return all edges."""
        counts = self.ends[1:].astype(np.int64) - self.ends[:-1].astype(np.int64)
        return Edges(np.repeat(self.rows, counts), self.node, self.via, self.kind)
