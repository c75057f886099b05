"""Fixtures: a store of one's own, records from text, and the real records where they lie."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import provkg
from provkg.config import Config, Remote
from provkg.knowledge import KnowledgeGraph
from provkg.readers import find_reader, open_source
from provkg.records import Record
from tests import servers
from tests.watching import Watcher, until

SHARED = Path(__file__).parent.parent.parent / "shared"

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile("suite", deadline=None, suppress_health_check=SLOW, max_examples=12)
settings.register_profile("torture", deadline=None, suppress_health_check=SLOW, max_examples=1_000)
settings.load_profile(os.environ.get("PROVKG_HYPOTHESIS", "suite"))
signal.signal(
    signal.SIGINT, signal.default_int_handler
)  # a suite in the background ignores it, and so would its children


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test works in a folder of its own, without settings from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("STORE", "USER", "PASSWORD", "TOKEN"):
        monkeypatch.delenv(f"PROVKG_{name}", raising=False)


@pytest.fixture
def kg(tmp_path: Path) -> KnowledgeGraph:
    return provkg.open(tmp_path / "store")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
        return path

    return write


@pytest.fixture
def read(write: Callable[[str, str | bytes], Path]) -> Callable[..., list[Record]]:
    """Read the records of a text; its format is found from the content, as always."""

    def read(content: str | bytes, config: Config | None = None) -> list[Record]:
        source = open_source(write("records", content), config or Config())
        reader = find_reader(source)
        assert reader is not None, "no reader knows this content"
        return list(reader.read(source))

    return read


@pytest.fixture
def shared() -> Path:
    """Real records; they are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real records, ../shared, is not here")
    return SHARED


def environment() -> dict[str, str]:
    """The environment for a child process that runs provkg."""
    return {**os.environ, "PYTHONHASHSEED": "0", "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def oxigraph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """An Oxigraph server, for all tests of the group ``servers``."""
    with servers.oxigraph(tmp_path_factory.mktemp("oxigraph")) as url:
        yield Config(store=url)


@pytest.fixture(scope="session")
def virtuoso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """A Virtuoso server, for all tests of the group ``servers``."""
    with servers.virtuoso(tmp_path_factory.mktemp("virtuoso")) as url:
        yield Config(store=url, remote=Remote(user="dba", password=servers.PASSWORD))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of six megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    while subprocess.run(["umount", "-l", folder], capture_output=True, check=False).returncode == 0:
        pass  # what a test has mounted over it, too


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    """Start ``provkg watch`` with some arguments; when this returns it has read what is there."""
    started = []

    def watcher(*arguments: object, store: Path | None = None, **more: str) -> subprocess.Popen[str]:
        told = tmp_path / f"watch{len(started)}.err"
        with told.open("w") as stderr:
            started.append(
                subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "provkg",
                        "--store",
                        str(store or tmp_path / "store"),
                        "watch",
                        *map(str, arguments),
                    ],
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    text=True,
                    env=environment() | more,
                )
            )
        until(lambda: "watching" in told.read_text() or started[-1].poll() is not None)
        return started[-1]

    yield watcher
    for each in started:
        each.kill()
        each.wait()
