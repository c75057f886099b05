"""What one ingest changes in the index, by IRI, before it becomes arrays."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from provkg.edges import Described, Made
from provkg.identity import to_bytes

# How an edge is known. Those before UNRESOLVED are walked; the others end a history.
KINDS = ("byContent", "byIdentity", "byTime", "assumed", "derivation", "membership", "unresolved", "generated")
LINKS = (KINDS.index("derivation"), KINDS.index("membership"))  # known by a link, not by an activity
KIND = {word: number for number, word in enumerate(KINDS)}
UNRESOLVED, GENERATED = KINDS.index("unresolved"), KINDS.index("generated")


@dataclass
class Delta:
    """Changes of an index; all names are IRIs.

    ``edges`` are (product, what it was made from, activity or link, kind); ``killed`` the activities and links whose
    earlier edges no longer hold; ``retold`` the products of which people were told before; ``known`` all names by
    which later records could mean something said here.
    """

    edges: list[tuple[str, str, str, int]] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)
    products: dict[str, Described] = field(default_factory=dict)
    activities: dict[str, Made] = field(default_factory=dict)
    retold: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)


def hashes(names: Iterable[str]) -> NDArray[np.uint64]:
    """Return 64 bits for each name: among 10 million names two agree with a chance of 3 in a million."""
    found = b"".join([blake2b(to_bytes(name), digest_size=8).digest() for name in names])
    return np.frombuffer(found, np.uint64)
