"""Measure and tell: rounds side by side, medians with their spread, ratios, and what a benchmark found as JSON.

Each benchmark makes one :class:`Part` and keeps it in ``benchmarks/figures/``; ``results.py`` puts the parts together.
"""

import gc
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from unittest.mock import patch

FIGURES = Path(__file__).parent / "figures"
PACKAGES = ("provkg", "pyoxigraph", "numpy", "msgspec", "rdflib", "shacl", "pyshacl", "oxrdflib", "duckdb", "lstosa")
# VmHWM and not ru_maxrss: that one is inherited from the parent through exec
_CHILD = """import json, re, sys, time
begin = time.perf_counter()
{code}
took = time.perf_counter() - begin
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())
print(json.dumps([took, int(peak[1]) / 1024]))"""


@dataclass
class Table:
    """A table of a benchmark; cells are text."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Add a row."""
        self.rows.append(tuple(map(str, cells)))

    def markdown(self) -> str:
        """Return the table as Markdown: the first column to the left, the others to the right."""
        marks = ["---", *["---:" for _ in self.columns[1:]]]
        lines = [" | ".join(cells) for cells in (self.columns, marks, *self.rows)]
        return (f"**{self.title}**\n\n" if self.title else "") + "\n".join(f"| {line} |" for line in lines) + "\n"


@dataclass
class Part:
    """What one benchmark found.

    ``aims`` are what is wanted beside what was measured: (what, aim, measured, whether it is reached); ``figures`` all
    raw figures by name.
    """

    name: str
    title: str
    notes: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    aims: list[tuple[str, str, str, bool]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.machine = self.machine or machine()

    def table(self, title: str, *columns: str) -> Table:
        """Begin a table."""
        self.tables.append(Table(title, columns))
        return self.tables[-1]

    def aim(self, what: str, measured: float, most: float, unit: str, *, least: bool = False) -> None:
        """Note an aim: at most so much, or at least."""
        reached = measured >= most if least else measured <= most
        words = f"{'at least' if least else 'at most'} {most:g} {unit}".strip()
        self.aims.append((what, words, f"{short(measured)} {unit}".strip(), bool(reached)))

    def save(self) -> None:
        """Keep what was found, and print it."""
        FIGURES.mkdir(exist_ok=True)
        (FIGURES / f"{self.name}.json").write_text(json.dumps(asdict(self), indent=1), "utf-8")
        print("\n" + self.markdown())
        for what, aim, measured, reached in self.aims:
            print(f"{'reached' if reached else 'MISSED ':8} {what}: {measured} ({aim})")

    def markdown(self) -> str:
        """Return a section of the results."""
        facts = self.machine
        head = f"{facts['when']}, commit {facts['commit']}, load of the machine when it began {facts['load']}."
        return "\n".join(
            [f"## {self.title}\n", f"{head}\n", *(f"{note}\n" for note in self.notes), *map(_text, self.tables)]
        )


def _text(table: Table) -> str:
    return table.markdown()


def loaded(name: str) -> Part | None:
    """Return what a benchmark found the last time, or None where it was not run."""
    try:
        kept = json.loads((FIGURES / f"{name}.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    tables = [
        Table(each["title"], tuple(each["columns"]), [tuple(row) for row in each["rows"]])
        for each in kept.pop("tables")
    ]
    return Part(**{**kept, "tables": tables, "aims": [tuple(aim) for aim in kept["aims"]]})


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    cpu = re.search(r"model name\s*: (.*)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s+(\d+)", _read("/proc/meminfo"))
    known = {name: found for name in PACKAGES if (found := _version(name))}
    commit = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    return {
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": subprocess.run(commit, capture_output=True, text=True, check=False).stdout.strip() or "unknown",
        "load": f"{os.getloadavg()[0]:.1f}",
        "machine": f"{os.cpu_count()} cores ({cpu[1] if cpu else platform.machine()}), "
        f"{int(memory[1]) / 2**20 if memory else 0:.0f} GB, {platform.system()} {platform.release().split('-')[0]}",
        "versions": ", ".join([f"Python {platform.python_version()}", *(f"{name} {it}" for name, it in known.items())]),
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


# Measuring


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done, and how many seconds it took."""
    print(f"{text} …", end=" ", file=sys.stderr, flush=True)
    begin = time.perf_counter()
    yield
    print(f"{time.perf_counter() - begin:.1f} s", file=sys.stderr, flush=True)


def timed(work: Callable[..., object], *arguments: object) -> float:
    """Return how many seconds a call takes."""
    begin = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begin


def rounds(cases: Mapping[str, Callable[[], object]], count: int = 5, *, most: float = 60) -> dict[str, list[float]]:
    """Measure all cases, then all again: one after the other, in rotating order, so that each meets the same machine.

    Args:
        cases: what to measure.
        count: how many rounds.
        most: a case that has taken so many seconds in all is not measured again.
    """
    found: dict[str, list[float]] = {name: [] for name in cases}
    names = list(cases)
    gc.collect()
    gc.freeze()  # what other engines hold in this process is not looked through for each of us
    for number in range(count):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            if not found[name] or sum(found[name]) < most:
                found[name].append(timed(cases[name]))
    gc.unfreeze()
    return found


def alone(code: str, *arguments: object) -> tuple[float, float]:
    """Run code in a process of its own; return its seconds without the start of Python, and its peak memory in MB."""
    command = [sys.executable, "-c", _CHILD.format(code=code), *map(str, arguments)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, peak = json.loads(ran.stdout.splitlines()[-1])
    return seconds, peak


@contextmanager
def watched(owner: Any, name: str, into: list[float]) -> Iterator[None]:
    """Time all calls of one function of the product while something larger is measured."""
    real = getattr(owner, name)

    def timing(*arguments: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        try:
            return real(*arguments, **options)
        finally:
            into.append(time.perf_counter() - begin)

    with patch.object(owner, name, timing):
        yield


def disk(folder: Path) -> float:
    """Return how many MB a folder takes on disk; a file with several names counts once."""
    known = {(it.st_dev, it.st_ino): it.st_blocks * 512 for path in folder.rglob("*") if (it := path.stat())}
    return sum(known.values()) / 1e6


# Telling


def median(values: Sequence[float]) -> float:
    """Return the middle of some values."""
    return statistics.median(values)


def short(value: float) -> str:
    """Return a number with about three digits; whole numbers as they are.

    >>> short(1234.5), short(12.345), short(0.01234), short(7)
    ('1,234', '12.3', '0.012', '7')
    """
    if abs(value) >= 100 or isinstance(value, int):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def ms(values: Sequence[float]) -> str:
    """Return milliseconds: the median, and the least and the most where there are several."""
    return spread([value * 1000 for value in values])


def spread(values: Sequence[float]) -> str:
    """Return the median, and the least and the most where there are several."""
    told = short(median(values))
    return f"{told} ({short(min(values))}-{short(max(values))})" if len(values) > 1 else told


def ratio(value: float, to: float) -> str:
    """Return how many times one is the other."""
    return f"{short(value / to)}×" if to else "-"
