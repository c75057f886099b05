"""The command line: results on stdout, talk on stderr, exit statuses that scripts can rely on."""

import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provkg.resources import sample
from tests.conftest import environment

FLUX = "crab_flux_points.fits"


def provkg(
    *arguments: str | Path, cwd: Path | None = None, stdin: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "provkg", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        input=stdin,
        env=environment() | variables,
        check=False,
        errors="surrogateescape",
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "store"
    done = provkg("--store", folder, "ingest", sample())
    assert done.returncode == 4
    return folder


def test_ingest_says_what_it_did_on_stdout_and_what_it_could_not_on_stderr(tmp_path: Path) -> None:
    done = provkg("ingest", sample(), cwd=tmp_path)
    assert (done.returncode, (tmp_path / ".provkg").is_dir()) == (4, True)
    assert "40 activities, 93 usages, 37 generations, 14 sessions, 1 quarantined" in done.stdout
    assert "times without a zone, taken as UTC" in done.stdout
    assert f"quarantined: {sample()}/Run12012.log:61: " in done.stderr


def test_ingest_as_json(tmp_path: Path) -> None:
    done = provkg("ingest", "--json", sample(), cwd=tmp_path)
    summary = json.loads(done.stdout)
    assert (summary["activities"], summary["quarantined"]) == (40, 1)
    assert summary["quarantine"][0]["line"] == 61


def test_the_store_comes_from_the_option_the_environment_or_the_settings(tmp_path: Path, store: Path) -> None:
    (tmp_path / "provkg.toml").write_text('store = "elsewhere"\n')
    (tmp_path / "deep").mkdir()
    assert provkg("ingest", sample() / "gammapy.log", cwd=tmp_path / "deep").returncode == 0
    assert (tmp_path / "elsewhere" / "CURRENT").is_file()
    assert json.loads(provkg("status", "--json", cwd=tmp_path).stdout)["activities"] == 3
    assert json.loads(provkg("status", "--json", cwd=tmp_path, PROVKG_STORE=str(store)).stdout)["activities"] == 40
    assert (
        json.loads(provkg("--store", store, "status", "--json", cwd=tmp_path, PROVKG_STORE="x").stdout)["activities"]
        == 40
    )


def test_lineage_as_json_has_the_fixed_columns(store: Path) -> None:
    rows = json.loads(provkg("--store", store, "lineage", FLUX, "--format", "json").stdout)
    assert {tuple(row) for row in rows} == {
        ("depth", "location", "name", "entity", "activity", "activityName", "startedAt", "evidence")
    }
    assert rows[0]["depth"] == 1
    assert all(row["startedAt"].endswith("Z") for row in rows if row["startedAt"])


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "json"])
def test_every_format_gives_the_same_rows(store: Path, form: str) -> None:
    done = provkg("--store", store, "ask", "steps", FLUX, "--format", form)
    if form in ("csv", "tsv"):
        rows = list(csv.DictReader(io.StringIO(done.stdout), delimiter="\t" if form == "tsv" else ","))
    else:
        found = (
            json.loads(done.stdout)["results"]["bindings"]
            if form == "json"
            else map(json.loads, done.stdout.splitlines())
        )
        rows = [
            {name: getattr(value, "get", lambda _, value=value: value)("value") for name, value in row.items()}
            for row in found
        ]
    assert [(row["step"], int(row["times"])) for row in rows][:3] == [
        ("ctapipe-process", 2),
        ("ctapipe-merge", 1),
        ("ctapipe-compute-irf", 1),
    ]


def test_a_pipe_gets_tsv_and_a_terminal_a_table(store: Path) -> None:
    assert provkg("--store", store, "ask", "never-ended").stdout.startswith("activityName\tstartedAt")
    terminal, end = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "provkg", "--store", store, "ask", "never-ended"],
        stdout=end,
        env=environment() | {"COLUMNS": "150", "TERM": "xterm"},
        check=False,
    )
    os.close(end)
    shown = b""
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
    except OSError:
        pass
    assert done.returncode == 0
    assert "────" in shown.decode()
    assert "https://" not in shown.decode()


def test_ask_without_a_question_lists_them_and_show_prints_the_sparql(store: Path) -> None:
    assert "T1\tlineage\t" in provkg("ask").stdout
    assert "SELECT DISTINCT" in provkg("ask", "--show", "lineage").stdout
    assert provkg("ask", "--show", "T1").stdout == provkg("ask", "--show", "lineage").stdout


def test_a_word_that_is_no_command_is_a_product(store: Path) -> None:
    short = provkg("--store", store, "dl3_LST-1.Run12012.fits")
    assert short.stdout == provkg("--store", store, "show", "dl3_LST-1.Run12012.fits").stdout
    assert "dl2_to_dl3" in short.stdout


def test_the_tree_reads_like_a_history(store: Path) -> None:
    text = provkg("--store", store, "lineage", FLUX, "--format", "tree").stdout
    assert text == (Path(__file__).parent / "cases" / "flux.tree").read_text()


def test_the_picture_is_svg_without_script_and_the_same_twice(store: Path, tmp_path: Path) -> None:
    import xml.etree.ElementTree as tree

    pictures = []
    for name in ("a.svg", "b.svg"):
        assert provkg("--store", store, "lineage", FLUX, "-o", tmp_path / name).returncode == 0
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] == pictures[1]
    root = tree.fromstring(pictures[0])
    assert root.tag.endswith("svg")
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert b"http" not in pictures[0].replace(b"http://www.w3.org/2000/svg", b"")


def test_query_gives_sparql_results_json_and_cannot_write(store: Path, tmp_path: Path) -> None:
    (tmp_path / "q.rq").write_text("SELECT (COUNT(*) AS ?n) WHERE { ?s a <http://www.w3.org/ns/prov#Activity> }")
    done = provkg("--store", store, "query", tmp_path / "q.rq", "--format", "json")
    assert json.loads(done.stdout)["results"]["bindings"][0]["n"]["value"] == "40"
    update = provkg("--store", store, "query", "-", stdin="DELETE WHERE { ?s ?p ?o }")
    assert update.returncode == 2
    assert "error:" in update.stderr
    assert "Traceback" not in update.stderr


def test_a_mistyped_command_gets_the_nearest_one(store: Path) -> None:
    done = provkg("lineag", FLUX)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: no command 'lineag': did you mean 'lineage'?")
    assert done.stderr.splitlines()[1].startswith("hint: ")


def test_a_query_with_from_asks_that_graph_alone(store: Path) -> None:
    def count(clause: str) -> int:
        return int(
            provkg(
                "--store",
                store,
                "query",
                "-",
                "--format",
                "tsv",
                stdin=f"SELECT (COUNT(*) AS ?n) {clause} WHERE {{ ?s ?p ?o }} # FROM",
            ).stdout.splitlines()[1]
        )

    ledger = count("FROM <https://provkg.example.org/graph/ledger>")
    assert 0 < ledger < count("")
    assert count("FROM <http://nowhere.example.org/>") == 0


@pytest.mark.parametrize(
    ("query", "form", "status", "begins"),
    [
        ("SELECT ?s { ?s a <http://www.w3.org/ns/prov#Bundle> }", "jsonl", 0, '{"s": '),
        ("SELECT ?s { ?s a <http://www.w3.org/ns/prov#Bundle> }", "csv", 0, "s\nhttps://"),
        ("SELECT ?s { ?s a <http://www.w3.org/ns/prov#Bundle> }", "turtle", 2, ""),
        ("ASK { ?s ?p ?o }", "json", 0, '{"head":{},"boolean":true}'),
        ("ASK { ?s ?p ?o }", "csv", 2, ""),
        ("CONSTRUCT WHERE { ?s a <http://www.w3.org/ns/prov#Bundle> }", "ntriples", 0, "<https://"),
        ("CONSTRUCT WHERE { ?s a <http://www.w3.org/ns/prov#Bundle> }", "json", 2, ""),
    ],
)
def test_a_query_is_written_in_a_format_that_fits_it_or_refused(
    store: Path, query: str, form: str, status: int, begins: str
) -> None:
    done = provkg("--store", store, "query", "-", "--format", form, stdin=query)
    assert (done.returncode, done.stdout.startswith(begins)) == (status, True)
    assert not done.stdout.endswith("\n\n")


@pytest.mark.parametrize("arguments", [["-o", "x.png"], ["-o", "x.svg", "--format", "json"], ["-o", "no/dir/x.svg"]])
def test_a_picture_that_cannot_be_written_is_an_error(store: Path, tmp_path: Path, arguments: list[str]) -> None:
    done = provkg("--store", store, "lineage", FLUX, *arguments, cwd=tmp_path)
    assert done.returncode in (2, 3)
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_what_a_terminal_cannot_show_is_escaped(store: Path) -> None:
    done = provkg("--store", store, "lineage", FLUX, "--format", "tree", PYTHONIOENCODING="ascii")
    assert (done.returncode, "\\u2190 get_flux_points" in done.stdout) == (0, True)


def test_many_candidates_are_cut_and_counted(tmp_path: Path) -> None:
    text = (sample() / "gammapy.log").read_text()
    for number in range(30):
        (tmp_path / f"{number}.log").write_text(text.replace("crab_flux_points", f"crab_flux_points{number}"))
    provkg("--store", "s", "ingest", ".", cwd=tmp_path)
    done = provkg("--store", "s", "show", "crab_flux", cwd=tmp_path)
    assert "can mean 30 entities" in done.stderr
    assert "… and 10 more" in done.stderr


def test_validate_has_exit_status_1_for_a_violation_and_0_without(store: Path, tmp_path: Path) -> None:
    assert provkg("--store", store, "validate").returncode == 0
    bad = tmp_path / "bad.log"
    bad.write_text(
        (sample() / "gammapy.log")
        .read_text()
        .replace("'startTime': '2023-04-02T15:30:04", "'startTime': '2033-04-02T15:30:04")
    )
    done = provkg("validate", bad, cwd=tmp_path)
    assert done.returncode == 1
    assert f"{bad}:" in done.stdout
    assert "An activity ended before it started." in done.stdout
    assert not (tmp_path / ".provkg").exists()
    assert provkg("validate", sample() / "gammapy.log", cwd=tmp_path).returncode == 0


def test_exit_statuses(store: Path, tmp_path: Path) -> None:
    assert provkg("--store", store, "show", "nothing-like-this").returncode == 5
    assert provkg("--store", store, "ask", "lineage").returncode == 2
    assert provkg("--store", store, "lineage", "dl1_LST-1.Run12012.0001.h5").returncode == 2
    assert provkg("--store", store, "nonsense").returncode == 5
    assert provkg("--store", store, "lineage", "--depth", "0", FLUX).returncode == 2
    assert provkg("--store", store, "show", "x" * 300).returncode == 5
    assert provkg("--store", store, "show", "prov:Activity").returncode == 5
    assert provkg("--store", tmp_path / "none", "status").returncode == 3
    assert provkg("ingest", tmp_path / "none").returncode == 3
    assert provkg("--store", "", "status").returncode == 3
    assert provkg("--store", __file__, "status").returncode == 3


def test_a_closed_pipe_is_no_error(store: Path) -> None:
    command = f"{sys.executable} -m provkg --store {store} ask lineage {FLUX} --format csv; echo $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | true"], capture_output=True, text=True, env=environment(), check=False
    )
    assert "Traceback" not in done.stderr
    assert done.stderr.strip() == "141"


def test_ambiguous_products_are_listed(store: Path) -> None:
    done = provkg("--store", store, "lineage", "dl1_LST-1.Run12012.0001.h5")
    assert "can mean 2 entities" in done.stderr
    assert done.stderr.count("made by") == 2
    assert "hint: give the IRI" in done.stderr


def test_quiet_says_nothing(tmp_path: Path) -> None:
    done = provkg("--quiet", "ingest", sample() / "gammapy.log", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from provkg.cli import run; run(['--help']); print(sorted(set(sys.modules) & {'pyoxigraph','rdflib','prov','rich.table','numpy','yaml','msgspec'}))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()[-1]
        == "[]"
    )


def test_the_demo_runs_and_leaves_a_picture(tmp_path: Path) -> None:
    done = provkg("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "What to try next" in done.stdout
    assert "exit status" not in done.stdout
    assert (tmp_path / "demo-out" / "lineage.svg").stat().st_size > 1000


def test_the_demo_does_not_touch_what_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "x" / "store").mkdir(parents=True)
    (tmp_path / "x" / "store" / "mine").write_text("precious")
    done = provkg("demo", "-o", "x", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "x" / "store" / "mine").read_text()) == (3, "precious")


def test_settings_are_checked(tmp_path: Path) -> None:
    for text, message in (
        ('bse = "x"', "did you mean 'base'?"),
        ('zone = "Mars"', "is unknown"),
        ('base = "nope"', "no http(s) IRI"),
        ("x =", "provkg.toml"),
    ):
        (tmp_path / "provkg.toml").write_text(text)
        done = provkg("status", cwd=tmp_path)
        assert done.returncode == 3
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_the_command_is_installed() -> None:
    assert shutil.which("provkg", path=str(Path(sys.executable).parent))
