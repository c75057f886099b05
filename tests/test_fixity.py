"""Verify: every state is found, none is wrong, and a run that was killed goes on where it was."""

import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provkg
from provkg.errors import InputError, NotFound
from provkg.fixity import Confidence, Found, Options, Selection
from provkg.fixity.cache import CHUNK, DigestCache, cache_path
from provkg.fixity.sampling import bound, size_of
from provkg.fixity.verifying import _Journal
from provkg.knowledge import KnowledgeGraph
from tests.logs import activity, log, session
from tests.test_cli import provkg as command

Write = Callable[[str, str | bytes], Path]


class Archive:
    """Files, and records of them as ``provkg.capture`` writes them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lines, self.calls = folder, [], 0
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        return self.folder / name

    def put(self, name: str, content: bytes) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def record(
        self, files: dict[str, bytes], *, algorithm: str = "sha256", at: int = 0, kind: str = "generated"
    ) -> None:
        """Record that one activity made some files with these bytes."""
        self.calls += 1
        id_, time = f"id{self.calls}", f"2026-01-01T00:{at:02d}"
        self.lines.append({"kind": "start", "id": id_, "name": "make", "time": f"{time}:00Z", "arguments": ["make"]})
        for name, content in files.items():
            digest = f"{algorithm}:{hashlib.new(algorithm.lower().replace('-', ''), content).hexdigest()}"
            self.lines.append(
                {
                    "kind": kind,
                    "id": id_,
                    "path": str(self.path(name)),
                    "role": "out",
                    "digest": digest,
                    "size": len(content),
                }
            )
        self.lines.append({"kind": "end", "id": id_, "time": f"{time}:01Z", "status": "completed"})

    def ingested(self, store: Path) -> KnowledgeGraph:
        (log_file := self.folder.parent / "log.jsonl").write_text(
            "".join(json.dumps({"provkg": 1, **line}) + "\n" for line in self.lines)
        )
        kg = provkg.open(store)
        kg.ingest([log_file])
        return kg


def states(kg: KnowledgeGraph, *products: str, **options: object) -> dict[str, str]:
    found = kg.verify(*products, options=Options(**{"record": False, **options}))
    return {Path(each.path).name: each.state for each in found.found}


COUNT = 10_000


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, KnowledgeGraph, dict[str, str]]:
    """A folder of 10,000 files with every state in it, and the truth."""
    archive = Archive(tmp_path_factory.mktemp("verify") / "archive")
    bytes_of = {f"d{number % 50}/file{number:05d}": b"%d" % number for number in range(COUNT)}
    truth = dict.fromkeys(bytes_of, "verified")
    names = list(bytes_of)
    bytes_of[names[0]] = b""  # an empty file
    bytes_of[names[1]] = bytes_of[names[2]]  # the same bytes under two names
    for name, content in bytes_of.items():
        archive.put(name, content)
    md5 = set(names[100:600])
    archive.record({name: content for name, content in bytes_of.items() if name not in md5})
    archive.record({name: bytes_of[name] for name in md5}, algorithm="MD5")
    for name in names[1000:1040]:
        archive.put(name, bytes_of[name] + b"!")
        truth[name] = "changed"
    one, other = names[1100], names[1101]  # swapped: each lies where the other was recorded
    archive.put(one, bytes_of[other])
    archive.put(other, bytes_of[one])
    truth |= {one: "changed", other: "changed"}
    for name in names[2000:2030]:
        archive.path(name).unlink()
        truth[name] = "missing"
    for name in [*names[3000:3025], names[100]]:
        archive.path(name).rename(archive.folder / f"elsewhere-{Path(name).name}")
        truth[name] = "moved"
    archive.path(names[4000]).unlink()
    archive.path(names[4000]).mkdir()
    archive.path(names[4001]).unlink()
    archive.path(names[4001]).symlink_to("nowhere")
    truth |= {names[4000]: "unverifiable", names[4001]: "unverifiable"}
    (archive.folder / "loop").symlink_to(archive.folder)
    archive.record({names[5000]: b"written anew"}, at=5)  # the last version is the one that counts
    archive.put(names[5000], b"written anew")
    archive.record({names[5001]: b"written anew"}, at=5)  # an older version lies there
    truth[names[5001]] = "changed"
    only_path = [archive.put(f"lstosa/file{number}", b"x") for number in range(20)]
    kg = archive.ingested(archive.folder.parent / "store")
    here = session(system={"platform": {"node": platform.node()}})
    text = log(here, activity("a", generated=tuple(map(str, only_path))))
    (archive.folder.parent / "lstosa.log").write_text(text)
    kg.ingest([archive.folder.parent / "lstosa.log"])
    truth |= dict.fromkeys((f"lstosa/{path.name}" for path in only_path), "unverifiable")
    return archive, kg, truth


def assert_true(archive: Archive, found: dict[str, dict], truth: dict[str, str]) -> None:
    told = {str(Path(path).relative_to(archive.folder)): each["state"] for path, each in found.items()}
    assert told == truth


def test_ten_thousand_files_with_every_state_and_none_is_wrong(
    planted: tuple[Archive, KnowledgeGraph, dict[str, str]],
) -> None:
    archive, kg, truth = planted
    found = kg.verify(options=Options(record=False, jobs=3))
    assert_true(archive, {each.path: each._asdict() for each in found.found}, truth)
    assert (len(found.found), found.superseded, found.is_good) == (COUNT + 20, 2, False)
    assert set(found.counts) == {"verified", "changed", "missing", "moved", "unverifiable"}
    where = {Path(each.path).name: Path(each.where).name for each in found.found if each.where}
    assert where == {name: f"elsewhere-{name}" for name in where}
    reasons = {each.reason for each in found.found if each.state == "unverifiable"}
    assert reasons == {"only a digest of its path is recorded", "no regular file", "a broken link"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_where_it_was(
    planted: tuple[Archive, KnowledgeGraph, dict[str, str]], number: signal.Signals
) -> None:
    archive, kg, truth = planted
    arguments = ["--store", kg.store.name, "verify", "--json", "--dry-run", "--jobs", "2"]
    slow = subprocess.Popen(
        [sys.executable, "-m", "provkg", *arguments, "--rate", "40kB", "--no-cache"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    folder = cache_path().parent / "verify"
    while not any(path.read_bytes().count(b"\n") >= 200 for path in folder.glob("*.jsonl")):
        assert slow.poll() is None, "it ended before it was killed"
    slow.send_signal(number)
    try:
        slow.wait(20)
    except subprocess.TimeoutExpired:  # as who sees that nothing happens
        slow.send_signal(number)
    assert slow.wait(60) == (130 if number == signal.SIGINT else -signal.SIGKILL)
    [journal] = folder.glob("*.jsonl")
    with journal.open("ab") as file:
        file.write(b'["https://torn')  # a torn last line
    lines = journal.read_text().splitlines()
    lines[0] = json.dumps(["2020-01-01T00:00:00+00:00", *json.loads(lines[0])[1:]])  # too old to be taken over
    journal.write_text("\n".join(lines))
    done = command(*arguments)
    facts = json.loads(done.stdout)
    assert done.returncode == 1
    assert 199 <= facts["takenOver"] == len(lines) - 2 < COUNT
    assert f"{facts['takenOver']:,} of them were taken over from a run that was killed" in done.stderr
    assert_true(archive, {each["path"]: each for each in facts["files"]}, truth)
    assert not list(folder.glob("*.jsonl"))


def test_observations_are_dated_and_have_a_history(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.put("a", b"1")
    archive.record({"a": b"1"})
    kg = archive.ingested(tmp_path / "store")
    digest = kg.graph().digest()
    for content in (b"1", b"2"):
        archive.put("a", content)
        kg.verify(options=Options(cached=False))
    archive.path("a").unlink()
    kg.verify()
    rows = list(kg.ask("fixity", product=str(archive.path("a"))))
    assert [row["state"] for row in rows] == ["missing", "changed", "verified"]
    assert rows[1]["foundDigest"] == "sha256:" + hashlib.sha256(b"2").hexdigest()
    assert rows[0]["at"] > rows[1]["at"] > rows[2]["at"]
    assert all(check.ok for check in kg.doctor())
    kg.ingest([tmp_path / "log.jsonl"])
    assert len(kg.ask("fixity")) == 3
    assert kg.graph().digest() != digest
    kg.verify(options=Options(record=False))
    assert len(kg.ask("fixity")) == 3


def test_what_is_taken_over_keeps_the_time_at_which_it_was_seen(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    for name in ("a", "b"):
        archive.put(name, b"1")
    archive.record({"a": b"1", "b": b"1"})
    kg = archive.ingested(tmp_path / "store")
    graph = kg.graph()
    journal = _Journal(kg.store, f"{graph.snapshot} {Selection()}  0")
    journal.open()
    entity = kg.find(str(archive.path("a")))[0].iri
    journal.write(Found(entity, str(archive.path("a")), "changed"))
    journal.close()
    found = kg.verify()
    assert found.taken_over == 1
    times = {Path(str(row["location"])).name: datetime.fromisoformat(str(row["at"])) for row in kg.ask("fixity")}
    assert times["a"] < times["b"] <= datetime.fromisoformat(found.when)


def test_a_product_its_history_a_run_and_a_night_can_be_chosen(kg: KnowledgeGraph, write: Write) -> None:
    text = log(
        session(),
        activity("a", used=("/d/raw1",), generated=("/d/one1",)),
        activity("b", at=9, used=("/d/one1",), generated=("/d/two1",)),
    )
    kg.ingest([write("a.log", text)])
    assert states(kg, "/d/two1") == {"two1": "missing"}
    whole = {"two1": "missing", "one1": "missing", "raw1": "missing"}
    found = kg.verify("/d/two1", history=True, options=Options(record=False))
    assert {Path(each.path).name: each.state for each in found.found} == whole
    for chosen in ({"run": "1618"}, {"night": "2023-03-12"}, {"run": "01618", "night": "20230312"}):
        found = kg.verify(**chosen, options=Options(record=False))
        assert {Path(each.path).name for each in found.found} == set(whole)
    with pytest.raises(NotFound, match="nothing is recorded of 77"):
        kg.verify(run="77")
    with pytest.raises(NotFound):
        kg.verify("/d/never")


def test_two_versions_of_which_nothing_tells_which_was_the_last_are_unverifiable(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.put("a", b"1")
    archive.record({"a": b"1"})
    archive.record({"a": b"2"})
    kg = archive.ingested(tmp_path / "store")
    found = kg.verify(options=Options(record=False)).found
    assert {each.state for each in found} == {"unverifiable"}
    assert "nothing tells which was the last" in found[0].reason


def test_a_version_that_was_read_again_lies_there_again(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.put("a", b"1")
    archive.record({"a": b"1"}, at=1)
    archive.record({"a": b"2"}, at=2)
    archive.record({"a": b"1"}, at=3, kind="used")  # somebody brought the first back
    assert states(archive.ingested(tmp_path / "store")) == {"a": "verified"}


def test_a_file_that_moved_is_looked_for_where_the_user_says(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.record({"a": b"12345", "b": b"6789"})
    other = tmp_path / "other" / "deep"
    other.mkdir(parents=True)
    (other / "renamed").write_bytes(b"12345")
    kg = archive.ingested(tmp_path / "store")
    assert states(kg) == {"a": "missing", "b": "missing"}
    assert states(kg, search=(str(tmp_path / "other"),)) == {"a": "moved", "b": "missing"}
    with pytest.raises(InputError, match="no folder to search"):
        states(kg, search=(str(tmp_path / "never"),))


def test_a_digest_is_cached_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1" * CHUNK)
    os.utime(path, (1, 1))
    cache, read = DigestCache(tmp_path / "cache"), []
    for _ in range(2):
        assert cache.digest(str(path), "md5", read.append)[0] == hashlib.md5(b"1" * CHUNK).hexdigest()
    assert read == [CHUNK, CHUNK]  # before the first piece, and after it
    path.write_bytes(b"2" * CHUNK)
    for _ in range(2):
        assert cache.digest(str(path), "md5", read.append)[0] == hashlib.md5(b"2" * CHUNK).hexdigest()
    assert len(read) == 6  # what changed just now is read again: it may change within the clock's tick
    path.write_bytes(b"3")
    os.utime(path, (1, 1))
    for _ in range(2):
        assert cache.digest(str(path), "md5", read.append)[1] == 1
    assert read[6:] == [1, 1]  # a small file is read as fast as it is looked up
    cache.close()
    assert DigestCache(Path("/proc/nowhere/cache")).digest(str(path), "md5")[1] == 1


@pytest.mark.parametrize(("sample", "number"), [("30", 30), ("10%", 10)])
def test_a_sample_is_the_same_for_the_same_seed_and_says_what_it_tells(
    tmp_path: Path, sample: str, number: int
) -> None:
    archive = Archive(tmp_path / "archive")
    contents = {f"f{each}": b"%d" % each for each in range(100)}
    for name, content in contents.items():
        archive.put(name, content)
    archive.record(contents)
    kg = archive.ingested(tmp_path / "store")
    options = Options(record=False, sample=sample, seed=1)
    first, second = (kg.verify(options=options) for _ in range(2))
    assert first.found == second.found
    assert len(first.found) == number
    assert first.confidence == bound(100, number, 0, 0.99)
    assert str(first.confidence).startswith("99 % sure that at most")
    other = kg.verify(options=Options(record=False, sample=sample, seed=2))
    assert other.found != first.found
    with pytest.raises(InputError, match="no size of a sample"):
        kg.verify(options=Options(sample="many"))


@given(st.integers(1, 60), st.data())
def test_the_bound_of_a_sample_is_exact(population: int, data: st.DataObject) -> None:
    """Against its definition: the most bad ones with which so few, or fewer, are found more often than 1 in 20."""
    from math import comb

    sample = data.draw(st.integers(1, population))
    bad = data.draw(st.integers(0, sample))

    def chance(all_bad: int) -> float:
        return sum(comb(all_bad, k) * comb(population - all_bad, sample - k) for k in range(bad + 1)) / comb(
            population, sample
        )

    possible = [all_bad for all_bad in range(bad, population - sample + bad + 1) if chance(all_bad) > 0.05]
    assert bound(population, sample, bad, 0.95) == Confidence(0.95, max(possible), population)


@pytest.mark.parametrize("text", ["", "0", "-1", "101%", "x", "nan%"])
def test_what_is_no_size_of_a_sample_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no size of a sample"):
        size_of(text, 10)


def test_a_rate_is_kept_over_all_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits are added up instead of waited for."""
    from provkg.fixity import checking

    waited: list[float] = []
    monkeypatch.setattr(checking.time, "sleep", waited.append)
    monkeypatch.setattr(checking.time, "monotonic", lambda: 100.0)
    rate = checking.Rate(1000)
    for _ in range(5):
        rate.take(500)
    assert waited == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_the_command_says_what_was_found(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.put("a", b"1")
    archive.put("b", b"2")
    archive.record({"a": b"1", "b": b"3"})
    kg = archive.ingested(tmp_path / "store")
    done = command("--store", kg.store.name, "verify", "--format", "table")
    assert done.returncode == 1
    assert done.stderr == "2 files: 1 verified, 1 changed\n"
    assert "changed" in done.stdout
    assert str(archive.path("a")) not in done.stdout
    assert command("--store", kg.store.name, "verify", str(archive.path("a"))).returncode == 0
    assert command("--store", kg.store.name, "verify", str(archive.path("a")), "--run", "1").returncode == 2
    assert command("--store", kg.store.name, "verify", "--rate", "fast").returncode == 2


def test_a_path_of_another_machine_is_not_looked_at_here(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.put("a", b"1")  # a temporary folder is another one on each host
    archive.record({"a": b"1"})
    around = {"kind": "environment", "digest": "e", "system": {"platform": {"node": "cp99"}}}
    session = {"kind": "session", "id": "s", "time": "2026-01-01T00:00:00Z", "environment": "e"}
    archive.lines = [around, session, {**archive.lines[0], "session": "s"}, *archive.lines[1:]]
    kg = archive.ingested(tmp_path / "store")
    [found] = kg.verify(options=Options(record=False)).found
    assert (found.state, found.reason) == ("unverifiable", "it lies on the host cp99")
