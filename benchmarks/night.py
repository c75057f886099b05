"""A night of logs: how long ingest takes beside a bare bulk load of the very same quads, in one process.

    python benchmarks/night.py [--folder NIGHT] [--verbose-folder NIGHT] [--rounds 3]

The folders hold the logs of a night, the second those of one that repeats a large session record before each activity,
as lstosa does since 2022. Without them, nights of 25 runs are made. The tables give medians of interleaved rounds and
the ratio to the bare bulk load; peak memory is that of a child process that does the ingest alone.
"""

import ast
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyoxigraph
from logs import night, options, records
from measure import Part, alone, disk, median, ratio, rounds, short, spread, step, timed, watched

import provkg
from provkg.ingest import transaction
from provkg.readers.pyrepr import loads
from provkg.resources import sample

INGEST = "import provkg\nprovkg.open(sys.argv[1]).ingest([sys.argv[2]])"
WHOLE, BARE = "ingest (read, map, load, resolve, index)", "bare pyoxigraph bulk_load of its quads"
# what of an ingest is measured apart: function by function of the product, as they are called
SPLIT = {
    "of it: read and map (while another thread loads)": (transaction, "read"),
    "of it: wait for the rest to be loaded": (transaction.Loading, "flush"),
    "of it: resolve versions": (transaction, "resolve"),
    "of it: write the lineage index and the summaries": (transaction.Indexing, "take"),
}


def bulk_load(store: Path, quads: bytes) -> None:
    """Load quads with nothing but pyoxigraph."""
    pyoxigraph.Store(str(store)).bulk_load(quads, format=pyoxigraph.RdfFormat.N_QUADS, lenient=True)


def ingest(store: Path, folder: Path) -> dict[str, float]:
    """Ingest a night; return the seconds in all, and of its parts."""
    calls: dict[str, list[float]] = {name: [] for name in SPLIT}
    names = list(SPLIT)

    def nested(at: int) -> None:
        if at == len(names):
            took[WHOLE] = timed(provkg.open(store).ingest, [folder])
            return
        with watched(*SPLIT[names[at]], calls[names[at]]):
            nested(at + 1)

    took: dict[str, float] = {}
    nested(0)
    return took | {name: sum(values) for name, values in calls.items()}


def one_round(root: Path, folder: Path) -> tuple[dict[str, float], float]:
    """Measure an ingest and the bare load of what it wrote; return also the MB of the bare store."""
    store, bare = root / "store", root / "bare"
    for path in (store, bare):
        shutil.rmtree(path, ignore_errors=True)
    took = ingest(store, folder)
    took[BARE] = timed(bulk_load, bare, provkg.open(store).graph().dump())
    return took, disk(bare)


def measured(part: Part, root: Path, folder: Path, count: int, name: str, most: float) -> None:
    """Measure a night, and tell."""
    found, size = [], 0.0
    for number in range(count):
        with step(f"{name}: ingest and bare load, round {number + 1} of {count}"):
            took, size = one_round(root, folder)
            found.append(took)
    with step(f"{name}: ingest in a process of its own"):
        _, peak = alone(INGEST, root / "alone", folder)
    shutil.rmtree(root / "alone")
    kg = provkg.open(root / "store")
    quads, lines = kg.graph().dump(), len(records(folder))
    count_quads = quads.count(b"\n")
    figures = {each: [took[each] for took in found] for each in found[0]}
    bare = median(figures[BARE])
    table = part.table(name, "what", "seconds", "to the bare load")
    for each, values in figures.items():
        table.add(each, spread(values), ratio(median(values), bare))
    snapshot = disk(root / "store" / "snapshots")
    facts = part.table("", "", "in all", "per record")
    facts.add("records", f"{lines:,}", "1")
    facts.add("quads", f"{count_quads:,}", f"{count_quads / lines:.2f}")
    facts.add("N-Quads, MB and bytes", short(len(quads) / 1e6), short(len(quads) / lines))
    facts.add("store on disk, MB and bytes", short(snapshot), short(snapshot * 1e6 / lines))
    facts.add("bare store on disk, MB and bytes", short(size), short(size * 1e6 / lines))
    facts.add("lineage index, MB and bytes", *_index(root / "store", lines))
    facts.add("peak memory of the ingest, MB", short(peak), "-")
    part.figures[name] = {"seconds": figures, "quads": count_quads, "records": lines, "bytes": len(quads), "peak": peak}
    part.aim(f"{name}: ingest to the bare load of its quads", median(figures[WHOLE]) / bare, most, "times")
    part.aim(f"{name}: peak memory", peak, 1000, "MB")


def _index(store: Path, lines: int) -> tuple[str, str]:
    size = disk(provkg.open(store).graph().beside or store)
    return short(size), short(size * 1e6 / lines)


def questions(part: Part, root: Path, folder: Path, count: int) -> None:
    """Measure readers of the lines, and one lineage."""
    lines = records(folder)
    kg = provkg.open(root / "store")
    products = [each.iri for each in kg.find("dl3_LST-1.Run")][:5]
    command = [sys.executable, "-m", "provkg", "--store", str(root / "store"), "lineage", products[0], "--json"]
    cases = {
        "parse the lines with our reader": lambda: [loads(line) for line in lines],
        "parse the lines with ast.literal_eval": lambda: [_literal(line) for line in lines],
        "lineage of a DL3, in process": lambda: kg.lineage(products[0]),
        "lineage of a DL3, whole process": lambda: subprocess.run(command, check=True, capture_output=True),
    }
    with step("readers of the lines; lineage"):
        found = rounds(cases, count)
    table = part.table("The lines, and one lineage", "what", "seconds")
    for name, values in found.items():
        table.add(name, spread(values))
    reader, literal = (median(found[name]) for name in list(found)[:2])
    part.notes.append(f"Our reader is {literal / reader:.1f} times as fast as ast.literal_eval on the same lines.")
    part.figures["lines"] = found


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def main() -> None:
    """Measure and print the tables."""
    parser = options(__doc__)
    parser.add_argument("--verbose-folder", type=Path, help="a night with verbose sessions; without it one is made")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    part = Part("night", "A night: ingest")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        folder = night(chosen.folder, root / "logs", chosen.runs, chosen.subruns)
        ingest(root / "warm", sample())  # imports what is imported on first use
        measured(part, root, folder, chosen.rounds, "A night", 1.5)
        questions(part, root, folder, chosen.rounds)
        verbose = night(chosen.verbose_folder, root / "verbose", chosen.runs, chosen.subruns, verbose=True)
        measured(part, root, verbose, chosen.rounds, "A night with verbose sessions", 2)
    part.save()


if __name__ == "__main__":
    main()
