"""A night validated: the fast SHACL engine beside pySHACL, on the same graph and shapes, in one process.

    python benchmarks/validation.py [--folder NIGHT] [--core] [--skip-reference]

FOLDER holds the logs of a night; without it one is made. pySHACL evaluates each SPARQL constraint once for each node
and takes hours on a night: ``--core`` leaves these constraints out for both engines. The table gives one round, because
pySHACL takes minutes: seconds, and the ratio to pySHACL. Whether the findings are the same is told.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyoxigraph
from logs import night, options
from measure import Part, short

import provkg
from provkg.reasoning import owl_closure
from provkg.validation import LAYERS
from provkg.validation import scope as scopes
from provkg.validation.constraints import breaches, dated, read
from provkg.validation.engines import Data, run
from provkg.validation.shapes import Shapes, load

WRITE, FAST, REFERENCE = "write the graph of the store as N-Triples", "SHACL, fast engine", "SHACL, pySHACL"


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


class Rows:
    """What was measured, in order."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], object]) -> object:
        """Measure once."""
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        self.took[name], found = timed(work)
        print(f"{self.took[name]:.1f} s", file=sys.stderr, flush=True)
        return found


def judged(part: Part, row: Rows, kg: provkg.KnowledgeGraph, shapes: Shapes, *, reference: bool) -> None:
    """Judge a store with each engine."""
    graph = kg.graph()
    data = row(WRITE, lambda: scopes.whole(graph))
    assert isinstance(data, Data)
    text = broken(data.text)
    part.notes.append(f"{text.count(chr(10)):,} triples, {len(shapes.known)} shapes, layers {', '.join(LAYERS)}.")
    fast = row(FAST, lambda: run("shacl", shapes, Data(text)))
    row("PROV-CONSTRAINTS and times, every bundle", lambda: constraints(graph))
    row("provkg validate, all of it, in process", kg.validate)
    row("provkg infer, rules for the store", kg.infer)
    if reference:
        theirs = row(REFERENCE, lambda: run("pyshacl", shapes, Data(text)))
        assert isinstance(fast, set)
        assert isinstance(theirs, set)
        same = "the same" if fast == theirs else "DIFFERENT"
        ratio = row.took[REFERENCE] / row.took[FAST]
        part.notes.append(f"The engines give {same} {len(fast):,} results; the fast one takes {ratio:.0f} times less.")
        kg.forget_inferences()
        text = scopes.neighbourhood(kg.graph(), scopes.sources(kg.graph())[:1]).text
        row(f"owlrl, OWL 2 RL, one source of {text.count(chr(10)):,} triples", lambda: owl_closure(text))


def main() -> None:
    """Measure, and print the table."""
    parser = options(__doc__)
    parser.add_argument("--core", action="store_true", help="without the SPARQL constraints")
    parser.add_argument("--skip-reference", action="store_true", help="without pySHACL and owlrl")
    chosen = parser.parse_args()
    shapes = without_sparql(load()) if chosen.core else load()
    part, row = Part("validation", f"A night validated{', SHACL Core' if chosen.core else ''}"), Rows()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        kg = provkg.open(root / "store")
        folder = night(chosen.folder, root / "logs", chosen.runs, chosen.subruns)
        kg.ingest([folder])
        judged(part, row, kg, shapes, reference=not chosen.skip_reference)
    table = part.table("One round", "what", "seconds", "to pySHACL")
    for name, seconds in row.took.items():
        shacl = REFERENCE in row.took and name in (FAST, REFERENCE)
        table.add(name, short(seconds), f"{short(seconds / row.took[REFERENCE])}×" if shacl else "-")
    part.figures |= row.took
    part.save()


if __name__ == "__main__":
    main()
