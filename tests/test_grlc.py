"""A real grlc serves the folder of questions as it is: all of them are listed, and answers over HTTP are ours.

grlc is installed by pip into an environment of its own, once: ``$GRLC_VENV``, or ``.venv/grlc`` of the checkout.
"""

import fcntl
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import QueryResultsFormat, QuerySolutions, parse_query_results

import provkg
from provkg.knowledge import KnowledgeGraph
from provkg.questions import find_question, plain, questions
from provkg.resources import folder, sample
from tests import servers

pytestmark = pytest.mark.xdist_group("grlc")
VENV = Path(os.environ.get("GRLC_VENV") or Path(__file__).parent.parent / ".venv" / "grlc").absolute()
PINS = ["grlc==1.3.11", "pyparsing<4", "werkzeug<4"]  # grlc itself pins flask, rdflib and requests, but not these
_INI = """
[defaults]
sparql_endpoint = {store}/query?union-default-graph
server_name = {host}
[local]
local_sparql_dir = {queries}
"""
ASKED = {
    "durations": {"night": "20230312"},
    "generated-twice": {},
    "never-ended": {},
    "parents": {"product": "dl3_LST-1.Run12012.fits"},
    "raw-files": {"product": "crab_flux_points.fits"},
    "steps": {"product": "crab_flux_points.fits", "step": "dl1ab"},
    "which-product": {"file": "dl1_LST-1.Run12012.0001.h5"},
}


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter that has grlc; skip the test where it cannot be installed."""
    python, done = VENV / "bin" / "python", VENV / "installed"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", *PINS]
    try:
        VENV.mkdir(parents=True, exist_ok=True)
        with (VENV / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one worker installs, the others wait
            if not done.is_file() or done.read_text() != "\n".join(PINS):
                for command in ([sys.executable, "-m", "venv", VENV], pip):
                    subprocess.run(command, check=True, capture_output=True, timeout=300)
                done.write_text("\n".join(PINS))
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).decode(errors="replace").strip().split("\n")[-1]
        pytest.skip(f"grlc cannot be installed: {said}")
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"grlc cannot be installed: {error}")
    return python


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Oxigraph server with the sample."""
    with servers.oxigraph(tmp_path_factory.mktemp("oxigraph")) as url:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
            provkg.open(url).ingest([sample()])
        yield url


@pytest.fixture(scope="module")
def grlc(python: Path, store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A grlc server; its own command listens to all the world, so gunicorn runs its application."""
    place = tmp_path_factory.mktemp("grlc")
    [port] = servers.free_ports(1)
    host = f"127.0.0.1:{port}"
    (place / "config.ini").write_text(
        _INI.format(store=store, host=host, queries=str(folder("queries")).replace("%", "%%"))
    )
    command = [str(python), "-I", "-m", "gunicorn", "--bind", host, "--no-control-socket", "grlc.server:app"]
    with servers.running(command, f"http://{host}/", place):
        yield f"http://{host}/api-local"


@pytest.fixture
def kg(store: str) -> KnowledgeGraph:
    return provkg.open(store)


def get(url: str, accept: str, **values: str) -> bytes:
    request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(values)}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=60) as response:
        found: bytes = response.read()
        return found


def test_grlc_lists_every_question_with_its_parameters(grlc: str) -> None:
    spec = json.loads(get(f"{grlc}/swagger", "application/json"))
    assert set(spec["paths"]) == {f"/{path.stem}" for path in folder("queries").glob("*.rq")}
    assert spec["info"]["description"] == "API generated from local files"  # and no warning after it
    for name, question in questions().items():
        call = spec["paths"][f"/{name}"]["get"]
        assert (call["summary"], tuple(call["tags"])) == (question.summary, question.tags)
        declared = {each["name"]: each["required"] for each in call["parameters"] if each["name"] != "endpoint"}
        assert declared == {each.name: each.required for each in question.parameters.values()}


@pytest.mark.parametrize("name", ASKED)
def test_grlc_answers_as_we_do(grlc: str, kg: KnowledgeGraph, name: str) -> None:
    values, columns = ASKED[name], find_question(name).columns
    given = {key: kg.find(value)[0].iri if key == "product" else value for key, value in values.items()}
    answer = parse_query_results(
        get(f"{grlc}/{name}", "application/sparql-results+json", **given), QueryResultsFormat.JSON
    )
    assert isinstance(answer, QuerySolutions)
    assert [variable.value for variable in answer.variables] == list(columns)
    rows = [{column: plain(row[column], kind.type) for column, kind in columns.items()} for row in answer]
    assert rows == list(kg.ask(name, **values))
    assert rows
