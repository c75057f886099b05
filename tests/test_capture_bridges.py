"""Capture in notebooks, and what lstchain writes into its products."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provkg.knowledge import KnowledgeGraph
from tests.captured import ends, of_kind

NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "provkg.capture.notebook")
shell.run_cell("%%provkg clean --used Raw=raw.txt --generated out.txt --param level=3\\n" + open("cell.py").read())
shell.run_cell("%%provkg bad --generated never.txt\\n1 / 0")
shell.run_cell("run = 'mine'")
shell.run_cell("%%provkg\\nx = 5")
assert shell.user_ns["x"] == 5
assert shell.user_ns["run"] == "mine"
result = shell.run_cell("%%provkg --wrong\\nx = 6")
assert "%%provkg: unrecognized arguments" in str(result.error_in_exec)
assert shell.user_ns["x"] == 5
"""


def test_a_cell_of_a_notebook_is_an_activity(kg: KnowledgeGraph) -> None:
    Path("raw.txt").write_text("a")
    cell = "text = open('raw.txt').read()\nrun.parameter('inner', 1)\nopen('out.txt', 'w').write(text)\n"
    Path("cell.py").write_text(cell)
    done = subprocess.run([sys.executable, "-c", NOTEBOOK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [start["name"] for start in of_kind("start")] == ["clean", "bad", "cell"]
    assert of_kind("start")[0]["source"] == cell
    assert {name: end["status"] for name, end in ends().items()} == {
        "clean": "completed",
        "bad": "failed",
        "cell": "completed",
    }
    assert "ZeroDivisionError" in ends()["bad"]["error"]
    kg.ingest(["provkg.jsonl"])
    assert [(step.name, step.activityName) for step in kg.lineage("out.txt")] == [("Raw", "clean")]


def test_the_record_that_lstchain_writes_into_a_product_is_read(kg: KnowledgeGraph, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    record = {
        "activity_name": "lstchain_dl1_to_dl2",
        "activity_uuid": "9ad5ed3b-50e3-459d-bd71-52025a3ca3c4",
        "status": "running",
        "start": {"time_utc": "2026-11-20T18:44:09.665"},
        "stop": {},
        "exit_code": None,
        "input": [
            {"url": "/data/models/reg_energy.sav", "role": "RF model"},
            {"url": "/data/dl1.h5", "role": "DL1/Event"},
        ],
        "output": [{"url": str(tmp_path / "dl2.h5"), "role": "DL2/Event"}],
        "system": {"executable": "python", "platform": {"node": "cp01"}},
    }
    with h5py.File("dl2.h5", "w") as file:
        file["provenance/dl1_to_dl2"] = json.dumps(record)
        file["provenance/table"] = [1, 2]  # no record, and nothing of it is taken for one
    summary = kg.ingest(["dl2.h5"])
    assert (summary.counts["activities"], summary.counts["usages"], summary.counts["generations"]) == (1, 2, 1)
    assert summary.remarks["activities told by their own product, which was written before they ended"] == 1
    assert {step.name for step in kg.lineage("dl2.h5")} == {"RF model", "DL1/Event"}
    with h5py.File("bad.h5", "w") as file:
        file["provenance/a"] = "{"
        file["provenance/b"] = "[1]"
    bad = kg.ingest(["bad.h5"])
    assert [piece.reason.partition(":")[0] for _, piece in bad.quarantined] == ["/provenance/a", "/provenance/b"]
