"""Read again what was repaired by hand, as if it had been written so; the files are not changed."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from provkg.errors import InputError, said
from provkg.ingest.loading import in_graph
from provkg.ingest.summary import Progress, Summary
from provkg.ingest.transaction import Transaction
from provkg.ledger import STREAM
from provkg.ledger.quarantine import Piece
from provkg.ledger.repairs import repair_lines, repair_quads
from provkg.readers import CHUNK_BYTES, Source, open_source
from provkg.readers.mending import Region, Repair
from provkg.store import Store
from provkg.vocab import LEDGER

REPAIRED = "pieces of sources repaired by hand"
LEFT = "quarantined pieces left as they are"
_TYPES = {"source": str, "line": int, "offset": int, "length": int, "sha256": str, "reason": str}


def replay(store: Store, file: Path, *, progress: Progress | None = None) -> Summary:
    """Take over the repairs in a file of pieces, and read their sources again.

    Args:
        store: the store to write.
        file: lines of JSON, as :mod:`provkg.ledger.quarantine` gives them.
        progress: see :func:`provkg.ingest.ingest`.

    Raises:
        InputError: the file cannot be read.
        StoreError: the store cannot be written; then nothing of this is visible.
    """
    summary = Summary()
    wanted: dict[str, list[tuple[int, Piece]]] = defaultdict(list)
    for number, piece in _pieces(file, summary.errors):
        if piece.text is None or not piece.sha256:
            summary.remarks[LEFT] += 1
        else:
            wanted[piece.source].append((number, piece))
    if not wanted:
        return summary
    with store.write() as writing:
        transaction = Transaction(writing, store.config, summary)
        for path, some in wanted.items():
            if transaction.there.placed(path) is None:
                summary.errors.append(InputError(f"{file}:{some[0][0]}: {path} is no source of this store"))
                continue
            _repair(transaction, path, some, file)
        transaction.loading.flush()
        again = {path: None for each in wanted for path in _holding(transaction, each)}  # copies hold it, too
        transaction.run([(Path(path), True) for path in again], progress)
    return summary


def _holding(transaction: Transaction, path: str) -> Iterator[str]:
    """Give the paths that hold what a path holds."""
    placed = transaction.there.placed(path)
    known = transaction.there.entry(placed.holds) if placed is not None else None
    yield from (each for each in known.paths if each != STREAM) if known is not None else ()


def _pieces(file: Path, errors: list[InputError]) -> Iterator[tuple[int, Piece]]:
    """Give the pieces of a file with the numbers of their lines."""
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield number, _piece(json.loads(line))
                except (ValueError, TypeError, RecursionError) as error:
                    errors.append(InputError(f"{file}:{number}: no piece of a source: {said(error)}"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: {said(error)}") from None


def _piece(facts: Any) -> Piece:
    if not isinstance(facts, dict) or any(type(facts.get(name)) is not kind for name, kind in _TYPES.items()):
        raise TypeError(f"it must have {', '.join(_TYPES)} and text")
    if not isinstance(facts.get("text"), str | None) or min(facts["offset"], facts["length"]) < 0:
        raise ValueError("text must be a string or null, offset and length not negative")
    (facts.get("text") or "").encode("utf-8", "surrogateescape")
    return Piece(**{name: facts[name] for name in _TYPES}, text=facts.get("text"))


def _repair(transaction: Transaction, path: str, some: Iterable[tuple[int, Piece]], file: Path) -> None:
    """Take over the repairs of one source, in the place of those that they overlap."""
    graph, summary = transaction.writing.graph, transaction.summary
    try:
        mended = open_source(Path(path), transaction.config, repairs=transaction.repairs)
        found = list(_located(mended, some, file, summary.errors))
    except InputError as error:
        summary.errors.append(error)
        return
    known = {(each.offset, each.before): each for each in transaction.repairs}
    applied = {region: known[region.offset, region.before] for region in mended.regions}
    for repair, now in found:
        over = [(region, each) for region, each in applied.items() if _overlap(region, repair)]
        here = [each.text for region, each in over if (region.offset, region.length) == (repair.offset, repair.length)]
        if repair.text == (here[0] if here else now):
            summary.remarks[LEFT] += 1
            continue
        for region, each in over:
            del applied[region]
            transaction.repairs.remove(each)
            transaction.writing.remove(repair_quads(graph, each))
        summary.remarks[REPAIRED] += 1
        if repair.text != now:  # else it is undone
            transaction.repairs.append(repair)
            told = list(repair_lines(transaction.base, repair, path, transaction.now))
            transaction.loading.add(in_graph(transaction.base + LEDGER, told))


def _overlap(region: Region, repair: Repair) -> bool:
    return region.offset < repair.offset + repair.length and repair.offset < region.offset + region.length


def _located(
    source: Source, some: Iterable[tuple[int, Piece]], file: Path, errors: list[InputError]
) -> Iterator[tuple[Repair, str]]:
    """Give the repairs of pieces that are still there, each with what is written there."""
    before, at = hashlib.sha256(), 0
    with open_source(source.path, source.config).open() as stream:
        for number, piece in sorted(some, key=lambda item: item[1].offset):
            if piece.offset < at:
                errors.append(InputError(f"{file}:{number}: it overlaps another piece"))
                continue
            while at < piece.offset and (data := stream.read(min(CHUNK_BYTES, piece.offset - at))):
                before.update(data)
                at += len(data)
            told, bytes_ = before.hexdigest(), stream.read(piece.length)
            before.update(bytes_)
            at += len(bytes_)
            if hashlib.sha256(bytes_).hexdigest() != piece.sha256:
                hint = "provkg status --quarantine says how it is now"
                errors.append(InputError(f"{file}:{number}: {piece.source} is not as it was there", hint=hint))
                continue
            now, text = bytes_.decode("utf-8", "surrogateescape"), piece.text or ""
            text += "\n" if now.endswith("\n") and not text.endswith("\n") else ""
            yield Repair(told, piece.offset, piece.length, piece.sha256, text, stream.left == 0), now
