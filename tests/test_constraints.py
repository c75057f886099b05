"""PROV-CONSTRAINTS: the verdicts of the W3C, and a failing case for every rule."""

import csv
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse

from provkg.config import Config
from provkg.knowledge import KnowledgeGraph
from provkg.knowledge.files import validate_files
from provkg.validation import Report
from provkg.validation.constraints import NAMES, breaches, dated, read

CASES = Path(__file__).parent / "cases" / "constraints"
SHARED = Path(__file__).parent.parent.parent / "shared" / "data" / "constraints"
# These put an event before an end or an invalidation, and nothing strict leads on from there: no graph can break them
# without times. The others cannot be broken alone: the events they make one are one here.
ONLY_BY_TIME = {30, 31, 32, 35, 36, 38, 39, 40, 44, 46, 47, 49}


def manifest() -> list[dict[str, str]]:
    if not SHARED.is_dir():
        return []
    with (SHARED / "manifest.csv").open() as file:
        return list(csv.DictReader(file))


def judged(path: Path, layer: str = "prov-constraints", engine: str = "auto") -> Report:
    return validate_files([path], Config(), layers=[layer], engine=engine)[0]


def rules(report: Report) -> set[str]:
    return {rule for finding in report.findings for rule in finding.rule.split()}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the W3C cases, ../shared/data/constraints, are not here")
@pytest.mark.parametrize("engine", ["shacl", "pyshacl"])
@pytest.mark.parametrize("row", manifest(), ids=[row["case"] for row in manifest()])
def test_the_verdict_is_that_of_the_w3c(row: dict[str, str], engine: str) -> None:
    report = judged(SHARED / f"{row['case']}.trig", engine=engine)
    assert report.conforms is (row["expected"] == "PASS"), report.findings
    if row["expected"] == "FAIL":
        named = {"dm"} if row["constraints"] == "DM" else set(row["constraints"].split())
        assert named <= rules(report)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the W3C cases, ../shared/data/constraints, are not here")
def test_there_are_78_cases() -> None:
    assert len(manifest()) == 78


@pytest.mark.parametrize("number", sorted(set(NAMES) - ONLY_BY_TIME))
def test_a_rule_finds_its_failing_case(number: int) -> None:
    report = judged(CASES / f"c{number}.trig")
    assert not report.conforms
    assert f"c{number}" in rules(report)
    assert all(finding.severity == "Violation" and finding.layer == "prov-constraints" for finding in report.findings)


@pytest.mark.parametrize("number", range(30, 50))
def test_times_that_contradict_the_order_name_its_rule(number: int) -> None:
    path = CASES / f"timed-c{number}.trig"
    quads = list(parse(path=path, format=RdfFormat.TRIG))
    bundle = read(quads, lambda node: node.startswith("_:"))
    assert {rule for each in dated(bundle) for rule in each.rules} == {number}
    if number in ONLY_BY_TIME:  # PROV compares no times, but an activity has one start and one end (28, 29)
        found = {rule for each in breaches(bundle) for rule in each.rules}
        assert found == {31: {28}, 32: {29}}.get(number, set())


def test_every_rule_from_22_to_56_has_a_case() -> None:
    assert sorted(NAMES) == list(range(22, 57))
    held = {path.stem for path in CASES.glob("*.trig")}
    assert held == {f"c{number}" for number in set(NAMES) - ONLY_BY_TIME} | {f"timed-c{n}" for n in range(30, 50)}


def test_times_in_a_store_are_judged_across_its_sources(kg: KnowledgeGraph, write) -> None:
    prefixes = "@prefix prov: <http://www.w3.org/ns/prov#> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
    made = '<http://e/x> prov:generatedAtTime "2023-03-13T09:00:00Z"^^xsd:dateTime .\n'
    used = '<http://e/a> prov:used <http://e/x> ; prov:endedAtTime "2023-03-13T08:00:00Z"^^xsd:dateTime .\n'
    kg.ingest([write("made.ttl", prefixes + made), write("used.ttl", prefixes + used)])
    [finding] = [each for each in kg.validate(layers=["archive"]).findings if "c37" in each.rule]
    assert (finding.rule, finding.severity) == ("c33 c37", "Warning")
    assert "2023-03-13T08:00:00" in finding.message


def test_bundles_are_judged_alone(write) -> None:
    text = """@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <http://example.org/> .
        ex:b1 { ex:e1 prov:wasDerivedFrom ex:e2 . }
        ex:b2 { ex:e2 prov:wasDerivedFrom ex:e1 . }"""
    assert judged(write("two.trig", text)).conforms
    assert not judged(write("one.trig", text.replace("ex:b2", "ex:b1"))).conforms


def test_a_file_that_derives_from_itself_by_path_is_no_cycle(kg: KnowledgeGraph, write) -> None:
    """lstosa's dl1ab records its own output as its progenitor: a path is not a version."""
    from tests.logs import activity, entity, line, log, session

    dl1 = entity("/d/dl1.h5")
    derivation = {"entity_id": dl1["entity_id"], "progenitor_id": dl1["entity_id"], "session_tag": "dl1ab:01618"}
    steps = [session(), activity("aaaaaa", used=("/d/dl1.h5",), generated=("/d/dl1.h5",))]
    kg.ingest([write("a.log", log(*steps) + line(derivation))])
    assert kg.validate(layers=["prov-constraints"]).findings == ()


def test_a_prov_document_that_names_a_generation_twice_is_found(write) -> None:
    text = """document
  prefix ex <http://example.org/>
  entity(ex:e)
  activity(ex:a, -, -)
  wasGeneratedBy(ex:g1; ex:e, ex:a, -)
  wasGeneratedBy(ex:g2; ex:e, ex:a, -)
endDocument
"""
    report = judged(write("twice.provn", text))
    assert rules(report) == {"c24"}
    assert judged(write("once.provn", text.replace("ex:g2", "ex:g1"))).conforms


# What an independent review broke: each was a wrong answer once.

PREFIX = """@prefix prov: <http://www.w3.org/ns/prov#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <http://example.org/> .
"""
EARLY, LATE = '"2020-01-01T00:00:00Z"^^xsd:dateTime', '"2021-01-01T00:00:00Z"^^xsd:dateTime'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # nodes without a type
        ("ex:a prov:qualifiedUsage ex:u . ex:b prov:qualifiedUsage ex:u . ex:u prov:entity ex:e, ex:f .", {"c23"}),
        (f"ex:c prov:startedAtTime {EARLY}, {LATE} ; prov:used ex:e .", {"c22"}),
        ("ex:e2 prov:qualifiedDerivation [ prov:entity ex:e1 ; prov:hadUsage ex:u9 ] .", {"c51"}),
        (f"ex:x a prov:Entity ; prov:startedAtTime {EARLY} .", {"c50", "c55"}),
        # what inference 11 implies
        (
            "ex:e2 prov:qualifiedDerivation ex:d . ex:d prov:entity ex:e1 ; prov:hadActivity ex:a ."
            " ex:a prov:wasStartedBy ex:e3 . ex:e3 prov:wasDerivedFrom ex:e2 .",
            {"c34", "c42", "c43"},
        ),
        (
            "ex:e2 prov:qualifiedDerivation ex:d ; prov:qualifiedGeneration ex:g3 . ex:g3 prov:activity ex:a ."
            " ex:d prov:entity ex:e1 ; prov:hadActivity ex:a ; prov:hadUsage ex:u ; prov:hadGeneration ex:g2 .",
            {"c24"},
        ),
        # several starts need one time
        (
            "ex:a a prov:Activity ; prov:qualifiedStart ex:s1, ex:s2 ."
            f" ex:s1 a prov:Start ; prov:hadActivity ex:b1 ; prov:atTime {EARLY} ."
            f" ex:s2 a prov:Start ; prov:hadActivity ex:b2 ; prov:atTime {LATE} .",
            {"c28"},
        ),
        # valid: superclasses, one instant in two zones, a literal in the place of a node
        (
            "ex:a prov:qualifiedUsage ex:u . ex:u a prov:Usage, prov:EntityInfluence, prov:Influence ; prov:entity ex:e .",
            set(),
        ),
        (
            'ex:a a prov:Activity ; prov:startedAtTime "2020-01-01T01:00:00+01:00"^^xsd:dateTime ; prov:qualifiedStart ex:s .'
            f" ex:s a prov:Start ; prov:atTime {EARLY} .",
            set(),
        ),
        ('ex:e prov:wasGeneratedBy "http://example.org/q" . ex:z prov:used ex:q .', set()),
        ('ex:z a prov:Activity ; prov:used "input file.fits" .', set()),
    ],
)
@pytest.mark.parametrize("engine", ["shacl", "pyshacl"])
def test_a_document_in_turtle_is_judged_right(write, text: str, expected: set[str], engine: str) -> None:
    assert rules(judged(write("d.ttl", PREFIX + text), engine=engine)) == expected


def provn(*statements: str) -> str:
    return "document\n  prefix ex <http://example.org/>\n  " + "\n  ".join(statements) + "\nendDocument\n"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            (
                *("used(ex:u; ex:a, ex:e, -)", "wasGeneratedBy(ex:g; ex:f, ex:a, -)"),
                "wasDerivedFrom(ex:d; ex:f, ex:e, ex:a, ex:g, ex:u)",
            ),
            set(),
        ),
        (("entity(ex:p)", "actedOnBehalfOf(ex:d; ex:g, ex:h, ex:p)"), {"c50", "c55"}),
        (("used(ex:u1; ex:a, ex:e, -)", "used(ex:u1; ex:a, ex:f, -)"), {"c23"}),
        (
            (
                "wasGeneratedBy(ex:g; ex:e, ex:a, 2011-11-16T16:05:00Z)",
                "wasGeneratedBy(ex:e, ex:a, 2012-11-16T16:05:00Z)",
            ),
            {"c24", "c23"},
        ),
    ],
)
def test_a_document_in_prov_n_is_judged_right(write, statements: tuple[str, ...], expected: set[str]) -> None:
    assert rules(judged(write("d.provn", provn(*statements)))) == expected


def test_a_rule_of_two_layers_is_told_once(write) -> None:
    path = write("d.ttl", PREFIX + "ex:a prov:qualifiedUsage ex:u . ex:u a prov:Usage ; prov:entity ex:e, ex:f .")
    report, _ = validate_files([path], Config(), layers=["ivoa", "prov-constraints"])
    assert [each.shape for each in report.findings] == ["Usage-entity"]


def test_an_rdf_file_does_not_keep_others_from_being_judged(write) -> None:
    bad = write("bad.provn", provn("entity(ex:x)", "activity(ex:x, -, -)"))
    good = write("good.ttl", PREFIX + "ex:e a prov:Entity .")
    report, _ = validate_files([bad, good], Config(), layers=["prov-constraints"])
    assert rules(report) == {"c55"}


@pytest.mark.parametrize("engine", ["shacl", "pyshacl"])
def test_sources_are_bundles_and_are_not_judged_together(kg: KnowledgeGraph, write, engine: str) -> None:
    kg.ingest([write("a.ttl", PREFIX + "ex:a a prov:Activity ."), write("b.ttl", PREFIX + "ex:a a prov:Entity .")])
    assert kg.validate(layers=["prov-constraints"], engine=engine).findings == ()


@pytest.mark.parametrize("engine", ["shacl", "pyshacl"])
def test_a_usage_of_another_source_is_seen_from_both_ends(kg: KnowledgeGraph, write, engine: str) -> None:
    usage = f"ex:u a prov:Usage ; prov:entity ex:e ; prov:atTime {EARLY} ."
    owner = f"ex:a a prov:Activity ; prov:startedAtTime {LATE} ; prov:qualifiedUsage ex:u ."
    kg.ingest([write("u.ttl", PREFIX + usage), write("a.ttl", PREFIX + owner)])
    report = kg.validate(layers=["ivoa-prose", "ivoa"], engine=engine)
    assert {each.shape for each in report.findings} == {"Usage-after-start"}


def test_times_of_other_sources_count_for_a_part(kg: KnowledgeGraph, write) -> None:
    kg.ingest([write("a.ttl", PREFIX + f"ex:e prov:generatedAtTime {LATE} .")])
    later = kg.ingest([write("b.ttl", PREFIX + f"ex:b prov:used ex:e ; prov:endedAtTime {EARLY} .")])
    [finding] = kg.validate(layers=["archive"], sources=later.touched, severity="Warning").findings[-1:]
    assert finding.rule == "c33 c37"


def test_a_long_chain_of_specializations_is_judged_in_one_pass(write) -> None:
    chain = "\n".join(f"ex:e{number} prov:specializationOf ex:e{number + 1} ." for number in range(20_000))
    bundle = read(list(parse(PREFIX + chain, format=RdfFormat.TURTLE)), lambda node: False)
    assert list(breaches(bundle)) == []
    loop = read(list(parse(PREFIX + chain + " ex:e20000 prov:specializationOf ex:e5 .", format=RdfFormat.TURTLE)), bool)
    assert {each.rules for each in breaches(loop)} == {(52,)}
