"""Who made some products, and in which order these can be made again."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from provkg.lineage.index import Index
from provkg.lineage.index.columns import Ids
from provkg.lineage.index.delta import LINKS


class Batch(NamedTuple):
    """Steps of one type that can be made again together, after the batches before; ``products`` is what they make."""

    number: int
    step: str
    activities: int
    products: int


def makers_of(index: Index, products: Ids) -> tuple[Ids, Ids]:
    """Return each product with each activity that made it."""
    none = np.zeros(0, np.uint32)
    found = [(none, none)]
    for rows in ("up", "leaf"):
        for table, at, of in index.neighbours(products, rows):
            made = ~np.isin(table.kind[at], LINKS)
            found.append((products[of[made]], table.via[at][made]))
    pairs = np.concatenate([np.stack(each).astype(np.uint64) for each in found], axis=1)
    both = np.unique(pairs[0] << np.uint64(32) | pairs[1])
    return (both >> np.uint64(32)).astype(np.uint32), (both & np.uint64(0xFFFFFFFF)).astype(np.uint32)


def ordered(index: Index, products: Ids, *around: int) -> tuple[Ids, Ids, NDArray[np.int64]]:
    """Return each product with each activity that made it, and for each activity the longest way to it among them.

    An activity comes after those that made what it read, and after those that made what its products were derived from
    or have as members; all that it made is there when it has ended.
    """
    inside = np.zeros(index.nodes, bool)
    inside[products] = inside[[*around]] = True
    none = np.zeros(0, np.uint32)
    parts = [(none, none, none, none)]
    for table, at, of in index.neighbours(products, "up"):
        kept = inside[table.node[at]]
        parts.append(
            (products[of][kept], table.node[at][kept], table.via[at][kept], table.kind[at][kept].astype(np.uint32))
        )
    of_product, read, by, kind = (np.concatenate(column) for column in zip(*parts, strict=True))
    link = np.isin(kind, LINKS)
    made, via = makers_of(index, products)
    linked = np.isin(made, of_product[link])
    depth, origins, activities = (np.zeros(size, np.int64) for size in (index.nodes, index.nodes, index.vias))
    for _ in range(len(products) + 1):  # a circle of derivations ends here
        before = activities[via].sum() + depth[products].sum()
        np.maximum.at(activities, by[~link], depth[read[~link]] + 1)
        np.maximum.at(origins, of_product[link], depth[read[link]])
        np.maximum.at(activities, via[linked], origins[made[linked]] + 1)
        np.maximum.at(depth, made, activities[via])
        depth = np.maximum(depth, origins)
        if activities[via].sum() + depth[products].sum() == before:
            break
    return made, via, activities


def batches(index: Index, products: Ids, *around: int) -> Iterator[Batch]:
    """Give the steps that made some products in batches, each of which needs only those before it."""
    _, via, depth = ordered(index, products, *around)
    activities, of = np.unique(via, return_inverse=True)
    labels = [each.label for each in index.made(activities)]
    numbers = {way: number for number, way in enumerate(np.unique(depth[activities]).tolist(), 1)}
    at = [numbers[way] for way in depth[activities].tolist()]
    calls = Counter(zip(at, labels, strict=True))
    made = Counter((at[each], labels[each]) for each in of.tolist())
    yield from (Batch(number, step, count, made[number, step]) for (number, step), count in sorted(calls.items()))
