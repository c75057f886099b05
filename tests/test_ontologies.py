"""Ontologies: whole, declared, used, in OWL 2 RL, and nothing in them contradicts itself."""

import re
from pathlib import Path

import owlrl
import pytest
import rdflib
from rdflib import OWL, RDF, RDFS, SKOS, URIRef

from provkg.fixity import STATES
from provkg.readers.metadata import product_properties
from provkg.resources import folder
from provkg.vocab import PKG, VP

ROOT = Path(__file__).parent.parent
OURS = {"provkg.ttl": ("pkg", PKG), "voprov.ttl": ("vp", VP)}
STATUS = URIRef("http://www.w3.org/2003/06/sw-vocab-status/ns#term_status")
ERROR = URIRef("http://www.daml.org/2002/03/agents/agent-ont#ErrorMessage")


def graph(*names: str) -> rdflib.Graph:
    found = rdflib.Graph()
    for name in names:
        found.parse(folder("ontologies") / name, format="turtle")
    return found


def declared(name: str) -> dict[str, URIRef]:
    namespace = OURS[name][1]
    subjects = {each for each in graph(name).subjects() if isinstance(each, URIRef)}
    return {str(each).removeprefix(namespace.iri): each for each in subjects if str(each).startswith(namespace.iri)}


def used(name: str) -> set[str]:
    """The terms that the code, a shape or a query uses."""
    prefix = OURS[name][0]
    found = set()
    for path in (ROOT / "provkg").rglob("*.py"):
        found |= set(re.findall(rf"\b{prefix.upper()}\.([A-Za-z]\w*)", path.read_text()))
    for path in [*folder("queries").glob("*.rq"), *folder("shapes").rglob("*.ttl")]:
        found |= set(re.findall(rf"\b{prefix}:([A-Za-z]\w*)", path.read_text()))
    return found - {"iri"}


def built(name: str) -> set[str]:
    """The terms whose names the code puts together: statuses, states, levels, header keys, facts of a parameter."""
    if name == "voprov.ttl":
        return {"datatype", "arraysize", "xtype", "unit", "ucd", "utype", "min", "max", "default"}
    keys = (
        *("CTA REFERENCE VERSION", "CTA PRODUCT DESCRIPTION", "CTA PRODUCT DATA ASSOCIATION"),
        *("CTA PRODUCT DATA LEVELS", "CTA PRODUCT DATA LEVEL", "CTA PROCESS TYPE", "CTA PROCESS SUBTYPE"),
        *("CTA ACTIVITY TYPE", "CTA INSTRUMENT CLASS", "CTA INSTRUMENT TYPE", "CTA INSTRUMENT SUBTYPE"),
        "CTA INSTRUMENT VERSION",
    )
    headers = {str(key).removeprefix(PKG.iri) for key, _ in product_properties(dict.fromkeys(keys, "x"))}
    levels = {"R0", "R1", *(f"DL{number}" for number in range(7))}
    return {*headers, *levels, "completed", "failed", "interrupted", "running", "unknown", *STATES}


@pytest.mark.parametrize("name", OURS)
def test_every_term_that_is_used_is_declared(name: str) -> None:
    assert used(name) | built(name) <= declared(name).keys()


@pytest.mark.parametrize("name", OURS)
def test_every_declared_term_is_used_or_marked(name: str) -> None:
    """``stable`` terms are written, validated or asked for; ``testing`` ones are only declared."""
    ontology = graph(name)
    in_use = used(name) | built(name)
    for word, term in declared(name).items():
        marks = {str(each) for each in ontology.objects(term, STATUS)}
        assert marks == {"stable" if word in in_use else "testing"}, word


@pytest.mark.parametrize("name", OURS)
def test_every_term_has_a_type_a_label_and_a_definition(name: str) -> None:
    ontology = graph(name)
    for word, term in declared(name).items():
        assert list(ontology.objects(term, RDF.type)), word
        assert len(list(ontology.objects(term, RDFS.label))) == 1, word
        [definition] = ontology.objects(term, SKOS.definition)
        assert str(definition).endswith("."), word
        assert ontology.value(term, RDFS.isDefinedBy), word


def test_every_element_of_the_ivoa_model_has_a_term() -> None:
    """The list is that of the VO-DML file of the Recommendation; the package itself is no element."""
    elements = set((ROOT / "tests/cases/vodml-ids.txt").read_text().split()) - {"ActivityConfiguration"}
    ids = {str(each).removeprefix("voprov:") for each in graph("voprov.ttl").objects(None, URIRef(VP.vodmlId))}
    assert ids == elements
    assert len(elements) > 100


def test_the_reserved_words_of_the_model_are_concepts() -> None:
    ontology = graph("voprov.ttl", "provkg.ttl")
    schemes = {
        scheme: {str(ontology.value(each, SKOS.notation)) for each in ontology.subjects(SKOS.inScheme, URIRef(scheme))}
        for scheme in (VP.AgentRoles, VP.ActivityTypes, VP.UsageTypes, VP.ArtefactTypes, PKG.DataLevels)
    }
    assert schemes[VP.UsageTypes] == {"Main", "Calibration", "Preview", "Setup", "Quality", "Log", "Context"}
    assert schemes[VP.ArtefactTypes] == {"Parameter", "ConfigFile"}
    assert len(schemes[VP.AgentRoles]) == 12
    assert len(schemes[VP.ActivityTypes]) == 7
    assert schemes[PKG.DataLevels] == {"R0", "R1", *(f"DL{number}" for number in range(7))}


def test_the_terms_that_voprov_writes_are_equivalent_to_ours() -> None:
    ontology = graph("voprov.ttl")
    ivoa = "http://www.ivoa.net/documents/ProvenanceDM/index.html#"
    equal = {
        str(theirs).removeprefix(ivoa): str(ours)
        for term in (OWL.equivalentClass, OWL.equivalentProperty)
        for ours, theirs in ontology.subject_objects(term)
    }
    assert equal["wasConfiguredBy"] == VP.wasConfiguredBy
    assert equal["ConfigurationRelation"] == VP.Configuration
    assert equal["Usage"] == "http://www.w3.org/ns/prov#Usage"
    assert len(equal) > 40


# OWL 2 RL: https://www.w3.org/TR/owl2-profiles/#OWL_2_RL. These constructs are allowed anywhere they stand here;
# unions, existentials and cardinalities, which are not, do not occur.
ALLOWED = {
    *(OWL.equivalentClass, OWL.equivalentProperty, OWL.disjointWith, OWL.propertyChainAxiom, OWL.imports),
    *(OWL.versionInfo, OWL.Ontology, OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty),
    OWL.NamedIndividual,
}


@pytest.mark.parametrize("name", OURS)
def test_an_ontology_of_ours_is_in_owl_2_rl(name: str) -> None:
    ontology = graph(name)
    owl = {term for triple in ontology for term in triple if str(term).startswith(str(OWL))}
    assert owl <= ALLOWED
    for predicate in (RDFS.subClassOf, RDFS.domain, RDFS.range, OWL.equivalentClass, OWL.disjointWith):
        assert all(isinstance(each, URIRef) for each in ontology.objects(None, predicate))


def closure(*names: str, more: str = "") -> rdflib.Graph:
    """What follows when every class has an instance: an instance of a class that cannot have one is an error."""
    found = graph(*names)
    for number, term in enumerate(sorted(set(found.subjects(RDF.type, OWL.Class)))):
        if isinstance(term, URIRef) and term not in (OWL.Nothing, OWL.Thing):
            found.add((URIRef(f"urn:instance:{number}"), RDF.type, term))
    found.parse(data=more, format="turtle")
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(found)
    return found


@pytest.mark.parametrize(
    "names", [("prov-o.ttl",), ("prov-o.ttl", "voprov.ttl"), ("prov-o.ttl", "voprov.ttl", "provkg.ttl")]
)
def test_no_class_is_unsatisfiable(names: tuple[str, ...]) -> None:
    found = closure(*names)
    assert not list(found.subjects(RDF.type, OWL.Nothing))
    assert not list(found.subjects(RDF.type, ERROR))


def test_that_test_can_fail() -> None:
    broken = "<urn:x> a <http://www.w3.org/ns/prov#Activity>, <http://www.w3.org/ns/prov#Entity> ."
    found = closure("prov-o.ttl", more=broken)
    assert list(found.subjects(RDF.type, ERROR)) or list(found.subjects(RDF.type, OWL.Nothing))


def test_prov_o_is_as_the_w3c_ships_it() -> None:
    ontology = graph("prov-o.ttl")
    assert len(ontology) == 1146
    assert len(set(ontology.subjects(RDF.type, OWL.ObjectProperty))) == 44
    assert len(list(ontology.subject_objects(OWL.propertyChainAxiom))) == 13
    readme = (folder("ontologies") / "README.md").read_text()
    assert "https://www.w3.org/ns/prov-o.ttl" in readme
    assert "7d203989f67b38bca572253942acc5a1bf24ce3ccfece16f072dcb4be2b79a96" in readme
