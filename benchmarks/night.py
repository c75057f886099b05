"""A night of logs: how long ingest takes beside a bare bulk load of the very same quads, in one process.

    python benchmarks/night.py [FOLDER]

FOLDER holds the logs of a night; without it, the sample's two runs are multiplied to 25 runs of 48 sub-runs in all. The
table gives medians of three interleaved rounds and the ratio to the bare bulk load; peak memory is that of a child
process that does the ingest alone.
"""

import ast
import json
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyoxigraph

import provkg
from provkg.readers.pyrepr import loads
from provkg.resources import sample

ROUNDS = 3
LIMIT = "bare pyoxigraph bulk_load of its quads"
# VmHWM and not ru_maxrss: that one is inherited from the parent through exec
INGEST = """import re, sys, provkg
provkg.open(sys.argv[1]).ingest([sys.argv[2]])
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])"""


def multiplied(folder: Path) -> Path:
    """Write the sample's runs over and over, with other run and session numbers."""
    folder.mkdir()
    for number in range(400):
        text = (sample() / f"Run1201{2 + number % 2}.log").read_text()
        text = re.sub(r"1201[23]\b", f"{20000 + number}", text).replace("session_id': '", f"session_id': '{number}")
        (folder / f"{number}.log").write_text(text.replace("'in_session': '", f"'in_session': '{number}"))
    return folder


def timed(work: Callable[..., object], *arguments: object) -> float:
    """Return how many seconds a call takes."""
    begin = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begin


def bodies(folder: Path) -> list[str]:
    """Return the bodies of all whole records."""
    found = []
    for path in sorted(folder.glob("*.log")):
        pieces = [line.split("__PROV__") for line in path.read_text().splitlines()]
        found += [piece[2].strip() for piece in pieces if len(piece) == 3]
    return [body for body in found if body.endswith("}")]


def bulk_load(store: Path, quads: bytes) -> None:
    """Load quads with nothing but pyoxigraph."""
    pyoxigraph.Store(str(store)).bulk_load(quads, format=pyoxigraph.RdfFormat.N_QUADS, lenient=True)


def one_round(root: Path, number: int, folder: Path, lines: list[str]) -> dict[str, float]:
    """Measure everything once."""
    store, bare = root / f"store{number}", root / f"bare{number}"
    graph = provkg.open(store)
    took = {"ingest (read, map, load, resolve)": timed(graph.ingest, [folder])}
    took[LIMIT] = timed(bulk_load, bare, graph.graph().dump())
    took["parse the lines with our reader"] = timed(lambda: [loads(line) for line in lines])
    took["parse the lines with ast.literal_eval"] = timed(lambda: [_literal(line) for line in lines])
    products = [each.iri for each in graph.find("dl3_LST-1.Run")][:5]
    took["lineage of a DL3, in process"] = statistics.median(timed(graph.lineage, product) for product in products)
    command = [sys.executable, "-m", "provkg", "--store", str(store), "lineage", products[0], "--format", "json"]
    took["lineage of a DL3, whole process"] = timed(lambda: subprocess.run(command, check=True, capture_output=True))
    shutil.rmtree(bare)
    return took


def main() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else multiplied(root / "night")
        lines = bodies(folder)
        rounds = [one_round(root, number, folder, lines) for number in range(ROUNDS)]
        graph = provkg.open(root / "store0")
        quads = graph.graph().dump().count(b"\n")
        alone = [sys.executable, "-c", INGEST, str(root / "alone"), str(folder)]
        peak = int(subprocess.run(alone, check=True, capture_output=True, text=True).stdout) / 1024
        _table({name: [took[name] for took in rounds] for name in rounds[0]}, quads, graph.status(), peak, len(lines))


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _table(rounds: dict[str, list[float]], quads: int, status: dict[str, object], peak: float, lines: int) -> None:
    medians = {name: statistics.median(values) for name, values in rounds.items()}
    limit = medians[LIMIT]
    print(f"Python {platform.python_version()}, pyoxigraph {pyoxigraph.__version__}, {platform.machine()}")
    print(f"{lines:,} records, {quads:,} quads ({quads / lines:.2f} a record)")
    print(json.dumps({name: status[name] for name in ("sources", "activities", "usages", "generations", "sessions")}))
    print(f"\n{'what':45} {'median s':>9} {'min':>7} {'max':>7} {'to bare load':>13}")
    for name, median in medians.items():
        print(f"{name:45} {median:9.3f} {min(rounds[name]):7.3f} {max(rounds[name]):7.3f} {median / limit:13.2f}")
    print(f"\npeak memory of an ingest alone: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
