"""A year of lineage made from one night: how long its index takes to build, to open and to ask.

    python benchmarks/synthetic.py [--folder NIGHT] [--nights 200] [--rounds 5]

FOLDER holds the logs of a night; without it one is made. Its index is repeated for each night with other names of
products and activities; what many activities read and nobody made (models, configurations) is the same in all nights.
The index is built from these arrays by the functions that the ingest uses: ``write`` for one layer of all, and
``merge`` of a layer for each night.
"""

import json
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pyoxigraph
from logs import night, options
from measure import Part, median, ms, rounds, short, step, timed
from subjects import Subject, subjects

import provkg
from provkg.lineage import lineage
from provkg.lineage.index import Index, index_of
from provkg.lineage.index.adjacency import Edges, all_of
from provkg.lineage.index.columns import Array, Texts
from provkg.lineage.index.delta import hashes
from provkg.lineage.index.files import FORMAT, LIST, load
from provkg.lineage.index.layer import NODE, VIA, Layer, merge, write
from provkg.store import LocalGraph

SHARED_BY = 0.01  # of the activities of a night
CLOSURES = {"lineage of a DL3": 1, "impact of a pedestal": 5, "impact of a model": 100}  # aims, in ms
ROWS = {"lineage of a DL3": 10, "impact of a pedestal": 150}


class Year:
    """One night's layer, to be repeated: what all nights share is numbered first."""

    def __init__(self, layer: Layer) -> None:
        self.layer, self.one = layer, layer.edges()
        made = np.zeros(layer.nodes.end, bool)
        made[self.one.of] = True
        pairs = np.unique(self.one.node.astype(np.uint64) << np.uint64(32) | self.one.via)
        read = np.bincount((pairs >> np.uint64(32)).astype(np.int64), minlength=len(made))
        shared = ~made & (read > SHARED_BY * layer.vias.end)
        self.shared, self.own = np.flatnonzero(shared), np.flatnonzero(~shared)
        self.calls = np.arange(layer.vias.end)
        self.place = np.argsort(np.concatenate([self.shared, self.own]))

    def first(self, at: int) -> int:
        """Return the number of the first product that a night adds."""
        return len(self.shared) + at * len(self.own) if at else 0

    def number(self, ids: Array, at: int) -> Array:
        """Return the numbers in the year of products of a night."""
        placed = self.place[ids]
        return np.where(placed < len(self.shared), placed, placed + at * len(self.own)).astype(np.uint32)

    def edges(self, nights: range) -> Edges:
        """Return the edges of some nights."""
        one, calls = self.one, len(self.calls)
        columns = ((self.number(one.of, at), self.number(one.node, at), one.via + at * calls) for at in nights)
        return all_of([Edges(of, node, via.astype(np.uint32), one.kind) for of, node, via in columns])

    def columns(self, nights: range) -> dict[str, Array]:
        """Return names, and what people are told, of some nights."""
        layer, count = self.layer, len(nights)
        shared = self.shared if nights[0] == 0 else self.shared[:0]
        common = ("word.ends", "word.data", "folder.ends", "folder.data")
        found = {name: layer.columns[name] for name in common}
        for name in ("node.folder", "node.word", "node.level"):
            one = layer.columns[name]
            found[name] = np.concatenate([one[shared], *[one[self.own]] * count])
        found["via.label"] = np.tile(layer.columns["via.label"], count)
        found |= texts_of(layer, "node.name", shared, self.own, nights, mark=True)
        found |= texts_of(layer, "node.file", shared, self.own, nights)
        found |= texts_of(layer, "via.name", shared[:0], self.calls, nights, mark=True)
        found |= texts_of(layer, "via.start", shared[:0], self.calls, nights)
        for name, first in ((NODE, self.first(nights[0])), (VIA, nights[0] * len(self.calls))):
            found[f"{name}.ids"] = np.arange(first, first + len(found[f"{name}.name.ends"]) - 1, dtype=np.uint32)
        return found

    def known(self, nights: range) -> Array:
        """Return as many hashes as the nights have names."""
        spins = (np.uint64(at * 0x9E3779B97F4A7C15 % (1 << 64)) for at in nights)
        return np.concatenate([self.layer.known ^ spin for spin in spins])


def texts_of(
    layer: Layer, name: str, shared: Array, own: Array, nights: range, *, mark: bool = False
) -> dict[str, Array]:
    """Return texts: those that are shared, then the others for each night, with its number in their last part."""
    texts = Texts(layer.columns[f"{name}.ends"], layer.columns[f"{name}.data"])
    once, each = ([text.encode() for text in texts.take(ids)] for ids in (shared, own))
    data = np.tile(np.frombuffer(b"".join(each), np.uint8), (len(nights), 1))
    sizes = np.array([len(text) for text in each])
    if mark:
        at = np.cumsum(sizes) - sizes + np.array([text.rfind(b"/") + 1 for text in each])
        for digit in range(4):
            data[:, at + digit] = (np.array(nights) // 10 ** (3 - digit) % 10 + ord("0"))[:, None]
    lengths = np.concatenate([[0], [len(text) for text in once], np.tile(sizes, len(nights))])
    return {
        f"{name}.ends": np.cumsum(lengths).astype(np.uint32),
        f"{name}.data": np.concatenate([np.frombuffer(b"".join(once), np.uint8), data.ravel()]),
    }


def keys(columns: dict[str, Array]) -> dict[str, Array]:
    """Return the hashes of the names: an ingest makes them night by night."""
    found = {}
    for name in (NODE, VIA):
        texts = Texts(columns[f"{name}.name.ends"], columns[f"{name}.name.data"])
        found[name] = hashes(texts.take(np.arange(len(texts))))
    return found


def build(
    path: Path, year: Year, nights: range, columns: dict[str, Array], key: dict[str, Array], edges: Edges
) -> None:
    """Write a layer from arrays."""
    for name in (NODE, VIA):
        order = np.argsort(key[name]).astype(np.uint32)
        columns |= {f"{name}.hash": key[name][order], f"{name}.order": order}
    facts = {NODE: year.first(nights[0]), VIA: nights[0] * len(year.calls)}
    write(path, edges, np.zeros(0, np.uint32), year.known(nights), columns, facts)


def built(part: Part, folder: Path, year: Year, count: int) -> None:
    """Build the year in one go, and from a layer for each night; tell."""
    nights = range(count)
    with step(f"repeat a night {count} times"):
        columns, edges = year.columns(nights), year.edges(nights)
    with step("hash the names"):
        hashing = timed(lambda: part.figures.update(key=keys(columns)))
    key = part.figures.pop("key")
    path = folder / "year.layer"
    with step("build the index from arrays"):
        once = timed(build, path, year, nights, columns, key, edges)
    (folder / LIST).write_text(json.dumps({"format": FORMAT, "layers": [path.name]}))
    apart = folder / "nights"
    apart.mkdir()
    with step("write a layer for each night"):
        layers = [a_night(apart, year, at) for at in nights]
    with step("merge them"):
        merged = timed(merge, apart / "merged", layers)
    table = part.table("Building", "what", "")
    table.add("products", f"{len(columns['node.ids']):,}")
    table.add("activities", f"{len(columns['via.ids']):,}")
    table.add("edges", f"{len(edges.of):,}")
    table.add("hash the names (an ingest does it night by night), s", short(hashing))
    table.add("build one layer from arrays, s", short(once))
    table.add(f"merge {count} layers into one, s", short(merged))
    table.add("on disk, MB", short(path.stat().st_size / 1e6))
    part.figures["build"] = {"hash": hashing, "build": once, "merge": merged, "bytes": path.stat().st_size}
    part.aim("index of a year: build from arrays", once, 5, "s")
    part.aim("index of a year: on disk", path.stat().st_size / 1e6, 1000, "MB")


def a_night(folder: Path, year: Year, at: int) -> Layer:
    """Write the layer of one night."""
    nights, path = range(at, at + 1), folder / f"{at}.layer"
    columns = year.columns(nights)
    build(path, year, nights, columns, keys(columns), year.edges(nights))
    return Layer(path)


def asked(part: Part, folder: Path, year: Year, single: Index, wanted: list[Subject], count: int) -> None:
    """Open the index and ask it, beside the index of one night."""
    opened = rounds({"open": lambda: load(folder, single.base)}, count)["open"]
    graph = LocalGraph(pyoxigraph.Store(), single.base, "", folder)
    index = index_of(graph)
    table = part.table("Asking", "what", "products", "one night, ms", "the year, ms", "the first time, ms")
    table.add("open the index", "", "", ms(opened), "")
    part.aim("index of a year: open", median(opened) * 1000, 50, "ms")
    for subject in wanted:
        one = single.find(subject.iri)
        assert one is not None
        here = int(year.number(np.array([one]), 0)[0])
        iri = index.iris(np.array([here], np.uint32))[0]
        cold = timed(lambda here=here, subject=subject: load(folder, single.base).closure(here, down=subject.down))
        cases = {
            "night": partial(single.closure, one, down=subject.down),
            "year": lambda index=index, iri=iri, subject=subject: index.closure(index.find(iri), down=subject.down),
        }
        if subject.name in ROWS:
            cases["rows"] = partial(lineage, graph, iri, down=subject.down)
        with step(f"{subject.name}, {count} rounds"):
            size = len(index.closure(here, down=subject.down))
            found = rounds(cases, count)
        table.add(f"{subject.name}: closure", f"{size:,}", ms(found["night"]), ms(found["year"]), ms([cold]))
        took, most = median(found["year"]) * 1000, CLOSURES[subject.name]
        part.aim(f"year: {subject.name}, {size:,} products: closure", took, most, "ms")
        if "rows" in found:
            table.add(f"{subject.name}: with rows and labels", f"{size:,}", "", ms(found["rows"]), "")
            took = median(found["rows"]) * 1000
            part.aim(f"year: {subject.name}: with rows and labels", took, ROWS[subject.name], "ms")
        part.figures[subject.name] = found


def main() -> None:
    """Measure and print the tables."""
    parser = options(__doc__)
    parser.add_argument("--nights", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    part = Part("synthetic", "A year of edges: the lineage index")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        kg = provkg.open(root / "store")
        folder = night(chosen.folder, root / "logs", chosen.runs, chosen.subruns)
        with step("ingest a night"):
            kg.ingest([folder])
        single = index_of(kg.graph())
        year = Year(single.layers[0])
        target = root / "year"
        target.mkdir()
        built(part, target, year, chosen.nights)
        asked(part, target, year, single, subjects(kg), chosen.rounds)
    part.save()


if __name__ == "__main__":
    main()
