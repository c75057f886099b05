"""Attacks on the server: each is one that others fell to; none may succeed, and the server goes on.

The corpus: injection, SSRF, update through a read door, endless queries, XSS, traversal, bombs.
"""

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import requests

import provkg
from provkg.store.sparql import services
from tests.serving import Served, sample_store, served

pytestmark = pytest.mark.xdist_group("attacks")
SECONDS = 1
DL3 = "dl3_LST-1.Run12012.fits"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "</title><svg/onload=alert(1)>",
    "\u202egnp.exe",
)
_RECORDS = """@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix pkg: <https://w3id.org/provkg/ns#> .
<javascript:alert(1)> a prov:Entity ; rdfs:label "link" ; prov:wasGeneratedBy <http://a/act> .
<http://a/out> a prov:Entity ; rdfs:label {label} ; prov:wasGeneratedBy <http://a/act> ;
  prov:wasDerivedFrom <javascript:alert(1)> .
<http://a/act> a prov:Activity ; rdfs:label {label} ; prov:used <http://a/in> .
<http://a/in> a prov:Entity ; rdfs:label {label} .
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("attacked")
    store = sample_store(folder)
    label = "\\n".join(HOSTILE).replace('"', '\\"')
    (folder / "hostile.ttl").write_text(_RECORDS.format(label=f'"{label}"'))
    provkg.open(store).ingest([folder / "hostile.ttl"])
    with served(store, "--workers", "2", "--seconds", str(SECONDS), "--memory", "400") as found:
        yield found
        assert found.get("/-/health").json()["status"] == "ok", "it goes on"


class _Seen(BaseHTTPRequestHandler):
    """A server that must not be asked."""

    def do_GET(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/sparql-results+json")
        body = b'{"head":{"vars":["x"]},"results":{"bindings":[{"x":{"type":"literal","value":"asked"}}]}}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Seen)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", server.seen  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


# Requests that would have the server ask others


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * {{ SERVICE <{0}> {{ ?s ?p ?o }} }}",
        "SELECT * {{ service silent <{0}> {{ ?s ?p ?o }} }}",
        "SELECT * {{ BIND(<{0}> AS ?x) SERVICE ?x {{ ?s ?p ?o }} }}",
        "SELECT * {{ VALUES ?x {{ <{0}> }} SERVICE SILENT ?x {{ ?s ?p ?o }} }}",
        "PREFIX x: <{0}> SELECT * {{ SERVICE x: {{ ?s ?p ?o }} }}",
        "BASE <{0}> SELECT * {{ SERVICE <> {{ ?s ?p ?o }} }}",
        "SELECT * {{ {{ SELECT * {{ OPTIONAL {{ SERVICE <{0}> {{ ?s ?p ?o }} }} }} }} }}",
        "ASK {{ FILTER EXISTS {{ SERVICE <{0}> {{ ?s ?p ?o }} }} }}",
        "CONSTRUCT {{ ?s ?p ?o }} WHERE {{ SERVICE/**/<{0}> {{ ?s ?p ?o }} }}",
        "SELECT * {{ SERVICE#c\n<{0}> {{ ?s ?p ?o }} }}",
        "SELECT * {{ S\\u0045RVICE <{0}> {{ ?s ?p ?o }} }}",
        "SELECT * {{ SERVICE <{0}\\u0061> {{ ?s ?p ?o }} }}",
        "SELECT * FROM <{0}> {{ ?s ?p ?o }}",
        "SELECT * FROM NAMED <{0}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
        "LOAD <{0}>",
    ],
)
def test_no_query_makes_the_server_ask_another(site: Served, query: str) -> None:
    with listening() as (url, seen):
        found = site.get("/sparql", params={"query": query.format(url)})
        assert not seen
        assert found.status_code == 400 or not found.json()["results"]["bindings"]


@pytest.mark.parametrize("scheme", ["file:///etc/passwd", "http://localhost:22/", "http://[::1]/", "ftp://127.0.0.1/"])
def test_no_scheme_is_asked(site: Served, scheme: str) -> None:
    assert site.get("/sparql", params={"query": f"SELECT * {{ SERVICE <{scheme}> {{ ?s ?p ?o }} }}"}).status_code == 400


def test_nothing_is_fetched_for_a_name(site: Served) -> None:
    with listening() as (url, seen):
        address = quote(url, safe="")
        for path in (
            "resource?iri=",
            "search?q=",
            "product?name=",
            "provsap?ID=",
            "provenance?target=",
            "datalink?ID=",
        ):
            site.get(f"/{path}{address}")
        site.get(f"/rdf-graph-store?graph={address}")
        site.get(f"/sparql?query=ASK%7B%7D&default-graph-uri={address}")
        assert not seen


def test_a_server_that_is_allowed_is_asked_and_no_other(tmp_path: Path) -> None:
    store = sample_store(tmp_path)
    with listening() as (url, seen), listening() as (other, unseen):
        with served(store, "--workers", "1", "--service", url) as site:
            query = "SELECT * { SERVICE <%s> { ?x ?p ?o } }"
            found = site.get("/sparql", "application/sparql-results+json", params={"query": query % url})
            assert found.json()["results"]["bindings"] == [{"x": {"type": "literal", "value": "asked"}}]
            assert site.get("/sparql", params={"query": query % other}).status_code == 400
            assert site.get("/sparql", params={"query": query % (url + "more")}).status_code == 400
            assert (
                site.get(
                    "/sparql", params={"query": f"SELECT * {{ BIND(<{url}> AS ?x) SERVICE ?x {{?a ?b ?c}} }}"}
                ).status_code
                == 400
            )
        assert len(seen) == 1
        assert not unseen


def test_services_are_found_in_the_algebra() -> None:
    assert services("SELECT * { ?service <http://service/> 'SERVICE <http://x/>' } # SERVICE <http://y/>") == set()
    assert services(
        "PREFIX s: <http://e/> SELECT * { { SERVICE s:x { ?s ?p ?o } } UNION { SERVICE ?v { ?s ?p ?o } } }"
    ) == {
        "http://e/x",
        "?v",
    }


# Endless queries, and bombs


def processor_time(pids: list[int]) -> float:
    def of(pid: int) -> float:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    return sum(map(of, pids))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
        "SELECT * { ?s (!<a:b>|^!<a:b>)+ ?o . ?x (!<a:b>|^!<a:b>)+ ?y }",
        "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?g))) AS ?x) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
        "ASK { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(REGEX(CONCAT(STR(?a), STR(?d), STR(?g)), '(a+)+(b+)+$x')) }",
    ],
)
def test_an_endless_query_ends_with_its_worker(site: Served, query: str) -> None:
    before = set(site.workers())
    found = site.get("/sparql", params={"query": query})  # how long it takes: benchmarks/serving.py
    assert found.status_code == 503
    assert "error" in found.json()
    gone = before - set(site.workers())
    assert len(gone) == 1, "its worker was ended"
    assert not any(Path(f"/proc/{pid}").exists() for pid in gone)
    assert site.get("/sparql", params={"query": "ASK {}"}).status_code == 200


def whole(site: Served) -> None:
    """Wait until a worker that was ended is replaced."""
    while site.get("/-/health").json()["workers"] < 2:
        pass


def test_processors_rest_when_an_endless_query_has_ended(site: Served) -> None:
    site.get("/sparql", params={"query": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"})
    whole(site)
    workers = site.workers()
    used = processor_time(workers)
    requests.get(f"{site.root}/-/health", timeout=10)
    threading.Event().wait(0.5)
    assert processor_time(workers) - used < 0.25


def test_endless_queries_of_one_client_leave_room_for_others(site: Served) -> None:
    whole(site)
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    threads = [
        threading.Thread(target=site.get, args=("/sparql",), kwargs={"params": {"query": f"{endless} # {number}"}})
        for number in range(2)
    ]
    for each in threads:
        each.start()
    assert requests.get(f"{site.root}/-/health", timeout=1).status_code == 200, "the server itself is never busy"
    host, port = urlsplit(site.root).netloc.split(":")
    with socket.create_connection((host, int(port)), source_address=("127.0.0.2", 0), timeout=30) as other:
        other.sendall(b"GET /nights HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert other.recv(100).startswith(b"HTTP/1.1 200")
    assert any(each.is_alive() for each in threads), "it did not have to wait for them"
    for each in threads:
        each.join()


def test_a_query_that_takes_too_much_memory_costs_its_worker_alone(site: Served) -> None:
    big = "CONCAT(?x, ?x, ?x, ?x, ?x, ?x, ?x, ?x)"
    text = "x" * 1000
    binds = f"BIND('{text}' AS ?x) " + " ".join(
        f"BIND({big.replace('?x', f'?y{n - 1}' if n else '?x')} AS ?y{n})" for n in range(8)
    )
    found = site.get("/sparql", params={"query": f"SELECT (STRLEN(?y7) AS ?n) {{ {binds} }}"})
    assert found.status_code in (413, 500, 503), found.text
    assert site.get("/sparql", params={"query": "ASK {}"}).status_code == 200


def test_an_answer_that_is_too_long_is_refused_and_not_cut(tmp_path: Path) -> None:
    with served(sample_store(tmp_path), "--workers", "1", "--rows", "10") as site:
        for accept in ("application/json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"):
            for limit, status in ((10, 200), (11, 413)):
                query = f"SELECT * {{ ?s ?p ?o }} LIMIT {limit}"
                assert site.get("/sparql", accept, params={"query": query}).status_code == status
        for limit, status in ((10, 200), (11, 413)):
            query = f"CONSTRUCT WHERE {{ ?s ?p ?o }} LIMIT {limit}"
            assert site.get("/sparql", params={"query": query}).status_code == status


def test_a_request_that_is_too_long_is_refused(site: Served) -> None:
    assert site.post("/sparql", data={"query": "ASK {} #" + "x" * 2**21}).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 2**16

    found = site.post("/sparql", data=pieces(), headers={"Content-Type": "application/sparql-query"})
    assert found.status_code == 413
    assert site.get("/search?q=" + "x" * 100_000).status_code in (400, 414)
    assert site.get("/search?" + "&".join("a=b" for _ in range(2000))).status_code == 400


@pytest.mark.parametrize(
    "query", ["SELECT * " + "{" * 200_000, "ASK { FILTER(" + "(" * 200_000, "ASK {" + "{} UNION " * 50_000 + "{}}"]
)
def test_deep_nesting_is_survived(site: Served, query: str) -> None:
    assert site.post("/sparql", data={"query": query}).status_code in (200, 400, 503)
    assert site.get("/sparql", params={"query": "ASK {}"}).status_code == 200


def test_many_requests_of_one_client_wait_or_are_refused(site: Served) -> None:
    codes: list[int] = []
    slow = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"

    def ask(number: int) -> None:  # the same asked at once is answered once
        codes.append(site.get("/sparql", params={"query": f"{slow} # {number}"}).status_code)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(70)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {429, 503} == set(codes)
    assert site.get("/sparql", params={"query": "ASK {}"}).status_code == 200


# Injection


@pytest.mark.parametrize(
    "value",
    [
        'x" } UNION { ?s ?p ?o } #',
        "x' } ; DROP ALL #",
        "x\\u0022 . ?s ?p ?o",
        "http://a/> ?p ?o } #",
        "\n} INSERT { <a:b> <a:b> <a:b> } WHERE {",
        "$where",
        "{{7*7}}",
        "%s%n",
        "\\",
    ],
)
def test_a_value_is_a_value(site: Served, value: str) -> None:
    for path in (
        "/api/questions/lineage?product=",
        "/search?q=",
        "/product?name=",
        "/provsap?ID=",
        "/compare?first=x&second=",
        "/graph?product=",
        "/graph?run=",
        "/api/questions/run-agents?run=",
        "/api/questions/with-parameter?parameter=a&value=",
    ):
        found = site.get(path + quote(value, safe=""))
        assert found.status_code in (200, 400, 404), (path, found.status_code, found.text[:300])
        assert len(found.content) < 20_000, "not everything is told"


# Cross-site scripting


def _pages(site: Served) -> Iterator[str]:
    yield from (
        "/",
        "/nights",
        "/search?q=a/o",
        "/resource?iri=http%3A%2F%2Fa%2Fout",
        "/graph?product=http%3A%2F%2Fa%2Fout",
    )
    for iri in ("http://a/out", "http://a/act", "javascript:alert(1)", "http://a/in"):
        address = quote(iri, safe="")
        yield f"/page/?iri={address}"
        for view in ("history", "statements", "recipe", "cite", "checks", "parameters", "environment", "grade"):
            yield f"/page/?iri={address}&view={view}"
    for value in HOSTILE:
        name = quote(value, safe="")
        yield from (
            f"/search?q={name}",
            f"/questions/lineage?product={name}",
            f"/compare?first={name}&second={name}",
            f"/{name}",
            f"/run/{name}",
            f"/night/{name}",
            f"/questions/{name}",
            f"/graph?product={name}",
            f"/graph?run=12012&open={name}&grain={name}",
            f"/page/?iri={name}&view={name}",
        )


def test_no_page_runs_what_stands_in_data(site: Served) -> None:
    from html.parser import HTMLParser

    class Reading(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.wrong: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            known = {name: value or "" for name, value in attrs}
            if tag == "script" and not known.get("src", "").startswith("/static/"):
                self.wrong.append("script")
            self.wrong += [name for name in known if name.startswith("on") or name == "style"]
            for name in ("href", "src", "action", "xlink:href", "formaction"):
                if re.match(r"\s*(javascript|data|vbscript):", known.get(name, ""), re.IGNORECASE):
                    self.wrong.append(known[name])

    seen = 0
    for path in _pages(site):
        found = site.get(path, "text/html")
        assert found.status_code < 500, (path, found.text[:500])
        if found.headers.get("Content-Type", "").startswith("text/html"):
            seen += 1
            reading = Reading()
            reading.feed(found.text)
            assert not reading.wrong, (path, reading.wrong)
            assert "49" not in re.findall(r"\b49\b", found.text), "no template is run"
    assert seen > 60


def test_each_reply_tells_the_browser_what_it_may_do(site: Served) -> None:
    for path in ("/", "/sparql?query=ASK%7B%7D", "/static/graph.js", "/entity/no", "/-/health", "/provsap"):
        headers = site.get(path, "text/html").headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in headers


def test_headers_cannot_be_split(site: Served) -> None:
    for path in ("/entity/x%0d%0aSet-Cookie:a=b", "/search?q=20230312%0d%0aX: y", "/product?name=a%0d%0ab"):
        assert "Set-Cookie" not in site.get(path, "text/html").headers


# Names of hosts, traversal, methods


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "a b", "[::1]@x"]
)
def test_another_name_of_the_server_is_refused(site: Served, host: str) -> None:
    assert site.get("/", headers={"Host": host}).status_code in (400, 421)


def raw(site: Served, target: str) -> bytes:
    host, port = urlsplit(site.root).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as there:
        there.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        found = b""
        while piece := there.recv(65536):
            found += piece
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/..%5capp.py",
        "/../../../../etc/passwd",
        "/page/../../etc/passwd",
        "/data/../../../etc/passwd.ttl",
        "/questions/../../pyproject.toml",
        "/api/questions/..%2f..%2fpyproject",
        "/static/%00",
        "//evil.example/",
    ],
)
def test_no_path_leads_out(site: Served, path: str) -> None:
    found = raw(site, path)
    assert found.split(b" ")[1] in (b"400", b"404", b"405", b"307", b"200"), found[:200]
    assert b"root:x:" not in found
    assert b"import asyncio" not in found
    if found.split(b" ")[1] == b"307":
        assert b"location: //" not in found.lower()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "POST"])
def test_only_reading_is_possible(site: Served, method: str) -> None:
    for path in ("/", "/entity/x", "/rdf-graph-store?default", "/questions/lineage", "/api/ingest?name=x"):
        assert requests.request(method, site.root + path, timeout=10).status_code in (404, 405)


def test_workers_cannot_write(site: Served) -> None:
    import pyoxigraph

    store = site.said.parent / "store"
    snapshot = store / "snapshots" / (store / "CURRENT").read_text()
    before = sorted(
        (each.name, each.stat().st_mtime_ns) for each in (snapshot / "quads").iterdir() if each.suffix == ".sst"
    )
    for path in ("/", "/void", "/sparql?query=ASK%7B%7D", "/graph?run=12012"):
        site.get(path)
    assert (
        sorted((each.name, each.stat().st_mtime_ns) for each in (snapshot / "quads").iterdir() if each.suffix == ".sst")
        == before
    )
    for pid in site.workers():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(link.resolve())
                flags = int((Path(f"/proc/{pid}/fdinfo") / link.name).read_text().split("flags:")[1].split()[0], 8)
            except OSError:
                continue
            assert not (target.startswith(str(snapshot)) and flags & (os.O_WRONLY | os.O_RDWR)), target
    assert pyoxigraph
