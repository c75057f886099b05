"""What was read of each source, byte by byte, for ``status --sources`` and ``ingest --report``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from provkg.ledger.accounting import Document

COLUMNS = (
    "path",
    "bytes",
    "records",
    "no records",
    "quarantined",
    "activities",
    "usages",
    "generations",
    "pieces",
    "reader",
    "stretches",
    "adds up",
)


def rows(documents: Sequence[Document], skipped: Sequence[str] = ()) -> list[list[object]]:
    """Return a row for each path of each document; what was skipped is no provenance."""
    found: list[list[object]] = [
        [
            path,
            each.size,
            each.records,
            each.nothing,
            each.quarantined,
            *(each.counts[name] for name in ("activities", "usages", "generations", "quarantined")),
            each.reader,
            len(each.stretches),
            each.wrong or "yes",
        ]
        for each in documents
        for path in each.paths
    ]
    found += [[path, *[""] * 8, "no provenance", "", ""] for path in skipped]
    return sorted(found, key=lambda row: str(row[0]))


def total(documents: Sequence[Document]) -> str:
    """Return the sum in words."""
    size = sum(each.size for each in documents)
    parts = {
        "of records": sum(each.records for each in documents),
        "that are no records": sum(each.nothing for each in documents),
        "quarantined": sum(each.quarantined for each in documents),
    }
    told = ", ".join(f"{count:,} {name}" for name, count in parts.items())
    wrong = sum(bool(each.wrong) for each in documents)
    return f"{size:,} bytes in {len(documents):,} documents: {told}" + (f"; {wrong:,} do not add up" if wrong else "")


def as_json(document: Document) -> dict[str, Any]:
    """Return all that is known of a document."""
    return {
        "source": document.last,
        "reader": document.reader,
        "version": document.version,
        "readAt": document.read_at,
        "bytes": document.size,
        "records": document.records,
        "noRecords": document.nothing,
        "quarantined": document.quarantined,
        "counts": dict(sorted(document.counts.items())),
        "addsUp": not document.wrong,
        "wrong": document.wrong,
        "paths": [_placed(document, path) for path in document.paths],
        "stretches": [
            {"begin": each.begin, "end": each.begin + each.length, "records": each.records, "noRecords": each.nothing}
            for each in document.stretches
        ],
    }


def _placed(document: Document, path: str) -> dict[str, Any]:
    found = next((each for each in document.placed if each.path == path), None)
    if found is None:
        return {"path": path}
    modified = datetime.fromtimestamp(found.modified // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "path": path,
        "sha256": found.digest,
        "device": found.device,
        "inode": found.inode,
        "fileSize": found.stored,
        "modified": modified,
    }
