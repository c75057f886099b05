"""A layer of the index: what one ingest added, or several merged."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from provkg.edges import Described, Made
from provkg.lineage.index.adjacency import Edges, Rows, all_of, rows_of
from provkg.lineage.index.columns import Array, Columns, Ids, Texts, distinct, joined, save, texts
from provkg.lineage.index.delta import UNRESOLVED, hashes

NODE, VIA = "node", "via"


class Table:
    """The names that a layer adds, numbered from ``first``, and how to find them."""

    def __init__(self, columns: Columns, name: str) -> None:
        self.first: int = columns.facts[name]
        self.names = Texts(columns[f"{name}.name.ends"], columns[f"{name}.name.data"])
        self.hash, self.order = columns[f"{name}.hash"], columns[f"{name}.order"]
        self.end = self.first + len(self.names)

    def find(self, wanted: str, key: np.uint64) -> int | None:
        """Return the number of a name."""
        at = int(np.searchsorted(self.hash, key))
        while at < len(self.hash) and self.hash[at] == key:
            if self.names[int(self.order[at])] == wanted:
                return self.first + int(self.order[at])
            at += 1
        return None


class Layer:
    """A layer as it lies on disk."""

    def __init__(self, path: Path) -> None:
        self.columns = columns = Columns(path)
        self.path = path
        self.nodes, self.vias = Table(columns, NODE), Table(columns, VIA)
        self.up, self.down, self.leaf = Rows(columns, "up"), Rows(columns, "down"), Rows(columns, "leaf")
        self.killed: Ids = columns["killed"]
        self.known: NDArray[np.uint64] = columns["known"]
        self.files, self.starts = _texts(columns, "node.file"), _texts(columns, "via.start")

    @cached_property
    def words(self) -> list[str]:
        """Names, levels and types of activities."""
        return list(_texts(self.columns, "word"))

    @cached_property
    def folders(self) -> list[str]:
        """Folders of products."""
        return list(_texts(self.columns, "folder"))

    @property
    def size(self) -> int:
        """How much there is to merge."""
        return len(self.up.node) + len(self.nodes.names) + len(self.known)

    def edges(self) -> Edges:
        """Return all edges, from what was made to what it was made from."""
        return all_of([self.up.edges(), self.leaf.edges()])

    def described(self, ids: Ids) -> tuple[Array, Array]:
        """Return which of some products are described here, and where."""
        return _there(self.columns["node.ids"], ids)

    def made(self, ids: Ids) -> tuple[Array, Array]:
        """Return which of some activities are described here, and where."""
        return _there(self.columns["via.ids"], ids)


def _texts(columns: Columns, name: str) -> Texts:
    return Texts(columns[f"{name}.ends"], columns[f"{name}.data"])


def _there(known: Ids, ids: Ids) -> tuple[Array, Array]:
    if not len(known):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if int(known[-1]) - int(known[0]) + 1 == len(known):
        at = ids.astype(np.int64) - int(known[0])
        which = np.flatnonzero((at >= 0) & (at < len(known)))
    else:
        at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        which = np.flatnonzero(known[at] == ids)
    return which, at[which]


def names_of(name: str, first: int, names: Sequence[str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays of a table of new names, and its first number."""
    key = hashes(names)
    order = np.argsort(key).astype(np.uint32)
    return {**texts(f"{name}.name", names), f"{name}.hash": key[order], f"{name}.order": order}, {name: first}


class Words:
    """Texts that many rows share, by number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the number of a text."""
        return self.numbers.setdefault(text, len(self.numbers))


def described(products: Mapping[int, Described], activities: Mapping[int, Made]) -> dict[str, Array]:
    """Return the columns of what people are told of products and activities, by number."""
    words, folders = Words(), Words()
    rows = sorted(products.items())
    split = [each.location.rpartition("/") for _, each in rows]
    made = sorted(activities.items())
    return {
        "node.ids": np.array([number for number, _ in rows], np.uint32),
        "node.folder": np.array([folders.number(folder + slash) for folder, slash, _ in split], np.uint32),
        **texts("node.file", (file for _, _, file in split)),
        "node.word": np.array([words.number(each.name) for _, each in rows], np.uint32),
        "node.level": np.array([words.number(each.level) for _, each in rows], np.uint32),
        "via.ids": np.array([number for number, _ in made], np.uint32),
        "via.label": np.array([words.number(each.label) for _, each in made], np.uint32),
        **texts("via.start", (each.start for _, each in made)),
        **texts("word", words.numbers),
        **texts("folder", folders.numbers),
    }


def write(
    path: Path, edges: Edges, killed: Ids, known: Array, columns: dict[str, Array], facts: dict[str, Any]
) -> None:
    """Write a layer."""
    walked = (edges.kind < UNRESOLVED) & (edges.of != edges.node)
    steps = edges.where(walked)
    save(
        path,
        {
            **rows_of("up", steps),
            **rows_of("down", steps.turned()),
            **rows_of("leaf", edges.where(~walked)),
            "killed": killed,
            "known": distinct(known),
            **columns,
        },
        facts,
    )


def merge(path: Path, layers: Sequence[Layer]) -> None:
    """Write the layers that follow one another as one; what killed edges of layers before is kept."""
    alive = []
    killed = np.zeros(0, np.uint32)
    for layer in reversed(layers):
        edges = layer.edges()
        alive.append(edges.where(~np.isin(edges.via, killed)) if len(killed) else edges)
        killed = distinct(np.concatenate([killed, layer.killed]))
    alive.reverse()
    columns = {**_tables(layers, NODE), **_tables(layers, VIA), **_columns(layers)}
    facts = {NODE: layers[0].nodes.first, VIA: layers[0].vias.first}
    if not layers[0].nodes.first:  # nothing is before the first layer
        killed = np.zeros(0, np.uint32)
    write(path, all_of(alive), killed, np.concatenate([layer.known for layer in layers]), columns, facts)


def _tables(layers: Sequence[Layer], name: str) -> dict[str, Array]:
    tables = [layer.nodes if name == NODE else layer.vias for layer in layers]
    key = np.concatenate([table.hash for table in tables])
    at = np.concatenate([table.order + np.uint32(table.first - tables[0].first) for table in tables])
    order = np.argsort(key)
    return {
        **joined(f"{name}.name", [layer.columns for layer in layers]),
        f"{name}.hash": key[order],
        f"{name}.order": at[order],
    }


def _columns(layers: Sequence[Layer]) -> dict[str, Array]:
    """Join what is told of products and activities: what a later layer says holds."""
    words, folders = Words(), Words()
    parts: list[dict[str, Array]] = []
    for layer in layers:
        word = np.array([words.number(text) for text in layer.words], np.uint32)
        folder = np.array([folders.number(text) for text in layer.folders], np.uint32)
        columns = layer.columns
        parts.append(
            {
                "node.folder": folder[columns["node.folder"]],
                "node.word": word[columns["node.word"]],
                "node.level": word[columns["node.level"]],
                "via.label": word[columns["via.label"]],
            }
        )
    found = {**texts("word", words.numbers), **texts("folder", folders.numbers)}
    for table, text, others in ((NODE, "file", ("folder", "word", "level")), (VIA, "start", ("label",))):
        ids = np.concatenate([layer.columns[f"{table}.ids"] for layer in layers])
        kept = _last(ids)
        found[f"{table}.ids"] = ids[kept]
        for other in others:
            found[f"{table}.{other}"] = np.concatenate([part[f"{table}.{other}"] for part in parts])[kept]
        found |= _chosen(joined(f"{table}.{text}", [layer.columns for layer in layers]), f"{table}.{text}", kept)
    return found


def _last(ids: Array) -> Array:
    """Return where each number stands for the last time, in the order of the numbers."""
    order = np.argsort(ids, kind="stable")
    last = np.ones(len(ids), bool)
    last[:-1] = ids[order][1:] != ids[order][:-1]
    return np.asarray(order[last])


def _chosen(columns: dict[str, Array], name: str, kept: Array) -> dict[str, Array]:
    ends = columns[f"{name}.ends"]
    if len(kept) == len(ends) - 1 and bool((np.diff(kept) == 1).all()):
        return columns
    return texts(name, Texts(ends, columns[f"{name}.data"]).take(kept))
