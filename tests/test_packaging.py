"""The wheel carries what the folders hold."""

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
    assert "provkg/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]
