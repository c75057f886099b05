"""How long after it was written a record can be asked about, while eight logs grow by 1,000 records a second.

    python benchmarks/watching.py [--folder NIGHT] [--rate 1000] [--seconds 30]

FOLDER holds the logs of a night; without it one is made. One in 97 records is waited for. The third row is of records
of provkg.capture: into each of eight files two processes write, in which an activity runs all the time.
"""

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from logs import night, options
from measure import Part, step

import provkg
from provkg import ledger
from provkg.errors import StoreError

LOGS, EACH, SETTLE_SECONDS = 8, 97, 5.0
MOST_SECONDS = 2.0  # is wanted
Marks = dict[tuple[str, int], float]  # when a log was so long


def main() -> None:
    """Measure and save."""
    parser = options(__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="records a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    said = parser.parse_args()
    part = Part("watching", "Watch: how soon a record can be asked about")
    table = part.table(
        f"{said.rate:,} records a second in {LOGS} logs, for {said.seconds:g} s",
        "store before", "median, s", "95 %, s", "longest, s", "records waited for",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        given = sorted(night(said.folder, scratch, said.runs, said.subruns).glob("*.log"))
        made = captured(scratch, round(said.rate * said.seconds / LOGS))
        rows = (
            ("empty", [], given[:LOGS]),
            ("the rest of the night", given[LOGS:], given[:LOGS]),
            ("empty, captured", [], made),
        )
        for name, before, written in rows:
            here = scratch / name.replace(" ", "-")
            here.mkdir()
            provkg.open(here / "store").ingest(before)
            with step(f"watch, {name}"):
                late = sorted(watched(here, written, said.rate, said.seconds))
            times = (late[len(late) // 2], late[int(len(late) * 0.95)], late[-1])
            table.add(name, *(f"{each:.2f}" for each in times), f"{len(late):,}")
            part.aim(f"record to question, {name} in the store", late[-1], MOST_SECONDS, "s")
            part.figures[name] = late
    part.notes.append("Asked about means: a new snapshot of the store, opened by another process, holds it.")
    part.save()


def captured(folder: Path, lines: int) -> list[Path]:
    """Write what processes record of activities that read four files and make one; two of each file never end."""
    found = []
    for log in range(LOGS):
        told: list[dict[str, Any]] = [{"provkg": 1, "kind": "environment", "digest": "e", "system": {"node": "c"}}]
        for process in range(2):
            head = {"provkg": 1, "kind": "start", "id": f"{log}.{process}", "name": "run", "time": at(0)}
            told += [session(log, process), {**head, "session": f"s{log}.{process}"}]
        while len(told) < lines:
            told += activity(log, len(told))
        path = folder / f"{log}.jsonl"
        path.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in told))
        found.append(path)
    return found


def session(log: int, process: int) -> dict[str, Any]:
    """Return the record of a process."""
    return {"provkg": 1, "kind": "session", "id": f"s{log}.{process}", "environment": "e", "time": at(0)}


def activity(log: int, number: int) -> list[dict[str, Any]]:
    """Return the records of one activity."""
    about = {"provkg": 1, "id": f"{log}.a{number}"}
    used = [{**about, "kind": "used", "path": f"/data/{log}/{number - 8 * each}", "role": "in"} for each in range(4)]
    return [
        {**about, "kind": "start", "name": "step", "time": at(number), "session": f"s{log}.{number % 2}"},
        *used,
        {**about, "kind": "generated", "path": f"/data/{log}/{number + 8}", "role": "out"},
        {**about, "kind": "parameter", "name": "cut", "value": number % 7},
        {**about, "kind": "end", "time": at(number + 1), "status": "completed"},
    ]


def at(second: int) -> str:
    """Return a time of a night."""
    return (datetime(2026, 11, 30, tzinfo=UTC) + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def watched(here: Path, given: list[Path], rate: int, seconds: float) -> list[float]:
    """Write logs while they are watched; return how late records were seen, in seconds."""
    logs = here / "logs"
    logs.mkdir()
    command = [sys.executable, "-m", "provkg", "--store", str(here / "store"), "watch", str(logs)]
    with (here / "said").open("w") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
    while "watching" not in (here / "said").read_text():
        time.sleep(0.1)
    marks: Marks = {}
    late: list[float] = []
    stop = threading.Event()
    looking = threading.Thread(target=look, args=(here / "store", logs, marks, late, stop))
    looking.start()
    write(given, logs, rate, seconds, marks)
    end = time.monotonic() + SETTLE_SECONDS
    while marks and time.monotonic() < end:
        time.sleep(0.1)
    stop.set()
    looking.join()
    process.send_signal(signal.SIGTERM)
    process.wait()
    if marks:
        raise SystemExit(f"{len(marks)} records were not seen after {SETTLE_SECONDS:g} s")
    return late


def write(given: list[Path], logs: Path, rate: int, seconds: float, marks: Marks) -> None:
    """Write lines of logs in turn, and mark when some were written."""
    lines = [path.read_bytes().splitlines(keepends=True) for path in given]
    files = [(logs / path.name).open("ab", buffering=0) for path in given]
    begin, written = time.monotonic(), 0
    while (now := time.monotonic() - begin) < seconds:
        while written < now * rate:
            number, at = written % len(given), written // len(given)
            if at < len(lines[number]):
                files[number].write(lines[number][at])
                if written % EACH == 0:
                    marks[str(logs / given[number].name), files[number].tell()] = time.monotonic()
            written += 1
        time.sleep(0.005)
    for file in files:
        file.close()


def look(
    store: Path, logs: Path, marks: dict[tuple[str, int], float], late: list[float], stop: threading.Event
) -> None:
    """Ask how far each log can be asked about, until told to stop."""
    kg = provkg.open(store)
    while not stop.wait(0.05):
        try:
            graph = kg.graph()
            sizes = {str(path): it.size for path in logs.iterdir() if (it := ledger.placed(graph, str(path)))}
        except StoreError:
            continue
        now = time.monotonic()
        for path, size in list(marks):
            if sizes.get(path, 0) >= size:
                late.append(now - marks.pop((path, size)))


if __name__ == "__main__":
    main()
