"""Nothing lost: each byte is accounted for, and whatever the history of ingests, the graph is the same."""

import bz2
import gzip
import json
import lzma
import os
import random
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

import provkg
from provkg.ingest import reading
from provkg.knowledge import KnowledgeGraph
from provkg.readers import open_source, stretches
from provkg.resources import sample
from provkg.shelves import Shelf
from provkg.store import text_of
from provkg.vocab import LEDGER, PKG, PROV, RDF_TYPE, SUMMARIES
from tests.conftest import SHARED
from tests.logs import activity, line, session
from tests.test_cli import provkg as command

Write = Callable[[str, str | bytes], Path]


def long_log(calls: int = 60, seed: int = 1) -> str:
    """Return a log that is many stretches long, in which calls overlap, with lines of all kinds between."""
    dice = random.Random(seed)
    records = []
    for number in range(calls):
        used = (f"/raw/{number}.zfits", f"/dl1/{max(0, number - 3)}.h5", f"/dl1/{dice.randrange(calls)}.h5")
        told = activity(f"{number:06x}", f"step{number % 3}", at=number, used=used, generated=(f"/dl1/{number}.h5",))
        records.append([line(each) for each in [session(tag="-"), *told]])
    written: list[str] = []
    while any(records):  # what runs at the same time writes at the same time
        each = dice.choice([some for some in records[:4] if some] or [records[0]])
        if each:
            written.append(each.pop(0))
        if dice.random() < 0.2:
            written.append(dice.choice(["INFO nothing\n", "\n", line({"activity_id": "00"})[:-9] + "\n", "{'cut'\n"]))
        records = [some for some in records if some]
    return "".join(written)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_BYTES", 2_000)


@pytest.fixture(scope="module")
def text() -> bytes:
    return long_log().encode()


@pytest.fixture
def digest(tmp_path: Path, write: Write) -> Callable[[bytes], str]:
    """Return the digest of a graph that never saw anything but this content."""

    def digest(content: bytes) -> str:
        kg = provkg.open(tmp_path / f"undisturbed{len(list(tmp_path.iterdir()))}")
        kg.ingest([write("undisturbed.log", content)])
        return kg.graph().digest()

    return digest


def sound(kg: KnowledgeGraph) -> bool:
    return all(check.ok for check in kg.doctor())


# Every byte


def test_each_byte_of_each_source_is_accounted_for(kg: KnowledgeGraph, write: Write, text: bytes) -> None:
    junk = b"\xff\xfe binary\nINFO x\n" + b"{'activity_id': 'x', " + b"y" * 100 + b"\n"
    files = [path for path in sorted(sample().iterdir()) if path.is_file()]
    files += [write("a.log", text), write("b.log", junk + text[:5_000] + junk + text[5_000:9_000])]
    files += [write("c.log", text.replace(b"\n", b"\r\n")), write("d.log", text[:7_777])]
    kg.ingest(files)
    told = kg.sources()
    assert len(told) == len(files)
    for each in told:
        assert not each.wrong
        (placed,) = each.placed
        assert each.size == placed.size == Path(placed.path).stat().st_size == placed.stored
        assert each.size == each.records + each.nothing + each.quarantined
        assert placed.inode == Path(placed.path).stat().st_ino
    by_name = {Path(each.paths[0]).name: each for each in told}
    assert len(by_name["a.log"].stretches) > 10
    assert by_name["b.log"].quarantined >= 2 * 121
    assert by_name["b.log"].nothing >= 2 * len("INFO x\n")
    assert sound(kg)


@given(st.lists(st.sampled_from([*long_log(6).splitlines(keepends=True), "INFO x\n", "\n", "{'", "é\n"]), max_size=60))
def test_each_byte_of_any_log_is_accounted_for(tmp_path_factory: pytest.TempPathFactory, some: list[str]) -> None:
    path = tmp_path_factory.mktemp("any") / "a.log"
    path.write_text(line(session()) + "".join(some))
    kg = provkg.open(path.parent / "store")
    kg.ingest([path])
    assert [each.wrong for each in kg.sources()] == [""]


def test_the_quarantine_says_which_bytes(kg: KnowledgeGraph, write: Write, text: bytes) -> None:
    path = write("a.log", text)
    kg.ingest([path])
    graph = kg.graph()
    ledger = graph.iri(LEDGER)
    found = 0
    for quad in graph.quads(None, PKG.inSource, None, ledger):
        facts = {
            each.predicate.value: text_of(each.object) for each in graph.quads(text_of(quad.subject), graph=ledger)
        }
        begin, length = int(facts[PKG.byteOffset]), int(facts[PKG.byteLength])
        assert text[begin : begin + length].decode().rstrip("\n") == facts[PKG.text]
        assert text[:begin].count(b"\n") == int(facts[PKG.line]) - 1
        found += length
    assert found == sum(each.quarantined for each in kg.sources()) > 0


def test_the_commands_say_it(tmp_path: Path, write: Write, text: bytes) -> None:
    path, other = write("a.log", text), write("b.txt", "no provenance\n")
    store = tmp_path / "store"
    done = command("--store", store, "ingest", path.parent, "--report")
    assert done.returncode == 4, done.stderr
    header, first, second = (row.split("\t") for row in done.stdout.splitlines())
    told = dict(zip(header, first, strict=True))
    assert told["path"] == str(path)
    assert told["adds up"] == "yes"
    assert int(told["bytes"]) == len(text) == sum(int(told[key]) for key in ("records", "no records", "quarantined"))
    assert (second[0], second[9]) == (str(other), "no provenance")
    assert f"{len(text):,} bytes in 1 documents" in done.stderr
    (document,) = json.loads(command("--store", store, "status", "--sources", "--json").stdout)
    assert document["paths"][0]["sha256"] == open_source(path, provkg.config.Config()).digest
    assert document["stretches"][0]["begin"] == 0
    assert document["stretches"][-1]["end"] == len(text)
    again = command("--store", store, "ingest", path, "--report", "--json")
    assert json.loads(again.stdout)["documents"] == [document]


# The same graph, whatever the history


def test_a_log_that_grows_is_read_where_it_grew(
    kg: KnowledgeGraph, write: Write, text: bytes, digest: Callable[[bytes], str]
) -> None:
    kg.ingest([write("a.log", text[:20_000])])
    (before,) = kg.sources()
    summary = kg.ingest([write("a.log", text)])
    assert (summary.sources, summary.grown, summary.replaced) == (1, 1, 0)
    (after,) = kg.sources()
    assert after.stretches[: len(before.stretches) - 1] == before.stretches[:-1]
    assert len(summary.touched) < len(after.stretches)
    assert kg.graph().digest() == digest(text)
    assert sound(kg)


@settings(max_examples=10)
@given(
    cuts=st.lists(st.tuples(st.integers(1, len(long_log(20))), st.booleans()), max_size=5),
    seed=st.integers(0, 9),
    most=st.sampled_from((0, 2_000, Shelf.most)),
)
def test_a_log_may_grow_by_any_pieces(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, bool]], seed: int, most: int
) -> None:
    text = long_log(20, seed).encode()
    folder = tmp_path_factory.mktemp("grows")
    kg, whole = provkg.open(folder / "store"), provkg.open(folder / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shelf, "most", most)
        for cut, by_lines in [*sorted(cuts), (len(text), False)]:
            end = text.find(b"\n", cut) + 1 if by_lines else cut
            (folder / "a.log").write_bytes(text[: end or cut])
            kg.ingest([folder / "a.log"])
    whole.ingest([folder / "a.log"])
    assert kg.graph().digest() == whole.graph().digest()
    assert sound(kg)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_a_copy_under_another_name_and_compressed_is_the_same(
    kg: KnowledgeGraph, write: Write, text: bytes, compress: Callable[[bytes], bytes], digest: Callable[[bytes], str]
) -> None:
    kg.ingest([write("a.log", text)])
    summary = kg.ingest([write("b.log", compress(text)), write("c.log", text)])
    assert (summary.sources, summary.unchanged) == (0, 2)
    (document,) = kg.sources()
    assert [Path(path).name for path in document.paths] == ["a.log", "b.log", "c.log"]
    assert {each.size for each in document.placed} == {len(text)}
    assert kg.graph().digest() == digest(text)
    grown = text + long_log(5, 7).encode()
    kg.ingest([write("b.log", compress(grown))])
    kg.ingest([write("a.log", grown), write("c.log", grown)])
    assert kg.graph().digest() == digest(grown)


def test_a_log_that_is_rotated_stays_known(kg: KnowledgeGraph, write: Write, text: bytes) -> None:
    path = write("prov.log", text)
    kg.ingest([path])
    path.rename(path.with_name("prov.log.1"))
    write("prov.log", long_log(30, 2))
    summary = kg.ingest([path.parent])
    assert (summary.sources, summary.unchanged, summary.replaced) == (1, 1, 1)
    other = provkg.open(path.parent.parent / "other")
    other.ingest([path.parent])
    assert kg.graph().digest() == other.graph().digest()
    assert sound(kg)


def test_a_log_that_is_truncated_and_written_again_says_only_what_it_says_now(
    kg: KnowledgeGraph, write: Write, text: bytes, digest: Callable[[bytes], str]
) -> None:
    kg.ingest([write("a.log", text)])
    for content in (text[:9_000], long_log(30, 3).encode(), text):
        summary = kg.ingest([write("a.log", content)])
        assert summary.replaced == 1
        assert kg.graph().digest() == digest(content)
    assert sound(kg)


def test_logs_that_begin_alike_share_what_is_alike_until_none_has_it(
    kg: KnowledgeGraph, write: Write, text: bytes, tmp_path: Path
) -> None:
    first, second = text[:15_000] + long_log(10, 4).encode(), text[:15_000] + long_log(10, 5).encode()
    a, b = write("a.log", first), write("b.log", second)
    kg.ingest([a, b])
    assert len({source for each in kg.sources() for source in each.stretches}) < sum(
        len(each.stretches) for each in kg.sources()
    )
    kg.ingest([write("a.log", long_log(4, 6))])
    other = provkg.open(tmp_path / "other")
    other.ingest([b, a])
    assert kg.graph().digest() == other.graph().digest()
    assert sound(kg)


def test_whatever_order_files_come_in_and_change_the_end_is_the_same(tmp_path: Path, write: Write) -> None:
    """Files that share beginnings grow, shrink, are copied, compressed and rewritten, in any order, many times."""
    versions = [long_log(12, seed).encode() for seed in range(3)]
    versions += [each[: len(each) // 3] for each in versions] + [versions[0][:9_000] + versions[1][:5_000]]
    for seed in range(6):
        dice = random.Random(seed)
        kg = provkg.open(tmp_path / f"store{seed}")
        names = ["a.log", "b.log", "c.log"]
        for _ in range(6):
            name, content = dice.choice(names), dice.choice(versions)
            kg.ingest([write(name, dice.choice([bytes, gzip.compress, zstd.compress])(content))])
        for name, content in zip(names, versions, strict=False):
            write(name, content)
        kg.ingest([write(name, content) for name, content in zip(names, versions, strict=False)])
        fresh = provkg.open(tmp_path / f"fresh{seed}")
        fresh.ingest([tmp_path / "in"])
        assert kg.graph().digest() == fresh.graph().digest(), seed
        assert sound(kg), seed


def test_documents_that_overlap_are_one_graph_in_any_order(tmp_path: Path, write: Write, text: bytes) -> None:
    whole = provkg.open(tmp_path / "whole")
    whole.ingest([write("a.log", text)])
    exports = [tmp_path / "first.ttl", tmp_path / "second.ttl"]
    whole.export(exports[0], "turtle", run="01618")
    whole.export(exports[1], "turtle", night="20230312")
    found = set()
    for order in ([*exports], exports[::-1]):
        kg = provkg.open(tmp_path / f"store{len(found)}{order[0].name}")
        for path in order:
            kg.ingest([path])
        kg.ingest([*order])
        found.add(kg.graph().digest())
    assert len(found) == 1


def test_documents_that_give_one_id_to_different_usages_are_one_graph_in_any_order(
    tmp_path: Path, write: Write
) -> None:
    """Documents of examples all have an ``ex:use1``."""
    documents = []
    for number, (activity_, used) in enumerate((("a1", "e1"), ("a1", "e2"), ("a2", "e1"), ("a3", "e3"))):
        usage = {"prov:activity": f"ex:{activity_}", "prov:entity": f"ex:{used}"}
        made = {"prov:activity": f"ex:{activity_}", "prov:entity": f"ex:made{number}"}
        content = {"prefix": {"ex": "http://example.org/"}, "used": {"ex:use1": usage}, "wasGeneratedBy": {"_:g": made}}
        documents.append(write(f"{number}.json", json.dumps(content | {"activity": {f"ex:{activity_}": {}}})))
    digests = set()
    for number, order in enumerate(permutations(documents, 4)):
        if number % 5 == 0:
            kg = provkg.open(tmp_path / f"store{number}")
            kg.ingest(order[: number % 4])
            kg.ingest(order)
            assert sound(kg)
            digests.add(kg.graph().digest())
    assert len(digests) == 1


def test_a_document_of_many_statements_is_told_in_parts(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = provkg.open(tmp_path / "whole"), provkg.open(tmp_path / "parts")
    told = whole.ingest([sample()])
    monkeypatch.setattr(reading, "PART_STATEMENTS", 3)
    summary = parts.ingest([sample()])
    assert (summary.counts, summary.evidence, summary.sources) == (told.counts, told.evidence, told.sources)
    assert max(len(each.stretches) for each in parts.sources()) > 3
    assert sound(parts)
    one, many = statements(whole), statements(parts)
    # where each part speaks of something it says that this is an entity
    assert one <= many
    assert {fact[1:] for fact in many - one} <= {(str(RDF_TYPE), PROV.Entity)}
    assert parts.ingest([sample()]).sources == 0
    changed = write(
        "prov.json", '{"prefix": {"ex": "http://example.org/"}, "entity": {"ex:e": {}, "ex:f": {}, "ex:g": {}}}'
    )
    parts.ingest([changed])
    parts.ingest([write("prov.json", changed.read_text().replace("ex:f", "ex:h"))])
    again = provkg.open(tmp_path / "again")
    again.ingest([changed, sample()])
    assert again.graph().digest() == parts.graph().digest()


def statements(kg: KnowledgeGraph) -> set[tuple[str, str, str]]:
    """Return what the sources say and what is shared and resolved."""
    graph = kg.graph()
    kept = {graph.iri(LEDGER), graph.iri(SUMMARIES)}
    quads = [quad for quad in graph.quads() if text_of(quad.graph_name) not in kept]
    return {(text_of(quad.subject), quad.predicate.value, text_of(quad.object)) for quad in quads}


def test_what_was_read_of_a_log_that_cannot_be_read_on_stays_and_is_completed(
    kg: KnowledgeGraph, write: Write, text: bytes, digest: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the file server goes away in the middle."""
    read, left = stretches.Bounded.readline, [200]

    def broken(stream: stretches.Bounded, limit: int) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(5, "Input/output error")
        return read(stream, limit)

    path, other = write("a.log", text), write("b.log", long_log(5, 9))
    monkeypatch.setattr(stretches.Bounded, "readline", broken)
    summary = kg.ingest([path])
    assert [error.message for error in summary.errors] == [f"{path}: Input/output error"]
    monkeypatch.undo()
    monkeypatch.setattr(stretches, "STRETCH_BYTES", 2_000)
    (partly,) = kg.sources()
    assert 0 < partly.size < len(text)
    assert sound(kg)
    kg.ingest([path, other])
    other.unlink()
    again = provkg.open(path.parent.parent / "again")
    again.ingest([path, write("b.log", long_log(5, 9))])
    assert kg.graph().digest() == again.graph().digest()


def test_a_log_that_changes_while_it_is_read_is_said(
    kg: KnowledgeGraph, write: Write, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.log", text)
    read = stretches.Bounded.readline

    def overwritten(stream: stretches.Bounded, limit: int) -> bytes:
        with path.open("r+b") as file:
            file.seek(30_000)
            file.write(b"XXXX")
        return read(stream, limit)

    monkeypatch.setattr(stretches.Bounded, "readline", overwritten)
    summary = kg.ingest([path])
    assert [error.message for error in summary.errors] == [f"{path}: it was changed while it was read"]


def test_what_others_say_in_the_words_of_resolution_draws_no_edges(kg: KnowledgeGraph) -> None:
    """It was in an index that was made again, and not in one that ingests had made."""
    kg.ingest([Path(__file__).parent / "cases"])
    assert sound(kg)


def test_real_records_add_up(tmp_path: Path) -> None:
    if not SHARED.exists():
        pytest.skip("the folder of real records, ../shared, is not here")
    kg = provkg.open(tmp_path / "store")
    kg.ingest([SHARED / "data"])
    told = kg.sources()
    assert len(told) > 50
    assert [(each.paths, each.wrong) for each in told if each.wrong] == []


def test_a_bomb_is_refused(kg: KnowledgeGraph, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provkg.readers.BOMB_BYTES", 1 << 20)
    for compress in (gzip.compress, bz2.compress, lzma.compress, zstd.compress):
        summary = kg.ingest([write("a.log", compress(bytes(1 << 25)))])
        (error,) = summary.errors
        assert "1,000 times as large" in error.message or summary.skipped


def test_times_of_files_are_kept(kg: KnowledgeGraph, write: Write, text: bytes) -> None:
    path = write("a.log", text)
    os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))
    kg.ingest([path])
    ((placed,),) = [each.placed for each in kg.sources()]
    assert placed.modified == 1_600_000_000_123_456_789
    before = kg.store.current()
    kg.ingest([path])
    assert kg.store.current() == before, "nothing changed, nothing is written"
    os.utime(path)
    kg.ingest([path])
    ((placed,),) = [each.placed for each in kg.sources()]
    assert placed.modified != 1_600_000_000_123_456_789
