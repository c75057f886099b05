"""The logs that benchmarks read: nights that are given, made by the generator, or multiplied from the sample."""

import argparse
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

from measure import step

from provkg.resources import sample

# where the project lies beside a generator of nights, that is used
GENERATOR = Path(__file__).parents[2] / "shared" / "bench" / "night.py"
FIRST = date(2021, 9, 13)


def options(text: str | None) -> argparse.ArgumentParser:
    """Return the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="the logs of a night; without it they are made")
    parser.add_argument("--runs", type=int, default=25, help="runs of a night that is made")
    parser.add_argument("--subruns", type=int, default=100, help="sub-runs of each run")
    return parser


def night(folder: Path | None, scratch: Path, runs: int, subruns: int, *, verbose: bool = False) -> Path:
    """Return the folder of a night."""
    if folder is not None:
        return folder
    return nights(scratch, 1, runs, subruns, verbose=verbose)[0]


def nights(scratch: Path, count: int, runs: int, subruns: int, *, verbose: bool = False) -> list[Path]:
    """Make nights, each in a folder of its own."""
    if not GENERATOR.exists():
        with step(f"multiply the sample's runs to {count} nights"):
            return [
                multiplied(scratch / f"night{number}", runs * subruns // 6, number, verbose=verbose)
                for number in range(count)
            ]
    target = scratch / ("verbose" if verbose else "nights")
    dates = [f"{FIRST + timedelta(days=number):%Y%m%d}" for number in range(count)]
    command = [sys.executable, str(GENERATOR), str(target), "--runs", str(runs), "--subruns", str(subruns), "--nights"]
    with step(f"make {count} nights of {runs} × {subruns} sub-runs"):
        subprocess.run(
            [*command, *dates, *(["--verbose-sessions"] if verbose else [])], check=True, capture_output=True
        )
    return [target / each for each in dates]


def multiplied(folder: Path, times: int = 400, first: int = 0, *, verbose: bool = False) -> Path:
    """Write the sample's runs over and over, with other run and session numbers.

    Args:
        folder: is made.
        times: how often; two of them are one run each.
        first: the number of the night, so that no two nights share a run.
        verbose: repeat the record of a session before each of its activities, as lstosa does since 2022.
    """
    folder.mkdir(parents=True)
    for number in range(max(times, 2)):
        text = (sample() / f"Run1201{2 + number % 2}.log").read_text()
        run, tag = f"{(first + 2) * 10000 + number}", f"{first}{number:04d}"
        text = re.sub(r"1201[23]\b", run, text).replace("session_id': '", f"session_id': '{tag}")
        text = text.replace("'in_session': '", f"'in_session': '{tag}")
        (folder / f"{number}.log").write_text(_repeated(text) if verbose else text)
    return folder


def _repeated(text: str) -> str:
    """Repeat the record of its session before each activity."""
    sessions: dict[str, str] = {}
    lines = []
    for line in text.splitlines(keepends=True):
        told = re.search(r"'(session_id|in_session)': '(\d+)'", line)
        if told and told[1] == "session_id":
            sessions[told[2]] = line
        elif told and told[2] in sessions:
            lines.append(sessions[told[2]])
        lines.append(line)
    return "".join(lines)


def records(folder: Path) -> list[str]:
    """Return the bodies of all whole records of a folder."""
    found = []
    for path in sorted(folder.rglob("*.log")):
        pieces = [line.split("__PROV__") for line in path.read_text("utf-8", "surrogateescape").splitlines()]
        found += [piece[2].strip() for piece in pieces if len(piece) == 3]
    return [body for body in found if body.endswith("}")]
