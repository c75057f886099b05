"""One file of named arrays, memory-mapped: a line of JSON that says where each lies, then the arrays.

Opening reads the line only; arrays come page by page when they are used.
"""

import json
import mmap
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from provkg.errors import StoreError

_ALIGNED = 64
_REPAIR = "make it again from the store: provkg doctor --reindex"
Array = NDArray[Any]
Ids = NDArray[np.uint32]


def save(path: Path, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    """Write arrays and facts to a new file; it is on disk when this returns."""
    places: dict[str, tuple[str, int, int]] = {}
    at = 0
    for name, array in arrays.items():
        places[name] = (array.dtype.str, len(array), at)
        at += -(-array.nbytes // _ALIGNED) * _ALIGNED
    head = json.dumps({"facts": facts, "arrays": places}).encode() + b"\n"
    head = head[:-1].ljust(-(-len(head) // _ALIGNED) * _ALIGNED - 1) + b"\n"
    with path.open("wb") as file:
        file.write(head)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).data)
            file.write(bytes(-array.nbytes % _ALIGNED))
        file.flush()
        os.fsync(file.fileno())


def distinct(values: Array) -> Array:
    """Return each value once, in order; numpy's ``unique`` hashes since 2.3, which takes ten times as long and more.

    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(values)
    new = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return ordered[new]


class Columns(Mapping[str, Array]):
    """The arrays of a file, as they lie on disk.

    Raises:
        StoreError: the file is missing, cut or not one of ours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            end = self.bytes.find(b"\n") + 1
            head = json.loads(self.bytes[:end])
            self.facts: dict[str, Any] = head["facts"]
            self.arrays = {
                name: np.frombuffer(self.bytes, np.dtype(kind), count, end + at)
                for name, (kind, count, at) in head["arrays"].items()
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path}: {error}", hint=_REPAIR) from None

    def __getitem__(self, name: str) -> Array:
        try:
            return self.arrays[name]
        except KeyError:
            raise StoreError(f"{self.path} holds no {name}", hint=_REPAIR) from None

    def __iter__(self) -> Any:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


class Texts(Sequence[str]):
    """Many short texts in one array of bytes: text ``i`` lies between ``ends[i]`` and ``ends[i + 1]``."""

    def __init__(self, ends: Array, data: Array) -> None:
        self.ends, self.data = ends, data

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, at: Any) -> Any:
        return self.data[self.ends[at] : self.ends[at + 1]].tobytes().decode("utf-8", "surrogatepass")

    def take(self, which: Array) -> list[str]:
        """Return some of the texts."""
        data, starts, ends = (
            memoryview(cast("Any", self.data)),
            self.ends[which].tolist(),
            self.ends[which + 1].tolist(),
        )
        return [str(data[start:end], "utf-8", "surrogatepass") for start, end in zip(starts, ends, strict=True)]


def texts(name: str, values: Iterable[str]) -> dict[str, Array]:
    """Return the arrays of some texts.

    >>> columns = texts("word", ["R0", "", "DL1"])
    >>> Texts(columns["word.ends"], columns["word.data"])[2]
    'DL1'
    """
    encoded = [value.encode("utf-8", "surrogatepass") for value in values]
    ends = np.zeros(len(encoded) + 1, np.uint64)
    np.cumsum([len(value) for value in encoded], out=ends[1:])
    return {f"{name}.ends": _narrow(ends), f"{name}.data": np.frombuffer(b"".join(encoded), np.uint8)}


def _narrow(ends: Array) -> Array:
    """Return ends in 32 bits where that is enough."""
    return ends.astype(np.uint32) if not len(ends) or int(ends[-1]) < 1 << 32 else ends


def joined(name: str, parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Return the arrays of the texts of several columns, one after the other."""
    shifts = np.cumsum([0, *(len(part[f"{name}.data"]) for part in parts)])
    ends = [np.zeros(1, np.uint64)]
    ends += [part[f"{name}.ends"][1:] + np.uint64(shift) for part, shift in zip(parts, shifts, strict=False)]
    return {
        f"{name}.ends": _narrow(np.concatenate(ends)),
        f"{name}.data": np.concatenate([part[f"{name}.data"] for part in parts] or [np.zeros(0, np.uint8)]),
    }
