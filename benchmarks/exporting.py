"""A night in every format, and as a static site; N-Quads beside pyoxigraph's own dump of the same store.

    python benchmarks/exporting.py [--folder NIGHT] [--runs 25] [--subruns 100]

FOLDER holds the logs of a night; without it one is made. Each format is written by a process of its own, so that its
memory is its own.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pyoxigraph
from logs import night, options
from measure import Part, Table, alone, disk, median, ratio, rounds, short, spread, step

import provkg
from provkg.export import FORMATS

OPEN = "import provkg, sys; kg = provkg.open(sys.argv[1]); "
EXPORT = OPEN + "kg.export(sys.argv[2], sys.argv[3])"
PUBLISH = OPEN + "kg.publish(sys.argv[2], grain='run')"
FOLDED = ("ro-crate", "votable")  # these hold all in memory, so they are measured rolled up by run, too
ROLLED = OPEN + "kg.export(sys.argv[2], sys.argv[3], grain='run')"


def main() -> None:
    """Measure and save."""
    parser = options(__doc__)
    parser.add_argument("--formats", nargs="*", default=[*FORMATS], help="some of them; all take a quarter of an hour")
    said = parser.parse_args()
    part = Part("exporting", "Export and publish: a night of 25 runs with 100 sub-runs")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        logs = night(said.folder, scratch, said.runs, said.subruns)
        store = scratch / "store"
        with step("ingest"):
            kg = provkg.open(store)
            kg.ingest([logs])
        quads = len(kg.graph().dump().splitlines())
        part.notes.append(f"{quads:,} quads. Each format in a process of its own: seconds, and its peak of memory.")
        beside(part, kg, scratch)
        site(part, store, scratch)
        formats(part, store, scratch, quads, said.formats)
    part.save()


def beside(part: Part, kg: provkg.KnowledgeGraph, scratch: Path) -> None:
    """Write all quads as pyoxigraph does, and as provkg does."""
    dumped = pyoxigraph.Store.read_only(str(next(Path(kg.store.name).glob("snapshots/*/quads"))))
    cases: dict[str, Callable[[], object]] = {
        "provkg export --all": lambda: kg.export(scratch / "a.nq"),
        "pyoxigraph, dump": lambda: dumped.dump(str(scratch / "b.nq"), format=pyoxigraph.RdfFormat.N_QUADS),
        "provkg export --all --gzip": lambda: kg.export(scratch / "a.nq.gz"),
    }
    with step("N-Quads, side by side"):
        found = rounds(cases, 3, most=40)
    table = part.table("All quads as N-Quads, side by side in one process", "who", "seconds", "of pyoxigraph's dump")
    dump = median(found["pyoxigraph, dump"])
    for name, seconds in found.items():
        table.add(name, spread(seconds), ratio(median(seconds), dump))
    part.aim(
        "N-Quads: the speed, of pyoxigraph's dump", dump / median(found["provkg export --all"]), 0.5, "", least=True
    )


def formats(part: Part, store: Path, scratch: Path, quads: int, names: list[str]) -> None:
    """Write the store in some formats."""
    table = part.table("All of it, by format", "format", "seconds", "quads/s", "peak of memory, MB", "size, MB")
    for name in names:
        seconds, peak = measured(table, name, EXPORT, store, scratch, quads)
        if name == "nquads":
            part.aim("N-Quads: peak of memory", peak, 500, "MB")
        part.figures[name] = [seconds, peak]
        if name in FOLDED:
            measured(table, name, ROLLED, store, scratch, quads, told=f"{name} --grain run")


def measured(
    table: Table, name: str, code: str, store: Path, scratch: Path, quads: int, *, told: str = ""
) -> tuple[float, float]:
    """Write one format and add its row."""
    target = scratch / f"{told or name}.{FORMATS[name].suffixes[0]}"
    with step(told or name):
        seconds, peak = alone(code, store, target, name)
    table.add(
        told or name, short(seconds), short(round(quads / seconds)), short(peak), short(target.stat().st_size / 1e6)
    )
    target.unlink()
    return seconds, peak


def site(part: Part, store: Path, scratch: Path) -> None:
    """Publish the store at the grain of runs."""
    with step("site"):
        seconds, peak = alone(PUBLISH, store, scratch / "site")
    pages = len([*(scratch / "site" / "data").glob("*/*.html")])
    table = part.table("A static site at the grain of runs", "pages", "seconds", "peak of memory, MB", "size, MB")
    table.add(f"{pages:,}", short(seconds), short(peak), short(disk(scratch / "site")))
    part.aim("a static site of the night, by run", seconds, 60, "s")
    part.aim("a static site of the night: peak of memory", peak, 600, "MB")


if __name__ == "__main__":
    main()
