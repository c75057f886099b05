"""Open what another provkg exported: N-Quads, TriG, JSON-LD, parts with their manifest, a backup, or a store."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from provkg.config import Config
from provkg.errors import InputError
from provkg.ingest.parts import MANIFEST
from provkg.store import EmbeddedStore, Graph, LocalGraph, text_of
from provkg.vocab import LEDGER, PKG, RDF_TYPE

_FORMATS = {"nq": RdfFormat.N_QUADS, "trig": RdfFormat.TRIG, "jsonld": RdfFormat.JSON_LD}


@contextmanager
def exports(paths: Iterable[str | Path], settings: Config) -> Iterator[Graph]:
    """Give all that some exports hold, as one graph; on disk for as long as it is needed.

    Args:
        paths: files, folders of parts, or folders of embedded stores; one base for all.
        settings: how stores are opened.

    Raises:
        InputError: one cannot be read, is not what its manifest says, or is no export of a whole store.
        StoreError: a store cannot be read.
    """
    chosen = [Path(path) for path in paths]
    if len(chosen) == 1 and (chosen[0] / "CURRENT").exists():
        yield opened(chosen[0], settings)
        return
    with tempfile.TemporaryDirectory(prefix="provkg-import-") as folder:
        store = pyoxigraph.Store(folder)
        for path in chosen:
            for part in _parts(path):
                load(store, part)
        graph = LocalGraph(store, _base(store, chosen))
        try:
            yield graph
        finally:
            del graph.store, store  # close the files before they are removed


def opened(folder: Path, settings: Config) -> Graph:
    """Open another embedded store, whatever its base is."""
    told = EmbeddedStore(folder, settings)
    return EmbeddedStore(folder, replace(settings, base=told.base(), store=str(folder))).read()


def load(store: pyoxigraph.Store, path: Path) -> None:
    """Load a file into a store of pyoxigraph.

    Raises:
        InputError: it is no RDF with named graphs, or broken; the message names line and column.
    """
    suffix = path.name.removesuffix(".gz").rpartition(".")[2]
    if suffix not in _FORMATS:
        hint = "nq, trig and jsonld have named graphs; provkg ingest reads other documents"
        raise InputError(f"{path}: an import is of .nq, .trig or .jsonld, compressed or not", hint=hint)
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as stream:
            store.bulk_load(cast("IO[bytes]", stream), format=_FORMATS[suffix])
    except (SyntaxError, ValueError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def checked(folder: Path) -> dict[str, object]:
    """Return the manifest of a folder of parts, after each file was compared with it.

    Raises:
        InputError: there is none, or a file is missing or not what it says.
    """
    try:
        manifest: dict[str, object] = json.loads((folder / MANIFEST).read_bytes())
        parts = [
            (folder / str(part["file"]), str(part["sha256"]))
            for part in cast("list[dict[str, object]]", manifest["parts"])
        ]
    except OSError as error:
        raise InputError(f"{folder / MANIFEST}: {error.strerror or error}", hint="is this a folder of parts?") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / MANIFEST}: no manifest of parts: {error}") from None
    for path, digest in parts:
        if path.parent != folder or not path.is_file():
            raise InputError(f"{path}: the manifest names it, and it is not there")
        if _sha256(path) != digest:
            raise InputError(f"{path}: it is not what the manifest says", hint="take another copy")
    return manifest


def _parts(path: Path) -> list[Path]:
    """Return the files of a path, compared with their manifest where there is one."""
    if not path.is_dir():
        return [path]
    if (path / MANIFEST).exists():
        told = cast("list[dict[str, object]]", checked(path)["parts"])
        return [path / str(part["file"]) for part in told]
    found = sorted(each for each in path.iterdir() if each.name.removesuffix(".gz").rpartition(".")[2] in _FORMATS)
    if not found:
        raise InputError(f"{path}: nothing to import", hint="a file .nq, .trig or .jsonld, parts, a backup or a store")
    return found


def _base(store: pyoxigraph.Store, paths: list[Path]) -> str:
    """Return the base of what was loaded: where its ledger is."""
    kind, source = NamedNode(RDF_TYPE), NamedNode(PKG.Source)
    found = {text_of(quad.graph_name) for quad in store.quads_for_pattern(None, kind, source, None)}
    bases = {name.removesuffix(LEDGER) for name in found if name.endswith(LEDGER)}
    shown = ", ".join(map(str, paths))
    if not bases:
        hint = "provkg export --all writes one; provkg ingest reads parts of stores as other documents"
        raise InputError(f"{shown}: no ledger, so this is no export of a whole store", hint=hint)
    if len(bases) > 1:
        raise InputError(f"{shown}: exports of several bases: {', '.join(sorted(bases))}", hint="import one by one")
    return bases.pop()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
