"""Questions: each file stands for itself, is answered on the sample as it says, and no value can change the query."""

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Store
from rdflib.plugins.sparql import prepareQuery

import provkg
from provkg.config import Config
from provkg.errors import Ambiguous, MissingExtra, NotFound, QuestionError
from provkg.knowledge import KnowledgeGraph, open_with
from provkg.knowledge.finishing import CODE
from provkg.questions import Question, find_question, load, questions
from provkg.questions.binding import bind, placeholders
from provkg.questions.catalogue import of_folder
from provkg.questions.http import ROOT, respond
from provkg.questions.reading import parse
from provkg.questions.testing import differs, expected_of, lint, with_expected
from provkg.questions.unbound import unbound
from provkg.questions.values import Values
from provkg.resources import folder, sample
from tests.logs import activity, log, session

Write = Callable[[str, str | bytes], Path]
FLUX = "crab_flux_points.fits"
IDS = {
    "T": range(1, 11),
    "A": range(1, 5),
    "R": range(1, 11),
    "C": range(1, 6),
    "Q": (1, 2, 4, 5, 6, 7, 8),  # 3, conditions at data taking, stands in no record
    "D": range(1, 10),
    "I": range(1, 9),
    "U": range(1, 8),
    "G": range(1, 6),
}
HOSTILE = [
    'x" } UNION { ?s ?p ?value } } #',
    *('" } DROP ALL #', "'''", "> ?x", "a\nb", "?_product_iri", "\\", "$_step", '"""', "<http://x>", "\ud800", "\x00"),
    *("\\u0022 . ?s ?p ?o", "\\u0022 } #", '" . ?s ?p "TOKEN', '"@en } UNION { ?s ?p ?o', '"^^<x> } #', "' OR '1'='1"),
    *('TOKEN" }', "\r\n} #", "}} UNION {{ ?a ?b ?c }}", "?", "*", "%00", "../../etc/passwd", "\u202eTOKEN", "\uff02 }"),
    *(
        "); DROP ALL; (",
        "# TOKEN",
        "/* TOKEN */",
        "SELECT * { ?s ?p ?o }",
        "http://x/> } #",
        "entity/TOKEN> ?p ?o . <x",
    ),
]
SECRET = "TOKEN-8f3a"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    """The sample."""
    kg = open_with(Config(), tmp_path_factory.mktemp("asked") / "store")
    kg.ingest([sample()])
    return kg


# The files


def test_all_questions_that_need_no_outside_source_are_there() -> None:
    wanted = {f"{letter}{number}" for letter, numbers in IDS.items() for number in numbers}
    found = [each.id for each in questions().values()]
    assert set(found) >= wanted
    assert len(found) == len(set(found)) >= 50


def test_the_first_provenance_challenge_and_the_ivoa_use_cases_are_among_them() -> None:
    sources = " ".join(each.source for each in questions().values())
    said = re.findall(r"First Provenance Challenge ((?:Q\d(?:, | and )?)+)", sources)
    challenge = set(re.findall(r"Q\d", " ".join(said)))
    assert challenge >= {f"Q{number}" for number in range(1, 10)}
    for case in "ABCDE":
        assert f"IVOA ProvenanceDM use case {case}" in sources


NO_RECORDS = {"fixity", "jobs"}  # of what is found by looking at files, which no record holds


@pytest.mark.parametrize("path", sorted(folder("queries").glob("*.rq")), ids=lambda path: path.stem)
def test_a_file_has_no_problems(path: Path) -> None:
    assert [str(problem) for problem in lint(path, CODE)] == []


@pytest.mark.parametrize("name", questions())
def test_a_question_is_answered_on_the_sample_as_its_file_says(asked: KnowledgeGraph, name: str) -> None:
    question = find_question(name)
    answer = asked.ask(name, **question.example)
    assert differs(question, answer) == []
    assert answer or name in NO_RECORDS, "an example that shows nothing"


@pytest.mark.parametrize("name", [name for name, each in questions().items() if name != "statement-source"])
def test_a_second_source_that_says_the_same_changes_no_answer(
    asked: KnowledgeGraph, twice: KnowledgeGraph, name: str
) -> None:
    example = find_question(name).example
    again, once = ([{**row, "source": None} for row in kg.ask(name, **example)] for kg in (twice, asked))
    assert again == once  # but for the source, which is the first of those that say it


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    """The sample, and copies of its logs that are other sources and say the same."""
    where = tmp_path_factory.mktemp("twice")
    kg = open_with(Config(), where / "store")
    for path in sample().glob("*.log"):  # sorted after the originals, whose lines findings name
        (where / f"zz-{path.name}").write_text(path.read_text() + "\n")
    kg.ingest([sample()])
    kg.ingest([*where.glob("zz-*")])
    assert kg.status()["sources"] == 7 + 6
    return kg


def test_what_changed_in_an_answer_is_said(asked: KnowledgeGraph, tmp_path: Path) -> None:
    answer = asked.ask("steps", product=FLUX)
    (tmp_path / "odd.rq").write_text(
        with_expected(find_question("steps"), expected_of(answer))
        .replace('- ["dl1ab", 6', '- ["dl1ab", 7')
        .replace('digest: "sha256:', 'digest: "sha256:0')
    )
    [odd] = of_folder(tmp_path).values()
    [rows, first] = differs(odd, answer)
    assert rows == "the 13 rows are not those that were expected"
    assert "expected ['dl1ab', 7" in first
    assert "found ['dl1ab', 6" in first
    assert differs(odd, asked.ask("steps", product="crab_spectrum.fits"))[0].startswith(
        "13 rows were expected, 12 found"
    )


GOOD = """#+ summary: Which runs are there?
#+ id: X1
#+ description: The runs of all sessions.
#+ tags: [own]
#+ source: "a test"
#+ params:
#+   night: {type: night, required: false, example: "20230312", description: "an observation date"}
#+ columns: {run: string, sessions: integer}
#+ expect:
#+   rows: 2
#+   digest: "sha256:x"
#+   first: []
PREFIX pkg: <https://w3id.org/provkg/ns#>
SELECT ?run (COUNT(DISTINCT ?session) AS ?sessions) WHERE {
  ?session pkg:run ?run ; pkg:observationDate ?night .
  BIND(?__night AS ?wanted)
  FILTER(!BOUND(?wanted) || ?night = ?wanted)
}
GROUP BY ?run
ORDER BY STR(?run)
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("#+ id: X1\n", "", "the header has no id"),
        ("#+ tags: [own]", "#+ tags: [own", "x.rq:5: its header cannot be read"),
        ("#+ source:", "#+ sauce: s\n#+ source:", "the header has an unknown key 'sauce' (did you mean 'source'?)"),
        ("type: night", "type: nite", "night has an unknown type 'nite' (did you mean 'night'?)"),
        ("description: \"an obs", "descripton: \"an obs", "parameter night has an unknown key 'descripton'"),
        ("required: false", "required: true", "the header declares {'night': True}, the query has {'night': False}"),
        ("?__night", "?__nacht", "the query has {'nacht': False}"),
        ("ORDER BY STR(?run)", "", "its rows have no order"),
        ("columns: {run: string,", "columns: {runs: string,", "it selects run, sessions, and its columns are runs, sessions"),
        ("sessions: integer", "sessions: whole", "sessions has an unknown type 'whole'"),
        ("The runs of", "?_runs of", "grlc finds placeholders in comments and strings too: ?_runs"),
        ("WHERE {", "WHERE { SERVICE <http://x> { ?a ?b ?c }", "SERVICE is refused"),
        ("SELECT ?run (COUNT(DISTINCT ?session) AS ?sessions)", "SELECT ?run (?x AS", "no SPARQL 1.1"),
        ("(COUNT(DISTINCT ?session) AS ?sessions)", "?sessions", "no SPARQL 1.1"),
        ("example: \"20230312\", description: \"an observation date\"", "example: x", "parameter night has no description"),
        ("#+ expect:\n#+   rows: 2\n#+   digest: \"sha256:x\"\n#+   first: []\n", "", "it has no expected answer"),
        ("#+ tags", "#+ code: {magic: \"by magic\"}\n#+ tags", "there is no code 'magic'"),
        ("#+ tags", "#+ tree: [night]\n#+ tags", "tree: there is no column 'night'"),
        ("#+ tags", "#+ budget: {seconds: 0}\n#+ tags", "the budget is not above 0"),
        ("?__night", "?__night_integer", "grlc needs PREFIX xsd"),
        ("?__night", "?__limit", "the query has {'limit': False}"),
        ("night: {type", "limit: {type", "the header declares {'limit': False}"),
        ("BIND(?__night AS ?wanted)", "BIND(?__night AS ?wanted) OPTIONAL { ?x pkg:of ?odd } OPTIONAL { ?odd pkg:of ?y }", "?odd may be unbound"),
        ("{run: string,", "{yes: string,", "yes is no name: quote it"),
        ("id: X1", "id: x1", "the id 'x1' is not a capital letter"),
        ("id: X1", "id: X1\n#+ id: X2", "x.rq:3: its header cannot be read: id stands twice"),
        ("id: X1\n", "id: &a X1\n#+ first: [*a]\n", "an alias: write it out"),
        ("tags: [own]", "tags: own", "tags is 'own', and should be a list"),
        ("tags: [own]", "tags: [own]\n#+ local: perhaps", "local is 'perhaps', and should be true or false"),
        ("#+ params:", "#+ params: no\n#+ extra:", "the header has an unknown key 'extra'"),
        ("{run: string, sessions: integer}", "run", "columns is 'run', and should be a table of names"),
        ("#+ ", "# ", "it has no header"),
        ("required: false", "required: false, choices: \"SELECT ?value { SERVICE <http://x> { ?a ?b ?value } }\"", "SERVICE is refused"),
    ],
)  # fmt: skip
def test_lint_says_what_is_wrong_with_a_file(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "x.rq"
    path.write_text(GOOD)
    assert list(lint(path, CODE)) == []
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    assert any(problem in str(each) for each in lint(path, CODE)), [str(each) for each in lint(path, CODE)]


@pytest.mark.parametrize(
    ("sparql", "names"),
    [
        ("SELECT * { { ?a <p:1> ?b } UNION { ?c <p:2> ?b } ?b <p:3> ?d }", []),
        ("SELECT * { { ?a <p:1> ?b } UNION { ?c <p:2> ?b } ?c <p:3> ?d }", ["c"]),
        ("SELECT * { ?a <p:1> ?b OPTIONAL { ?b <p:2> ?c } OPTIONAL { ?c <p:3> ?d } }", ["c"]),
        ("SELECT * { ?a <p:1> ?b OPTIONAL { ?b <p:2> ?c OPTIONAL { ?c <p:3> ?d } } }", []),
        ("SELECT * { VALUES (?a ?b) { (1 UNDEF) (2 3) } OPTIONAL { ?b <p:3> ?a } }", ["b"]),
        ("SELECT * { VALUES (?a ?b) { (1 4) (2 3) } OPTIONAL { ?b <p:3> ?a } }", []),
        ("SELECT * { { SELECT ?a { ?a <p:1> ?b OPTIONAL { ?b <p:2> ?c } } } OPTIONAL { ?c <p:3> ?a } }", []),
        ("SELECT * { { SELECT ?a ?c { ?a <p:1> ?b OPTIONAL { ?b <p:2> ?c } } } OPTIONAL { ?c <p:3> ?a } }", ["c"]),
        ("SELECT * { GRAPH ?g { ?a <p:1> ?b } OPTIONAL { ?g <p:2> ?c } FILTER NOT EXISTS { ?c <p:3> ?d } }", []),
    ],
)
def test_a_variable_that_would_match_anything_is_found(sparql: str, names: list[str]) -> None:
    assert unbound(sparql) == names


def test_an_example_is_taken_as_it_is_written(tmp_path: Path) -> None:
    for text in ("012", "1_000", "2023-03-12", "1e3", "yes", "0x1F"):
        (tmp_path / "x.rq").write_text(GOOD.replace('"20230312"', text))
        assert load(tmp_path / "x.rq").example == {"night": text}


@given(
    row=st.lists(
        st.text(st.characters(exclude_categories=["Cs"])) | st.none() | st.integers() | st.booleans(), max_size=4
    )
)
def test_an_expected_row_is_read_as_it_was_written(row: list[object]) -> None:
    question = parse(Path("x.rq"), GOOD)
    for _ in range(2):  # once written, it can be replaced
        question = parse(Path("x.rq"), with_expected(question, {"rows": 1, "digest": "sha256:y", "first": [row, row]}))
    assert question.expected is not None
    assert question.expected.first == [row, row]
    assert question.sparql == parse(Path("x.rq"), GOOD).sparql


def test_a_file_name_is_a_name(tmp_path: Path) -> None:
    for name in ("X1", "a_b", "-a", "a b", "ä"):
        (tmp_path / f"{name}.rq").write_text(GOOD)
        with pytest.raises(QuestionError, match="small letters, digits and hyphens"):
            load(tmp_path / f"{name}.rq")


def test_two_questions_of_one_name_or_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "runs.rq").write_text(GOOD.replace("X1", "T1"))
    with pytest.raises(QuestionError, match=r"lineage\.rq are called alike"):
        questions([tmp_path])
    with pytest.raises(QuestionError, match="no folder of questions"):
        questions([tmp_path / "nowhere"])


# Values


@functools.lru_cache(4096)
def algebra(sparql: str) -> str:
    """The parsed query; rdflib is a second parser, independent of the store's."""
    return repr(prepareQuery(sparql).algebra)


def texts() -> st.SearchStrategy[str]:
    """Any text that RDF can hold, but what rdflib takes for a code point although its backslash is escaped."""
    whole = (st.text() | st.sampled_from(HOSTILE)).filter(
        lambda text: not any("\ud800" <= each <= "\udfff" for each in text)
    )
    return whole.filter(lambda text: not re.search(r"\\u[0-9a-f]{4}", text, re.IGNORECASE))


@given(value=texts())
def test_a_value_is_one_literal_and_changes_nothing_else(value: str) -> None:
    for name, parameter in (("which-product", "file"), ("with-parameter", "step")):
        question = find_question(name)
        others = {each: Literal("other") for each in question.parameters if each not in (parameter, "since", "until")}
        mark, bound = (question.bind({**others, parameter: Literal(each)}) for each in ("MARK", value))
        assert bound == mark.replace('"MARK"', str(Literal(value)))
        assert algebra(bound) == algebra(mark).replace("'MARK'", repr(value))


@settings(max_examples=25)
@given(values=st.lists(texts(), min_size=1, max_size=3))
def test_several_values_are_so_many_literals(values: list[str]) -> None:
    question = find_question("private-data")
    mark = algebra(question.bind({"kinds": [Literal(f"MARK{number}") for number in range(len(values))]}))
    for number, each in enumerate(values):
        mark = mark.replace(f"'MARK{number}'", repr(each))
    assert algebra(question.bind({"kinds": [Literal(each) for each in values]})) == mark


@given(
    value=st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from([each for each in HOSTILE if each != "\ud800"])
)
def test_the_store_reads_the_literal_that_was_bound(value: str) -> None:
    query = bind("SELECT (?_value AS ?told) {}", {"value": Literal(value)})
    assert [solution["told"] for solution in Store().query(query)] == [Literal(value)]


@given(value=st.text() | st.sampled_from(HOSTILE))
def test_a_value_for_an_iri_is_an_iri_or_refused(value: str) -> None:
    try:
        term = NamedNode(value)
    except ValueError:
        return
    question = find_question("parents")
    mark = question.bind({"product": NamedNode("http://mark.example/")})
    assert question.bind({"product": term}) == mark.replace("<http://mark.example/>", str(term))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    """The sample with something that no question shows."""
    where = tmp_path_factory.mktemp("guarded")
    (where / "secret.log").write_text(log(session(77, odd=SECRET), activity("facade", in_session=77)))
    kg = open_with(Config(), where / "store")
    kg.ingest([sample(), where / "secret.log"])
    assert SECRET.encode() in kg.graph().dump()
    return kg


def doors() -> list[tuple[str, str]]:
    """Every parameter that takes any text, and one of each other type."""
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for name, question in questions().items():
        for each in question.parameters.values():
            free = each.type in ("string", "thing", "iri") and not each.choices
            found.setdefault((name, each.name) if free else (each.type, str(each.many)), (name, each.name))
    return sorted(found.values())


@pytest.mark.parametrize("value", HOSTILE)
def test_no_hostile_value_reads_what_was_not_asked_for(guarded: KnowledgeGraph, value: str) -> None:
    known = guarded.questions()
    for name, parameter in doors():
        given = {**known[name].example, parameter: value}
        try:
            rows = list(guarded.ask(name, **given))
        except (QuestionError, NotFound, Ambiguous):
            rows = []
        assert SECRET not in str(rows), (name, parameter)
        query = {key: [each] for key, each in given.items()}
        assert SECRET not in respond(f"{ROOT}/{name}", query, known=known, ask=guarded.ask_of).body


def test_a_query_that_is_pasted_together_would_give_it_away(guarded: KnowledgeGraph) -> None:
    text = "SELECT ?value WHERE { { ?s ?p ?value ; <https://w3id.org/provkg/ns#fileName> ?_file } }"
    hostile = 'x" } UNION { ?s ?p ?value } } #'
    assert hostile in HOSTILE
    assert SECRET in str(list(guarded.graph().select(text.replace("?_file", f'"{hostile}"'))))
    assert list(guarded.graph().select(bind(text, {"file": Literal(hostile)}))) == []


def test_placeholders_in_comments_and_strings_are_left_alone() -> None:
    query = "SELECT ?x { ?x ?p '?_file', \"?_file\", <http://x/?_file>, ?_file } # ?_file"
    assert [each.name for each in placeholders(query)] == ["file"]
    assert bind(query, {"file": Literal("y")}) == query.replace(", ?_file }", ', "y" }')


@pytest.mark.parametrize(
    ("name", "values", "message", "hint"),
    [
        ("parnets", {}, "no question 'parnets'", "did you mean 'parents'?"),
        ("T44", {}, "no question 'T44'", "did you mean 'T4'?"),
        ("parents", {}, "parents needs product=…", "a path, file name, IRI or digest"),
        ("parents", {"product": ""}, "parents needs product=…", "a path, file name, IRI or digest"),
        ("parents", {"prodct": "x"}, "parents has no parameter 'prodct'", "did you mean 'product'?"),
        ("run-agents", {"run": "12102"}, "run: '12102' is not in the store", "did you mean '12012'? there are 12012, 12013, 12050"),
        ("night-overview", {"night": "20230314"}, "night: '20230314' is not in the store", "did you mean '20230313'? there are 20230312, 20230313"),
        ("steps", {"product": FLUX, "step": "dl1_ab"}, "step: 'dl1_ab' is not in the store", "did you mean 'dl1ab'? there are calibrate_charge"),
        ("lineage-levels", {"product": FLUX, "levels": "DL7"}, "levels: 'DL7' is not in the store", "there are R0, R1, DL0, DL1"),
        ("made-with-software", {"software": "lstchian"}, "software: 'lstchian' is not in the store", "did you mean 'lstchain'?"),
        ("made-with-software", {"software": "numpy", "range": "<1"}, "no version of numpy is in '<1'", "there are 1.24.2, 1.26.4"),
        ("made-with-software", {"software": "numpy", "range": "new"}, "range: 'new' is no range of versions", "there are 1.24.2, 1.26.4"),
        ("by-agent", {"account": "piepline"}, "account: 'piepline' is not in the store", "did you mean 'pipeline'?"),
        ("made-in", {"since": "yesterday", "until": "2023-03-12"}, "since: 'yesterday' is no time", "such as 2021-09-13"),
        ("unusual-durations", {"step": "dl1ab", "factor": "two"}, "factor: 'two' is no number", "a number"),
        ("unusual-durations", {"step": "dl1ab", "factor": "2 s"}, "factor has no unit, and 's' was given", "factor=2"),
        ("most-used", {"kind": "RFModel"}, "kind: 'RFModel' is not in the store", "did you mean 'RFModelDispFile'?"),
        ("statement-source", {"subject": FLUX, "property": "no property"}, "property: 'no property' is no IRI", "a CURIE of prov, vp"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_question_or_a_value_is_said(
    asked: KnowledgeGraph, name: str, values: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(QuestionError) as error:
        asked.ask(name, **values)
    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("name", "values", "same"),
    [
        ("run-agents", {"run": "Run12013"}, {"run": 12013}),
        ("run-agents", {"run": "012013"}, {"run": "12013"}),
        ("night-overview", {"night": "2023-03-12"}, {"night": 20230312}),
        ("night-overview", {"night": "2023_03_12"}, {"night": "20230312"}),
        ("steps", {"product": FLUX, "step": "DL1AB"}, {"product": FLUX, "step": "dl1ab"}),
        ("steps", {"product": FLUX, "step": "ctapipe_merge"}, {"product": FLUX, "step": "ctapipe-merge"}),
        ("lineage-levels", {"product": FLUX, "levels": ["dl2", "DL3"]}, {"product": FLUX, "levels": " DL2 , DL3 "}),
        ("made-with-software", {"software": "LSTchain", "range": "<0.9.14"}, {"software": "lstchain", "range": "v0.9.13"}),
        ("made-with-software", {"software": "lstchain"}, {"software": "lstchain", "range": "*", "level": "DL3"}),
        ("made-in", {"since": "2023-03-10", "until": "2023-03-11", "level": "DL2"}, {"since": "2023-03-10T02:00:00+02:00", "until": "2023-03-11T00:00:00Z", "level": "DL2"}),
        ("configuration-diff", {"first": FLUX, "second": "crab_spectrum.fits"}, {"first": "activity/log/9223372036581382375/10b61f/2023-04-02T15:30:39.012560", "second": "crab_spectrum.fits"}),
        ("statement-source", {"subject": FLUX}, {"subject": "/data/analysis/crab_flux_points.fits"}),
    ],
)  # fmt: skip
def test_values_can_be_written_in_several_ways(
    asked: KnowledgeGraph, name: str, values: dict[str, object], same: dict[str, object]
) -> None:
    rows = list(asked.ask(name, **values))
    assert rows == list(asked.ask(name, **same))
    assert rows


def test_times_without_a_zone_are_in_that_of_the_settings(asked: KnowledgeGraph) -> None:
    question = find_question("failures")
    terms = Values(asked.graph(), Config(zone="Atlantic/Canary")).terms(question, {"since": "2021-07-01T02:00"})
    assert terms["since"].value == "2021-07-01T01:00:00Z"


def test_a_number_with_a_unit_is_converted(
    tmp_path: Path, asked: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("astropy")
    parameter = '#+   longer: {type: number, unit: s, example: "30", description: "seconds"}'
    (tmp_path / "x.rq").write_text(
        GOOD.replace("#+ columns", parameter + "\n#+ columns").replace(
            "?night = ?wanted)", "?night = ?wanted)\n  FILTER(?_longer_number > 0)"
        )
    )
    [question] = of_folder(tmp_path).values()
    values = Values(asked.graph(), asked.config)
    given = ["90", "90 s", "1.5 min", "0.025 h", "9e1", " 90s "]
    assert {values.terms(question, {"longer": each})["longer"].value for each in given} == {"90", "90.0"}
    for wrong, hint in (("3 m", "a number of s"), ("3 parsnips", "a number of s")):
        with pytest.raises(QuestionError) as error:
            values.terms(question, {"longer": wrong})
        assert error.value.hint == hint
    monkeypatch.setitem(__import__("sys").modules, "astropy", None)
    with pytest.raises(MissingExtra, match="astropy is needed to convert min"):
        values.terms(question, {"longer": "2 min"})


def test_a_path_with_several_versions_is_never_chosen_silently(asked: KnowledgeGraph) -> None:
    with pytest.raises(Ambiguous) as error:
        asked.ask("parents", product="dl1_LST-1.Run12012.0001.h5")
    assert len(error.value.candidates) == 2
    with pytest.raises(NotFound, match="nobody recorded making"):
        asked.ask("configuration-diff", first="reg_disp.sav", second=FLUX)


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


# Answers


def test_an_optional_value_narrows(asked: KnowledgeGraph) -> None:
    rows = list(asked.ask("steps", product=FLUX, step="dl1ab"))
    assert [(row["step"], row["times"]) for row in rows] == [("dl1ab", 6)]
    assert [row["exitCode"] for row in asked.ask("failures", until="2023-03-11")] == [1]
    assert [row["run"] for row in asked.ask("failures", since="2023-03-11")] == ["12013"]
    assert list(asked.ask("failures", since="2023-04-04")) == []
    assert {row["kind"] for row in asked.ask("private-data")} == {
        "account",
        "host",
        "contact",
        "e-mail",
        "home directory",
        "environment",
    }


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
    blockers = {row["blocker"] for row in kg.ask("rerun-blockers", product=product)}
    assert "input of which no version is known" in blockers


def test_a_cut_answer_says_so(asked: KnowledgeGraph) -> None:
    whole = asked.ask("lineage", product=FLUX)
    assert (whole.cut, len(whole)) == ("", 77)
    some = asked.ask("lineage", product=FLUX, limit=10)
    assert (some.cut, list(some)) == ("cut at 10 rows: there are more", whole[:10])
    assert asked.ask("lineage", product=FLUX, limit=77).cut == ""
    assert "cut at 10 rows" in repr(some)


def test_an_answer_that_takes_too_long_is_cut(asked: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, gate = asked.graph(), Event()
    select = graph.select

    def slow(query: str) -> Iterator[dict]:
        for number, row in enumerate(select(query)):
            if number == 3:
                gate.wait(60)
            yield row

    monkeypatch.setattr(graph, "select", slow)
    monkeypatch.setattr(asked, "graph", lambda: graph)
    answer = asked.ask("durations", seconds=0.2)
    gate.set()
    assert (answer.cut, len(answer)) == ("cut after 0.2 s: there may be more", 3)
    monkeypatch.undo()
    assert asked.ask("durations", seconds=60).cut == ""


def test_an_error_while_rows_are_fetched_is_raised(asked: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = asked.graph()

    def broken(_: str) -> Iterator[dict]:
        yield {}
        raise OSError("the disk is gone")

    monkeypatch.setattr(graph, "select", broken)
    monkeypatch.setattr(asked, "graph", lambda: graph)
    with pytest.raises(OSError, match="the disk is gone"):
        asked.ask("durations", seconds=10)


def test_the_plan_tells_how_an_answer_was_found(asked: KnowledgeGraph) -> None:
    answer = asked.ask("attempts", product="dl2_LST-1.Run12013.h5")
    assert [(phase.what, phase.detail) for phase in answer.plan][1:3] == [
        ("sub-select", "?activity: 4"),
        ("SPARQL", "9 rows"),
    ]
    assert [phase.what for phase in asked.ask("impact", product=FLUX).plan] == [
        "bind values",
        "lineage index",
        "answer",
    ]


def test_a_question_of_ones_own_can_be_asked(tmp_path: Path, asked: KnowledgeGraph) -> None:
    (tmp_path / "runs.rq").write_text(GOOD)
    question: Question = of_folder(tmp_path)["runs"]
    assert list(asked.ask_of(question, {})) == [
        {"run": run, "sessions": count} for run, count in (("12012", 4), ("12013", 5), ("12050", 1))
    ]
