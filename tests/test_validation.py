"""Shapes: what conforms is said to conform, each shape finds what it is for, and every finding names its line."""

from collections.abc import Callable
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import SH

from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from provkg.validation import shapes, validate
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, VP, XSD
from tests.logs import activity, log, session

Write = Callable[[str, str | bytes], Path]
SHAPE = "https://w3id.org/provkg/shapes/"
TIME = f"^^<{XSD}dateTime>"

# For each shape: what to take from the good graph (a predicate), and what to put in.
BROKEN: dict[str, tuple[list[str], list[str]]] = {
    "Activity-name": ([RDFS_LABEL], []),
    "Activity-start": ([PROV.startedAtTime], []),
    "Activity-end": ([], [f'<{{activity}}> <{PROV.endedAtTime}> "2030-01-01T00:00:00Z"{TIME}']),
    "Activity-order": ([PROV.endedAtTime], [f'<{{activity}}> <{PROV.endedAtTime}> "1999-01-01T00:00:00Z"{TIME}']),
    "Activity-status": ([], [f"<{{activity}}> <{PKG.status}> <{PKG.failed}>"]),
    "File-location": ([PKG.location], []),
    "Version-generation": ([], [f"<{{version}}> <{PROV.wasGeneratedBy}> <{{activity}}/other>"]),
    "Version-place": ([PROV.specializationOf], []),
    "Usage-entity": ([], [f"<{{usage}}> <{PROV.entity}> <{{version}}>"]),
    "Usage-activity": ([PROV.qualifiedUsage], []),
    "Usage-version": ([PKG.usedVersion], []),
    "Usage-role": ([PROV.hadRole], []),
    "Generation-activity": ([PROV.activity], []),
    "Generation-entity": ([PROV.qualifiedGeneration], []),
    "Generation-role": ([PROV.hadRole], []),
    "Session-start": ([PROV.startedAtTime], []),
    "Session-environment": ([PKG.environment], []),
    "Session-software": ([PROV.wasAssociatedWith], []),
}


@pytest.fixture
def good(kg: KnowledgeGraph, write: Write) -> KnowledgeGraph:
    kg.ingest([write("a.log", log(session(), activity("aaaaaa", used=("/d/x",), generated=("/d/y",))))])
    return kg


def nodes(kg: KnowledgeGraph) -> dict[str, str]:
    kinds = {"activity": PROV.Activity, "version": VP.DatasetEntity, "usage": PROV.Usage}
    return {name: next(kg.graph().quads(None, RDF_TYPE, kind)).subject.value for name, kind in kinds.items()}


def test_the_sample_conforms(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    report = validate(kg.graph())
    assert report.conforms
    assert {finding.severity for finding in report.findings} <= {"Info"}


def test_a_good_graph_has_no_finding(good: KnowledgeGraph) -> None:
    assert validate(good.graph()).findings == ()


def test_every_property_shape_has_a_broken_graph() -> None:
    named = {str(shape).removeprefix(SHAPE) for shape in shapes().objects(None, SH.property)}
    assert named == set(BROKEN)


@pytest.mark.parametrize("shape", BROKEN)
def test_a_shape_finds_what_it_is_for(good: KnowledgeGraph, shape: str) -> None:
    gone, put = BROKEN[shape]
    names = nodes(good)
    with good.store.write() as writing:
        source = next(quad.graph_name.value for quad in writing.graph.quads(names["activity"], RDF_TYPE, PROV.Activity))
        for predicate in gone:
            writing.remove(list(writing.graph.quads(None, predicate)))
        for statement in put:
            writing.load(f"{statement.format(**names)} <{source}> .\n")
    report = validate(good.graph())
    found = [finding for finding in report.findings if finding.shape == shape]
    assert found
    severity = str(shapes().value(rdflib.URIRef(SHAPE + shape), SH.severity)).rpartition("#")[2]
    assert {finding.severity for finding in found} == {severity}
    assert all(finding.source.endswith("a.log") for finding in found)
    if not put and gone[0] not in (PROV.qualifiedUsage, PROV.qualifiedGeneration, PROV.activity, PROV.specializationOf):
        assert all(finding.line for finding in found)


@pytest.mark.parametrize("shape", sorted(BROKEN))
def test_a_shape_says_why_and_what_to_do(shape: str) -> None:
    node = rdflib.URIRef(SHAPE + shape)
    assert str(shapes().value(node, SH.message)).endswith(".")
    assert shapes().value(node, SH.severity) is not None
    owner = shapes().value(None, SH.property, node)
    assert shapes().value(owner, rdflib.RDFS.seeAlso) is not None


def test_a_finding_names_the_line_of_the_record(kg: KnowledgeGraph, write: Write) -> None:
    backwards = activity("aaaaaa", used=("/d/x",), seconds=-5)
    path = write("a.log", "WARNING nothing\n" + log(session(), backwards))
    kg.ingest([path])
    [finding] = [each for each in validate(kg.graph()).findings if each.severity == "Violation"]
    assert (finding.shape, finding.source, finding.line) == ("Activity-order", str(path), 3)


def test_a_lost_start_is_a_violation_at_the_line_of_what_is_left(kg: KnowledgeGraph, write: Write) -> None:
    path = write("a.log", log(activity("aaaaaa", used=("/d/x",))[1:]))
    kg.ingest([path])
    found = {
        (finding.shape, finding.line) for finding in validate(kg.graph()).findings if finding.severity == "Violation"
    }
    assert found == {("Activity-name", 2), ("Activity-start", 2)}


def test_two_sources_that_contradict_each_other_are_found(kg: KnowledgeGraph, write: Write) -> None:
    text = log(session(), activity("aaaaaa", used=("/d/x",)))
    kg.ingest(
        [
            write("a.log", text),
            write("b.log", text.replace("'endTime': '2023-03-13T08:00:05", "'endTime': '2023-03-13T08:00:06")),
        ]
    )
    found = {finding.shape for finding in validate(kg.graph()).findings if finding.severity == "Violation"}
    assert found == {"Activity-end"}


def test_warnings_and_infos_do_not_make_a_graph_nonconforming(kg: KnowledgeGraph, write: Write) -> None:
    record = session()
    del record["system"]
    kg.ingest([write("a.log", log(record, activity("aaaaaa")))])
    report = validate(kg.graph())
    assert report.conforms
    assert report.count("Warning") == 1
    assert validate(kg.graph(), severity="Violation").findings == ()
