"""A store of which parts are lost: doctor says so, and brings together what does not agree."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, Store

import provkg
from provkg.knowledge import KnowledgeGraph
from provkg.ledger import chain, documents, sources
from provkg.readers import stretches
from provkg.vocab import LEDGER, PKG, RESOLUTION
from tests.test_cli import provkg as command
from tests.test_ledger import long_log, sound


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stretches, "STRETCH_BYTES", 4_000)
    (tmp_path / "logs").mkdir()
    for seed in range(2):
        (tmp_path / "logs" / f"{seed}.log").write_text(long_log(14, seed))
    return tmp_path / "logs"


def damage(kg: KnowledgeGraph, remove: Callable[[Store], None]) -> None:
    """Change what lies on the disk, as nobody should."""
    folder = Path(kg.store.name)
    store = Store(folder / "snapshots" / (folder / "CURRENT").read_text().strip() / "quads")
    remove(store)
    store.flush()
    del store


def middle(kg: KnowledgeGraph) -> str:
    """Return a stretch in the middle of a log."""
    graph = kg.graph()
    return chain(graph, documents(graph)[0])[1]


def ledger_of(store: Store, base: str, source: str) -> list[Quad]:
    return list(store.quads_for_pattern(NamedNode(source), None, None, NamedNode(base + LEDGER)))


def lose_graph(kg: KnowledgeGraph) -> None:
    source = middle(kg)
    damage(kg, lambda store: store.remove_graph(NamedNode(source)))


def lose_ledger(kg: KnowledgeGraph) -> None:
    source, base = middle(kg), kg.graph().base
    damage(kg, lambda store: [store.remove(quad) for quad in ledger_of(store, base, source)])


def lose_order(kg: KnowledgeGraph) -> None:
    source, base = middle(kg), kg.graph().base

    def remove(store: Store) -> None:
        for quad in ledger_of(store, base, source):
            if quad.predicate.value == PKG.follows:
                store.remove(quad)

    damage(kg, remove)


def lose_resolution(kg: KnowledgeGraph) -> None:
    base = kg.graph().base
    damage(kg, lambda store: store.remove_graph(NamedNode(base + RESOLUTION)))


def lose_whole_ledger(kg: KnowledgeGraph) -> None:
    base = kg.graph().base
    damage(kg, lambda store: store.remove_graph(NamedNode(base + LEDGER)))


LOSSES = [lose_graph, lose_ledger, lose_order, lose_resolution, lose_whole_ledger]


@pytest.mark.parametrize("lose", LOSSES, ids=lambda each: each.__name__)
def test_what_is_lost_is_seen_repaired_and_comes_back(
    lose: Callable[[KnowledgeGraph], None], kg: KnowledgeGraph, logs: Path
) -> None:
    kg.ingest([logs])
    before = kg.graph().digest()
    assert sound(kg)
    lose(kg)
    kg = provkg.open(kg.store.name)
    assert [each for each in kg.doctor() if not each.ok], "it is seen"
    done = kg.repair()
    left = [each for each in kg.doctor() if not each.ok]
    assert all(each.name == "ledger" and done.adopted for each in left), left
    kg.ingest([logs])
    assert sound(kg)
    assert kg.graph().digest() == before
    if lose is lose_graph:
        assert done.again == {str(logs / "0.log")} or len(done.again) == 1
    if lose is lose_whole_ledger:
        assert len(done.adopted) == len(sources(kg.graph()))


def test_the_command_names_the_files_to_ingest_again(kg: KnowledgeGraph, logs: Path) -> None:
    kg.ingest([logs])
    lose_graph(kg)
    wrong = command("--store", kg.store.name, "doctor")
    assert (wrong.returncode, "doctor --repair" in wrong.stderr) == (1, True)
    done = command("--store", kg.store.name, "doctor", "--repair")
    assert done.returncode == 0, done.stderr
    (path,) = done.stdout.split()
    assert Path(path).parent == logs
    assert command("--store", kg.store.name, "doctor").returncode == 0
    assert command("--store", kg.store.name, "ingest", path).returncode in (0, 4)


def test_a_sound_store_stays_as_it_is(kg: KnowledgeGraph, logs: Path) -> None:
    kg.ingest([logs])
    before = kg.graph().digest()
    done = kg.repair()
    assert (done.adopted, done.forgotten, done.again) == ([], [], set())
    assert kg.graph().digest() == before
    assert sound(kg)
