"""What is asked of a store: the lineage of a DL3, the impact of a pedestal, the impact of a model."""

from dataclasses import dataclass

import numpy as np

import provkg
from provkg.lineage.index import Index, index_of

_TRIED = 200


@dataclass(frozen=True)
class Subject:
    """A product, which way its history is walked, and how many products that reaches."""

    name: str
    iri: str
    down: bool
    size: int


def subjects(kg: provkg.KnowledgeGraph) -> list[Subject]:
    """Return what is asked, found by level and name: those with the largest answers."""
    index = index_of(kg.graph())
    ids = np.arange(index.nodes, dtype=np.uint32)
    told = index.describe(ids)
    made = np.zeros(index.nodes, bool)
    for layer in index.layers:
        made[layer.edges().of] = True
    dl3 = [at for at, each in enumerate(told) if each.level == "DL3" and made[at]]
    pedestals = [at for at, each in enumerate(told) if "edestal" in each.name and made[at]]
    models = [at for at, each in enumerate(told) if "odel" in each.name] or np.flatnonzero(~made).tolist()
    found = [
        _largest("lineage of a DL3", index, dl3 or np.flatnonzero(made).tolist(), down=False),
        _largest("impact of a pedestal", index, pedestals, down=True),
        _largest("impact of a model", index, models, down=True),
    ]
    return [each for each in found if each is not None]


def _largest(name: str, index: Index, ids: list[int], *, down: bool) -> Subject | None:
    """Return the one of some products that reaches the most."""
    sizes = [(len(index.closure(number, down=down)), -number) for number in ids[:_TRIED]]
    if not sizes:
        return None
    size, number = max(sizes)
    return Subject(name, index.iris(np.array([-number], np.uint32))[0], down, size)
