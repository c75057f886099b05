"""What is written while it is watched is the same graph as what is read when all is written."""

import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provkg
from provkg.knowledge import KnowledgeGraph
from provkg.readers import lines, stretches
from provkg.resources import sample
from provkg.watch import Watching, shared
from tests.test_cli import provkg as command
from tests.test_ledger import long_log, sound
from tests.watching import DEADLINE, Watcher, until


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_BYTES", 2_000)


class Watched:
    """A folder that is watched, in this process: each look is a batch."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kg = folder / "logs", provkg.open(folder / "store")
        self.folder.mkdir(parents=True)
        self.watching = Watching(self.kg.store, [self.folder])

    def look(self, *, sessions: int = 1) -> None:
        with self.kg.store.session() as session:
            for _ in range(sessions):
                self.watching.batch(session, self.watching.everything() | self.watching.tails.keys())

    def again(self) -> None:
        """End, and watch again."""
        self.watching.close()
        self.watching = Watching(self.kg.store, [self.folder])

    def append(self, name: str, content: bytes) -> None:
        with (self.folder / name).open("ab") as file:
            file.write(content)

    def same(self, folder: Path) -> bool:
        """Say whether the graph is that of a new store into which the folder is read."""
        fresh = provkg.open(folder / f"fresh{len(list(folder.iterdir()))}")
        fresh.ingest([self.folder])
        return fresh.graph().digest() == self.kg.graph().digest()


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "watched")


# In one process, look by look


@settings(max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_logs_may_grow_by_any_pieces(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    dice = random.Random(seed)
    folder = tmp_path_factory.mktemp("grows")
    watched = Watched(folder)
    left = {f"{number}.log": long_log(dice.randrange(1, 12), dice.randrange(4)).encode() for number in range(3)}
    while any(left.values()):
        for name in left:
            cut = dice.choice([0, dice.randrange(1, 4_000)])
            watched.append(name, left[name][:cut])
            left[name] = left[name][cut:]
        watched.look()
        if dice.random() < 0.3:
            watched.again()
        assert not watched.kg.store.exists() or sound(watched.kg)
    assert watched.same(folder)


def test_a_line_is_read_when_it_is_complete(watched: Watched, tmp_path: Path) -> None:
    first, rest = (text := long_log(3).encode())[:-40], text[-40:]
    watched.append("a.log", first)
    watched.look()
    before = watched.kg.sources()[0]
    assert before.size < len(first)
    assert first[before.size - 1 : before.size] == b"\n"
    watched.append("a.log", rest)
    watched.look()
    assert watched.kg.sources()[0].size == len(text)
    assert watched.same(tmp_path)


def test_a_log_that_is_rotated_is_read_to_its_end(watched: Watched, tmp_path: Path) -> None:
    text = long_log(20).encode()
    watched.append("prov.log", text[:9_000])
    watched.look()
    watched.append("prov.log", text[9_000:])  # and nobody looks until it has another name
    (watched.folder / "prov.log").rename(watched.folder / "prov.log.1")
    watched.append("prov.log", long_log(5, 2).encode())
    watched.look()
    assert watched.same(tmp_path)
    watched.append("prov.log", long_log(5, 3).encode())
    watched.append("prov.log.1", long_log(2, 4).encode())
    watched.look()
    assert watched.same(tmp_path)
    assert sound(watched.kg)


@pytest.mark.parametrize("how", ["removed", "elsewhere", "truncated"])
def test_what_a_log_said_that_is_no_more_stays(watched: Watched, tmp_path: Path, how: str) -> None:
    text, after = long_log(20).encode(), long_log(5, 2).encode()
    watched.append("prov.log", text[:9_000])
    watched.look()
    if how == "truncated":
        (watched.folder / "prov.log").write_bytes(b"")
        said = text[: text[:9_000].rindex(b"\n") + 1]
    else:
        watched.append("prov.log", text[9_000:])
        said = text
        (watched.folder / "prov.log").rename(tmp_path / "gone")
    if how == "removed":
        (tmp_path / "gone").unlink()
    watched.look()
    watched.append("prov.log", after)
    watched.look()
    told = sorted(each.size for each in watched.kg.sources())
    assert told == sorted([len(said), len(after)])
    assert sound(watched.kg)


def test_files_of_all_kinds_come_grow_and_change(watched: Watched, tmp_path: Path) -> None:
    for path in sorted(sample().iterdir()):
        text = path.read_bytes()
        for part in (text[: len(text) // 2], text):
            (watched.folder / path.name).write_bytes(part)
            watched.look()
    (watched.folder / "notes.txt").write_text("no provenance")
    watched.look()
    (watched.folder / "notes.txt").write_bytes(long_log(3).encode())
    watched.look(sessions=2)
    assert watched.same(tmp_path)
    assert sound(watched.kg)


def test_others_may_write_between(watched: Watched, tmp_path: Path) -> None:
    """What is known of a store that somebody else wrote meanwhile is not relied upon."""
    text = long_log(12).encode()
    watched.append("a.log", text[:5_000])
    watched.look()
    provkg.open(watched.kg.store.name).ingest([sample()])
    watched.append("a.log", text[5_000:9_000])
    watched.look()
    provkg.open(watched.kg.store.name).backup(tmp_path / "backup")
    watched.append("a.log", text[9_000:])
    watched.look()
    provkg.open(watched.kg.store.name).restore(tmp_path / "backup", replace_all=True)
    watched.append("a.log", long_log(2, 8).encode())
    watched.look()
    fresh = provkg.open(tmp_path / "fresh")
    fresh.ingest([watched.folder, sample()])
    assert fresh.graph().digest() == watched.kg.graph().digest()


def test_after_a_new_start_only_what_is_new_is_read(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, looked = long_log(20).encode(), []
    line = lines.Reading.line
    monkeypatch.setattr(lines.Reading, "line", lambda self, raw: looked.append(len(raw)) or line(self, raw))  # type: ignore[func-returns-value]
    half = text.index(b"\n", len(text) // 2) + 1
    watched.append("a.log", text[:half])
    watched.look()
    watched.again()
    looked.clear()
    watched.look()
    assert not looked
    watched.append("a.log", text[half:])
    watched.look()
    assert sum(looked) == len(text) - half
    provkg.open(watched.kg.store.name).ingest([sample()])  # what is known is kept when somebody else writes
    looked.clear()
    watched.append("a.log", b"INFO the end\n")
    watched.look()
    assert looked == [13]
    assert watched.kg.ingest([watched.folder]).unchanged == 1
    fresh = provkg.open(tmp_path / "fresh")
    fresh.ingest([watched.folder, sample()])
    assert fresh.graph().digest() == watched.kg.graph().digest()


def test_what_could_not_be_written_is_written_the_next_time(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = long_log(8).encode()
    watched.append("a.log", text[:4_000])
    watched.look()
    watched.append("a.log", text[4_000:])

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(type(watched.kg.store), "publish", full)
        with pytest.raises(provkg.errors.StoreError, match="No space left"):
            watched.look()
    watched.look()
    assert watched.same(tmp_path)


# The command


def size(kg: KnowledgeGraph) -> int:
    return sum(each.size for each in kg.sources()) if kg.store.exists() else 0


@pytest.mark.parametrize("poll", [False, True])
def test_the_command_reads_what_comes_until_it_is_told_to_end(tmp_path: Path, watcher: Watcher, poll: bool) -> None:
    folder, text = tmp_path / "logs", long_log(30).encode()
    (folder / "sub").mkdir(parents=True)
    (folder / "a.log").write_bytes(text[: text[:9_000].rindex(b"\n") + 1])
    running, kg = watcher(folder, *(["--poll"] if poll else [])), provkg.open(tmp_path / "store")
    until(lambda: size(kg) == (folder / "a.log").stat().st_size)
    with (folder / "a.log").open("ab") as file:
        file.write(text[file.tell() :])
    (folder / "sub" / "b.log").write_bytes(long_log(3, 2).encode())
    until(lambda: size(kg) == len(text) + (folder / "sub" / "b.log").stat().st_size)
    done = command("--store", tmp_path / "store", "ingest", sample())
    assert done.returncode == 4, f"others wait their turn; the sample has a torn line: {done.stderr}"
    running.send_signal(signal.SIGTERM)
    assert running.wait(DEADLINE) == 0
    assert running.stdout is not None
    assert "sources: " in running.stdout.read()
    assert kg.graph().digest() == undisturbed(tmp_path / "fresh", folder, sample())
    assert sound(kg)


def undisturbed(store: Path, *paths: Path) -> str:
    """Return the digest of a new store into which another process reads some paths at once."""
    assert command("--store", store, "ingest", *paths).returncode in (0, 4)
    return provkg.open(store).graph().digest()


def test_it_can_be_killed_at_any_time_and_started_again(tmp_path: Path, watcher: Watcher) -> None:
    folder, text = tmp_path / "logs", long_log(40).encode()
    folder.mkdir()
    kg, dice, at = provkg.open(tmp_path / "store"), random.Random(5), 0
    for _ in range(3):
        running = watcher(folder)
        for _ in range(dice.randrange(1, 6)):
            with (folder / "a.log").open("ab") as file:
                file.write(text[at : at + 2_500])
            at += 2_500
            wanted = at - dice.randrange(3_000, 6_000)
            until(lambda: size(kg) >= wanted)  # noqa: B023 - it is waited for at once
        running.kill()
        running.wait()
    with (folder / "a.log").open("ab") as file:
        file.write(text[at:])
    watcher(folder)
    until(lambda: size(kg) == len(text))
    assert kg.graph().digest() == undisturbed(tmp_path / "fresh", folder)
    assert sound(kg)


def test_systemd_is_told_when_it_is_ready_and_when_it_ends(tmp_path: Path, watcher: Watcher) -> None:
    (tmp_path / "a.log").write_bytes(long_log(2).encode())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(DEADLINE)
        running = watcher(tmp_path / "a.log", NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert told.recv(100) == b"READY=1"
        running.terminate()
        assert told.recv(100) == b"STOPPING=1"


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = command("--store", tmp_path / "store", "watch", tmp_path / "nowhere")
    assert done.returncode == 3
    assert "no such file or folder" in done.stderr


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/", False), ("/data/a", False), ("/fefs/a b/x", True), ("/fefsx", False), ("/home/me", True), ("/fuse/x", True)],
)
def test_file_systems_of_other_machines_are_known(path: str, expected: bool, tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/vda / ext4 rw 0 0\n/dev/vdb /data xfs rw 0 0\nmgs:/fefs /fefs/a\\040b lustre rw 0 0\n"
        "server:/home /home nfs4 rw 0 0\nsshfs /fuse fuse.sshfs rw 0 0\n"
    )
    assert shared(Path(path), table) == expected
    assert shared(Path(path), tmp_path / "none"), "nothing is known"


def test_others_get_their_turn_while_a_log_never_rests(tmp_path: Path, watcher: Watcher) -> None:
    folder, ended = tmp_path / "logs", threading.Event()
    (folder / "snapshots").mkdir(parents=True)  # a folder of that name makes no store of the one around it
    watcher(folder)

    def write() -> None:
        for number in itertools.count():
            with (folder / "a.log").open("ab") as file:
                file.write(long_log(1, number).encode())
            if ended.wait(0.01):
                return

    writing = threading.Thread(target=write)
    writing.start()
    try:
        kg = provkg.open(tmp_path / "store")
        until(lambda: size(kg) > 20_000)
        (tmp_path / "store" / "wanted").touch()  # of one that was killed while it waited
        for _ in range(3):
            done = command("--store", tmp_path / "store", "ingest", sample())
            assert done.returncode in (0, 4), done.stderr
    finally:
        ended.set()
        writing.join()
    until(lambda: size(kg) >= (folder / "a.log").stat().st_size + sum(p.stat().st_size for p in sample().iterdir()))
    assert kg.graph().digest() == undisturbed(tmp_path / "fresh", folder, sample())


def test_a_line_that_its_writer_left_is_read_as_it_is(watched: Watched, tmp_path: Path) -> None:
    path, whole = watched.folder / "a.log", long_log(6)
    cut = whole[: whole.rindex("{") + 40]
    path.write_text(cut)
    watched.look()
    assert size(watched.kg) == cut.rindex("\n") + 1
    assert not watched.watching.left()
    os.utime(path, (time.time() - 3600,) * 2)
    assert watched.watching.left() == {path}
    watched.look()
    assert size(watched.kg) == len(cut)
    assert watched.same(tmp_path)
    assert not watched.watching.left()
    watched.look()
    assert size(watched.kg) == len(cut), "it stays as it was read"
    with path.open("a") as file:
        file.write(whole[len(cut) :])  # it was not dead
    watched.look()
    assert watched.same(tmp_path)


def test_a_store_on_a_disk_that_is_full_then_read_only_catches_up(
    small_disk: Path, tmp_path: Path, watcher: Watcher
) -> None:
    folder, store = tmp_path / "logs", small_disk / "store"
    folder.mkdir()
    (folder / "a.log").write_text(long_log(4))
    running, kg = watcher(folder, store=store), provkg.open(store)
    until(lambda: size(kg) == (folder / "a.log").stat().st_size)
    told = tmp_path / "watch0.err"
    (small_disk / "filler").write_bytes(b"x" * max(shutil.disk_usage(small_disk).free - 100_000, 0))
    (folder / "b.log").write_text(long_log(60, 2))
    until(lambda: "No space left" in told.read_text())
    (small_disk / "filler").unlink()
    until(lambda: len(kg.sources()) == 2)
    until(lambda: subprocess.run(["mount", "-o", "remount,ro", small_disk], check=False).returncode == 0)
    (folder / "c.log").write_text(long_log(4, 3))
    until(lambda: "Read-only file system" in told.read_text())
    assert running.poll() is None
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    until(lambda: len(kg.sources()) == 3)
    running.send_signal(signal.SIGTERM)
    assert running.wait(DEADLINE) == 0
    assert kg.graph().digest() == undisturbed(tmp_path / "fresh", folder)
    assert sound(kg)
    assert "Traceback" not in told.read_text()


def test_logs_on_a_disk_that_is_lost_and_comes_back_are_read_on(
    small_disk: Path, tmp_path: Path, watcher: Watcher
) -> None:
    kept, text = tmp_path / "kept", long_log(30).encode()
    kept.mkdir()
    subprocess.run(["mount", "--bind", kept, small_disk], check=True)  # where another machine has its logs
    (kept / "a.log").write_bytes(text[:9_000])
    running, kg = watcher(small_disk, "--poll"), provkg.open(tmp_path / "store")
    until(lambda: size(kg) == text[:9_000].rindex(b"\n") + 1)
    before = kg.graph().digest()
    subprocess.run(["umount", "-l", small_disk], check=True)
    time.sleep(1.5)
    assert running.poll() is None
    assert kg.graph().digest() == before, "what it said stays"
    (kept / "a.log").write_bytes(text)
    (kept / "b.log").write_bytes(long_log(4, 2).encode())
    subprocess.run(["mount", "--bind", kept, small_disk], check=True)
    until(lambda: len(kg.sources()) == 2 and size(kg) == sum(each.stat().st_size for each in kept.iterdir()))
    running.send_signal(signal.SIGTERM)
    assert running.wait(DEADLINE) == 0
    subprocess.run(["umount", "-l", small_disk], check=True)
    subprocess.run(["mount", "--bind", kept, small_disk], check=True)
    assert kg.graph().digest() == undisturbed(tmp_path / "fresh", small_disk)
