"""What the code of questions concludes, against histories of which the truth is known."""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provkg.config import Config
from provkg.knowledge import KnowledgeGraph, open_with
from tests.conftest import SHARED
from tests.logs import activity, entity, log, md5, session
from tests.test_cli import provkg as command
from tests.test_night import night as night_of

Write = Callable[[str, str | bytes], Path]


def calls(change: str = "") -> list[Any]:
    """Two runs of a small pipeline that differ in nothing but their names, or in one thing more in the second."""
    found: list[Any] = []
    for run in (7, 8) if "run" in change else ():
        found.append(session(run, run=str(run), tag=f"c:{run}", system={"arguments": ["run"]}))
        more = {"in_session": run, "tag": f"c:{run}"}
        found += activity(f"c{run}0000", "flat", used=(f"/cal/raw{run}",), generated=(f"/cal/flat{run}t",), **more)
    for number, run in enumerate(("A", "B"), 1):
        second = change if run == "B" else ""
        packages = [{"name": "numpy", "version": "2.0" if second == "package" else "1.26.4"}]
        system = {
            "python": {"version": "3.11", "packages": packages},
            "arguments": ["run", run],
            "platform": {"node": "n1"},
        }
        version = "v2" if second == "software" else "v1"
        config = "/etc/other.cfg" if second == "configuration" else "/etc/usual.cfg"
        found.append(
            session(
                number,
                run="1",
                tag=f"t:{run}",
                system=system,
                software_version=version,
                config_file=config,
                config_file_hash=("cd" if second == "configuration digest" else "ab") * 16,
                config_file_hash_type="md5",
            )
        )
        more = {"in_session": number, "tag": f"t:{run}"}
        flat = "/cal/other" if second == "calibration" else "/cal/flat"
        raw = ("/raw/1", "/raw/2", "/raw/3") if second == "number" else ("/raw/1", "/raw/2")
        step = "cleaned" if second == "step" else "clean"
        cut = 5 if second == "parameter" else 4
        found += activity(
            f"a{number}0000",
            "calibrate",
            at=number * 100,
            used=raw,
            generated=(f"/{run}/dl1",),
            parameters={"gain": 2},
            **more,
        )
        chosen = {"CalibrationRun": 8 if second == "calibration run" else 7} if "run" in change else {}
        flat = f"/cal/flat{chosen['CalibrationRun']}t" if chosen else flat
        if second != "missing":
            found += activity(
                f"a{number}0001",
                step,
                at=number * 100 + 10,
                used=((f"/{run}/dl1", "data"), (flat, "flat")),
                generated=(f"/{run}/dl2",),
                parameters={"cut": cut, **chosen},
                **more,
            )
        found += activity(
            f"a{number}0002",
            "select",
            at=number * 100 + 20,
            used=((f"/{run}/dl1" if second == "missing" else f"/{run}/dl2", "data"),),
            generated=(f"/{run}/dl3",),
            parameters={"cut": 1},
            **more,
        )
    return found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("", []),
        ("parameter", [("clean", "parameter", "cut", "4", "5")]),
        ("software", [("calibrate, clean, select", "software", "lstchain", "v1", "v2")]),
        ("package", [("calibrate, clean, select", "package", "numpy", "1.26.4", "2.0")]),
        ("missing", [("clean", "missing step", None, "clean", None)]),
        ("calibration run", [("clean", "calibration run", "CalibrationRun", "7", "8")]),
        ("calibration", [("clean", "input", "flat", "/cal/flat", "/cal/other")]),
        ("number", [("calibrate", "number of inputs", "in 3", "0", "1")]),
        ("step", [(None, "step", None, "clean", "cleaned")]),
        (
            "configuration digest",
            [
                (
                    "calibrate, clean, select",
                    "configuration digest",
                    None,
                    f"content:md5:{'ab' * 16}",
                    f"content:md5:{'cd' * 16}",
                )
            ],
        ),
        (
            "configuration",
            [("calibrate, clean, select", "configuration file", None, "/etc/usual.cfg", "/etc/other.cfg")],
        ),
    ],
)
def test_one_thing_that_differs_is_the_only_point_of_divergence(
    kg: KnowledgeGraph, write: Write, change: str, expected: list
) -> None:
    kg.ingest([write("a.log", log(*calls(change)))])
    rows = [
        (row["step"], row["kind"], row["what"], row["first"], row["second"])
        for row in kg.ask("divergence", first="/A/dl3", second="/B/dl3")
    ]
    same = [row["same"] for row in kg.ask("same-computation", first="/A/dl3", second="/B/dl3")]
    assert rows == expected
    assert set(same) == {"no" if rows else "yes"}


def test_what_follows_is_told_when_it_is_asked_for(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("a.log", log(*calls("parameter")))])
    rows = [
        (row["step"], row["kind"], row["what"], row["first"], row["second"])
        for row in kg.diff("/A/dl3", "/B/dl3", consequences=True)
    ]
    assert rows == [
        ("clean", "parameter", "cut", "4", "5"),
        ("select", "consequence", "data", "/A/dl2", "/B/dl2"),
    ]


def test_the_command_says_why_and_that_they_differ(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("a.log", log(*calls("package")))])
    for name in ("diff", "why"):
        done = command("--store", kg.store.name, name, "/A/dl3", "/B/dl3")
        assert (done.returncode, done.stderr) == (1, "1 points of divergence\n")
        assert done.stdout.splitlines()[1] == "calibrate, clean, select\tpackage\tnumpy\t1.26.4\t2.0\t3"
    done = command("--store", kg.store.name, "diff", "/A/dl3", "/B/dl3", "--env", "--json")
    assert json.loads(done.stdout) == [{"package": "numpy", "first": "1.26.4", "second": "2.0"}]
    done = command("--store", kg.store.name, "diff", "/A/dl3", "/B/dl3", "--config")
    assert (done.returncode, done.stderr) == (0, "nothing on record differs\n")
    assert command("--store", kg.store.name, "diff", "/A/dl3", "/B/dl3", "--config", "--env").returncode == 2


def random_calls(seed: int) -> tuple[list[tuple[tuple[str, ...], tuple[str, ...]]], str]:
    """Return calls of a random pipeline, what each read and wrote, and the log."""
    chance = random.Random(seed)
    files, made, records = ["/f/0", "/f/1"], [], []
    for number in range(25):
        used = tuple(chance.sample(files, min(len(files), chance.randint(1, 3))))
        generated = (f"/f/{len(files)}",)
        made.append((used, generated))
        records.append(activity(f"{number:06x}", f"step{number % 4}", at=number * 10, used=used, generated=generated))
        files += generated
    return made, log(session(), *records)


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_needs_only_what_batches_before_it_make(kg: KnowledgeGraph, write: Write, seed: int) -> None:
    made, text = random_calls(seed)
    kg.ingest([write("a.log", text)])
    depth: dict[str, int] = {"/f/0": 0}
    for used, [out] in made:
        known = [depth[each] for each in used if each in depth]
        if known:
            depth[out] = max(known) + 1
    expected: dict[int, int] = {}
    for path, place in depth.items():
        if path != "/f/0":
            expected[place] = expected.get(place, 0) + 1
    rows = list(kg.ask("remake-order", product="/f/0"))
    found: dict[int, int] = {}
    for row in rows:
        found[row["batch"]] = found.get(row["batch"], 0) + row["products"]
    assert found == expected
    assert sum(row["seconds"] for row in rows) == pytest.approx(5 * len(depth) - 5)


@pytest.mark.parametrize("seed", range(4))
def test_the_ways_between_two_products_are_all_shortest_ones(kg: KnowledgeGraph, write: Write, seed: int) -> None:
    made, text = random_calls(seed)
    kg.ingest([write("a.log", text)])
    parents = {out: set(used) for used, [out] in made}
    away: dict[str, int] = {"/f/0": 0}
    for out, used in parents.items():
        near = [away[each] for each in used if each in away]
        if near:
            away[out] = min(near) + 1
    last = max(away, key=lambda path: (away[path], path))
    on_a_way, todo = set(), {last}
    while todo:
        on_a_way |= todo
        todo = {up for path in todo for up in parents.get(path, ()) if away.get(up, -1) == away[path] - 1}
    expected = {(path, away[path]) for path in on_a_way - {"/f/0"}}
    for values in ({"first": "/f/0", "second": last}, {"first": last, "second": "/f/0"}):
        rows = list(kg.ask("connection", **values))
        assert {(row["location"], row["position"]) for row in rows} == expected
        older = "first" if values["first"] == "/f/0" else "second"
        assert {row["relation"].rpartition(" ")[2] for row in rows} == {older}
    assert list(kg.ask("connection", first=last, second=last)) == []


def test_products_that_are_not_connected_have_common_origins(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("a.log", log(*calls()))])
    rows = list(kg.ask("connection", first="/A/dl3", second="/B/dl3"))
    assert {row["location"] for row in rows} == {"/raw/1", "/raw/2", "/cal/flat"}
    assert {row["position"] for row in rows} == {None}


def digested(path: str, content: bytes, algorithm: str = "sha256") -> dict[str, Any]:
    """A file whose record has a digest of its content."""
    return {**entity(path), "hash": hashlib.new(algorithm, content).hexdigest(), "hash_type": algorithm}


def test_bytes_are_compared_with_what_was_recorded(kg: KnowledgeGraph, write: Write, tmp_path: Path) -> None:
    records: list[Any] = [session()]
    files = {name: str(tmp_path / name) for name in ("good", "changed", "missing", "nothing", "strange", "folder")}
    used = [
        digested(files["good"], b"good"),
        digested(files["changed"], b"as it was", "md5"),
        digested(files["missing"], b"x"),
    ]
    used += [
        entity(files["nothing"]),
        {**digested(files["strange"], b"x"), "hash_type": "crc-of-ours"},
        digested(files["folder"], b"x"),
    ]
    for name in ("good", "changed", "nothing", "strange"):
        Path(files[name]).write_bytes(name.encode())
    Path(files["folder"]).mkdir()
    for number, each in enumerate(used):
        local = f"{number:06x}"
        [start, *rest] = activity(local, "make", at=number * 10, used=(), generated=())
        records += [
            start,
            each,
            {
                "activity_id": local,
                "generated_id": each["entity_id"],
                "generated_role": "out",
                "session_tag": "r0_to_dl1:01618",
            },
            *rest,
        ]
    records += activity("ffffff", "last", at=100, used=tuple(files.values()), generated=("/d/end",))
    kg.ingest([write("a.log", log(*records))])
    states = {Path(row["location"]).name: row["state"] for row in kg.ask("bytes", product="/d/end")}
    assert states == {
        "good": "verified",
        "changed": "changed",
        "missing": "missing",
        "nothing": "unverifiable",
        "strange": "unverifiable",
        "folder": "missing",
        "end": "missing",
    }


def test_the_same_recipe_with_other_bytes_is_found_and_nothing_else(kg: KnowledgeGraph, write: Write) -> None:
    records: list[Any] = [session()]

    def made(local: str, at: int, used: str, path: str, content: bytes, **parameters: Any) -> None:
        [start, *rest] = activity(local, "fit", at=at, used=(used,), generated=(), parameters=parameters)
        out = digested(path, content)
        records.extend(
            [
                start,
                *rest[:-1],
                out,
                {
                    "activity_id": local,
                    "generated_id": out["entity_id"],
                    "generated_role": "out",
                    "session_tag": "r0_to_dl1:01618",
                },
                rest[-1],
            ]
        )

    made("000001", 0, "/d/in", "/o/1", b"one", cut=1)
    made("000002", 10, "/d/in", "/o/2", b"other", cut=1)  # the same recipe, other bytes
    made("000003", 20, "/d/in", "/o/3", b"third", cut=2)  # another parameter
    made("000004", 30, "/d/else", "/o/4", b"fourth", cut=1)  # another input
    made("000005", 40, "/d/in", "/o/5", b"one", cut=1)  # the same recipe, the same bytes
    kg.ingest([write("a.log", log(*records))])
    rows = list(kg.ask("same-recipe"))
    assert [(row["step"], row["first"], row["second"]) for row in rows] == [
        ("fit", "/o/1", "/o/2"),
        ("fit", "/o/2", "/o/5"),
    ]
    assert list(kg.ask("same-recipe", since="2023-03-13T08:00:15")) == []


def test_what_is_far_from_the_median_is_unusual(kg: KnowledgeGraph, write: Write) -> None:
    seconds = [10, 11, 9, 10, 35, 3, 10]
    records = [activity(f"{number:06x}", "step", at=number * 100, seconds=each) for number, each in enumerate(seconds)]
    kg.ingest([write("a.log", log(session(), *records, activity("aaaaaa", "other", at=2000, seconds=500)))])
    assert [(row["seconds"], row["median"]) for row in kg.ask("unusual-durations", step="step")] == [(35, 10), (3, 10)]
    assert [row["times"] for row in kg.ask("unusual-durations", step="step", factor="3.4")] == [3.5]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[KnowledgeGraph, dict[str, Any]]:
    """A small night with everything that real logs hold, and the truth."""
    if not SHARED.is_dir():
        pytest.skip("the generator of nights, ../shared/bench/night.py, is not here")
    where = tmp_path_factory.mktemp("night")
    folder = night_of(SHARED, where / "logs", "--runs", "3", "--subruns", "12")
    kg = open_with(Config(), where / "store")
    kg.ingest([folder])
    return kg, json.loads((folder / "truth.json").read_text())


def test_questions_about_a_night_are_answered_as_it_was(night: tuple[KnowledgeGraph, dict[str, Any]]) -> None:
    kg, truth = night
    counts = truth["counts"]
    assert sum(row["activities"] for row in kg.ask("night-overview", night="20210913")) == counts["activities"]
    assert sum(row["activities"] for row in kg.ask("by-agent", account="lstanalyzer")) == counts["activities"]
    assert sum(row["products"] for row in kg.ask("by-agent", account="lstanalyzer")) == counts["generated"]
    assert sum(row["ended"] for row in kg.ask("durations", night="20210913")) == counts["ended"]
    assert len(kg.ask("never-ended")) == counts["activities"] - counts["ended"]
    assert sum(row["recorded"] for row in kg.ask("inventory")) == counts["generated"]
    for path, true in truth["dl3"].items():
        lineage = kg.ask("lineage", product=path)
        assert {row["location"] for row in lineage} - {None} == set(true["files"])  # a step without inputs has none
        assert {(row["activityName"], row["startedAt"]) for row in lineage} == {
            (name, _utc(start)) for name, start in true["activities"]
        }
        assert {row["location"] for row in kg.ask("raw-files", product=path)} == {
            file for file in true["files"] if "/R0/" in file
        }
        assert sum(row["times"] for row in kg.ask("steps", product=path)) == len(true["activities"])
        assert sum(row["activities"] for row in kg.ask("outcomes", product=path)) == len(true["activities"])
        assert sum(row["activities"] for row in kg.ask("cost", product=path)) == len(true["activities"])
        assert sum(row["times"] for row in kg.ask("necessary-steps", product=path) if row["necessary"] == "yes") == len(
            true["activities"]
        )
        assert {row["location"] for row in kg.ask("lineage-levels", product=path, levels="DL3")} == {path}
    pedestal = next(file for true in truth["dl3"].values() for file in true["files"] if "pedestal" in file)
    affected = {path for path, true in truth["dl3"].items() if pedestal in true["files"]}
    for name in ("impact", "released-impact", "descendants"):
        found = {row["location"] for row in kg.ask(name, product=pedestal)}
        assert {path for path in found if path.endswith(".fits") and "/DL3/" in path} == affected
    assert {row["location"] for row in kg.ask("made-with-software", software="lstchain")} == set(truth["dl3"])
    assert {row["location"] for row in kg.ask("made-by-step", step="dl2_to_dl3")} == set(truth["dl3"])
    some = next(iter(truth["dl3"]))
    run = some.rpartition("Run")[2][:5]
    assert {row["location"] for row in kg.ask("made-with-value", parameter="ObservationRun", value=run)} == {some}
    assert {row["location"] for row in kg.ask("upstream-property", key="ObservationRun", value=run)} == {some}
    assert {row["verdict"] for row in kg.ask("calibration", run=run)} == {"same night"}


def _utc(text: str) -> str:
    whole, dot, digits = text.partition(".")
    return f"{whole}{dot if digits.strip('0') else ''}{digits.rstrip('0')}Z"


@pytest.fixture
def linked(kg: KnowledgeGraph, write: Write) -> KnowledgeGraph:
    """A history in which one product was derived from another without a step that read it."""
    derived = {"entity_id": md5("/d/b"), "progenitor_id": md5("/d/a"), "session_tag": "r0_to_dl1:01618"}
    records = [
        *activity("000001", "first", used=("/d/0",), generated=("/d/a", "/d/c")),
        *activity("000002", "second", at=10, used=("/d/x",), generated=("/d/b",)),
        derived,
        *activity("000003", "third", at=20, used=("/d/b", "/d/c"), generated=("/d/e",)),
    ]
    kg.ingest([write("a.log", log(session(), records))])
    return kg


def test_a_link_without_a_step_is_part_of_a_history(linked: KnowledgeGraph) -> None:
    history = [(row["location"], row["activityName"], row["evidence"]) for row in linked.ask("lineage", product="/d/e")]
    assert history == [
        ("/d/b", "third", "byTime"),
        ("/d/c", "third", "byTime"),
        ("/d/x", "second", "assumed"),
        ("/d/0", "first", "assumed"),
        ("/d/a", None, "derivation"),
    ]
    parents = [(row["location"], row["activityName"], row["evidence"]) for row in linked.ask("parents", product="/d/b")]
    assert parents == [("/d/a", None, "derivation"), ("/d/x", "second", "assumed")]
    from_second = linked.ask("lineage-from", product="/d/e", step="second")
    assert [(row["location"], row["activityName"]) for row in from_second] == [
        ("/d/b", "third"),
        ("/d/c", "third"),
        ("/d/a", "second"),
        ("/d/x", "second"),
    ]


def test_what_is_derived_is_remade_after_what_it_is_derived_from(linked: KnowledgeGraph) -> None:
    order = [
        (row["batch"], row["step"], row["activities"], row["products"])
        for row in linked.ask("remake-order", product="/d/0")
    ]
    assert order == [(1, "first", 1, 2), (2, "second", 1, 1), (3, "third", 1, 1)]


def test_trust_tells_whatever_nobody_vouches_for(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("a.log", log(*calls()))])
    everything = {"accounts": "*", "programs": "*", "steps": "*"}
    rows = list(kg.ask("trust", product="/A/dl3", **everything))
    assert {(row["kind"], row["what"]) for row in rows} == {
        ("nobody recorded making it", path) for path in ("/raw/1", "/raw/2", "/cal/flat")
    }
    strict = list(kg.ask("trust", product="/A/dl3", accounts="somebody", programs="lstchain", steps="calibrate,clean"))
    assert {(row["kind"], row["what"]) for row in strict if row["step"]} >= {
        ("account", "pipeline"),
        ("step", "select"),
    }
    assert ("step", "clean") not in {(row["kind"], row["what"]) for row in strict}


def test_what_read_a_version_that_was_replaced_is_outdated(kg: KnowledgeGraph, write: Write) -> None:
    records = [
        *activity("000001", "early", used=("/d/in",), generated=("/d/early",)),  # before anybody recorded writing it
        *activity("000002", "write", at=10, generated=("/d/in",)),
        *activity("000003", "middle", at=20, used=("/d/in",), generated=("/d/middle",)),
        *activity("000004", "write", at=30, generated=("/d/in",)),
        *activity("000005", "late", at=40, used=("/d/in",), generated=("/d/late",)),
    ]
    kg.ingest([write("a.log", log(session(), records))])
    rows = {row["location"]: row for row in kg.ask("outdated")}
    assert rows.keys() == {"/d/early", "/d/middle"}
    assert {row["newerBy"] for row in rows.values()} == {"write"}
    assert {row["newer"] for row in rows.values()} == {"2023-03-13T08:00:35.00012Z"}


def test_a_version_is_no_successor_of_itself(kg: KnowledgeGraph, write: Write) -> None:
    records = [*activity("000001", at=0, generated=("/d/x",)), *activity("000002", at=10, generated=("/d/x",))]
    kg.ingest([write("a.log", log(session(), records))])
    first, second = (row["entity"] for row in kg.ask("generated-twice"))
    assert [row["entity"] for row in kg.ask("successors", product=first)] == [second]
    assert list(kg.ask("successors", product=second)) == []


def test_a_version_that_cannot_be_compared_is_left_out_and_told(kg: KnowledgeGraph, write: Write) -> None:
    for number, version in enumerate(("v1.2", "nightly of monday"), 1):
        records = activity("000001", generated=(f"/d/{number}",), in_session=number)
        kg.ingest([write(f"{number}.log", log(session(number, software_version=version), records))])
    answer = kg.ask("made-with-software", software="lstchain", range="<2", level="DL1")
    assert "version nightly of monday cannot be compared, and is left out" in answer.cut
    assert [row["location"] for row in answer] == ["/d/1"]
