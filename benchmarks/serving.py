"""The server under load: 16 clients ask histories and questions of a night while a run is ingested; beside Oxigraph's.

    python benchmarks/serving.py [--folder NIGHT] [--seconds 60] [--clients 16]

FOLDER holds the logs of a night; without it one is made. One log is kept back and ingested while the clients ask. All
processes share this machine, the clients too. An answer is kept by the server while the store stays as it is: requests
that differ in their limit are answered anew each time.
"""

import http.client
import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

from logs import night, options
from measure import Part, short, step

import provkg
from provkg.store import text_of
from provkg.vocab import PKG, PROV

OF_PRODUCT = ("parents", "steps", "raw-files", "outcomes", "software", "parameters")
ENDLESS = {
    "cross product": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "negated path": "SELECT * { ?s (!<a:b>|^!<a:b>)+ ?o . ?x (!<a:b>|^!<a:b>)+ ?y }",
    "GROUP_CONCAT": "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?g))) AS ?x) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "regular expression": "ASK { ?a ?b ?c . ?d ?e ?f FILTER(REGEX(CONCAT(STR(?a), STR(?d)), '(a+)+(b+)+$x')) }",
}
LIMIT = 2.0  # seconds of an endless query
Ask = Callable[[http.client.HTTPConnection, random.Random], tuple[str, int]]
_COUNT = f"SELECT (COUNT(DISTINCT ?a) AS ?n) {{ ?s <{PKG.run}> '%s' . ?a <{PKG.inSession}> ?s }}"


class Asked:
    """What clients found: times by what was asked, errors, and the states of a run that were seen."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self.seen: set[int] = set()

    def of(self, name: str) -> list[float]:
        """Return the times of what was asked, the shortest first; of all where nothing is named."""
        return sorted(self.took[name]) if name else sorted(each for some in self.took.values() for each in some)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the values is."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def load(port: int, ask: Ask, clients: int, seconds: float, found: Asked) -> None:
    """Let so many clients ask, each as soon as it has its answer."""
    end = time.monotonic() + seconds

    def client(number: int) -> None:
        there, choose = http.client.HTTPConnection("127.0.0.1", port, timeout=60), random.Random(number)
        while time.monotonic() < end:
            start = time.perf_counter()
            try:
                name, status = ask(there, choose)
            except (OSError, http.client.HTTPException) as error:
                found.errors.append(repr(error))
                there.close()
                continue
            found.took[name].append(time.perf_counter() - start)
            if status != 200:
                found.errors.append(f"{name}: {status}")

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def get(there: http.client.HTTPConnection, path: str, accept: str = "application/json") -> tuple[int, bytes]:
    """Ask for a path."""
    there.request("GET", path, headers={"Accept": accept, "Host": "localhost"})
    answer = there.getresponse()
    return answer.status, answer.read()


def questions(products: list[str], *, kept: bool, share: float = 0.5) -> Ask:
    """Ask for the lineage of a DL3 this often, else other questions about one."""

    def ask(there: http.client.HTTPConnection, choose: random.Random) -> tuple[str, int]:
        product = quote(choose.choice(products), safe="")
        if choose.random() < share:
            again = "" if kept else f"&again={choose.random()}"
            return "lineage", get(there, f"/api/lineage?product={product}{again}")[0]
        name = choose.choice(OF_PRODUCT)
        limit = "" if kept else f"&limit={choose.randrange(5_000, 10_000)}"
        return name, get(there, f"/api/questions/{name}?product={product}&format=json{limit}")[0]

    return ask


def sparql(path: str, queries: dict[str, list[str]]) -> Ask:
    """Ask the same as SPARQL."""

    def ask(there: http.client.HTTPConnection, choose: random.Random) -> tuple[str, int]:
        name = "lineage" if choose.random() < 0.5 else choose.choice(OF_PRODUCT)
        body = urlencode({"query": f"{choose.choice(queries[name])}\n# {choose.random()}"})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/sparql-results+json",
            "Host": "localhost",
        }
        there.request("POST", path, body, headers)
        answer = there.getresponse()
        answer.read()
        return name, answer.status

    return ask


def watch(port: int, run: str, stop: threading.Event, found: Asked) -> None:
    """See how many activities a run has, again and again."""
    there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not stop.wait(0.02):
        path = "/sparql?" + urlencode({"query": _COUNT % run})
        status, body = get(there, path)
        if status == 200:
            found.seen.add(int(json.loads(body)["results"]["bindings"][0]["n"]["value"]))
        else:
            found.errors.append(f"count: {status}")


@contextmanager
def provkg_server(store: Path, *more: str) -> Iterator[int]:
    """Serve a store, and give the port."""
    command = [sys.executable, "-m", "provkg", "--quiet", "--store", str(store), "serve", "-p", "0", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
    there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    get(there, "/-/health")
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def oxigraph_server(store: Path) -> Iterator[int]:
    """Serve the quads of a store by Oxigraph, and give the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quads = store / "snapshots" / (store / "CURRENT").read_text() / "quads"
    program = Path(sys.executable).with_name("oxigraph")
    command = [str(program), "serve-read-only", "--location", str(quads), "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--union-default-graph"], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def dl3s(kg: provkg.KnowledgeGraph) -> list[str]:
    """Return the DL3 products."""
    rows = kg.graph().select(
        f"SELECT DISTINCT ?e {{ ?e <{PROV.specializationOf}> ?f ; <{PROV.wasGeneratedBy}> ?a . "
        f"?f <{PKG.fileName}> ?n FILTER(STRSTARTS(?n, 'dl3_')) }} ORDER BY ?e"
    )
    return [text_of(row["e"]) for row in rows]


def main() -> None:
    """Measure."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = night(said.folder, Path(scratch), said.runs, said.subruns)
        part = Part("serving", "The server under load", [f"Night {folder.name}."])
        *logs, last = sorted(
            (each for each in folder.iterdir() if each.suffix == ".log"), key=lambda each: each.stat().st_size
        )
        run = _run_of(last)
        store = Path(scratch) / "store"
        kg = provkg.open(store)
        with step("ingest all but one run"):
            kg.ingest(logs)
            products = dl3s(kg)
            queries = {name: [kg.bound(name, product=each) for each in products] for name in ("lineage", *OF_PRODUCT)}
        cases: dict[str, Asked] = {}
        with provkg_server(store) as port, step("questions, while a run is ingested"):
            whole = cases["provkg, a run is ingested meanwhile"] = Asked()
            stop = threading.Event()
            watching = threading.Thread(target=watch, args=(port, run, stop, whole))
            watching.start()
            ingesting = threading.Timer(said.seconds / 3, _ingest, (store, last))
            ingesting.start()
            load(port, questions(products, kept=True), said.clients, said.seconds, whole)
            ingesting.join()
            stop.set()
            watching.join()
            whole.seen.add(_counted(port, run))
        with provkg_server(store) as port, step("questions, each answered anew"):
            found = cases["provkg, each answered anew"] = Asked()
            load(port, questions(products, kept=False), said.clients, said.seconds / 3, found)
        with provkg_server(store) as port, step("lineage alone, each answered anew"):
            found = cases["provkg, lineage alone, each answered anew"] = Asked()
            load(port, questions(products, kept=False, share=1), said.clients, said.seconds / 3, found)
        with provkg_server(store) as port, step("the same as SPARQL"):
            found = cases["provkg, the same as SPARQL"] = Asked()
            load(port, sparql("/sparql", queries), said.clients, said.seconds / 3, found)
        with step("endless queries"):
            ended = endless(store, LIMIT)
            table = part.table(f"Endless queries at a limit of {LIMIT:g} s", "query", "worker gone and answered, s")
            for name, seconds in ended.items():
                table.add(name, short(seconds))
            part.aim("an endless query, until its worker is gone", max(ended.values()), LIMIT + 1, "s")
        if Path(sys.executable).with_name("oxigraph").exists():
            copy = Path(scratch) / "copy"
            shutil.copytree(store, copy)
            with oxigraph_server(copy) as port, step("Oxigraph's server"):
                found = cases["oxigraph serve-read-only, the same SPARQL"] = Asked()
                load(port, sparql("/query", queries), said.clients, said.seconds / 3, found)
        told(part, cases, whole, said.clients, run)
        part.save()


def endless(store: Path, limit: float) -> dict[str, float]:
    """Return how long each endless query was answered for, its worker's end included."""
    took = {}
    with provkg_server(store, "--seconds", str(limit), "--workers", "2") as port:
        for name, query in ENDLESS.items():
            there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            start = time.perf_counter()
            status, _ = get(there, "/sparql?" + urlencode({"query": query}))
            took[name] = time.perf_counter() - start  # the answer is sent when the worker is gone
            assert status == 503, status
            while json.loads(get(there, "/-/health")[1])["workers"] < 2:
                time.sleep(0.05)
    return took


def told(part: Part, cases: dict[str, Asked], whole: Asked, clients: int, run: str) -> None:
    """Write the tables."""
    head = (
        "who",
        "answers",
        "errors",
        "lineage of a DL3: median, ms",
        "p95, ms",
        "all questions: p95, ms",
        "answers/s",
    )
    table = part.table(f"{clients} clients, each asks again as soon as it is answered", *head)
    for name, found in cases.items():
        lineage, every = found.of("lineage"), found.of("")
        busy = sum(every) / clients
        table.add(
            name,
            f"{len(every):,}",
            len(found.errors),
            short(1000 * percentile(lineage, 0.5)),
            short(1000 * percentile(lineage, 0.95)),
            short(1000 * percentile(every, 0.95)),
            short(len(every) / busy),
        )
    part.table(
        "What was seen of a run that was ingested meanwhile", "run", "numbers of its activities that were seen"
    ).add(run, ", ".join(map(str, sorted(whole.seen))))
    part.aim("lineage of a DL3 under load, p95", 1000 * percentile(whole.of("lineage"), 0.95), 100, "ms")
    part.aim("errors", len(whole.errors), 0, "")
    part.aim("states of the run that were seen", len(whole.seen), 2, "")


def _run_of(log: Path) -> str:
    """Return the run of a log, as its sessions say it."""
    kg = provkg.open(Path(tempfile.mkdtemp()) / "store")
    kg.ingest([log])
    [row, *_] = kg.graph().select(f"SELECT DISTINCT ?r {{ ?s <{PKG.run}> ?r }}")
    return text_of(row["r"])


def _ingest(store: Path, log: Path) -> None:
    subprocess.run([sys.executable, "-m", "provkg", "--quiet", "--store", str(store), "ingest", str(log)], check=True)


def _counted(port: int, run: str) -> int:
    there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    _, body = get(there, "/sparql?" + urlencode({"query": _COUNT % run}))
    return int(json.loads(body)["results"]["bindings"][0]["n"]["value"])


if __name__ == "__main__":
    main()
