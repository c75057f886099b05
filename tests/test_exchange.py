"""Stores that move: what comes back is what left, and two stores become one without any co-ordination."""

import gzip
import hashlib
import json
import random
from pathlib import Path

import pytest
import rdflib

import provkg
from provkg.config import Config
from provkg.errors import InputError, StoreError
from provkg.knowledge import KnowledgeGraph, open_with
from provkg.moving import redirects
from provkg.resources import sample
from provkg.store.digesting import Digest
from provkg.vocab import LEDGER, OWL
from tests.test_cli import provkg as command

FILES = sorted(path for path in sample().iterdir() if path.is_file())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    kg = provkg.open(tmp_path_factory.mktemp("exchange") / "store")
    kg.ingest(FILES)
    return kg


def sound(kg: KnowledgeGraph) -> bool:
    return all(each.ok for each in kg.doctor())


# Round trips


@pytest.mark.parametrize("name", ["all.nq", "all.nq.gz", "all.trig", "all.jsonld"])
def test_what_is_exported_and_imported_is_the_same_graph(whole: KnowledgeGraph, name: str, tmp_path: Path) -> None:
    whole.export(tmp_path / name)
    again = provkg.open(tmp_path / "again")
    found = again.merge(tmp_path / name)
    assert found.sources == len(FILES)
    assert again.graph().digest() == whole.graph().digest()
    assert sound(again)
    assert again.merge(tmp_path / name).unchanged == len(FILES)
    assert again.graph().digest() == whole.graph().digest()
    assert again.ingest(FILES).unchanged == len(FILES), "it knows its sources"


def test_parts_and_split_files_are_imported_together(whole: KnowledgeGraph, tmp_path: Path) -> None:
    paths = whole.export(tmp_path / "all.nq.gz", split=500).paths
    again = provkg.open(tmp_path / "again")
    again.merge(*paths)
    assert again.graph().digest() == whole.graph().digest()
    whole.write_parts(tmp_path / "parts")
    other = provkg.open(tmp_path / "other")
    other.merge(tmp_path / "parts")
    assert other.graph().digest() == whole.graph().digest()


@pytest.mark.parametrize("seed", range(3))
def test_stores_merge_to_the_graph_of_one_store(whole: KnowledgeGraph, seed: int, tmp_path: Path) -> None:
    """Each ingests what it has; nobody speaks to anybody; some files are in both."""
    chance = random.Random(seed)
    sides = [chance.choice([(0,), (1,), (0, 1)]) for _ in FILES]
    sides[0], sides[1] = (0,), (1,)
    stores = []
    for side in (0, 1):
        kg = provkg.open(tmp_path / f"site{side}")
        kg.ingest([path for path, where in zip(FILES, sides, strict=True) if side in where])
        stores.append(kg)
    one, two = stores
    one.merge(two.store.name)
    assert one.graph().digest() == whole.graph().digest()
    assert sound(one)
    assert [step.entity for step in one.lineage("crab_flux_points.fits")] == [
        step.entity for step in whole.lineage("crab_flux_points.fits")
    ]


def test_what_was_read_later_at_a_path_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "run.log"
    lines = FILES[0].read_text().splitlines(keepends=True)
    clock = iter(("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"))

    def ingested(name: str, text: str) -> KnowledgeGraph:
        log.write_text(text)
        kg = provkg.open(tmp_path / name)
        time = next(clock)
        monkeypatch.setattr("provkg.ingest.transaction.datetime", _Clock(time))
        kg.ingest([log])
        return kg

    class _Clock:
        def __init__(self, text: str) -> None:
            self.text = text

        def now(self, _: object) -> "_Clock":
            return self

        def strftime(self, _: str) -> str:
            return self.text

    old = ingested("old", "".join(lines[: len(lines) // 2]))
    new = ingested("new", "".join(lines))
    digest = new.graph().digest()
    found = new.merge(old.store.name)
    assert (found.sources, found.outdated) == (0, 1)
    assert new.graph().digest() == digest
    assert old.merge(new.store.name).replaced == 1
    assert old.graph().digest() == digest
    assert sound(old)


def test_taints_and_observations_come_along(whole: KnowledgeGraph, tmp_path: Path) -> None:
    tainted = provkg.open(tmp_path / "tainted")
    tainted.ingest(FILES)
    done = command("--store", tmp_path / "tainted", "taint", "LST-1.1.Run12012.0000.fits.fz", "--reason", "bad")
    assert done.returncode in (0, 1), done.stderr
    again = provkg.open(tmp_path / "again")
    again.ingest(FILES[:2])
    again.merge(tmp_path / "tainted")
    assert again.graph().digest() == provkg.open(tmp_path / "tainted").graph().digest()


def test_another_base_is_refused_and_a_copy_with_ours_is_imported(whole: KnowledgeGraph, tmp_path: Path) -> None:
    theirs = open_with(Config(base="https://their.example/prov/"), tmp_path / "theirs")
    theirs.ingest(FILES)
    ours = provkg.open(tmp_path / "ours")
    with pytest.raises(InputError, match=r"begin with https://their\.example/prov/") as error:
        ours.merge(tmp_path / "theirs")
    assert "rebase https://provkg.example.org/" in error.value.hint
    theirs.rebase("https://provkg.example.org/", tmp_path / "copy")
    ours.merge(tmp_path / "copy")
    assert ours.graph().digest() == whole.graph().digest()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.ttl", "<http://a> <http://b> <http://c> .", "an import is of .nq"),
        ("a.nq", "<http://a> <http://b> <http://c> .", "no ledger"),
        ("a.nq", "<http://a> <http://b> oh", "a.nq:"),
        ("a.nq.gz", "no gzip", "a.nq.gz:"),
    ],
)
def test_what_is_no_export_is_refused(name: str, content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=told):
        provkg.open(tmp_path / "store").merge(tmp_path / name)
    assert not (tmp_path / "store" / "CURRENT").exists()


def test_a_part_of_a_store_is_no_store(whole: KnowledgeGraph, tmp_path: Path) -> None:
    """Else its sources would be taken for whole, and the rest of them never read."""
    whole.export(tmp_path / "run.nq", run="12012")
    with pytest.raises(InputError, match="no ledger"):
        provkg.open(tmp_path / "store").merge(tmp_path / "run.nq")


# Digests


def test_the_digest_is_what_sort_and_sha256sum_make_of_an_export(whole: KnowledgeGraph, tmp_path: Path) -> None:
    whole.export(tmp_path / "all.nq")
    ledger = f" <{whole.graph().iri(LEDGER)}> .\n".encode()
    lines = [line for line in (tmp_path / "all.nq").open("rb") if not line.endswith(ledger)]
    assert whole.graph().digest() == hashlib.sha256(b"".join(sorted(lines))).hexdigest()


@pytest.mark.parametrize("run", [1, 100, 1000, 1 << 20])
def test_the_digest_is_the_same_in_any_order_and_any_pieces(run: int) -> None:
    """What ends lines for Python stands in literals as it is; only a newline ends a line of N-Quads."""
    odd = "\x0b\x0c\x1c\x85\u2028\u2029\U0001f52d"
    kept = [f'<a:{n}> <a:p> "{odd[n % len(odd) :]} <a:ledger> ." <a:g> .\n'.encode() for n in range(50)]
    lines = kept * 2 + [f"<a:{n}> <a:p> <a:o> <a:ledger> .\n".encode() for n in range(20)]
    random.Random(1).shuffle(lines)
    text = b"".join(lines)
    for size in (1, 7, 64, len(text)):
        with Digest({"a:ledger"}, run=run) as digest:
            for at in range(0, len(text), size):
                digest.write(text[at : at + size])
            assert digest.hexdigest() == hashlib.sha256(b"".join(sorted(kept))).hexdigest()


# Backups


def test_a_backup_comes_back_and_any_store_reads_it(whole: KnowledgeGraph, tmp_path: Path) -> None:
    done = command("--store", whole.store.name, "backup", tmp_path / "monday")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "monday" / "manifest.json").read_text())
    assert manifest["digest"] == whole.graph().digest()
    read = rdflib.Dataset()
    for part in manifest["parts"]:
        read.parse(data=gzip.decompress((tmp_path / "monday" / part["file"]).read_bytes()), format="nquads")
    assert len(list(read.quads())) == manifest["quads"]
    done = command("--store", tmp_path / "back", "restore", tmp_path / "monday")
    assert done.returncode == 0, done.stderr
    back = provkg.open(tmp_path / "back")
    assert set(back.graph().dump().splitlines()) == set(whole.graph().dump().splitlines())
    assert sound(back)
    assert command("--store", whole.store.name, "backup", tmp_path / "monday").returncode == 3, "never over another"


def test_a_damaged_backup_changes_nothing(whole: KnowledgeGraph, tmp_path: Path) -> None:
    whole.backup(tmp_path / "backup")
    store = provkg.open(tmp_path / "store")
    store.ingest(FILES[:1])
    digest = store.graph().digest()
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    victim = tmp_path / "backup" / manifest["parts"][0]["file"]
    good = victim.read_bytes()
    for harm, told in ((b"oh", "not what the manifest says"), (None, "not there")):
        victim.write_bytes(harm) if harm else victim.unlink()
        with pytest.raises(InputError, match=told):
            store.restore(tmp_path / "backup", replace_all=True)
    victim.write_bytes(good)
    (tmp_path / "backup" / "manifest.json").write_text(json.dumps(manifest | {"digest": "0" * 64}))
    with pytest.raises(StoreError, match="not the one that was backed up"):
        store.restore(tmp_path / "backup", replace_all=True)
    with pytest.raises(StoreError, match="holds a store"):
        store.restore(tmp_path / "backup")
    assert store.graph().digest() == digest
    (tmp_path / "backup" / "manifest.json").write_text(json.dumps(manifest))
    assert store.restore(tmp_path / "backup", replace_all=True).digest == whole.graph().digest()
    assert sound(store)


# Another base


def test_a_copy_with_another_base_is_what_ingest_with_it_gives(whole: KnowledgeGraph, tmp_path: Path) -> None:
    base = "https://new.example/p/"
    done = command("--store", whole.store.name, "rebase", base, tmp_path / "copy", "--redirects", "nginx")
    assert done.returncode == 0, done.stderr
    fresh = open_with(Config(base=base), tmp_path / "fresh")
    fresh.ingest(FILES)
    copy = open_with(Config(base=base), tmp_path / "copy")
    assert copy.graph().digest() == fresh.graph().digest()
    assert sound(copy)
    assert "provkg.example.org" not in copy.graph().dump().decode()
    assert done.stdout.strip() == "location / { rewrite ^/(.*)$ https://new.example/p/$1 permanent; }"


def test_aliases_say_what_each_new_iri_was(whole: KnowledgeGraph, tmp_path: Path) -> None:
    base = "https://new.example/p/"
    found = whole.rebase(base, tmp_path / "copy", aliases=True)
    graph = open_with(Config(base=base), tmp_path / "copy").graph()
    pairs = [(q.subject.value, q.object.value) for q in graph.quads(None, OWL.sameAs)]
    assert len(pairs) == len(set(pairs)) == found.aliases > 50
    assert all(new.removeprefix(base) == old.removeprefix("https://provkg.example.org/") for new, old in pairs)
    assert {old for _, old in pairs} >= {each.entity for each in whole.lineage("crab_flux_points.fits")}


def test_no_base_is_refused(whole: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no http"):
        whole.rebase("nothing", tmp_path / "copy")
    with pytest.raises(StoreError, match="the store itself"):
        whole.rebase("https://new.example/", whole.store.name)
    assert redirects("https://a.example/x/", "https://b.example/", "apache").startswith("RedirectMatch permanent ^/x/")
