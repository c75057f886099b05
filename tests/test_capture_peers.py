"""Capture beside the real lstosa and the real ctapipe, where ``make peers`` has installed them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from provkg.config import Config
from provkg.identity import version
from provkg.knowledge import KnowledgeGraph
from provkg.readers import find_reader, open_source
from provkg.records import Activity, Entity, Parameters, Relation, Session
from tests.captured import of_kind
from tests.conftest import environment

HERE = Path(__file__).parent
PYTHON = Path(os.environ.get("PROVKG_PEERS") or HERE.parent / ".venv-peers/bin/python")

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="lstosa and ctapipe are not here: make peers installs them")


def peer(script: str, *arguments: str) -> None:
    around = environment() | {"PYTHONPATH": str(HERE.parent), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [PYTHON, HERE / "peers" / script, *arguments], env=around, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def night(by: str, log: str) -> None:
    """Two sub-runs of a run, in a process each as in reality; the second one's check fails."""
    peer("lst_night.py", by)
    for each in (*Path("inputs").iterdir(), *Path("test_osa").rglob("*.*")):
        each.unlink() if each.is_file() else None
    os.rename("provkg.jsonl" if by == "provkg" else "prov.log", log)


def facts(log: str) -> set[tuple[str, ...]]:
    """What a log says: sessions by run, relations by names and paths, parameters."""
    source = open_source(Path(log), Config())
    reader = find_reader(source)
    assert reader is not None
    records = list(reader.read(source))
    labels = {each.name: each.label for each in records if isinstance(each, Activity)}
    named = {each.name: each for each in records if isinstance(each, Entity)}
    named |= {version(name, activity): each for name, each in named.items() for activity in labels}

    def words(name: str) -> str:
        if name in labels:
            return labels[name]
        entity = named[name]
        return f"{Path(entity.path).name} {entity.label} {entity.content_type} {entity.level}".strip()

    found: set[tuple[str, ...]] = set()
    for each in records:
        if isinstance(each, Relation):
            found.add((each.kind.value, words(each.subject), words(each.object), each.role))
        elif isinstance(each, Parameters):
            found.add(("parameters", labels[each.activity], str(each.values)))
        elif isinstance(each, Session):
            run = sorted(str(value) for _, value in each.properties if str(value)[:1].isdigit() and len(str(value)) < 9)
            found.add(("session", *run, *(each.software or ()), each.config_file))
    return found


def test_a_pipeline_traced_by_lstosa_and_by_provkg_is_the_same_graph_but_for_what_is_lost_or_made_up_there(
    tmp_path: Path, kg: KnowledgeGraph
) -> None:
    night("lstosa", "theirs.log")
    night("provkg", "ours.jsonl")
    theirs, ours = facts("theirs.log"), facts("ours.jsonl")
    assert len(theirs & ours) == 22
    second = "dl1_LST-1.Run01807.0001.h5 DL1SubrunDataset application/x-hdf DL1"
    assert ours - theirs == {  # lost: a parameter that is false, all of a call that failed, and which code it was
        *(("used", step, "lst_night.py", "script") for step in ("r0_to_dl1", "dl1ab", "dl1_datacheck")),
        ("parameters", "dl1ab", "{'StoreImage': False}"),
        ("used", "dl1_datacheck", second, "DL1AB subrun dataset"),
        (
            "used",
            "dl1_datacheck",
            "muons_LST-1.Run01807.0001.fits MuonsSubrunDataset application/fits",
            "Muons subrun dataset",
        ),
    }
    first = second.replace("0001", "0000")
    assert theirs - ours == {  # made up: dl1ab read what it was going to write, one sub-run wrote the files of the run
        ("used", "dl1ab", first, "DL1 subrun dataset"),
        ("used", "dl1ab", second, "DL1 subrun dataset"),
        *(
            (
                "wasGeneratedBy",
                f"datacheck_dl1_LST-1.Run01807.{end} DL1Check{name} application/{kind} DL1",
                "dl1_datacheck",
                role,
            )
            for end, name, kind, role in (
                ("h5", "HDF5File", "hdf5", "DL1Check HDF5 file"),
                ("pdf", "PDFFile", "pdf", "DL1Check PDF file"),
            )
        ),
    }
    assert ("wasDerivedFrom", first, first, "") in theirs & ours  # from the product of r0_to_dl1 to that of dl1ab
    kg.ingest(["ours.jsonl"])
    product = next(
        str(each["path"])
        for end in of_kind("end", "ours.jsonl")
        for each in end.get("generated", ())
        if "tailcut" in each["path"]
    )
    assert "LST-1.1.Run01807.0000.fits.fz" in {Path(step.location).name for step in kg.lineage(product)}
    assert [row["activityName"] for row in kg.ask("failures")] == ["dl1_datacheck"]
    assert Path("ours.jsonl").stat().st_size * 2 < Path("theirs.log").stat().st_size


@pytest.mark.parametrize("how", ["mixin", "install"])
def test_a_tool_of_ctapipe_tells_the_digests_of_its_files(how: str, kg: KnowledgeGraph) -> None:
    Path("in.txt").write_text("a")
    peer("tool.py", how, "in.txt", "out.txt")
    [[record]] = [json.loads(Path("copy-tool.provenance.log").read_text())]
    [output] = record["output"]
    assert (output["role"], output["size"], output["digest"][:7]) == ("DL2/Event", 1, "sha256:")
    assert ("digest" in record["input"][0]) == (how == "mixin")
    kg.ingest(["copy-tool.provenance.log"])
    facts = {fact: value for _, fact, value in kg.show("out.txt").facts}
    assert facts["content digest"] == output["digest"].replace(":", " ")
