"""Capture: what a program did is recorded as it does it, and the program does what it did before."""

import asyncio
import hashlib
import json
import logging
import logging.config
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest

from provkg.capture import CaptureWarning, Generated, Mark, Recorder, Used, current
from provkg.capture.environment import surroundings
from provkg.knowledge import KnowledgeGraph
from provkg.store import text_of
from tests.captured import of_kind, records, whole

SCHEMA = Path(__file__).parent.parent / "docs" / "capture.schema.json"


@pytest.fixture
def prov() -> Recorder:
    return Recorder(background=False)


@pytest.fixture(autouse=True)
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a test removes is missed at once, and not after 50 ms."""
    monkeypatch.setattr("provkg.capture.sink._SECONDS", 0.0)


@pytest.fixture(autouse=True)
def according_to_the_schema() -> Any:
    """Every record that a test writes is one of the published schema; of thousands that are alike some are looked at."""
    yield
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    written = records() if Path("provkg.jsonl").is_file() else []
    for record in written[:: 1 + len(written) // 1_000]:
        validator.validate(record)


# Functions, methods and blocks


def test_a_traced_function_records_what_it_used_and_generated_with_its_parameters(
    prov: Recorder, kg: KnowledgeGraph
) -> None:
    @prov
    def clean(
        raw: Used, out: Generated, calibration: Annotated[str, Mark("used", "Calibration")], depth: int = 3
    ) -> int:
        """Clean."""
        Path(out).write_text(Path(raw).read_text().upper())
        return 7

    Path("raw.txt").write_text("a")
    Path("cal.txt").write_text("c")
    assert clean("raw.txt", out="out.txt", calibration="cal.txt") == 7
    assert (clean.__name__, clean.__doc__) == ("clean", "Clean.")
    [start], [end] = of_kind("start"), of_kind("end")
    assert [(file["path"], file["role"]) for file in start["used"]] == [
        (str(Path("raw.txt").absolute()), "raw"),
        (str(Path("cal.txt").absolute()), "Calibration"),
    ]
    assert start["parameters"] == {"depth": 3}
    assert [(file["role"], file["digest"]) for file in end["generated"]] == [
        ("out", "sha256:" + hashlib.sha256(b"A").hexdigest())
    ]
    kg.ingest(["provkg.jsonl"])
    assert {(step.name, step.activityName) for step in kg.lineage("out.txt")} == {
        ("raw", "clean"),
        ("Calibration", "clean"),
    }


def test_what_is_false_or_not_a_number_is_a_parameter_all_the_same(prov: Recorder, kg: KnowledgeGraph) -> None:
    @prov
    def step(**given: object) -> None: ...

    numpy = pytest.importorskip("numpy")
    step(
        arrays=[numpy.arange(5000), numpy.arange(5001)],
        scalar=numpy.float64(1.5),
        long=range(3),
        many_items=[0] * 30_000,
    )
    start = of_kind("start")[0]["parameters"]
    assert [(each["shape"], len(each["digest"])) for each in start["arrays"]] == [([5000], 71), ([5001], 71)]
    assert (start["scalar"], start["long"], start["many_items"]["items"]) == (1.5, "range(0, 3)", 30_000)
    Path("provkg.jsonl").unlink()
    step(off=False, zero=0, none=None, empty="", nan=float("nan"), big=1 << 70, path=Path("/x"), many={3, 1})
    kg.ingest(["provkg.jsonl"])
    query = "PREFIX vp: <https://w3id.org/provkg/voprov#> PREFIX prov: <http://www.w3.org/ns/prov#>"
    rows = kg.graph().select(query + "SELECT ?n ?v { ?a vp:wasConfiguredBy ?p . ?p vp:name ?n ; prov:value ?v }")
    assert {text_of(row["n"]): text_of(row["v"]) for row in rows} == {
        "off": "false",
        "zero": "0",
        "none": "null",
        "empty": "",
        "nan": "NaN",
        "big": str(1 << 70),
        "path": "/x",
        "many": "[1,3]",
    }


def test_a_failure_is_recorded_and_raised_again(prov: Recorder, kg: KnowledgeGraph) -> None:
    @prov
    def divide(out: Generated, by: int) -> None:
        Path(out).write_text("partial")
        1 / by

    with pytest.raises(ZeroDivisionError):
        divide("out.txt", 0)
    with pytest.raises(TypeError, match="missing"):
        divide("out.txt")
    failed = [(end["status"], end["error"], len(end.get("generated", []))) for end in of_kind("end")]
    assert failed[0] == ("failed", "ZeroDivisionError: division by zero", 1)
    assert failed[1][0] == "failed"
    assert "missing 1 required positional argument" in failed[1][1]
    kg.ingest(["provkg.jsonl"])
    assert {row["activityName"] for row in kg.ask("failures")} == {"divide"}


@pytest.mark.parametrize(
    ("error", "status", "exit_status"),
    [(KeyboardInterrupt(), "interrupted", None), (SystemExit(0), "completed", 0), (SystemExit("no"), "failed", 1)],
)
def test_what_ends_a_program_is_an_end_of_its_own_kind(
    prov: Recorder, error: BaseException, status: str, exit_status: int | None
) -> None:
    with pytest.raises(type(error)), prov.activity("stop"):
        raise error
    [end] = of_kind("end")
    assert (end["status"], end.get("exit")) == (status, exit_status)


def test_explicit_calls_record_files_parameters_members_and_derivations(prov: Recorder, kg: KnowledgeGraph) -> None:
    for name in ("raw.txt", "log.txt", "one.txt", "two.txt", "list.txt"):
        Path(name).write_text(name)
    with prov.activity("split", parameters={"parts": 2}) as run:
        run.used("raw.txt", role="Raw")
        run.used("https://example.org/catalogue.fits", role="Catalogue")
        run.parameter("seed", 7)
        for name in ("one.txt", "two.txt", "log.txt"):
            run.generated(name, role="Part")
        run.generated("list.txt", role="Parts", type="SetCollection")
        run.derived("one.txt", "raw.txt")
        run.member("list.txt", "one.txt", "two.txt")
    kg.ingest(["provkg.jsonl"])
    assert {step.location for step in kg.lineage("one.txt")} == {
        str(Path("raw.txt").absolute()),
        "https://example.org/catalogue.fits",
    }
    rows = kg.graph().select(
        "PREFIX prov: <http://www.w3.org/ns/prov#> SELECT ?kind (COUNT(*) AS ?n) WHERE "
        "{ ?a ?kind ?b FILTER(?kind IN (prov:hadMember, prov:wasDerivedFrom)) } GROUP BY ?kind ORDER BY ?kind"
    )
    assert [(text_of(row["kind"]).rpartition("#")[2], text_of(row["n"])) for row in rows] == [
        ("hadMember", "2"),
        ("wasDerivedFrom", "1"),
    ]


def test_activities_nest_and_threads_and_tasks_keep_theirs_apart(prov: Recorder) -> None:
    seen: dict[str, object] = {}

    @prov
    async def inner(name: str) -> None:
        before = current()
        await asyncio.sleep(0)
        seen[name] = before is not None and before is current() and before.name

    async def outer() -> None:
        with prov.activity("outer"):
            await asyncio.gather(inner("a"), inner("b"))

    asyncio.run(outer())
    assert seen == {"a": "inner", "b": "inner"}
    with prov.activity("main") as run:
        thread = threading.Thread(target=lambda: seen.update(thread=current()))
        thread.start()
        thread.join()
        assert current() is run
    assert seen["thread"] is None
    assert current() is None
    [outer_start] = [start for start in of_kind("start") if start["name"] == "outer"]
    assert [start.get("within") for start in of_kind("start") if start["name"] == "inner"] == [outer_start["id"]] * 2


def test_the_activity_of_a_generator_lasts_until_it_is_exhausted_or_closed(prov: Recorder) -> None:
    @prov
    def count(to: int) -> Any:
        for each in range(to):
            assert current() is None  # its consumer is not part of it
            yield each
        return "done"

    found = []

    def consume() -> Any:
        result = yield from count(2)
        found.append(result)

    assert list(consume()) == [0, 1]
    assert found == ["done"]
    endless = count(5)
    assert next(endless) == 0
    endless.close()
    assert [end["status"] for end in of_kind("end")] == ["completed", "completed"]


def test_a_traced_class_records_its_public_methods(prov: Recorder) -> None:
    @prov
    class Analysis:
        def fit(self, order: int) -> "Analysis":
            return self._hidden()

        def _hidden(self) -> "Analysis":
            return self

        @staticmethod
        def fixed(a: int) -> int:
            return a

        @classmethod
        def made(cls, b: int = 2) -> "Analysis":
            return cls()

    analysis = Analysis.made()
    assert analysis.fit(3) is analysis
    assert Analysis.fixed(4) == 4
    assert [(start["name"], start["parameters"]) for start in of_kind("start")] == [
        ("made", {"b": 2}),
        ("fit", {"order": 3}),
        ("fixed", {"a": 4}),
    ]


def test_a_path_without_a_mark_is_judged_by_what_became_of_it_and_marked_as_assumed(
    prov: Recorder, kg: KnowledgeGraph
) -> None:
    @prov
    def convert(source: Path, target: Path, others: list[Path] | None = None) -> None:
        target.write_text(source.read_text())

    for name in ("in.txt", "side.txt"):
        Path(name).write_text(name)
        os.utime(name, (1, 1))
    convert(Path("in.txt"), Path("out.txt"), [Path("side.txt")])
    [end] = of_kind("end")
    assert [file["role"] for file in end["used"]] == ["source", "others"]
    assert [file["role"] for file in end["generated"]] == ["target"]
    summary = kg.ingest(["provkg.jsonl"])
    assert summary.remarks["files taken as used or generated by what became of them (assumed)"] == 3
    assert {step.location for step in kg.lineage("out.txt")} == {
        str(Path(n).absolute()) for n in ("in.txt", "side.txt")
    }


def test_what_one_step_wrote_and_the_next_one_reads_is_not_taken_for_written_twice(
    prov: Recorder, kg: KnowledgeGraph
) -> None:
    @prov
    def copy(source: Path, target: Path, folder: Path) -> None:
        target.write_text(source.read_text() + "x")

    Path("0").write_text("")
    Path("work").mkdir()
    for number in range(3):
        os.utime(str(number), ns=(1, time.time_ns() - 50_000_000))  # just now, and more than a tick ago
        copy(Path(str(number)), Path(str(number + 1)), Path("work"))
    ends_ = [
        {key: [file["role"] for file in end.get(key, ())] for key in ("used", "generated")} for end in of_kind("end")
    ]
    assert ends_ == [{"used": ["source"], "generated": ["target"]}] * 3
    os.utime("3", ns=(1, time.time_ns()))
    os.utime("0", ns=(1, time.time_ns()))
    copy(Path("0"), Path("4"), Path("new"))  # the clock cannot tell whether 0 was written again
    assert [file["role"] for file in of_kind("end")[-1]["paths"]] == ["source"]
    assert of_kind("start")[0]["parameters"] == {"folder": "work"}
    summary = kg.ingest(["provkg.jsonl"])
    assert summary.remarks["files of which it is not known whether they were used or generated (no edge)"] == 1
    assert [step.location for step in kg.lineage("3")] == [str(Path(n).absolute()) for n in "210"]


def test_a_file_that_was_not_there_or_was_left_as_it_was_makes_no_edge(prov: Recorder, kg: KnowledgeGraph) -> None:
    @prov
    def lazy(raw: Used, out: Generated) -> None: ...

    Path("out.txt").write_text("old")
    os.utime("out.txt", (1, 1))
    lazy("never.txt", "out.txt")
    summary = kg.ingest(["provkg.jsonl"])
    assert (summary.counts["usages"], summary.counts["generations"]) == (0, 0)
    assert summary.remarks["files that were named and were not there (no edge)"] == 1
    assert summary.remarks["files that a step was to generate and left as they were (no edge)"] == 1
    [row] = kg.graph().select(
        "SELECT ?x { ?a a <http://www.w3.org/ns/prov#Activity> ; <https://w3id.org/provkg/ns#extra> ?x }"
    )
    assert "never.txt" in text_of(row["x"])  # it is kept, and nothing follows from it


def test_what_links_lead_to_is_what_was_read(prov: Recorder, kg: KnowledgeGraph) -> None:
    Path("v1").mkdir()
    Path("v1/cal.h5").write_text("1")
    Path("raw.txt").write_text("0")
    Path("pro").symlink_to("v1")
    Path("latest.h5").symlink_to("v1/cal.h5")
    with prov.activity("look") as run:
        for name in ("v1/cal.h5", "raw.txt", "latest.h5"):  # folders without links are remembered, links are not missed
            run.used(str(Path(name).absolute()))
    assert of_kind("used")[-1]["real"] == str(Path("v1/cal.h5").absolute())
    Path("provkg.jsonl").unlink()
    with prov.activity("calibrate") as run:
        run.used("pro/cal.h5")
        Path("out.txt").write_text("2")
        run.generated(Path("v1/../out.txt"))
    [used], [generated] = of_kind("used"), of_kind("generated")
    assert (used["path"], used["real"]) == (str(Path("pro/cal.h5").absolute()), str(Path("v1/cal.h5").absolute()))
    assert (generated["path"], "real" in generated) == (str(Path("out.txt").absolute()), False)
    kg.ingest(["provkg.jsonl"])
    [step] = kg.lineage("out.txt")
    assert step.location == str(Path("v1/cal.h5").absolute())


def test_nothing_is_captured_where_that_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVKG_CAPTURE", "0")
    prov = Recorder()

    @prov
    def step(a: int) -> int:
        return a

    assert step(1) == 1
    with prov.activity("x") as run:
        run.used("a")
        run.parameter("a", 1)
    assert not Path("provkg.jsonl").exists()
    prov.enabled = True
    assert step(2) == 2
    assert len(of_kind("start")) == 1


def test_a_dry_run_calls_nothing_marks_every_record_and_leaves_lineage_alone(kg: KnowledgeGraph) -> None:
    def pipeline(prov: Recorder) -> None:
        @prov
        def make(raw: Used, out: Generated) -> str:
            Path(out).write_text("made")
            return "made"

        with prov.activity("around", parameters={"p": 1}) as run:
            assert make("raw.txt", "out.txt") == (None if run.dry else "made")

    Path("raw.txt").write_text("raw")
    pipeline(Recorder())
    pipeline(Recorder("dry.jsonl", dry=True))
    assert all(record["dry"] is True for record in records("dry.jsonl"))
    assert not any("dry" in record for record in records())
    kg.ingest(["provkg.jsonl"])
    before = kg.lineage("out.txt")
    summary = kg.ingest(["dry.jsonl"])
    assert summary.counts["activities"] == 0
    assert kg.lineage("out.txt") == before
    [row] = kg.graph().select(
        "PREFIX prov: <http://www.w3.org/ns/prov#> SELECT ?x { ?p a prov:Plan ; <https://w3id.org/provkg/ns#dry> true ; "
        "<https://w3id.org/provkg/ns#extra> ?x FILTER(CONTAINS(?x, 'out.txt')) }"
    )
    assert "raw.txt" in text_of(row["x"])


# Trouble


def test_trouble_of_capture_is_a_warning_also_where_warnings_are_errors(capfd: pytest.CaptureFixture[str]) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    prov = Recorder("/proc/none/provkg.jsonl")

    @prov
    def step(a: object) -> str:
        return "fine"

    with pytest.warns(CaptureWarning, match="/proc/none"):
        assert step(1) == "fine"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert step(2) == "fine"
        good = Recorder()
        assert good(lambda a: a is not None)(Odd())
        assert good(len)("abc") == 3
        with good.activity("explicit", parameters={"odd": Odd()}) as run:
            run.parameter("odd", Odd())
            run.used(3)  # type: ignore[arg-type]
    said = capfd.readouterr().err
    assert "warning: provkg could not record to /proc/none" in said
    assert "expected str, bytes or os.PathLike object, not int" in said
    assert of_kind("parameter")[0]["value"].endswith("Odd: RuntimeError('no text')>")
    assert len(of_kind("end")) == 3


def test_a_full_disk_loses_what_does_not_fit_and_says_so() -> None:
    prov = Recorder("/dev/full")
    with pytest.warns(CaptureWarning, match="No space left"), prov.activity("step") as run:
        run.parameter("a", 1)


def test_a_record_that_is_too_long_for_a_line_is_several(prov: Recorder, kg: KnowledgeGraph) -> None:
    names = [f"{n:06d}-{'x' * 100}" for n in range(9000)]
    with prov.activity("many", parameters={"a": names, "b": {str(n): "y" * 3000 for n in range(500)}, "c": 1}):
        pass
    assert max(len(line) for line in Path("provkg.jsonl").read_bytes().splitlines()) < 1 << 20
    [start] = of_kind("start")
    assert "parameters" not in start
    values = {record["name"]: record["value"] for record in of_kind("parameter")}
    assert values["a"] == names
    assert values["c"] == 1
    assert values["b"]["characters"] > 1_000_000  # larger than a line by itself: cut, with its digest
    assert kg.ingest(["provkg.jsonl"]).counts["parameters"] == 3


# Where records go


def test_an_activity_stays_in_the_file_in_which_it_began_when_that_is_rotated(kg: KnowledgeGraph) -> None:
    prov = Recorder()
    with prov.activity("long") as run:
        os.rename("provkg.jsonl", "provkg.jsonl.1")
        run.parameter("late", 1)
        renamed = time.monotonic()
        while time.monotonic() < renamed + 0.06:  # twenty times a second, a new activity looks for the file
            pass
        with prov.activity("next"):
            pass
    assert {r["name"] for r in of_kind("start", "provkg.jsonl.1")} == {"long"}
    assert [r["kind"] for r in records("provkg.jsonl.1")][-2:] == ["parameter", "end"]
    assert [r["kind"] for r in records()] == ["environment", "session", "start", "end"]  # complete in itself
    kg.ingest(["provkg.jsonl", "provkg.jsonl.1"])
    assert list(kg.ask("never-ended")) == []


def test_each_process_has_a_file_of_its_own_in_a_folder() -> None:
    prov = Recorder("logs/")
    with prov.activity("parent"):
        pass
    child = multiprocessing.get_context("fork").Process(target=lambda: prov.activity("child").__enter__().end())
    child.start()
    child.join()
    logs = sorted(Path("logs").iterdir())
    assert [len(of_kind("start", log)) for log in logs] == [1, 1]
    assert len({of_kind("session", log)[0]["pid"] for log in logs}) == 2


def test_a_logging_configuration_decides_where_records_go(kg: KnowledgeGraph) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"simple": {"format": "%(levelname)s %(name)s %(message)s"}},
            "handlers": {
                "prov": {"class": "logging.handlers.WatchedFileHandler", "formatter": "simple", "filename": "prov.log"}
            },
            "loggers": {"provLogger": {"level": "INFO", "handlers": ["prov"], "propagate": False}},
        }
    )
    logger = logging.getLogger("provLogger")
    logger.warning("something else")
    logger.info("__PROV__2026-11-20T19:10:07.900959__PROV__{'activity_id': 'eb200f', 'endTime': '2026-11-20T19:10:07'}")
    prov = Recorder(logger=logger)
    for _ in range(2):
        with prov.activity("step"):
            pass
    logger.handlers.pop().close()
    assert Path("prov.log").read_text().count("INFO provLogger {") == 6
    summary = kg.ingest(["prov.log"])
    assert (summary.counts["activities"], summary.remarks["lines that are no records"]) == (2, 1)
    [(_, foreign)] = summary.quarantined
    assert "of lstosa's kind" in foreign.reason  # nothing is lost silently


# Digests


def test_digests_are_made_beside_the_run_as_the_policy_says() -> None:
    for name, size in (("in", 10), ("large", 5000)):
        Path(name).write_bytes(b"x" * size)
    prov = Recorder(digest="inputs", limit=1000, algorithm="sha512")
    with prov.activity("step") as run:
        run.used("in")
        run.used("large")
        Path("out").write_bytes(b"y")
        run.generated("out")
    prov.wait()
    told = {Path(r["path"]).name: r for r in of_kind("digest")}
    assert told["in"]["digest"] == "sha512:" + hashlib.sha512(b"x" * 10).hexdigest()
    assert told["large"]["undigested"] == "larger than 1000 bytes"
    assert "out" not in told
    assert {Path(r["path"]).name: r["size"] for r in of_kind("used") + of_kind("generated")} == {
        "in": 10,
        "large": 5000,
        "out": 1,
    }


def test_a_digest_is_of_the_bytes_that_were_used_or_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").write_text("one")
    prov = Recorder()
    gate = threading.Event()
    of = prov.digests.of
    monkeypatch.setattr(prov.digests, "of", lambda facts: (gate.wait(30), of(facts))[1])
    with prov.activity("in place") as run:
        run.used("in")
        Path("in").write_text("changed")
    gate.set()
    prov.wait()
    assert of_kind("digest")[0]["undigested"] == "changed before it was digested"


def test_what_is_no_file_is_not_read() -> None:
    os.mkfifo("pipe")  # whoever opened it to read would wait for ever
    prov = Recorder()
    with prov.activity("step") as run:
        for name in ("pipe", "/dev/zero", "."):
            run.used(name)
    prov.wait()
    assert [r["undigested"] for r in of_kind("digest")] == ["no regular file"] * 3


def test_a_file_is_read_once_while_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").write_text("one")
    os.utime("in", (1, 1))
    read: list[str] = []
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *given: (read.append("in"), digest(*given))[1])
    prov = Recorder(background=False)
    for _ in range(3):
        with prov.activity("step") as run:
            run.used("in")
    assert len(read) == 1
    Path("in").write_text("two")
    os.utime("in", (2, 2))
    with prov.activity("step") as run:
        run.used("in")
    assert len(read) == 2
    assert of_kind("used")[-1]["digest"] == "sha256:" + hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("wrong", [{"digest": "some"}, {"limit": -1}, {"algorithm": "crc"}, {"algorithm": "shake_128"}])
def test_a_policy_that_cannot_be_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"digest|limit|crc|shake"):
        Recorder(**wrong)


# Processes


def _work(number: int, calls: int) -> None:
    prov = Recorder("provkg.jsonl", digest="never")

    @prov
    def step(number: int, each: int) -> None: ...

    for each in range(calls):
        step(number, each)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_share_a_file_and_no_line_is_torn_or_lost(method: str) -> None:
    number_of, calls = (8, 1000) if method == "fork" else (3, 20)
    context = multiprocessing.get_context(method)
    workers = [context.Process(target=_work, args=(number, calls)) for number in range(number_of)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    found = [(r["parameters"]["number"], r["parameters"]["each"]) for r in of_kind("start")]
    assert sorted(found) == [(number, each) for number in range(number_of) for each in range(calls)]
    assert len({r["id"] for r in of_kind("end")}) == number_of * calls
    assert len(of_kind("session")) == number_of


def test_what_a_forked_process_does_is_not_taken_for_part_of_what_its_parent_did() -> None:
    prov = Recorder()
    with prov.activity("parent") as run:
        pid = os.fork()
        if pid == 0:
            with prov.activity("child"):
                run.end()  # it is not the child's to end
            os._exit(0)
        os.waitpid(pid, 0)
    child = next(start for start in of_kind("start") if start["name"] == "child")
    parent = next(start for start in of_kind("start") if start["name"] == "parent")
    assert "within" not in child
    assert child["session"] != parent["session"]
    assert [end["id"] for end in of_kind("end")] == [child["id"], parent["id"]]
    assert len(of_kind("environment")) == 1  # it is that of both, and stands in the same file


def test_whatever_is_killed_at_any_point_has_a_start_and_is_known_never_to_have_ended(kg: KnowledgeGraph) -> None:
    prov = Recorder("provkg.jsonl", digest="never")
    reading, writing = os.pipe()

    @prov
    def step(number: int) -> None:
        os.write(writing, number.to_bytes(4, "big"))  # the work itself tells that it began

    def work(first: int) -> None:
        for number in range(first, first + 100_000):
            step(number)

    step(1 << 31)  # what it runs in is found before the first fork
    chance, data = random.Random(11), b""
    for kill in range(200):
        pid = os.fork()
        if pid == 0:
            work(kill * 100_000)
            os._exit(0)
        for _ in range(chance.randrange(30)):
            data += os.read(reading, 4)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        data += stream.read()
    began = {int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)}
    told = whole()
    starts = {r["parameters"]["number"]: r["id"] for r in told if r["kind"] == "start"}
    assert began <= starts.keys()
    ended = {r["id"] for r in told if r["kind"] == "end"}
    summary = kg.ingest(["provkg.jsonl"])
    assert summary.errors == []
    assert all("record" in piece.reason for _, piece in summary.quarantined)  # cut by a kill in the middle of a write
    os.rename("provkg.jsonl", "killed.jsonl")
    killed = {id_ for id_ in starts.values() if id_ not in ended}
    assert {row["activity"].rpartition("/")[2] for row in kg.ask("never-ended")} == killed
    assert killed  # of 200 kills, some hit an activity


# What it runs in


def test_an_environment_is_written_once_and_names_packages_and_the_state_of_the_repository(
    tmp_path: Path, kg: KnowledgeGraph
) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path / "code")]
    (tmp_path / "code").mkdir()
    Path("code/a.py").write_text("1")
    for command in (["init", "-q"], ["add", "a.py"], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    prov = Recorder(pipeline="code")
    for number in range(2):
        with prov.activity("step") as run:
            Path(f"{number}.txt").write_text("x")
            run.generated(f"{number}.txt")
    kg.ingest(["provkg.jsonl"])
    assert [row["commit"] for row in kg.ask("environments", product="1.txt")] == [commit]
    [environment] = of_kind("environment")
    assert "provkg" in {package["name"] for package in environment["system"]["python"]["packages"]}
    assert environment["system"]["git"] == {"commit": commit, "dirty": False, "changed": 0}
    Path("code/a.py").write_text("2")
    assert surroundings(pipeline=tmp_path / "code").system["git"] == {"commit": commit, "dirty": True, "changed": 1}
    assert {start["session"] for start in of_kind("start")} == {of_kind("session")[0]["id"]}
    assert "python" not in surroundings("ls").system  # packages of ours are none of its


def test_secrets_and_persons_are_not_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/home/ada/lib:/usr/lib")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-1")
    monkeypatch.setenv("SITE_TOKEN", "hush-2")
    monkeypatch.setenv("SITE_NAME", "orm")
    monkeypatch.setattr(sys, "orig_argv", ["/home/ada/bin/run", "--password", "hush-3", "--url=https://me:hush-4@x/y"])
    prov = Recorder(environ=["SITE_NAME", "SITE_TOKEN", "USER", "HOME"], personal=False)
    with prov.activity("login", parameters={"db_password": "hush-5", "deep": {"api_key": "hush-6", "n": 1}}) as run:
        run.parameter("token", "hush-7")
    text = Path("provkg.jsonl").read_text()
    assert "hush" not in text
    assert "ada" not in text.replace("metadata", "")
    assert of_kind("environment")[0]["system"]["environment"]["LD_LIBRARY_PATH"] == "~/lib:/usr/lib"
    assert of_kind("environment")[0]["system"]["environment"]["SITE_NAME"] == "orm"
    assert of_kind("environment")[0]["system"]["environment"]["USER"] == "[redacted]"
    assert of_kind("session")[0]["arguments"] == [
        *("~/bin/run", "--password", "[redacted]", "--url=https://[redacted]@x/y")
    ]
    assert of_kind("start")[0]["parameters"]["deep"] == {"api_key": "[redacted]", "n": 1}


def test_the_script_of_a_process_is_an_input_of_all_it_does_unless_it_was_changed_since(kg: KnowledgeGraph) -> None:
    code = """
import os, sys
from provkg.capture import Recorder
if sys.argv[1:]:
    os.utime(__file__, (9e9, 9e9))
with Recorder().activity("step") as run:
    open("out.txt", "w").close()
    run.generated("out.txt")
"""
    Path("script.py").write_text(code)
    os.utime("script.py", (1e9, 1e9))
    subprocess.run([sys.executable, "script.py"], check=True)
    subprocess.run([sys.executable, "script.py", "change"], check=True)
    first, second = (session["script"] for session in of_kind("session"))
    assert first["digest"] == "sha256:" + hashlib.sha256(code.encode()).hexdigest()
    assert (second.get("digest"), second["undigested"]) == (None, "changed since the process began")
    kg.ingest(["provkg.jsonl"])
    rows = kg.ask("parents", product=kg.find("out.txt")[0].iri)
    assert [(row["location"], row["role"]) for row in rows] == [(str(Path("script.py").absolute()), "script")]


def test_ids_sort_by_time(prov: Recorder) -> None:
    for _ in range(3):
        with prov.activity("step"):
            start = time.time_ns() // 1_000_000
            while time.time_ns() // 1_000_000 == start:  # the next millisecond
                pass
    ids = [record["id"] for record in of_kind("start")]
    assert ids == sorted(ids)
    assert {id_[14] for id_ in ids} == {"7"}


def test_capture_needs_nothing_of_what_it_watches_and_little_of_provkg() -> None:
    code = "import sys, provkg.capture; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"numpy", "pyoxigraph", "rdflib", "click", "rich", "jinja2", "ctapipe", "astropy", "requests"}


# Reading


def test_a_partial_line_and_what_was_written_behind_it_are_told_apart(prov: Recorder, kg: KnowledgeGraph) -> None:
    with prov.activity("one"), prov.activity("two"):
        pass
    lines = Path("provkg.jsonl").read_text().splitlines(keepends=True)
    torn = '{"provkg":1,"kind":"sta' + lines[-1]  # a crash, and the next process writes on
    odd = '{"provkg":1,"kind":"dance","id":"x"}\n{"provkg":1,"kind":"used","id":"x","path":"a"}\n'
    Path("torn.jsonl").write_text("".join([*lines[:-1], torn, odd, '"role":"x"}\n', '{"provkg":1,"kind":"end","id":']))
    summary = kg.ingest(["torn.jsonl"])
    assert [(piece.line - len(lines), piece.reason) for _, piece in summary.quarantined] == [
        (0, "no complete record"),
        (1, "a record of unknown kind 'dance'"),
        (2, "a file without an absolute path"),
        (3, "the end of a record: its beginning is not here"),
        (4, "the record is cut short"),
    ]
    assert summary.counts["activities"] == 2
    assert list(kg.ask("never-ended")) == []


def test_hostile_records_are_quarantined_and_the_rest_gets_in(prov: Recorder, kg: KnowledgeGraph) -> None:
    with prov.activity("good"):
        pass
    hostile = [
        *({"kind": "lists", "id": "x"}, {"kind": "start", "id": "x", "used": [7]}, {"kind": ["start"], "id": "x"}),
        *(
            {"kind": "environment", "system": 3},
            {"kind": "start", "id": "x", "parameters": [1]},
            {"kind": "member", "id": "x"},
            {"kind": "end", "id": "x", "resources": "many"},
            {"kind": "session", "id": "s", "script": {"path": "a"}},
            {"kind": "parameter", "id": "x", "name": "p", "value": {"$float": []}},
            {"kind": "parameter", "id": "x", "name": "p", "value": {"$int": "x"}},
        ),
    ]
    with Path("provkg.jsonl").open("a") as stream:
        stream.writelines(json.dumps({"provkg": 1, **record}) + "\n" for record in hostile)
        stream.write('{"provkg":1,"kind":' + "[" * 100_000 + "\n")
    summary = kg.ingest([os.rename("provkg.jsonl", "hostile.jsonl") or "hostile.jsonl"])
    assert (summary.counts["quarantined"], summary.counts["activities"]) == (len(hostile) + 1, 1)
