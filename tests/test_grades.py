"""Grades: each rule is a shape, and breaking it costs just what the shape says."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode

import provkg
from provkg.grades import SCALES, Grades, badge, grades
from provkg.grades.grades import rules
from provkg.knowledge import KnowledgeGraph
from provkg.store import Row, text_of
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL
from tests.logs import activity, log, session
from tests.test_cli import provkg as command
from tests.toy import LAST, Pipeline

Facts = list[Row]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """The facts of the toy pipeline's last product: nothing is wrong with it."""
    folder = tmp_path_factory.mktemp("toy")
    pipeline, kg = Pipeline(folder / "pipeline"), provkg.open(folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pipeline.folder)
        pipeline.run()
        kg.ingest([pipeline.log])
        return list(kg.graph().select(kg.bound("grade", product=LAST)))


def letters(found: Grades) -> tuple[str, str]:
    return found.letter(SCALES[0]), found.letter(SCALES[1])


def without(predicate: str) -> Callable[[Facts], Facts]:
    """Take one statement away."""

    def change(facts: Facts) -> Facts:
        first = min((row for row in facts if text_of(row["p"]) == predicate), key=str)
        return [row for row in facts if row["p"] != first["p"] or row["s"] != first["s"]]

    return change


def outside(facts: Facts) -> NamedNode:
    [first, *_] = sorted(text_of(row["s"]) for row in facts if text_of(row["o"]) == PKG.Origin)
    return NamedNode(first)


def with_facts(*pairs: tuple[str, str]) -> Callable[[Facts], Facts]:
    """Say more of an input from outside."""

    def change(facts: Facts) -> Facts:
        origin = outside(facts)
        return [*facts, *({"s": origin, "p": NamedNode(p), "o": NamedNode(o)} for p, o in pairs)]

    return change


def no_digest(facts: Facts) -> Facts:
    """Take the digest of an input from outside away."""
    origin = outside(facts)
    return [row for row in facts if (row["s"], text_of(row["p"])) != (origin, PKG.contentDigest)]


def no_product_digest(facts: Facts) -> Facts:
    """Take the digest of something that was made away."""
    made = min(text_of(row["s"]) for row in facts if text_of(row["o"]) == PKG.Made)
    return [row for row in facts if (text_of(row["s"]), text_of(row["p"])) != (made, PKG.contentDigest)]


def one_value(predicate: str, value: str) -> Callable[[Facts], Facts]:
    """Give one statement another value."""

    def change(facts: Facts) -> Facts:
        at = min((number for number, row in enumerate(facts) if text_of(row["p"]) == predicate))
        return [{**row, "o": NamedNode(value)} if number == at else row for number, row in enumerate(facts)]

    return change


def observed(*states: tuple[str, str]) -> Callable[[Facts], Facts]:
    """Say how an input from outside was found, and when."""

    def change(facts: Facts) -> Facts:
        found: Facts = []
        for number, (state, when) in enumerate(states):
            node = NamedNode(f"https://example.org/observation/{number}")
            found += [
                {"s": node, "p": NamedNode(PKG.observed), "o": outside(facts)},
                {"s": node, "p": NamedNode(PKG.state), "o": NamedNode(state)},
                {"s": node, "p": NamedNode(PROV.atTime), "o": Literal(when)},
            ]
        return [*facts, *found]

    return change


def session_with_a_path_only(facts: Facts) -> Facts:
    """Let a step be configured by a file of which only the path is known."""
    step = min((row["s"] for row in facts if text_of(row["o"]) == PROV.Activity), key=str)
    session, config = NamedNode("https://example.org/session"), NamedNode("https://example.org/config")
    more = [
        (step, PKG.inSession, session),
        (session, "https://w3id.org/provkg/voprov#wasConfiguredBy", config),
        (config, RDF_TYPE, NamedNode("https://w3id.org/provkg/voprov#ConfigFile")),
        (session, PKG.configurationFileDigest, Literal("path md5:1")),
    ]
    return [*facts, *({"s": s, "p": NamedNode(p), "o": o} for s, p, o in more)]


NOT_MADE = "its own making is recorded"
CASES: dict[str, tuple[Callable[[Facts], Facts], tuple[str, str], dict[str, str]]] = {
    "nothing": (lambda facts: facts, ("A", "A"), {}),
    "making": (
        lambda facts: [row for row in facts if not (text_of(row["p"]) == PROV.wasGeneratedBy and row["s"] in [each["s"] for each in facts if text_of(each["o"]) == PKG.Graded])],
        ("F", "F"),
        {"trace-made": "F", "again-made": "F"},
    ),
    "version": (without(PKG.usedVersion), ("E", "A"), {"trace-resolved": "E"}),
    "type": (without(RDFS_LABEL), ("D", "A"), {"trace-type": "D"}),
    "start": (without(PROV.startedAtTime), ("C", "A"), {"trace-start": "C"}),
    "time": (one_value(PKG.evidence, PKG.byTime), ("B", "A"), {"trace-evidence": "B"}),
    "name": (one_value(PKG.evidence, PKG.byName), ("C", "A"), {"trace-evidence": "B", "trace-name": "C"}),
    "agent": (without(PROV.wasAssociatedWith), ("B", "A"), {"trace-responsible": "B"}),
    "digest": (no_digest, ("D", "C"), {"trace-origin": "D", "again-origin": "C"}),
    "raw data without a digest": (
        lambda facts: with_facts((PKG.dataLevel, PKG.R0))(no_digest(facts)),
        ("A", "C"),
        {"again-origin": "C"},
    ),
    "changed": (observed((PKG.changed, "2026-01-01")), ("A", "E"), {"again-there": "E"}),
    "missing": (observed((PKG.verified, "2026-01-01"), (PKG.missing, "2026-01-02")), ("A", "E"), {"again-there": "E"}),
    "back": (observed((PKG.missing, "2026-01-01"), (PKG.verified, "2026-01-02")), ("A", "A"), {}),
    "end": (one_value(PKG.status, PKG.failed), ("A", "E"), {"again-ended": "E"}),
    "no end": (without(PKG.status), ("A", "E"), {"again-ended": "E"}),
    "command": (without(PKG.arguments), ("A", "D"), {"again-command": "D"}),
    "memory": (
        lambda facts: [*facts, *({"s": row["o"], "p": NamedNode(RDF_TYPE), "o": NamedNode(PKG.Object)} for row in facts if row["s"] == outside(facts) and text_of(row["p"]) == PROV.specializationOf)],
        ("A", "D"),
        {"again-memory": "D"},
    ),
    "environment": (without(PKG.environment), ("A", "C"), {"again-environment": "C"}),
    "configuration": (session_with_a_path_only, ("A", "B"), {"again-configuration": "B"}),
    "product": (no_product_digest, ("A", "B"), {"again-products": "B"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_missing_costs_what_its_shape_says_and_nothing_else(facts: Facts, name: str) -> None:
    change, expected, broken = CASES[name]
    found = grades(change(facts), engine="both")
    names = {rule.shape.message: rule.shape.name for rule in rules()}
    by_scale = {(rule.scale, rule.shape.message): rule.shape.name for rule in rules()}
    assert letters(found) == expected
    assert {by_scale[each.scale, each.name]: each.grade for each in found.criteria if each.grade != "A"} == broken
    assert len(names) < len(found.criteria) == len(rules())  # one message is that of both scales


def test_every_rule_is_broken_by_a_case() -> None:
    assert {name for _, _, broken in CASES.values() for name in broken} == {rule.shape.name for rule in rules()}


def test_the_step_up_with_the_least_to_do_is_named(facts: Facts) -> None:
    found = grades(without(PKG.arguments)(no_digest(facts)))
    assert found.step_up("reproducibility") == "record the command line of 1 steps: D to C"
    assert grades(no_digest(facts)).step_up("reproducibility") == "record digests of 1 files: C to A"
    assert grades(facts).step_up("reproducibility") == ""


def test_the_question_the_command_and_the_library_agree(kg: KnowledgeGraph, write: Callable[..., Path]) -> None:
    kg.ingest([write("a.log", log(session(), activity("a", used=("/d/R0",), generated=("/d/out",))))])
    rows = [list(row.values()) for row in kg.ask("grade", product="/d/out")]
    found = kg.grade("/d/out")
    assert letters(found) == ("D", "C")
    assert (rows[0][:3], rows[0][5]) == (["traceability", "D", "this product"], found.step_up("traceability"))
    assert len(rows) == len(found.criteria) + 2
    done = command("--store", kg.store.name, "grade", "/d/out", "--badge", "b.svg", "--json")
    assert done.returncode == 0
    assert done.stderr == "traceability D, reproducibility C\n"
    svg = ElementTree.fromstring(Path("b.svg").read_text())
    assert svg.get("aria-label") == "traceability D, reproducibility C"
    assert [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")] == [
        "traceability",
        "D",
        "reproducibility",
        "C",
    ]
    assert badge(found) == Path("b.svg").read_text()
    assert command("--store", kg.store.name, "grade", "/d/out", "--min", "D").returncode == 0
    assert command("--store", kg.store.name, "grade", "/d/out", "--min", "C").returncode == 1
