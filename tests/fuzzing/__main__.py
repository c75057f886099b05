"""Fuzz: python -m tests.fuzzing [TARGET …] [--minutes 60] [--together 2].

Each target is fuzzed in a process of its own, guided by the coverage of provkg; what it found is said, and what reaches
new code is kept in the corpus. ``tests/fuzzing/REPORT.md`` has what came of it.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzzing.corpus import keep, kept
from tests.fuzzing.seeds import seeds, small_store, words
from tests.fuzzing.targets import NAMES

REPORT = Path(__file__).with_name("REPORT.md")
SECONDS, MEGABYTES = 120, 3_000  # for one input, beyond which it hangs or takes too much


def main() -> None:
    """Fuzz, keep the corpus, write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"of {', '.join(NAMES)}; all of them when none is given"
    )
    parser.add_argument("--minutes", type=float, default=60, help="for each target")
    parser.add_argument("--together", type=int, default=2, help="how many targets at a time")
    parser.add_argument("--folder", type=Path, help="for what is thrown; in memory it is fastest")
    parser.add_argument("--report", type=Path, default=REPORT)
    said = parser.parse_args()
    names = said.targets or NAMES
    with ThreadPoolExecutor(said.together) as pool:
        rows = list(pool.map(lambda name: fuzzed(name, said.minutes * 60, said.folder), names))
    head = f"# Fuzzing\n\n{datetime.now(UTC):%Y-%m-%d}, {said.minutes:g} minutes for each, {said.together} at a time.\n"
    table = ["| target | inputs tried | kept in the corpus | findings |", "|---|---|---|---|", *rows]
    said.report.write_text(head + "\n" + "\n".join(table) + "\n", "utf-8")


def fuzzed(name: str, seconds: float, room: Path | None) -> str:
    """Fuzz a target from its corpus; return a row of the report."""
    with tempfile.TemporaryDirectory(dir=room) as there:
        folder = Path(there)
        store = small_store(folder)
        for part in ("begin", "found", "least", "bad", "work"):
            (folder / part).mkdir()
        for number, data in enumerate([*seeds(name, store), *kept(name)]):
            (folder / "begin" / str(number)).write_bytes(data)
        (folder / "words").write_text("".join(f'"{_escaped(word)}"\n' for word in words(name)))
        tried = crashes = 0
        while seconds > 1:  # a finding ends a fuzzer, and the next goes on
            told = _run(name, folder, "found", "begin", f"-max_total_time={int(seconds)}", f"-dict={folder / 'words'}")
            tried += int((re.findall(r"stat::number_of_executed_units: (\d+)", told) or ["0"])[-1])
            seconds -= float((re.findall(r"fuzzed for ([0-9.]+) s", told) or ["1"])[-1])
            bad = sorted((folder / "bad").iterdir())
            if len(bad) == crashes:
                break
            crashes = len(bad)
            what = told[told.rfind("=== Uncaught") :] if "=== Uncaught" in told else told[-2000:]
            sys.stdout.write(f"{name}: finding {crashes}\n{what}\n")
            sys.stdout.flush()
        findings = [each.read_bytes() for each in sorted((folder / "bad").iterdir())]
        _run(name, folder, "least", "begin", "found", "-merge=1")
        least = [each.read_bytes() for each in (folder / "least").iterdir()]
        keep(name, [*least, *findings])
        sys.stdout.write(f"{name}: {tried:,} inputs, {len(least)} kept, {crashes} findings\n")
        sys.stdout.flush()
        return f"| {name} | {tried:,} | {len(kept(name))} | {crashes} |"


def _run(name: str, folder: Path, *arguments: str) -> str:
    """Run the fuzzer and return what it said."""
    given = [str(folder / each) if not each.startswith("-") else each for each in arguments]
    options = [
        f"-artifact_prefix={folder / 'bad'}/",
        f"-timeout={SECONDS}",
        f"-rss_limit_mb={MEGABYTES}",
        "-max_len=8192",
        f"-report_slow_units={SECONDS}",
    ]
    command = [sys.executable, "-m", "tests.fuzzing.one", name, str(folder), *given, *options, "-print_final_stats=1"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout + done.stderr


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{each:02x}" for each in word)


if __name__ == "__main__":
    main()
