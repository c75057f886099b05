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
    if number in ONLY_BY_TIME:  # PROV compares no times
        assert list(breaches(bundle)) == []


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
