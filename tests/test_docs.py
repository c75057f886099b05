"""The README is true: its session is run, its tables are complete, its terms are declared."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import provkg
from provkg.cli import _COMMANDS
from provkg.questions import questions
from provkg.readers import readers
from provkg.resources import sample
from provkg.validation import LAYERS
from provkg.validation.shapes import load
from tests.conftest import environment

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_sessions_in_the_readme_are_what_a_user_sees(tmp_path: Path) -> None:
    shutil.copytree(sample(), tmp_path / "night")
    sessions = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    assert len(sessions) == 3
    [pipeline] = re.findall(r"```py\n(.*?)```", README, re.DOTALL)
    lines = [line for line in pipeline.splitlines() if line]
    assert len(lines) + len(re.findall(r"^\$ provkg", sessions[2], re.MULTILINE)) <= 10  # from capture to an answer
    (tmp_path / "pipeline.py").write_text(pipeline)
    (tmp_path / "raw.txt").write_text("1\n5\n3\n")
    for block in re.split(r"^\$ ", "".join(sessions), flags=re.MULTILINE)[1:]:
        line, _, output = block.partition("\n")
        program, *words = shlex.split(line)
        run = [sys.executable] if program == "python" else [sys.executable, "-m", "provkg"]
        done = subprocess.run(
            [*run, *words], cwd=tmp_path, capture_output=True, text=True, env=environment(), check=False
        )
        shown = (done.stderr + done.stdout).replace(f"{tmp_path}/", "")
        assert shown == output, line


def test_every_command_is_in_the_readme() -> None:
    assert set(re.findall(r"^\| `provkg ([a-z]+)", README, re.MULTILINE)) == set(_COMMANDS)


def test_every_question_is_in_the_readme_with_its_summary() -> None:
    listed = set(re.findall(r"^\| (\w+) \| `([a-z-]+)` \| (.*?) \|$", README, re.MULTILINE))
    assert listed == {(each.id, each.name, each.summary) for each in questions().values()}


def test_every_reader_is_in_the_readme() -> None:
    [table] = re.findall(r"^\| reader \|.*?\n\n", README, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(readers())


def test_the_layers_in_the_readme_are_those_that_are_checked() -> None:
    block = re.search(r"```\ncli.*?```", README, re.DOTALL)
    assert block
    drawn = [" | ".join(re.findall(r"\w+", re.split(r"\s{2,}", line)[0])) for line in block[0].splitlines()[1:-1]]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert drawn == project["tool"]["importlinter"]["contracts"][0]["layers"]


def test_the_library_example_in_the_readme_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(sample(), tmp_path / "night")
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    scope: dict = {}
    exec(code[1], scope)
    assert "/data/irf/crab_irf.fits.gz byTime" in capsys.readouterr().out
    assert len(scope["steps"]) > 3


def test_the_example_of_the_page_on_capture_runs_and_is_read(tmp_path: Path) -> None:
    [code] = re.findall(r"```py\n(.*?)```", (ROOT / "docs" / "capture.md").read_text(), re.DOTALL)
    for name in ("a.h5", "b.h5", "one.h5", "all.h5"):
        Path(name).write_text(name)
    exec(code, {})
    kg = provkg.open("store")
    summary = kg.ingest(["provkg.jsonl"])
    assert (summary.counts["activities"], summary.counts["quarantined"]) == (2, 0)
    assert [row["activityName"] for row in kg.ask("failures")] == ["by hand"]


def test_the_root_has_these_names() -> None:
    assert provkg.__all__ == ["KnowledgeGraph", "ProvkgError", "open"]
    assert all(getattr(provkg, name) for name in provkg.__all__)


def test_every_layer_of_shapes_is_in_the_readme_with_the_number_of_its_rules() -> None:
    shapes = load().known.values()
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", README, re.MULTILINE))
    assert listed == {layer: str(sum(layer in shape.layers for shape in shapes)) for layer in LAYERS}


def test_what_security_names_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    named = set(re.findall(r"`([\w/]+\.py)`", text))
    assert len(named) > 15
    missing = [name for name in named if not any((ROOT / place / name).exists() for place in ("tests", "provkg"))]
    assert not missing
