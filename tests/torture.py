"""make torture: what the suite does a few times, for an hour; the report is tests/TORTURE.md.

    python -m tests.torture [--kills 200] [--gigabytes 10] [--members 1000000] [--minutes 20] [--night FOLDER]

Kills of each command at random moments; a log of ten gigabytes with one line of one gigabyte; a collection of a million
members, in three formats; a night that is written live by eight processes while `watch` and four readers run, one of
which is killed every 20 s. What is 0 is left out.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import provkg
from provkg.vocab import PROV
from tests.conftest import environment
from tests.crashing import cases, killed, moments, run, took
from tests.logs import activity, entity, line, md5, session
from tests.test_ledger import long_log, sound

WRITING_SECONDS = 3.0
REPORT = Path(__file__).parent / "TORTURE.md"
Rows = list[tuple[str, str]]


def main() -> None:
    """Torture, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--night", type=Path, help="the logs of a night, beside its truth.json")
    parser.add_argument("--folder", type=Path, help="where there is room for twice the log")
    said = parser.parse_args()
    parts: list[tuple[str, Callable[[Path], Rows]]] = []
    if said.kills:
        parts.append((f"{said.kills} kills", lambda folder: kills(folder, said.kills)))
    if said.gigabytes:
        parts.append((f"A log of {said.gigabytes:g} GB", lambda folder: huge(folder, round(said.gigabytes * 1e9))))
    if said.members:
        parts.append((f"A collection of {said.members:,} members", lambda folder: members(folder, said.members)))
    if said.night is not None:
        parts.append(("A night, live", lambda folder: live(folder, said.night, said.minutes * 60)))
    told = [f"# Torture\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.machine()}, {os.cpu_count()} cores."]
    for title, part in parts:
        with tempfile.TemporaryDirectory(dir=said.folder) as folder:
            begin = time.monotonic()
            rows = part(Path(folder))
        rows.append(("took", f"{time.monotonic() - begin:,.0f} s"))
        told.append(
            f"## {title}\n\n" + "\n".join(["| what | found |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])
        )
        sys.stdout.write(f"{told[-1]}\n")
        sys.stdout.flush()
    REPORT.write_text("\n\n".join(told) + "\n", "utf-8")


# Kills


def kills(folder: Path, count: int) -> Rows:
    """Kill each command at moments that are spread over the time it takes."""
    for name, seeds in (("logs", range(6)), ("more", range(6, 9))):
        (folder / name).mkdir()
        for seed in seeds:
            (folder / name / f"{seed}.log").write_text(long_log(120, seed))
    every = cases(folder, folder / "logs", folder / "more")
    rows, each = [], -(-count // (len(every) + 1))
    for number, case in enumerate(every):
        seconds = took(case, folder / "case")
        caught = sum(killed(case, folder / "case", moment) for moment in moments(seconds, each, number))
        rows.append((case.name, f"{caught} of {each} while it ran ({seconds:.1f} s); all ended as if undisturbed"))
    fresh = provkg.open(folder / "fresh")
    for number, moment in enumerate(moments(WRITING_SECONDS + 1, each, len(every))):
        watched(folder / f"watched{number}", folder / "logs", moment)
        kg = provkg.open(folder / f"watched{number}" / "store")
        fresh.ingest([folder / f"watched{number}" / "logs"])
        assert kg.graph().digest() == fresh.graph().digest(), f"watch, killed after {moment} s"
        assert sound(kg)
        shutil.rmtree(folder / f"watched{number}")
        fresh = provkg.open(folder / f"fresh{number}")
    rows.append(("watch", f"{each} while six logs were written; all ended as if undisturbed"))
    return rows


def watched(folder: Path, logs: Path, moment: float) -> None:
    """Watch logs while they are written, be killed at a moment, and watch again until all is read."""
    (folder / "logs").mkdir(parents=True)
    given = sorted(logs.iterdir())
    writers = [threading.Thread(target=write, args=(log, folder / "logs" / log.name, WRITING_SECONDS)) for log in given]
    process = run(["watch", folder / "logs"], folder / "store")
    for writer in writers:
        writer.start()
    time.sleep(moment)
    process.kill()
    process.wait()
    process = run(["watch", folder / "logs"], folder / "store")
    for writer in writers:
        writer.join()
    caught_up(folder / "store", sum(log.stat().st_size for log in given))
    process.terminate()
    assert process.wait() == 0


def caught_up(store: Path, size: int) -> None:
    """Wait until as many bytes were read."""
    end = time.monotonic() + 300
    while not (store / "CURRENT").exists() or sum(each.size for each in provkg.open(store).sources()) < size:
        assert time.monotonic() < end, "it did not catch up"
        time.sleep(0.5)


# Ten gigabytes


def huge(folder: Path, size: int) -> Rows:
    """Read a log that is much larger than memory may be, with a line of a tenth of it."""
    path = folder / "huge.log"
    block = "".join(f"INFO line {number} of a pipeline that says much\n" for number in range(20_000)).encode()
    written = 0
    with path.open("wb") as file:
        number = 0
        while written < size:
            written += file.write(long_log(2, number).encode())
            written += file.write(block)
            if number == 3:
                for _ in range(size // 10 // len(block)):
                    written += file.write(block.replace(b"\n", b" "))
                written += file.write(b"\n")
            number += 1
    process = run(["ingest", path], folder / "store")
    begin = time.monotonic()
    _, status, used = os.wait4(process.pid, 0)
    kg = provkg.open(folder / "store")
    (document,) = kg.sources()
    assert not document.wrong, document.wrong
    assert document.size == path.stat().st_size
    assert os.waitstatus_to_exitcode(status) in (0, 4)
    return [
        ("bytes", f"{document.size:,}, in {len(document.stretches):,} stretches"),
        (
            "accounted for",
            f"{document.records:,} records, {document.nothing:,} none, {document.quarantined:,} quarantined",
        ),
        ("peak of memory", f"{used.ru_maxrss / 1024:,.0f} MB"),
        ("read in", f"{time.monotonic() - begin:,.0f} s"),
    ]


# A collection


def members(folder: Path, count: int) -> Rows:
    """Read a collection of many members, as three formats have it."""
    rows = []
    for name, written in (("line log", in_lines), ("capture", in_capture), ("PROV-JSON", in_prov)):
        path, store = folder / name, folder / f"{name} store"
        with path.open("w") as file:
            file.writelines(written(count))
        begin = time.monotonic()
        _, status, used = os.wait4(run(["ingest", path], store).pid, 0)
        took = time.monotonic() - begin
        assert os.waitstatus_to_exitcode(status) == 0
        graph = provkg.open(store).graph()
        assert len({quad.object for quad in graph.quads(None, PROV.hadMember)}) == count
        size, peak = path.stat().st_size / 1e6, used.ru_maxrss / 1024
        rows.append((f"{name}, {size:,.0f} MB", f"peak of memory {peak:,.0f} MB, read in {took:,.0f} s"))
        path.unlink()
        shutil.rmtree(store)
    return rows


def in_lines(count: int) -> Iterator[str]:
    """Give a log of lstosa's kind."""
    yield from (line(each) for each in (session(), *activity("a1", used=("/r/1",), generated=("/c/all",))))
    tag = {"session_tag": "r0_to_dl1:01618"}
    for number in range(count):
        yield line(entity(f"/m/{number}") | tag)
        yield line({"entity_id": md5("/c/all"), "member_id": md5(f"/m/{number}")} | tag)


def in_capture(count: int) -> Iterator[str]:
    """Give what provkg captures."""
    collection = {"path": "/c/all", "type": "SetCollection"}
    about = {"provkg": 1, "kind": "start", "id": "i"}
    yield json.dumps(about | {"name": "n", "time": "2023-01-01T00:00:00Z", "generated": [collection]}) + "\n"
    about["kind"] = "member"
    for number in range(count):
        yield json.dumps(about | {"collection": collection, "member": {"path": f"/m/{number}"}}) + "\n"


def in_prov(count: int) -> Iterator[str]:
    """Give PROV-JSON."""
    yield '{"prefix": {"e": "http://example.org/"}, "entity": {"e:c": {}}, "hadMember": {'
    for number in range(count):
        pair = {"prov:collection": "e:c", "prov:entity": f"e:m{number}"}
        yield ("," if number else "") + f'"_:m{number}": {json.dumps(pair)}\n'
    yield "}}"


# A night, live


def write(log: Path, target: Path, seconds: float) -> None:
    """Write a log line by line, over some time."""
    lines = log.read_bytes().splitlines(keepends=True)
    begin = time.monotonic()
    with target.open("ab", buffering=0) as file:
        for number, line in enumerate(lines):
            late = begin + seconds * number / len(lines) - time.monotonic()
            if late > 0.01:
                time.sleep(late)
            file.write(line)


READER = """
import sys, time, provkg
kg = provkg.open(sys.argv[1])
while True:
    try:
        for row in kg.ask("steps" if len(sys.argv) > 2 else "never-ended"): pass
    except provkg.errors.StoreError as error:
        if "no store" not in str(error): raise
    time.sleep(0.2)
"""


@contextmanager
def helpers(store: Path, folder: Path) -> Iterator[list[Callable[[], "subprocess.Popen[bytes]"]]]:
    """Give what starts the one that watches and the four that read."""

    def reader() -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", READER, str(store)], env=environment())

    yield [lambda: run(["watch", folder], store), reader, reader, reader, reader]


def live(folder: Path, night: Path, seconds: float) -> Rows:
    """Write a night while it is watched and read, and kill one of those every 20 s."""
    logs, store = folder / "logs", folder / "store"
    logs.mkdir()
    given = sorted(night.glob("*.log"))
    shares = [given[number::8] for number in range(8)]
    dice, deaths = random.Random(1), 0
    with helpers(store, logs) as starts:
        running = [start() for start in starts]
        writers = [multiprocessing.Process(target=_write_all, args=(share, logs, seconds)) for share in shares]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            time.sleep(20)
            number = dice.randrange(len(running))
            for each, process in enumerate(running):
                assert process.poll() is None, f"process {each} ended by itself"
            running[number].send_signal(signal.SIGKILL)
            running[number].wait()
            running[number] = starts[number]()
            deaths += 1
        kg, size = provkg.open(store), sum(path.stat().st_size for path in given)
        caught_up(store, size)
        for process in running:
            process.terminate()
            process.wait()
    fresh = provkg.open(folder / "fresh")
    fresh.ingest([logs])
    assert fresh.graph().digest() == kg.graph().digest()
    assert sound(kg)
    return [("killed", f"{deaths} times"), ("bytes", f"{size:,}"), *_against(kg, night)]


def _write_all(logs: list[Path], folder: Path, seconds: float) -> None:
    for log in logs:
        write(log, folder / log.name, seconds / len(logs))


def _against(kg: provkg.KnowledgeGraph, night: Path) -> Rows:
    """Compare with the truth of the generator."""
    truth, status = json.loads((night / "truth.json").read_text())["counts"], kg.status()
    rows = []
    for name, theirs in (
        ("activities", "activities"),
        ("usages", "used"),
        ("generations", "generated"),
        ("ended", "ended"),
    ):
        assert status[name] == truth[theirs], name
        rows.append((name, f"{status[name]:,}, as truth.json says"))
    return rows


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
