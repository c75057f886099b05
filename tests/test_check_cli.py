"""The commands that check and reason, the pre-commit hook and the GitHub Action, as processes."""

import csv
import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import rdflib
import yaml

from provkg.resources import sample
from provkg.validation import LAYERS
from tests.conftest import environment
from tests.logs import activity, log, session
from tests.test_cli import provkg
from tests.test_contract import DEFINITION, GOOD, GOOD_PARAMETERS, records

ROOT = Path(__file__).parent.parent
Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def bad(write: Write) -> Path:
    return write("bad.log", log(session(), activity("aaaaaa", used=("/d/x",), generated=("/d/x",), seconds=-5)))


def test_formats_of_validate(bad: Path, tmp_path: Path) -> None:
    def shown(form: str) -> str:
        done = provkg("validate", bad, "--format", form, cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith("does not conform: ")
        return done.stdout

    assert f"{bad}:2: Violation: An activity ended before it started." in shown("text")
    found = json.loads(shown("json"))
    assert {"severity", "message", "hint", "focus", "path", "value", "source", "line", "rule", "layer"} <= found[
        0
    ].keys()
    assert len(found) == len(list(csv.DictReader(io.StringIO(shown("csv"))))) == len(shown("jsonl").splitlines())
    assert len(found) == len(json.loads(shown("sarif"))["runs"][0]["results"])
    assert len(found) == len(shown("github").splitlines())
    assert ET.fromstring(shown("junit")).tag == "testsuites"
    assert "ValidationReport" in shown("turtle")


def test_severity_chooses_what_is_shown_and_fail_on_what_fails(write: Write, tmp_path: Path) -> None:
    rewritten = write("a.log", log(session(), activity("aaaaaa", used=("/d/x",), generated=("/d/x",))))
    done = provkg("validate", rewritten, cwd=tmp_path)
    assert (done.returncode, "read and wrote one path" in done.stdout) == (0, True)
    done = provkg("validate", rewritten, "--severity", "Violation", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert (
        provkg("validate", rewritten, "--fail-on", "Warning", "--severity", "Violation", cwd=tmp_path).returncode == 1
    )
    assert provkg("validate", rewritten, "--layer", "ivoa", "--fail-on", "Warning", cwd=tmp_path).returncode == 0


def test_exit_statuses_of_validate(bad: Path, write: Write, tmp_path: Path) -> None:
    assert provkg("validate", bad, "--layer", "none", cwd=tmp_path).returncode == 2
    assert provkg("validate", bad, "--run", "1", cwd=tmp_path).returncode == 2
    assert provkg("validate", tmp_path / "missing", cwd=tmp_path).returncode == 3
    assert provkg("validate", cwd=tmp_path).returncode == 3
    assert provkg("validate", bad, "--model", tmp_path / "missing", cwd=tmp_path).returncode == 3
    torn = log(session(), activity("aaaaaa")) + "INFO provLogger __PROV__2023-03-13T08:00:00__PROV__{'activity_id': \n"
    assert provkg("validate", write("torn.log", torn), cwd=tmp_path).returncode == 4
    provkg("ingest", sample(), cwd=tmp_path)
    assert provkg("validate", "--run", "99", cwd=tmp_path).returncode == 5
    assert provkg("validate", "--run", "12013", cwd=tmp_path).returncode == 0
    assert provkg("validate", "--night", "20230312", cwd=tmp_path).returncode == 0
    assert provkg("validate", "--product", "crab_flux_points.fits", "--engine", "both", cwd=tmp_path).returncode == 0


def test_an_ingest_can_validate_what_it_touched(bad: Path, write: Write, tmp_path: Path) -> None:
    good = write("good.log", log(session(2), activity("bbbbbb", at=90, generated=("/d/z",))))
    done = provkg("ingest", "--validate", bad, cwd=tmp_path)
    assert done.returncode == 1
    assert "ended before it started" in done.stderr
    assert "1 sources read" in done.stdout
    done = provkg("ingest", "--validate", good, cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1][:21]) == (0, "conforms (1 sources, ")
    assert provkg("ingest", "--validate", bad, cwd=tmp_path).returncode == 0  # nothing new was touched


def test_validate_against_a_definition(write: Write, tmp_path: Path) -> None:
    definition = write("definition.yaml", DEFINITION)
    good = write("a.log", records(*GOOD, parameters=GOOD_PARAMETERS))
    assert provkg("validate", good, "--model", definition, cwd=tmp_path).returncode == 0
    missing = write("a.log", records(*GOOD[1:], parameters=GOOD_PARAMETERS))
    done = provkg("validate", missing, "--model", definition, "--format", "github", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=in/a.log,line=2,title=model/r0_to_dl1/usage/Pedestal file::")


def test_the_model_is_written_as_turtle(write: Write, tmp_path: Path) -> None:
    definition = write("definition.yaml", DEFINITION + "colour: red\n")
    done = provkg("model", definition, cwd=tmp_path)
    assert done.stderr.splitlines() == [
        "2 activities, 4 inputs and outputs (2 without a multiplicity: one is assumed), 3 kinds of entity",
        f"{definition}:43: 'colour' is no key of a definition: ignored",
    ]
    whole = rdflib.Graph().parse(data=done.stdout, format="turtle")
    parts = {}
    for part in ("shapes", "descriptions"):
        provkg("model", definition, "--part", part, "-o", tmp_path / f"{part}.ttl", cwd=tmp_path)
        parts[part] = rdflib.Graph().parse(tmp_path / f"{part}.ttl")
    assert len(whole) == len(parts["shapes"]) + len(parts["descriptions"])
    assert provkg("model", tmp_path / "none.yaml", cwd=tmp_path).returncode == 3
    broken = provkg("model", write("broken.yaml", "activities: [\n"), cwd=tmp_path)
    assert (broken.returncode, "Traceback" in broken.stderr) == (3, False)


def test_infer_and_undo(tmp_path: Path) -> None:
    provkg("ingest", sample(), cwd=tmp_path)
    done = provkg("infer", "--json", cwd=tmp_path)
    counts = {row["property"]: row["triples"] for row in json.loads(done.stdout)}
    assert counts["wasInformedBy"] > 10
    assert f"{sum(counts.values()):,} triples inferred" in done.stderr
    assert provkg("infer", "--undo", cwd=tmp_path).stderr == f"{sum(counts.values()):,} inferred triples removed\n"
    assert provkg("infer", "--run", "12013", cwd=tmp_path).returncode == 2
    assert provkg("infer", "--owl", "--run", "12013", cwd=tmp_path).returncode == 0
    assert provkg("--store", tmp_path / "none", "infer", cwd=tmp_path).returncode == 3


# In CI


def action(tmp_path: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run what the GitHub Action runs, with a command `provkg` on the path."""
    path = f"{Path(os.sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # type: ignore[attr-defined]
    return subprocess.run(
        ["bash", ROOT / ".ci" / "validate"],
        env=environment() | {"PATH": path} | inputs,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_action_annotates_and_fails(bad: Path, write: Write, tmp_path: Path) -> None:
    done = action(tmp_path, PATHS="in/bad.log\n", SARIF="report.sarif")
    assert done.returncode == 1, done.stderr
    assert "::error file=in/bad.log,line=2,title=c30::" in done.stdout
    assert json.loads((tmp_path / "report.sarif").read_text())["version"] == "2.1.0"
    assert action(tmp_path, PATHS="in/bad.log", LAYERS="ivoa\nctao\n").returncode == 0
    definition = write("definition.yaml", DEFINITION)
    assert action(tmp_path, PATHS=str(sample()), MODEL=str(definition)).returncode == 1


def test_the_inputs_of_the_action_are_never_run(tmp_path: Path) -> None:
    done = action(tmp_path, PATHS="$(touch hacked)\n`touch hacked`\n--help; touch hacked", LAYERS="x; touch hacked")
    assert done.returncode in (2, 3)
    assert not (tmp_path / "hacked").exists()


def test_the_action_hands_every_input_on() -> None:
    document = yaml.safe_load((ROOT / "action.yml").read_text())
    [step] = [each for each in document["runs"]["steps"] if each["name"] == "Validate"]
    handed = {value[len("${{ inputs.") : -len(" }}")] for value in step["env"].values()}
    assert handed == set(document["inputs"])
    assert all("${{ inputs" not in each["run"] for each in document["runs"]["steps"])
    script = (ROOT / ".ci" / "validate").read_text()
    assert all(f"${{{name}" in script or f"${name}" in script or f'"${name}"' in script for name in step["env"])


def test_the_hook_runs_the_command_on_files_that_pipelines_write(bad: Path, tmp_path: Path) -> None:
    import re

    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"].split() == ["provkg", "validate"]
    for name in ("prov.log", "logs/29842_prov.log", "x.provenance.log", "calibration_to_dl1_01807_prov.json"):
        assert re.search(hook["files"], name), name
    assert not re.search(hook["files"], "README.md")
    assert provkg("validate", bad, cwd=tmp_path).returncode == 1
    project = (ROOT / "pyproject.toml").read_text()
    assert all(f'"{each}"' in project for each in hook["additional_dependencies"])


def test_the_help_names_every_layer(tmp_path: Path) -> None:
    assert all(layer in provkg("validate", "--help", cwd=tmp_path).stdout for layer in LAYERS)


def test_the_action_needs_paths_and_can_write_its_report(bad: Path, tmp_path: Path) -> None:
    assert action(tmp_path, PATHS=" \r\n").returncode == 2
    assert action(tmp_path, PATHS="  in/bad.log\r\n").returncode == 1
    assert action(tmp_path, PATHS=str(sample()), SARIF="none/report.sarif").returncode == 3


def test_an_empty_name_is_no_choice(bad: Path, tmp_path: Path) -> None:
    assert provkg("validate", "--run", "", cwd=tmp_path).returncode == 2
    assert provkg("validate", "", cwd=tmp_path).returncode == 2
    missing = provkg("validate", tmp_path / "missing.log", cwd=tmp_path)
    assert "missing.log" in missing.stderr
