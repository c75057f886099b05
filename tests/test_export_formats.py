"""Exports as those read them for whom they are: rdflib, prov, voprov, rocrate-validator, runcrate, astropy, networkx."""

import contextlib
import datetime
import gzip
import io
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import prov.model
import pytest
import rdflib
from jsonschema import Draft202012Validator
from pyoxigraph import NamedNode, Quad, RdfFormat, parse
from rdflib.compare import isomorphic
from referencing import Registry, Resource

import provkg
from provkg.errors import InputError
from provkg.export import FORMATS, form_of
from provkg.export.jsonld import context
from provkg.export.slices import BOOKKEEPING, Slice
from provkg.knowledge import KnowledgeGraph
from provkg.resources import folder, sample
from provkg.vocab import PKG, PROV, VP
from tests.test_cli import provkg as command
from tests.views import run_log

HERE = Path(__file__).parent
READERS = Path(os.environ.get("PROVKG_READERS") or HERE.parent / ".venv-readers/bin/python")
needs_readers = pytest.mark.skipif(
    not READERS.exists(), reason="rocrate-validator, runcrate and voprov are not here: make readers installs them"
)
DATASETS = {"trig": "trig", "nquads": "nquads", "jsonld": "json-ld"}
TRIPLES = {"turtle": "turtle", "ntriples": "nt"}
PROV_READERS = {"prov-json": "json", "prov-jsonld": "jsonld", "prov-xml": "xml", "prov-n": "provn"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("formats")
    kg = provkg.open(folder / "store")
    (folder / "run.log").write_text(run_log(3, failed=(1,)))
    kg.ingest([sample(), folder / "run.log"])
    return kg


def quads(path: Path, form: RdfFormat) -> set[Quad]:
    return set(parse(path=path, format=form))


# RDF


@pytest.mark.parametrize("form", DATASETS)
def test_a_dataset_holds_every_quad_and_rdflib_reads_it(runs: KnowledgeGraph, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"all.{form}"
    runs.export(path, form)
    read = rdflib.Dataset()
    read.parse(path, format=DATASETS[form])
    every = list(runs.graph().pattern(None, None, None, None))
    assert len(list(read.quads())) == len(set(every))
    assert quads(path, {"trig": RdfFormat.TRIG, "nquads": RdfFormat.N_QUADS}.get(form, RdfFormat.JSON_LD)) == set(every)


@pytest.mark.parametrize("form", TRIPLES)
def test_triples_are_the_union_of_what_is_known(runs: KnowledgeGraph, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"all.{form}"
    runs.export(path, form)
    graph = runs.graph()
    hidden = {graph.iri(name) for name in BOOKKEEPING}
    known = {quad.triple for quad in graph.pattern(None, None, None, None) if quad.graph_name.value not in hidden}
    assert {quad.triple for quad in parse(path=path, format=RdfFormat.TURTLE)} == known
    assert path.read_bytes().count(b"\n") == len(known) or form == "turtle", "each once"
    assert len(rdflib.Graph().parse(path, format=TRIPLES[form])) == len(known)


@pytest.mark.parametrize("form", [*DATASETS, *TRIPLES])
def test_a_part_is_the_same_graph_in_every_syntax(runs: KnowledgeGraph, form: str, tmp_path: Path) -> None:
    runs.export(tmp_path / "part.ttl", run="12012")
    runs.export(tmp_path / f"part.{form}", form, run="12012")
    told = rdflib.Graph()
    read = rdflib.Dataset(default_union=True)
    read.parse(tmp_path / f"part.{form}", format=(DATASETS | TRIPLES)[form])
    for triple in read.triples((None, None, None)):
        told.add(triple)
    assert isomorphic(rdflib.Graph().parse(tmp_path / "part.ttl"), told)


def test_a_part_holds_all_that_is_said_of_its_steps_and_files(runs: KnowledgeGraph) -> None:
    graph, view = runs.graph(), runs.view(agents=True)
    hidden = {graph.iri(name) for name in BOOKKEEPING}
    every = {quad for quad in graph.pattern(None, None, None, None) if quad.graph_name.value not in hidden}
    whole = Slice(graph, view.nodes)
    subjects = {quad.subject for quad in whole.quads()}
    said = {quad for quad in every if quad.subject in subjects}
    assert said <= set(whole.quads())
    assert whole.cut == 0
    left = {quad.subject.value for quad in every - said}
    assert not [
        name for name in left if name.removeprefix(graph.base).startswith(("activity/", "usage/", "generation/"))
    ]


@pytest.mark.parametrize("name", ["all.ttl", "all.nt"])
def test_what_is_exported_and_ingested_is_isomorphic(runs: KnowledgeGraph, name: str, tmp_path: Path) -> None:
    """Versions are resolved anew, by the same evidence, and to the same versions."""
    runs.export(tmp_path / name)
    again = provkg.open(tmp_path / "again")
    again.ingest([tmp_path / name])
    again.export(tmp_path / f"again-{name}")
    first, second = (
        {quad.triple for quad in parse(path=tmp_path / each, format=RdfFormat.TURTLE)}
        for each in (name, f"again-{name}")
    )
    assert first == second
    assert again.status()["evidence"] == runs.status()["evidence"]
    assert all(each.ok for each in again.doctor())


@pytest.mark.parametrize("form", ["turtle", "trig", "jsonld", "nquads"])
def test_a_part_means_elsewhere_what_it_meant_here(runs: KnowledgeGraph, form: str, tmp_path: Path) -> None:
    product = "crab_flux_points.fits"
    runs.export(tmp_path / f"part.{FORMATS[form].suffixes[0]}", product=product)
    again = provkg.open(tmp_path / "again")
    again.ingest([tmp_path / f"part.{FORMATS[form].suffixes[0]}"])
    here, there = ([(s.depth, s.entity, s.activity, s.evidence) for s in kg.lineage(product)] for kg in (runs, again))
    assert here == there


def test_a_whole_store_is_imported_and_not_ingested(runs: KnowledgeGraph, tmp_path: Path) -> None:
    runs.export(tmp_path / "all.nq")
    done = command("--store", tmp_path / "again", "ingest", tmp_path / "all.nq")
    assert done.returncode == 3
    assert f"provkg import {tmp_path / 'all.nq'}" in done.stderr


def test_what_leads_out_of_a_part_is_left_out_and_counted(runs: KnowledgeGraph, tmp_path: Path) -> None:
    found = runs.export(tmp_path / "own.nq", run="12012", own=True, depth=1)
    inside = runs.view(run="12012", own=True, depth=1).nodes
    graph = runs.graph()
    some = quads(tmp_path / "own.nq", RdfFormat.N_QUADS)
    steps = graph.of_type({each.object.value for each in some if isinstance(each.object, NamedNode)}, PROV.Activity)
    assert steps - graph.of_type(steps, PKG.Session) <= inside.keys()
    assert found.cut > 0
    assert not {quad.graph_name.value for quad in some if hasattr(quad.graph_name, "value")} & {
        graph.iri(name) for name in BOOKKEEPING
    }


def test_files_are_compressed_split_and_always_the_same(runs: KnowledgeGraph, tmp_path: Path) -> None:
    every = set(runs.graph().pattern(None, None, None, None))
    found = runs.export(tmp_path / "all.nq.gz", split=1000)
    assert [path.name for path in found.paths][:2] == ["all-0001.nq.gz", "all-0002.nq.gz"]
    read = [line for path in found.paths for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert len(read) == len(every)
    assert all(gzip.decompress(path.read_bytes()).count(b"\n") <= 1000 for path in found.paths)
    before = [path.read_bytes() for path in found.paths]
    assert [path.read_bytes() for path in runs.export(tmp_path / "all.nq.gz", split=1000).paths] == before
    assert not [*tmp_path.glob("*.part")]


def test_the_triples_of_a_query_are_written(runs: KnowledgeGraph, tmp_path: Path) -> None:
    (tmp_path / "q.rq").write_text(f"CONSTRUCT {{ ?s a ?t }} WHERE {{ ?s a ?t FILTER(?t = <{PROV.Activity}>) }}")
    done = command("--store", runs.store.name, "export", "--query", tmp_path / "q.rq", "-o", tmp_path / "q.jsonld")
    assert done.returncode == 0, done.stderr
    read = rdflib.Graph().parse(tmp_path / "q.jsonld")
    assert len(read) == len(runs.graph().subjects("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", PROV.Activity))


def test_the_context_has_a_term_for_every_property_and_means_what_the_ontologies_mean() -> None:
    of_class = {"Class", "ObjectProperty", "DatatypeProperty"}
    known = {str(each["@id"] if isinstance(each, dict) else each) for each in context().values() if each != 1.1}
    spaces = {PROV.iri: "prov", VP.iri: "vp", PKG.iri: "pkg"}
    for name in ("prov-o", "voprov", "provkg"):
        for quad in parse(path=folder("ontologies") / f"{name}.ttl", format=RdfFormat.TURTLE):
            kind = getattr(quad.object, "value", "").rpartition("#")[2]
            if (
                not quad.predicate.value.endswith("#type")
                or kind not in of_class
                or not isinstance(quad.subject, NamedNode)
            ):
                continue
            space, _, local = quad.subject.value.rpartition("#")
            prefix = spaces.get(space + "#")
            term = f"{prefix}:{local}"
            if not prefix or term in known:
                continue
            assert local in context(), f"{term} has no term, nor is its name taken by another"
    coerced = {key: each for key, each in context().items() if isinstance(each, dict)}
    assert {each["@type"] for each in coerced.values()} == {"@id", "xsd:dateTime"}


# PROV


def provenance(runs: KnowledgeGraph, form: str, **scope: Any) -> prov.model.ProvDocument:
    path = Path(runs.store.name).parent / f"{form}-{len(scope)}"
    runs.export(path, form, **scope)
    found = prov.model.ProvDocument.deserialize(str(path), format=PROV_READERS[form])
    assert found is not None
    return found


@pytest.mark.parametrize("scope", [{"run": "12012"}, {"product": "crab_flux_points.fits"}])
def test_prov_reads_the_same_document_from_every_serialisation(runs: KnowledgeGraph, scope: dict[str, str]) -> None:
    documents = [provenance(runs, form, **scope) for form in PROV_READERS]
    told = [Counter(everything(each)) for each in documents]  # NaN is not itself
    assert all(each == told[0] for each in told[1:])
    kinds = Counter(record.get_type().localpart for record in documents[0].get_records())
    view = runs.view(**scope)
    relations = Counter(each.kind for each in view.relations)
    generations = list(documents[0].get_records(prov.model.ProvGeneration))
    assert sum(each.args[1] is not None for each in generations) == relations["wasGeneratedBy"]
    assert kinds["Usage"] >= relations["used"]
    made = Counter(str(record.args[0]) for record in generations)
    assert set(made.values()) == {1}, "no doubled generations"


def test_the_whole_store_as_prov_holds_every_step_file_and_relation(runs: KnowledgeGraph) -> None:
    document, graph = provenance(runs, "prov-json"), runs.graph()
    for kind, what in ((PROV.Activity, "Activity"), (PKG.Session, "Activity"), (PROV.Entity, "Entity")):
        names = set(graph.subjects("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", kind))
        there = {str(r.identifier.uri) for r in document.get_records() if r.get_type().localpart == what}
        assert names <= there, kind
    usages = {str(r.identifier.uri) for r in document.get_records(prov.model.ProvUsage)}
    assert usages == set(graph.subjects("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", PROV.Usage))


def moments(text: str) -> str:
    """Return a value as it is compared: times in UTC, numbers and durations by what they are."""
    told = {"P0Y0M0DT0H0M12.225S": "PT12.225S"}
    if text.startswith("P2147483647D"):  # more days than xsd:duration's own normal form writes out
        return "P3667351461DT8H32M45.123456789012345S"
    try:
        return str(float(text))
    except ValueError:
        pass
    try:
        at = datetime.datetime.fromisoformat(text.replace(" ", "T")) if len(text) > 18 else None
        return str(at.astimezone(datetime.UTC)) if at and at.tzinfo else told.get(text, text)
    except ValueError:
        return told.get(text, text)


def everything(document: prov.model.ProvDocument) -> Iterator[tuple[str, str, frozenset[tuple[str, str]]]]:
    """Give what a document says: type, id and attributes of each record."""
    for bundle in (document, *document.bundles):
        for record in bundle.get_records():
            pairs = ((str(k.uri), str(getattr(v, "uri", getattr(v, "value", v)))) for k, v in record.attributes)
            yield record.get_type().localpart, str(record.identifier.uri) if record.identifier else "", frozenset(pairs)


def statements(document: prov.model.ProvDocument) -> set[tuple[Any, ...]]:
    """Return what a document says, without what provkg adds in its own words."""
    found, ours = set(), ("https://provkg.example.org/", PKG.iri)
    for kind, name, pairs in everything(document):
        if any(value.startswith(VP.iri) for _, value in pairs):
            continue
        kept = ((k, v) for k, v in pairs if not k.startswith((PKG.iri, VP.iri)) and not v.startswith(ours))
        told = frozenset((key, moments(value)) for key, value in kept)
        found.add((kind, "" if name.startswith(ours) else name, told))
    return found


def test_the_cases_of_prov_pass_through_but_for_what_is_documented(tmp_path: Path) -> None:
    """What a document says is what its export says: but relations with one end, contradictions, bundles and mentions."""
    folder = Path(str(files("prov"))) / "tests" / "json"
    cases = sorted(folder.glob("*.json"))
    if not cases:
        pytest.skip("this prov comes without its cases")
    left: Counter[str] = Counter()
    for case in cases:
        document = prov.model.ProvDocument.deserialize(str(case))
        kg = provkg.open("memory:")
        kg.ingest([case])
        kg.export(tmp_path / "again.json")
        again = prov.model.ProvDocument.deserialize(str(tmp_path / "again.json"))
        with contextlib.suppress(prov.model.ProvException):
            document, again = document.unified(), again.unified()
        lost = statements(document) - statements(again)
        if lost:
            one_ended = all(len([k for k, _ in told if k in ENDS]) < 2 or k_start(told) for _, _, told in lost)
            kind = "scruffy" if "scruffy" in case.name else "one end" if one_ended else case.stem.rstrip("0123456789")
            left[kind] += 1
    assert len(cases) == 398
    assert left.keys() <= {"scruffy", "one end", "bundle", "mention", "derivation"}, left
    assert sum(left.values()) <= 61


ENDS = {PROV[each] for each in ("activity", "entity", "agent", "trigger", "informed", "informant", "influencee")} | {
    PROV[each] for each in ("influencer", "delegate", "responsible", "generatedEntity", "usedEntity")
}


def k_start(told: frozenset[tuple[str, str]]) -> bool:
    """Say whether a start or an end is one without what triggered it, or without what was started."""
    keys = {key for key, _ in told}
    return bool(keys & {PROV.starter, PROV.ender}) and not {PROV.trigger, PROV.activity} <= keys


ODD = """@prefix prov: <http://www.w3.org/ns/prov#> . @prefix vp: <https://w3id.org/provkg/voprov#> .
@prefix pkg: <https://w3id.org/provkg/ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<http://a/x> a prov:Activity ; pkg:recordedType "plain" ; vp:activityDescription "words" ; vp:name "name" ; rdfs:label "label" ;
  <http://a/p> "a\\u0001b\\uFFFE", 123456789012345678901234567890, "x"@en .
<http://a/o> prov:wasGeneratedBy <http://a/x> ; pkg:location "/d/\\u0001.fits" .
"""


@pytest.mark.parametrize("form", [*(name for name in FORMATS if name != "ro-crate")])
def test_whatever_stands_in_a_record_is_written(form: str, tmp_path: Path) -> None:
    (tmp_path / "odd.ttl").write_text(ODD)
    kg = provkg.open("memory:")
    kg.ingest([tmp_path / "odd.ttl"])
    kg.export(tmp_path / "out", form)
    data = (tmp_path / "out").read_bytes()
    if form in PROV_READERS:
        read = prov.model.ProvDocument.deserialize(content=data.decode(), format=PROV_READERS[form])
        assert read is not None
        told = {value for _, _, pairs in everything(read) for _, value in pairs}
        assert {"plain", "words", "label", "name", "123456789012345678901234567890"} <= told
        assert ("a\\x01b\\ufffe" if form == "prov-xml" else "a\x01b\ufffe") in told
    elif form.startswith("voprov"):
        [activity] = json.loads(data)["activity"].values()
        assert {"label", "name"} == set(activity["prov:name"])
        assert activity["voprov:activityDescription"] == "words"
        assert activity["prov:type"] == "plain"
    else:
        assert data or form == "openlineage", "a step without any time is no event"


# IVOA


@needs_readers
@pytest.mark.parametrize(("form", "least"), [("voprov-json", 1), ("voprov-w3c-json", 0)])
def test_voprov_reads_its_own_dialect(runs: KnowledgeGraph, form: str, least: int, tmp_path: Path) -> None:
    runs.export(tmp_path / "run.json", form, run="12012")
    script = (
        "import json, sys, collections, warnings; warnings.simplefilter('ignore')\n"
        "from voprov.models.model import VOProvDocument\n"
        "found = VOProvDocument.deserialize(sys.argv[1], format='json').get_records()\n"
        "print(json.dumps(collections.Counter(type(each).__name__ for each in found)))"
    )
    done = subprocess.run([READERS, "-c", script, tmp_path / "run.json"], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    view = Counter(node.kind for node in runs.view(run="12012", agents=True).nodes.values())
    sessions = len(runs.graph().of_type(_names(runs, tmp_path), PKG.Session))
    assert told["VOProvActivity"] == view["activity"] + sessions
    assert told["VOProvUsage"] >= 10
    assert (told.get("VOProvParameter", 0) > 0) is bool(least)
    assert (told.get("VOProvActivityDescription", 0) > 0) is bool(least)
    assert (told.get("VOProvWasConfiguredBy", 0) > 0) is bool(least)


def _names(runs: KnowledgeGraph, tmp_path: Path) -> set[str]:
    runs.export(tmp_path / "run.nt", run="12012")
    return {quad.subject.value for quad in parse(path=tmp_path / "run.nt", format=RdfFormat.N_TRIPLES)}


def test_the_w3c_form_of_voprov_is_read_by_prov(runs: KnowledgeGraph, tmp_path: Path) -> None:
    runs.export(tmp_path / "run.json", "voprov-w3c-json", run="12012")
    found = prov.model.ProvDocument.deserialize(str(tmp_path / "run.json"))
    assert found is not None
    types = Counter(str(value) for record in found.get_records() for value in record.get_asserted_types())
    assert types["voprov:DescriptionRelation"] > 0
    assert types["voprov:ConfigurationRelation"] > 0


def test_what_was_written_for_voprov_is_read_back_as_its_model(runs: KnowledgeGraph, tmp_path: Path) -> None:
    runs.export(tmp_path / "run.json", "voprov-json", run="12012")
    again = provkg.open("memory:")
    again.ingest([tmp_path / "run.json"])
    before, after = runs.graph(), again.graph()
    names = {node.iri for node in runs.view(run="12012").nodes.values() if node.kind == "activity"}
    for name in names:
        assert after.objects(name, VP.wasConfiguredBy) == before.objects(name, VP.wasConfiguredBy)


def test_astropy_reads_the_tables_of_provtap(runs: KnowledgeGraph, tmp_path: Path) -> None:
    votable = pytest.importorskip("astropy.io.votable")
    runs.export(tmp_path / "run.vot", run="12012")
    tables = {table.name: table for table in votable.parse(tmp_path / "run.vot").iter_tables()}
    view = runs.view(run="12012")
    assert len(tables["Used"].array) == len({each for each in view.relations if each.kind == "used"})
    assert len(tables["Activity"].array) == sum(node.kind == "activity" for node in view.nodes.values())
    assert tables["Activity"].get_field_by_id_or_name("a_startTime").utype == "voprov:Activity.startTime"


# Others


def test_networkx_reads_graphml(runs: KnowledgeGraph, tmp_path: Path) -> None:
    networkx = pytest.importorskip("networkx")
    runs.export(tmp_path / "run.graphml", run="12012", grain="run")
    rolled = runs.rollup(run="12012", grain="run")
    graph = networkx.read_graphml(tmp_path / "run.graphml", force_multigraph=True)
    assert set(graph.nodes) == set(rolled.folds)
    assert graph.number_of_edges() == len(rolled.relations)
    assert sum(data["members"] for _, data in graph.nodes(data=True)) == sum(
        each.count for each in rolled.folds.values()
    )
    assert {data["kind"] for _, _, data in graph.edges(data=True)} == {each.kind for each in rolled.relations}


def test_the_whole_store_as_graphml_says_nothing_twice(runs: KnowledgeGraph, tmp_path: Path, monkeypatch: Any) -> None:
    networkx = pytest.importorskip("networkx")
    runs.export(tmp_path / "one.graphml")
    monkeypatch.setattr("provkg.knowledge.exporting._BATCH", 7)
    runs.export(tmp_path / "many.graphml")
    one, many = (networkx.read_graphml(tmp_path / f"{each}.graphml", force_multigraph=True) for each in ("one", "many"))
    assert set(one.nodes) >= set(many.nodes)
    edges = [Counter((a, b, d["kind"], d.get("role")) for a, b, d in each.edges(data=True)) for each in (one, many)]
    assert edges[0] == edges[1]


def schema() -> Draft202012Validator:
    loaded = [json.loads(path.read_bytes()) for path in (HERE / "cases" / "openlineage").glob("*.json")]
    registry = Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in loaded)
    main = {"$ref": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"}
    return Draft202012Validator(main, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_events_follow_the_schemas_of_openlineage(runs: KnowledgeGraph, tmp_path: Path) -> None:
    found = runs.export(tmp_path / "all.jsonl")
    events = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    check, registry = schema(), schema()._registry
    for event in events:
        assert not [error.message for error in check.iter_errors(event)]
        for facets in (event["run"]["facets"], *(each["facets"] for each in event["inputs"] + event["outputs"])):
            for facet in facets.values():
                Draft202012Validator({"$ref": facet["_schemaURL"]}, registry=registry).validate(facet)
    view = runs.view()
    steps = {node.iri: node for node in view.nodes.values() if node.kind == "activity"}
    ended = Counter(event["eventType"] for event in events)
    assert ended["START"] == sum(bool(node.start) for node in steps.values())
    assert ended["FAIL"] == sum(node.status == "failed" and bool(node.end) for node in steps.values())
    assert found.untold == sum(not node.start and not node.end for node in steps.values())
    outputs = {each["facets"]["version"]["datasetVersion"] for event in events for each in event["outputs"]}
    timed = {iri for iri, node in steps.items() if node.end}
    assert outputs == {
        each.subject for each in view.relations if each.kind == "wasGeneratedBy" and each.object in timed
    }


# RO-Crate


@needs_readers
@pytest.mark.parametrize("scope", [{"run": "12012"}, {"run": "12012", "grain": "run"}])
def test_the_validator_accepts_a_provenance_run_crate(
    runs: KnowledgeGraph, scope: dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip("rocrate")
    licence = "https://creativecommons.org/licenses/by/4.0/"
    runs.export(tmp_path / "crate", "ro-crate", licence=licence, **scope)
    script = HERE / "peers" / "crate_check.py"
    done = subprocess.run([READERS, script, tmp_path / "crate"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    report = subprocess.run(
        [READERS.parent / "runcrate", "report", tmp_path / "crate"], capture_output=True, text=True, check=True
    ).stdout
    rolled = runs.rollup(grain=scope.get("grain", "subrun"), run="12012")
    for fold in rolled.folds.values():
        assert fold.kind != "activity" or f"action: {fold.iri}" in report
    assert "inputs:" in report
    assert quads(tmp_path / "crate" / "provenance.trig", RdfFormat.TRIG)


def test_a_crate_is_written_whole_into_an_empty_folder_only(runs: KnowledgeGraph, tmp_path: Path) -> None:
    pytest.importorskip("rocrate")
    done = command("--store", runs.store.name, "export", "--run", "12012", "-o", tmp_path / "crate.zip")
    assert done.returncode == 0, done.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        runs.export(tmp_path / "full", "ro-crate", run="12012")
    done = command("--store", runs.store.name, "export", "--run", "12012", "--format", "ro-crate")
    assert (done.returncode, "with -o" in done.stderr) == (2, True)


# What is asked for


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"form": "gif"}, "no format 'gif'"),
        ({"form": "turtle", "grain": "run"}, "no roll-up"),
        ({"form": "graphml", "query": "CONSTRUCT WHERE {?s ?p ?o}"}, "not of the triples of a query"),
        ({"form": "prov-json", "split": 10}, "cannot be split"),
        ({"form": "turtle", "query": "SELECT * {?s ?p ?o}"}, "only CONSTRUCT and DESCRIBE"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(
    runs: KnowledgeGraph, options: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=told):
        runs.export(tmp_path / "out", **options)
    assert not [*tmp_path.iterdir()]


def test_the_name_of_a_file_says_its_format() -> None:
    for name, form in FORMATS.items():
        for suffix in form.suffixes:
            assert form_of(f"a.b.{suffix}.gz").name == name
    with pytest.raises(InputError, match="no format"):
        form_of("a.gif")


def test_stdout_gets_the_document_and_nothing_else(runs: KnowledgeGraph) -> None:
    done = command("--store", runs.store.name, "export", "crab_flux_points.fits", "--format", "nquads", "-o", "-")
    assert done.returncode == 0
    assert len({*parse(io.BytesIO(done.stdout.encode()), format=RdfFormat.N_QUADS)}) == done.stdout.count("\n")
