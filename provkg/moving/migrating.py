"""Bring a store that an older provkg wrote to the format of this one."""

from __future__ import annotations

from provkg import ledger
from provkg.errors import StoreError
from provkg.ingest.loading import in_graph
from provkg.ledger import Placed
from provkg.store import EmbeddedStore, Graph, Store, Writing, text_of
from provkg.store.protocol import FORMAT, OLDEST
from provkg.vocab import LEDGER, PKG, PROV


def migrate(store: Store) -> int:
    """Bring a store to the format of this provkg, in one transaction; return the format it had.

    Raises:
        StoreLocked: another process is writing.
        StoreError: it is no folder, too old, or was written by a newer provkg.
    """
    if not isinstance(store, EmbeddedStore):
        raise StoreError(f"{store.name} is a server", hint="ingest the sources into a new store, then load its parts")
    old = EmbeddedStore(store.path, store.config, oldest=OLDEST)
    version, base = old.layout()
    if version != FORMAT:
        with old.write() as writing:
            bring(writing, version)
            writing.changed = True
        old.note_format(base)
    return version


def bring(writing: Writing, version: int) -> None:
    """Bring what a transaction sees from a format to the one of this provkg."""
    if version < 5:
        _to_5(writing)


def _to_5(writing: Writing) -> None:
    """Say what each path holds, and that of no source the bytes were counted, so that each is read again."""
    view, base = writing.graph, writing.base
    told = list(view.quads(None, PKG.sourcePath, None, base + LEDGER))
    for quad in told:
        source, path = text_of(quad.subject), text_of(quad.object)
        if path != ledger.STREAM and ledger.placed(view, path) is None:
            size, digest = int(_fact(view, source, PKG.byteCount) or 0), _fact(view, source, PKG.sha256)
            lines = ledger.file_lines(
                base, Placed(path, source, digest, size, 0, 0, 0, 0), _fact(view, source, PROV.generatedAtTime)
            )
            writing.load(in_graph(base + LEDGER, lines))
    writing.remove(list(view.quads(None, PKG.readBy, None, base + LEDGER)))
    sources = ledger.sources(view)
    writing.load(in_graph(base + LEDGER, [f'<{source}> <{PKG.readBy}> "{ledger.NO_VERSION}" .' for source in sources]))


def _fact(view: Graph, source: str, term: str) -> str:
    found = view.quads(source, term, None, view.iri(LEDGER))
    return max((text_of(quad.object) for quad in found), default="")
