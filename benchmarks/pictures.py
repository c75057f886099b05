"""Pictures of runs and nights: reading, folding, drawing; whole processes; beside drawing all, as prov.dot does.

    python benchmarks/pictures.py [--folder NIGHT | --store STORE] [--rounds 5]

FOLDER holds the logs of a night; STORE is one that holds a night; without both a night is made. What draws all of a run
is ended after a minute.
"""

import subprocess
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

from logs import night, options
from measure import Part, median, rounds, short, step, timed

import provkg
from provkg.export.provdocument import prov_document, written
from provkg.graphview import draw
from provkg.rollup import budgeted, fold, grouped
from provkg.vocab import PKG

PATIENCE = 60  # seconds for drawing everything


def draw_all(store: str, run: str) -> None:
    """Draw every node of a run as prov.dot and graphviz do."""
    from prov.dot import prov_to_dot  # noqa: PLC0415 - slow, and only here

    rolled = provkg.open(store).rollup(run=run, grain="subrun")
    prov_to_dot(prov_document(rolled), show_element_attributes=False, show_relation_attributes=False).create_svg()


def of_night(part: Part, store: str, count: int) -> None:
    """Measure a night and one of its runs."""
    kg = provkg.open(store)
    query = f"SELECT DISTINCT ?n ?r WHERE {{ ?s <{PKG.observationDate}> ?n ; <{PKG.run}> ?r }} ORDER BY ?n ?r"
    known = list(kg.graph().texts(query))
    date, run = known[len(known) // 2]
    view, rules = kg.view(night=date), kg.rules()
    cases = {
        "a run: read": lambda: kg.view(run=run),
        "a run: picture": lambda: kg.picture("svg", run=run, grain="run"),
        "a run: PROV-JSON, by run": lambda: written(kg.rollup(run=run, grain="run"), "prov-json"),
        "a night: read": lambda: kg.view(night=date),
        "a night: fold by run": lambda: fold(view, grouped(view, rules, "run")),
        "a night: fold to 60 nodes": lambda: budgeted(view, rules),
        "a night: draw": lambda: draw(budgeted(view, rules), "svg", title=date, rules=rules),
        "a night: picture": lambda: kg.picture("svg", night=date),
    }
    with step("measure"):
        took = rounds(cases, count)
    one, many = kg.view(run=run), view
    sizes = {
        "a run: read": f"{len(one.nodes):,} nodes, {len(one.relations):,} relations",
        "a night: read": f"{len(many.nodes):,} nodes, {len(many.relations):,} relations",
        "a night: fold by run": f"{len(fold(many, grouped(many, rules, 'run')).folds):,} nodes",
        "a night: fold to 60 nodes": f"{len(budgeted(many, rules).folds):,} nodes",
    }
    table = part.table("In process, the store open", "what", "median, ms", "spread, ms", "size")
    for name, seconds in took.items():
        spread = f"{1000 * min(seconds):,.0f} to {1000 * max(seconds):,.0f}"
        table.add(name, f"{1000 * median(seconds):,.0f}", spread, sizes.get(name, ""))
    with tempfile.TemporaryDirectory() as folder, step("whole process"):
        command = [
            sys.executable,
            "-m",
            "provkg",
            "--store",
            store,
            "graph",
            "--night",
            date,
            "-o",
            f"{folder}/night.svg",
        ]
        whole = rounds({"night": lambda: subprocess.run(command, check=True, capture_output=True)}, count)["night"]
    steps = sum(node.kind == "activity" for node in many.nodes.values())
    part.aim(f"picture of a night, {steps:,} activities, whole process", median(whole), 5, "s")
    with step("draw all of a run"):
        process = get_context("spawn").Process(target=draw_all, args=(store, run))
        seconds = timed(lambda: (process.start(), process.join(PATIENCE)))
        ended = process.exitcode is None
        process.kill()
    ratio = short(seconds / median(took["a run: picture"]))
    said = (
        f"ended after {PATIENCE} s: more than {ratio} times as long"
        if ended
        else f"{seconds:.1f} s, {ratio} times as long"
    )
    part.notes.append(
        f"All {len(one.nodes):,} nodes of the run, drawn by prov.dot and graphviz, with the start of Python: {said}."
    )


def main() -> None:
    """Measure, and save what was found."""
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", help="a store that holds a night, instead of its logs")
    chosen = parser.parse_args()
    part = Part("pictures", "Pictures and roll-ups, a night loaded")
    with tempfile.TemporaryDirectory() as scratch:
        store = chosen.store or str(Path(scratch) / "store")
        if not chosen.store:
            folder = night(chosen.folder, Path(scratch), chosen.runs, chosen.subruns)
            with step("ingest"):
                provkg.open(store).ingest([folder])
        of_night(part, store, chosen.rounds)
    part.save()


if __name__ == "__main__":
    main()
