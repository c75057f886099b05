"""The static site: whole, readable by every tool that it is for, from a file and over HTTP, with SPARQL in the page."""

import contextlib
import functools
import gzip
import http.server
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
import rdflib
import requests
from prov.model import ProvDocument
from rdflib.namespace import DCAT, RDF, VOID

import provkg
from provkg.errors import InputError
from provkg.knowledge import KnowledgeGraph
from provkg.publishing import negotiation
from provkg.publishing.browser import engine
from provkg.publishing.describing import sitemaps
from provkg.resources import sample
from provkg.vocab import PROV
from tests.serving import served
from tests.test_cli import provkg as command

LDES, TREE = rdflib.Namespace("https://w3id.org/ldes#"), rdflib.Namespace("https://w3id.org/tree#")
HREF = re.compile(r'(?:href|src)="([^"]*)"')
URL = "https://archive.example.org/prov/"
HOSTILE = """@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix pkg: <https://w3id.org/provkg/ns#> .
<http://a/out> a prov:Entity ; pkg:location "/d/<script>alert(1)</script>&.fits" ; rdfs:label "</script><b>" ;
  prov:wasGeneratedBy <http://a/act> .
<http://a/act> a prov:Activity ; rdfs:label "<img src=x onerror=alert(2)>" ; prov:used <http://a/in> .
"""


@pytest.fixture(scope="module")
def kg(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    found = provkg.open(tmp_path_factory.mktemp("publish") / "store")
    found.ingest([sample()])
    return found


@pytest.fixture(scope="module")
def site(kg: KnowledgeGraph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    kg.publish(folder, title="Sample", url=URL, publisher="The archive", licence="https://spdx.org/licenses/CC0-1.0")
    return folder / "data"


def pages(site: Path, kind: str = "*") -> list[Path]:
    return sorted(site.glob(f"{kind}/*.html"))


# The files


def test_each_product_run_and_night_has_a_page_a_picture_and_data(kg: KnowledgeGraph, site: Path) -> None:
    view = kg.view()
    products = [node for node in view.nodes.values() if node.kind == "entity"]
    runs = {
        value for node in view.nodes.values() if node.kind == "activity" for key, value in node.keys if key == "run"
    }
    assert len(pages(site, "product")) == len(products)
    assert {path.stem for path in pages(site, "run")} == runs
    assert {path.stem for path in pages(site, "night")} == {"20230312", "20230313"}
    for path in pages(site):
        stem = path.with_suffix("")
        assert ElementTree.parse(f"{stem}.svg").getroot().tag.endswith("svg")


def test_rdflib_and_prov_read_the_data_of_every_page(kg: KnowledgeGraph, site: Path) -> None:
    made = {each.subject: each.object for each in kg.view().relations if each.kind == "wasGeneratedBy"}
    seen = set()
    for path in pages(site):
        stem = str(path.with_suffix(""))
        turtle = rdflib.Graph().parse(f"{stem}.ttl")
        assert len(rdflib.Graph().parse(f"{stem}.jsonld")) == len(turtle)
        assert ProvDocument.deserialize(f"{stem}.prov.json") is not None
        for subject, activity in turtle.subject_objects(rdflib.URIRef(PROV.wasGeneratedBy)):
            assert made[str(subject)] == str(activity)
            seen.add(str(subject))
    assert seen == made.keys()


def test_every_link_of_every_page_leads_to_a_file(site: Path) -> None:
    for path in (site / "index.html", site / "sparql.html", *pages(site)):
        text = path.read_text()
        for link in HREF.findall(text):
            where = urlsplit(link.replace("&amp;", "&"))
            if where.scheme in ("", "file") and where.path:
                assert (path.parent / unquote(where.path)).exists(), f"{path.name}: {link}"
    for path in site.glob("*/*.svg"):
        for link in re.findall(r'xlink:href="([^"]*)"', path.read_text()):
            assert urlsplit(link).scheme or (path.parent / link).exists(), link


def test_it_is_a_valid_bag_and_damage_is_seen(site: Path, tmp_path: Path) -> None:
    bagit = pytest.importorskip("bagit")
    shutil.copytree(site.parent, tmp_path / "bag")
    assert bagit.Bag(str(tmp_path / "bag")).is_valid()
    victim = pages(tmp_path / "bag" / "data", "product")[0]
    victim.write_text(victim.read_text() + " ")
    assert not bagit.Bag(str(tmp_path / "bag")).is_valid()


def test_the_graph_is_there_and_another_provkg_imports_it(kg: KnowledgeGraph, site: Path, tmp_path: Path) -> None:
    again = provkg.open(tmp_path / "again")
    again.merge(site / "graph")
    assert again.graph().digest() == kg.graph().digest()
    script = (site / "graph" / "graph-0001.js").read_text()
    assert script.startswith('provkgShard(1,"')


def test_void_and_dcat_name_the_files_with_their_digests(site: Path, kg: KnowledgeGraph) -> None:
    from hashlib import sha256

    graph = rdflib.Graph().parse(site / "void.ttl")
    [dataset] = graph.subjects(RDF.type, DCAT.Dataset)
    assert (dataset, RDF.type, VOID.Dataset) in graph
    assert int(graph.value(dataset, VOID.triples)) == len(set(kg.graph().pattern(None, None, None, None)))
    for part in graph.objects(dataset, DCAT.distribution):
        path = site / str(graph.value(part, DCAT.downloadURL)).removeprefix(URL)
        checksum = next(graph.objects(part, rdflib.URIRef("http://spdx.org/rdf/terms#checksum")))
        value = graph.value(checksum, rdflib.URIRef("http://spdx.org/rdf/terms#checksumValue"))
        assert str(value) == sha256(path.read_bytes()).hexdigest()
        assert int(graph.value(part, DCAT.byteSize)) == path.stat().st_size


def test_the_map_for_crawlers_has_every_page(site: Path) -> None:
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    told = {each.text for each in ElementTree.parse(site / "sitemap.xml").iter(f"{space}loc")}
    assert told == {URL + path.relative_to(site).as_posix() for path in pages(site)}
    many = sitemaps(URL, [f"p/{number}.html" for number in range(120_000)])
    assert len(many) == 4
    assert many["sitemap.xml"].count("<sitemap>") == 3


# The stream of events


def check_stream(read, url: str, kg: KnowledgeGraph) -> None:
    """A harvester follows the relations, in order of time, and gets every source once."""
    view = rdflib.Graph().parse(data=read(url), format="turtle")
    [stream] = view.subjects(RDF.type, LDES.EventStream)
    members, last = [], ""
    for node in sorted(view.objects(None, TREE.node)):
        page = rdflib.Graph().parse(data=read(str(node)), format="turtle")
        for member in sorted(page.objects(stream, TREE.member)):
            time_ = str(page.value(member, rdflib.URIRef(PROV.generatedAtTime)))
            members.append(str(member))
            last = max(last, time_)
    ledger = kg.graph()
    sources = set(
        ledger.subjects("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "https://w3id.org/provkg/ns#Source")
    )
    assert set(members) == sources
    assert len(members) == len(sources)
    assert (stream, LDES.timestampPath, rdflib.URIRef(PROV.generatedAtTime)) in view


def test_harvesters_follow_the_stream_of_the_site(site: Path, kg: KnowledgeGraph) -> None:
    check_stream(lambda url: (site / url.removeprefix(URL)).read_text(), f"{URL}feed.ttl", kg)


def test_harvesters_follow_the_stream_of_the_server(kg: KnowledgeGraph) -> None:
    with served(Path(kg.store.name), "--workers", "1") as server:
        root = server.root.rstrip("/")
        check_stream(lambda url: server.get(url.removeprefix(root), "text/turtle").text, f"{root}/feed", kg)
        assert server.get("/feed/99").status_code == 404
        assert server.get("/feed/x").status_code == 404


# In a browser


@contextlib.contextmanager
def over_http(folder: Path) -> Iterator[str]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    where = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if where is None:
        pytest.skip("Chromium is not here")
    with playwright.sync_playwright() as engine_:
        found = engine_.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.mark.parametrize("how", ["file", "http"])
def test_search_and_sparql_work_in_a_browser(site: Path, browser, how: str) -> None:
    with over_http(site.parent) if how == "http" else contextlib.nullcontext(site.parent.as_uri()) as root:
        page = browser.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda request: None if request.url.startswith((root, "data:", "blob:")) else wrong.append(request.url),
        )
        page.goto(f"{root}/index.html")
        page.wait_for_url("**/data/index.html")
        page.fill("#q", "dl3 12012")
        assert page.inner_text("#told").startswith("2 match")
        page.click("#found a")
        assert "dl3_LST-1.Run12012.fits" in page.inner_text("h1")
        assert page.locator("figure g.node").count() > 10
        page.goto(f"{root}/data/sparql.html")
        page.fill("#query", "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }")
        page.click("#run")
        page.wait_for_function("document.getElementById('told').textContent.includes('1 row')")
        quads = gzip.decompress((site / "graph" / "graph-0001.nq.gz").read_bytes()).count(b"\n")
        assert str(quads) in page.inner_text("#answer")
        for query, told in (
            ("ASK { ?s ?p ?o }", "true"),
            ("CONSTRUCT WHERE { ?s a ?t } LIMIT 2", "type"),
            ("SELECT oh", "error"),
        ):
            page.fill("#query", query)
            page.click("#run")
            page.wait_for_function(
                "document.getElementById('run').disabled === false && document.getElementById('answer').textContent"
            )
            assert told in page.inner_text("#answer").lower()
        assert not wrong
        page.close()


def test_every_example_of_the_sparql_page_finds_something(site: Path, browser) -> None:
    page = browser.new_page()
    page.goto(f"{site.as_uri()}/sparql.html")
    for number in range(4):
        page.select_option("#example", index=number)
        page.click("#run")
        page.wait_for_function("/ in [\\d.]+ s/.test(document.getElementById('told').textContent)")
        assert page.locator("#answer tbody tr").count() > 0, number
        page.evaluate("document.getElementById('told').textContent = ''")
    page.close()


def test_axe_finds_nothing_serious(site: Path, browser) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for name in ("index.html", "sparql.html", "run/12012.html"):
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme=scheme)
            page.goto(f"{site.as_uri()}/{name}")
            found = axe.Axe().run(page).response["violations"]
            assert not [each["id"] for each in found if each["impact"] in ("serious", "critical")], name
            page.close()


def test_the_engine_is_what_npm_has(tmp_path: Path) -> None:
    folder = Path(provkg.__file__).parent / "publishing" / "static" / "oxigraph"
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert "export " not in re.sub(r"//.*|/\*[\s\S]*?\*/", "", engine()).replace("exports", "")


# Served by others


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not here")
def test_nginx_sends_each_to_what_it_accepts(kg: KnowledgeGraph, site: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    count = len((site / "negotiation" / "ids.map").read_text().splitlines())
    (tmp_path / "mime.types").write_text(
        "types { text/html html; image/svg+xml svg; application/json json; text/css css; }"
    )
    shutil.copytree(site, tmp_path / "served")
    said = negotiation.nginx(
        kg.graph().base,
        count,
        folder=str(tmp_path / "served"),
        listen=f"127.0.0.1:{port}",
        types=str(tmp_path / "mime.types"),
    )
    temporary = "".join(
        f"{each}_temp_path {tmp_path}/t_{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; error_log {tmp_path}/error.log; pid {tmp_path}/pid; {'user root;' if Path('/root').exists() else ''}"
        f"events {{}} http {{ access_log off; {temporary}\n{said}\n}}\n"
    )
    server = subprocess.Popen(["nginx", "-p", tmp_path, "-c", tmp_path / "nginx.conf"], stderr=subprocess.PIPE)
    root = f"http://127.0.0.1:{port}"
    try:
        _until(lambda: requests.get(f"{root}/index.html", timeout=1).ok)
        dl3 = kg.find("dl3_LST-1.Run12012.fits")[0].iri
        maker = kg.graph().objects(dl3, PROV.wasGeneratedBy)[0]
        for iri in (dl3, maker):
            path = urlsplit(iri).path
            for accept, ending, media in (
                ("text/html,*/*;q=0.8", "html", "text/html; charset=utf-8"),
                ("text/turtle", "ttl", "text/turtle"),
                ("application/ld+json", "jsonld", "application/ld+json"),
                ("application/json", "prov.json", "application/json"),
                ("*/*", "html", "text/html; charset=utf-8"),
            ):
                reply = requests.get(root + path, headers={"Accept": accept}, timeout=5, allow_redirects=False)
                assert reply.status_code == 303
                assert reply.headers["Location"].endswith("." + ending)
                final = requests.get(reply.headers["Location"], timeout=5)
                assert (final.status_code, final.headers["Content-Type"].partition(";")[0]) == (
                    200,
                    media.partition(";")[0],
                )
        turtle = requests.get(root + urlsplit(dl3).path, headers={"Accept": "text/turtle"}, timeout=5).text
        assert (rdflib.URIRef(dl3), rdflib.URIRef(PROV.wasGeneratedBy), rdflib.URIRef(maker)) in rdflib.Graph().parse(
            data=turtle
        )
        assert requests.get(f"{root}/entity/nothing", timeout=5).status_code == 404
    finally:
        server.terminate()
        server.wait()


def _until(ready) -> None:
    for _ in range(200):
        with contextlib.suppress(requests.RequestException):
            if ready():
                return
        time.sleep(0.02)
    pytest.fail("the server did not start")


def test_apache_is_told_the_same() -> None:
    text = negotiation.apache("https://a.example/prov/", folder="/srv/x")
    assert "RewriteRule ^ /prov/${provkg:%{REQUEST_URI}}.ttl [R=303,L]" in text
    assert negotiation.ids(
        "https://a.example/prov/", {"https://a.example/prov/entity/1": "product/x", "http://b/": "y"}
    ) == (
        '"/prov/entity/1" "product/x";\n',
        "/prov/entity/1 product/x\n",
    )


# What is published, and where


def test_nothing_private_is_published_unasked(kg: KnowledgeGraph, tmp_path: Path) -> None:
    store = ("--store", kg.store.name)
    done = command(*store, "publish", tmp_path / "site")
    assert (done.returncode, (tmp_path / "site").exists()) == (1, False)
    assert "nothing was published" in done.stderr
    (tmp_path / "policy.toml").write_text('environment = "keep"\n')
    done = command(*store, "publish", tmp_path / "site", "--policy", tmp_path / "policy.toml", "--grain", "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "site" / "index.html")
    data = b"".join(
        path.read_bytes() for path in (tmp_path / "site").rglob("*.*") if path.suffix in (".html", ".ttl", ".json")
    )
    assert b"astronomer" not in data
    assert b"node07" not in data


def test_collections_have_pages_where_there_are_too_many_products(kg: KnowledgeGraph, tmp_path: Path) -> None:
    found = kg.publish(tmp_path / "site", grain="run")
    rolled = kg.rollup(grain="run", agents=True)
    folds = [fold for fold in rolled.folds.values() if fold.kind == "entity"]
    assert len(pages(tmp_path / "site" / "data", "product")) == len(folds) < found.pages
    index = json.loads((tmp_path / "site/data/static/search-index.js").read_text().partition("=")[2].rstrip(";\n"))
    names = {name for name, kind, _ in index if kind == "file"}
    assert names >= {node.label for fold in folds for node in fold.members if node.label}


def test_a_site_takes_the_place_of_one_and_of_nothing_else(kg: KnowledgeGraph, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="holds other things"):
        kg.publish(tmp_path / "mine", grain="night")
    assert (tmp_path / "mine" / "thesis.tex").exists()
    for _ in range(2):
        kg.publish(tmp_path / "site", grain="night")
    assert not [*tmp_path.glob("*.part")]
    with pytest.raises(InputError, match="no address"):
        kg.publish(tmp_path / "other", url="ftp://x")


def test_what_stands_in_records_is_text_in_pages(tmp_path: Path, browser) -> None:
    kg = provkg.open(tmp_path / "store")
    (tmp_path / "a.ttl").write_text(HOSTILE)
    kg.ingest([tmp_path / "a.ttl"])
    kg.publish(tmp_path / "site", title="<i>title</i>")
    page = browser.new_page()
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    for path in (tmp_path / "site" / "data" / "index.html", *pages(tmp_path / "site" / "data")):
        page.goto(path.as_uri())
        assert page.locator("script:not([src]), b, i, img").count() == 0
    page.goto((tmp_path / "site" / "data" / "index.html").as_uri())
    page.fill("#q", "script")
    assert "<script>alert(1)</script>" in page.inner_text("#found")
    assert not alarms
    page.close()
