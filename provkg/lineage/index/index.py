"""The index as it is asked: closures, steps and what people are told of them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from provkg.edges import Described, Made
from provkg.lineage.index.adjacency import Edges, Rows, all_of
from provkg.lineage.index.columns import Array, Ids, distinct
from provkg.lineage.index.delta import LINKS, hashes
from provkg.lineage.index.layer import NODE, Layer, Table

_FEW = 4096


class Reached(NamedTuple):
    """Edges that a walk came along, and how many steps from its start each lies."""

    edges: Edges
    depth: NDArray[np.int32]


class Index:
    """Who came from whom.

    Args:
        layers: the oldest first.
        base: what the IRIs of the data begin with.
    """

    def __init__(self, layers: Sequence[Layer], base: str) -> None:
        self.layers = tuple(layers)
        self.base = base
        self.nodes = layers[-1].nodes.end if layers else 0
        self.vias = layers[-1].vias.end if layers else 0
        self.spare: list[Array] = []  # marks of products, all false: to clear a few is faster than to make millions

    # Names and numbers

    def find(self, product: str) -> int | None:
        """Return the number of a product; None where nothing was made from it and nobody recorded making it."""
        name = self.name(product)
        (key,) = hashes([name])
        return next((found for layer in self.layers if (found := layer.nodes.find(name, key)) is not None), None)

    def numbered(self, names: Iterable[str], kind: str) -> tuple[dict[str, int], dict[str, int]]:
        """Number names of products or activities: those that are new from the end on, and those that are known."""
        names = list(names)
        key = hashes(names)
        known: dict[str, int] = {}
        for layer in self.layers:
            table = layer.nodes if kind == NODE else layer.vias
            if len(table.hash):
                at = np.minimum(np.searchsorted(table.hash, key), len(table.hash) - 1)
                for which in np.flatnonzero(table.hash[at] == key).tolist():
                    number = table.find(names[which], key[which])
                    if number is not None:
                        known[names[which]] = number
        first = self.nodes if kind == NODE else self.vias
        new = (name for name in names if name not in known)
        return {name: first + count for count, name in enumerate(new)}, known

    def name(self, iri: str) -> str:
        """Return an IRI as the tables hold it."""
        return iri.removeprefix(self.base)

    def iris(self, ids: Ids) -> list[str]:
        """Return the IRIs of products."""
        return self._iris(ids, [layer.nodes for layer in self.layers])

    def activities(self, ids: Ids) -> list[str]:
        """Return the IRIs of activities and links."""
        return self._iris(ids, [layer.vias for layer in self.layers])

    def _iris(self, ids: Ids, tables: list[Table]) -> list[str]:
        found = [""] * len(ids)
        for table in tables:
            which = np.flatnonzero((ids >= table.first) & (ids < table.end))
            for at, name in zip(which.tolist(), table.names.take(ids[which] - np.uint32(table.first)), strict=True):
                found[at] = name if "://" in name or name.startswith("urn:") else self.base + name
        return found

    def knows(self, names: Iterable[str]) -> set[str]:
        """Return those of some IRIs that an ingest before may have spoken of."""
        names = list(names)
        key = hashes(names)
        there = np.zeros(len(names), bool)
        for layer in self.layers:
            if len(layer.known):
                at = np.minimum(np.searchsorted(layer.known, key), len(layer.known) - 1)
                there |= layer.known[at] == key
        return {names[at] for at in np.flatnonzero(there).tolist()}

    # What people are told

    def describe(self, ids: Ids) -> list[Described]:
        """Return what people are told of products."""
        found = [Described()] * len(ids)
        for layer in self.layers:
            which, at = layer.described(ids)
            if not len(which):
                continue
            columns = layer.columns
            rows = zip(
                which.tolist(),
                columns["node.folder"][at].tolist(),
                layer.files.take(at),
                columns["node.word"][at].tolist(),
                columns["node.level"][at].tolist(),
                strict=True,
            )
            for here, folder, file, word, level in rows:
                found[here] = Described(layer.folders[folder] + file, layer.words[word], layer.words[level])
        return found

    def made(self, ids: Ids) -> list[Made]:
        """Return what people are told of activities; a link is told of by nothing."""
        found = [Made()] * len(ids)
        for layer in self.layers:
            which, at = layer.made(ids)
            if not len(which):
                continue
            labels, starts = layer.columns["via.label"][at].tolist(), layer.starts.take(at)
            for here, label, start in zip(which.tolist(), labels, starts, strict=True):
                found[here] = Made(layer.words[label], start)
        return found

    # Walking

    @cached_property
    def killed(self) -> Array | None:
        """For each activity the last layer in which its earlier edges ended; None where none did."""
        if not any(len(layer.killed) for layer in self.layers):
            return None
        last = np.zeros(self.vias, np.int32)
        for number, layer in enumerate(self.layers):
            last[layer.killed] = number
        return last

    def neighbours(self, ids: Ids, rows: str) -> Iterator[tuple[Rows, Array, Array]]:
        """Give for each layer its rows, where in them the living edges of some products lie, and of which product."""
        for number, layer in enumerate(self.layers):
            table: Rows = getattr(layer, rows)
            at, of = table.of(ids)
            if len(at) and self.killed is not None:
                alive = self.killed[table.via[at]] <= number
                at, of = at[alive], of[alive]
            if len(at):
                yield table, at, of

    def edges(self) -> Edges:
        """Return all living edges, those that end a history too."""
        found = []
        for number, layer in enumerate(self.layers):
            edges = layer.edges()
            found.append(edges if self.killed is None else edges.where(self.killed[edges.via] <= number))
        return all_of(found)

    def levels(self, start: Ids, *, down: bool, depth: int | None = None) -> Iterator[Ids]:
        """Give what lies one step from the start, two steps, and so on; each product once."""
        seen = self.spare.pop() if self.spare else np.zeros(self.nodes, bool)
        place = np.empty(self.nodes, np.uint32)  # only written where it is read
        passed = [start]
        try:
            for new in self._levels(start, seen, place, down=down, depth=depth):
                passed.append(new)
                yield new
        finally:
            for ids in passed:
                seen[ids] = False
            self.spare.append(seen)

    def _levels(self, start: Ids, seen: Array, place: Array, *, down: bool, depth: int | None) -> Iterator[Ids]:
        seen[start] = True
        frontier, level = start, 0
        while len(frontier) and (depth is None or level < depth):
            level += 1
            found = [table.node[at] for table, at, _ in self.neighbours(frontier, "down" if down else "up")]
            if not found:
                return
            new = np.concatenate(found) if len(found) > 1 else found[0]
            new = new[~seen[new]]
            if len(new) < _FEW:
                new = distinct(new)
            else:  # each once, without sorting
                order = np.arange(len(new), dtype=np.uint32)
                place[new] = order
                new = new[place[new] == order]
            seen[new] = True
            frontier = new
            if len(new):
                yield new

    def closure(self, start: int | Ids, *, down: bool, depth: int | None = None) -> Ids:
        """Return all that some products were made from, or all that was made from them, nearest first.

        A product of the start is among them only where it was made from another, or a circle of derivations leads back.
        """
        starts = distinct(np.atleast_1d(np.asarray(start, np.uint32)))
        found = list(self.levels(starts, down=down, depth=depth))
        reached = np.concatenate(found) if found else np.zeros(0, np.uint32)
        return np.append(reached, self.again(starts, reached, down=down))

    def again(self, starts: Ids, reached: Ids, *, down: bool) -> Ids:
        """Return those of the start to which a walk comes."""
        passed = np.append(reached, starts)
        found = [
            starts[of[np.isin(table.node[at], passed)]]
            for table, at, of in self.neighbours(starts, "up" if down else "down")
        ]
        return distinct(np.concatenate(found)) if found else np.zeros(0, np.uint32)

    def makers(self, products: Ids) -> Ids:
        """Return the activities that made some products."""
        found = [
            table.via[at][~np.isin(table.kind[at], LINKS)]
            for rows in ("up", "leaf")
            for table, at, _ in self.neighbours(products, rows)
        ]
        return distinct(np.concatenate(found)) if found else np.zeros(0, np.uint32)

    def reached(self, product: int, *, down: bool, depth: int | None = None) -> Reached:
        """Return all edges that a walk comes along, with unresolved usages and activities without inputs."""
        start = np.array([product], np.uint32)
        parts, depths = [], []
        for level, frontier in enumerate((start, *self.levels(start, down=down, depth=depth)), 1):
            if depth is not None and level > depth:
                break
            for rows in ("down",) if down else ("up", "leaf"):
                for table, at, of in self.neighbours(frontier, rows):
                    parts.append(Edges(frontier[of], table.node[at], table.via[at], table.kind[at]))
                    depths.append(np.full(len(at), level, np.int32))
        return Reached(all_of(parts), np.concatenate(depths) if depths else np.zeros(0, np.int32))
