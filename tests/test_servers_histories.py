"""What works on histories gives the same on a server as in a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

import provkg
from provkg.config import Config
from provkg.fixity import Options
from provkg.knowledge import KnowledgeGraph
from provkg.lineage import find
from tests import servers
from tests.test_reconcile import JOBS, night
from tests.toy import LAST, Pipeline

Write = Callable[[str, str | bytes], Path]
pytestmark = pytest.mark.xdist_group("servers")


def told(kg: KnowledgeGraph, listing: Path) -> dict[str, object]:
    """Ask everything, and write what is written."""
    verified = kg.verify(LAST, history=True, options=Options(cached=False))
    found = kg.taint("observe.py")
    mark = kg.mark(found, "bad")
    reconciled = kg.reconcile()
    first, second = (each.iri for each in find(kg.graph(), "clean 1.txt") + find(kg.graph(), "clean 2.txt"))
    marks = [(each.name, each.products) for each in kg.marks()]
    kg.lift(mark.name)
    return {
        "states": [(each.state, each.path) for each in verified.found],
        "fixity": [(row["state"], row["location"], row["reason"]) for row in kg.ask("fixity")],
        "taint": found,
        "marks": marks,
        "left": kg.marks(),
        "attempts": reconciled.attempts,
        "explained": reconciled.explained,
        "jobs": list(kg.ask("jobs")),
        "diff": list(kg.diff(first, second)),
        "history": kg.history(LAST),
        "recipe": kg.recipe(LAST),
        "compared": kg.recipes_compared(),
        "grade": kg.grade(LAST),
        "gaps": kg.gaps(listing),
        "explain": kg.explain(LAST),
        "view": kg.view(agents=True),
        "rollup": kg.rollup(product=LAST, grain="run"),
        "night": kg.view(night="20230312", direction="both"),
        "picture": kg.picture("json", product=LAST, nodes=9),
        "rows": kg.rolled(list(kg.ask("raw-files", product=LAST)), ["location", "entity"], "run"),
    }


@pytest.mark.parametrize("server", ["oxigraph", "virtuoso"])
def test_a_server_gives_the_same_as_a_folder(
    server: str, request: pytest.FixtureRequest, tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Config = request.getfixturevalue(server)
    pipeline = Pipeline(tmp_path / "pipeline")
    monkeypatch.chdir(pipeline.folder)
    pipeline.run()
    (pipeline.folder / "merge.py").write_text("changed")
    listing = write("listing", "\n".join(str(path) for path in pipeline.folder.rglob("*.txt")))
    logs = [pipeline.log, write("night.log", night()), write("jobs.txt", JOBS)]
    here = provkg.open(tmp_path / "store")
    there = KnowledgeGraph(servers.emptied(settings))
    for kg in (here, there):
        kg.ingest(logs)
    ours, theirs = told(here, listing), told(there, listing)
    for name, answer in ours.items():
        assert theirs[name] == answer, name
    assert ("changed", str(pipeline.folder / "merge.py")) in ours["states"]  # type: ignore[operator]
