"""Reconcile: every attempt that a scheduler saw appears with its status, and is joined with what was recorded of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import provkg
from provkg.config import Config
from provkg.knowledge import KnowledgeGraph
from provkg.records import Node, Quarantined, Remark
from provkg.vocab import PKG, PROV
from tests import servers
from tests.logs import activity, log, session
from tests.test_cli import provkg as command

Write = Callable[[str, str | bytes], Path]

# What `sacct --parsable2 --format=…` writes, after its manual: all lines of a requeued job (-D), arrays, steps.
JOBS = """\
JobID|JobName|User|State|ExitCode|Start|End|NodeList|Elapsed|MaxRSS|Submit
100|LST1_01618|lst|COMPLETED|0:0|2023-03-13T08:00:00|2023-03-13T08:10:00|cp15|00:10:00||2023-03-13T07:59:00
100.batch|batch||COMPLETED|0:0|2023-03-13T08:00:00|2023-03-13T08:10:00|cp15|00:10:00|2.1G|2023-03-13T08:00:00
101|LST1_01619|lst|CANCELLED by 1234|0:15|2023-03-13T08:20:00|2023-03-13T08:25:00|cp[16-17]|00:05:00||2023-03-13T08:19:00
102|LST1_01620|lst|FAILED|1:0|2023-03-13T09:00:00|2023-03-13T09:01:00|cp18|00:01:00||2023-03-13T08:59:00
102|LST1_01620|lst|TIMEOUT|0:0|2023-03-13T09:05:00|2023-03-13T10:05:00|cp18|01:00:00||2023-03-13T08:59:00
102|LST1_01620|lst|COMPLETED|0:0|2023-03-13T10:10:00|2023-03-13T10:20:00|cp18|00:10:00||2023-03-13T08:59:00
103_4|LST1_01621|lst|OUT_OF_MEMORY|0:125|2023-03-13T11:00:00|2023-03-13T11:01:00|cp19|00:01:00||2023-03-13T10:59:00
104|LST1_01622|lst|PENDING|0:0|Unknown|Unknown|None assigned|00:00:00||2023-03-13T12:00:00
105|LST1_01623|lst|RUNNING|0:0|2023-03-13T12:00:00|Unknown|cp20|00:30:00||2023-03-13T11:59:00
106|torn
107|LST1_01624|lst|NODE_FAIL|1:0|2023-03-13T13:00:00|2023-03-13T13:00:10|cp21|00:00:10||2023-03-13T12:59:00
"""
HISTORY = """\
01618.0002 lstchain_r0_to_dl1 v0.9.13 2023-03-13 08:00 /d/in1 None 0
01618.0003 lstchain_r0_to_dl1 v0.9.13 2023-03-13 08:01 /d/in2 None 1
01618.0003 lstchain_r0_to_dl1 v0.9.13 2023-03-13 08:01 /d/in2 None 1
01618.0003 lstchain_r0_to_dl1 v0.9.13 2023-03-13 08:05 /d/in2 None 0
2023-03-13 09:00:00 | 01618.0004 gain_selection 1
not a line
"""


def system(host: str, **variables: str) -> dict[str, Any]:
    return {"platform": {"node": host}, "arguments": ["datasequence"], "environment": variables}


def night() -> str:
    """Run 1618 in job 100; 1619 in the killed job 101, where its activity never ended; 1620 in the last attempt of 102."""
    records: list[Any] = []
    for number, run, host, at, ends in (
        (1, "01618", "cp15.site.org", 10, True),
        (2, "01619", "cp16", 1210, False),
        (3, "01620", "cp18", 8000, True),
        (4, "01625", "cp15", 20000, True),
    ):
        start = f"2023-03-13T08:00:{at % 60:02d}" if at < 60 else ""
        hour, minute, second = 8 + at // 3600, at % 3600 // 60, at % 60
        begun = start or f"2023-03-13T{hour:02d}:{minute:02d}:{second:02d}"
        told = session(number, run=run, tag=run, system=system(host))
        records.append({**told, "startTime": begun})
        records.append(
            activity(
                f"a{number}",
                at=at,
                used=(f"/d/in{number}",),
                generated=(f"/d/out{number}",),
                in_session=number,
                tag=run,
                ends=ends,
            )
        )
    return log(*records)  # fmt: skip


@pytest.fixture
def both(kg: KnowledgeGraph, write: Write) -> KnowledgeGraph:
    kg.ingest([write("night.log", night())])
    kg.reconcile([write("jobs.txt", JOBS)])
    return kg


def facts(nodes: list[Any]) -> dict[str, dict[str, Any]]:
    return {
        node.name.rpartition("slurm/site/")[2]: {key.rpartition("#")[2]: value for key, value in node.properties}
        for node in nodes
        if isinstance(node, Node)
    }


def test_each_job_and_each_attempt_has_its_status(read: Callable[..., list[Any]]) -> None:
    records = read(JOBS, Config(zone="Europe/Madrid"))
    found = facts(records)
    status = {name: getattr(each.get("status"), "name", "").rpartition("#")[2] for name, each in found.items()}
    assert status == {
        "100/2023-03-13T08:00:00": "completed",
        "101/2023-03-13T08:20:00": "interrupted",
        "102/2023-03-13T09:00:00": "failed",
        "102/2023-03-13T09:05:00": "interrupted",
        "102/2023-03-13T10:10:00": "completed",
        "103_4/2023-03-13T11:00:00": "failed",
        "104/2023-03-13T12:00:00": "",
        "105/2023-03-13T12:00:00": "",
        "107/2023-03-13T13:00:00": "failed",
    }
    killed = found["101/2023-03-13T08:20:00"]
    assert (killed["recordedStatus"], killed["exitCode"], killed["recordedExit"]) == ("CANCELLED by 1234", 143, "0:15")
    assert killed["startedAtTime"].text == "2023-03-13T07:20:00Z"  # Madrid is an hour ahead
    assert "startedAtTime" not in found["104/2023-03-13T12:00:00"]
    [first] = [each for each in records if isinstance(each, Node) and each.name.endswith("/100/2023-03-13T08:00:00")]
    assert first.extra["steps"] == {"batch": {"JobName": "batch", "State": "COMPLETED", "ExitCode": "0:0", "Start": "2023-03-13T08:00:00", "End": "2023-03-13T08:10:00", "NodeList": "cp15", "Elapsed": "00:10:00", "MaxRSS": "2.1G", "Submit": "2023-03-13T08:00:00"}}  # fmt: skip
    [torn] = [each for each in records if isinstance(each, Quarantined)]
    assert (torn.line, torn.reason) == (11, "2 columns where the header has 11")
    assert Remark("times without a zone, taken as Europe/Madrid", 15) in records


def test_the_other_parsable_form_and_other_columns_are_read(read: Callable[..., list[Any]]) -> None:
    text = "State|JobIDRaw|Cluster|\nFAILED|7|big|\nCOMPLETED|8|big|\n"
    names = [each.name for each in read(text) if isinstance(each, Node)]
    assert names == ["job/slurm/big/7/-", "job/slurm/big/8/-"]


def test_failed_killed_and_retried_attempts_are_told(both: KnowledgeGraph) -> None:
    found = both.reconcile()
    told = {(each.job, each.attempt, each.attempts): (each.recorded, each.finding) for each in found.attempts}
    assert told == {
        ("100", 1, 1): (1, ""),
        ("101", 1, 1): (1, "killed, 1 activities never ended"),
        ("102", 1, 3): (0, "failed, nothing recorded, retried and completed"),
        ("102", 2, 3): (0, "killed, nothing recorded, retried and completed"),
        ("102", 3, 3): (1, ""),
        ("103_4", 1, 1): (0, "failed, nothing recorded"),
        ("104", 1, 1): (0, ""),
        ("105", 1, 1): (0, ""),
        ("107", 1, 1): (0, "failed, nothing recorded"),
    }
    assert (found.joined, found.ambiguous, found.alone) == ({"byTime": 3}, 0, 1)
    [(lost, job)] = found.explained
    [unended] = both.ask("never-ended")
    assert lost == unended["activity"]
    assert job.endswith("/101/2023-03-13T08:20:00")


def test_the_question_tells_which_job_explains_what(both: KnowledgeGraph) -> None:
    rows = {(row["job"], row["status"], row["activityName"], row["explains"]) for row in both.ask("jobs")}
    assert rows == {
        ("101", "interrupted", "r0_to_dl1", True),
        ("102", "failed", None, None),
        ("102", "interrupted", None, None),
        ("103_4", "failed", None, None),
        ("107", "failed", None, None),
    }
    assert {row["job"] for row in both.ask("jobs", status="completed")} == {"100", "102"}


def test_jobs_change_no_history_no_count_of_steps_and_conform(both: KnowledgeGraph, write: Write) -> None:
    alone = provkg.open("memory:")
    alone.ingest([write("night.log", night())])
    assert both.lineage("/d/out1") == alone.lineage("/d/out1")
    for name in ("durations", "night-overview", "cost", "never-ended", "inventory"):
        values = {"cost": {"product": "/d/out1"}, "night-overview": {"night": "20230312"}}.get(name, {})
        assert list(both.ask(name, **values)) == list(alone.ask(name, **values)), name
    assert {row["activityName"] for row in both.ask("failures")} == {
        "LST1_01619",
        "LST1_01620",
        "LST1_01621",
        "LST1_01624",
    }
    before = {(each.rule, each.focus) for each in alone.validate().findings}
    assert {(each.rule, each.focus) for each in both.validate().findings} == before
    assert all(check.ok for check in both.doctor())


def test_it_is_the_same_in_any_order_and_twice_changes_nothing(write: Write, tmp_path: Path) -> None:
    logs, jobs = write("night.log", night()), write("jobs.txt", JOBS)
    first, second = provkg.open(tmp_path / "a"), provkg.open(tmp_path / "b")
    first.ingest([logs])
    first.reconcile([jobs])
    second.reconcile([jobs])
    second.ingest([logs])
    second.reconcile()
    assert first.graph().digest() == second.graph().digest()
    before = first.graph().digest()
    assert first.reconcile([jobs]).summary.unchanged == 1  # type: ignore[union-attr]
    assert first.graph().digest() == before


def test_a_process_that_recorded_its_job_is_joined_by_it(kg: KnowledgeGraph, write: Write) -> None:
    jobs = "JobID|JobName|State|Start|End|NodeList\n7_3|other|COMPLETED|2023-03-12T00:00:00|2023-03-12T01:00:00|x\n"
    told = session(1, system=system("cp15", SLURM_JOB_ID="99", SLURM_ARRAY_JOB_ID="7", SLURM_ARRAY_TASK_ID="3"))
    kg.ingest([write("night.log", log(told, activity("a", in_session=1)))])
    assert kg.reconcile([write("jobs", jobs)]).joined == {"byIdentity": 1}


def test_where_two_jobs_fit_none_is_chosen(kg: KnowledgeGraph, write: Write) -> None:
    row = "{}|LST1_01618|COMPLETED|2023-03-13T08:00:00|2023-03-13T08:10:00|cp15\n"
    jobs = "JobID|JobName|State|Start|End|NodeList\n" + row.format(1) + row.format(2)
    kg.ingest([write("night.log", log(session(), activity("a")))])
    found = kg.reconcile([write("jobs", jobs)])
    assert (found.joined, found.ambiguous, found.alone) == ({}, 1, 0)


def test_a_history_of_lstosa_tells_attempts(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("night.log", night())])
    found = kg.reconcile([write("sequence_LST1_01618.history", HISTORY)])
    assert found.summary is not None
    assert [(piece.line, piece.reason) for _, piece in found.summary.quarantined] == [(6, "no line of a history")]
    told = [
        (each.run, each.name, each.exit, each.attempt, each.attempts, each.recorded, each.finding)
        for each in found.attempts
    ]
    stage = "lstchain_r0_to_dl1"
    assert told == [
        ("01618.0002", stage, "0", 1, 1, 1, ""),
        ("01618.0003", stage, "1", 1, 3, 0, "failed, nothing recorded, retried and completed"),
        ("01618.0003", stage, "1", 2, 3, 0, "failed, nothing recorded, retried and completed"),
        ("01618.0003", stage, "0", 3, 3, 0, ""),
        ("01618.0004", "gain_selection", "1", 1, 1, 0, "failed, nothing recorded"),
    ]
    rows = kg.graph().select(f"SELECT ?end {{ ?j <{PKG.ofRun}> '01618.0004' ; <{PROV.endedAtTime}> ?end }}")
    assert [row["end"].value for row in rows] == ["2023-03-13T09:00:00Z"]  # type: ignore[union-attr]


def test_the_command_tells_findings_and_what_could_not_be_read(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("night.log", night())])
    path = write("jobs.txt", JOBS)
    done = command("--store", kg.store.name, "reconcile", str(path), "--json")
    assert done.returncode == 4
    assert f"quarantined: {path}:11: 2 columns" in done.stderr
    assert "9 attempts, 5 with findings; processes joined: 3 byTime; 0 ambiguous, 1 to which no job fits; 1 activities without an end explained" in done.stderr  # fmt: skip
    assert len(json.loads(done.stdout)["attempts"]) == 9
    again = command("--store", kg.store.name, "reconcile")
    assert again.returncode == 1
    assert again.stdout.count("\n") == 6
    assert command("--store", kg.store.name, "reconcile", "--all").stdout.count("\n") == 10


@pytest.mark.xdist_group("servers")
def test_a_server_gives_the_same(oxigraph: Config, both: KnowledgeGraph, write: Write) -> None:
    there = KnowledgeGraph(servers.emptied(oxigraph))
    there.ingest([write("night.log", night()), write("jobs.txt", JOBS)])
    assert there.reconcile().attempts == both.reconcile().attempts
