"""Capture by a definition: lstosa's, gammapy's and logprov's dialects say what functions use and generate."""

import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provkg.capture import CaptureWarning, Recorder
from provkg.knowledge import KnowledgeGraph
from provkg.model.expressions import MISSING, follow, parse
from tests.captured import of_kind

GAMMAPY = """
activities:
  get_observations:
    parameters:
      - {name: datastore_path, value: config.datastore.__str__()}
      - {name: obs_ids, value: config.obs_ids}
    usage:
      - {role: datastore, entityName: DataStore, value: config.datastore}
      - {role: missing_file, entityName: DataStore, value: config.obs_file}
    generation:
      - role: observations_selected
        entityName: Observations
        value: observations
        has_members:
          {list: observations._observations, entityName: Observation, id: obs_id, location: _events.base_dir, namespace: gamma-events}
  get_datasets:
    parameters:
      - {name: stack, value: config.stack}
      - {name: first, value: 'observations._observations[0].obs_id'}
    usage:
      - {role: observations_selected, entityName: Observations, value: observations}
    generation:
      - role: reduced
        entityName: Datasets
        value: datasets
        has_members: {list: datasets, entityName: Dataset, id: 'label(kind="short")'}
        has_progenitors: {entityName: Observations, value: observations}
entities:
  DataStore: {type: FileCollection, index: obs-index.fits.gz}
  Observations: {type: PythonObject}
  Observation: {type: File, contentType: application/fits}
  Datasets: {type: PythonObject}
  Dataset: {type: PythonObject}
"""
LOGPROV = """
activity_descriptions:
  write_file:
    parameters:
      - {value: kwargs.filename}
    usage:
      - {role: var1, entity_description: MyObject, value: STATE.var1}
    generation:
      - {role: text file, entity_description: File, location: kwargs.filename, namespace: file}
entity_descriptions:
  MyObject: {type: PythonObject}
  File: {type: File}
namespaces: {file: http://localhost/}
"""
STATE = SimpleNamespace(var1=0)


class Observations:
    def __init__(self) -> None:
        self._observations = [
            SimpleNamespace(obs_id=number, _events=SimpleNamespace(base_dir=f"/data/obs_{number}.fits"))
            for number in (1, 2)
        ]


class Dataset:
    def label(self, kind: str) -> str:
        return f"crab {kind}"


@pytest.fixture
def define(write: Any) -> Any:
    return lambda text: Recorder(definition=write("definition.yaml", text), background=False)


def test_the_dialect_of_gammapy_tells_objects_members_and_progenitors(define: Any, kg: KnowledgeGraph) -> None:
    prov = define(GAMMAPY)

    @prov
    class Analysis:
        def __init__(self) -> None:
            self.config = SimpleNamespace(datastore=Path("store"), obs_ids=[], obs_file=None, stack=False)

        def get_observations(self) -> None:
            self.observations = Observations()

        def get_datasets(self) -> None:
            self.datasets = [Dataset()]

        def unknown(self) -> None: ...

    Path("store").mkdir()
    analysis = Analysis()
    analysis.get_observations()
    analysis.get_datasets()
    analysis.unknown()
    first, second = of_kind("start")
    assert first["parameters"] == {"datastore_path": "store", "obs_ids": []}
    assert second["parameters"] == {"stack": False, "first": 1}
    assert [(file["type"], file["index"]) for file in first["used"]] == [("FileCollection", "obs-index.fits.gz")]
    [generated] = of_kind("end")[0]["generated"]
    assert second["used"][0]["local"] == generated["local"] == "Observations 1"
    assert [(each["member"].get("local"), each["member"].get("path")) for each in of_kind("member")] == [
        ("gamma-events:1", "/data/obs_1.fits"),
        ("gamma-events:2", "/data/obs_2.fits"),
        ("crab short", None),
    ]
    assert [each["source"]["local"] for each in of_kind("derived")] == ["Observations 1"]
    summary = kg.ingest(["provkg.jsonl"])
    assert (summary.counts["activities"], summary.counts["quarantined"]) == (2, 0)
    rows = kg.graph().select(
        "PREFIX prov: <http://www.w3.org/ns/prov#> SELECT ?a { ?b prov:used ?e . ?e prov:wasGeneratedBy ?a FILTER(?a != ?b) }"
    )
    assert len({str(row["a"]) for row in rows}) == 1  # get_datasets used what get_observations made


def test_the_dialect_of_logprov_finds_globals_and_arguments_by_name(define: Any, kg: KnowledgeGraph) -> None:
    prov = define(LOGPROV)

    @prov
    def write_file(filename: str = "none") -> None:
        Path(filename).write_text("x")

    write_file("a.txt")  # positional here, named in the definition
    [start], [end] = of_kind("start"), of_kind("end")
    assert start["parameters"] == {"kwargs.filename": "a.txt"}
    assert (start["used"][0]["role"], start["used"][0]["value"]) == ("var1", "0")
    assert end["generated"][0]["path"] == str(Path("a.txt").absolute())
    kg.ingest(["provkg.jsonl"])
    assert [step.name for step in kg.lineage("a.txt")] == ["MyObject"]


def test_the_pipeline_sets_variables_facts_of_the_session_and_what_a_lot_is(write: Any, kg: KnowledgeGraph) -> None:
    definition = """
activities:
  make: {generation: [{role: Out, entityName: Data, value: Data}]}
  clean: {usage: [{role: In, entityName: Data, value: Data}], generation: [{role: Out, entityName: Data, value: Data}]}
entities:
  Data: {type: File}
"""

    def variables(call: SimpleNamespace) -> None:
        call.Data = str(Path(("clean/" if call.__name__ == "clean" else "") + call.args[0]).absolute())
        call.session = {"observation_run": "01807", "observation_date": "20200117"}
        call.lot = call.args[0]
        call.dry = call.args[0] == "dry.txt"

    prov = Recorder(definition=write("definition.yaml", definition), variables=variables, digest="never")

    @prov
    def make(name: str) -> str:
        return "" if name == "dry.txt" else str(Path(name).write_text("1"))

    @prov
    def clean(name: str) -> None:
        Path("clean").mkdir(exist_ok=True)
        Path("clean", name).write_text("2")

    for name in ("a.txt", "b.txt"):
        make(name)
    for name in ("a.txt", "b.txt"):  # between them another lot was made: nothing of it is derived from that
        clean(name)
    assert make("dry.txt") == ""  # it is called: it knows itself that it does nothing
    assert [record.get("dry") for record in of_kind("start")] == [None, None, None, None, True]
    kg.ingest(["provkg.jsonl"])
    for name in ("a.txt", "b.txt"):
        above = {step.location for step in kg.lineage(f"clean/{name}") if step.depth}
        assert above == {str(Path(name).absolute())}
    [row] = kg.graph().select(
        "PREFIX pkg: <https://w3id.org/provkg/ns#> SELECT ?run ?night { ?s pkg:run ?run ; pkg:observationDate ?night }"
    )
    assert [str(row[each]) for each in ("run", "night")] == ['"01807"', '"20200117"']


def test_a_typo_in_a_definition_is_a_warning_with_file_and_line_and_the_rest_counts(write: Any) -> None:
    text = GAMMAPY.replace("value: config.obs_ids", "value: config..obs_ids").replace(
        "entityName: DataStore, value: config.d", "entitiName: DataStore, value: config.d"
    )
    with pytest.warns(CaptureWarning) as said:
        pipeline = Recorder(definition=write("definition.yaml", text)).pipeline
    assert pipeline is not None
    lines = text.splitlines()
    wrong = {n + 1 for n, line in enumerate(lines) if "config..obs_ids" in line or "entitiName" in line}
    told = {int(str(each.message).partition("definition.yaml:")[2].partition(":")[0]) for each in said}
    assert wrong <= told
    broken = write("broken.yaml", "activities: [")
    with pytest.warns(CaptureWarning, match=r"without a definition: .*broken\.yaml:2"):
        assert Recorder(definition=broken).pipeline is None
    with pytest.warns(CaptureWarning, match=r"without a definition: .*none\.yaml"):
        assert Recorder(definition="none.yaml").pipeline is None


def test_an_expression_that_leads_nowhere_is_said_once_with_file_and_line(define: Any) -> None:
    prov = define(LOGPROV.replace("STATE.var1", "STATE.gone.further"))

    @prov
    def write_file(filename: str) -> None:
        Path(filename).write_text("x")

    with pytest.warns(CaptureWarning) as said:
        assert [write_file(name) for name in ("a.txt", "b.txt")] == [None, None]
    assert [str(each.message).partition("definition.yaml:")[2] for each in said] == [
        "7: 'STATE.gone.further' of write_file was not found"
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b", 1), ("a.none", None), ("a.zero", 0), ("a['b']", 1), ("list[-1]", 3), ("list[7]", MISSING), ("gone", MISSING),
        ("text.upper()", "HI"), ('text.replace("h", "(.,)")', "(.,)i"), ("text.split(sep='i')[0]", "h"), ("a.get(b)", 1),
        ("flux-points.bin", 5), ("text.__len__()", 2),
        # nothing of these leads anywhere
        ("os.system('touch hacked')", MISSING), ("text.__class__", MISSING), ("kind.mro()", MISSING),
        ("function('x')", MISSING), ("open('hacked')", MISSING), ("obj.held('x')", MISSING), ("obj.__dict__", MISSING),
    ],
)  # fmt: skip
def test_expressions_are_followed_and_never_run_as_code(text: str, value: object) -> None:
    import os

    def function(_: str) -> None:
        Path("hacked").touch()

    scope = {
        "a": {"b": 1, "none": None, "zero": 0},
        "list": [1, 2, 3],
        "text": "hi",
        "flux-points": {"bin": 5},
        "os": os,
        "kind": int,
        "function": function,
        "open": open,
        "obj": SimpleNamespace(held=function),
    }
    found = follow(parse(text), [scope])
    assert found is value or found == value
    assert not Path("hacked").exists()


@pytest.mark.parametrize(
    "text", ["", ".", "a.", "a..b", "a b", "a(", "a(b", "a[0", "a)", "a.b(c=)", "1 + 1", "a['", "a(x=(1))"]
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no name|a name is missing|no end|no argument"):
        parse(text)


def test_an_object_has_one_name_while_it_lives_and_its_name_is_never_given_to_another(define: Any) -> None:
    objects = define(GAMMAPY).pipeline.objects
    one = Observations()
    name = objects.reference(one, "x")
    assert objects.reference(one, "y") == name
    gone = weakref.ref(one)
    del one
    assert gone() is None
    assert all(objects.reference(Observations(), "x") != name for _ in range(10))
    assert objects.reference([1], "x") == objects.reference([1], "x") != objects.reference([1], "y")
    assert objects.reference([0] * 2000, "x") != objects.reference([0] * 2000, "x")
