"""Generated nights with the truth beside them: collisions, rewriting, reprocessing, torn lines."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

import provkg
from provkg.knowledge import KnowledgeGraph


def night(shared: Path, folder: Path, *options: str) -> Path:
    subprocess.run(
        [sys.executable, shared / "bench" / "night.py", folder, "--hazards", *options],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder / "20210913"


def assert_true(kg: KnowledgeGraph, truth: dict) -> None:
    status = kg.status()
    for name, counted in (
        ("activities", "activities"),
        ("usages", "used"),
        ("generations", "generated"),
        ("sessions", "sessions"),
        ("ended", "ended"),
    ):
        assert status[name] == truth["counts"][counted], name
    assert status["quarantined"] == truth["quarantined"]
    for path, history in truth["dl3"].items():
        steps = kg.lineage(path)
        assert {step.location for step in steps} == set(history["files"])
        assert {(step.activityName, step.startedAt.removesuffix("Z")) for step in steps} == {
            tuple(each) for each in history["activities"]
        }


def assert_tainted(kg: KnowledgeGraph, truth: dict, files: set[str]) -> None:
    for path in files:
        found = kg.taint(path, every_version=True)
        assert not found.partial
        touched = {each.location for each in found.products if each.location in truth["dl3"]}
        assert touched == {dl3 for dl3, history in truth["dl3"].items() if path in history["files"]}, path


@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
@pytest.mark.parametrize("verbose", [(), ("--verbose-sessions",)])
def test_a_small_night_in_any_order(shared: Path, tmp_path: Path, seed: str, verbose: tuple[str, ...]) -> None:
    folder = night(shared, tmp_path / "night", "--runs", "3", "--subruns", "12", "--seed", seed, *verbose)
    files, chance = sorted(folder.glob("*.log")), random.Random(seed)
    chance.shuffle(files)
    kg = provkg.open(tmp_path / "store")
    while files:
        size = chance.randint(1, 2)
        kg.ingest(files[:size])
        files = files[size:]
    truth = json.loads((folder / "truth.json").read_text())
    assert_true(kg, truth)
    assert_tainted(kg, truth, {path for history in truth["dl3"].values() for path in history["files"]})


def test_a_whole_night(shared: Path, tmp_path: Path, kg: KnowledgeGraph) -> None:
    folder = night(shared, tmp_path / "night")
    summary = kg.ingest([folder])
    assert summary.exit_status == 4
    truth = json.loads((folder / "truth.json").read_text())
    assert_true(kg, truth)
    one = next(iter(truth["dl3"].values()))["files"]
    assert_tainted(kg, truth, {path for path in one if "drs4_pedestal" in path or "0042" in path})
