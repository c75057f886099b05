"""The files of an index: a list of layers, how it grows and how it is tidied."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import numpy as np

from provkg.errors import StoreError
from provkg.lineage.index.adjacency import Edges
from provkg.lineage.index.delta import Delta, hashes
from provkg.lineage.index.index import Index
from provkg.lineage.index.layer import NODE, VIA, Layer, described, merge, names_of, write

LIST = "layers.json"
FORMAT = 1
_GROWTH = 4  # layers are merged with the one before while that is not so many times their size


def load(folder: Path, base: str) -> Index:
    """Open an index; a folder without one is an empty index.

    Raises:
        StoreError: a file is missing, damaged or of another version.
    """
    return Index([Layer(folder / name) for name in _listed(folder)], base)


def made(folder: Path) -> bool:
    """Say whether an index lies in a folder."""
    return (folder / LIST).exists()


def _listed(folder: Path) -> list[str]:
    try:
        known = json.loads((folder / LIST).read_text("utf-8"))
        if known["format"] == FORMAT:
            return [Path(name).name for name in known["layers"]]
        reason = f"format {known['format']}, this provkg writes {FORMAT}"
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error)
    raise StoreError(f"{folder / LIST}: {reason}", hint="make it again from the store: provkg doctor --reindex")


def _list(folder: Path, names: list[str]) -> None:
    """Say which layers there are, and remove the files of others."""
    part = folder / f"{LIST}.part"
    part.write_text(json.dumps({"format": FORMAT, "layers": names}), "utf-8")
    part.replace(folder / LIST)
    for path in folder.glob("*.layer"):
        if path.name not in names:
            path.unlink()


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{uuid4().hex}.layer"


def append(folder: Path, base: str, delta: Delta) -> None:
    """Add a layer for what an ingest changed."""
    path = _new(folder)
    _write(path, load(folder, base), delta)
    _list(folder, [*_listed(folder), path.name])


def adopt(made_here: Path, folder: Path) -> bool:
    """Copy an index to where it belongs, whoever else does so at the same time; say whether that could be done."""
    try:
        for name in _listed(made_here):
            shutil.copy(made_here / name, folder / name)
        part = folder / f"{LIST}.{uuid4().hex}"
        shutil.copy(made_here / LIST, part)
        part.replace(folder / LIST)  # the layers are there before the list names them
    except OSError:
        return False
    return True


def tidy(folder: Path) -> int:
    """Merge the last layers into one where they have become large beside those before; return how many."""
    names = _listed(folder)
    layers = [Layer(folder / name) for name in names]
    first, size = len(layers) - 1, layers[-1].size if layers else 0
    while first > 0 and size * _GROWTH >= layers[first - 1].size:
        first -= 1
        size += layers[first].size
    if len(layers) - first < 2:
        return 0
    path = _new(folder)
    merge(path, layers[first:])
    _list(folder, [*names[:first], path.name])
    return len(layers) - first


def rebuild(folder: Path, base: str, deltas: Iterable[Delta]) -> None:
    """Make an index anew."""
    folder.mkdir(parents=True, exist_ok=True)
    _list(folder, [])
    for delta in deltas:
        append(folder, base, delta)
        tidy(folder)


def _write(path: Path, index: Index, delta: Delta) -> None:
    nodes = [index.name(iri) for edge in delta.edges for iri in edge[:2]]
    nodes_new, nodes_known = index.numbered(dict.fromkeys(nodes), NODE)
    vias_new, vias_known = index.numbered(dict.fromkeys(index.name(edge[2]) for edge in delta.edges), VIA)
    numbers, activities = nodes_known | nodes_new, vias_known | vias_new
    others = index.numbered([index.name(iri) for iri in delta.products], NODE)[1]
    calls = index.numbered([index.name(iri) for iri in (*delta.killed, *delta.activities)], VIA)[1]
    edges = Edges(
        np.array([numbers[name] for name in nodes[::2]], np.uint32),
        np.array([numbers[name] for name in nodes[1::2]], np.uint32),
        np.array([activities[index.name(edge[2])] for edge in delta.edges], np.uint32),
        np.array([edge[3] for edge in delta.edges], np.uint8),
    )
    killed = sorted(calls[name] for iri in delta.killed if (name := index.name(iri)) in calls)
    numbers, activities = others | numbers, calls | activities
    products = {numbers[name]: told for iri, told in delta.products.items() if (name := index.name(iri)) in numbers}
    made = {activities[name]: told for iri, told in delta.activities.items() if (name := index.name(iri)) in activities}
    node_columns, node_facts = names_of(NODE, index.nodes, list(nodes_new))
    via_columns, via_facts = names_of(VIA, index.vias, list(vias_new))
    columns = {**node_columns, **via_columns, **described(products, made)}
    write(path, edges, np.array(killed, np.uint32), hashes(delta.known), columns, {**node_facts, **via_facts})
