"""Capture: what a program did is recorded, also when it fails, and becomes the same graph as any other record."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provkg.capture import Recorder, run_command
from provkg.capture.environment import surroundings
from provkg.knowledge import KnowledgeGraph
from tests.test_cli import provkg as command


def records(path: Path = Path("provkg.jsonl")) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def kinds(path: Path) -> list[str]:
    return [record["kind"] for record in records(path)]


def test_a_program_is_recorded_with_the_digests_of_what_it_read_and_wrote(tmp_path: Path, kg: KnowledgeGraph) -> None:
    Path("in.txt").write_text("a")
    code = "import pathlib; pathlib.Path('out.txt').write_text(pathlib.Path('in.txt').read_text() * 2)"
    done = command(
        *("run", "--name", "double", "--used", "Input=in.txt", "--generated", "out.txt", "--param", "factor=2", "--"),
        *(sys.executable, "-c", code),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert kinds(tmp_path / "provkg.jsonl") == ["environment", "start", "parameter", "used", "generated", "end"]
    summary = kg.ingest([tmp_path / "provkg.jsonl"])
    assert (summary.counts["usages"], summary.counts["generations"], summary.counts["quarantined"]) == (1, 1, 0)
    [step] = kg.lineage(str(tmp_path / "out.txt"))
    assert (step.location, step.name, step.activityName, step.evidence) == (
        str(tmp_path / "in.txt"),
        "Input",
        "double",
        "byContent",
    )
    facts = {fact: value for _, fact, value in kg.show(str(tmp_path / "out.txt")).facts}
    assert facts["content digest"] == "sha256 " + hashlib.sha256(b"aa").hexdigest()
    assert (facts["status"], facts["exit code"]) == ("completed", "0")


@pytest.mark.parametrize(
    ("program", "status", "exit_status"),
    [
        ("raise SystemExit(3)", "failed", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "interrupted", 143),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "failed", 137),
    ],
)
def test_a_program_that_does_not_end_well_is_recorded_and_its_exit_status_kept(
    program: str, status: str, exit_status: int
) -> None:
    log = Path("log.jsonl")
    assert run_command(Recorder(log), [sys.executable, "-c", program]) == exit_status
    assert {name: records(log)[-1][name] for name in ("kind", "status", "exit")} == {
        "kind": "end",
        "status": status,
        "exit": exit_status,
    }


def test_a_program_that_is_not_there_is_recorded_as_failed(tmp_path: Path) -> None:
    done = command("run", "--", "no-such-program", cwd=tmp_path)
    assert done.returncode == 127
    assert "no-such-program" in done.stderr
    assert records(tmp_path / "provkg.jsonl")[-1]["status"] == "failed"


def test_a_file_that_was_not_generated_is_said_and_not_recorded(tmp_path: Path) -> None:
    done = command("run", "--generated", "never.txt", "--", sys.executable, "-c", "pass", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == "warning: never.txt was not generated\n"
    assert "generated" not in kinds(tmp_path / "provkg.jsonl")


def test_a_record_that_cannot_be_written_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    done = command("run", "--record", "folder", "--", sys.executable, "-c", "print(1)", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert "warning: provkg could not record" in done.stderr


def test_a_signal_reaches_the_program(tmp_path: Path) -> None:
    waiting = "import time; print('ready', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-m", "provkg", "run", "--", sys.executable, "-c", waiting],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert records(tmp_path / "provkg.jsonl")[-1]["status"] == "interrupted"


def test_an_activity_that_raises_is_recorded_as_failed_and_raises_again(kg: KnowledgeGraph) -> None:
    log = Path("log.jsonl")
    with pytest.raises(ZeroDivisionError), Recorder(log).activity("divide", parameters={"by": 0}):
        1 / 0  # noqa: B018
    assert records(log)[-1]["status"] == "failed"
    kg.ingest([log])
    [row] = kg.ask("failures")
    assert row["activityName"] == "divide"


def test_an_activity_without_an_end_is_one_that_never_ended(kg: KnowledgeGraph) -> None:
    log = Path("log.jsonl")
    with Recorder(log).activity("vanish"):
        started = log.read_bytes()
    Path("killed.jsonl").write_bytes(started)
    kg.ingest(["killed.jsonl"])
    assert [row["activityName"] for row in kg.ask("never-ended")] == ["vanish"]


def test_a_torn_line_is_quarantined_and_the_rest_gets_in(kg: KnowledgeGraph) -> None:
    log = Path("log.jsonl")
    with Recorder(log).activity("one"), Recorder(log).activity("two"):
        pass
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines, '{"provkg": 1, "kind": "st\n', '{"provkg": 1, "kind": "dance", "id": "x"}\n']))
    summary = kg.ingest([log])
    assert [(piece.line, piece.reason) for _, piece in summary.quarantined] == [
        (len(lines) + 1, "no complete record"),
        (len(lines) + 2, "a record of unknown kind 'dance'"),
    ]
    assert summary.counts["activities"] == 2


def test_an_environment_is_written_once_and_is_that_of_the_program() -> None:
    log = Path("log.jsonl")
    recorder = Recorder(log)
    for _ in range(2):
        run_command(recorder, [sys.executable, "-c", "pass"])
    [environment] = [record for record in records(log) if record["kind"] == "environment"]
    names = {package["name"] for package in environment["system"]["python"]["packages"]}
    assert "provkg" in names
    assert "python" not in surroundings("ls").system  # packages of ours are none of its


def test_ids_sort_by_time() -> None:
    log = Path("log.jsonl")
    recorder = Recorder(log)
    for _ in range(3):
        with recorder.activity("step"):
            start = time.time_ns() // 1_000_000
            while time.time_ns() // 1_000_000 == start:  # the next millisecond
                pass
    ids = [record["id"] for record in records(log) if record["kind"] == "start"]
    assert ids == sorted(ids)
    assert {id_[14] for id_ in ids} == {"7"}
