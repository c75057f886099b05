"""Working with histories on nights: taint, diff, recipe, grade, gaps, explain, verify; beside SPARQL and sha256sum.

    python benchmarks/histories.py [--folder NIGHT | --store STORE] [--rounds 5]

FOLDER holds the logs of a night; STORE is one that holds nights, such as ``year.py`` makes; without both a night is
made. Plain SPARQL runs in a process of its own, which is ended after a minute.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from logs import night, options
from measure import Part, median, rounds, short, step, timed
from subjects import subjects

import provkg
from provkg.fixity import Options
from provkg.histories import every_history, recipes_of
from provkg.lineage.index import index_of
from provkg.vocab import PKG

FILES, SIZE = 10_000, 10_000  # of the archive that is verified
PLAIN = 60  # seconds for plain SPARQL
_PATH = "SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE {{ ?x (<{0}>|<{1}>)+ <{2}> }}"


def plain(store: str, product: str) -> None:
    """Count what was made from a product by a property path."""
    query = _PATH.format(PKG.progenitor, PKG.drawnFrom, product)
    print(next(iter(provkg.open(store).graph().select(query)))["n"])


def of_nights(part: Part, store: str, count: int) -> None:
    """Measure what works on histories."""
    kg = provkg.open(store)
    index = index_of(kg.graph())
    found = {each.name: each for each in subjects(kg)}
    dl3, pedestal = found["lineage of a DL3"].iri, found["impact of a pedestal"].iri
    told = index.describe(np.arange(index.nodes, dtype=np.uint32))
    others = [at for at, each in enumerate(told) if each.level == "DL3"]
    other = next(iri for iri in index.iris(np.array(others, np.uint32)) if iri != dl3)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as listing:
        listing.write("\n".join(sorted({each.location for each in told if each.location.startswith("/")})))
    cases = {
        "taint of a pedestal": lambda: kg.taint(pedestal),
        "taint of a parameter": lambda: kg.taint(value="gammaness_cut=0.7"),
        "history of a DL3": lambda: kg.history(dl3),
        "recipe of a DL3": lambda: kg.recipe(dl3),
        "diff of two DL3": lambda: kg.diff(dl3, other),
        "grade of a DL3": lambda: kg.grade(dl3),
        "explain a DL3": lambda: kg.explain(dl3),
        "gaps of all files": lambda: kg.gaps(listing.name),
    }
    with step("measure"):
        took = rounds(cases, count)
    table = part.table("In process, the store open", "what", "median, ms", "spread, ms", "size of the answer")
    sizes = {
        "taint of a pedestal": f"{len(kg.taint(pedestal).products):,} products",
        "history of a DL3": f"{len(kg.history(dl3).steps):,} steps",
        "gaps of all files": f"{len(told):,} products",
    }
    for name, seconds in took.items():
        spread = f"{1000 * min(seconds):,.0f} to {1000 * max(seconds):,.0f}"
        table.add(name, f"{1000 * median(seconds):,.0f}", spread, sizes.get(name, ""))
    part.aim("taint of a pedestal, in process", median(took["taint of a pedestal"]), 1, "s")
    with step("plain SPARQL"):
        command = [sys.executable, __file__, "--plain", json.dumps([store, pedestal])]
        try:
            slow = timed(lambda: subprocess.run(command, check=True, capture_output=True, timeout=PLAIN))
            said = f"{short(slow / median(took['taint of a pedestal']))} times as long"
        except subprocess.TimeoutExpired:
            said = (
                f"ended after {PLAIN} s: more than {short(PLAIN / median(took['taint of a pedestal']))} times as long"
            )
    part.notes.append(f"Counting the same products by a property path, with the start of Python: {said}.")
    if len(index.iris(np.zeros(1, np.uint32))) and index.nodes < 100_000:
        with step("recipe digests of everything"):
            seconds = timed(lambda: recipes_of(every_history(kg.graph())))
        part.notes.append(f"Recipe digests of all {index.nodes:,} products of the store: {seconds:.1f} s.")
    Path(listing.name).unlink()


def of_files(part: Part, scratch: Path) -> None:
    """Verify an archive, beside sha256sum."""
    archive, lines = scratch / "archive", []
    archive.mkdir()
    lines.append({"kind": "start", "id": "1", "name": "make", "time": "2026-01-01T00:00:00Z"})
    for number in range(FILES):
        content = os.urandom(SIZE)
        path = archive / f"{number:05d}"
        path.write_bytes(content)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        lines.append({"kind": "generated", "id": "1", "path": str(path), "digest": digest, "size": SIZE})
    lines.append({"kind": "end", "id": "1", "time": "2026-01-01T00:00:01Z", "status": "completed"})
    (scratch / "log.jsonl").write_text("".join(json.dumps({"provkg": 1, **each}) + "\n" for each in lines))
    kg = provkg.open(scratch / "files")
    kg.ingest([scratch / "log.jsonl"])
    command = f"find {archive} -type f -print0 | xargs -0 sha256sum >/dev/null"
    cases = {
        "verify": lambda: kg.verify(options=Options(record=False, cached=False, jobs=2)),
        "verify, digests cached": lambda: kg.verify(options=Options(record=False, jobs=2)),
        "sha256sum": lambda: subprocess.run(command, shell=True, check=True),
    }
    with step(f"verify {FILES:,} files"):
        took = rounds(cases, 3)
    table = part.table(f"{FILES:,} files of {SIZE:,} bytes", "what", "seconds", "beside sha256sum")
    for name, seconds in took.items():
        table.add(name, short(median(seconds)), f"{short(median(seconds) / median(took['sha256sum']))}×")


def main() -> None:
    """Measure, and save what was found."""
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", help="a store that holds nights, instead of a night's logs")
    parser.add_argument("--plain", help="used by the benchmark itself")
    chosen = parser.parse_args()
    if chosen.plain:
        plain(*json.loads(chosen.plain))
        return
    name = "histories-of-nights" if chosen.store else "histories"
    part = Part(name, "Working with histories" + (" with 20 nights loaded" if chosen.store else ", a night loaded"))
    with tempfile.TemporaryDirectory() as scratch:
        store = chosen.store or str(Path(scratch) / "store")
        if not chosen.store:
            folder = night(chosen.folder, Path(scratch), chosen.runs, chosen.subruns)
            with step("ingest"):
                provkg.open(store).ingest([folder])
        of_nights(part, store, chosen.rounds)
        if not chosen.store:
            of_files(part, Path(scratch))
    part.save()


if __name__ == "__main__":
    main()
