"""Ingest: one transaction, order does not matter, the same again changes nothing, nothing half-written is seen."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import provkg
from provkg.errors import StoreError, StoreLocked
from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from provkg.vocab import PKG
from tests.logs import activity, log, session

Write = Callable[[str, str | bytes], Path]


def logs() -> list[Path]:
    return sorted(sample().iterdir())


def digest(kg: KnowledgeGraph) -> str:
    return kg.graph().digest()


def test_order_and_grouping_of_ingests_do_not_change_the_graph(tmp_path: Path) -> None:
    digests = set()
    for number in range(6):
        files, chance = logs(), random.Random(number)
        chance.shuffle(files)
        kg = provkg.open(tmp_path / f"store{number}")
        while files:
            size = chance.randint(1, len(files))
            kg.ingest(files[:size])
            files = files[size:]
        digests.add(digest(kg))
    assert len(digests) == 1


def test_the_same_again_changes_nothing(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    before = digest(kg), kg.store.current()
    again = kg.ingest([sample()])
    assert (again.sources, again.unchanged) == (0, len(logs()))
    assert (digest(kg), kg.store.current()) == before


def test_a_grown_file_replaces_what_it_said_before(kg: KnowledgeGraph, write: Write, tmp_path: Path) -> None:
    text = (sample() / "Run12013.log").read_text()
    lines = text.splitlines(keepends=True)
    others = [path for path in logs() if path.name != "Run12013.log"]
    for part in (0.2, 0.6, 1.0):
        summary = kg.ingest([write("Run12013.log", "".join(lines[: int(len(lines) * part)])), *others])
    assert (summary.grown, summary.replaced) == (1, 0)
    whole = provkg.open(tmp_path / "whole")
    whole.ingest([write("Run12013.log", text), *others])
    assert digest(kg) == digest(whole)


def test_a_file_that_is_rewritten_leaves_nothing_behind(kg: KnowledgeGraph, write: Write, tmp_path: Path) -> None:
    kg.ingest(
        [write("a.log", log(session(), activity("aaaaaa", used=("/d/x",), generated=("/d/y",), parameters={"old": 1})))]
    )
    new = log(session(7), activity("bbbbbb", "other", used=("/d/z",), in_session=7))
    kg.ingest([write("a.log", new)])
    fresh = provkg.open(tmp_path / "fresh")
    fresh.ingest([write("a.log", new)])
    assert digest(kg) == digest(fresh)


def test_a_copy_under_another_name_and_a_compressed_one_are_the_same_source(kg: KnowledgeGraph, write: Write) -> None:
    import bz2
    import gzip

    data = (sample() / "calibration.log").read_bytes()
    kg.ingest([write("a.log", data)])
    before = digest(kg)
    summary = kg.ingest([write("b.log", data), write("c.gz", gzip.compress(data)), write("d", bz2.compress(data))])
    assert (summary.sources, summary.unchanged, digest(kg)) == (0, 3, before)


def test_a_late_producer_turns_an_assumed_version_into_the_right_one(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("b.log", log(activity("bbbbbb", "dl1ab", at=60, used=("/d/x",), generated=("/d/y",))))])
    assert [step.evidence for step in kg.lineage("/d/y")] == ["assumed"]
    kg.ingest([write("a.log", log(activity("aaaaaa", generated=("/d/x",))))])
    steps = kg.lineage("/d/y")
    assert [(step.evidence, step.activityName) for step in steps] == [("byTime", "dl1ab"), ("generated", "r0_to_dl1")]
    assert [each.made_by for each in kg.find("/d/x")] == ["r0_to_dl1"]


def test_a_version_that_was_still_being_written_was_not_read(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest(
        [
            write(
                "a.log",
                log(
                    activity("aaaaaa", at=0, seconds=50, generated=("/d/x",)),
                    activity("bbbbbb", "dl1ab", at=10, used=("/d/x",), generated=("/d/y",)),
                ),
            )
        ]
    )
    assert [step.evidence for step in kg.lineage("/d/y")] == ["assumed"]


def test_a_usage_at_an_unknown_time_of_a_written_file_is_not_resolved(kg: KnowledgeGraph, write: Write) -> None:
    lost = activity("bbbbbb", "dl1ab", at=60, used=("/d/x",), generated=("/d/y",))[1:]
    kg.ingest([write("a.log", log(activity("aaaaaa", generated=("/d/x",)), lost))])
    [step] = kg.lineage("/d/y")
    assert (step.location, step.evidence) == ("/d/x", "unresolved")


def test_a_second_writer_is_refused_with_the_pid_of_the_first_and_readers_go_on(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    with kg.store.write():
        with pytest.raises(StoreLocked) as refused, kg.store.write():
            pass
        assert str(os.getpid()) in refused.value.message
        assert f"kill {os.getpid()}" in refused.value.hint
        assert kg.status()["activities"] == 40


def test_readers_see_all_of_an_ingest_or_nothing(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([sample() / "gammapy.log"])
    before = kg.graph()
    digest_before = before.digest()
    with kg.store.write() as writing:
        writing.load("<http://example.org/s> <http://example.org/p> <http://example.org/o> <http://example.org/g> .\n")
        assert digest(kg) == digest_before
    assert digest(kg) != digest_before
    assert before.digest() == digest_before  # what is open stays as it was opened


def test_an_error_in_the_middle_leaves_the_store_as_it_was(kg: KnowledgeGraph) -> None:
    kg.ingest([sample() / "gammapy.log"])
    before = digest(kg)

    def fail() -> None:
        with kg.store.write() as writing:
            writing.load(
                "<http://example.org/s> <http://example.org/p> <http://example.org/o> <http://example.org/g> .\n"
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert digest(kg) == before
    assert [path.name for path in (kg.store.path / "snapshots").iterdir()] == ["000001"]


def _slow_ingest(store: Path, ready: "multiprocessing.synchronize.Event") -> None:
    kg = provkg.open(store)

    def progress(_done: int, _total: int, name: str) -> None:
        if name.endswith("ctapipe.provenance.log"):
            ready.set()
            signal.pause()

    kg.ingest([sample()], progress=progress)


def test_a_killed_ingest_is_as_if_it_had_not_been(kg: KnowledgeGraph) -> None:
    kg.ingest([sample() / "gammapy.log"])
    before = digest(kg)
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    child = context.Process(target=_slow_ingest, args=(kg.store.path, ready))
    child.start()
    assert ready.wait(60)
    with pytest.raises(StoreLocked), kg.store.write():
        pass
    child.kill()
    child.join()
    assert digest(kg) == before
    kg.ingest([sample()])
    assert sorted(path.name for path in (kg.store.path / "snapshots").iterdir()) == ["000001", "000002"]


def test_nothing_of_a_store_stays_open_after_an_ingest(kg: KnowledgeGraph) -> None:
    import gc

    gc.disable()  # what only the collector would close is still open
    try:
        kg.ingest([sample() / "gammapy.log"])
        kg.status()  # a reader keeps the state that it read open, until the next ingest
        kg.ingest([sample()])
        opened = [
            os.readlink(f"/proc/self/fd/{number}")
            for number in os.listdir("/proc/self/fd")
            if os.path.lexists(f"/proc/self/fd/{number}")
        ]
    finally:
        gc.enable()
    assert not [path for path in opened if str(kg.store.path) in path]


def test_a_store_of_another_base_is_not_mixed(tmp_path: Path) -> None:
    provkg.open(tmp_path / "store").ingest([sample() / "gammapy.log"])
    Path("provkg.toml").write_text('base = "https://other.example.org/"\n')
    with pytest.raises(StoreError, match="begin with"):
        provkg.open(tmp_path / "store").ingest([sample()])


def test_a_store_of_a_newer_provkg_is_not_touched(kg: KnowledgeGraph) -> None:
    kg.ingest([sample() / "gammapy.log"])
    (kg.store.path / "format.json").write_text('{"format": 99, "base": "https://provkg.example.org/"}')
    with pytest.raises(StoreError, match="newer"):
        kg.graph()


def test_standard_input_is_a_source(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "provkg", "--store", "s", "ingest", "-"],
        stdin=(sample() / "gammapy.log").open("rb"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "3 activities" in done.stdout


def test_every_quarantined_byte_is_in_the_ledger(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    graph = kg.graph()
    [piece] = [quad.subject.value for quad in graph.quads(None, None, PKG.Quarantined)]
    data = (sample() / "Run12012.log").read_bytes()
    offset, length = (int(graph.objects(piece, term)[0]) for term in (PKG.byteOffset, PKG.byteLength))
    assert data[offset : offset + length].decode().startswith(graph.objects(piece, PKG.text)[0][:60])
    assert data[:offset].count(b"\n") + 1 == int(graph.objects(piece, PKG.line)[0])


def test_the_graph_holds_no_blank_node(kg: KnowledgeGraph, write: Write) -> None:
    turtle = "@prefix prov: <http://www.w3.org/ns/prov#> .\n<http://e.org/a> a prov:Activity ; prov:qualifiedUsage [ a prov:Usage ; prov:entity <http://e.org/e> ] ."
    kg.ingest([sample(), write("x.ttl", turtle)])
    assert not any(str(quad).startswith("_:") or " _:" in str(quad) for quad in kg.graph().quads())
