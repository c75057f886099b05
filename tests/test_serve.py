"""The server: what programs ask it for. A real process, asked by the clients that people use."""

import csv
import hashlib
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import rdflib
import rdflib.compare
import requests
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, POST, POSTDIRECTLY, SPARQLWrapper

import provkg
from provkg.questions.negotiation import best
from provkg.rollup import opened
from provkg.vocab import PROV
from tests.serving import Served, sample_store, served

pytestmark = pytest.mark.xdist_group("serve")
DL3 = "dl3_LST-1.Run12012.fits"
HTML = "text/html"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_store(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def site(store: Path) -> Iterator[Served]:
    with served(store, "--workers", "2") as found:
        yield found


@pytest.fixture(scope="module")
def dl3(store: Path) -> str:
    return provkg.open(store).show(DL3).entity


@pytest.fixture(scope="module")
def graphs(store: Path) -> list[str]:
    """The graphs of two sources."""
    return sorted(each for each in provkg.open(store).graph().graphs() if "/source/" in each)[:2]


def count(site: Served, query: str, **parameters: object) -> int:
    found = site.get("/sparql", "application/sparql-results+json", params={"query": query, **parameters})
    assert found.status_code == 200, found.text
    return int(found.json()["results"]["bindings"][0]["n"]["value"])


# SPARQL 1.1 Protocol: the cases of https://www.w3.org/2009/sparql/docs/tests/data-sparql11/protocol/ that only read

ASK = "ASK { ?s ?p ?o }"
ANYWHERE = "ASK { GRAPH ?g { ?s ?p ?o } }"
FORM = "application/x-www-form-urlencoded"


def test_query_by_get(site: Served) -> None:
    assert site.get("/sparql", params={"query": ASK}).json()["boolean"] is True


def test_query_by_post_of_a_form(site: Served) -> None:
    assert site.post("/sparql", data={"query": ASK}).json()["boolean"] is True


def test_query_by_post_of_the_query(site: Served) -> None:
    found = site.post("/sparql", data=ASK, headers={"Content-Type": "application/sparql-query"})
    assert found.json()["boolean"] is True


@pytest.mark.parametrize("how", ["get", "form", "direct"])
def test_the_dataset_of_a_request_is_what_the_query_sees(site: Served, graphs: list[str], how: str) -> None:
    def ask(query: str, *dataset: tuple[str, str]) -> int:
        query = f"SELECT (COUNT(*) AS ?n) WHERE {query}"
        if how == "get":
            found = site.get("/sparql", params=[("query", query), *dataset])
        elif how == "form":
            found = site.post("/sparql", data=[("query", query), *dataset])
        else:
            found = site.post(
                "/sparql", params=dataset, data=query, headers={"Content-Type": "application/sparql-query"}
            )
        return int(found.json()["results"]["bindings"][0]["n"]["value"])

    first, second = graphs
    everything, named = "{ ?s ?p ?o }", "{ GRAPH ?g { ?s ?p ?o } }"
    one = ask(everything, ("default-graph-uri", first))
    assert 0 < one < ask(everything)
    assert ask(named, ("default-graph-uri", first)) == 0
    assert ask(named, ("named-graph-uri", first)) == one
    assert ask(everything, ("named-graph-uri", first)) == 0
    both = ask(everything, ("default-graph-uri", first), ("default-graph-uri", second))
    assert one < both <= one + ask(everything, ("default-graph-uri", second))
    assert ask(named, ("default-graph-uri", first), ("named-graph-uri", second)) == ask(
        everything, ("default-graph-uri", second)
    )


def test_the_dataset_of_a_request_stands_in_for_that_of_the_query(site: Served, graphs: list[str]) -> None:
    query = f"SELECT (COUNT(*) AS ?n) FROM <{graphs[0]}> WHERE {{ ?s ?p ?o }}"
    other = count(site, query, **{"default-graph-uri": graphs[1]})
    assert other == count(site, "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }", **{"default-graph-uri": graphs[1]})
    assert other != count(site, query)


@pytest.mark.parametrize(
    ("query", "accept", "media"),
    [
        ("SELECT * { ?s ?p ?o } LIMIT 1", "*/*", "application/sparql-results+json"),
        ("SELECT * { ?s ?p ?o } LIMIT 1", "application/sparql-results+xml", "application/sparql-results+xml"),
        ("SELECT * { ?s ?p ?o } LIMIT 1", "text/csv", "text/csv; charset=utf-8"),
        (
            "SELECT * { ?s ?p ?o } LIMIT 1",
            "text/csv;q=0.4, text/tab-separated-values;q=0.5",
            "text/tab-separated-values; charset=utf-8",
        ),
        (ASK, "application/sparql-results+xml;q=1, application/json;q=0.1", "application/sparql-results+xml"),
        ("CONSTRUCT WHERE { ?s ?p ?o } LIMIT 1", "*/*", "text/turtle; charset=utf-8"),
        ("CONSTRUCT WHERE { ?s a ?o } LIMIT 1", "application/rdf+xml", "application/rdf+xml"),
        ("CONSTRUCT WHERE { ?s a ?o } LIMIT 1", "application/ld+json", "application/ld+json"),
        ("DESCRIBE ?s WHERE { ?s a ?o } LIMIT 1", "application/n-triples", "application/n-triples"),
    ],
)
def test_the_format_is_the_one_that_is_accepted_most(site: Served, query: str, accept: str, media: str) -> None:
    found = site.get("/sparql", accept, params={"query": query})
    assert (found.status_code, found.headers["Content-Type"]) == (200, media)
    assert "Accept" in found.headers["Vary"]


def test_bad_requests_are_refused_as_the_protocol_says(site: Served) -> None:
    assert requests.put(f"{site.root}/sparql?query={quote(ASK)}", timeout=30).status_code == 405
    assert site.get("/sparql", params=[("query", ASK), ("query", ASK)]).status_code == 400
    assert site.post("/sparql", data=ASK, headers={"Content-Type": "text/plain"}).status_code == 415
    assert site.post("/sparql", data=f"query={quote(ASK)}".encode(), headers={"Content-Type": ""}).status_code == 415
    assert (
        site.post(
            "/sparql", data=ASK.encode("utf-16"), headers={"Content-Type": "application/sparql-query; charset=UTF-16"}
        ).status_code
        == 415
    )
    assert site.post("/sparql", data=b"\xff", headers={"Content-Type": "application/sparql-query"}).status_code == 400
    wrong = site.get("/sparql", params={"query": "ASK { ?s ?p }"})
    assert wrong.status_code == 400
    assert re.search(r"1:\d+", wrong.json()["error"]), "the place of the error is told"
    assert site.get("/sparql", "image/png", params={"query": ASK}).status_code == 406
    assert site.get("/sparql", params={"query": ASK, "default-graph-uri": "no iri"}).status_code == 400


@pytest.mark.parametrize(
    "request_",
    [
        {"params": {"update": "CLEAR ALL"}},
        {"data": {"update": "CLEAR ALL"}},
        {"data": {"query": "CLEAR ALL"}},
        {"data": "CLEAR ALL", "headers": {"Content-Type": "application/sparql-update"}},
        {"data": "DROP ALL", "headers": {"Content-Type": "application/sparql-query"}},
        {"data": {"query": ASK, "using-graph-uri": "http://a/"}},
        {"data": {"query": "INSERT DATA { <a:a> <a:a> <a:a> }"}},
        {"data": {"query": "LOAD <file:///etc/passwd>"}},
    ],
)
def test_no_update_passes(site: Served, request_: dict[str, object]) -> None:
    before = count(site, "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }")
    assert site.post("/sparql", **request_).status_code in (400, 403, 415)
    assert count(site, "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }") == before


def test_sparqlwrapper_asks_by_every_method(site: Served) -> None:
    client = SPARQLWrapper(f"{site.root}/sparql")
    client.setQuery("SELECT (COUNT(*) AS ?n) WHERE { ?s a <http://www.w3.org/ns/prov#Activity> }")
    client.setReturnFormat(JSON)
    first = client.query().convert()["results"]["bindings"][0]["n"]["value"]
    assert int(first) > 10
    for method in (POST, POSTDIRECTLY):
        client.setMethod(method)
        if method == POSTDIRECTLY:
            client.setRequestMethod(POSTDIRECTLY)
        client.setReturnFormat(CSV)
        assert client.query().convert().decode().split()[1] == first


def test_rdflib_reads_the_store_as_a_sparqlstore(site: Served, dl3: str) -> None:
    graph = rdflib.Graph(SPARQLStore(f"{site.root}/sparql"))
    made = list(graph.objects(rdflib.URIRef(dl3), rdflib.PROV.wasGeneratedBy))
    assert len(made) == 1


def test_curl_asks(site: Served) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not here")
    command = ["curl", "-sfG", f"{site.root}/sparql", "--data-urlencode", f"query={ASK}", "-H", "Accept: text/csv"]
    told = subprocess.run([*command[:-2], "-H", "Accept: application/json"], capture_output=True, check=True)
    assert json.loads(told.stdout)["boolean"] is True


def test_a_graph_is_given_as_a_whole(site: Served, store: Path, graphs: list[str]) -> None:
    found = site.get("/rdf-graph-store", "application/n-triples", params={"graph": graphs[0]})
    here = rdflib.Graph().parse(data=provkg.open(store).graph().text(graphs[0]), format="nt")
    assert len(rdflib.Graph().parse(data=found.text, format="nt")) == len(here) > 10
    assert site.get("/rdf-graph-store", params={"graph": "http://no.such/graph"}).status_code == 404
    assert site.get("/rdf-graph-store?default", "text/turtle").status_code == 200
    assert site.get("/rdf-graph-store").status_code == 400
    for method in (requests.put, requests.delete, requests.post):
        assert method(f"{site.root}/rdf-graph-store?graph={quote(graphs[0])}", timeout=30).status_code == 405


def test_the_service_describes_itself(site: Served, graphs: list[str]) -> None:
    sd = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
    graph = rdflib.Graph().parse(data=site.get("/sparql", "text/turtle").text, format="turtle")
    service = rdflib.URIRef(f"{site.root}/sparql")
    assert (service, sd.feature, sd.UnionDefaultGraph) in graph
    assert (service, sd.endpoint, service) in graph
    assert rdflib.URIRef(graphs[0]) in set(graph.objects(None, sd.name))
    void = rdflib.Namespace("http://rdfs.org/ns/void#")
    told = rdflib.Graph().parse(data=site.get("/.well-known/void", "text/turtle").text, format="turtle")
    assert (None, void.sparqlEndpoint, service) in told
    [triples] = told.objects(None, void.triples)
    assert int(triples) == count(site, "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }")


# Linked Data


def test_every_iri_of_the_store_answers(site: Served, store: Path) -> None:
    graph = provkg.open(store).graph()
    every = {term.value for quad in graph.pattern(None, None, None, None) for term in (quad.subject, quad.graph_name)}
    names = sorted(each for each in every if each.startswith(graph.base))
    kinds = {}
    for each in names:
        kinds.setdefault(each.removeprefix(graph.base).split("/")[0], each)
    assert len(kinds) > 15
    for iri in kinds.values():
        for accept in (HTML, "text/turtle", "application/ld+json"):
            found = site.get("/" + iri.removeprefix(graph.base), accept)
            assert found.status_code == 303, (iri, accept, found.text)
            document = requests.get(found.headers["Location"], headers={"Accept": accept}, timeout=30)
            assert document.status_code == 200, (iri, accept, document.text)
            assert document.headers["Content-Type"].startswith(accept)


def test_an_iri_is_sent_to_what_is_accepted(site: Served, dl3: str) -> None:
    place = "/entity/" + dl3.rpartition("/")[2]
    for accept, end in (
        ("text/turtle", ".ttl"),
        ("application/json", ".json"),
        ("text/provenance-notation", ".provn"),
        ("application/n-triples", ".nt"),
        ("text/html;q=0.5, application/ld+json", ".jsonld"),
    ):
        assert site.get(place, accept).headers["Location"].endswith(end)
    assert "/page/entity/" in site.get(place, HTML).headers["Location"]
    assert site.get(place, "image/png").status_code == 406
    assert site.get("/entity/nothing", "text/turtle").status_code == 404


def test_data_of_a_product_are_what_the_store_says(site: Served, store: Path, dl3: str) -> None:
    place = "/data/entity/" + dl3.rpartition("/")[2]
    told = rdflib.Graph().parse(data=site.get(place + ".ttl").text, format="turtle")
    for quad in provkg.open(store).graph().quads(dl3):
        assert (rdflib.URIRef(dl3), rdflib.URIRef(quad.predicate.value), None) in told
    json_ld = rdflib.Graph().parse(data=site.get(place + ".jsonld").text, format="json-ld")
    assert rdflib.compare.isomorphic(told, json_ld)
    document = site.get(place + ".json").json()
    assert document["wasGeneratedBy"]
    assert len(document["used"]) >= 2
    assert site.get(place + ".provn").text.startswith("document")
    assert ET.fromstring(site.get(place + ".provx").content).tag.endswith("}document")


def test_other_formats_and_provenance_are_linked(site: Served, dl3: str) -> None:
    for place in ("/entity/", "/page/entity/"):
        links = requests.utils.parse_header_links(site.get(place + dl3.rpartition("/")[2], HTML).headers["Link"])
        kinds = {each["rel"] for each in links}
        assert {PROV.has_provenance, PROV.has_query_service, "alternate", "canonical"} <= kinds
        [there] = [each for each in links if each["rel"] == PROV.has_provenance]
        assert there["anchor"] == dl3
        assert requests.get(there["url"], timeout=30).text.startswith("document")
    service = rdflib.Graph().parse(data=site.get("/service", "text/turtle").text, format="turtle")
    [template] = service.objects(None, rdflib.PROV.provenanceUriTemplate)
    found = requests.get(
        str(template).replace("{uri}", quote(dl3, safe="")), headers={"Accept": "text/turtle"}, timeout=30
    )
    assert (rdflib.URIRef(dl3), None, None) in rdflib.Graph().parse(data=found.text, format="turtle")


def test_an_iri_of_others_is_a_parameter(site: Served) -> None:
    found = site.get("/resource?iri=" + quote(PROV.Activity, safe=""), HTML)
    assert found.status_code == 303
    assert requests.get(found.headers["Location"], timeout=30).status_code == 200
    assert site.get("/resource?iri=javascript:alert(1)", HTML).status_code == 404


def test_what_has_not_changed_is_not_sent_again(site: Served) -> None:
    first = site.get("/night/20230312", HTML)
    tag = first.headers["ETag"]
    again = site.get("/night/20230312", HTML, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert site.get("/night/20230312", "*/*").headers["ETag"] != tag, "what else is accepted may be something else"


def test_pages_of_this_machine_may_read_and_others_may_not(site: Served) -> None:
    there = "Access-Control-Allow-Origin"
    local = "http://localhost:3000"
    assert site.get("/sparql", headers={"Origin": local}).headers[there] == local
    assert there not in site.get("/sparql", headers={"Origin": "https://evil.example"}).headers


# Questions


def test_questions_are_listed_and_answered(site: Served) -> None:
    listed = {each["name"] for each in site.get("/api/questions").json()}
    assert {"lineage", "impact", "parents", "raw-files"} <= listed
    assert "bytes" not in listed, "it reads files of the server"
    rows = site.get(f"/api/questions/lineage?product={DL3}&format=csv").text
    assert len(list(csv.reader(io.StringIO(rows)))) > 20
    assert site.get(f"/api/questions/lineage?product={DL3}", "text/tab-separated-values").text.count("\n") > 20
    assert site.get("/api/questions/lineage").status_code == 400
    assert site.get("/api/questions/lineage?product=nothing").status_code == 404
    assert site.get("/api/questions/nothing").status_code == 404
    table = site.get(f"/api/questions/lineage?product={DL3}&format=votable")
    assert b"VOTABLE" in table.content


def test_openapi_names_the_server(site: Served) -> None:
    told = site.get("/api/openapi.json").json()
    assert told["servers"] == [{"url": site.root}]
    assert "/api/questions/lineage" in told["paths"]


def test_csv_runs_no_formula(tmp_path: Path, write) -> None:
    store = tmp_path / "store"
    write(
        "a.ttl",
        """@prefix prov: <http://www.w3.org/ns/prov#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<http://a/1> a prov:Entity ; prov:wasGeneratedBy <http://a/a> . <http://a/a> a prov:Activity ; rdfs:label "=HYPERLINK(1)" .""",
    )
    provkg.open(store).ingest([tmp_path / "in"])
    out = subprocess.run(
        [
            sys.executable,
            "-m",
            "provkg",
            "--store",
            str(store),
            "serve",
            "--get",
            "/api/questions/steps?product=http%3A%2F%2Fa%2F1&format=csv",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'=HYPERLINK(1)" in out.stdout
    assert "\n=HYPERLINK" not in out.stdout


# ProvSAP, VOSI, DataLink


def sap(site: Served, **parameters: object) -> dict[str, dict[str, object]]:
    found = site.get("/provsap", params=parameters)
    assert found.status_code == 200, found.text
    return dict(found.json())


def test_provsap_counts_relations(site: Served, dl3: str) -> None:
    assert not sap(site, ID=dl3, DEPTH=0).get("activity")
    one = sap(site, ID=dl3)
    assert len(one["activity"]) == 1
    assert len(one["entity"]) == 1
    two = sap(site, ID=dl3, DEPTH=2)
    assert len(two["entity"]) == 3
    every = sap(site, id=DL3, depth="ALL")
    assert len(every["entity"]) > 20
    assert not sap(site, ID=dl3, DEPTH=2, AGENTS=0).get("agent")
    assert two["agent"]


def test_provsap_goes_forth_in_both_dialects(site: Served, dl3: str) -> None:
    forth = sap(site, ID=dl3, DIRECTION="FORTH", DEPTH=2)
    assert forth == sap(site, ID=dl3, DIRECTION="FORWARD", DEPTH=2)
    assert forth["used"]
    assert all(each["prov:activity"] != dl3 for each in forth["used"].values())


def test_provsap_starts_from_an_activity_and_an_agent(site: Served, store: Path, dl3: str) -> None:
    graph = provkg.open(store).graph()
    [activity] = graph.objects(dl3, PROV.wasGeneratedBy)
    agent = graph.objects(activity, PROV.wasAssociatedWith)[0]
    back = sap(site, ID=activity, DEPTH=1)
    assert len(back["used"]) == 2
    assert "wasGeneratedBy" not in back
    assert len(sap(site, ID=activity, DEPTH="ALL")["activity"]) > 5
    assert len(sap(site, ID=activity, DIRECTION="FORTH", DEPTH=1)["wasGeneratedBy"]) == 1
    assert not sap(site, ID=agent).get("activity")
    assert len(sap(site, ID=agent, AGENT="true")["activity"]) > 1


@pytest.mark.parametrize(
    ("form", "begin"),
    [("PROV-N", b"document"), ("PROV-XML", b"<?xml"), ("PROV-SVG", b"<?xml"), ("application/json", b"{")],
)
def test_provsap_gives_its_formats(site: Served, dl3: str, form: str, begin: bytes) -> None:
    found = site.get("/provsap", params={"ID": dl3, "RESPONSEFORMAT": form})
    if found.status_code == 501:
        pytest.skip("graphviz is not here")
    assert found.content.startswith(begin), found.text


def test_provsap_gives_the_tables_of_provtap(site: Served, dl3: str) -> None:
    pytest.importorskip("astropy")
    from astropy.io.votable import parse

    found = site.get("/provsap", params={"ID": dl3, "DEPTH": "ALL", "RESPONSEFORMAT": "PROV-VOTABLE"})
    tables = {each.name: each.to_table() for each in parse(io.BytesIO(found.content)).iter_tables()}
    document = sap(site, ID=dl3, DEPTH="ALL")
    assert len(tables["Entity"]) == len(document["entity"])
    assert len(tables["Activity"]) == len(document["activity"])
    assert len(tables["Used"]) == len(document["used"])
    assert len(tables["WasGeneratedBy"]) == len(document["wasGeneratedBy"])
    assert len(tables["WasAssociatedWith"]) == len(document["wasAssociatedWith"])
    assert set(tables["Used"]["u_entity_id"]) <= set(tables["Entity"]["e_id"])
    assert set(tables["Parameter"]["p_activity_id"]) <= set(tables["Activity"]["a_id"])
    assert "ObservationRun" in set(tables["Parameter"]["p_name"])


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({}, 400),
        ({"ID": "nothing at all"}, 404),
        ({"ID": DL3, "DEPTH": "-1"}, 400),
        ({"ID": DL3, "DEPTH": "٣"}, 400),
        ({"ID": DL3, "DIRECTION": "UP"}, 400),
        ({"ID": DL3, "DIRECTION": "back"}, 400),
        ({"ID": DL3, "RESPONSEFORMAT": "PROV-TURTLE"}, 400),
        ({"ID": DL3, "STEPS": "true"}, 400),
        ({"ID": DL3, "STEPS": "false"}, 200),
        ({"ID": DL3, "DESCRIPTIONS": "2"}, 400),
        ({"ID": DL3, "WHAT": "1"}, 400),
        ({"ID": DL3, "DEPTH": ["1", "2"]}, 400),
        ({"ID": [DL3, "crab_flux_points.fits"]}, 200),
    ],
)
def test_provsap_refuses_what_it_does_not_do(site: Served, parameters: dict[str, object], status: int) -> None:
    assert site.get("/provsap", params=parameters).status_code == status


def test_provsap_goes_back_from_an_activity_that_made_nothing(tmp_path: Path, write) -> None:
    from provkg.config import Config
    from provkg.server.messages import Asked, Setup
    from provkg.server.site import Site

    text = """@prefix prov: <http://www.w3.org/ns/prov#> .
<http://a/look> a prov:Activity ; prov:used <http://a/made> .
<http://a/made> a prov:Entity ; prov:wasGeneratedBy <http://a/make> .
<http://a/make> a prov:Activity ; prov:used <http://a/raw> . <http://a/raw> a prov:Entity ."""
    provkg.open(tmp_path / "store").ingest([write("a.ttl", text)])
    site = Site(Setup(Config(store=str(tmp_path / "store"))))
    found = site.respond(Asked("GET", "/provsap", [("ID", "http://a/look"), ("DEPTH", "ALL")]))
    document = json.loads(found.body)
    assert len(document["activity"]) == 2
    assert len(document["entity"]) == 2


def test_vosi_and_datalink(site: Served, dl3: str) -> None:
    root = ET.fromstring(site.get("/capabilities").content)
    assert root.tag == "{http://www.ivoa.net/xml/VOSICapabilities/v1.0}capabilities"
    assert b'xmlns:vs="http://www.ivoa.net/xml/VODataService' in site.get("/capabilities").content, "xsi:type needs it"
    assert {each.get("standardID") for each in root} >= {"ivo://ivoa.net/std/VOSI#capabilities"}
    told = ET.fromstring(site.get("/availability").content)
    assert [each.text for each in told] == ["true"]
    pytest.importorskip("astropy")
    from astropy.io.votable import parse_single_table

    found = site.get("/datalink", params={"ID": dl3})
    table = parse_single_table(io.BytesIO(found.content)).to_table()
    semantics = list(table["semantics"])
    assert semantics.count("#progenitor") == 2
    assert semantics.count("#derivation") >= 1
    assert "content=datalink" in found.headers["Content-Type"]
    fault = parse_single_table(io.BytesIO(site.get("/datalink?ID=nothing-here").content)).to_table()
    assert fault["error_message"][0].startswith("NotFoundFault")


# Operations


def test_health_metrics_and_versions(site: Served) -> None:
    assert site.get("/-/health").json() == {"status": "ok", "store": True, "workers": 2}
    assert site.get("/-/versions").json()["provkg"]
    site.get("/sparql", params={"query": ASK})
    site.get("/-/health")
    told = site.get("/-/metrics").text
    assert re.search(r'provkg_requests_total\{kind="sparql",method="GET",status="200"\} \d+', told)
    assert "provkg_workers 2.0" in told


def test_each_request_is_one_line_of_json(site: Served) -> None:
    site.get("/search?q=log-me", HTML)
    site.get("/-/health")
    [line] = [each for each in site.log() if each["query"] == "q=log-me"]
    assert line["status"] == 200
    assert {"time", "client", "method", "path", "bytes", "ms", "agent"} <= line.keys()


@pytest.mark.parametrize(("path", "status"), [("/api/questions/steps?product=" + DL3, 0), ("/entity/no", 5)])
def test_one_request_without_a_server(store: Path, path: str, status: int) -> None:
    command = [sys.executable, "-m", "provkg", "--store", str(store), "serve", "--get", path, "--accept", "text/csv"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == status, found.stderr
    assert ("r0_to_dl1" in found.stdout) is (status == 0)


def test_a_server_without_a_store_says_so(tmp_path: Path) -> None:
    with served(tmp_path / "none", "--workers", "1") as site:
        assert "provkg" in site.get("/", HTML).text
        assert site.get("/availability").text.count("false") == 1
        assert site.get("/sparql", params={"query": ASK}).status_code == 500


def test_an_ingest_that_lands_is_seen_and_never_by_half(tmp_path: Path) -> None:
    from provkg.resources import sample

    logs = sorted(sample().glob("Run*.log"))
    kg = provkg.open(tmp_path / "store")
    kg.ingest(logs[:1])
    query = "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }"
    with served(tmp_path / "store", "--workers", "2") as site:
        seen: list[int] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                seen.append(count(site, query))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for each in threads:
            each.start()
        states = {len(list(kg.graph().pattern(None, None, None, None)))}
        for log in logs[1:]:
            kg.ingest([log])
            states.add(len(list(kg.graph().pattern(None, None, None, None))))
        stop.set()
        for each in threads:
            each.join()
        assert set(seen) <= states
        assert count(site, query) == max(states)


def test_it_stops_when_it_is_told_and_its_workers_with_it(store: Path) -> None:
    with served(store, "--workers", "2") as site:
        workers = site.workers()
        assert len(workers) == 2
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(20) in (0, -signal.SIGTERM)
        assert not any(Path(f"/proc/{each}").exists() for each in workers)


def test_what_is_being_answered_when_it_is_told_to_stop_is_answered(store: Path) -> None:
    with served(store, "--workers", "1", "--seconds", "1") as site:
        codes: list[int] = []
        query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
        asking = threading.Thread(target=lambda: codes.append(site.get("/sparql", params={"query": query}).status_code))
        asking.start()
        while "provkg_workers_busy 1.0" not in site.get("/-/metrics").text:
            assert asking.is_alive()
        site.process.send_signal(signal.SIGTERM)
        asking.join()
        assert codes == [503], "it was answered: its time was up"
        site.process.wait(20)


def test_records_are_taken_from_those_with_a_token(tmp_path: Path) -> None:
    from provkg.resources import sample

    log = next(sample().glob("Run12012.log"))
    made = subprocess.run(
        [sys.executable, "-m", "provkg", "serve", "--new-token", "site"], capture_output=True, text=True, check=True
    )
    token = made.stdout.strip()
    assert hashlib.sha256(token.encode()).hexdigest() in made.stderr
    assert token not in made.stderr
    table = "\n".join(made.stderr.splitlines()[1:])
    (tmp_path / "provkg.toml").write_text(f'[serve]\ninbox = "inbox"\n{table}\n')
    headers = {"Authorization": f"Bearer {token}"}
    with served(tmp_path / "store", "--workers", "1", "--allow-ingest", cwd=tmp_path) as site:
        for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {token}"}):
            assert site.post("/api/ingest?name=a.log", data=b"", headers=wrong).status_code == 401
        for name in ("../a", "a/b", "", ".hidden", "/etc/passwd", "a%00b"):
            assert site.post(f"/api/ingest?name={name}", data=b"x", headers=headers).status_code == 400
        first = site.post("/api/ingest?name=a.log", data=log.read_bytes(), headers=headers)
        assert first.status_code == 201, first.text
        assert first.json()["sources"] == 1
        assert (tmp_path / "inbox" / "site" / "a.log").read_bytes() == log.read_bytes()
        digest = provkg.open(tmp_path / "store").graph().digest()
        site.post("/api/ingest?name=a.log", data=log.read_bytes(), headers=headers)
        assert provkg.open(tmp_path / "store").graph().digest() == digest, "the same again changes nothing"
        assert len(site.get(f"/api/questions/lineage?product={DL3}&format=jsonl").text.splitlines()) > 5
        assert site.get("/api/ingest").status_code in (404, 405)
    with served(tmp_path / "store", "--workers", "1", cwd=tmp_path) as site:
        assert site.post("/api/ingest?name=a.log", data=b"", headers=headers).status_code == 405
    (tmp_path / "policy.toml").write_text("")
    public = ("--allow-ingest", "--public", "policy.toml")
    other = next(sample().glob("calibration.log")).read_bytes()
    with served(tmp_path / "store", "--workers", "1", *public, cwd=tmp_path) as site:
        assert site.post("/api/ingest?name=b.log", data=other, headers=headers).status_code == 201
    assert provkg.open(tmp_path / "store").graph().digest() != digest, "it is the store that takes them, not its copy"


# Parts of it


def test_one_request_sees_one_state_whatever_is_ingested_meanwhile(
    tmp_path: Path, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from provkg.config import Config
    from provkg.resources import sample
    from provkg.server.messages import Asked, Reply, Setup
    from provkg.server.site import ROUTES, Site

    kg = provkg.open(tmp_path / "store")
    kg.ingest([next(sample().glob("calibration.log"))])
    counts = []

    def mixed(site: Site, _: Asked) -> Reply:
        for _again in range(2):
            counts.append(len(site.kg.ask("generated-twice").graph.graphs()) + len(site.graph().graphs()))
            kg.ingest([next(sample().glob("Run12012.log"))])
        return Reply(200)

    monkeypatch.setitem(ROUTES, "/mixed", mixed)
    site = Site(Setup(Config(store=str(tmp_path / "store"))))
    assert site.respond(Asked("GET", "/mixed")).status == 200
    assert counts[0] == counts[1]
    site.respond(Asked("GET", "/mixed"))
    assert counts[2] > counts[0]


def test_a_worker_has_no_way_to_write(store: Path) -> None:
    from provkg.config import Config
    from provkg.errors import StoreError
    from provkg.server.messages import Setup
    from provkg.server.site import Site

    with pytest.raises(StoreError):
        Site(Setup(Config(store=str(store)))).kg.ingest([store])


def test_what_is_left_out_of_a_description_is_told(tmp_path: Path, write) -> None:
    from provkg.config import Config
    from provkg.server.messages import Asked, Setup
    from provkg.server.site import Site

    many = "".join(f"<http://a/{n}> prov:wasDerivedFrom <http://a/raw> .\n" for n in range(2_100))
    text = f"@prefix prov: <http://www.w3.org/ns/prov#> .\n<http://a/raw> a prov:Entity .\n{many}"
    provkg.open(tmp_path / "store").ingest([write("a.ttl", text)])
    site = Site(Setup(Config(store=str(tmp_path / "store"))))
    found = site.respond(Asked("GET", "/data/.nt", [("iri", "http://a/raw")]))
    assert "2,000" in found.headers["X-Provkg-Cut"]
    assert b"2,1" in site.respond(Asked("GET", "/page/", [("iri", "http://a/raw")], "text/html")).body


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("", "turtle"),
        ("*/*", "turtle"),
        ("text/html", "html"),
        ("text/*;q=0.3, text/html;q=0.7", "html"),
        ("application/*", None),
        ("text/turtle;q=0, */*", "html"),
        ("text/html;q=nan, text/turtle;q=0.1", "turtle"),
        ("text/html;q=2", None),
        ("TEXT/HTML", "html"),
    ],
)
def test_the_best_format(accept: str, format_: str | None) -> None:
    assert best(accept, {"text/turtle": "turtle", "text/html": "html"}) == format_


def test_a_fold_that_is_opened_is_its_parts_and_nothing_is_lost(store: Path) -> None:
    kg = provkg.open(store)
    rollup = kg.rollup(run="12012", grain="run")
    folded = [each for each in rollup.folds.values() if each.count > 1]
    found = opened(rollup, [folded[0].iri])
    assert len(found.folds) == len(rollup.folds) + folded[0].count - 1
    assert found.unfolded() == rollup.unfolded()
    assert opened(rollup, [each.iri for each in folded]).folds.keys() == rollup.unfolded().nodes.keys()
    assert opened(rollup, ["no such fold"]) == rollup
