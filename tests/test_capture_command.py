"""Capture of any program: what it did is recorded, also when it fails, and becomes a graph as any other record does."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from provkg.capture import Recorder, run_command
from provkg.knowledge import KnowledgeGraph
from provkg.store import text_of
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
    assert kinds(tmp_path / "provkg.jsonl") == ["environment", "session", "start", "end"]
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
    assert "generated" not in records(tmp_path / "provkg.jsonl")[-1]


def test_a_record_that_cannot_be_written_breaks_nothing(tmp_path: Path) -> None:
    done = command("run", "--record", "/proc/no.jsonl", "--", sys.executable, "-c", "print(1)", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert "warning: provkg could not record to /proc/no.jsonl" in done.stderr


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


def test_what_it_takes_and_what_it_says_are_recorded_when_that_is_asked(tmp_path: Path, kg: KnowledgeGraph) -> None:
    says = "import sys; sum(range(10**6)); print('out' * 50000); print('bad', file=sys.stderr)"
    done = command("run", "--name", "speak", "--output", "--", sys.executable, "-c", says, cwd=tmp_path)
    assert (done.returncode, len(done.stdout), done.stderr) == (0, 150_001, "bad\n")
    end = records(tmp_path / "provkg.jsonl")[-1]
    assert end["output"] == {
        "stdout": {"digest": "sha256:" + hashlib.sha256(b"out" * 50000 + b"\n").hexdigest(), "size": 150_001},
        "stderr": {"digest": "sha256:" + hashlib.sha256(b"bad\n").hexdigest(), "size": 4},
    }
    kg.ingest([tmp_path / "provkg.jsonl"])
    [row] = kg.graph().select(
        "PREFIX pkg: <https://w3id.org/provkg/ns#> SELECT ?cpu ?most WHERE "
        "{ ?a pkg:cpuUserSeconds ?cpu ; pkg:maxResidentBytes ?most }"
    )
    assert float(text_of(row["cpu"])) > 0
    assert int(text_of(row["most"])) > 1 << 20


def test_the_ids_of_a_slurm_job_join_the_process_with_its_job(
    tmp_path: Path, kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"JOB_ID": "812", "ARRAY_JOB_ID": "800", "ARRAY_TASK_ID": "3"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    run_command(Recorder("provkg.jsonl"), ["true"])
    begun = records()[1]["time"]
    Path("jobs.txt").write_text(
        f"JobID|JobName|State|ExitCode|Start|End\n800_3|night|COMPLETED|0:0|{begun[:19]}|Unknown\n"
    )
    kg.ingest(["provkg.jsonl", "jobs.txt"])
    assert kg.reconcile().joined == {"byIdentity": 1}
    environment = records()[0]["system"]["environment"]
    assert not any(
        name.startswith("SLURM") for name in environment
    )  # else each job would have an environment of its own


def test_a_dry_run_runs_nothing_and_is_a_plan(
    tmp_path: Path, kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVKG_DRY", "1")
    done = command("run", "--generated", "made.txt", "--", "touch", "made.txt", cwd=tmp_path)
    assert done.returncode == 0
    assert not Path("made.txt").exists()
    assert all(record["dry"] is True for record in records())
    summary = kg.ingest(["provkg.jsonl"])
    assert (summary.counts["activities"], summary.counts["generations"]) == (0, 0)
    assert "1 activities of a dry run" in " ".join(f"{count} {about}" for about, count in summary.remarks.items())


def test_a_program_that_captures_itself_is_part_of_the_run(tmp_path: Path, kg: KnowledgeGraph) -> None:
    inner = "from provkg.capture import Recorder\nwith Recorder().activity('inner'): pass"
    assert command("run", "--name", "outer", "--", sys.executable, "-c", inner, cwd=tmp_path).returncode == 0
    starts = {record["name"]: record for record in records() if record["kind"] == "start"}
    outer, nested = starts["outer"], starts["inner"]
    assert nested["within"] == outer["id"]
    kg.ingest(["provkg.jsonl"])
    [row] = kg.graph().select(
        "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> SELECT ?part ?whole WHERE "
        "{ ?a <http://purl.org/dc/terms/isPartOf> ?b . ?a rdfs:label ?part . ?b rdfs:label ?whole }"
    )
    assert (text_of(row["part"]), text_of(row["whole"])) == ("inner", "outer")
