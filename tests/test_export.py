"""Exports: valid PROV that others read, and lstosa's products without their faults."""

import ast
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prov.model
import pytest

import provkg
from provkg.errors import InputError, NotFound
from provkg.export.provdocument import FORMATS, prov_document, written
from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from provkg.rollup import budgeted
from tests.test_cli import provkg as command
from tests.views import random_view, run_log

Facts = set[tuple[Any, ...]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("export")
    kg = provkg.open(folder / "store")
    (folder / "run.log").write_text(run_log(12, failed=(7,)))
    kg.ingest([sample(), folder / "run.log"])
    return kg


# PROV documents


@pytest.mark.parametrize("grain", ["subrun", "run", "night"])
@pytest.mark.parametrize("said", [{"run": "06269"}, {"product": "crab_flux_points.fits"}, {}])
def test_a_rollup_is_valid_prov(runs: KnowledgeGraph, grain: str, said: dict[str, str], tmp_path: Path) -> None:
    """Each document is judged by our PROV-CONSTRAINTS, which agree with the W3C's cases."""
    path = tmp_path / "rollup.json"
    path.write_text(written(runs.rollup(grain=grain, agents=True, **said), "prov-json"))
    done = command("validate", "--layer", "prov-constraints", path)
    assert (done.returncode, "conforms" in done.stderr + done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_a_document_holds_every_node_relation_and_member(runs: KnowledgeGraph, form: str) -> None:
    rolled = runs.rollup(run="06269", agents=True)
    text = written(rolled, form)
    assert text == written(rolled, form)
    if form == "prov-n":
        assert text.startswith("document") and text.rstrip().endswith("endDocument")  # noqa: PT018
        return
    document = prov.model.ProvDocument.deserialize(content=text, format=FORMATS[form])
    assert document is not None
    kinds = Counter(record.get_type().localpart for record in document.get_records())
    entities = [fold for fold in rolled.folds.values() if fold.kind == "entity"]
    members = sum(fold.count for fold in entities if fold.count > 1)
    assert kinds["Activity"] == sum(fold.kind == "activity" for fold in rolled.folds.values())
    assert kinds["Entity"] == len(entities) + members
    assert kinds["Membership"] == members + sum(each.kind == "hadMember" for each in rolled.relations)
    assert kinds["Usage"] == sum(each.kind == "used" for each in rolled.relations)
    assert kinds["Generation"] == sum(each.kind == "wasGeneratedBy" for each in rolled.relations)
    named = Counter(
        str(value)
        for record in document.get_records(prov.model.ProvActivity)
        for value in record.get_attribute("pkg:member")
    )
    assert len(named) == sum(fold.count for fold in rolled.folds.values() if fold.kind == "activity" and fold.count > 1)
    assert set(named.values()) == {1}


def test_what_was_exported_is_read_back(runs: KnowledgeGraph, tmp_path: Path) -> None:
    text = written(runs.rollup(run="06269", grain="subrun"), "prov-json")
    (tmp_path / "run.json").write_text(text)
    again = provkg.open(tmp_path / "again")
    summary = again.ingest([tmp_path / "run.json"])
    view = runs.view(run="06269")
    assert summary.counts["activities"] == sum(node.kind == "activity" for node in view.nodes.values())
    assert summary.counts["usages"] == sum(each.kind == "used" for each in view.relations)
    assert summary.counts["generations"] == sum(each.kind == "wasGeneratedBy" for each in view.relations)


def test_names_of_any_kind_are_written(tmp_path: Path) -> None:
    from provkg.rollup import load

    rolled = budgeted(random_view(3, 40, 60, 5), load(), nodes=100)
    path = tmp_path / "any.json"
    path.write_text(written(rolled, "prov-json"))
    document = prov.model.ProvDocument.deserialize(str(path))
    assert document is not None
    assert len({str(record.identifier.uri) for record in document.get_records() if record.identifier}) == 40


def test_shapes_of_steps_and_files_together_are_no_prov() -> None:
    from provkg.rollup import load

    rolled = budgeted(random_view(3, 400, 600, 5), load(), nodes=1)
    with pytest.raises(InputError, match="none of PROV's"):
        prov_document(rolled)
    with pytest.raises(InputError, match="no format 'gif'"):
        written(rolled, "gif")


# lstosa's products


def facts(document: dict[str, Any]) -> Facts:
    """Return what a document of provprocess says, without the ids that it makes up; times without their zone."""
    entities, activities = document["entity"], document["activity"]

    def rows(kind: str) -> Iterator[dict[str, str]]:
        for row in document.get(kind, {}).values():
            yield from row if isinstance(row, list) else [row]

    def thing(name: str) -> tuple[Any, ...]:
        said = entities[name]
        return tuple(said.get(key) for key in ("prov:label", "prov:type", "size", "contentType", "filepath"))

    found: Facts = set()
    for said in activities.values():
        times = (said[f"prov:{each}Time"].removesuffix("+00:00") for each in ("start", "end"))
        found.add(("activity", said["prov:label"], *times, said["script"], said["in_session"]))
    for kind in ("used", "wasGeneratedBy"):
        for row in rows(kind):
            step = activities[row["prov:activity"]]["prov:label"]
            found.add((kind, step, row.get("prov:role") or row.get("prov:type"), thing(row["prov:entity"])))
    found |= {
        ("wasDerivedFrom", thing(row["prov:generatedEntity"]), thing(row["prov:usedEntity"]))
        for row in rows("wasDerivedFrom")
    }
    found |= {
        ("wasAssociatedWith", activities[row["prov:activity"]]["prov:label"], row["prov:agent"])
        for row in rows("wasAssociatedWith")
    }
    for name, said in entities.items():
        plain = tuple(
            sorted((key, value) for key, value in said.items() if not key.startswith("prov:") and key != "versions")
        )
        found.add(("entity", thing(name), plain))
    found |= {("agent", name) for name in document["agent"]}
    return found


@pytest.mark.parametrize(
    ("run", "product", "calls"),
    [("01807", "calibration_to_dl1_01807_prov.json", 11), ("01808", "calibration_to_dl2_01808_prov.json", 9)],
)
def test_the_run_view_is_that_of_provprocess_but_for_its_faults(
    kg: KnowledgeGraph, shared: Path, tmp_path: Path, run: str, product: str, calls: int
) -> None:
    """Each difference is a row of the table in docs/pictures.md."""
    data = shared / "data" / "lstosa"
    kg.ingest([data / "prov.log"])
    kg.lstosa(run, tmp_path / "out", parts=["calibration_to_dl1"])
    ours = json.loads((tmp_path / "out" / f"calibration_to_dl1_{run}_prov.json").read_text())
    theirs = json.loads((data / product).read_text())
    more, less = facts(ours) - facts(theirs), facts(theirs) - facts(ours)
    nothing = (None,) * 5
    assert ("entity", nothing, ()) in less  # entities of which nothing is said
    assert ("wasDerivedFrom", nothing, nothing) in less
    less -= {("entity", nothing, ()), ("wasDerivedFrom", nothing, nothing)}
    assert {row[0] for row in more if row[0] == "wasAssociatedWith"} == {"wasAssociatedWith"}
    more = {row for row in more if row[0] != "wasAssociatedWith"}
    [session] = [row for row in more if row[0] == "entity" and row[1][1] == "ExecutionSession"]
    assert dict(session[2])["software_version"] == "v0.12.3"
    [derived] = [row for row in more if row[0] == "wasDerivedFrom"]
    assert [end[:3] for end in derived[1:]] == [("DL1Collection", "SetCollection", str(calls))] * 2
    more -= {session, derived}
    left = Counter(row[0] for row in (*more, *less))
    if run == "01807":
        assert not left
    else:  # nine files in one role: one of them and eight empty entities there, a collection here
        assert {row[1][0] for row in more if row[0] == "entity"} == {"InterleavedPedestalEventsFile"}
        assert {row[3][2] for row in more if row[0] == "used"} == {"9"}
        assert {row[2] for row in less if row[0] == "used"} == {"Interleaved pedestal events file"}
        assert left == {"entity": 2, "used": 3}
    versions = {said["versions"] for said in ours["entity"].values() if "versions" in said}
    assert versions == {str(calls)}
    assert {said["calls"] for said in ours["activity"].values()} == {str(calls)}


def test_no_entity_is_used_and_generated_by_one_step(kg: KnowledgeGraph, shared: Path, tmp_path: Path) -> None:
    """In provprocess's, dl1ab uses and generates one DL1Collection; and the collections of two runs have one id."""
    kg.ingest([shared / "data" / "lstosa" / "prov.log"])
    ids: list[set[str]] = []
    for run in ("01807", "01808"):
        kg.lstosa(run, tmp_path)
        document = json.loads((tmp_path / f"r0_to_dl1_{run}_prov.json").read_text())
        used = {(row["prov:activity"], row["prov:entity"]) for row in document["used"].values()}
        made = {(row["prov:activity"], row["prov:entity"]) for row in document["wasGeneratedBy"].values()}
        assert not used & made
        assert len({entity for _, entity in made}) == len(made)
        ids.append({name for name, said in document["entity"].items() if said.get("prov:type") == "SetCollection"})
    assert not ids[0] & ids[1]


def test_the_products_of_a_run(runs: KnowledgeGraph, tmp_path: Path) -> None:
    done = command("--store", runs.store.name, "export", "--lstosa", "12012", tmp_path)
    stems = [f"{part}_12012_prov" for part in ("calibration_to_dl1", "calibration_to_dl2", "dl1_to_dl2", "r0_to_dl1")]
    suffixes = ["json", "log", "pdf"] if shutil.which("dot") else ["json", "log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{stem}.{suffix}" for stem in stems for suffix in suffixes
    ]
    assert done.returncode == (0 if shutil.which("dot") else 4)
    assert len(done.stdout.splitlines()) == len(list(tmp_path.iterdir()))
    for stem in stems:
        records = [ast.literal_eval(line) for line in (tmp_path / f"{stem}.log").read_text().splitlines()]
        assert records[0]["session_id"] == "2023031212012"
        document = json.loads((tmp_path / f"{stem}.json").read_text())
        assert {record["name"] for record in records if "calls" in record} == {
            each["prov:label"] for each in document["activity"].values()
        }
        assert command("validate", "--layer", "prov-constraints", tmp_path / f"{stem}.json").returncode == 0
    steps = {
        stem: {each["prov:label"] for each in json.loads((tmp_path / f"{stem}.json").read_text())["activity"].values()}
        for stem in stems
    }
    assert "drs4_pedestal" in steps["calibration_to_dl1_12012_prov"]
    assert steps["dl1_to_dl2_12012_prov"] == {"dl1_to_dl2"}
    assert steps["calibration_to_dl2_12012_prov"] == steps["calibration_to_dl1_12012_prov"] | {"dl1_to_dl2"}


def test_the_log_of_a_product_is_read_again(runs: KnowledgeGraph, tmp_path: Path) -> None:
    runs.lstosa("12012", tmp_path, parts=["r0_to_dl1"])
    again = provkg.open(tmp_path / "again")
    summary = again.ingest([tmp_path / "r0_to_dl1_12012_prov.log"])
    assert summary.counts["quarantined"] == 0
    assert {node.type for node in again.view().nodes.values() if node.kind == "activity"} == {"r0_to_dl1", "dl1ab"}


def test_the_same_run_gives_the_same_products(runs: KnowledgeGraph, tmp_path: Path) -> None:
    for name in ("a", "b"):
        runs.lstosa("12013", tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_part_that_nobody_recorded_is_left_out_and_said(kg: KnowledgeGraph, tmp_path: Path, shared: Path) -> None:
    """provprocess writes calibration_to_dl2 as a copy of calibration_to_dl1 where dl1_to_dl2 is not traced."""
    kg.ingest([shared / "data" / "lstosa" / "prov.log"])
    done = command("--store", kg.store.name, "export", "--lstosa", "1807", tmp_path / "out")
    assert "calibration_to_dl2 is not written: no step of dl1_to_dl2 is on record" in done.stderr
    assert not [path for path in (tmp_path / "out").iterdir() if "dl2" in path.name]
    found = json.loads((tmp_path / "out" / "r0_to_dl1_01807_prov.json").read_text())
    assert "ExecutionSession" in {said.get("prov:type") for said in found["entity"].values()}


def test_a_calibration_that_the_run_did_not_read_by_path_can_be_named(kg: KnowledgeGraph, tmp_path: Path) -> None:
    """Where the path of a calibration changes with the version of lstosa, only its runs tell which it was."""
    from tests.logs import activity, log, session

    tag = "drs4_pedestal:01804-01809"
    calibration = [
        session("0180401809", "01809", tag, pedestal_run="01804", calibration_run="01809"),
        activity(
            "cccccc", "drs4_pedestal", used=("/d/raw",), generated=("/v2/pedestal",), in_session="0180401809", tag=tag
        ),
    ]
    run = [
        session("2023031201807", "01807"),
        activity("aaaaaa", at=9, used=("/v1/pedestal",), generated=("/d/b",), in_session="2023031201807"),
    ]
    (tmp_path / "prov.log").write_text(log(*calibration, *run))
    kg.ingest([tmp_path / "prov.log"])
    steps = {}
    for name, runs in (("without", ""), ("with", "01804-01809")):
        kg.lstosa("01807", tmp_path / name, parts=["calibration_to_dl1"], calibration=runs)
        document = json.loads((tmp_path / name / "calibration_to_dl1_01807_prov.json").read_text())
        steps[name] = {said["prov:label"] for said in document["activity"].values()}
    assert steps == {"without": {"r0_to_dl1"}, "with": {"r0_to_dl1", "drs4_pedestal"}}


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--lstosa", "99999", "out"], 5),
        (["--lstosa", "12012", "out", "--run", "12012"], 2),
        (["--filter", "r0_to_dl1", "--run", "12012"], 2),
        (["--run", "12012", "--format", "gif"], 2),
        (["--lstosa", "12012", "out", "--calibration", "first"], 3),
        ([], 2),
        (["--run", "12012", "-o", "no/such/x.json"], 3),
        (["--run", "12012", "--grain", "run", "--format", "prov-n"], 0),
    ],
)
def test_exit_statuses(runs: KnowledgeGraph, arguments: list[str], status: int) -> None:
    done = command("--store", runs.store.name, "export", *arguments)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_errors_of_the_library(runs: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no part 'dl3'"):
        runs.lstosa("12012", tmp_path, parts=["dl3"])
    with pytest.raises(NotFound, match="no activity is of run 7"):
        runs.lstosa("7", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="File exists"):
        runs.lstosa("12012", tmp_path / "file")
