"""A night validated: the fast SHACL engine beside pySHACL, on the same graph and shapes, in one process.

    python benchmarks/validation.py [FOLDER] [--core] [--skip-reference]

FOLDER holds the logs of a night; without it, the sample's runs are multiplied. pySHACL evaluates each SPARQL constraint
once for each node and takes hours on a night: ``--core`` leaves these constraints out for both engines. The table gives
one round, because pySHACL takes minutes: seconds, and the ratio to pySHACL. The findings must be the same.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyoxigraph
from night import multiplied  # the other benchmark, beside this file

import provkg
from provkg.reasoning import owl_closure
from provkg.validation import LAYERS
from provkg.validation import scope as scopes
from provkg.validation.constraints import breaches, dated, read
from provkg.validation.engines import Data, Result, run
from provkg.validation.shapes import Shapes, load


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Return how many seconds a call takes, and what it gives."""
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def without_sparql(shapes: Shapes) -> Shapes:
    """Return the shapes that are SHACL Core."""
    store = pyoxigraph.Store()
    store.load(shapes.turtle(core=True), format=pyoxigraph.RdfFormat.N_TRIPLES)
    return Shapes(store)


def broken(text: str) -> str:
    """Take every 997th triple out, so that there is something to find."""
    lines = text.splitlines(keepends=True)
    del lines[::997]
    return "".join(lines)


def constraints(graph: provkg.store.Graph) -> int:
    """Judge every source by PROV-CONSTRAINTS, and count what is found."""
    found = 0
    for quads in scopes.bundles(graph, scopes.sources(graph)):
        bundle = read(quads, lambda node: scopes.minted(graph, node))
        found += sum(1 for _ in breaches(bundle)) + sum(1 for _ in dated(bundle))
    return found


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--core", action="store_true", help="without the SPARQL constraints")
    parser.add_argument("--skip-reference", action="store_true", help="without pySHACL and owlrl")
    chosen = parser.parse_args()
    shapes = without_sparql(load()) if chosen.core else load()
    rows: list[tuple[str, float]] = []

    def row(name: str, work: Callable[[], object]) -> object:
        seconds, found = timed(work)
        rows.append((name, seconds))
        print(f"{name:52} {seconds:10.2f} s", flush=True)
        return found

    with tempfile.TemporaryDirectory() as root:
        kg = provkg.open(Path(root) / "store")
        folder = chosen.folder or multiplied(Path(root) / "night")
        kg.ingest([folder])
        graph = kg.graph()
        data = row("write the graph of the store as N-Triples", lambda: scopes.whole(graph))
        assert isinstance(data, Data)
        data = Data(broken(data.text))
        print(f"{data.text.count(chr(10)):,} triples, {len(shapes.known)} shapes, layers {', '.join(LAYERS)}")
        fast: set[Result] = row("SHACL, fast engine", lambda: run("shacl", shapes, Data(data.text)))  # type: ignore[assignment]
        row("PROV-CONSTRAINTS and times, every bundle", lambda: constraints(graph))
        row("provkg validate, all of it, in process", kg.validate)
        row("provkg infer, rules for the store", kg.infer)
        if not chosen.skip_reference:
            reference = row("SHACL, pySHACL", lambda: run("pyshacl", shapes, Data(data.text)))
            took = dict(rows)
            assert fast == reference, "the engines differ"
            ratio = took["SHACL, pySHACL"] / took["SHACL, fast engine"]
            print(f"the same {len(fast):,} results, {ratio:.0f} times as fast as pySHACL on the same text")
            kg.forget_inferences()
            a_run = scopes.sources(kg.graph())[:1]
            text = scopes.neighbourhood(kg.graph(), a_run).text
            print(f"a source of {text.count(chr(10)):,} triples:")
            row("owlrl, OWL 2 RL, one source", lambda: owl_closure(text))
    print(f"Python {platform.python_version()}, {platform.machine()}, pyoxigraph {pyoxigraph.__version__}")


if __name__ == "__main__":
    main()
