"""Reasoning: what the ontologies entail, the same as owlrl, in a graph of its own, and never followed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, Triple, parse

from provkg.errors import StoreError
from provkg.knowledge import KnowledgeGraph
from provkg.questions import questions
from provkg.reasoning import owl_closure, rules
from provkg.resources import sample
from provkg.validation import scope as scopes
from provkg.vocab import INFERENCES, PROV, VP
from tests.logs import activity, log, session

Write = Callable[[str, str | bytes], Path]
# Inverses are left to query time; ivoa.net has its own names for ours.
LEFT_OUT = {PROV.influenced}


def inferred(kg: KnowledgeGraph) -> set[Triple]:
    graph = kg.graph()
    return {quad.triple for quad in graph.quads(graph=graph.iri(INFERENCES))}


def by_owlrl(kg: KnowledgeGraph) -> set[Triple]:
    """What owlrl entails, of the properties that the rules conclude."""
    kg.forget_inferences()
    entailed = owl_closure(scopes.whole(kg.graph()).text)
    concluded = {rule.conclusion for rule in rules()} - LEFT_OUT
    triples = (quad.triple for quad in parse(entailed, format=RdfFormat.N_TRIPLES))
    return {each for each in triples if each.predicate.value in concluded and "ivoa.net" not in each.predicate.value}


DOCUMENT = f"""@prefix prov: <{PROV.iri}> . @prefix vp: <{VP.iri}> . @prefix ex: <http://example.org/> .
@prefix ivoa: <http://www.ivoa.net/documents/ProvenanceDM/index.html#> .
ex:e2 prov:qualifiedRevision ex:r . ex:r a prov:Revision ; prov:entity ex:e1 .
ex:e3 prov:wasQuotedFrom ex:e2 ; prov:specializationOf ex:e4 .
ex:a prov:qualifiedStart ex:s ; prov:qualifiedUsage ex:u ; vp:qualifiedConfiguration ex:c . ex:s prov:entity ex:e1 .
ex:u prov:entity ex:e1 . ex:c prov:entity ex:p . ex:p a vp:Parameter ; vp:hadReference ex:v .
ex:b prov:qualifiedCommunication ex:i ; ivoa:wasConfiguredBy ex:p . ex:i prov:activity ex:a .
ex:e5 prov:wasGeneratedBy ex:a . ex:d prov:used ex:e5 .
ex:agent prov:qualifiedDelegation ex:del . ex:del prov:agent ex:chief .
"""


@pytest.mark.parametrize("kind", ["sample", "document"])
def test_the_rules_entail_what_owlrl_does(kg: KnowledgeGraph, write: Write, kind: str) -> None:
    kg.ingest([sample() / "Run12012.log"] if kind == "sample" else [write("d.ttl", DOCUMENT)])
    reference = by_owlrl(kg)
    kg.infer()
    assert inferred(kg) == reference
    assert len(reference) > 20


def test_a_run_of_a_generated_night_is_reasoned_as_owlrl_does(kg: KnowledgeGraph, shared: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    night = tmp_path / "night"
    script = shared / "bench" / "night.py"
    subprocess.run([sys.executable, script, night, "--runs", "1", "--subruns", "6"], check=True, capture_output=True)
    kg.ingest([night])
    reference = by_owlrl(kg)
    kg.infer()
    assert inferred(kg) == reference
    predicates = {each.predicate.value for each in reference}
    assert {PROV.wasInformedBy, PROV.wasInfluencedBy, PROV.used} <= predicates


def test_the_document_entails_what_one_expects(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("d.ttl", DOCUMENT)])
    counts = kg.infer()
    assert counts["wasInformedBy"] == 2  # by the communication, and by what one made and the other used
    said = {
        tuple(term.value.rpartition("/")[2].rpartition("#")[2] for term in (each.subject, each.predicate, each.object))
        for each in inferred(kg)
    }
    assert {("e2", "wasDerivedFrom", "e1"), ("agent", "actedOnBehalfOf", "chief")} <= said


def test_inferences_can_be_taken_back(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    before = kg.graph().dump()
    counts = kg.infer()
    assert kg.infer() == counts  # made anew
    assert kg.graph().dump() != before
    assert kg.forget_inferences() == sum(counts.values()) > 100
    assert sorted(kg.graph().dump().splitlines()) == sorted(before.splitlines())


def test_an_ingest_takes_inferences_back_and_says_so(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([sample()])
    kg.infer()
    summary = kg.ingest([write("more.log", log(session(), activity("aaaaaa", used=("/d/x",))))])
    assert any("inferences removed" in remark for remark in summary.remarks)
    assert inferred(kg) == set()


def test_nothing_that_was_inferred_is_followed(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    product = "crab_flux_points.fits"

    def answers() -> list:
        asked = [list(kg.ask(name, **question.example)) for name, question in sorted(questions().items())]
        return [asked, kg.lineage(product), kg.lineage("LST-1.1.Run12011.0000.fits.fz", down=True), kg.show(product)]

    before, digest, report = answers(), kg.graph().digest(), kg.validate()
    kg.infer()
    assert answers() == before
    assert kg.graph().digest() == digest
    assert kg.validate() == report


def test_owl_2_rl_is_for_a_part(kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    kg.ingest([sample()])
    counts = kg.infer(owl=True, run="12013")
    assert counts["type"] > 100
    assert counts["wasInfluencedBy"] > 10
    assert kg.forget_inferences() == sum(counts.values())
    monkeypatch.setattr("provkg.reasoning.LIMIT", 10)
    with pytest.raises(StoreError, match="too many for OWL 2 RL"):
        kg.infer(owl=True)


def test_there_must_be_a_store(kg: KnowledgeGraph) -> None:
    with pytest.raises(StoreError, match="no store"):
        kg.infer()


def test_nothing_that_owl_infers_is_seen_either(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    before = kg.status(), [list(kg.ask("never-ended"))]
    kg.infer(owl=True, run="12013")
    after = kg.status(), [list(kg.ask("never-ended"))]
    assert after == before


def test_there_must_be_a_store_to_forget_in(kg: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        kg.forget_inferences()
    assert not (tmp_path / "store").exists()
