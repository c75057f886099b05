"""What could not be read is repaired by hand and read again, as if it had been written so."""

import gzip
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provkg
from provkg.ingest import Summary
from provkg.knowledge import KnowledgeGraph
from provkg.readers import stretches
from tests.logs import activity, line, session
from tests.test_cli import provkg as command
from tests.test_ledger import long_log, sound
from tests.test_release import _ALL
from tests.watching import Watcher, until

Write = Callable[[str, str | bytes], Path]
LOG = [session(), *activity("a1", used=("/r/1",), generated=("/d/1",)), *activity("a2", at=9, generated=("/d/2",))]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_BYTES", 2_000)


def torn(at: int) -> tuple[str, str]:
    """Return a log, and the same with one of its lines cut."""
    whole = [line(each) for each in LOG]
    return "".join(whole), "".join([*whole[:at], whole[at][:-30] + "\n", "text\n", *whole[at + 1 :]])


def pieces(kg: KnowledgeGraph) -> list[dict[str, Any]]:
    return [json.loads(each.as_json()) for each in kg.quarantine()]


def written(some: list[dict[str, Any]]) -> Path:
    path = Path("quarantine.jsonl")
    path.write_text("".join(json.dumps(each) + "\n" for each in some))
    return path


def digest_of(content: str | bytes) -> str:
    kg = provkg.open(Path(f"undisturbed{len(list(Path.cwd().iterdir()))}"))
    path = Path("undisturbed.log")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    kg.ingest([path])
    return kg.graph().digest()


def mended(kg: KnowledgeGraph, text: str | Callable[[str], str]) -> Summary:
    """Repair all pieces."""
    some = pieces(kg)
    return kg.replay(written([each | {"text": text if isinstance(text, str) else text(each["text"])} for each in some]))


def whole_line(number: int) -> str:
    return line(LOG[number])[len("INFO provLogger ") :].rstrip("\n")


def test_a_torn_record_is_repaired_and_read_as_if_it_had_been_written_so(kg: KnowledgeGraph, write: Write) -> None:
    path = write("a.log", torn(3)[1])
    kg.ingest([path])
    (piece,) = pieces(kg)
    data = path.read_bytes()[piece["offset"] : piece["offset"] + piece["length"]]
    assert (piece["line"], piece["text"] + "\n", piece["reason"]) == (4, data.decode(), "the record is cut short")
    summary = mended(kg, whole_line(3))
    assert (summary.errors, summary.quarantined, pieces(kg)) == ([], [], [])
    assert summary.remarks["pieces of sources repaired by hand"] == 1
    assert sound(kg)
    assert kg.graph().digest() == digest_of(torn(3)[1].replace(data.decode(), whole_line(3) + "\n"))
    assert path.read_text() == torn(3)[1], "the file is as it was"
    assert kg.ingest([path]).unchanged == 1


def test_a_repair_is_kept_when_the_log_grows_is_copied_compressed_and_read_by_others(
    kg: KnowledgeGraph, write: Write
) -> None:
    path = write("a.log", torn(3)[1])
    kg.ingest([path])
    mended(kg, whole_line(3))
    with path.open("a") as file:
        file.write("".join(line(each) for each in activity("a3", at=20, generated=("/d/3",))))
    grown = kg.ingest([path])
    assert (grown.grown, grown.quarantined) == (1, [])
    copy = write("b.log.gz", gzip.compress(path.read_bytes()))
    assert kg.ingest([copy]).unchanged == 1
    assert kg.ingest([copy], scheduler=None).unchanged == 1
    (document,) = kg.sources()
    assert sorted(document.paths) == [str(path), str(copy)]
    assert {each.repaired for each in document.placed} == {1}
    other = write("c.log", "INFO one line before\n" + path.read_text())
    assert len(kg.ingest([other]).quarantined) == 1, "another document is not repaired"


def test_a_repair_can_be_wrong_is_made_again_and_undone(kg: KnowledgeGraph, write: Write) -> None:
    path = write("a.log", torn(3)[1])
    kg.ingest([path])
    before = kg.graph().digest()
    first = mended(kg, "__PROV__2023-03-13T08:00:00__PROV__{'still': ")
    assert len(first.quarantined) == 1
    assert len(mended(kg, whole_line(3)).quarantined) == 0
    assert pieces(kg) == []
    kg = provkg.open(kg.store.name)
    spoiled = written([])
    raw = path.read_bytes()
    offset = raw.index(b"__PROV__", raw.index(line(LOG[2]).encode()) + len(line(LOG[2])))
    length = raw.index(b"\n", offset) + 1 - offset
    import hashlib

    text = raw[offset : offset + length].decode().rstrip("\n")
    sha = hashlib.sha256(raw[offset : offset + length]).hexdigest()
    about = {"source": str(path), "line": 4, "offset": offset, "length": length, "sha256": sha, "reason": ""}
    spoiled = written([about | {"text": text}])
    assert len(kg.replay(spoiled).quarantined) == 1, "undone"
    assert kg.graph().digest() == before


def test_copies_are_one_document_that_is_repaired_once(kg: KnowledgeGraph, write: Write) -> None:
    path = write("a.log", torn(3)[1])
    copy = write("b.log.gz", gzip.compress(path.read_bytes()))
    kg.ingest([path, copy])
    mended(kg, whole_line(3))
    (document,) = kg.sources()
    assert sorted(document.paths) == [str(path), str(copy)]
    assert sound(kg)


def test_what_came_by_a_stream_is_shown_and_cannot_be_repaired() -> None:
    command("--store", "s", "ingest", "-", stdin=torn(3)[1])
    (piece,) = map(json.loads, command("--store", "s", "status", "--quarantine").stdout.splitlines())
    assert (piece["source"], piece["sha256"], piece["line"]) == ("-", "", 4)


def test_an_empty_text_is_no_record(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("a.log", torn(3)[1])])
    mended(kg, "")
    (document,) = kg.sources()
    assert (document.quarantined, document.wrong) == (0, "")
    assert kg.status()["activities"] == 2


def test_a_piece_at_the_end_is_repaired_while_nothing_follows_it(kg: KnowledgeGraph, write: Write) -> None:
    whole, cut = torn(len(LOG) - 1)[0], torn(len(LOG) - 1)[0][:-25]
    path = write("a.log", cut)
    assert len(kg.ingest([path]).quarantined) == 1
    assert mended(kg, whole_line(-1)).quarantined == []
    assert kg.status()["ended"] == 2
    path.write_text(whole)  # the writer went on
    assert kg.ingest([path]).quarantined == []
    assert kg.graph().digest() == digest_of(whole)


def test_bytes_that_are_no_utf8_pass_through(kg: KnowledgeGraph, write: Write) -> None:
    whole = torn(3)[1].encode().replace(b"/d/1", b"/d/\xe9")
    kg.ingest([write("a.log", whole)])
    (piece,) = pieces(kg)
    kg.replay(written([piece | {"text": whole_line(3).replace("/r/1", "/r/\udce9")}]))
    assert kg.status()["quarantined"] == 0


@settings(max_examples=5)
@given(seed=st.integers(0, 10_000), cuts=st.integers(1, 4), order=st.randoms())
def test_whatever_is_repaired_in_whatever_order_the_graph_is_that_of_the_mended_log(
    tmp_path: Path, seed: int, cuts: int, order: random.Random
) -> None:
    whole = long_log(10, seed).splitlines(keepends=True)
    spots = [number for number, text in enumerate(whole) if "__PROV__" in text]
    spots = order.sample(spots, min(cuts, len(spots)))
    spoiled = ["".join([text[: len(text) // 2], "\n"]) if at in spots else text for at, text in enumerate(whole)]
    folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    path = folder / "a.log"
    path.write_text("".join(spoiled))
    kg = provkg.open(folder / "store")
    kg.ingest([path])
    before = {each["line"]: each for each in pieces(kg)}
    for number in spots:  # one after the other: the places are those of the file
        now = [each for each in pieces(kg) if each["line"] == number + 1]
        if now and (number + 1) in before:
            begin = spoiled[number].encode().find(now[0]["text"].encode())
            kg.replay(written([now[0] | {"text": whole[number][begin:].rstrip("\n")}]))
            spoiled[number] = whole[number]
    assert sound(kg)
    fresh = provkg.open(folder / "fresh")
    path.write_text("".join(spoiled))
    fresh.ingest([path])
    assert kg.graph().digest() == fresh.graph().digest()


def test_what_cannot_be_repaired_is_said_with_its_line(kg: KnowledgeGraph, write: Write) -> None:
    path = write("a.log", torn(3)[1])
    kg.ingest([path])
    (piece,) = pieces(kg)
    bad = ["no json\n", "[]\n", json.dumps(piece | {"offset": -1}) + "\n", json.dumps(piece | {"source": "/x"}) + "\n"]
    bad.append(json.dumps(piece | {"offset": piece["offset"] + 1, "text": "x"}) + "\n")
    Path("q.jsonl").write_text("".join(bad))
    summary = kg.replay("q.jsonl")
    told = [each.message for each in summary.errors]
    assert [each.split(": ")[0] for each in told] == [f"q.jsonl:{number}" for number in (1, 2, 3, 4, 5)], told
    path.write_text("something else\n")
    (lost,) = pieces(kg)
    assert (lost["sha256"], "cannot be repaired" in lost["reason"]) == ("", True)
    assert kg.replay(written([lost])).remarks["quarantined pieces left as they are"] == 1


def test_a_repair_goes_with_its_store(kg: KnowledgeGraph, write: Write, tmp_path: Path) -> None:
    path = write("a.log", torn(3)[1])
    kg.ingest([path])
    mended(kg, whole_line(3))
    kg.backup(tmp_path / "backup")
    other = provkg.open(tmp_path / "other")
    other.restore(tmp_path / "backup")
    assert other.ingest([path]).unchanged == 1
    merged = provkg.open(tmp_path / "merged")
    merged.ingest([write("b.log", line(session()))])
    merged.merge(kg.store.name)
    assert merged.ingest([path]).quarantined == []
    policy = tmp_path / "policy.toml"
    policy.write_text(_ALL)
    kg.release(policy, tmp_path / "released")
    assert "sha256Before" in kg.graph().dump().decode()
    assert "sha256Before" not in provkg.open(tmp_path / "released").graph().dump().decode()


def test_commands_give_and_take_the_pieces(write: Write) -> None:
    path = write("a.log", torn(3)[1])
    assert command("--store", "s", "ingest", path).returncode == 4
    done = command("--store", "s", "status", "--quarantine")
    piece = json.loads(done.stdout)
    file = written([piece | {"text": whole_line(3)}])
    replayed = command("--store", "s", "ingest", "--replay", file)
    assert (replayed.returncode, "1 pieces of sources repaired by hand" in replayed.stdout) == (0, True), replayed
    assert command("--store", "s", "status", "--quarantine").stdout == ""
    for wrong in (
        ["ingest"],
        ["ingest", "--replay", file, path],
        ["ingest", "--replay", file, "--scheduler", "local:1"],
    ):
        assert command("--store", "s", *wrong).returncode == 2
    again = command("--store", "s", "ingest", "--scheduler", "local:1", path)
    assert "1 already known" in again.stdout


def test_watch_reads_a_repaired_log_with_its_repairs(kg: KnowledgeGraph, write: Write, watcher: Watcher) -> None:
    path = write("a.log", torn(3)[1])
    watcher(path.parent)
    until(lambda: kg.store.exists() and kg.status()["activities"] == 2)
    mended(kg, whole_line(3))
    assert kg.status()["quarantined"] == 0
    shutil.copy(path, path.parent / "copy.log")
    with path.open("a") as file:
        file.write("".join(line(each) for each in activity("a3", at=20, generated=("/d/3",))))
    until(lambda: kg.status()["activities"] == 3 and len(kg.sources()) == 2)
    assert kg.status()["quarantined"] == 0
    assert sound(kg)
