"""Questions: each file stands for itself, is answered on the sample as expected, and no value can change the query."""

import csv
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Store

import provkg
from provkg.errors import Ambiguous, NotFound, QuestionError
from provkg.knowledge import KnowledgeGraph
from provkg.questions import find_question, questions
from provkg.resources import folder, sample

CASES = Path(__file__).parent / "cases" / "queries"
EXAMPLES: dict[str, dict[str, str]] = {
    "completeness": {},
    "durations": {},
    "with-parameter": {"parameter": "ObservationRun", "value": "12012"},
    "descendants": {"product": "drs4_pedestal.Run12010.0000.h5"},
    "generated-twice": {},
    "impact": {"product": "/data/irf/crab_irf.fits.gz"},
    "lineage": {"product": "dl3_LST-1.Run12013.fits"},
    "never-ended": {},
    "parameters": {"product": "crab_flux_points.fits"},
    "parents": {"product": "dl3_LST-1.Run12012.fits"},
    "raw-files": {"product": "crab_flux_points.fits"},
    "software": {"product": "crab_irf.fits.gz"},
    "steps": {"product": "crab_flux_points.fits"},
    "which-product": {"file": "dl1_LST-1.Run12012.0001.h5"},
}
HOSTILE = ['" } DROP ALL #', "'''", '\\u0022 . ?s ?p ?o', "> ?x", "a\nb", "?_product_iri", "\\", "$_step", '"""', "<http://x>", "\ud800"]  # fmt: skip


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    kg = provkg.open(tmp_path_factory.mktemp("asked") / "store")
    kg.ingest([sample()])
    return kg


def test_every_question_has_an_example() -> None:
    assert set(questions()) == set(EXAMPLES)


def test_the_fourteen_questions_of_the_first_release_are_there() -> None:
    assert sorted(each.id for each in questions().values()) == sorted(
        ["T1", "T4", "T5", "T6", "T8", "T10", "R1", "R2", "Q6", "D3", "D4", "D9", "U2", "I1"]
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_question_is_answered_on_the_sample_as_expected(asked: KnowledgeGraph, name: str) -> None:
    rows = [
        {column: "" if value is None else str(value) for column, value in row.items()}
        for row in asked.ask(name, **EXAMPLES[name])
    ]
    path = CASES / f"{name}.csv"
    if os.environ.get("UPDATE_GOLDEN"):
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(find_question(name).columns), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    with path.open(newline="") as stream:
        assert rows == list(csv.DictReader(stream))
    assert rows


@pytest.mark.parametrize("path", sorted(folder("queries").glob("*.rq")), ids=lambda path: path.stem)
def test_a_question_is_plain_sparql_that_any_endpoint_runs(path: Path) -> None:
    assert Store().query(path.read_text()) is not None


@pytest.mark.parametrize("path", sorted(folder("queries").glob("*.rq")), ids=lambda path: path.stem)
def test_grlc_finds_the_same_parameters(path: Path) -> None:
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    found = {
        match[1] for match in re.finditer(r"\?_{1,2}([A-Za-z0-9]+)(?:_(?:iri|literal|integer|number|date))?\b", text)
    }
    assert found == set(find_question(path.stem).parameters)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_declared_columns_are_the_selected_ones(name: str) -> None:
    question = find_question(name)
    variables = Store().query(question.sparql).variables
    assert [variable.value for variable in variables] == list(question.columns)


@given(value=st.text() | st.sampled_from(HOSTILE))
def test_a_value_is_one_literal_and_changes_nothing_else(value: str) -> None:
    question = find_question("which-product")
    try:
        term = Literal(value)
    except (ValueError, UnicodeEncodeError):
        return
    bound = question.bind({"file": term})
    pieces = question.sparql.split("?_file")
    rest = bound
    for piece in pieces[:-1]:
        assert rest.startswith(piece + str(term))
        rest = rest[len(piece + str(term)) :]
    assert rest == pieces[-1]
    Store().query(bound)


@given(value=st.text())
def test_a_value_for_an_iri_is_an_iri_or_refused(value: str) -> None:
    try:
        term = NamedNode(value)
    except ValueError:
        return
    bound = find_question("parents").bind({"product": term})
    assert bound.count(str(term)) >= 1
    assert list(Store().query(bound)) == []


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_find_nothing(asked: KnowledgeGraph, value: str) -> None:
    if value != "\ud800":
        assert list(asked.ask("which-product", file=value)) == []
    with pytest.raises(NotFound):
        list(asked.ask("parents", product=value))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_second_source_that_says_the_same_changes_no_answer(asked: KnowledgeGraph, tmp_path: Path, name: str) -> None:
    twice = provkg.open(tmp_path / "store")
    for path in sample().iterdir():
        (tmp_path / f"copy-of-{path.name}").write_text(path.read_text() + "\n")  # another digest, so another source
    twice.ingest([sample(), *tmp_path.glob("copy-of-*")])
    assert twice.status()["sources"] == 10
    assert list(twice.ask(name, **EXAMPLES[name])) == list(asked.ask(name, **EXAMPLES[name]))


def test_a_usage_that_could_not_be_resolved_is_not_left_out(tmp_path: Path) -> None:
    lines = (sample() / "Run12012.log").read_text().splitlines(keepends=True)
    (tmp_path / "a.log").write_text("".join(line for line in lines if "'name': 'dl2_to_dl3'" not in line))
    kg = provkg.open(tmp_path / "store")
    kg.ingest([tmp_path / "a.log"])
    product = "dl3_LST-1.Run12012.fits"
    expected = {(step.location, step.evidence) for step in kg.lineage(product, depth=1)}
    assert {evidence for _, evidence in expected} == {"unresolved", "assumed"}
    assert {(row["location"], row["evidence"]) for row in kg.ask("parents", product=product)} == expected
    assert next(row for row in kg.ask("completeness") if row["level"] == "DL3")["inputs"] == 2
    assert {row["step"] for row in kg.ask("steps", product=product)} == {None}


def test_placeholders_in_comments_and_strings_are_left_alone() -> None:
    question = find_question("steps")
    assert question.bind({"product": NamedNode("http://e.org/x")}).count("http://e.org/x") == 1
    assert "BIND(?__step AS ?wanted)" in question.bind({"product": NamedNode("http://e.org/x")})


def test_an_optional_value_narrows(asked: KnowledgeGraph) -> None:
    rows = list(asked.ask("steps", product="crab_flux_points.fits", step="dl1ab"))
    assert [(row["step"], row["times"]) for row in rows] == [("dl1ab", 6)]
    assert list(asked.ask("steps", product="crab_flux_points.fits", step="flat-fielding")) == []
    assert list(asked.ask("completeness", night="19990101")) == []


@pytest.mark.parametrize(
    ("name", "values", "message", "hint"),
    [
        ("parnets", {}, "no question 'parnets'", "did you mean 'parents'?"),
        ("parents", {}, "parents needs product=…", "a path, file name, IRI or digest"),
        ("parents", {"prodct": "x"}, "parents has no parameter 'prodct'", "did you mean 'product'?"),
    ],
)
def test_what_is_wrong_with_a_question_is_said(
    asked: KnowledgeGraph, name: str, values: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(QuestionError) as error:
        list(asked.ask(name, **values))
    assert (error.value.message, error.value.hint) == (message, hint)


def test_a_path_with_several_versions_is_never_chosen_silently(asked: KnowledgeGraph) -> None:
    with pytest.raises(Ambiguous) as error:
        list(asked.ask("parents", product="dl1_LST-1.Run12012.0001.h5"))
    assert len(error.value.candidates) == 2


@pytest.mark.parametrize(
    "text", ["/data/irf/crab_irf.fits.gz", "crab_irf.fits.gz", "crab_i", "file/site/data/irf/crab_irf.fits.gz"]
)
def test_a_product_is_found_by_path_name_and_beginning(asked: KnowledgeGraph, text: str) -> None:
    [found] = asked.find(text)
    assert found.location == "/data/irf/crab_irf.fits.gz"
    assert asked.find(found.iri) == [found]
    assert asked.find(found.iri.rpartition("/")[2][:8]) == [found]


def test_a_product_is_found_by_its_id_and_by_its_path_digest(asked: KnowledgeGraph) -> None:
    [merged] = asked.find("gamma_merged.dl2.h5")
    uuid = merged.iri.rpartition("/")[2]
    assert asked.find(uuid) == asked.find(uuid[:9]) == [merged]
    [flux] = asked.find("180d6a850098577d7535be631168f696")
    assert flux.location.endswith("dl3_LST-1.Run12012.fits")
