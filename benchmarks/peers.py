"""Lineage and impact on one night: our index beside engines that walk the same edges, in one process.

    python benchmarks/peers.py [--folder NIGHT] [--rounds 5]

FOLDER holds the logs of a night; without it one is made. Each engine answers the same three questions; sizes of the
answers are compared, and an engine that gives another is marked. Virtuoso runs as a server that the benchmark starts on
loopback from ``virtuoso-t`` and asks over HTTP; an engine that is not installed is left out, and a line says so.
"""

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyoxigraph
import virtuoso
from logs import night, options
from measure import Part, median, ms, ratio, rounds, short, step, timed
from subjects import Subject, subjects

import provkg
from provkg.lineage import lineage
from provkg.lineage.closures import through_index
from provkg.lineage.index import Index, index_of
from provkg.store import LocalGraph
from provkg.vocab import PKG, PROV, RESOLUTION

PATH = f"(<{PKG.progenitor}>|<{PKG.drawnFrom}>)+"
Answer = Callable[[Subject], int]  # how many products it finds


@dataclass
class Engine:
    """Something that answers: how long loading took, and how it is asked."""

    name: str
    answer: Answer
    load: float | None = None
    holds: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


def query(subject: Subject) -> str:
    """Return the question as a property path from a constant."""
    pattern = f"?e {PATH} <{subject.iri}>" if subject.down else f"<{subject.iri}> {PATH} ?e"
    return f"SELECT DISTINCT ?e WHERE {{ {pattern} }}"


def by_location(subject: Subject) -> str:
    """Return the question as a user writes it, who knows where the file lies."""
    pattern = f"?e {PATH} ?it" if subject.down else f"?it {PATH} ?e"
    return (
        f"SELECT DISTINCT ?e WHERE {{ <{subject.iri}> <{PROV.specializationOf}>/<{PKG.location}> ?path . "
        f"?place <{PKG.location}> ?path . ?it <{PROV.specializationOf}> ?place . {pattern} }}"
    )


def ours(graph: LocalGraph, index: Index) -> Iterator[Engine]:
    """Give the index and plain property paths, on the same store."""

    def closure(subject: Subject) -> int:
        number = index.find(subject.iri)
        return 0 if number is None else len(index.closure(number, down=subject.down))

    def path(text: Callable[[Subject], str], **asked: Any) -> Answer:
        return lambda subject: sum(1 for _ in graph.store.query(text(subject), **asked))

    edges = pyoxigraph.NamedNode(graph.base + RESOLUTION)
    union = {"use_default_graph_as_union": True}
    yield Engine("provkg's index", closure, holds="edges")
    yield Engine("pyoxigraph, path, union of all graphs", path(query, **union), holds="everything")
    yield Engine("pyoxigraph, path, the graph of the edges", path(query, default_graph=[edges]), holds="everything")
    yield Engine("pyoxigraph, path, file found by its location", path(by_location, **union), holds="everything")


def triples(graph: LocalGraph) -> bytes:
    """Return the edges as N-Triples."""
    quads = (quad for predicate in (PKG.progenitor, PKG.drawnFrom) for quad in graph.quads(None, predicate))
    return "".join(f"{quad.triple} .\n" for quad in quads).encode()


def rdf(text: bytes) -> Iterator[Engine]:
    """Give rdflib, with its own store and with Oxigraph's."""
    import rdflib  # noqa: PLC0415 - slow to import

    for name, store in (("rdflib in memory", "default"), ("oxrdflib in memory", "Oxigraph")):
        if store == "Oxigraph" and importlib.util.find_spec("oxrdflib") is None:
            continue
        held = rdflib.Graph(store=store)
        with step(f"load {name}"):
            took = timed(lambda held=held: held.parse(data=text, format="nt"))
        yield Engine(name, lambda subject, held=held: len(held.query(query(subject))), took, "edges")


def duck(index: Index) -> Iterator[Engine]:
    """Give DuckDB: a recursive query on a table of numbered edges."""
    if importlib.util.find_spec("duckdb") is None:
        return
    import duckdb  # noqa: PLC0415 - not everybody has it

    edges = [layer.up.edges() for layer in index.layers]
    of, node = (np.concatenate([getattr(each, name) for each in edges]) for name in ("of", "node"))
    base = duckdb.connect()
    with step("load duckdb"):
        columns = {"made": of, "came": node}
        base.register("columns", columns)
        took = timed(base.execute, "CREATE TABLE edges AS SELECT * FROM columns")

    def answer(subject: Subject) -> int:
        ends, starts = ("made", "came") if subject.down else ("came", "made")
        text = f"""WITH RECURSIVE reached(it) AS (
            SELECT {ends} FROM edges WHERE {starts} = $1
            UNION SELECT {ends} FROM edges JOIN reached ON {starts} = it) SELECT it FROM reached"""
        return len(base.execute(text, [index.find(subject.iri)]).fetchnumpy()["it"])

    yield Engine("duckdb, recursive CTE", answer, took, "edges")


def virtuosos(stack: ExitStack, scratch: Path, quads: bytes) -> Iterator[Engine]:
    """Give Virtuoso."""
    if not virtuoso.installed():
        return
    with step("start virtuoso"):
        running = stack.enter_context(virtuoso.server(scratch / "virtuoso"))
    with step("load virtuoso"):
        took = timed(running.load, quads)
    yield Engine("Virtuoso, path, over HTTP", lambda subject: running.rows(query(subject)), took, "everything")


def measured(part: Part, engines: list[Engine], asked: list[Subject], count: int) -> None:
    """Ask every engine every question, and tell."""
    for subject in asked:
        for engine in engines:
            engine.sizes[subject.name] = engine.answer(subject)  # the first time is not measured
        with step(f"{subject.name}, {count} rounds"):
            found = rounds({each.name: partial(each.answer, subject) for each in engines}, count)
        for engine in engines:
            engine.seconds[subject.name] = found[engine.name]
    columns = [cell for each in asked for cell in (f"{each.name} ({each.size:,} products), ms", "×")]
    table = part.table("Closures: all products that are reached", "engine", "holds", "load, s", *columns)
    first = engines[0]
    for engine in engines:
        cells = []
        for each in asked:
            wrong = "" if engine.sizes[each.name] == each.size else f" **differs: {engine.sizes[each.name]:,}**"
            values = engine.seconds[each.name]
            cells += [ms(values) + wrong, ratio(median(values), median(first.seconds[each.name]))]
        table.add(engine.name, engine.holds, short(engine.load) if engine.load is not None else "-", *cells)
    part.figures["closures"] = {each.name: each.seconds for each in engines}


def rows(part: Part, kg: provkg.KnowledgeGraph, asked: list[Subject], count: int) -> None:
    """Measure answers with rows and labels: by our walk, and by the same question in SPARQL."""
    graph = kg.graph()
    title = "Answers with locations, names, activities and times"
    table = part.table(title, "what", "steps", "ours, ms", "the same question in SPARQL, ms", "×")
    for subject in asked:
        question = "impact" if subject.down else "lineage"
        cases = {
            "ours": partial(lineage, graph, subject.iri, down=subject.down),
            "sparql": partial(_asked, kg, question, subject),
        }
        with step(f"{subject.name} with rows, {count} rounds"):
            steps = len(lineage(graph, subject.iri, down=subject.down))
            found = rounds(cases, count)
        times = ratio(median(found["sparql"]), median(found["ours"]))
        table.add(subject.name, f"{steps:,}", ms(found["ours"]), ms(found["sparql"]), times)
        part.figures[f"rows: {subject.name}"] = found


def _asked(kg: provkg.KnowledgeGraph, question: str, subject: Subject) -> list[Any]:
    """Ask in SPARQL, of which only the closure comes from the index."""
    graph = kg.graph()
    return list(graph.select(through_index(graph, kg.bound(question, product=subject.iri))[0]))


def aims(part: Part, engines: list[Engine], asked: list[Subject]) -> None:
    """Note what is wanted of a night."""
    for subject, closure, told in zip(asked, (1, 5, None), (10, 150, None), strict=False):
        seconds = engines[0].seconds[subject.name]
        if closure is not None and told is not None:
            part.aim(f"{subject.name}, {subject.size:,} products: closure", median(seconds) * 1000, closure, "ms")
            values = part.figures[f"rows: {subject.name}"]["ours"]
            part.aim(f"{subject.name}: with rows and labels", median(values) * 1000, told, "ms")
        if closure == 5:
            plain = median(engines[1].seconds[subject.name])
            part.aim(f"{subject.name}: faster than a property path", plain / median(seconds), 50, "times", least=True)


def main() -> None:
    """Measure and print the tables."""
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    part = Part("peers", "A night: lineage beside other engines")
    part.notes.append(
        "× is how many times as long as provkg's index. 'edges' are the edges from product to product alone, the least "
        "that an engine needs for these questions; DuckDB has them as a table of numbers. Loading ours is part of the "
        "ingest."
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch, ExitStack() as stack:
        root = Path(scratch)
        kg = provkg.open(root / "store")
        folder = night(chosen.folder, root / "logs", chosen.runs, chosen.subruns)
        with step("ingest"):
            kg.ingest([folder])
        graph = kg.store.read()
        assert isinstance(graph, LocalGraph)
        index, asked = index_of(graph), subjects(kg)
        engines = [*ours(graph, index), *rdf(triples(graph)), *duck(index), *virtuosos(stack, root, graph.dump())]
        for name in ("oxrdflib", "duckdb", "Virtuoso"):
            if not any(each.name.startswith(name) for each in engines):
                part.notes.append(f"{name} is not installed here, and was left out.")
        measured(part, engines, asked, chosen.rounds)
        rows(part, kg, asked, chosen.rounds)
        aims(part, engines, asked)
    part.save()


if __name__ == "__main__":
    main()
