"""Backups: all quads of a store as compressed parts, with the digests of the files and of the graph.

A backup is N-Quads, which any triple store reads; what lies beside the quads is made again when it comes back.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple, cast

import pyoxigraph

from provkg.errors import InputError, StoreError
from provkg.ingest.parts import MANIFEST, write_parts
from provkg.moving.exports import checked, load
from provkg.moving.migrating import bring
from provkg.store import Graph, Writing
from provkg.store.protocol import FORMAT, OLDEST


class Backup(NamedTuple):
    """What a backup holds: how many quads in how many files, and the digest of the graph."""

    quads: int
    files: int
    digest: str


def backup(graph: Graph, folder: str | Path) -> Backup:
    """Write all of a store into a new folder, which appears when it is whole.

    Raises:
        InputError: the folder is there already.
        StoreError: it cannot be written.
    """
    target = Path(folder)
    if target.exists():
        raise InputError(f"{target} is there already", hint="name a new folder for each backup")
    part = target.with_name(target.name + ".part.gz")  # its ending says that the files are compressed
    try:
        shutil.rmtree(part, ignore_errors=True)  # of a backup that was broken off
        found, digest = write_parts(graph, part), graph.digest()
        manifest = json.loads((part / MANIFEST).read_bytes()) | {"digest": digest, "format": FORMAT}
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
        part.rename(target)
        held = os.open(target.parent, os.O_RDONLY)
        os.fsync(held)
        os.close(held)
    except OSError as error:
        raise StoreError(f"{target}: {error.strerror or error}") from None
    return Backup(sum(each.quads for each in found), len(found), digest)


def restored(writing: Writing, folder: str | Path) -> Backup:
    """Load a backup in the place of all that a store holds; what lies beside the quads is left to the caller.

    Raises:
        InputError: it is no backup, or a file is not what its manifest says.
        StoreError: the graph is another than the one that was backed up.
    """
    path = Path(folder)
    manifest = checked(path)
    if "digest" not in manifest:
        raise InputError(f"{path}: parts, and no backup: no digest of the graph", hint="provkg import reads parts")
    if manifest["base"] != writing.base:
        told = f"{path}: the backup's IRIs begin with {manifest['base']}, the settings say {writing.base}"
        raise InputError(told, hint="set base in provkg.toml")
    for name in writing.graph.graphs():
        writing.remove_graph(name)
    parts = cast("list[dict[str, object]]", manifest["parts"])
    for part in parts:
        store = pyoxigraph.Store()  # a part is 250,000 quads at most
        load(store, path / str(part["file"]))
        writing.load(cast("bytes", store.dump(format=pyoxigraph.RdfFormat.N_QUADS)).decode())
    digest = writing.graph.digest()
    bring(writing, int(cast("int", manifest.get("format", OLDEST))))
    if digest != manifest["digest"]:
        raise StoreError(f"{path}: the graph is not the one that was backed up: {digest}", hint="take another backup")
    return Backup(sum(cast("int", part["quads"]) for part in parts), len(parts), digest)
