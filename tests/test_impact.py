"""Impact: what something bad has touched is found, recorded apart, and lifted without a trace."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from provkg.config import Config
from provkg.errors import Ambiguous, NotFound, QuestionError
from provkg.impact import Taint, read_advisories
from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from tests import servers
from tests.logs import activity, line, log, session
from tests.test_cli import provkg as command

Write = Callable[[str, str | bytes], Path]
SCHEMA = Path(__file__).parent.parent / "docs" / "advisories.schema.json"


def night() -> str:
    """Two runs with one calibration; the second run's clean file is written anew, from another calibration."""
    return log(
        session(config_file="/etc/usual.cfg", config_file_hash="00ff" * 8, config_file_hash_type="md5"),
        activity("a1", "calibrate", used=("/d/raw.c",), generated=("/d/calibration1",), parameters={"method": "median"}),
        activity("a2", "calibrate", at=6, used=("/d/raw.d",), generated=("/d/calibration2",), parameters={"method": "mean"}),
        activity("a3", "clean", at=20, used=("/d/raw.1", "/d/calibration1"), generated=("/d/clean1",), parameters={"cut": 5}),
        activity("a4", "clean", at=30, used=("/d/raw.2", "/d/calibration1"), generated=("/d/clean2",), parameters={"cut": 6}),
        activity("a5", "merge", at=40, used=("/d/clean1", "/d/clean2"), generated=("/d/merged1",)),
        activity("a6", "clean", at=50, used=("/d/raw.2", "/d/calibration2"), generated=("/d/clean2",), parameters={"cut": 6}),
        activity("a7", "merge", at=60, used=("/d/clean2",), generated=("/d/merged2",)),
    )  # fmt: skip


@pytest.fixture
def two(kg: KnowledgeGraph, write: Write) -> KnowledgeGraph:
    kg.ingest([write("night.log", night())])
    return kg


def locations(found: Taint) -> list[str]:
    return sorted(each.location for each in found.products)


def test_all_that_was_made_from_a_bad_file_is_bad_and_what_was_replaced_is_not_made_again(two: KnowledgeGraph) -> None:
    found = two.taint("/d/calibration1")
    assert locations(found) == ["/d/calibration1", "/d/clean1", "/d/clean2", "/d/merged1"]
    assert {each.location for each in found.products if each.direct} == {"/d/calibration1"}
    assert [each.location for each in found.products if each.superseded] == ["/d/clean2"]
    assert [(each.batch, each.step, each.activities, each.products) for each in found.remake] == [
        (1, "calibrate", 1, 1),
        (2, "clean", 1, 1),
        (3, "merge", 1, 1),
    ]
    assert [each.seconds for each in found.remake] == [5.0, 5.0, 5.0]  # each took 5 s so far
    assert found.seconds == 15.0


def test_what_was_made_before_is_untouched(two: KnowledgeGraph) -> None:
    assert locations(two.taint("/d/merged2")) == ["/d/merged2"]
    assert locations(two.taint("/d/raw.1")) == ["/d/clean1", "/d/merged1", "/d/raw.1"]


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        ({"value": "cut=5"}, ["/d/clean1", "/d/merged1"]),
        ({"value": "method=mean"}, ["/d/calibration2", "/d/clean2", "/d/merged2"]),
        ({"steps": ("merge",)}, ["/d/merged1", "/d/merged2"]),
        ({"since": "2023-03-13T08:01:00Z"}, ["/d/merged2"]),
        ({"since": "2023-03-13T08:00:41Z", "until": "2023-03-13T08:00:49Z"}, ["/d/merged1"]),
        ({"value": "cut=6", "until": "2023-03-13T08:00:40Z"}, ["/d/clean2", "/d/merged1"]),
        ({"run": "1618", "steps": ("merge",)}, ["/d/merged1", "/d/merged2"]),
        ({"software": "lstchain<0.10", "steps": ("merge",)}, ["/d/merged1", "/d/merged2"]),
        ({"software": "numpy>=1.26", "value": "cut=5"}, ["/d/clean1", "/d/merged1"]),
        ({"agent": "pipeline", "value": "cut=5"}, ["/d/clean1", "/d/merged1"]),
        ({"config": "usual.cfg", "value": "cut=5"}, ["/d/clean1", "/d/merged1"]),
        ({"config": "/etc/usual.cfg", "steps": ("merge",)}, ["/d/merged1", "/d/merged2"]),
        ({"config": "00ff00ff00ff00ff00ff00ff00ff00ff", "steps": ("merge",)}, ["/d/merged1", "/d/merged2"]),
        ({"host": "cp15", "value": "cut=5"}, ["/d/clean1", "/d/merged1"]),
    ],
)
def test_a_seed_can_be_anything_that_is_on_record(two: KnowledgeGraph, seeds: dict, expected: list[str]) -> None:
    assert locations(two.taint(**seeds)) == expected


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ({}, "nothing says what is bad"),
        ({"run": "77"}, "no activity has run"),
        ({"value": "cut"}, "no NAME=VALUE"),
        ({"value": "cut=7"}, "no activity has value"),
        ({"config": "other.cfg"}, "no activity has config"),
        ({"software": "lstchain>1"}, "no version of lstchain"),
        ({"software": "lstchain=<<"}, "no range of versions"),
        ({"software": "root<6"}, "is not in the store"),
        ({"steps": ("dance",)}, "is not in the store"),
        ({"since": "yesterday"}, "is no time"),
        ({"value": "cut=5", "steps": ("merge",)}, "no activity is all of this"),
        ({"host": 'x" . ?s ?p ?o . #'}, "no activity has host"),
    ],
)
def test_a_seed_that_is_not_there_is_an_error(two: KnowledgeGraph, seeds: dict, message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        two.taint(**seeds)


def test_a_file_with_several_versions_needs_a_word(two: KnowledgeGraph) -> None:
    with pytest.raises(Ambiguous):
        two.taint("/d/clean2")
    assert locations(two.taint("/d/clean2", every_version=True)) == ["/d/clean2"] * 2 + ["/d/merged1", "/d/merged2"]


def test_a_taint_is_recorded_apart_and_lifted_without_a_trace(two: KnowledgeGraph) -> None:
    before = two.graph().digest()
    found = two.taint("/d/calibration1")
    mark = two.mark(found, "flashes in the dome")
    assert [each.name for each in two.marks()] == [mark.name]
    assert two.marks()[0].seeds == ("product /d/calibration1",)
    rows = list(two.graph().select("SELECT ?p WHERE { ?p <http://www.w3.org/ns/prov#wasInvalidatedBy> ?t }"))
    assert len(rows) == len(found.products) == 4
    assert ("", "tainted", "flashes in the dome") in two.show("/d/merged1").facts
    assert two.mark(two.taint("/d/calibration1"), "again").name == mark.name  # the same seeds: brought up to date
    assert [each.reason for each in two.marks()] == ["again"]
    assert all(check.ok for check in two.doctor())
    assert two.validate(layers=["prov-constraints"]).conforms
    two.lift(mark.name)
    assert two.marks() == []
    assert two.graph().digest() == before
    with pytest.raises(NotFound, match="no taint"):
        two.lift(mark.name)


def test_a_taint_stays_when_the_same_is_ingested_again(two: KnowledgeGraph, write: Write) -> None:
    two.mark(two.taint("/d/calibration1"), "bad")
    two.ingest([write("more.log", log(session(number=1), activity("b1", "merge", at=90, in_session=1, used=("/d/clean1",), generated=("/d/late",))))])  # fmt: skip
    assert len(two.marks()) == 1
    assert "/d/late" in locations(two.taint("/d/calibration1"))


def test_a_version_that_nothing_tells_makes_an_answer_partial(kg: KnowledgeGraph, write: Write) -> None:
    records = [
        session(),
        *activity("a1", "make", generated=("/d/bad",)),
        *activity("a2", "read", at=9, used=("/d/bad",), generated=("/d/out",)),
    ]
    del records[5]["startTime"]
    kg.ingest([write("night.log", "".join(line(each) for each in records))])
    found = kg.taint("/d/bad")
    assert locations(found) == ["/d/bad"]
    assert found.partial == ("1 steps read a version that nothing tells, where something bad lay",)
    done = command("--store", kg.store.name, "taint", "/d/bad", "--dry-run")
    assert done.returncode == 4
    assert "partial: 1 steps" in done.stderr


def test_the_command_says_how_much_and_takes_it_back(two: KnowledgeGraph) -> None:
    name = two.store.name
    done = command("--store", name, "taint", "/d/calibration1", "--reason", "bad", "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == 1
    assert (len(facts["products"]), facts["seconds"], facts["partial"]) == (4, 15.0, [])
    assert facts["levels"] == [{"level": "DL1", "affected": 4, "direct": 1, "superseded": 1}]
    assert "4 products are bad, 1 superseded; 3 steps to run again" in done.stderr
    table = command("--store", name, "taint", "--list").stdout.splitlines()
    assert table[1].startswith(f"{facts['taint']}\t")
    assert command("--store", name, "taint", "--lift", facts["taint"]).returncode == 0
    assert command("--store", name, "taint", "--list").stdout.splitlines() == table[:1]
    assert command("--store", name, "taint", "/d/merged2", "--dry-run", "--remake").stdout.splitlines()[1:] == [
        "1\tmerge\t1\t1\t5.0"
    ]
    assert two.marks() == []


# Advisories

ADVISORIES = """\
advisories:
  - id: CAL-1
    title: The median is wrong
    value: method=median
    severity: critical
    link: https://example.org/CAL-1
  - id: OLD
    software: lstchain<0.5
  - id: TYPO
    sofware: lstchain
  - id: CLEAN
    software: lstchain>=0.9,<0.10
    activities: [clean]
"""


def test_an_audit_finds_products_their_descendants_and_what_was_replaced(two: KnowledgeGraph, write: Write) -> None:
    done = command("--store", two.store.name, "audit", str(write("advisories.yaml", ADVISORIES)), "--products")
    assert done.returncode == 4
    assert "advisories.yaml:9: unknown key 'sofware'\nhint: did you mean 'software'?" in done.stderr
    assert "3 advisories concern 6 products that are current; 1 of them concern no activity" in done.stderr
    rows = [
        dict(zip(done.stdout.splitlines()[0].split("\t"), row.split("\t"), strict=True))
        for row in done.stdout.splitlines()[1:]
    ]
    assert [(row["location"], row["direct"]) for row in rows if row["advisory"] == "CAL-1"] == [
        ("/d/calibration1", "True"),
        ("/d/clean1", "False"),
        ("/d/clean2", "False"),
        ("/d/merged1", "False"),
    ]
    assert sum(bool(row["superseded"]) for row in rows if row["advisory"] == "CAL-1") == 1
    assert {row["location"] for row in rows if row["advisory"] == "CLEAN"} == {
        "/d/clean1",
        "/d/clean2",
        "/d/merged1",
        "/d/merged2",
    }


def test_an_audit_of_which_nothing_is_concerned_is_quiet(two: KnowledgeGraph, write: Write) -> None:
    path = write("advisories.yaml", "advisories:\n  - {id: OLD, software: 'lstchain<0.5'}\n")
    done = command("--store", two.store.name, "audit", str(path))
    assert done.returncode == 0
    assert "1 advisories concern nothing" in done.stderr


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("software: 'lstchain=<1'", "no software with a range"),
        ("value: x", "no NAME=VALUE"),
        ("since: soon", "is no time"),
        ("severity: dire", "severity 'dire' is unknown"),
        ("title: x", "says nothing that is bad"),
        ("{activities: x, run: 1}", "activities must be a list"),
    ],
)
def test_an_advisory_that_cannot_be_read_is_told_with_its_line(write: Write, entry: str, message: str) -> None:
    text = (
        f"# bad\nadvisories:\n  - id: A\n    {entry}\n"
        if not entry.startswith("{")
        else f"# bad\nadvisories:\n  - {{id: A, {entry[1:]}\n"
    )
    advisories, [error] = read_advisories(write("a.yaml", text))
    assert advisories == []
    assert ":3: " in error.message
    assert message in error.message


@pytest.mark.parametrize("text", ["[1]", "advisories: 3", "a: [", "!!python/object/apply:os.system ['true']", ""])
def test_a_file_that_holds_no_advisories_is_an_error(write: Write, text: str) -> None:
    done = command("audit", str(write("a.yaml", text)))
    assert done.returncode == 3
    assert done.stderr.startswith("error: ")


def test_the_schema_says_what_is_read() -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    data = yaml.safe_load(ADVISORIES)
    errors = jsonschema.Draft202012Validator(schema).iter_errors(data)
    assert {tuple(error.absolute_path) for error in errors} == {("advisories", 2)}


@pytest.mark.xdist_group("servers")
def test_a_server_gives_the_same_taint(oxigraph: Config, kg: KnowledgeGraph) -> None:
    there = KnowledgeGraph(servers.emptied(oxigraph))
    for each in (kg, there):
        each.ingest([sample()])
    product = "/data/lst/calibration/20230312/drs4_pedestal.Run12010.0000.fits"
    product = next(
        step.location
        for step in kg.lineage("dl3_LST-1.Run12012.fits")
        if step.location and "drs4_pedestal" in step.location
    )
    here, other = kg.taint(product), there.taint(product)
    assert here == other
    assert len(here.products) > 10
    mark = there.mark(other, "bad")
    assert [each.name for each in there.marks()] == [mark.name]
    there.lift(mark.name)
    assert there.marks() == []
