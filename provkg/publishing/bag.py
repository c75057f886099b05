"""A folder as a bag: a manifest with the sha256 of each file, so that anybody can see that all is there.

Source: RFC 8493, BagIt 1.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

PAYLOAD = "data"
DECLARATION = "bagit.txt"


def make_bag(folder: Path, info: Mapping[str, str]) -> int:
    """Write the tag files of a bag whose payload is in ``data/``, and return how many files that has.

    Args:
        folder: the bag.
        info: what ``bag-info.txt`` says, besides the date and the size.
    """
    payload = sorted(path for path in (folder / PAYLOAD).rglob("*") if path.is_file())
    sums = {path.relative_to(folder).as_posix(): sha256(path) for path in payload}
    size = sum(path.stat().st_size for path in payload)
    told = {
        "Bagging-Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Payload-Oxum": f"{size}.{len(payload)}",
        **info,
    }
    (folder / DECLARATION).write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "utf-8")
    lines = (f"{key}: {_one_line(value)}\n" for key, value in told.items() if value)
    (folder / "bag-info.txt").write_text("".join(lines), "utf-8")
    (folder / "manifest-sha256.txt").write_text(_manifest(sums), "utf-8")
    tags = {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}
    (folder / "tagmanifest-sha256.txt").write_text(_manifest(tags), "utf-8")
    return len(payload)


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _manifest(sums: Mapping[str, str]) -> str:
    return "".join(f"{digest}  {_escaped(name)}\n" for name, digest in sums.items())


def _escaped(name: str) -> str:
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _one_line(text: str) -> str:
    return " ".join(text.split())
