"""A provkg server for tests: a real process, on a free port of the loopback."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

import provkg
from provkg.resources import sample


@dataclass(frozen=True)
class Served:
    """A server: its address, its process, and the file with what it said."""

    root: str
    process: subprocess.Popen[str]
    said: Path

    def get(self, path: str, accept: str = "*/*", **more: Any) -> requests.Response:
        """Ask for a path; redirections are not followed."""
        headers = {"Accept": accept, **more.pop("headers", {})}
        return requests.get(self.root + path, headers=headers, allow_redirects=False, timeout=30, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        """Post to a path."""
        return requests.post(self.root + path, allow_redirects=False, timeout=30, **more)

    def log(self) -> list[dict[str, Any]]:
        """Return the access log."""
        return [json.loads(line) for line in self.said.read_text().splitlines() if line.startswith("{")]

    def workers(self) -> list[int]:
        """Return the processes that answer."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(each) for each in found.stdout.split()]


@contextmanager
def served(store: Path, *options: str, cwd: Path | None = None) -> Iterator[Served]:
    """Serve a store."""
    said = store.parent / f"{store.name}.said"
    command = [sys.executable, "-m", "provkg", "--store", str(store), "serve", "-p", "0", *options]
    with said.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=cwd or store.parent, start_new_session=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serving "), said.read_text()
        root = line.split()[1].rstrip("/")
        requests.get(f"{root}/-/health", timeout=60)
        yield Served(root, process, said)
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def sample_store(folder: Path) -> Path:
    """Make a store of the bundled sample."""
    provkg.open(folder / "store").ingest([sample()])
    return folder / "store"
