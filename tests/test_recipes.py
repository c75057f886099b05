"""Recipes: a product is made again byte for byte, by us and by the tools for which they are written."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import provkg
from provkg.capture import Recorder, run_command
from provkg.errors import InputError
from provkg.histories import History, compared, every_history, recipes_of
from provkg.knowledge import KnowledgeGraph
from provkg.recipes import FORMATS, blockers, files_of, plan_of, rerun
from provkg.resources import sample
from tests.test_cli import provkg as command
from tests.toy import LAST, Pipeline

NASTY = [
    "a b",
    "it's",
    '"',
    "$(touch owned)",
    "`touch owned`",
    "line\nbreak",
    "{x}",
    "%",
    "\\",
    "$ROOT",
    "#",
    "é",
    "$$",
    "~",
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipeline, KnowledgeGraph]]:
    """The toy pipeline, run once, in a store."""
    folder = tmp_path_factory.mktemp("toy")
    pipeline, kg = Pipeline(folder / "pipeline"), provkg.open(folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pipeline.folder)
        pipeline.run()
    kg.ingest([pipeline.log])
    return pipeline, kg


def last(toy: tuple[Pipeline, KnowledgeGraph]) -> str:
    return str(toy[0].folder / LAST)


def test_the_last_product_is_made_again_byte_for_byte(toy: tuple[Pipeline, KnowledgeGraph], tmp_path: Path) -> None:
    pipeline, kg = toy
    found = list(rerun(kg.recipe(last(toy)), tmp_path / "again"))
    assert {each.state for each in found} == {"same"}
    assert len(found) == 7
    again = tmp_path / "again" / str(pipeline.folder / LAST).lstrip("/")
    assert again.read_bytes() == (pipeline.folder / LAST).read_bytes()


def test_each_step_comes_after_those_that_made_what_it_read(toy: tuple[Pipeline, KnowledgeGraph]) -> None:
    calls = toy[1].recipe(last(toy)).calls
    assert [call.label for call in calls] == ["observe"] * 2 + ["calibrate"] + ["clean"] * 2 + ["merge", "spectrum"]
    made: set[str] = set()
    for call in calls:
        scripts = {file.product for file in call.reads if file.path.endswith(".py")}
        assert {file.product for file in call.reads} - scripts <= made
        made |= {file.product for file in call.writes}


TOOLS = {
    "sh": ["sh", "recipe.sh"],
    "make": ["make", "-j2"],
    "snakemake": ["snakemake", "--cores", "2"],
    "cwl": ["cwltool", "--relax-path-checks", "--quiet", "recipe.cwl"],
}


@pytest.mark.parametrize("form", FORMATS)
def test_the_tool_for_which_a_recipe_is_written_makes_the_same_bytes(
    toy: tuple[Pipeline, KnowledgeGraph], form: str, tmp_path: Path
) -> None:
    if shutil.which(TOOLS[form][0]) is None:
        pytest.skip(f"{TOOLS[form][0]} is not installed")
    pipeline, _ = toy
    done = command("--store", toy[1].store.name, "recipe", last(toy), "--to", form, "-o", str(tmp_path / "recipe"))
    assert done.returncode == 0, done.stderr
    run = subprocess.run(TOOLS[form], cwd=tmp_path / "recipe", capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    [made] = list((tmp_path / "recipe").rglob("spectrum.txt"))
    assert made.read_bytes() == (pipeline.folder / LAST).read_bytes()


@pytest.mark.parametrize("form", ["sh", "make", "snakemake"])
def test_nothing_in_a_command_is_read_by_a_shell(form: str, kg: KnowledgeGraph, tmp_path: Path) -> None:
    """CWL implementations may refuse such names; the file says so, and they run nothing."""
    if shutil.which(TOOLS[form][0]) is None:
        pytest.skip(f"{TOOLS[form][0]} is not installed")
    code = "import json, sys; json.dump(sys.argv[2:], open(sys.argv[1], 'w'))"
    run_command(
        Recorder("log.jsonl"),
        [sys.executable, "-c", code, "out.json", *NASTY],
        name="nasty\n$(touch owned)",
        generated=[("out", "out.json")],
        parameters={"nasty\n": "\n$(touch owned)"},
    )
    kg.ingest(["log.jsonl"])
    for name, text in files_of(kg.recipe("out.json"), form).items():
        (tmp_path / "r").mkdir(exist_ok=True)
        (tmp_path / "r" / name).write_text(text)
    run = subprocess.run(TOOLS[form], cwd=tmp_path / "r", capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    [made] = (tmp_path / "r").rglob("out.json")
    assert json.loads(made.read_text()) == NASTY
    assert not list(tmp_path.rglob("owned"))


def test_what_is_not_known_is_a_line_that_fails(kg: KnowledgeGraph, tmp_path: Path) -> None:
    kg.ingest([sample()])
    plan = kg.recipe("dl3_LST-1.Run12012.fits")
    assert any("no digest of the content" in text for _, text in plan.gaps())
    text = files_of(plan, "sh")["recipe.sh"]
    assert text.count("\nunknown ") == sum(1 for _ in plan.gaps())
    (tmp_path / "recipe.sh").write_text(text)
    run = subprocess.run(["sh", "recipe.sh"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 3
    assert run.stderr.startswith("not known: ")
    with pytest.raises(InputError, match="the recipe is not complete"):
        list(rerun(plan, tmp_path / "again"))
    document = json.loads(files_of(plan, "cwl")["recipe.cwl"])
    assert document["cwlVersion"] == "v1.2"


def test_check_finds_what_is_missing_or_has_changed_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline, kg = Pipeline(tmp_path / "pipeline"), provkg.open(tmp_path / "store")
    monkeypatch.chdir(pipeline.folder)
    pipeline.run()
    kg.ingest([pipeline.log])
    plan = kg.recipe(LAST)
    assert blockers(plan) == []
    (pipeline.folder / "merge.py").unlink()
    (pipeline.folder / "clean.py").write_text("print('other')")
    assert {(each.blocker, Path(each.what).name) for each in blockers(plan)} == {
        ("input is missing", "merge.py"),
        ("input has changed", "clean.py"),
    }
    with pytest.raises(InputError, match=r"clean\.py has changed"):
        list(rerun(plan, tmp_path / "again"))


def test_check_finds_packages_of_another_version(kg: KnowledgeGraph) -> None:
    run_command(Recorder("log.jsonl"), [sys.executable, "-c", "open('o', 'w')"], generated=[("out", "o")])
    text = Path("log.jsonl").read_text()
    version = next(
        each["version"]
        for each in json.loads(text.splitlines()[0])["system"]["python"]["packages"]
        if each["name"] == "click"
    )
    Path("log.jsonl").write_text(
        text.replace(f'{{"name":"click","version":"{version}"}}', '{"name":"click","version":"0.1"}')
    )
    kg.ingest(["log.jsonl"])
    [found] = blockers(kg.recipe("o"))
    assert (found.blocker, found.what) == ("packages differ", f"click 0.1 (here: {version})")


def test_a_step_that_is_not_deterministic_is_told_by_its_bytes(kg: KnowledgeGraph, tmp_path: Path) -> None:
    code = "import uuid; open('o', 'w').write(str(uuid.uuid4()))"
    run_command(Recorder("log.jsonl"), [sys.executable, "-c", code], name="random", generated=[("out", "o")])
    kg.ingest(["log.jsonl"])
    [found] = rerun(kg.recipe("o"), tmp_path / "again")
    assert (found.state, found.step) == ("different", "random")
    done = command("--store", kg.store.name, "recipe", "o", "--run", str(tmp_path / "third"), cwd=tmp_path)
    assert done.returncode == 1
    assert "1 products: 1 different" in done.stderr


def test_a_command_that_may_write_outside_of_the_folder_is_not_run(kg: KnowledgeGraph, tmp_path: Path) -> None:
    target = tmp_path / "archive" / "out.txt"
    target.parent.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    code = "import os; open('../archive/' + 'out.txt', 'a').write('x')"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "provkg",
            "run",
            "--record",
            "log.jsonl",
            "--generated",
            str(target),
            "--",
            sys.executable,
            "-c",
            code,
        ],
        cwd=work,
        check=True,
    )
    kg.ingest([work / "log.jsonl"])
    with pytest.raises(InputError, match=r"how it names .*out\.txt is not recorded"):
        list(rerun(kg.recipe(str(target)), tmp_path / "again"))
    assert target.read_text() == "x"


def test_a_folder_that_is_not_empty_is_not_touched(toy: tuple[Pipeline, KnowledgeGraph], tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(InputError, match="not an empty folder"):
        list(rerun(toy[1].recipe(last(toy)), tmp_path))


def test_a_lock_is_what_pip_reads(toy: tuple[Pipeline, KnowledgeGraph], tmp_path: Path) -> None:
    files = files_of(toy[1].recipe(last(toy)), "sh")
    (tmp_path / "lock").write_text(files["environment-1.lock"])
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-deps", "-r", str(tmp_path / "lock")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr  # all of it is installed here
    assert files["inputs.tsv"].count("sha256:") == 5


# Recipe digests


def recipe_in(folder: Path, monkeypatch: pytest.MonkeyPatch, change: str = "", **options: float) -> str:
    """Run the toy pipeline in a folder of its own, and return the recipe digest of its last product."""
    pipeline, kg = Pipeline(folder / "pipeline"), provkg.open(folder / "store")
    if change:
        with (pipeline.folder / change).open("a") as file:
            file.write("# changed\n")
    monkeypatch.chdir(pipeline.folder)
    pipeline.run(**options)
    kg.ingest([pipeline.log])
    return kg.recipe(LAST).recipe


def test_the_recipe_digest_is_of_the_computation_not_of_where_and_when(
    toy: tuple[Pipeline, KnowledgeGraph], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = toy[1].recipe(last(toy)).recipe
    assert recipe_in(tmp_path / "elsewhere", monkeypatch) == ours
    others = [recipe_in(tmp_path / script, monkeypatch, script) for script in ("observe.py", "clean.py", "spectrum.py")]
    others.append(recipe_in(tmp_path / "threshold", monkeypatch, threshold=101.0))
    assert len({ours, *others}) == 5


def matches(kg: KnowledgeGraph) -> set[tuple[str, str]]:
    history: History = every_history(kg.graph())
    return {(each.finding, each.step) for each in compared(history, recipes_of(history))}


def test_the_store_is_asked_what_was_done_twice_and_what_did_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, kg = Pipeline(tmp_path / "pipeline"), provkg.open(tmp_path / "store")
    monkeypatch.chdir(pipeline.folder)
    pipeline.run()
    kg.ingest([pipeline.log])
    assert matches(kg) == set()
    pipeline.run()
    kg.ingest([pipeline.log])
    steps = {"observe", "calibrate", "clean", "merge", "spectrum"}
    assert matches(kg) == {("done twice, same bytes", step) for step in steps}
    with (pipeline.folder / "merge.py").open("a") as file:
        file.write("# a comment\n")
    pipeline.run()
    kg.ingest([pipeline.log])
    assert {step for finding, step in matches(kg) if finding == "different recipe, same bytes"} == {"merge", "spectrum"}


def test_one_recipe_with_different_bytes_is_found(kg: KnowledgeGraph) -> None:
    code = "import uuid, sys; open(sys.argv[1], 'w').write(str(uuid.uuid4()))"
    for name in ("first", "second"):
        run_command(Recorder("log.jsonl"), [sys.executable, "-c", code, name], name="random", generated=[("out", name)])
    kg.ingest(["log.jsonl"])
    assert matches(kg) == {("same recipe, different bytes", "random")}
    done = command("--store", kg.store.name, "recipe", "--compare")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].startswith("same recipe, different bytes\trandom\t")


def test_a_history_is_the_same_from_every_store(tmp_path: Path) -> None:
    first, second = provkg.open(tmp_path / "store"), provkg.open("memory:")
    for kg in (first, second):
        kg.ingest([sample()])
    product = "crab_flux_points.fits"
    assert first.history(product) == second.history(product)
    assert plan_of(first.history(product)).recipe == plan_of(second.history(product)).recipe


def test_when_a_script_changes_diff_verify_grade_and_the_recipe_all_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, kg = Pipeline(tmp_path / "pipeline"), provkg.open(tmp_path / "store")
    monkeypatch.chdir(pipeline.folder)
    pipeline.run()
    kg.ingest([pipeline.log])
    old, before = kg.find(LAST)[0].iri, kg.recipe(LAST).recipe
    assert kg.verify(LAST, history=True).is_good
    assert [kg.grade(LAST).letter(scale) for scale in ("traceability", "reproducibility")] == ["A", "A"]
    script = pipeline.folder / "clean.py"
    script.write_text(script.read_text().replace("> threshold", "> threshold + 50"))
    found = kg.verify(LAST, history=True)
    assert [(each.state, Path(each.path).name) for each in found.found if each.state != "verified"] == [
        ("changed", "clean.py")
    ]
    assert kg.grade(LAST).letter("reproducibility") == "E"
    assert {(each.blocker, Path(each.what).name) for each in blockers(kg.recipe(LAST))} == {
        ("input has changed", "clean.py")
    }
    pipeline.run()
    kg.ingest([pipeline.log])
    new = max(kg.find(LAST), key=lambda each: each.started).iri
    assert kg.recipe(new).recipe != before == kg.recipe(old).recipe
    [point] = kg.diff(old, new)
    assert (point["step"], point["kind"], point["what"]) == ("clean", "content of an input", "script")
    assert list(rerun(kg.recipe(new), tmp_path / "again"))[-1].state == "same"


def test_where_a_program_is_installed_is_no_part_of_its_recipe(kg: KnowledgeGraph, tmp_path: Path) -> None:
    linked = tmp_path / "elsewhere" / Path(sys.executable).name
    linked.parent.mkdir()
    linked.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    linked.chmod(0o755)
    for number, program in enumerate((sys.executable, str(linked))):
        code = "import sys; open(sys.argv[1], 'w').write('x')"
        run_command(
            Recorder("log.jsonl"), [program, "-c", code, f"o{number}"], name="x", generated=[("out", f"o{number}")]
        )
    text = Path("log.jsonl").read_text()
    first, second = (json.loads(each)["system"] for each in text.splitlines() if '"kind":"environment"' in each)
    assert first["python"] == second["python"]
    kg.ingest(["log.jsonl"])
    digests = {kg.recipe(f"o{number}").recipe for number in (0, 1)}
    assert len(digests) == 1
