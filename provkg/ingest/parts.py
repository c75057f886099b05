"""Write a graph as N-Quads parts with a manifest, for a server's own bulk loader."""

import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import cast

from msgspec import Struct, to_builtins
from pyoxigraph import RdfFormat, serialize

from provkg.errors import StoreError
from provkg.store import Graph

PART_QUADS = 250_000  # some 60 MB: loaders take several files at once
MANIFEST = "manifest.json"
_BATCH_QUADS = 100_000
_ENDINGS = (".nq", ".nq.gz")


class Part(Struct, frozen=True):
    """One file of quads, all of one graph; the digest is of the file as it lies there."""

    graph: str
    file: str
    quads: int
    sha256: str


def write_parts(graph: Graph, folder: Path, *, compressed: bool = False) -> list[Part]:
    """Write every graph as one file or more of at most 250,000 quads, then the manifest.

    Each file appears whole under its name; parts of an earlier time that are no more are removed, so the folder holds
    this state and nothing else. The same state gives the same files.

    Raises:
        StoreError: the folder cannot be written, or holds other things.
    """
    ending = _ENDINGS[compressed]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check(folder)
        (folder / MANIFEST).unlink(missing_ok=True)  # no manifest, no complete set of parts
        parts = [part for name in sorted(graph.graphs()) for part in _of_graph(graph, name, folder, ending)]
        kept = {part.file for part in parts}
        for old in folder.iterdir():
            if old.name not in kept:
                old.unlink()
        told = {"base": graph.base, "quads": sum(part.quads for part in parts), "parts": to_builtins(parts)}
        _put(folder / MANIFEST, (json.dumps(told, indent=1) + "\n").encode())
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from None
    return parts


def _check(folder: Path) -> None:
    odd = [
        path
        for path in folder.iterdir()
        if path.name != MANIFEST and not path.name.removesuffix(".part").endswith(_ENDINGS)
    ]
    if odd:
        raise StoreError(f"{folder} holds other things than parts: {odd[0].name}", hint="choose an empty folder")


def _of_graph(graph: Graph, name: str, folder: Path, ending: str) -> Iterator[Part]:
    quads = graph.quads(None, None, None, name)
    stem = name.removeprefix(graph.base).removeprefix("graph/").replace("/", "-")
    number = 0
    while True:
        target = folder / (stem + (f"-{number + 1:04d}" if number else "") + ending)
        data, count = [], 0
        while count < PART_QUADS and (batch := list(islice(quads, _BATCH_QUADS))):
            data.append(cast("bytes", serialize(batch, format=RdfFormat.N_QUADS)))
            count += len(batch)
        if not count:
            return
        text = b"".join(data)
        text = gzip.compress(text, compresslevel=6, mtime=0) if ending.endswith(".gz") else text
        _put(target, text)
        yield Part(name, target.name, count, hashlib.sha256(text).hexdigest())
        number += 1


def _put(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
