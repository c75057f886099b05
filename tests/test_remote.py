"""Remote stores: what fails is said, what may be repeated is, and a crash leaves nothing behind."""

import multiprocessing
import socket
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from provkg.config import Config, Remote, load
from provkg.errors import InputError, StoreError, StoreLocked
from provkg.ingest import loading
from provkg.knowledge import KnowledgeGraph
from provkg.questions import questions
from provkg.resources import sample
from provkg.store import EmbeddedStore, open_store
from provkg.store.http import Client
from provkg.store.markers import markers
from provkg.store.remote import RemoteStore
from provkg.store.sparql import parse
from tests import servers
from tests.logs import activity, log, session
from tests.servers import Reply

pytestmark = pytest.mark.xdist_group("servers")
Write = Callable[[str, str | bytes], Path]
SECRET = "a-secret-of-the-test"
ONE = sample() / "gammapy.log"
BOTH = pytest.mark.parametrize("kind", ["oxigraph", "virtuoso"])


@pytest.fixture
def place(request: pytest.FixtureRequest, kind: str) -> Config:
    """An empty store on a server."""
    config: Config = request.getfixturevalue(kind)
    servers.emptied(config)
    return config


def opened(config: Config) -> KnowledgeGraph:
    return KnowledgeGraph(open_store(config))


def fresh(folder: Path, *paths: Path) -> str:
    kg = KnowledgeGraph(EmbeddedStore(folder / "fresh-store", Config()))
    kg.ingest(paths)
    return kg.graph().digest()


# Crashes


def _slow(config: Config, ready: "multiprocessing.synchronize.Event", stop: str) -> None:
    import signal

    loading.PIECE_CHARACTERS = 1  # so each source goes to the server by itself

    def progress(_done: int, _total: int, name: str) -> None:
        if name.endswith(stop):
            ready.set()
            signal.pause()

    opened(config).ingest([sample()], progress=progress)


@BOTH
def test_a_killed_ingest_is_taken_back_by_the_next(place: Config, tmp_path: Path) -> None:
    kg = opened(place)
    kg.ingest([sample() / "calibration.log", ONE])
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    child = context.Process(target=_slow, args=(place, ready, "gammapy.log"))
    child.start()
    assert ready.wait(60)
    with pytest.raises(StoreLocked, match=f"pid {child.pid}") as locked:
        kg.ingest([ONE])
    assert f"kill {child.pid}" in locked.value.hint
    child.kill()
    child.join()
    summary = kg.ingest([ONE])
    assert any("unfinished" in remark for remark in summary.remarks)
    assert kg.status()["sources"] == 2
    assert markers(kg.store.endpoint, kg.graph().base) == []
    again = kg.ingest([sample()])
    assert not any("unfinished" in remark for remark in again.remarks)
    assert kg.graph().digest() == fresh(tmp_path, sample())


class CableCut(StoreError):
    """The server cannot be reached any more."""


def _cut(store: RemoteStore, writes: int) -> None:
    """Let the connection break after some requests that write."""
    client = store.endpoint.client
    left = iter(range(writes))

    def limited(call: Callable[..., None]) -> Callable[..., None]:
        def send(*arguments: object, **options: object) -> None:
            if next(left, None) is None:
                raise CableCut("the cable is cut")
            call(*arguments, **options)

        return send

    client.update, client.post = limited(client.update), limited(client.post)  # type: ignore[method-assign]


@BOTH
def test_an_ingest_can_break_at_any_request_and_is_taken_back(
    place: Config, kind: str, tmp_path: Path, write: Write
) -> None:
    first = activity("aaaaaa", used=("/d/x",), generated=("/d/y",), parameters={"third": 1 / 3})
    second = activity("bbbbbb", "dl1ab", at=60, used=("/d/y",), generated=("/d/z",))
    third = activity("dddddd", "dl1ab", at=90, used=("/d/x",), generated=("/d/y",), parameters={"fourth": 1 / 4})
    before, after = log(session(), first, second), log(session(7), second, third)
    grown = write("a.log", before)
    later = activity("cccccc", "dl2", at=200, used=("/d/y", "/d/z"), generated=("/d/w",), in_session=9)
    others = [write("b.log", log(session(9), later))]
    opened(place).ingest([grown, *others])
    grown.write_text(after)
    expected = fresh(tmp_path, grown, *others)
    done, writes = False, 1
    while not done:
        kg = opened(place)
        assert isinstance(kg.store, RemoteStore)
        _cut(kg.store, writes)
        try:
            kg.ingest([grown, *others])
            done = True
        except CableCut:
            other = opened(place).store
            assert isinstance(other, RemoteStore)
            assert len(other.unlock()) == 1
        whole = opened(place)
        whole.ingest([grown, *others])
        assert whole.graph().digest() == expected, writes
        if not done:  # back to the beginning, by way of a replacement
            grown.write_text(before)
            whole.ingest([grown, *others])
            grown.write_text(after)
            writes += 2 if kind == "oxigraph" else 7
    assert writes > 8


@BOTH
def test_a_first_ingest_that_broke_leaves_an_empty_store(place: Config, tmp_path: Path) -> None:
    kg = opened(place)
    assert isinstance(kg.store, RemoteStore)
    _cut(kg.store, 3)
    with pytest.raises(CableCut):
        kg.ingest([sample()])
    again = opened(place)
    assert isinstance(again.store, RemoteStore)
    with pytest.raises(StoreLocked, match="is writing"):
        again.ingest([ONE])
    [who] = again.store.unlock()
    assert who.startswith("pid ")
    again.ingest([ONE])
    assert again.graph().digest() == fresh(tmp_path, ONE)


# What a server says


def test_a_user_who_may_not_is_told_what_to_set_and_sees_no_secret(virtuoso: Config) -> None:
    servers.emptied(virtuoso)
    for remote in (Remote(), Remote(user="dba", password=SECRET)):
        with pytest.raises(StoreError) as refused:
            opened(replace(virtuoso, remote=remote)).ingest([ONE])
        assert "PROVKG_USER" in refused.value.hint
        assert SECRET not in f"{refused.value!r} {refused.value.message} {refused.value.hint} {remote!r} {virtuoso!r}"
    with pytest.raises(StoreError, match="does not belong in a URL") as refused:
        open_store(replace(virtuoso, store=virtuoso.store.replace("//", f"//dba:{SECRET}@")))
    assert SECRET not in refused.value.message


def test_basic_and_bearer_credentials_are_sent(oxigraph: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.emptied(oxigraph)
    seen = set()

    def guard(request: BaseHTTPRequestHandler, _body: bytes) -> Reply | None:
        seen.add(str(request.headers.get("Authorization")))
        return None

    with servers.proxy(oxigraph.store, guard) as url:
        monkeypatch.setenv("PROVKG_USER", "me")
        monkeypatch.setenv("PROVKG_PASSWORD", SECRET)
        opened(load(store=url)).ingest([ONE])
        assert len(seen - {"None"}) == 1
        assert all(each.startswith("Basic ") for each in seen - {"None"})
        seen.clear()
        monkeypatch.setenv("PROVKG_TOKEN", SECRET)
        assert opened(load(store=url)).status()["activities"] == 3
        assert f"Bearer {SECRET}" in seen


def test_a_busy_server_is_asked_again_but_not_for_what_may_not_be_repeated(oxigraph: Config) -> None:
    servers.emptied(oxigraph)
    opened(oxigraph).ingest([ONE])
    asked: list[str] = []

    def busy(request: BaseHTTPRequestHandler, _body: bytes) -> Reply | None:
        asked.append(request.path)
        again = len(asked) % 3
        return (503, {"Retry-After": "0"}, b"busy") if again else None

    with servers.proxy(oxigraph.store, busy) as url:
        kg = opened(Config(store=url, remote=Remote(dialect="oxigraph")))
        assert kg.store.exists()
        assert len(asked) == 3
        client = Client(Remote(), digest=False)
        asked.clear()
        with pytest.raises(StoreError, match="503") as refused:
            client.update(f"{url}/update", "INSERT DATA { <urn:a> <urn:b> 1 }", repeat=False)
        assert len(asked) == 1
        assert "later" in refused.value.hint
        asked.clear()
        with pytest.raises(StoreError, match="503"):
            Client(Remote(retries=1), digest=False).query(f"{url}/query", "ASK {}", {})
        assert len(asked) == 2


def test_a_server_that_does_not_answer_is_not_waited_for(oxigraph: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(StoreError, match=r"did not answer within 0\.2 s") as late:
            opened(Config(store=url, remote=Remote(dialect="oxigraph", timeout=0.2))).status()
        assert "timeout" in late.value.hint
    with pytest.raises(StoreError, match="cannot be reached: Connection refused") as refused:
        opened(Config(store=url, remote=Remote(retries=1))).status()
    assert refused.value.hint == "is the server running?"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>Welcome</html>"), "answered with a web page"),
        ((200, {"Content-Type": "application/sparql-results+json"}, b'{"head":{"vars":["g"]},"results":{"bindings":[{'), "broke off"),
        ((200, {"Content-Type": "text/plain"}, b"hello"), "did not answer with SPARQL results"),
        ((200, {"Content-Type": "application/sparql-results+json", "X-SQL-State": "S1TAT"}, b"{}"), "time limit"),
        ((404, {"Content-Type": "text/html"}, b"<html><style>x</style><b>nothing</b> here</html>"), "404 Not Found: nothing here"),
        ((301, {"Location": "http://elsewhere.example/"}, b""), "has moved"),
        ((403, {}, b"no"), "403 Forbidden"),
    ],
)  # fmt: skip
def test_what_is_no_whole_answer_is_an_error(oxigraph: Config, reply: Reply, message: str) -> None:
    with servers.proxy(oxigraph.store, lambda *_: reply) as url, pytest.raises(StoreError, match=message):
        opened(Config(store=url, remote=Remote(dialect="oxigraph"))).status()


def test_a_server_of_an_unknown_kind_is_asked_as_the_standard_says(oxigraph: Config) -> None:
    """No union of all graphs, no shortcut: each graph is named."""
    servers.emptied(oxigraph)
    kg = opened(oxigraph)
    kg.ingest([sample()])
    url = oxigraph.store
    remote = Remote(dialect="generic", update=f"{url}/update", graph_store=f"{url}/store")
    plain = opened(Config(store=f"{url}/query", remote=remote))
    assert plain.graph().digest() == kg.graph().digest()
    for name, question in questions().items():
        assert list(plain.ask(name, **question.example)) == list(kg.ask(name, **question.example)), name
    servers.emptied(oxigraph)
    plain.ingest([sample()])
    assert kg.ingest([sample()]).unchanged == 7
    without = opened(Config(store=f"{url}/query", remote=replace(remote, graph_store="")))
    servers.emptied(oxigraph)
    without.ingest([sample()])
    assert without.graph().digest() == plain.graph().digest()


def test_settings_of_a_server_are_read_and_checked(tmp_path: Path) -> None:
    file = tmp_path / "provkg.toml"
    file.write_text('store = "http://localhost:7878"\n[remote]\ndialect = "virtuoso"\ntimeout = 5\nretries = 0\n')
    assert load(tmp_path).remote == Remote(dialect="virtuoso", timeout=5, retries=0)
    for line, message in {
        'dialect = "oracle"': "dialect 'oracle' is unknown",
        "time = 5": "unknown key 'time'",
        'timeout = "5"': "must be a number",
        "user = 5": "must be a string",
        "timeout = 0": "more than 0",
    }.items():
        file.write_text(f"[remote]\n{line}\n")
        with pytest.raises(InputError, match=message):
            load(tmp_path)


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("SELECT * { ?s ?p 'LIMIT 3 }' }", ("SELECT", " * ", "", "")),
        ("BASE <http://e/> SELECT ?s FROM <g> FROM NAMED <h> WHERE { ?s ?p ?o } LIMIT 2", ("SELECT", " ?s    ", "", "LIMIT 2")),
        ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s ORDER BY DESC(?n) # most\nOFFSET 1", ("SELECT", " (COUNT(*) AS ?n) ", "ORDER BY DESC(?n) # most\n", "OFFSET 1")),
        ("CONSTRUCT { ?s a <x> } FROM <http://e/g> { ?s ?p ?o }", ("CONSTRUCT", "{ ?s a <x> }", "", "")),
        ("CONSTRUCT WHERE { ?s ?p ?o }", ("CONSTRUCT", "{ ?s ?p ?o }", "", "")),
        ("DESCRIBE <http://e/a>", ("DESCRIBE", " <http://e/a>", "", "")),
    ],
)  # fmt: skip
def test_a_query_is_taken_apart(query: str, parts: tuple[str, str, str, str]) -> None:
    found = parse(query)
    assert found.form == parts[0]
    assert found.head.split() == parts[1].split()
    assert (found.order, found.after) == parts[2:]
    assert found.default == (("http://e/g",) if "FROM" in query else ())
