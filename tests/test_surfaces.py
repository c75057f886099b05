"""Answers on every surface: command line, library, HTTP, pages, SHACL; each made from the one file of a question."""

import csv
import io
import json
import re
import shlex
from pathlib import Path

import pytest
import rdflib
from openapi_spec_validator import validate as validate_openapi
from pyoxigraph import QueryResultsFormat, Store, parse_query_results

from provkg.cli import run
from provkg.config import Config
from provkg.errors import InputError, MissingExtra, QuestionError
from provkg.knowledge import KnowledgeGraph, open_with
from provkg.questions import load, questions
from provkg.questions.formats import TEXT, to_html
from provkg.questions.http import ROOT, openapi, respond
from provkg.questions.publishing import INDEX, pages, shacl
from provkg.questions.testing import expected_of, with_expected
from provkg.resources import folder, sample
from tests.logs import activity, log, session
from tests.test_questions import GOOD

FLUX = "crab_flux_points.fits"
NASTY = '<script>alert(1)</script>"&\'\t\n{{ 7 * 7 }}=HYPERLINK("http://x")'
CONTROL = "/d/\x1b[2J\x07\u2028\x85end"
PAGES = Path(__file__).parent.parent / "docs" / "questions"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    """The sample."""
    kg = open_with(Config(), tmp_path_factory.mktemp("surfaces") / "store")
    kg.ingest([sample()])
    return kg


@pytest.fixture
def provkg(asked: KnowledgeGraph, capsys: pytest.CaptureFixture[str]):
    """Run a command line in this process: status, stdout, stderr."""

    def command(line: str) -> tuple[int, str, str]:
        status = run(["--store", asked.store.name, *shlex.split(line)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command


# One file, every surface


def test_adding_a_question_is_one_file(asked: KnowledgeGraph, provkg, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "which-runs.rq").write_text(GOOD)
    (tmp_path / "provkg.toml").write_text('questions = ["own"]\n')
    kg = open_with(Config(questions=(str(own),)), asked.store.name)
    # the command line
    assert re.search(
        r"^X1\twhich-runs\tWhich runs are there\?\t\[night=…\]$", provkg("ask --format tsv")[1], re.MULTILINE
    )
    assert provkg("ask which-runs 20230313 --format tsv")[1] == "run\tsessions\n12050\t1\n"
    assert "Which runs are there?" not in provkg("ask which-runs --show")[1]
    # its own test
    assert provkg("questions test")[0] == 1
    assert provkg("questions test own --update")[0] == 0
    assert 'first:\n#+     - ["12012", 4]' in (own / "which-runs.rq").read_text()
    assert provkg("questions test")[0] == provkg("questions lint")[0] == 0
    # the library
    assert kg.ask("X1").to_pandas()["sessions"].tolist() == [4, 5, 1]
    # HTTP
    listed = json.loads(respond(ROOT, {}, known=kg.questions(), ask=kg.ask_of).body)
    assert {"id": "X1", "href": f"{ROOT}/which-runs"}.items() <= listed[-1].items()
    answered = respond(
        f"{ROOT}/which-runs", {"night": ["20230313"], "format": ["csv"]}, known=kg.questions(), ask=kg.ask_of
    )
    assert answered.body == "run,sessions\n12050,1\n"
    assert f"{ROOT}/which-runs" in json.loads(provkg("questions openapi")[1])["paths"]
    # pages and SHACL
    assert provkg("questions pages pages")[0] == 0
    assert "| 12012 | 4 |" in Path("pages/which-runs.md").read_text()
    assert "which-runs.md" in Path("pages/README.md").read_text()
    assert "q:which-runs a sh:SPARQLSelectExecutable" in provkg("questions shacl")[1]


def test_the_pages_are_those_that_the_files_make() -> None:
    made = pages(questions())
    assert {path.stem for path in PAGES.glob("*.md")} == set(made)
    for name, text in made.items():
        assert (PAGES / f"{name}.md").read_text() == text, "provkg questions pages docs/questions"


def test_every_page_shows_an_answer() -> None:
    for name, text in pages(questions()).items():
        assert name == INDEX or "| --" not in text
        assert "None" not in text
        assert name == INDEX or text.count("\n```") == 4


def test_the_sparql_of_every_page_and_executable_is_valid() -> None:
    graph = rdflib.Graph().parse(data=shacl(questions()), format="turtle")
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    [document] = set(graph.objects(None, sh.prefixes))
    prefixes = {
        str(graph.value(each, sh.prefix)): str(graph.value(each, sh.namespace))
        for each in graph.objects(document, sh.declare)
    }
    texts = list(graph.objects(None, sh.select))
    assert len(texts) == len(questions()) == len(list(graph.subjects(rdflib.RDF.type, sh.SPARQLSelectExecutable)))
    for text in texts:
        assert "PREFIX" not in text
        Store().query(str(text), prefixes=prefixes)


def test_the_openapi_description_is_valid_and_has_every_question_but_local_ones() -> None:
    found = openapi(questions())
    validate_openapi(found)
    assert set(found["paths"]) == {ROOT, *(f"{ROOT}/{name}" for name in questions() if name != "bytes")}
    [levels] = [
        each for each in found["paths"][f"{ROOT}/lineage-levels"]["get"]["parameters"] if each.get("name") == "levels"
    ]
    assert levels["schema"]["items"]["enum"][:3] == ["R0", "R1", "DL0"]


# The command line


def test_the_list_is_in_the_order_of_ids(provkg) -> None:
    status, out, _ = provkg("ask --format jsonl")
    ids = [json.loads(line)["id"] for line in out.splitlines()]
    assert (status, ids[:2], ids[9:11], ids[-1]) == (0, ["T1", "T2"], ["T10", "A1"], "G5")


def test_show_prints_the_query_with_the_values(asked: KnowledgeGraph, provkg) -> None:
    _, out, _ = provkg(f"ask parents {FLUX} --show")
    assert f"<{asked.find(FLUX)[0].iri}> prov:wasGeneratedBy ?activity" in out
    assert "?_product_iri prov:wasGeneratedBy" in provkg("ask parents --show")[1]
    assert provkg("ask parents nothing-there --show")[0] == 5


def test_explain_prints_steps_and_times(provkg) -> None:
    status, out, _ = provkg(f"ask commands {FLUX} --explain --format tsv")
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0
    assert [row[0] for row in rows] == [
        "step",
        "bind values",
        "sub-select",
        "SPARQL",
        "answer",
        "code: shell",
        "budget",
    ]
    assert all(float(row[2]) >= 0 for row in rows[1:5])


def test_a_cut_answer_ends_with_status_4(provkg) -> None:
    status, out, err = provkg(f"ask lineage {FLUX} --limit 2 --format tsv")
    assert (status, len(out.splitlines())) == (4, 3)
    assert "warning: the answer was cut at 2 rows: there are more" in err
    assert provkg(f"ask raw-files {FLUX} --limit 10")[0] == 0


def test_an_answer_that_is_a_tree_is_drawn_as_one(provkg) -> None:
    _, out, _ = provkg(f"ask lineage {FLUX} --format tree")
    assert out.startswith(f"{FLUX}  ← get_flux_points\n")
    _, out, _ = provkg("ask outcomes gamma_merged.dl2.h5 --format tree")
    assert out.splitlines() == [
        "Did all steps of this product's history go well?",
        "└── completed  (2)",
        "    ├── ctapipe-process",
        "    └── ctapipe-merge",
    ]
    status, _, err = provkg("ask durations --format tree")
    assert status == 2
    assert "the answer to durations is no tree" in err
    assert "lineage" in err


@pytest.mark.parametrize(
    "line",
    [
        "ask --limit 2",
        "ask --explain",
        "ask durations --check {}",
        "ask --check {} --limit 3",
        "ask durations --show --limit 3",
        "ask durations --show --format csv",
        f"ask lineage {FLUX} --format tree --limit 3",
        "ask durations --seconds nan",
        "ask durations --seconds inf",
        "ask durations --limit 99999999999999999999999",
        f"ask parents product={FLUX} product={FLUX}",
    ],
)
def test_what_would_be_ignored_is_refused(provkg, tmp_path: Path, line: str) -> None:
    (tmp_path / "c.json").write_text("{}")
    status, out, err = provkg(line.format(tmp_path / "c.json"))
    assert (status, out) == (2, "")
    assert "error: " in err


def test_a_name_that_stands_twice_gives_several_values(provkg) -> None:
    twice = provkg(f"ask lineage-levels {FLUX} levels=DL2 levels=DL3 --format tsv")
    assert twice[0] == 0
    assert twice == provkg(f"ask lineage-levels {FLUX} levels=DL2,DL3 --format tsv")


def test_a_folder_with_an_error_hides_no_shipped_question(asked: KnowledgeGraph, tmp_path: Path) -> None:
    (tmp_path / "broken.rq").write_text("no header")
    (tmp_path / "gone.rq").symlink_to("nowhere.rq")
    kg = open_with(Config(questions=(str(tmp_path),)), asked.store.name)
    assert len(kg.ask("durations")) == len(asked.ask("durations"))
    with pytest.raises(QuestionError, match=r"broken\.rq: it has no header"):
        kg.ask("anything-else")
    (tmp_path / "broken.rq").unlink()
    with pytest.raises(QuestionError, match=r"gone\.rq: cannot be read"):
        kg.ask("anything-else")


def test_an_example_that_is_not_in_the_records_has_failed(asked: KnowledgeGraph, provkg, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "runs.rq").write_text(GOOD.replace("20230312", "20300101"))
    status, out, _ = provkg("questions test own")
    assert status == 1
    assert "FAILED X1" in out
    assert "night: '20300101' is not in the store" in out
    assert provkg("questions test own --update")[0] == 1
    assert (own / "runs.rq").read_text() == GOOD.replace("20230312", "20300101")


def test_lint_says_that_two_questions_are_alike(provkg, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "runs.rq").write_text(GOOD.replace("X1", "T1"))
    (tmp_path / "provkg.toml").write_text('questions = ["own"]\n')
    status, out, _ = provkg("questions lint")
    assert status == 1
    assert "lineage.rq are called alike" in out
    (tmp_path / "provkg.toml").write_text('questions = ["nowhere"]\n')
    assert provkg("questions lint")[0] == 2


def test_a_table_leaves_iris_out(provkg) -> None:
    assert "https://" not in provkg(f"ask parents {FLUX} --format table")[1]
    assert "https://" in provkg(f"ask parents {FLUX} --format tsv")[1]


# Formats


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    """A store whose records hold what must not get out of its place."""
    where = tmp_path_factory.mktemp("nasty")
    (where / "a.log").write_text(
        log(
            session(1),
            activity("aaaaaa", used=("/d/" + NASTY,), generated=("/d/out",), in_session=1),
            activity("bbbbbb", used=(CONTROL,), generated=("/d/end",), in_session=1),
        )
    )
    kg = open_with(Config(), where / "store")
    kg.ingest([where / "a.log"])
    return kg


@pytest.mark.parametrize("form", TEXT)
def test_every_format_holds_the_whole_answer(nasty: KnowledgeGraph, form: str) -> None:
    answer = nasty.ask("parents", product="/d/out")
    text = TEXT[form](answer)
    path = "/d/" + NASTY
    match form:
        case "json":
            [solution] = parse_query_results(text, format=QueryResultsFormat.JSON)
            assert solution["location"].value == path
            assert solution["status"].value == "https://w3id.org/provkg/ns#completed"
        case "jsonl":
            assert [json.loads(line) for line in text.splitlines()] == list(answer)
        case "csv":
            [row] = csv.DictReader(io.StringIO(text, newline=""))
            assert row["location"] == path
        case "tsv":
            [head, row] = text.splitlines()
            assert row.split("\t")[head.split("\t").index("location")] == path.replace("\t", "\\t").replace("\n", "\\n")
        case "votable":
            table = pytest.importorskip("astropy.io.votable").parse_single_table(io.BytesIO(text.encode())).to_table()
            assert table["location"].tolist() == [path]
        case "html":
            assert "<script" not in text
            assert "&lt;script&gt;alert(1)" in text
            assert "{{ 7 * 7 }}" in text


def test_a_name_cannot_move_the_cursor_of_a_terminal(nasty: KnowledgeGraph, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("table", "tree"):
        assert run(["--store", nasty.store.name, "ask", "lineage", "/d/end", "--format", form]) == 0
        out = capsys.readouterr().out
        assert "\\x1b[2J" in out
        assert not {"\x1b", "\x07", "\x85"} & set(out)


def test_a_votable_is_xml_whatever_stands_in_it(nasty: KnowledgeGraph) -> None:
    votable = pytest.importorskip("astropy.io.votable")
    text = TEXT["votable"](nasty.ask("parents", product="/d/end"))
    table = votable.parse_single_table(io.BytesIO(text.encode())).to_table()
    assert table["location"].tolist() == [CONTROL.replace("\x1b", "\ufffd").replace("\x07", "\ufffd")]


ODD = """#+ summary: Odd values
#+ id: X2
#+ description: Values that few libraries have.
#+ tags: [own]
#+ source: "a test"
#+ columns: {whole: integer, part: decimal, "yes": boolean, day: dateTime}
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT DISTINCT ?whole ?part ?yes ?day WHERE {
  VALUES (?whole ?part ?yes ?day) {
    (99999999999999999999 "NaN"^^xsd:double true "12023-01-01T00:00:00Z"^^xsd:dateTime)
    (1 2.5 "perhaps" "2023-01-01T00:00:00Z"^^xsd:dateTime)
  }
}
ORDER BY ?part
"""


def test_values_that_a_library_has_not_stay_text(asked: KnowledgeGraph, tmp_path: Path) -> None:
    (tmp_path / "odd-values.rq").write_text(ODD)
    answer = asked.ask_of(load(tmp_path / "odd-values.rq"), {})
    rows = [json.loads(line, parse_constant=pytest.fail) for line in TEXT["jsonl"](answer).splitlines()]
    assert sorted(str(row["part"]) for row in rows) == ["2.5", "NaN"]
    assert {row["whole"] for row in rows} == {99999999999999999999, 1}
    pytest.importorskip("astropy")
    table = answer.to_table()
    assert set(table["whole"]) == {"99999999999999999999", "1"}
    assert set(table["yes"]) == {"True", "perhaps"}
    assert "99999999999999999999" in TEXT["votable"](answer)
    pytest.importorskip("pandas")
    frame = answer.to_pandas()
    assert set(frame["whole"]) == {99999999999999999999, 1}
    assert set(frame["day"]) == {"12023-01-01T00:00:00Z", "2023-01-01T00:00:00Z"}


def test_a_notebook_shows_some_rows_and_says_so(asked: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asked.ask("lineage", product=FLUX)
    assert answer._repr_html_().count("<tr>") == len(answer) + 1
    monkeypatch.setattr("provkg.questions.formats.SHOWN", 5)
    assert "the first 5 of 77 rows" in answer._repr_html_()
    assert "the first" not in to_html(answer, page=True)
    assert "cut at 3 rows" in asked.ask("lineage", product=FLUX, limit=3)._repr_html_()


def test_an_answer_becomes_a_data_frame(asked: KnowledgeGraph) -> None:
    pytest.importorskip("pandas")
    frame = asked.ask("durations").to_pandas()
    assert [str(kind) for kind in frame.dtypes[1:]] == ["Int64", "Int64", "Float64", "Float64"]
    assert frame.set_index("activityName").loc["ctapipe-process", "meanSeconds"] == 312.5
    times = asked.ask("steps", product=FLUX).to_pandas()["first"]
    assert str(times.dtype).startswith("datetime64")
    assert times.min().isoformat() == "2023-03-10T10:00:00.250000+00:00"
    assert asked.ask("failures", since="2030-01-01").to_pandas().empty


def test_an_answer_becomes_a_table_with_units(asked: KnowledgeGraph) -> None:
    pytest.importorskip("astropy")
    table = asked.ask("durations").to_table()
    assert str(table["meanSeconds"].unit) == "s"
    assert table["activities"].sum() == 40
    masked = asked.ask("outcomes", product=FLUX).to_table()["exitCode"].mask
    assert masked.tolist().count(True) == 10
    assert len(asked.ask("failures", since="2030-01-01").to_table()) == 0


def test_a_votable_says_that_it_was_cut(asked: KnowledgeGraph) -> None:
    votable = pytest.importorskip("astropy.io.votable")
    for limit, status in ((None, "OK"), (1, "OVERFLOW")):
        document = votable.parse(io.BytesIO(TEXT["votable"](asked.ask("durations", limit=limit)).encode()))
        assert [(each.name, each.value) for each in document.resources[0].infos] == [("QUERY_STATUS", status)]


def test_a_library_that_is_not_installed_is_named(asked: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asked.ask("durations")
    for module, make in (("pandas", answer.to_pandas), ("astropy.table", answer.to_table)):
        monkeypatch.setitem(__import__("sys").modules, module, None)
        with pytest.raises(MissingExtra, match="is needed"):
            make()


# HTTP


def ask_http(kg: KnowledgeGraph, path: str, accept: str = "", **query: str | list[str]):
    given = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    return respond(path, given, known=kg.questions(), ask=kg.ask_of, accept=accept)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("application/json", "application/sparql-results+json"),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("text/csv;q=0.5, text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/x-votable+xml", "application/x-votable+xml"),
        ("image/png, text/csv;q=0.1", "text/csv; charset=utf-8"),
        ("image/png", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=nonsense", "application/json"),
    ],
)
def test_the_format_is_negotiated(asked: KnowledgeGraph, accept: str, media: str) -> None:
    response = ask_http(asked, f"{ROOT}/durations", accept)
    assert (response.status, response.media) == (406 if media == "application/json" else 200, media)


def test_every_question_is_answered_over_http_as_in_the_library(asked: KnowledgeGraph) -> None:
    for name, question in questions().items():
        response = ask_http(asked, f"{ROOT}/{name}", format="jsonl", **question.example)
        if question.local:
            assert response.status == 404
        else:
            assert response.body == TEXT["jsonl"](asked.ask(name, **question.example)), name


def test_what_goes_wrong_is_answered_with_a_status_and_a_hint(asked: KnowledgeGraph) -> None:
    for status, path, query in (
        (404, "parnets", {}),
        (404, "bytes", {"product": FLUX}),
        (404, "parents", {"product": "nothing-there"}),
        (300, "parents", {"product": "dl1_LST-1.Run12012.0001.h5"}),
        (400, "parents", {}),
        (400, "parents", {"product": FLUX, "color": "red"}),
        (400, "parents", {"product": [FLUX, FLUX]}),
        (400, "parents", {"product": FLUX, "limit": "0"}),
        (400, "parents", {"product": FLUX, "limit": "²"}),
        (400, "parents", {"product": FLUX, "limit": "9" * 5000}),
        (400, "parents", {"product": []}),
        *((400, "parents", {"product": FLUX, name: "1"}) for name in ("self", "question", "seconds", "values")),
        (406, "parents", {"product": FLUX, "format": "exe"}),
    ):
        response = ask_http(asked, f"{ROOT}/{path}", **query)
        assert (response.status, response.media) == (status, "application/json"), (path, query)
        assert json.loads(response.body)["error"]
    assert len(json.loads(ask_http(asked, f"{ROOT}/T5", product="dl1_LST-1.Run12012.0001.h5").body)["candidates"]) == 2


def test_a_cut_answer_says_so_in_a_header(asked: KnowledgeGraph) -> None:
    assert (
        ask_http(asked, f"{ROOT}/T1", product=FLUX, limit="2").headers["X-Provkg-Cut"]
        == "cut at 2 rows: there are more"
    )
    assert "X-Provkg-Cut" not in ask_http(asked, f"{ROOT}/T1", product=FLUX).headers
    several = ask_http(asked, f"{ROOT}/T3", product=FLUX, levels=["DL2", "DL3"], format="csv")
    assert several.body == ask_http(asked, f"{ROOT}/T3", product=FLUX, levels="DL2,DL3", format="csv").body


# Citations


def test_a_citation_tells_whether_the_answer_is_still_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "store")
    calls = [activity("aaaaaa", used=("/d/raw",), generated=("/d/one",), in_session=1)]
    (tmp_path / "a.log").write_text(log(session(1), *calls))
    assert run(["--store", store, "ingest", str(tmp_path / "a.log")]) == 0
    assert run(["--store", store, "ask", "generated-twice", "--cite", "none.json"]) == 0
    assert run(["--store", store, "ask", "descendants", "/d/raw", "--cite", "one.json"]) == 0
    cited = json.loads(Path("one.json").read_text())
    assert cited["values"] == {"product": "/d/raw"}
    assert cited["storeDigest"] == open_with(Config(), store).graph().digest()
    assert cited["questionDigest"] == questions()["descendants"].digest
    capsys.readouterr()
    assert run(["--store", store, "ask", "--check", "one.json"]) == 0
    assert capsys.readouterr().out == "the answer is still the same\n"
    (tmp_path / "b.log").write_text(
        log(session(2), activity("bbbbbb", at=60, used=("/d/one",), generated=("/d/two",), in_session=2))
    )
    assert run(["--store", store, "ingest", str(tmp_path / "b.log")]) == 0
    capsys.readouterr()
    assert run(["--store", store, "ask", "--check", "one.json"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("the store has changed: 1 sources are new, 0 are gone since ")
    assert said[1].startswith("+ /d/two\t")
    assert said[2:] == ["the answer has changed"]
    assert run(["--store", store, "ask", "--check", "none.json"]) == 0
    assert "the store has changed" in capsys.readouterr().out


def test_a_citation_notices_another_question_of_that_name(asked: KnowledgeGraph, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "runs.rq").write_text(GOOD)
    kg = open_with(Config(questions=(str(own),)), asked.store.name)
    citation = tmp_path / "c.json"
    citation.write_text(json.dumps(kg.cite(kg.ask("runs", night="20230313"))))
    assert kg.check(citation) == []
    (own / "runs.rq").write_text(with_expected(load(own / "runs.rq"), expected_of(kg.ask("runs"))))
    assert kg.check(citation) == [], "what a file expects is not what it asks"
    (own / "runs.rq").write_text(GOOD.replace("ORDER BY STR(?run)", "ORDER BY DESC(STR(?run))"))
    assert [each.kind for each in kg.check(citation)] == ["question"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "https://w3id.org/provkg/citation/1"}', "\x00", '{"format": 3}']
)
def test_what_is_no_citation_is_refused(asked: KnowledgeGraph, tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(InputError, match="no citation of an answer"):
        asked.check(tmp_path / "c.json")


def test_a_citation_that_was_changed_is_refused(asked: KnowledgeGraph, tmp_path: Path) -> None:
    cited = asked.cite(asked.ask("durations"))
    cited["rows"][0] = cited["rows"][0] + "0"
    (tmp_path / "c.json").write_text(json.dumps(cited))
    with pytest.raises(InputError, match="its rows are not those of its digest"):
        asked.check(tmp_path / "c.json")


def test_a_citation_of_a_cut_answer_says_so(asked: KnowledgeGraph, tmp_path: Path) -> None:
    cited = asked.cite(asked.ask("durations", limit=2))
    (tmp_path / "c.json").write_text(json.dumps(cited))
    assert [(each.kind, each.text) for each in asked.check(tmp_path / "c.json")] == [
        ("cut", "the answer was cut at 2 rows: there are more")
    ]
    late = cited | {"cut": "cut after 1 s: there may be more"}
    (tmp_path / "c.json").write_text(json.dumps(late))
    with pytest.raises(InputError, match="nothing can be checked"):
        asked.check(tmp_path / "c.json")


def test_the_digest_of_a_state_is_kept_and_that_of_the_next_is_its_own(tmp_path: Path) -> None:
    kg = open_with(Config(), tmp_path / "store")
    kg.ingest([sample() / "gammapy.log"])
    first = kg.graph().digest()
    [kept] = (tmp_path / "store").glob("snapshots/*/beside/sha256")
    assert kept.read_text() == first == open_with(Config(), tmp_path / "store").graph().digest()
    kg.ingest([sample() / "calibration.log"])
    assert kg.graph().digest() != first
    kg.optimize()
    assert kg.graph().digest() == (tmp_path / "store/snapshots/000003/beside/sha256").read_text()


def test_the_query_folder_ships() -> None:
    assert len(list(folder("queries").glob("*.rq"))) == len(questions())
