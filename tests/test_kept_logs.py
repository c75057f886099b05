"""Of a log that grew only what is new is read; what is kept for that is never trusted more than the log."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import provkg
from provkg.ingest import keeping
from provkg.knowledge import KnowledgeGraph
from provkg.readers import lines, stretches
from tests.logs import entity, line
from tests.test_ledger import long_log

Write = Callable[[str, str | bytes], Path]
TEXT = long_log(30).encode()
HALF = TEXT.index(b"\n", len(TEXT) // 2) + 1


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_BYTES", 2_000)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many bytes each line had that was looked at."""
    found: list[int] = []
    line = lines.Reading.line

    def counted(self: lines.Reading, raw: bytes) -> object:
        found.append(len(raw))
        return line(self, raw)

    monkeypatch.setattr(lines.Reading, "line", counted)
    return found


def kept(kg: KnowledgeGraph) -> list[Path]:
    return sorted((Path(kg.store.name) / "logs").glob("*"))


def same_as_at_once(kg: KnowledgeGraph, path: Path, folder: Path) -> bool:
    whole = provkg.open(folder / "whole")
    whole.ingest([path])
    return kg.graph().digest() == whole.graph().digest()


def test_only_what_is_new_is_read(kg: KnowledgeGraph, write: Write, read: list[int], tmp_path: Path) -> None:
    kg.ingest([write("a.log", TEXT[:HALF])])
    assert sum(read) == HALF
    more = TEXT.index(b"\n", HALF + 3_000) + 1
    for before, end in ((HALF, more), (more, len(TEXT))):
        read.clear()
        summary = kg.ingest([write("a.log", TEXT[:end])])
        assert (sum(read), summary.grown) == (end - before, 1)
    read.clear()
    assert kg.ingest([write("a.log", TEXT)]).unchanged == 1
    assert not read
    assert len(kept(kg)) == 1
    assert same_as_at_once(kg, write("a.log", TEXT), tmp_path)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b"no zstd"),
        lambda path: path.write_bytes(keeping.zstd.compress(b'{"version":1}')),
        lambda path: path.write_bytes(
            keeping.zstd.compress(keeping.zstd.decompress(path.read_bytes()).replace(b'"makers"', b'"others"'))
        ),
        lambda path: path.write_bytes(
            keeping.zstd.compress(b"\n".join(keeping.zstd.decompress(path.read_bytes()).split(b"\n")[:2]))
        ),
    ],
    ids=["gone", "empty", "cut", "nonsense", "another", "strange", "short"],
)
def test_where_it_is_broken_the_log_is_read_from_its_beginning(
    harm: Callable[[Path], object], kg: KnowledgeGraph, write: Write, read: list[int], tmp_path: Path
) -> None:
    kg.ingest([write("a.log", TEXT[:HALF])])
    harm(kept(kg)[0])
    read.clear()
    assert kg.ingest([write("a.log", TEXT)]).grown == 1
    assert sum(read) >= len(TEXT)
    assert same_as_at_once(kg, write("a.log", TEXT), tmp_path)


def test_it_is_not_used_for_another_log_nor_with_other_settings(
    kg: KnowledgeGraph, write: Write, read: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kg.ingest([write("a.log", TEXT[:HALF])])
    path = write("a.log", TEXT.replace(b"/dl1/", b"/dl2/"))
    kg.ingest([path])
    assert same_as_at_once(kg, path, tmp_path)
    kg.ingest([write("b.log", TEXT[:HALF])])
    read.clear()
    monkeypatch.setattr(keeping, "_of", lambda _: "other settings")
    kg.ingest([write("b.log", TEXT)])
    assert sum(read) >= len(TEXT)


def test_a_line_that_was_not_complete_is_read_again(kg: KnowledgeGraph, write: Write, tmp_path: Path) -> None:
    kg.ingest([write("a.log", TEXT[: HALF - 10])])
    assert not kept(kg)
    kg.ingest([write("a.log", TEXT)])
    assert same_as_at_once(kg, write("a.log", TEXT), tmp_path)


def test_what_an_ingest_kept_that_was_not_finished_does_no_harm(
    kg: KnowledgeGraph, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kg.ingest([write("a.log", TEXT[: TEXT.index(b"\n", HALF // 2) + 1])])
    with monkeypatch.context() as patch:
        patch.setattr("provkg.ingest.transaction.Transaction.finish", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            kg.ingest([write("a.log", TEXT[:HALF])])
    kg.ingest([write("a.log", TEXT)])
    assert same_as_at_once(kg, write("a.log", TEXT), tmp_path)


SMALL = """
import sys, provkg
from provkg.shelves import Shelf
Shelf.most = 0
summary = provkg.open(sys.argv[1]).ingest(sys.argv[2:])
print([str(each) for each in summary.errors], summary.sources)
"""


def test_where_there_is_no_room_for_temporary_files_that_log_is_not_read(small_disk: Path, tmp_path: Path) -> None:
    entities = "".join(line(entity(f"/data/{number}")) for number in range(12_000))
    (tmp_path / "long.log").write_text(entities)
    (tmp_path / "short.log").write_text(long_log(2))
    (small_disk / "filler").write_bytes(b"x" * max(shutil.disk_usage(small_disk).free - 10_000, 0))
    command = [sys.executable, "-c", SMALL, tmp_path / "store", tmp_path / "long.log", tmp_path / "short.log"]
    around = {**os.environ, "SQLITE_TMPDIR": str(small_disk)}
    done = subprocess.run(command, capture_output=True, text=True, env=around, check=True)
    assert "long.log: database or disk is full (for temporary files: $SQLITE_TMPDIR, $TMPDIR)" in done.stdout
    assert provkg.open(tmp_path / "store").status()["activities"] == 2


def test_old_files_make_room(kg: KnowledgeGraph, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_FILES", 2)
    for name in ("a.log", "b.log", "c.log"):
        kg.ingest([write(name, name.encode() + b"\n" + TEXT[:HALF])])
    assert len(kept(kg)) == 2
    monkeypatch.setattr(keeping, "MOST_BYTES", 0)
    kg.ingest([write("d.log", b"d.log\n" + TEXT[:HALF])])
    assert not kept(kg)
    assert kg.ingest([write("a.log", b"a.log\n" + TEXT)]).grown == 1
