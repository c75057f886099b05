"""One contract for all stores: memory, disk, Oxigraph server and Virtuoso give equal answers to everything."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, QueryResultsFormat, QuerySolutions, QueryTriples, RdfFormat

from provkg.config import MEMORY, Config
from provkg.errors import StoreError, StoreLocked
from provkg.knowledge import KnowledgeGraph
from provkg.questions import questions
from provkg.resources import sample
from provkg.store import Graph, open_store, text_of
from provkg.vocab import CATALOGUE, LEDGER, PKG, PROV, XSD
from tests import servers
from tests.logs import activity, log, session

pytestmark = pytest.mark.xdist_group("servers")
Write = Callable[[str, str | bytes], Path]
BASE = Config().base
SERVERS = ("oxigraph", "virtuoso")
STORES = (MEMORY, "disk", *SERVERS)
FLUX = "crab_flux_points.fits"
MORE = {  # values of which a server could make something else
    "completeness": ({"night": "20230312"},),
    "never-ended": ({"night": "20230312"}, {}),
    "steps": ({"product": FLUX, "step": "dl1ab"},),
    "failures": ({"since": "2023-03-12", "until": "2023-04-03T09:00:01Z"},),
    "with-parameter": ({"parameter": "gammaness_cut", "value": "0.7", "step": "dl2_to_dl3", "until": "2023-03-14"},),
    "trust": ({"product": FLUX}, {"product": FLUX, "accounts": "astronomer"}),
    "private-data": ({},),
    "made-in": ({"since": "2023-03-10", "until": "2023-03-11", "level": "DL2", "instrument": "CTA-North"},),
    "unusual-durations": ({"step": "r0_to_dl1", "night": "20230312", "factor": "1.1"},),
    "connection": ({"first": FLUX, "second": "gamma_run1.dl2.h5"}, {"first": FLUX, "second": "crab_spectrum.fits"}),
    "statement-source": ({"subject": FLUX},),
    "outdated": ({"night": "20230312"}, {"night": "20230313"}),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> KnowledgeGraph:
    """An empty store of each kind."""
    if request.param in SERVERS:
        return KnowledgeGraph(servers.emptied(request.getfixturevalue(request.param)))
    return KnowledgeGraph(open_store(Config(store=MEMORY if request.param == MEMORY else str(tmp_path / "store"))))


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Config:
    """An empty store on each server."""
    config: Config = request.getfixturevalue(request.param)
    servers.emptied(config)
    return config


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    """The sample on disk: what the others are compared with."""
    kg = KnowledgeGraph(open_store(Config(store=str(tmp_path_factory.mktemp("disk") / "store"))))
    kg.ingest([sample()])
    return kg


def fresh(tmp_path: Path, *paths: Path) -> str:
    """The digest of a new embedded store with these files."""
    kg = KnowledgeGraph(open_store(Config(store=str(tmp_path / f"fresh-{len(list(tmp_path.iterdir()))}"))))
    kg.ingest(paths)
    return kg.graph().digest()


TEXTS = ("plain", "", 'a "quoted", word', "line\nbreak\r\n", "tab\t", "5", "x" * 200_000, "é…\u202e", " ")


def test_rows_as_text_are_the_rows(store: KnowledgeGraph, write: Write) -> None:
    records = [
        activity(f"{n:06d}", f"step{n}", at=n, parameters={"text": text, "none": None}) for n, text in enumerate(TEXTS)
    ]
    store.ingest([write("prov.log", log(session(), *records)), sample()])
    graph = store.graph()
    for query in (
        f"SELECT ?s ?v ?x WHERE {{ ?s <{PROV.value}> ?v OPTIONAL {{ ?s <{PKG.line}> ?x }} }}",
        f"SELECT ?x WHERE {{ ?s <{PROV.value}> ?v OPTIONAL {{ ?s <{PKG.line}> ?x }} }}",
        f"SELECT (COUNT(?s) AS ?n) WHERE {{ ?s <{PROV.startedAtTime}> ?t }}",
        f"SELECT ?s WHERE {{ ?s <{PROV.value}> 'nothing has this value' }}",
        f"SELECT ?t WHERE {{ ?s <{PROV.startedAtTime}> ?t }}",
    ):
        rows = [[text_of(value) for value in row.values()] for row in graph.select(query)]
        assert sorted(graph.texts(query)) == sorted(rows), query
    with pytest.raises((TypeError, StoreError)):
        list(graph.texts("ASK { ?s ?p ?o }"))


# Writing


def test_an_ingest_makes_the_same_graph_and_the_same_again_changes_nothing(
    store: KnowledgeGraph, disk: KnowledgeGraph
) -> None:
    assert not store.store.exists()
    assert store.ingest([sample()]).sources == 7
    before = store.graph()
    assert before.digest() == disk.graph().digest()
    assert {**store.status(), "store": ""} == {**disk.status(), "store": ""}
    again = store.ingest([sample()])
    assert (again.sources, again.unchanged) == (0, 7)
    assert store.graph().snapshot == before.snapshot
    assert store.graph().digest() == before.digest()


def test_a_grown_file_replaces_what_it_said_before(store: KnowledgeGraph, write: Write, tmp_path: Path) -> None:
    lines = (sample() / "Run12013.log").read_text().splitlines(keepends=True)
    others = [path for path in sorted(sample().iterdir()) if path.name != "Run12013.log"]
    states = set()
    for part in (0.5, 1.0):
        grown = write("Run12013.log", "".join(lines[: int(len(lines) * part)]))
        summary = store.ingest([grown, *others])
        states.add(store.graph().snapshot)
    assert (summary.grown, summary.replaced) == (1, 0)
    assert len(states) == 2
    assert store.graph().digest() == fresh(tmp_path, grown, *others)


def test_a_file_that_is_rewritten_leaves_nothing_behind(store: KnowledgeGraph, write: Write, tmp_path: Path) -> None:
    old = activity("aaaaaa", used=("/d/x",), generated=("/d/y",), parameters={"old": 1.5, "third": 1 / 3})
    other = write("b.log", log(session(9), activity("cccccc", "later", at=60, used=("/d/y",), in_session=9)))
    store.ingest([write("a.log", log(session(), old)), other])
    new = write("a.log", log(session(7), activity("bbbbbb", "other", used=("/d/z",), in_session=7)))
    store.ingest([new])
    assert store.graph().digest() == fresh(tmp_path, new, other)


def test_one_writer_at_a_time(store: KnowledgeGraph) -> None:
    store.ingest([sample() / "gammapy.log"])
    with store.store.write():
        with pytest.raises(StoreLocked), store.store.write():
            pass
        assert store.status()["activities"] == 3
    with store.store.write() as writing:
        assert not writing.fresh


def test_quads_are_removed_and_a_transaction_sees_what_it_did(store: KnowledgeGraph) -> None:
    node, graph = NamedNode("https://e.org/s"), NamedNode(BASE + CATALOGUE)
    quads = [Quad(node, NamedNode(PROV.value), Literal(number), graph) for number in range(5)]
    with store.store.write() as writing:
        writing.load("".join(f"{quad} .\n" for quad in quads))
        assert len(list(writing.graph.quads(node.value))) == 5
        writing.remove(quads[:2])
        assert set(writing.graph.quads(node.value)) == set(quads[2:])
        assert list(writing.graph.quads(None, None, quads[0].object)) == []
        writing.load(f"{quads[0]} .\n")
        assert set(writing.graph.quads(None, PROV.value)) == {quads[0], *quads[2:]}
    store.ingest([sample() / "gammapy.log"])  # a store that holds no source is empty
    assert set(store.graph().quads(node.value)) == {quads[0], *quads[2:]}


def test_a_store_of_another_base_is_refused(server: Config) -> None:
    KnowledgeGraph(open_store(server)).ingest([sample() / "gammapy.log"])
    other = KnowledgeGraph(open_store(replace(server, base="https://other.example.org/")))
    assert other.graph().base == BASE
    with pytest.raises(StoreError, match="begin with"):
        other.ingest([sample()])


# Asking


def test_every_question_has_equal_rows(store: KnowledgeGraph, disk: KnowledgeGraph) -> None:
    store.ingest([sample()])
    odd = {}
    for name, question in questions().items():
        for values in (question.example, *MORE.get(name, ())):
            there, here = (list(kg.ask(name, **values).lines("/")) for kg in (store, disk))
            if there != here:
                odd[name] = (there, here)
    assert odd == {}


def test_products_are_found_shown_and_followed_alike(store: KnowledgeGraph, disk: KnowledgeGraph) -> None:
    store.ingest([sample()])
    path = "/data/irf/crab_irf.fits.gz"
    [found] = store.find(path)
    for text in (path, "crab_irf.fits.gz", "crab_i", found.iri, found.iri.rpartition("/")[2][:8]):
        assert store.find(text) == [found] == disk.find(text)
    flux = "180d6a850098577d7535be631168f696"  # the digest of its path
    assert store.find(flux) == disk.find(flux) != []
    assert store.show("crab_flux_points.fits") == disk.show("crab_flux_points.fits")
    assert store.lineage("crab_flux_points.fits") == disk.lineage("crab_flux_points.fits")
    assert store.lineage(path, down=True) == disk.lineage(path, down=True)


def test_validation_finds_the_same(store: KnowledgeGraph, tmp_path: Path) -> None:
    same = KnowledgeGraph(open_store(Config(store=str(tmp_path / "same"))))
    for kg in (store, same):
        kg.ingest([sample() / "Run12012.log"])
    found, expected = store.validate(), same.validate()
    assert found.findings == expected.findings
    assert found.findings
    product = "dl3_LST-1.Run12012.fits"
    assert store.validate(product=product).findings == same.validate(product=product).findings


def test_inferences_are_hidden_from_questions_and_can_be_forgotten(
    store: KnowledgeGraph, disk: KnowledgeGraph, tmp_path: Path
) -> None:
    store.ingest([sample()])
    mine = KnowledgeGraph(open_store(Config(store=str(tmp_path / "inferred"))))
    mine.ingest([sample()])
    assert store.infer() == mine.infer()
    graph = store.graph()
    assert graph.inferred
    asked = f"?s <{PROV.wasInfluencedBy}> ?o"
    assert list(graph.select(f"SELECT ?s ?o WHERE {{ {asked} }}")) == []
    assert list(graph.select(f"SELECT ?g ?s WHERE {{ GRAPH ?g {{ {asked} }} }}")) == []
    assert bool(graph.query(f"ASK {{ {asked} }}"))
    for name, question in questions().items():
        answers = [list(kg.ask(name, **question.example).lines("/")) for kg in (store, disk)]
        assert answers[0] == answers[1], name
    assert store.forget_inferences() == mine.forget_inferences()
    assert not store.graph().inferred


@pytest.mark.parametrize("store", ["virtuoso"], indirect=True)  # owlrl takes its time, wherever the data is
def test_owl_reasoning_of_a_product_is_stored_and_forgotten(store: KnowledgeGraph) -> None:
    store.ingest([sample() / "gammapy.log"])
    before = store.graph().digest()
    added = store.infer(owl=True, product="crab_flux_points.fits")
    assert store.graph().digest() == before
    assert store.forget_inferences() == added.total() > 100


QUERIES = [
    "SELECT ?s ?time WHERE { ?s prov:startedAtTime ?time } ORDER BY ?time STR(?s)",
    "SELECT (COUNT(*) AS ?n) (MIN(?v) AS ?least) WHERE { ?s pkg:byteCount ?v }",
    "SELECT * WHERE { ?p vp:name ?name ; pkg:typedValue ?value } ORDER BY STR(?name) STR(?value) LIMIT 7 # seven",
    "SELECT ?s WHERE { ?s a pkg:NoSuchThing }",
    "ASK { ?s a prov:Activity }",
    "ASK { ?s a pkg:NoSuchThing }",
    "ASK {}",
    "CONSTRUCT { ?s vp:name ?o ; prov:value 1 } WHERE { ?s rdfs:label ?o }",
    "CONSTRUCT { ?a prov:used [] } WHERE { ?a a prov:Activity } ORDER BY STR(?a) LIMIT 1",
    "CONSTRUCT WHERE { ?s pkg:typedValue ?value }",
    "CONSTRUCT { <urn:a> <urn:b> 'FROM' } WHERE { ?s a prov:Activity }",
    "SELECT ?from ?service WHERE { ?from pkg:inSession ?service } ORDER BY STR(?from)",  # variables are no keywords
    "DESCRIBE <https://provkg.example.org/graph/catalogue>",
    "DESCRIBE ?a WHERE { ?a a prov:Activity ; rdfs:label 'dl1ab' }",
    "SELECT ?s ?o FROM <https://provkg.example.org/graph/descriptions> WHERE { ?s vp:name ?o } ORDER BY STR(?s) STR(?o)",
]
PREFIXES = f"PREFIX prov: <{PROV.iri}> PREFIX pkg: <{PKG.iri}> PREFIX vp: <https://w3id.org/provkg/voprov#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>\n"


def _told(graph: Graph, query: str) -> object:
    found = graph.query(PREFIXES + query)
    if isinstance(found, QueryTriples):
        data = found.serialize(format=RdfFormat.N_TRIPLES) or b""
        return sorted(re.sub(rb"_:\w+", b"_:b", line) for line in data.splitlines())
    if isinstance(found, QuerySolutions):
        data = found.serialize(format=QueryResultsFormat.TSV) or b""
        head, *rows = data.decode().splitlines()
        order = sorted(range(head.count("\t") + 1), key=head.split("\t").__getitem__)  # SELECT * has none
        return [[row.split("\t")[number] for number in order] for row in (head, *rows)]
    return bool(found)


def test_queries_of_all_forms_are_answered_alike(store: KnowledgeGraph, disk: KnowledgeGraph) -> None:
    store.ingest([sample()])
    graph, other = store.graph(), disk.graph()
    for query in QUERIES:
        assert _told(graph, query) == _told(other, query), query


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("SELECT ?s WHERE {\n ?s ?p }", "2:"),
        ("DROP ALL", "1:"),
        ("INSERT DATA { <urn:a> <urn:b> 1 }", "1:1"),
        ("SELECT ?s { ?s e:p ?o }", "1:"),
    ],
)
def test_what_is_no_query_is_refused_with_line_and_column(server: Config, query: str, where: str) -> None:
    kg = KnowledgeGraph(open_store(server))
    kg.ingest([sample() / "gammapy.log"])
    for ask in (kg.graph().query, lambda text: list(kg.graph().select(text))):
        with pytest.raises(SyntaxError, match=f"at {where}"):
            ask(query)
    assert kg.status()["activities"] == 3


def test_graphs_and_dumps_are_alike(store: KnowledgeGraph, disk: KnowledgeGraph) -> None:
    store.ingest([sample()])
    graph, other = store.graph(), disk.graph()
    assert sorted(graph.graphs()) == sorted(other.graphs())
    for name in other.graphs():
        if not name.endswith(LEDGER):  # it says when each source was read
            assert sorted(graph.text(name).splitlines()) == sorted(other.text(name).splitlines())
    lines, others = (
        {line for line in each.dump().splitlines() if LEDGER.encode() not in line} for each in (graph, other)
    )
    assert lines == others


def test_what_leaves_and_comes_in_is_alike(store: KnowledgeGraph, disk: KnowledgeGraph, tmp_path: Path) -> None:
    """A part is the same wherever the store lies, and so is what becomes of two that are merged."""
    first, *others = sorted(path for path in sample().iterdir() if path.is_file())
    disk.export(tmp_path / "all.nq.gz")
    store.ingest([first])
    assert store.merge(tmp_path / "all.nq.gz").sources == len(others)
    assert store.graph().digest() == disk.graph().digest()
    told = [set(), set()]
    for kg, found in zip((disk, store), told, strict=True):
        names = {node.iri for node in kg.view(run="12012").nodes.values()}
        assert sorted(map(str, kg.graph().about(names))) == sorted(
            str(quad) for name in names for quad in kg.graph().quads(name)
        )
        kg.export(tmp_path / "part.nt", run="12012")
        lines = (tmp_path / "part.nt").read_text().splitlines()
        found.update(line for line in lines if "/source/" not in line)  # when each was read differs
    assert told[0] == told[1]
    assert len(told[0]) > 1000


# Terms

LITERALS = [
    *(("true", "boolean"), ("0", "boolean"), ("007", "integer"), ("-5", "integer"), ("9007199254740993", "integer")),
    *(("123456789012345678901", "integer"), ("bogus", "integer"), ("5", "int"), ("5", "unsignedByte")),
    *(("1.50", "decimal"), ("100", "decimal"), ("0.0000000001", "decimal"), ("12345678901234567.123456", "decimal")),
    *(("1000", "double"), ("0.1", "double"), ("1e-7", "double"), ("1.2345678901234567", "double"), ("1e300", "double")),
    *(("NaN", "double"), ("INF", "double"), ("-INF", "double"), ("0.1", "float"), ("3.4e38", "float")),
    *(("2021-07-01T01:00:00.100000Z", "dateTime"), ("2021-07-01T01:00:00.123456789Z", "dateTime")),
    *(("2021-07-01T01:00:00", "dateTime"), ("2021-07-01T01:00:00+02:00", "dateTime"), ("bogus", "dateTime")),
    *(
        ("2021-07-01", "date"),
        ("10:00:00", "time"),
        ("2021", "gYear"),
        ("PT5S", "duration"),
        ("PT5S", "dayTimeDuration"),
    ),
    *(("P1Y", "yearMonthDuration"), ("http://x/ y", "anyURI"), ("aGk=", "base64Binary"), ("x", "string")),
]


def literals() -> list[Literal]:
    found = [Literal(text, datatype=NamedNode(XSD + kind)) for text, kind in LITERALS]
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    found += [
        Literal('{"a": [1.0]}', datatype=NamedNode(rdf + "JSON")),
        Literal("<b/>", datatype=NamedNode(rdf + "XMLLiteral")),
    ]
    found += [Literal("POINT(1 2)", datatype=NamedNode("http://www.opengis.net/ont/geosparql#wktLiteral"))]
    found += [
        Literal("x", datatype=NamedNode("http://e.org/a")),
        Literal("x", language="en"),
        Literal("x", language="de-AT"),
    ]
    found += [Literal(""), Literal("  a  "), Literal("a" * 200_000), Literal('"} DROP ALL #'), Literal("?x $y \\u0041")]
    return [*found, Literal("tab\tline\nreturn\rquote\"back\\slash' é € \U0001f600 \x01 \x7f ]]> &amp; <b>")]


def test_every_literal_comes_back_as_pyoxigraph_has_it(store: KnowledgeGraph, tmp_path: Path) -> None:
    graph = NamedNode(BASE + CATALOGUE)
    node = [NamedNode(f"https://e.org/{number}") for number in range(len(literals()))]
    quads = [Quad(each, NamedNode(PROV.value), value, graph) for each, value in zip(node, literals(), strict=True)]
    lines = "".join(f"{quad} .\n" for quad in quads)
    same = KnowledgeGraph(open_store(Config(store=str(tmp_path / "same"))))
    for kg in (store, same):
        kg.ingest([sample() / "gammapy.log"])
        with kg.store.write() as writing:
            writing.load(lines)
    wanted = sorted(map(str, same.graph().quads(None, PROV.value, None, graph.value)))
    assert sorted(map(str, store.graph().quads(None, PROV.value, None, graph.value))) == wanted
    found = store.graph()
    for quad in same.graph().quads(None, PROV.value, None, graph.value):
        assert isinstance(quad.object, Literal)
        assert quad.subject.value in found.subjects(PROV.value, quad.object), quad.object.datatype
    with store.store.write() as writing:
        writing.remove(list(same.graph().quads(None, PROV.value, None, graph.value)))
    assert [quad for quad in store.graph().quads(None, PROV.value) if quad.subject in node] == []


def test_an_iri_that_a_server_would_cut_off_is_refused(virtuoso: Config) -> None:
    store = servers.emptied(virtuoso)
    with pytest.raises(StoreError, match="longer than"), store.write() as writing:
        writing.load(f"<https://e.org/{'x' * 3000}> <urn:p> <urn:o> <{BASE}{CATALOGUE}> .\n")


def test_answers_of_more_than_ten_thousand_rows_are_whole(server: Config) -> None:
    kg = KnowledgeGraph(open_store(server))
    kg.ingest([sample() / "gammapy.log"])
    graph, count = BASE + "graph/catalogue", 12_345
    with kg.store.write() as writing:
        writing.load("".join(f'<urn:n{number}> <urn:p> "{number % 7}" <{graph}> .\n' for number in range(count)))
    view = kg.graph()
    assert len(set(view.quads(None, "urn:p"))) == count
    rows = [row["n"] for row in view.select("SELECT ?n WHERE { ?n <urn:p> ?v } ORDER BY DESC(?v)")]
    assert len(rows) == len(set(rows)) == count
    query = f"PREFIX g: <{BASE}graph/> SELECT ?n ?v FROM g:catalogue {{ ?n <urn:p> ?v }} ORDER BY ?v # by value"
    values = [solution["v"].value for solution in view.query(query)]
    assert len(values) == count
    assert values == sorted(values)
    made = view.query("CONSTRUCT { ?n <urn:q> ?v } WHERE { ?n <urn:p> ?v }")
    assert sum(1 for _ in made) == count
    assert sum(1 for _ in view.query("DESCRIBE ?n WHERE { ?n <urn:p> '3' }")) == sum(
        1 for n in range(count) if n % 7 == 3
    )
    assert [row["n"].value for row in view.select("SELECT (COUNT(*) AS ?n) { ?s <urn:p> ?v }")] == [str(count)]
    assert view.text(graph).count(b"<urn:p>") == count
