"""The lineage index and the summaries are what the quads say, whatever was ingested in whatever order."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provkg
from provkg.config import Config
from provkg.edges import Described, Made
from provkg.errors import StoreError
from provkg.knowledge import KnowledgeGraph
from provkg.knowledge.checks import edges
from provkg.lineage import lineage
from provkg.lineage.closures import through_index
from provkg.lineage.index import Delta, append, deltas_of, index_of, load, rebuild, tidy
from provkg.lineage.index.delta import KINDS, LINKS, UNRESOLVED
from provkg.questions import plain as plain_value
from provkg.questions import questions
from provkg.questions.values import Values
from provkg.resources import sample
from provkg.store import open_store
from provkg.vocab import PKG, PREFIXES, PROV
from tests.logs import activity, line, log, session
from tests.test_cli import provkg as run
from tests.test_lineage import CALLS, Write, written

BASE = "https://x.example/"
PREFIX = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())


class Reference:
    """The same as an index, with sets: the edges of each activity, and what people were last told."""

    def __init__(self) -> None:
        self.by: dict[str, list[tuple[str, str, str, int]]] = {}
        self.told: dict[str, Described] = {}

    def change(self, chance: random.Random, step: int) -> Delta:
        """Change at random, as an ingest does, and return the change."""
        delta = Delta(known={f"{BASE}name/{step}"})
        for via in [via for via in self.by if chance.random() < 0.2]:
            delta.killed.add(via)
            del self.by[via]
        for via in {f"{BASE}activity/{chance.randrange(20)}" for _ in range(chance.randint(0, 6))}:
            if via in self.by:
                delta.killed.add(via)
            found = {
                (self.product(chance), self.product(chance), via, chance.randrange(len(KINDS)))
                for _ in range(chance.randint(0, 5))
            }
            self.by[via] = sorted(found)
            delta.edges += self.by[via]
            delta.activities[via] = Made("a step", str(step))
        for product in {each for edge in delta.edges for each in edge[:2]}:
            delta.products[product] = Described(f"/d{step % 3}/{product[-1]}", f"name {step}", "DL1")
        self.told |= delta.products
        return delta

    @staticmethod
    def product(chance: random.Random) -> str:
        return f"{BASE}entity/{chance.randrange(15)}"

    def closure(self, start: str, *, down: bool) -> set[str]:
        pairs = [edge[:2] for edges in self.by.values() for edge in edges if edge[3] < UNRESOLVED]
        after: dict[str, set[str]] = {}
        for of, node in pairs:
            if of != node:
                after.setdefault(node if down else of, set()).add(of if down else node)
        seen: set[str] = set()
        todo = [start]
        while todo:
            new = after.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        return seen


@settings(max_examples=30)
@given(seed=st.integers(0, 2**20))
def test_layers_that_come_end_and_merge_give_the_same_closures_as_sets(seed: int, tmp_path_factory) -> None:
    chance, folder, reference = random.Random(seed), tmp_path_factory.mktemp("index"), Reference()
    steps = chance.randint(1, 8)
    for step in range(steps):
        append(folder, BASE, reference.change(chance, step))
        if chance.random() < 0.4:
            tidy(folder)
    index = load(folder, BASE)
    assert set(edges(index)) == {edge for found in reference.by.values() for edge in found}
    assert index.knows([f"{BASE}name/{step}" for step in range(steps + 1)]) == {
        f"{BASE}name/{step}" for step in range(steps)
    }
    for product, told in reference.told.items():
        number = index.find(product)
        assert number is not None
        assert index.describe(index.edges().of[:0]) == []
        for down in (False, True):
            reached = index.closure(number, down=down)
            assert len(set(reached.tolist())) == len(reached), "each once"
            assert set(index.iris(reached)) == reference.closure(product, down=down)
        [described] = index.describe(type(reached)((1,), buffer=number.to_bytes(4, "little"), dtype=reached.dtype))
        assert described == told


def test_the_makers_of_products_are_activities_and_no_links(tmp_path: Path) -> None:
    product, used, other = (f"{BASE}entity/{name}" for name in "abc")
    delta = Delta(edges=[(product, used, f"{BASE}activity/1", 1), (product, other, f"{BASE}derivation/1", LINKS[0])])
    append(tmp_path, BASE, delta)
    index = load(tmp_path, BASE)
    assert index.activities(index.makers(index.edges().of)) == [f"{BASE}activity/1"]


@settings(max_examples=15)
@given(calls=CALLS, seed=st.integers(0, 2**20))
def test_after_any_ingests_index_and_summaries_are_what_the_quads_say(
    calls: list[tuple[list[str], list[str]]], seed: int, tmp_path_factory
) -> None:
    """Logs come one by one, in any order, some first cut short and then grown, and one of them is emptied again."""
    chance, folder = random.Random(seed), tmp_path_factory.mktemp("case")
    files = written(calls, chance, folder / "in")
    chance.shuffle(files)
    kg = provkg.open(folder / "store")
    for path in files:
        whole = path.read_text()
        if chance.random() < 0.5:
            lines = whole.splitlines(True)
            path.write_text("".join(lines[: chance.randint(1, len(lines))]))
            kg.ingest([path])
            path.write_text(whole)
        kg.ingest([path])
    if chance.random() < 0.3:
        files[0].write_text("nothing is left\n" + line(session()))
        kg.ingest([files[0]])
    assert [check for check in kg.doctor() if not check.ok] == []
    graph = kg.graph()
    index = index_of(graph)
    path = graph.select(f"{PREFIX}SELECT DISTINCT ?a ?b WHERE {{ ?a (pkg:progenitor|pkg:drawnFrom)+ ?b }}")
    expected = {(row["a"].value, row["b"].value) for row in path}
    entities = {quad.subject.value for quad in graph.quads(None, PROV.specializationOf)}
    numbers = {entity: number for entity in entities if (number := index.find(entity)) is not None}
    up = {(a, b) for a, at in numbers.items() for b in index.iris(index.closure(at, down=False))}
    down = {(a, b) for b, at in numbers.items() for a in index.iris(index.closure(at, down=True))}
    assert up == down == expected


def test_the_sample_and_real_records_give_the_index_that_their_quads_give(kg: KnowledgeGraph, shared: Path) -> None:
    # W3C's cases for constraints use one name for many things: together they say nothing
    kg.ingest([sample(), *(folder for folder in (shared / "data").iterdir() if "constraint" not in folder.name)])
    assert [check for check in kg.doctor() if not check.ok] == []


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    kg = KnowledgeGraph(open_store(Config(store=str(tmp_path_factory.mktemp("sampled") / "store"))))
    kg.ingest([sample()])
    return kg


PATH = "(pkg:progenitor|pkg:drawnFrom)"


@pytest.mark.parametrize("name", [name for name, each in questions().items() if PATH in each.sparql])
def test_a_question_is_answered_alike_with_and_without_the_index(sampled: KnowledgeGraph, name: str) -> None:
    graph, question = sampled.graph(), questions()[name]
    products = [key for key, each in question.parameters.items() if each.type == "product"]
    for value in ("crab_flux_points.fits", "LST-1.1.Run12012.0000.fits.fz", None):
        given = question.example | (dict.fromkeys(products, value) if value else {})
        plain = question.bind(Values(graph, sampled.config).terms(question, given))
        indexed, answered = through_index(graph, plain, question.first)
        assert f"{PATH}+" not in indexed, "every closure is answered"
        assert f"{PATH}*" not in indexed
        assert answered
        rows = list(graph.select(plain))
        assert sorted(map(str, graph.select(indexed))) == sorted(map(str, rows))
        if not question.code:
            found = sampled.ask(name, **given)
            assert [
                {key: plain_value(row[key], kind.type) for key, kind in question.columns.items()} for row in rows
            ] == list(found)


def test_closures_start_from_all_that_a_sub_select_finds(sampled: KnowledgeGraph) -> None:
    graph = sampled.graph()
    prologue = "PREFIX pkg: <https://w3id.org/provkg/ns#> PREFIX prov: <http://www.w3.org/ns/prov#>\n"
    inner = "{ SELECT DISTINCT ?s WHERE { ?a pkg:inSession ?i . ?i pkg:run '12012' . ?s prov:wasGeneratedBy ?a } }"
    for body in (
        f"?x {PATH}* ?s",
        f"?x {PATH}+ ?s .",
        f"?s {PATH}+ ?x",
        f"?s {PATH}* ?m . ?m prov:wasGeneratedBy ?x",
        f"?s {PATH}+ ?m . ?m prov:wasGeneratedBy ?x .",
    ):
        query = f"{prologue}SELECT ?x {{ {{ SELECT DISTINCT ?x WHERE {{ {inner} {body} }} }} }}"
        indexed, [closure] = through_index(graph, query)
        rows = sorted(map(str, graph.select(query)))
        assert sorted(map(str, graph.select(indexed))) == rows
        assert closure == ("x", len(rows), False)
        assert rows


def test_what_is_in_a_string_is_no_closure(sampled: KnowledgeGraph) -> None:
    text = f"{{ SELECT DISTINCT ?x WHERE {{ ?x {PATH}+ <https://e.org/1> }} }}"
    query = f'SELECT ?x {{ ?x ?p """{text}""" }} # {text}'
    assert through_index(sampled.graph(), query) == (query, [])


def test_sub_selects_that_are_named_are_answered_first(sampled: KnowledgeGraph) -> None:
    query = "PREFIX pkg: <https://w3id.org/provkg/ns#>\nSELECT ?run { { SELECT DISTINCT ?s WHERE { ?s pkg:run '12012' } } ?s pkg:run ?run }"
    indexed, [answered] = through_index(sampled.graph(), query, ["s"])
    assert answered == ("s", 4, False)
    assert "VALUES ?s" in indexed
    assert [row["run"].value for row in sampled.graph().select(indexed)] == ["12012"] * 4


def test_sub_selects_that_differ_in_a_string_only_are_answered_apart(sampled: KnowledgeGraph) -> None:
    arms = [
        f"{{ {{ SELECT DISTINCT ?s WHERE {{ ?s pkg:run '12012' {space} FILTER('a b' = '{text}') }} }} ?s pkg:run ?run }}"
        for text, space in (("a b", ""), ("a  b", ""), ("a b", "\n"))
    ]
    query = f"PREFIX pkg: <https://w3id.org/provkg/ns#>\nSELECT ?run {{ {' UNION '.join(arms)} }}"
    indexed, answered = through_index(sampled.graph(), query, ["s"])
    assert [each.found for each in answered] == [4, 0, 4]
    assert len(list(sampled.graph().select(indexed))) == len(list(sampled.graph().select(query))) == 8


def test_a_closure_longer_than_a_query_may_be_stays_a_path(kg: KnowledgeGraph, monkeypatch) -> None:
    kg.ingest([sample()])
    graph = kg.graph()
    monkeypatch.setattr(graph, "constants", 3)
    product = kg.find("crab_flux_points.fits")[0].iri
    query = f"SELECT ?x {{ {{ SELECT DISTINCT ?x WHERE {{ <{product}> {PATH}+ ?x . }} }} }}"
    assert through_index(graph, query) == (query, [("x", 43, True)])


def test_a_damaged_index_is_an_error_that_doctor_mends(kg: KnowledgeGraph, tmp_path: Path) -> None:
    kg.ingest([sample()])
    before = kg.lineage("crab_flux_points.fits")
    [layer] = kg.graph().beside.glob("*.layer")
    layer.write_bytes(layer.read_bytes()[:200])
    with pytest.raises(StoreError) as caught:
        kg.lineage("crab_flux_points.fits")
    assert "doctor --reindex" in caught.value.hint
    assert [check.name for check in kg.doctor() if not check.ok] == ["lineage index"]
    checked = run("--store", tmp_path / "store", "doctor", "--format", "tsv")
    assert checked.returncode == 1
    assert "lineage index\twrong" in checked.stdout
    assert "--reindex" in checked.stderr
    assert run("--store", tmp_path / "store", "doctor", "--reindex").returncode == 0
    assert kg.lineage("crab_flux_points.fits") == before
    healthy = run("--store", tmp_path / "store", "doctor")
    assert (healthy.returncode, healthy.stdout.count("\tok\t")) == (0, 5)


def test_an_index_that_is_gone_is_made_again_by_the_next_who_reads(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    before = kg.lineage("crab_flux_points.fits")
    for path in kg.graph().beside.iterdir():
        path.unlink()
    assert kg.lineage("crab_flux_points.fits") == before


def test_summaries_that_are_wrong_are_found_and_made_again(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    before = list(kg.ask("durations")), list(kg.ask("completeness"))
    with kg.store.write() as writing:
        writing.remove(list(writing.graph.quads(None, PKG.timedCount)))
    assert [check.name for check in kg.doctor() if not check.ok] == ["summaries"]
    kg.reindex()
    assert (list(kg.ask("durations")), list(kg.ask("completeness"))) == before


def test_the_summaries_of_nights_add_up_to_that_of_the_store(kg: KnowledgeGraph, write: Write) -> None:
    for night in ("20230312", "20230313"):
        records = [session(number=int(night), observation_date=night), *activity(night[2:], "r0_to_dl1")]
        records = [each | ({"in_session": int(night)} if "in_session" in each else {}) for each in records]
        kg.ingest([write(f"{night}.log", log(*records))])
    [all_nights] = kg.ask("durations")
    nights = [row for night in ("20230312", "20230313") for row in kg.ask("durations", night=night)]
    assert all_nights["activities"] == sum(row["activities"] for row in nights)
    assert all_nights["totalSeconds"] == sum(row["totalSeconds"] for row in nights)


def test_an_index_made_from_the_quads_walks_as_the_one_of_the_ingest(kg: KnowledgeGraph, tmp_path: Path) -> None:
    kg.ingest([sample()])
    graph = kg.graph()
    product = kg.find("crab_flux_points.fits")[0].iri
    before = lineage(graph, product)
    graph.beside = tmp_path / "elsewhere"
    graph.beside.mkdir()
    rebuild(graph.beside, graph.base, deltas_of(graph))
    assert lineage(graph, product) == before
