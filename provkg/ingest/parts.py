"""Write a graph as N-Quads parts with a manifest, for a server's own bulk loader."""

import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import cast

from msgspec import Struct, to_builtins
from pyoxigraph import RdfFormat, serialize

from provkg.config import Config
from provkg.errors import StoreError
from provkg.store import EmbeddedStore, Graph, Store

PART_QUADS = 250_000  # some 60 MB: loaders take several files at once
MANIFEST = "manifest.json"
MARKER = ".provkg-parts"  # while parts are written: what lies there is ours
_ENDINGS = (".nq", ".nq.gz")


class Part(Struct, frozen=True):
    """One file of quads, all of one graph; the digest is of the file as it lies there."""

    graph: str
    file: str
    quads: int
    sha256: str


Writer = Callable[[Iterable[str], str], Iterable[list[Part]]]


def write_parts(graph: Graph, folder: Path, *, elsewhere: Writer | None = None) -> list[Part]:
    """Write every graph as one file or more of at most 250,000 quads, then the manifest.

    Each file appears whole under its name; parts of an earlier time that are no more are removed, so the folder holds
    this state and nothing else. The same state gives the same files.

    Args:
        graph: what to write.
        folder: where to; where its name ends in ``.gz`` the files are compressed.
        elsewhere: has other processes write graphs, each with :func:`write_graph`; takes their names and the ending of
            the files.

    Raises:
        StoreError: the folder cannot be written, or holds other things.
    """
    ending = _ENDINGS[folder.suffix == ".gz"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check(folder)
        (folder / MARKER).touch()
        (folder / MANIFEST).unlink(missing_ok=True)  # no manifest, no complete set of parts
        names = sorted(graph.graphs())
        here = (write_graph(graph, name, folder, ending) for name in names)
        parts = [part for found in (elsewhere(names, ending) if elsewhere else here) for part in found]
        kept = {part.file for part in parts} | {MARKER}
        for old in folder.iterdir():
            if old.name not in kept:
                old.unlink()
        told = {"base": graph.base, "quads": sum(part.quads for part in parts), "parts": to_builtins(parts)}
        _put(folder / MANIFEST, (json.dumps(told, indent=1) + "\n").encode())
        (folder / MARKER).unlink()
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from None
    return parts


@contextmanager
def beside(folder: Path, settings: Config) -> Iterator[Store]:
    """Give an empty store beside the folder of the parts, on the disk that workers see, for as long as it is needed.

    Versions are resolved over all sources, so parts are made from a whole store.

    Raises:
        StoreError: nothing can be written there, or the folder holds other things.
    """
    parent = folder.absolute().parent
    try:
        if folder.exists():
            _check(folder)  # before the work, not after it
        parent.mkdir(parents=True, exist_ok=True)
        held = tempfile.TemporaryDirectory(dir=parent, prefix=".provkg-parts-")
    except OSError as error:
        raise StoreError(f"{parent}: {error.strerror or error}") from None
    with held as path:
        yield EmbeddedStore(Path(path), replace(settings, store=path))


def _check(folder: Path) -> None:
    """See that a folder holds nothing but parts: those of its manifest, or of a writing that was broken off."""
    ours = {MANIFEST, MARKER}
    with suppress(OSError, ValueError, KeyError, TypeError):
        ours |= {str(part["file"]) for part in json.loads((folder / MANIFEST).read_bytes())["parts"]}
    broken_off = (folder / MARKER).exists()
    for path in folder.iterdir():
        part = broken_off and path.name.removesuffix(".part").endswith(_ENDINGS)
        if path.name not in ours and not part:
            raise StoreError(f"{folder} holds other things than parts: {path.name}", hint="choose an empty folder")


def write_graph(graph: Graph, name: str, folder: Path, ending: str) -> list[Part]:
    """Write one graph as one file or more."""
    quads = graph.quads(None, None, None, name)
    stem = name.removeprefix(graph.base).removeprefix("graph/").replace("/", "-")
    found: list[Part] = []
    while batch := list(islice(quads, PART_QUADS)):
        target = folder / (stem + (f"-{len(found) + 1:04d}" if found else "") + ending)
        text = cast("bytes", serialize(batch, format=RdfFormat.N_QUADS))
        if ending.endswith(".gz"):
            text = gzip.compress(text, compresslevel=6, mtime=0)
        _put(target, text)
        found.append(Part(name, target.name, len(batch), hashlib.sha256(text).hexdigest()))
    return found


def _put(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
