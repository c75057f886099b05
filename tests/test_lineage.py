"""Lineage against an oracle that remembers what every file really came from."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode

import provkg
from provkg.knowledge import KnowledgeGraph
from provkg.lineage import lineage
from provkg.resources import sample
from provkg.vocab import PKG, PREFIXES, PROV
from tests.logs import START, activity, line

Write = Callable[[str, str | bytes], Path]
PATHS = st.sampled_from([f"/d/{name}" for name in "abcdef"])
CALLS = st.lists(
    st.tuples(st.lists(PATHS, max_size=3, unique=True), st.lists(PATHS, max_size=2, unique=True)),
    min_size=1,
    max_size=12,
)


class Oracle:
    """Replay the calls in order and remember who wrote what last."""

    def __init__(self, calls: list[tuple[list[str], list[str]]]) -> None:
        self.writer: dict[str, int] = {}
        self.inputs: list[list[tuple[str, int | None]]] = []
        for number, (used, generated) in enumerate(calls):
            self.inputs.append([(path, self.writer.get(path)) for path in used])
            self.writer |= dict.fromkeys(generated, number)

    def history(self, path: str) -> tuple[set[str], set[int]]:
        files, seen, todo = set(), set(), [self.writer[path]]
        while todo:
            number = todo.pop()
            if number not in seen:
                seen.add(number)
                files |= {used for used, _ in self.inputs[number]}
                todo += [by for _, by in self.inputs[number] if by is not None]
        return files, seen


def written(calls: list[tuple[list[str], list[str]]], chance: random.Random, folder: Path) -> list[Path]:
    """Write the calls into several logs, each record in one of them, activities never split."""
    parts: list[list[str]] = [[] for _ in range(chance.randint(1, 3))]
    for number, (used, generated) in enumerate(calls):
        local = f"{chance.randrange(4):06x}"  # ids collide
        records = activity(
            local,
            f"step{number}",
            at=number * 10,
            used=tuple(used),
            generated=tuple(generated),
            tag=f"t:{chance.randrange(2)}",
        )
        chance.choice(parts).extend(line(record, START + timedelta(seconds=number * 10 + 6)) for record in records)
    folder.mkdir(exist_ok=True)
    paths = []
    for number, part in enumerate(parts):
        if part:
            paths.append(folder / f"{number}.log")
            paths[-1].write_text("".join(part))
    return paths


@settings(max_examples=25)
@given(calls=CALLS, seed=st.integers(0, 2**20))
def test_lineage_is_what_really_happened_whatever_the_order_of_ingests(
    calls: list[tuple[list[str], list[str]]], seed: int, tmp_path_factory
) -> None:
    chance, folder = random.Random(seed), tmp_path_factory.mktemp("case")
    oracle = Oracle(calls)
    files = written(calls, chance, folder / "in")
    chance.shuffle(files)
    kg = provkg.open(folder / "store")
    cut = chance.randint(0, len(files))
    for group in (files[:cut], files[cut:]):
        kg.ingest(group)
    for path, writer in oracle.writer.items():
        [last] = [each for each in kg.find(path) if each.made_by == f"step{writer}"]
        steps = kg.lineage(last.iri)
        expected_files, expected_steps = oracle.history(path)
        no_inputs = {writer} if not oracle.inputs[writer] else set()
        assert {step.location for step in steps} == (expected_files if not no_inputs else {path})
        assert {step.activityName for step in steps} == {f"step{number}" for number in expected_steps}


@settings(max_examples=12)
@given(calls=CALLS, seed=st.integers(0, 2**20))
def test_ancestors_and_descendants_are_inverse_and_equal_the_property_path(
    calls: list[tuple[list[str], list[str]]], seed: int, tmp_path_factory
) -> None:
    folder = tmp_path_factory.mktemp("case")
    kg = provkg.open(folder / "store")
    kg.ingest(written(calls, random.Random(seed), folder / "in"))
    graph = kg.graph()
    entities = {quad.subject.value for quad in graph.quads(None, PROV.specializationOf)}
    up = {
        (entity, step.entity) for entity in entities for step in lineage(graph, entity) if step.evidence != "generated"
    }
    down = {(step.entity, entity) for entity in entities for step in lineage(graph, entity, down=True)}
    prefixes = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())
    path = graph.select(
        f"{prefixes}SELECT DISTINCT ?a ?b WHERE {{ ?a (pkg:progenitor|prov:wasDerivedFrom|prov:hadMember)+ ?b }}"
    )
    assert up == down == {(row["a"].value, row["b"].value) for row in path}


def test_the_depth_counts_steps(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    assert {step.depth for step in kg.lineage("crab_flux_points.fits", depth=2)} == {1, 2}
    assert {step.location for step in kg.lineage("dl3_LST-1.Run12012.fits", depth=1)} == {
        "/data/irf/crab_irf.fits.gz",
        "/data/lst/DL2/20230312/v0.9.13/dl2_LST-1.Run12012.h5",
    }


def test_the_tools_meet_in_one_history(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    steps = kg.lineage("crab_flux_points.fits")
    assert {step.activityName for step in steps if step.activityName} >= {
        "get_datasets",
        "dl2_to_dl3",
        "r0_to_dl1",
        "drs4_pedestal",
        "ctapipe-merge",
        "ctapipe-process",
    }
    assert {step.evidence for step in steps} == {"assumed", "byIdentity", "byTime", "generated", "membership"}


def test_what_failed_or_never_ended_is_in_nobodys_history(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    starts = {(step.activityName, step.startedAt) for step in kg.lineage("crab_flux_points.fits")}
    assert ("ctapipe-merge", "2023-03-10T10:14:00.250Z") not in starts
    [never] = kg.ask("never-ended")
    assert ("r0_to_dl1", never["startedAt"]) not in starts


def test_times_are_as_recorded_to_the_last_digit(kg: KnowledgeGraph, write: Write) -> None:
    text = "".join(line(record) for record in activity("aaaaaa", used=("/d/x",), generated=("/d/y",))).replace(
        "08:00:00.000120", "08:00:00.100000"
    )
    kg.ingest([write("a.log", text)])
    assert [step.startedAt for step in kg.lineage("/d/y")] == ["2023-03-13T08:00:00.100000Z"]


def test_a_copy_with_the_same_content_digest_is_the_same_by_content(kg: KnowledgeGraph, write: Write) -> None:
    def file(path: str) -> dict:
        return {
            "entity_id": "file:88dd",
            "entity_description": "File",
            "location": path,
            "hash": "88dd4d188aeb132bb03008a855a93bc045d5c7ca",
            "hash_type": "sha1",
            "type": "File",
        }

    makes, reads = (
        activity("aaaaaa", "write", tag=""),
        activity("bbbbbb", "read", at=60, generated=("/d/result",), tag=""),
    )
    makes[1:1] = [file("/d/original"), {"activity_id": "aaaaaa", "generated_id": "file:88dd", "generated_role": "text"}]
    reads[1:1] = [file("/d/copy"), {"activity_id": "bbbbbb", "used_id": "file:88dd", "used_role": "text"}]
    kg.ingest(
        [
            write("a.log", "".join(line(each, mark="_PROV_") for each in makes)),
            write("b.log", "".join(line(each, mark="_PROV_") for each in reads)),
        ]
    )
    steps = kg.lineage("/d/result")
    assert [(step.evidence, step.location) for step in steps] == [
        ("byContent", "/d/original"),
        ("generated", "/d/original"),
    ]


def test_a_recorded_derivation_is_followed(kg: KnowledgeGraph, write: Write) -> None:
    derived = {"entity_id": "", "progenitor_id": "", "session_tag": "r0_to_dl1:01618"}
    first = activity("aaaaaa", generated=("/d/v1/dl1",))
    second = activity("bbbbbb", "dl1ab", at=60, used=("/d/v2/dl1",), generated=("/d/v2/dl1",))
    derived |= {"entity_id": second[2]["used_id"], "progenitor_id": first[2]["generated_id"]}
    kg.ingest([write("a.log", "".join(line(each) for each in [*first, derived, *second]))])
    [made] = [each for each in kg.find("/d/v2/dl1") if each.made_by == "dl1ab"]
    assert [(step.location, step.evidence) for step in kg.lineage(made.iri)] == [
        ("/d/v2/dl1", "assumed"),
        ("/d/v1/dl1", "derivation"),
        ("/d/v1/dl1", "generated"),
    ]


def test_every_entity_has_one_generation_and_none_is_used_by_what_made_it(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    graph = kg.graph()
    for quad in graph.quads(None, PROV.wasGeneratedBy):
        entity, by = quad.subject.value, quad.object.value
        assert graph.objects(entity, PROV.wasGeneratedBy) == [by]
        assert entity not in graph.objects(by, PROV.used)


def test_asserted_and_resolved_stand_apart(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    graph = kg.graph()
    resolution = graph.iri("graph/resolution")
    for predicate in (PKG.usedVersion, PKG.evidence, PKG.progenitor, PROV.used):
        assert {quad.graph_name for quad in graph.quads(None, predicate)} == {NamedNode(resolution)}
    assert not list(graph.quads(None, PROV.qualifiedUsage, None, resolution))
