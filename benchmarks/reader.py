"""lstosa's own reader beside our whole ingest, on the same lines, in one process.

    python benchmarks/reader.py [--folder NIGHT] [--logs 6] [--rounds 3]

FOLDER holds the logs of a night; without it one is made. The smallest LOGS of them are read: by ``read_prov`` of
lstosa's ``osa.provenance.io`` (parsing alone: a list of dictionaries), and by what ``provkg ingest --validate`` does
(parse, map, load, resolve, index, and the shapes on what is new). lstosa comes from PyPI without what it needs; of what
its io module imports, the settings and the pictures are left out.
"""

import importlib
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from logs import night, options, records
from measure import Part, median, ratio, rounds, short, spread, step

import provkg
from provkg.resources import sample

OURS, PARSED, READ_PROV, DOCUMENT = (
    "provkg: parse, map, load, resolve, index and validate",
    "provkg: without validation",
    "lstosa: read_prov (parse)",
    "lstosa: read_prov and provlist2provdoc (parse, PROV document)",
)


def lstosa() -> Any:
    """Return lstosa's io module alone, or None where lstosa is not installed."""
    found = importlib.util.find_spec("osa")
    if found is None or not found.submodule_search_locations:
        return None
    settings = Path(found.submodule_search_locations[0]) / "provenance" / "config" / "logger.yaml"
    utils = ModuleType("osa.provenance.utils")
    utils.get_log_config = settings.read_text  # type: ignore[attr-defined]
    pictures = ModuleType("prov.dot")
    pictures.prov_to_dot = None  # type: ignore[attr-defined]
    sys.modules |= {"osa.provenance.utils": utils, "prov.dot": pictures}
    return importlib.import_module("osa.provenance.io")


def whole(root: Path, logs: list[Path], *, validate: bool = True) -> None:
    """Do what ``provkg ingest --validate`` does."""
    shutil.rmtree(root / "store", ignore_errors=True)
    kg = provkg.open(root / "store")
    summary = kg.ingest(logs)
    if validate:
        kg.validate(sources=summary.touched)


def cases(root: Path, logs: list[Path], theirs: Any) -> dict[str, Callable[[], object]]:
    """Return what is measured."""
    found: dict[str, Callable[[], object]] = {
        OURS: lambda: whole(root, logs),
        PARSED: lambda: whole(root, logs, validate=False),
    }
    if theirs is not None:
        found[READ_PROV] = lambda: [theirs.read_prov(str(log)) for log in logs]
        found[DOCUMENT] = lambda: [theirs.provlist2provdoc(theirs.read_prov(str(log))) for log in logs]
    return found


def main() -> None:
    """Measure and print the table."""
    parser = options(__doc__)
    parser.add_argument("--logs", type=int, default=6, help="how many logs of the night are read")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    part, theirs = Part("reader", "lstosa's own reader on the same lines"), lstosa()
    if theirs is None:
        part.notes.append("lstosa is not installed here: pip install --no-deps lstosa")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        folder = night(chosen.folder, root / "logs", chosen.runs, chosen.subruns)
        logs = sorted(folder.rglob("*.log"), key=lambda path: (path.stat().st_size, path))[: chosen.logs]
        clean = copied(logs, root / "clean")
        lines = len(records(clean))
        whole(root, [sample()])  # imports what is imported on first use
        with step(f"{lines:,} lines of {len(logs)} logs, {chosen.rounds} rounds"):
            found = rounds(cases(root, sorted(clean.iterdir()), theirs), chosen.rounds, most=240)
    part.notes.append(f"{lines:,} records of the {len(logs)} smallest logs of a night.")
    table = part.table("", "what", "seconds", "records a second", "×")
    for name, values in found.items():
        table.add(name, spread(values), short(lines / median(values)), ratio(median(values), median(found[OURS])))
    part.figures |= found
    if theirs is not None:
        faster = median(found[READ_PROV]) / median(found[OURS])
        part.aim("our whole ingest: faster than lstosa's parsing alone", faster, 5, "times", least=True)
    part.save()


def copied(logs: list[Path], folder: Path) -> Path:
    """Copy logs without the lines that are no whole records: lstosa's reader stops at them."""
    folder.mkdir()
    for log in logs:
        lines = log.read_text("utf-8", "surrogateescape").splitlines(keepends=True)
        kept = [line for line in lines if line.count("__PROV__") == 2 and line.rstrip().endswith("}")]
        (folder / log.name).write_text("".join(kept), "utf-8", "surrogateescape")
    return folder


if __name__ == "__main__":
    main()
