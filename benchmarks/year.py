"""Twenty nights into one store, one after the other; then every question on it, beside one night.

    python benchmarks/year.py [--folders NIGHTS] [--nights 20] [--work FOLDER] [--keep]

NIGHTS holds a folder of logs for each night; without it they are made. What is done lies in the working folder
(``benchmarks/figures/year``), so that a run that was stopped goes on where it was; it is removed at the end, unless
--keep. ``synthetic.py`` then makes a year of edges.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import questions
from logs import nights, options
from measure import FIGURES, Part, alone, disk, median, ms, ratio, rounds, short, step, timed
from subjects import Subject, subjects

import provkg
from provkg.lineage import lineage
from provkg.lineage.index import index_of

INGEST = "import provkg\nprovkg.open(sys.argv[1]).ingest([sys.argv[2]])"


class Steps:
    """What was done before, by name; it counts where the same was asked of the same program."""

    def __init__(self, folder: Path, asked: str) -> None:
        self.folder, self.path = folder, folder / "steps.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.done: dict[str, Any] = json.loads(self.path.read_text()) if self.path.exists() else {}
        if self.done.setdefault("asked", asked) != asked:
            self.clear()
            self.done = {"asked": asked}

    def clear(self) -> None:
        """Remove what was kept."""
        for name in ("one", "all", "logs"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.path.unlink(missing_ok=True)

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        """Do a step, unless it was done."""
        if name not in self.done:
            with step(name):
                self.done[name] = work()
            self.path.write_text(json.dumps(self.done))
        return self.done[name]


def ingested(store: Path, folder: str) -> dict[str, float]:
    """Ingest a night in a process of its own."""
    seconds, peak = alone(INGEST, store, folder)
    snapshot = Path(provkg.open(store).graph().beside or store)
    return {"seconds": seconds, "peak": peak, "disk": disk(snapshot.parent), "index": disk(snapshot)}


def ingests(part: Part, steps: Steps, work: Path, folders: list[str]) -> None:
    """Ingest all nights, and tell."""
    steps("one night into a store of its own", lambda: ingested(work / "one", folders[0]))
    found = [
        steps(f"night {number} of {len(folders)}", partial(ingested, work / "all", folder))
        for number, folder in enumerate(folders, 1)
    ]
    first = found[0]["seconds"]
    table = part.table("Ingest", "night", "s", "to the first", "peak memory, MB", "store, MB", "index, MB")
    for number, each in enumerate(found, 1):
        cells = [short(each["seconds"]), ratio(each["seconds"], first)]
        table.add(number, *cells, *(short(each[name]) for name in ("peak", "disk", "index")))
    part.figures["ingests"] = found
    ends = [median([each["seconds"] for each in three]) for three in (found[:3], found[-3:])]
    part.aim("ingest: the last three nights to the first three", ends[1] / ends[0], 1.3, "times")
    part.aim("ingest: peak memory", max(each["peak"] for each in found), 1000, "MB")


def walks(one: Path, many: Path, count: int) -> dict[str, Any]:
    """Measure closures and rows on both stores."""
    stores = [provkg.open(one), provkg.open(many)]
    graphs = [kg.graph() for kg in stores]
    asked = subjects(stores[0])
    return {subject.name: _walk(graphs, subject, count) for subject in asked}


def _walk(graphs: list[Any], subject: Subject, count: int) -> dict[str, Any]:
    indexes = [index_of(graph) for graph in graphs]
    cases: dict[str, Callable[[], object]] = {}
    sizes = []
    for at, (graph, index) in enumerate(zip(graphs, indexes, strict=True)):
        number = index.find(subject.iri)
        sizes.append(0 if number is None else len(index.closure(number, down=subject.down)))
        if number is not None:
            cases[f"closure {at}"] = partial(index.closure, number, down=subject.down)
            cases[f"rows {at}"] = partial(lineage, graph, subject.iri, down=subject.down)
    return {"sizes": sizes, "iri": subject.iri, "seconds": rounds(cases, count)}


def tell_walks(part: Part, found: dict[str, Any], count: int) -> None:
    """Tell of closures and rows."""
    columns = ("what", "products, 1 night", "ms", f"products, {count} nights", "ms ")
    table = part.table("Lineage", *columns)
    for name, facts in found.items():
        for kind in ("closure", "rows"):
            here, there = (facts["seconds"].get(f"{kind} {at}") for at in (0, 1))
            if here and there:
                one, many = facts["sizes"]
                table.add(f"{name}: {kind}", f"{one:,}", ms(here), f"{many:,}", ms(there))


def process(store: Path, product: str, count: int) -> list[float]:
    """Measure ``provkg lineage`` as a whole process."""
    command = [sys.executable, "-m", "provkg", "--store", str(store), "lineage", product, "--json"]
    return rounds({"lineage": lambda: subprocess.run(command, check=True, capture_output=True)}, count)["lineage"]


def tell_process(part: Part, steps: Steps, stores: dict[str, Path], product: str) -> None:
    """Measure and tell of the whole process."""
    table = part.table("`provkg lineage`, the whole process", "store", "ms")
    for name, store in stores.items():
        took = steps(f"provkg lineage as a process, {name}", partial(process, store, product, 5))
        table.add(name, ms(took))
    part.aim(f"provkg lineage as a process, {name}", median(took) * 1000, 300, "ms")


def optimize(store: Path) -> float:
    """Put together what the ingests left apart; return the seconds."""
    return timed(provkg.open(store).optimize)


def main() -> None:
    """Measure and print the tables."""
    parser = options(__doc__)
    parser.add_argument("--folders", type=Path, help="a folder of nights")
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--work", type=Path, default=FIGURES / "year")
    parser.add_argument("--keep", action="store_true", help="keep the working folder")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    part = Part("year", f"{chosen.nights} nights in one store")
    asked = [part.machine["commit"], chosen.folders, chosen.nights, chosen.runs, chosen.subruns]
    steps = Steps(chosen.work, " ".join(map(str, asked)))

    def found_nights() -> list[str]:
        if chosen.folders is None:
            shutil.rmtree(chosen.work / "logs", ignore_errors=True)
            return list(map(str, nights(chosen.work / "logs", chosen.nights, chosen.runs, chosen.subruns)))
        return [str(path) for path in sorted(chosen.folders.iterdir()) if path.is_dir()][: chosen.nights]

    folders = steps("nights", found_nights)
    one, many = chosen.work / "one", chosen.work / "all"
    ingests(part, steps, chosen.work, folders)
    optimized = {
        name: steps(f"provkg doctor --optimize, {name}", partial(optimize, store))
        for name, store in {"1 night": one, f"{len(folders)} nights": many}.items()
    }
    table = part.table("`provkg doctor --optimize`: what follows was measured after it", "store", "s")
    for name, took in optimized.items():
        table.add(name, f"{took:.1f}")
    found = steps("lineage on both stores", lambda: walks(one, many, chosen.rounds))
    tell_walks(part, found, len(folders))
    tell_process(part, steps, {"1 night": one, f"{len(folders)} nights": many}, found["lineage of a DL3"]["iri"])
    rows = steps("questions on both stores", lambda: questions.measured(str(one), str(many), 3))
    questions.tell(part, rows, "1 night", f"{len(folders)} nights")
    part.figures |= {"walks": found, "questions": rows}
    part.save()
    if not chosen.keep:
        steps.clear()


if __name__ == "__main__":
    main()
