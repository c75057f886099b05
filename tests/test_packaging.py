"""The wheel carries what the folders hold."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_wheel_carries_the_ontologies_shapes_queries_and_sample(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("ontologies", "shapes", "queries"):
        files = [path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()]
        assert {f"provkg/data/{path.as_posix()}" for path in files} <= names
    assert {f"provkg/sample/{path.name}" for path in (ROOT / "provkg/sample").iterdir()} <= names
    for folder in ("static", "templates"):
        files = [path for path in (ROOT / "provkg/server" / folder).rglob("*") if path.is_file()]
        assert {path.relative_to(ROOT).as_posix() for path in files} <= names
    assert "provkg/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]


def test_the_sparql_editor_is_what_was_published() -> None:
    folder = ROOT / "provkg/server/static/yasgui"
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert "MIT License" in (folder / "LICENSE").read_text()
