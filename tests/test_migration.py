"""A store of an older provkg is refused with a way out, and brought to the format of this one."""

import json
from pathlib import Path

import pytest

import provkg
from provkg import ledger
from provkg.errors import StoreError
from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from provkg.store.protocol import FORMAT
from provkg.vocab import LEDGER, PKG
from tests.test_cli import provkg as command

_NEW = (PKG.recordBytes, PKG.noRecordBytes, PKG.quarantinedBytes, PKG.follows)
FILES = sorted(sample().iterdir())


@pytest.fixture
def old(kg: KnowledgeGraph) -> KnowledgeGraph:
    """Return a store as format 4 was: without paths, and without counts of bytes."""
    kg.ingest(FILES)
    with kg.store.write() as writing:
        view = writing.graph
        for path in ledger.paths(view):
            writing.remove(ledger.file_quads(view, path))
        for term in _NEW:
            writing.remove(list(view.quads(None, term, None, view.iri(LEDGER))))
        for quad in list(view.quads(None, PKG.byteOffset, None, view.iri(LEDGER))):
            if quad.subject.value in ledger.sources(view):
                writing.remove([quad])
    label(kg, 4)
    return provkg.open(kg.store.name)


def label(kg: KnowledgeGraph, version: int) -> None:
    path = Path(kg.store.name) / "format.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": version}))


def test_an_older_store_is_refused_until_it_is_migrated(old: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="older provkg") as refused:
        old.status()
    assert refused.value.hint == "provkg doctor --migrate"
    done = command("--store", old.store.name, "doctor", "--migrate")
    assert (done.returncode, "had format 4" in done.stderr) == (0, True), done.stderr
    assert old.migrate() == FORMAT
    fresh = provkg.open(tmp_path / "fresh")
    fresh.ingest(FILES)
    assert old.graph().digest() == fresh.graph().digest()
    assert {each.wrong for each in old.sources()} == {"read by a provkg that did not count bytes"}
    summary = old.ingest(FILES)
    assert (summary.sources, summary.replaced) == (len(FILES), 0)
    assert old.graph().digest() == fresh.graph().digest()
    assert all(check.ok for check in old.doctor())


@pytest.mark.parametrize("version", [FORMAT + 1, 99])
def test_a_newer_store_is_refused_and_left_alone(kg: KnowledgeGraph, version: int) -> None:
    kg.ingest(FILES[:1])
    label(kg, version)
    before = {path: path.stat().st_mtime_ns for path in Path(kg.store.name).rglob("*") if path.name != "lock"}
    for arguments in (["status"], ["ingest", FILES[1]], ["doctor", "--migrate"], ["doctor", "--reindex"]):
        done = command("--store", kg.store.name, *arguments)
        assert done.returncode == 3
        assert "newer provkg" in done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in Path(kg.store.name).rglob("*") if path.name != "lock"}


def test_a_store_that_is_too_old_is_refused(kg: KnowledgeGraph) -> None:
    kg.ingest(FILES[:1])
    label(kg, 3)
    with pytest.raises(StoreError, match="older provkg") as refused:
        provkg.open(kg.store.name).migrate()
    assert "new store" in refused.value.hint


def test_a_backup_of_an_older_provkg_comes_back(kg: KnowledgeGraph, tmp_path: Path) -> None:
    kg.ingest(FILES)
    kg.backup(tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    assert manifest.pop("format") == FORMAT
    (tmp_path / "backup" / "manifest.json").write_text(json.dumps(manifest))
    again = provkg.open(tmp_path / "again")
    again.restore(tmp_path / "backup")
    assert again.graph().digest() == kg.graph().digest()
    assert again.ingest(FILES).sources == len(FILES)
    assert again.graph().digest() == kg.graph().digest()
