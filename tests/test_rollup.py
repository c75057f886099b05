"""Roll-ups: no node twice, none lost, no circle that the records do not have, and no more nodes than one can look at."""

import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import provkg
from provkg.errors import InputError, NotFound
from provkg.knowledge import KnowledgeGraph, open_with
from provkg.resources import sample
from provkg.rollup import Node, Relation, Rollup, Scope, budgeted, fold, grouped, load, read, view_of
from provkg.rollup import reading as reading_module
from provkg.rollup.grain import circles
from tests.conftest import environment
from tests.logs import activity, log, session
from tests.views import random_view, run_log

Write = Callable[[str, str | bytes], Path]
RULES = load()
LST_2021 = Path(__file__).parent / "cases" / "rollup" / "lst-2021.yaml"


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    kg = provkg.open(tmp_path_factory.mktemp("rollup") / "store")
    kg.ingest([sample()])
    return kg


def assert_whole(rolled: Rollup, view: object) -> None:
    """Every node and relation is there exactly once, and the folds unfold to the view."""
    assert rolled.unfolded() == view
    members = Counter(member.iri for each in rolled.folds.values() for member in each.members)
    assert set(members.values()) <= {1}
    inside = len(rolled.inside) + sum(len(each.members) for each in rolled.relations)
    assert inside == len(view.relations)  # type: ignore[attr-defined]


def circular(rolled: Rollup) -> bool:
    after: dict[str, list[str]] = {}
    for each in rolled.relations:
        after.setdefault(each.subject, []).append(each.object)
    return bool(circles(after))


# Laws


@given(
    seed=st.integers(0, 2**20),
    size=st.sampled_from([1, 2, 10, 60, 300]),
    types=st.sampled_from([1, 3, 40, 300]),
    nodes=st.sampled_from([1, 2, 7, 60, 200]),
    grain=st.sampled_from(["subrun", "run", "night"]),
)
def test_the_budget_holds_and_nothing_is_lost(seed: int, size: int, types: int, nodes: int, grain: str) -> None:
    view = random_view(seed, size, random.Random(seed).randrange(3 * size), types, runs=5)
    rolled = budgeted(view, RULES, nodes=nodes, grain=grain)
    assert 1 <= len(rolled.folds) <= nodes
    assert_whole(rolled, view)


@pytest.mark.parametrize(("types", "relations", "nodes"), [(8, 100_000, 60), (20_000, 40_000, 40)])
def test_the_budget_holds_for_a_hundred_thousand_nodes(types: int, relations: int, nodes: int) -> None:
    view = random_view(types, 100_000, relations, types, runs=400)
    rolled = budgeted(view, RULES, nodes=nodes)
    assert len(rolled.folds) <= nodes
    assert_whole(rolled, view)


@given(seed=st.integers(0, 2**20), size=st.integers(1, 80), grain=st.sampled_from(["run", "night"]))
def test_no_fold_comes_from_itself(seed: int, size: int, grain: str) -> None:
    view = random_view(seed, size, 2 * size, 3, runs=2)
    rolled = fold(view, grouped(view, RULES, grain))
    assert not circular(rolled)
    assert_whole(rolled, view)


def test_steps_of_one_type_after_each_other_are_folds_after_each_other() -> None:
    """Merging what was merged: one fold would be its own origin."""
    nodes = [Node(f"urn:m{n}", "activity", "merge", keys=(("run", "1"),)) for n in range(6)]
    nodes += [Node(f"urn:f{n}", "entity", "Merged", f"/d/f{n}") for n in range(10)]
    made = [Relation("wasGeneratedBy", f"urn:f{n}", f"urn:m{n}", "out") for n in range(6)]
    read_ = [Relation("used", f"urn:m{n}", f"urn:f{n + 6}", "in") for n in range(4)]
    again = [Relation("used", "urn:m4", "urn:f0", "in"), Relation("used", "urn:m5", "urn:f4", "in")]
    view = view_of(nodes, [*made, *read_, *again], base="https://x.example/")
    rolled = fold(view, grouped(view, RULES, "run"))
    merges = sorted(each.count for each in rolled.folds.values() if each.kind == "activity")
    assert merges == [1, 1, 4]
    assert not circular(rolled)


def test_a_circle_in_the_records_stays() -> None:
    nodes = [Node(f"urn:a{n}", "activity", "t", keys=(("run", "1"),)) for n in range(3)]
    view = view_of(nodes, [Relation("wasInformedBy", f"urn:a{n}", f"urn:a{(n + 1) % 3}") for n in range(3)])
    rolled = budgeted(view, RULES, nodes=60, grain="run")
    assert_whole(rolled, view)


def test_the_same_view_gives_the_same_folds_whatever_the_hash_seed(tmp_path: Path) -> None:
    code = """
from tests.views import random_view
from provkg.rollup import budgeted, load
view = random_view(3, 400, 900, 30, runs=4)
for nodes in (5, 30, 60):
    rolled = budgeted(view, load(), nodes=nodes)
    print([(each.iri, each.count) for each in rolled.folds.values()], rolled.relations)
"""
    root = Path(__file__).parent.parent
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=root,
            env=environment() | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_what_the_view_is_of_stands_alone() -> None:
    view = random_view(5, 500, 900, 4, runs=3)
    for nodes in (5, 40):
        rolled = budgeted(view, RULES, nodes=nodes)
        assert all(rolled.folds[iri].count == 1 for iri in view.focus)


# What is read


def test_reading_all_and_looking_up_give_the_same_view(
    sampled: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = sampled.graph()
    scopes = [
        Scope(),
        Scope(run="12012"),
        Scope(night="20230312"),
        Scope(product="crab_flux_points.fits"),
        Scope(run="12012", own=True),
    ]
    scopes += [
        Scope(run="12013", direction="both"),
        Scope(product="dl3_LST-1.Run12012.fits", direction="down", depth=1),
    ]
    for scope in scopes:
        views = []
        for share, few in ((0.0, 0), (1e9, 0), (0.0, 5000)):
            monkeypatch.setattr(reading_module, "_SHARE", share)
            monkeypatch.setattr("provkg.rollup.bulk._FEW", few)
            views.append(read(graph, scope, RULES))
        assert views[0] == views[1] == views[2], scope
        assert views[0].nodes


def test_a_view_holds_what_the_graph_says(sampled: KnowledgeGraph) -> None:
    view, status = sampled.view(agents=True), sampled.status()
    kinds = Counter(relation.kind for relation in view.relations)
    activities = [node for node in view.nodes.values() if node.kind == "activity"]
    assert len(activities) == status["activities"]
    assert kinds["wasGeneratedBy"] == status["generations"]
    assert kinds["used"] == status["usages"]
    assert {"hadMember", "wasAssociatedWith"} <= kinds.keys()


def test_up_and_down_are_what_lineage_says(sampled: KnowledgeGraph) -> None:
    product = "dl1_LST-1.Run12012.0001.h5"
    iri = sampled.find(product)[-1].iri
    for direction in ("up", "down"):
        view = sampled.view(product=iri, direction=direction)
        steps = sampled.lineage(iri, down=direction == "down")
        found = {node.iri for node in view.nodes.values() if node.kind == "activity"}
        told = {step.activity for step in steps if step.activity and "/activity/" in step.activity}
        extra = {view.nodes[iri].type for iri in found - told}
        assert told <= found
        assert extra == ({"get_observations"} if direction == "down" else set())  # it made the list that has the member
        reached = {step.entity for step in steps if step.entity}
        assert reached <= view.nodes.keys()
        assert direction == "up" or {node.iri for node in view.nodes.values() if node.kind == "entity"} == {
            *reached,
            iri,
        }
        assert view.focus == {iri}


def test_a_run_is_what_a_parameter_says_before_what_the_session_says(kg: KnowledgeGraph, write: Write) -> None:
    """Until 2021 lstosa gave all steps of a log the session of the first run."""
    first = activity("aaaaaa", used=("/d/a",), generated=("/d/b",), parameters={"ObservationRun": "01618"})
    other = activity("bbbbbb", at=9, used=("/d/c",), generated=("/d/d",), parameters={"ObservationRun": "01619"})
    kg.ingest([write("prov.log", log(session(), first, other))])
    of = {
        run: [node.key("run") for node in kg.view(run=run, own=True).nodes.values() if node.kind == "activity"]
        for run in ("1618", "01619")
    }
    assert of == {"1618": ["01618"], "01619": ["01619"]}


def test_levels_and_steps_choose_activities_with_what_these_touch(sampled: KnowledgeGraph) -> None:
    view = sampled.view(run="12012", levels=["r0_to_dl1"])
    assert {node.type for node in view.nodes.values() if node.kind == "activity"} == {
        "r0_to_dl1",
        "dl1ab",
        "ctapipe-process",
    }
    assert all(
        any(iri in (each.subject, each.object) for each in view.relations)
        for iri, node in view.nodes.items()
        if node.kind == "entity"
    )
    both = sampled.view(run="12012", levels=["calibration"], steps=["dl2_merge"])
    assert {node.type for node in both.nodes.values() if node.kind == "activity"} >= {"dl2_merge", "drs4_pedestal"}
    assert sampled.view(run="12012", levels=["all", "r0_to_dl1"]) == sampled.view(run="12012")
    with pytest.raises(InputError, match="no level 'r0_to_dl2'"):
        sampled.view(run="12012", levels=["r0_to_dl2"])


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"run": "99999"}, "no activity is of run 99999"),
        ({"night": "19990101"}, "no activity is of night 19990101"),
        ({"product": "nothing.fits"}, "nothing in the store answers"),
        ({"run": "12012", "calibration": "1-2"}, "no activity is of calibration 1-2"),
    ],
)
def test_what_is_not_there_is_not_found(sampled: KnowledgeGraph, said: dict[str, str], error: str) -> None:
    with pytest.raises(NotFound, match=error):
        sampled.view(**said)


def test_marks_tell_what_failed_is_missing_or_tainted(kg: KnowledgeGraph, write: Write) -> None:
    text = log(
        session(),
        activity("aaaaaa", used=("/d/a",), generated=("/d/b",)),
        activity("bbbbbb", at=9, used=("/d/b",), generated=("/d/c",)),
    )
    text += log(activity("cccccc", at=20, used=("/d/c",), ends=False))
    kg.ingest([write("prov.log", text)])
    kg.mark(kg.taint("/d/a"), "a bad file")
    marks = {node.label: node.marks for node in kg.view().nodes.values() if node.marks}
    assert marks == {"r0_to_dl1": ("never ended",), "/d/a": ("tainted",), "/d/b": ("tainted",), "/d/c": ("tainted",)}


def test_who_differs_from_nine_of_ten_is_an_exception() -> None:
    members = [
        Node(
            f"urn:a{n}",
            "activity",
            "t",
            status="completed",
            keys=(("run", "1"),),
            parameters=(("cut", "0.7" if n else "0.8"), ("sub", str(n))),
        )
        for n in range(20)
    ]
    view = view_of(members, [], base="https://x.example/")
    rolled = budgeted(view, RULES, nodes=5)
    assert sorted(each.count for each in rolled.folds.values()) == [1, 19]
    [many] = [each for each in rolled.folds.values() if each.count == 19]
    assert (many.parameters, many.differing) == ({"cut": "0.7"}, {"sub": 19})


# Rules


def test_rules_of_a_site_come_before_those_that_are_shipped(tmp_path: Path, write: Write) -> None:
    path = write("rules.yaml", "keys: {run: [{parameter: obs_id}]}\ncollections: {DL1SubrunDataset: Blobs}\n")
    rules = load([path])
    assert rules.keys["run"][0] == ("parameter", "obs_id")
    assert rules.collections["DL1SubrunDataset"] == "Blobs"
    assert rules.collections["R0SubrunDataset"] == "R0Collection"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("keys: {run: [{parameter: a, session: run}]}", "is no place"),
        ("keys: {run: [{guess: a}]}", "'guess' is no kind of place"),
        ("keys: {run: [{location: '(a)(b)'}]}", "has 2 groups"),
        ("keys: {run: [{location: '(a'}]}", "is no pattern"),
        ("keys: {run: [{session: moon}]}", "a session has no 'moon'"),
        ("keys: {run: [{product: colour}]}", "a product has no 'colour'"),
        ("grains: {year: [night]}", "no grain 'year'"),
        ("grains: {night: [moon]}", "'moon', which is no key"),
        ("levels: {one: r0_to_dl1}", "one is no list"),
        ("keys: []\nlevels: 3", "levels is no mapping"),
        ("nights: {}", "nights is no part of rules"),
        ("a: [", "is no YAML"),
        ("- a", "no mapping is no part of rules"),
    ],
)
def test_a_rule_that_is_none_is_refused(write: Write, text: str, error: str) -> None:
    with pytest.raises(InputError, match=re.escape(error)):
        load([write("rules.yaml", text)])
    with pytest.raises(InputError, match="No such file"):
        load(["no.yaml"])


# A run


@pytest.fixture(scope="module")
def run_06269(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("run")
    kg = provkg.open(folder / "store")
    (folder / "prov.log").write_text(run_log(49))
    kg.ingest([folder / "prov.log"])
    return open_with(replace(kg.config, rollup=(str(LST_2021),)), folder / "store")


def slide(text: str) -> tuple[Counter[str], dict[str, str], dict[str, dict[str, str]], list[list[str]]]:
    """Return of the first drawing in the text of the slides: entities, sizes, parameters and groups of roles.

    The text lost the ``i`` of every ``fi`` (a ligature).
    """
    blocks = [block.strip().splitlines() for block in text.split("\n\n\n", maxsplit=1)[0].split("\n\n")]
    told = [dict(line.split(" ", 1) for line in block if " " in line) for block in blocks]
    entities = Counter(facts["prov:label"] for facts in told if facts.get("prov:type") == "File")
    sizes = {facts["prov:label"]: facts["size"] for facts in told if facts.get("prov:type") == "SetCollection"}
    parameters = {
        facts.pop("prov:label").removesuffix(" Parameters"): facts
        for facts in told
        if facts.get("prov:type") == "Parameters" and facts.pop("prov:type")
    }
    labels = [facts["prov:label"] for facts in told if "prov:startTime" in facts]
    groups = [
        re.findall(r"prov:(?:role|type) (.+?)(?= ?prov:(?:role|type) |$)", block[0])
        for block in blocks
        if len(block) == 1 and re.match(r"prov:(role|type) ", block[0])
    ]
    return entities, sizes, {label: parameters.get(label, {}) for label in labels}, groups


def test_the_run_grain_is_that_of_the_slides(run_06269: KnowledgeGraph, shared: Path) -> None:
    entities, sizes, parameters, groups = slide((shared / "data" / "slides" / "lst-2021-graph.txt").read_text())
    rolled, rules = run_06269.rollup(run="06269", grain="run"), run_06269.rules()

    def flat(text: str) -> str:
        return text.replace("fi", "f")

    def named(iri: str) -> str:
        return rules.collections.get(rolled.folds[iri].type, rolled.folds[iri].type)

    steps = [each for each in rolled.folds.values() if each.kind == "activity"]
    assert [flat(each.type) for each in steps] == list(parameters)
    assert [{flat(name): value.lower() for name, value in each.parameters.items()} for each in steps] == [
        {name: value.lower() for name, value in said.items()} for said in parameters.values()
    ]
    assert all(not each.differing for each in steps)
    for number, step in enumerate(steps):
        used = [each for each in rolled.relations if each.kind == "used" and each.subject == step.iri]
        made = [each for each in rolled.relations if each.kind == "wasGeneratedBy" and each.object == step.iri]
        said = [sorted(flat(rules.roles.get(each.role, each.role)) for each in some) for some in (used, made)]
        wanted = [sorted(set(group) - {"Setup"}) for group in groups[2 * number : 2 * number + 2]]
        assert said == wanted, step.type
    assert len(groups) == 2 * len(steps)
    collections = [each for each in rolled.folds.values() if each.kind == "entity" and each.type in rules.collections]
    assert {(named(each.iri), str(each.count)) for each in collections} == set(sizes.items())
    files = Counter(
        flat(named(each.iri)) for each in rolled.folds.values() if each.kind == "entity" and each not in collections
    )
    assert files == entities


def test_a_run_of_many_subruns_is_as_large_as_one_of_few(run_06269: KnowledgeGraph, tmp_path: Path) -> None:
    (tmp_path / "few.log").write_text(run_log(2))
    few = provkg.open(tmp_path / "few")
    few.ingest([tmp_path / "few.log"])
    shapes = {
        name: Counter((each.kind, each.type) for each in kg.rollup(run="06269").folds.values())
        for name, kg in (("many", run_06269), ("few", few))
    }
    assert shapes["many"] == shapes["few"]
    counts = Counter(each.count for each in run_06269.rollup(run="06269").folds.values())
    assert counts[49] > 10
    assert set(counts) == {1, 49}


def test_a_file_that_every_subrun_writes_again_is_one_file_with_many_versions(run_06269: KnowledgeGraph) -> None:
    rolled = run_06269.rollup(run="06269")
    [check] = [each for each in rolled.folds.values() if each.type == "DL1CheckHDF5File"]
    assert check.count == 49
    assert len({member.label for member in check.members}) == 1


def test_ctapipe_is_folded_by_observation(kg: KnowledgeGraph, shared: Path) -> None:
    kg.ingest([shared / "data" / "ctapipe"])
    view = kg.view()
    known = {node.type for node in view.nodes.values() if node.kind == "activity" and node.key("run")}
    assert "ctapipe-process" in known
    rolled = fold(view, grouped(view, kg.rules(), "run"))
    assert_whole(rolled, view)
    assert not circular(rolled)
    assert len(rolled.folds) < len(view.nodes)


# Rows of answers


def test_rows_of_one_run_become_one_with_their_count(run_06269: KnowledgeGraph) -> None:
    columns = ["depth", "location", "name", "entity", "activity", "activityName", "startedAt", "evidence"]
    steps = [
        {each: getattr(step, each) for each in columns}
        for step in run_06269.lineage(run_06269.find("/fefs/DL2/20210913/dl2_LST-1.Run06269.h5")[-1].iri)
    ]
    rows = run_06269.rolled(steps, columns, "run")
    assert sum(row["rows"] for row in rows) == len(steps)
    raw = list(
        run_06269.rolled(
            run_06269.ask("raw-files", product="dl2_LST-1.Run06269.0007.h5"), ["location", "entity"], "run"
        )
    )
    assert sum(row["rows"] for row in raw) == len(run_06269.ask("raw-files", product="dl2_LST-1.Run06269.0007.h5"))
    down = list(run_06269.ask("impact", product="drs4_pedestal.Run06268.0000.fits"))
    folded = run_06269.rolled(down, list(down[0]), "run")
    assert sum(row["rows"] for row in folded) == len(down)
    assert sum(row["rows"] for row in folded if row["activityName"] == "lstchain_dl1ab") == 49
    [cleaned] = [row for row in folded if row["activityName"] == "lstchain_dl1ab"]
    assert cleaned["location"] == "dl1_LST-1.Run06269.00….h5"
    assert " to " in cleaned["startedAt"]
    assert run_06269.rolled(down, list(down[0]), "subrun") == [{**row, "rows": 1} for row in down]


def test_an_answer_without_steps_or_products_has_no_grain(run_06269: KnowledgeGraph) -> None:
    with pytest.raises(InputError, match="names no steps or products"):
        run_06269.rolled([{"night": "20210913"}], ["night"], "run")
    assert run_06269.rolled([], ["night"], "run") == []
