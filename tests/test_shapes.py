"""Shapes: each says what it is for, passes its good example, and alone finds its bad one, with both engines."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import RdfFormat, Store, parse, serialize

import provkg
from provkg.errors import InputError
from provkg.knowledge import KnowledgeGraph
from provkg.resources import folder, sample
from provkg.validation import LAYERS, SEVERITIES
from provkg.validation import scope as scopes
from provkg.validation.engines import Data, Result, run
from provkg.validation.shapes import Shape, load

CASES = Path(__file__).parent / "cases" / "shapes"
SHAPES = load()
NAMED = {shape.name: shape for shape in SHAPES.known.values()}
shacl = pytest.importorskip("shacl", reason="the fast SHACL engine is not installed")


def data(path: Path) -> Data:
    triples = (quad.triple for quad in parse(path=path, format=RdfFormat.TURTLE))
    return Data(serialize(triples, format=RdfFormat.N_TRIPLES).decode())


def names(results: set[Result]) -> set[str]:
    return {SHAPES.known[result.shape].name for result in results}


def test_every_shape_has_a_good_and_a_bad_example_and_every_example_a_shape() -> None:
    for kind in ("pass", "fail"):
        assert {path.stem for path in (CASES / kind).glob("*.ttl")} == set(NAMED)


@pytest.mark.parametrize("engine", ["shacl", "pyshacl"])
@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_good_example_conforms_and_a_bad_one_breaks_that_shape_alone(name: str, engine: str) -> None:
    assert run(engine, SHAPES, data(CASES / "pass" / f"{name}.ttl")) == set()
    assert names(run(engine, SHAPES, data(CASES / "fail" / f"{name}.ttl"))) == {name}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_the_engines_agree_on_the_bad_example(name: str) -> None:
    bad = data(CASES / "fail" / f"{name}.ttl")
    assert run("shacl", SHAPES, bad) == run("pyshacl", SHAPES, bad)


@pytest.mark.parametrize("shape", SHAPES.known.values(), ids=sorted(SHAPES.known))
def test_a_shape_says_what_is_wrong_what_to_do_and_who_says_so(shape: Shape) -> None:
    assert shape.severity in SEVERITIES
    assert shape.message.endswith(".")
    assert shape.advice.endswith(".")
    assert any(char.isdigit() for char in shape.source) or "profile" in shape.source
    assert set(shape.layers) <= set(LAYERS)


def test_a_file_of_shapes_lies_in_the_folder_of_its_layer() -> None:
    seen = set()
    for path in folder("shapes").rglob("*.ttl"):
        if path.name == "prefixes.ttl":
            continue
        text = path.read_text()
        for line in text.splitlines():
            if "pkg:layer" in line:
                assert line.partition("pkg:layer ")[2].startswith(f'"{path.parent.name}"'), path
        seen.add(path.parent.name)
    assert seen == {*LAYERS, "grades", "release"}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_alone_finds_its_own_rules_and_no_others(layer: str) -> None:
    chosen = load([layer])
    assert chosen.known
    assert {each for shape in chosen.known.values() for each in shape.layers} >= {layer}
    for name, shape in NAMED.items():
        found = run("shacl", chosen, data(CASES / "fail" / f"{name}.ttl"))
        assert {chosen.known[each.shape].name for each in found} == ({name} if layer in shape.layers else set()), name


# Both engines give the same results: on fifty graphs broken at random, and on what Hypothesis makes.


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    kg = provkg.open(tmp_path_factory.mktemp("engines") / "store")
    kg.ingest([sample() / "calibration.log", sample() / "gammapy.log"])
    return sorted(set(scopes.whole(kg.graph()).text.splitlines(keepends=True)))


def broken(lines: list[str], seed: int) -> Data:
    """Take out, repeat with another object, or swap a few statements."""
    choice = random.Random(seed)
    found = [line for line in lines if "#json>" not in line and "#includes>" not in line]
    for _ in range(choice.randint(3, 12)):
        kind, at = choice.randrange(3), choice.randrange(len(found))
        subject, predicate, _ = found[at].split(" ", 2)
        other = choice.choice(found).split(" ", 2)[2]
        if kind == 0:
            del found[at]
        elif kind == 1:
            found.append(f"{subject} {predicate} {other}")
        else:
            found[at] = f"{subject} {predicate} {other}"
    return Data("".join(found))


@pytest.mark.parametrize("seed", range(50))
def test_the_engines_agree_on_a_broken_graph(lines: list[str], seed: int) -> None:
    graph = broken(lines, seed)
    assert run("shacl", SHAPES, graph) == run("pyshacl", SHAPES, graph)


def test_the_broken_graphs_are_broken(lines: list[str]) -> None:
    assert run("shacl", SHAPES, Data("".join(lines))) == run("pyshacl", SHAPES, Data("".join(lines)))
    assert sum(bool(run("shacl", SHAPES, broken(lines, seed))) for seed in range(50)) > 45


_FAILS = [path.read_text() for path in sorted((CASES / "fail").glob("*.ttl"))]


@settings(max_examples=15)
@given(st.lists(st.sampled_from(_FAILS), min_size=2, max_size=6))
def test_the_engines_agree_on_mixed_examples(texts: list[str]) -> None:
    store = Store()
    for text in texts:
        store.load(text, format=RdfFormat.TURTLE)
    mixed = Data(store.dump(format=RdfFormat.N_TRIPLES, from_graph=None or _default()).decode())
    assert run("shacl", SHAPES, mixed) == run("pyshacl", SHAPES, mixed)


def _default():  # type: ignore[no-untyped-def]
    from pyoxigraph import DefaultGraph

    return DefaultGraph()


def test_the_engine_both_says_when_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = data(CASES / "fail" / "Activity-name.ttl")
    assert names(run("both", SHAPES, bad)) == {"Activity-name"}
    monkeypatch.setattr("provkg.validation.engines._core", lambda *_: set())
    with pytest.raises(provkg.ProvkgError, match="differ in 1 results"):
        run("both", SHAPES, bad)


def test_without_the_fast_engine_pyshacl_is_chosen(kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    kg.ingest([sample()])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert kg.validate(layers=["archive"]).engine == "pyshacl"
    with pytest.raises(provkg.ProvkgError, match="not installed") as error:
        kg.validate(engine="shacl")
    assert "provkg[fast]" in error.value.hint
    assert not isinstance(error.value, InputError)
