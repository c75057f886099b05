"""definition.yaml: three dialects become descriptions and shapes, and what was captured must be what was defined."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import rdflib

from provkg.config import Config
from provkg.errors import InputError
from provkg.knowledge import KnowledgeGraph
from provkg.knowledge.files import contract, model_turtle, validate_files
from provkg.model import read_definition
from provkg.validation import Report
from provkg.vocab import PKG, RDF_TYPE, VP
from tests.logs import activity, line, log, session

Write = Callable[[str, str | bytes], Path]

DEFINITION = """\
activities:
    r0_to_dl1:
        description: "Create DL1 files"
        contact: somebody
        version: "0.10"
        parameters:
            - name: StoreImage
              datatype: boolean
              options: ["true", "false"]
            - name: threshold
              datatype: int
              min: 3
              max: 9
        usage:
            - role: "Pedestal file"
              description: "Pedestal file used"
              entityName: PedestalFile
            - role: "Pointing file"
              entityName: PointingFile
              multiplicity: 0..1
            - role: "Observation subrun"
              multiplicity: 1..*
        generation:
            - role: "DL1 subrun dataset"
              entityName: DL1SubrunDataset
    dl1_to_dl2:
        parameters:
        usage:
        generation:
entities:
    PedestalFile:
        description: "Pedestal file"
        type: File
        contentType: application/x-hdf
    DL1SubrunDataset:
        type: File
        contentType: application/x-hdf
    PointingFile:
        type: File
agents:
    somebody:
        email: somebody@example.org
"""


def records(*roles: tuple[str, str, str], parameters: dict | None = None, name: str = "r0_to_dl1") -> str:
    """A log of one activity that used files in roles; each has a role, a path and the name of its kind."""
    from tests.logs import START, entity, md5

    steps = [session()]
    start, *rest = activity("aaaaaa", name, generated=())
    lines = log(*steps) + log([start, *rest[:-1]])
    if parameters is not None:
        lines += line({"activity_id": "aaaaaa", "parameters": parameters, "session_tag": "r0_to_dl1:01618"})
    for role, path, kind in roles:
        verb = "generated" if role == "DL1 subrun dataset" else "used"
        lines += line({**entity(path, kind), "session_tag": "r0_to_dl1:01618"})
        edge = {
            "activity_id": "aaaaaa",
            f"{verb}_id": md5(path),
            f"{verb}_role": role,
            "session_tag": "r0_to_dl1:01618",
        }
        lines += line(edge)
    assert START
    return lines + log([rest[-1]])


GOOD = (
    ("Pedestal file", "/d/pedestal.h5", "PedestalFile"),
    ("Observation subrun", "/d/r0.fits", "R0SubrunDataset"),
    ("DL1 subrun dataset", "/d/dl1.h5", "DL1SubrunDataset"),
)
GOOD_PARAMETERS = {"StoreImage": True, "threshold": 5}


@pytest.fixture
def judged(write: Write) -> Callable[..., Report]:
    def judged(
        *roles: tuple[str, str, str], parameters: dict = GOOD_PARAMETERS, name: str = "r0_to_dl1", engine: str = "both"
    ) -> Report:
        path = write("a.log", records(*roles, parameters=parameters, name=name))
        definition = write("definition.yaml", DEFINITION)
        report, _ = validate_files([path], Config(), definition=definition, layers=[], engine=engine)
        return report

    return judged


def found(report: Report) -> dict[str, str]:
    return {finding.shape.removeprefix("model"): finding.severity for finding in report.findings}


UNSEEN = {"-unseen": "Warning"}  # dl1_to_dl2


def test_what_was_captured_as_defined_conforms(judged: Callable[..., Report]) -> None:
    report = judged(*GOOD)
    assert report.conforms
    assert found(report) == UNSEEN
    [unseen] = report.findings
    assert unseen.message == "dl1_to_dl2 is defined and was never seen."
    assert (Path(unseen.source).name, unseen.line) == ("definition.yaml", 26)


def test_a_missing_input_is_a_violation_at_the_line_of_the_activity(judged: Callable[..., Report]) -> None:
    report = judged(*GOOD[1:])
    assert found(report) == {"/r0_to_dl1/usage/Pedestal file": "Violation", **UNSEEN}
    assert report.findings[0].message == (
        "r0_to_dl1 must use exactly one entity as 'Pedestal file' (no multiplicity is declared: one is assumed)."
    )
    assert (Path(report.findings[0].source).name, report.findings[0].line) == ("a.log", 2)
    assert report.findings[0].standard.endswith("definition.yaml:15")


def test_two_where_one_is_defined_are_a_violation(judged: Callable[..., Report]) -> None:
    report = judged(*GOOD, ("Pedestal file", "/d/other.h5", "PedestalFile"))
    assert found(report) == {"/r0_to_dl1/usage/Pedestal file": "Violation", **UNSEEN}


@pytest.mark.parametrize(("count", "fits"), [(0, True), (1, True), (2, False)])
def test_a_declared_multiplicity_holds(judged: Callable[..., Report], count: int, fits: bool) -> None:
    more = [("Pointing file", f"/d/pointing{number}.txt", "PointingFile") for number in range(count)]
    expected = {} if fits else {"/r0_to_dl1/usage/Pointing file": "Violation"}
    assert found(judged(*GOOD, *more)) == expected | UNSEEN


def test_any_number_above_one_fills_an_open_multiplicity(judged: Callable[..., Report]) -> None:
    more = [("Observation subrun", f"/d/r0_{number}.fits", "R0SubrunDataset") for number in range(5)]
    assert found(judged(*GOOD, *more)) == UNSEEN


def test_a_missing_output_is_a_violation(judged: Callable[..., Report]) -> None:
    assert found(judged(*GOOD[:2])) == {"/r0_to_dl1/generation/DL1 subrun dataset": "Violation", **UNSEEN}


def test_a_role_that_is_not_defined_is_a_violation(judged: Callable[..., Report]) -> None:
    report = judged(*GOOD, ("Weather", "/d/weather.txt", "Weather"))
    assert found(report) == {"/r0_to_dl1/usage-roles": "Violation", **UNSEEN}


def test_another_kind_of_file_in_a_role_is_a_warning(judged: Callable[..., Report]) -> None:
    report = judged(("Pedestal file", "/d/flat.h5", "FlatField"), *GOOD[1:])
    assert found(report) == {"/r0_to_dl1/usage-kind/Pedestal file": "Warning", **UNSEEN}


def test_parameters_are_recorded_and_within_their_limits(judged: Callable[..., Report]) -> None:
    assert found(judged(*GOOD, parameters={"threshold": 5})) == {"/r0_to_dl1/parameter/StoreImage": "Warning", **UNSEEN}
    for parameters in ({**GOOD_PARAMETERS, "threshold": 2}, {**GOOD_PARAMETERS, "threshold": 10}):
        assert found(judged(*GOOD, parameters=parameters)) == {
            "/r0_to_dl1/parameter-value/threshold": "Violation",
            **UNSEEN,
        }
    assert found(judged(*GOOD, parameters={**GOOD_PARAMETERS, "StoreImage": "perhaps"})) == {
        "/r0_to_dl1/parameter-value/StoreImage": "Violation",
        **UNSEEN,
    }


def test_an_activity_that_is_not_defined_is_a_violation(judged: Callable[..., Report]) -> None:
    report = judged(*GOOD, name="dl2_to_dl3")
    assert Counter(each.shape for each in report.findings) == {"model-undefined": 1, "model-unseen": 2}
    assert report.findings[0].message == "dl2_to_dl3 was seen 1 times and is not defined."
    assert not report.conforms


# Descriptions


def test_a_definition_is_read_as_descriptions_that_conform(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("definition.yaml", DEFINITION), write("a.log", records(*GOOD, parameters=GOOD_PARAMETERS))])
    graph = kg.graph()
    description = "https://provkg.example.org/description/activity/r0_to_dl1"
    assert graph.objects(description, VP.version) == ["0.10"]
    inputs = {graph.objects(each, VP.role)[0]: each for each in graph.objects(description, VP.hasUsageDescription)}
    assert set(inputs) == {"Pedestal file", "Pointing file", "Observation subrun"}
    assert graph.objects(inputs["Pointing file"], VP.multiplicity) == ["0..1"]
    assert graph.objects(inputs["Pedestal file"], PKG.line) == ["15"]
    assert len(graph.subjects(VP.activityDescription, description)) == 1  # the record and the definition meet
    assert kg.validate(severity="Warning").findings == ()


def test_the_shapes_are_turtle_that_any_engine_reads(write: Write) -> None:
    known = contract(write("definition.yaml", DEFINITION), Config().base)
    graph = rdflib.Graph().parse(data=model_turtle(known, Config(), shapes=True, descriptions=True), format="turtle")
    shacl = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    assert len(list(graph.subjects(rdflib.RDF.type, shacl.NodeShape))) == 2
    assert len(set(graph.subjects(shacl.severity))) == 19
    assert not set(graph.objects(None, shacl.sparql))
    described = set(graph.subjects(rdflib.URIRef(RDF_TYPE), rdflib.URIRef(VP.UsageDescription)))
    assert len(described) == 3


LOGPROV = """\
activity_descriptions:
    get_observations:
        parameters:
            - value: settings.observations.datastore
        usage:
            - role: datastore
              entity_description: DataStore
entity_descriptions:
    DataStore:
        type: PythonObject
"""


def test_the_dialect_of_logprov_and_that_of_2020_are_read() -> None:
    definition = read_definition(LOGPROV, "logprov.yaml")
    [step] = definition.activities
    assert [each.name for each in step.parameters] == ["settings.observations.datastore"]
    assert step.slots[0].entity == "DataStore"
    assert definition.entity("DataStore")
    old = read_definition(LOGPROV.replace("entity_description:", "entityType:"), "old.yaml")
    assert old.activities[0].slots == step.slots


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("activities: [", "no YAML"),
        ("a: b", "no definition"),
        ("activities:\n  x:\n    usage:\n      - description: y\n", "d.yaml:4: a usage without a role"),
        (
            "activities:\n  x:\n    usage:\n      - role: y\n        multiplicity: many\n",
            "d.yaml:5: the multiplicity 'many'",
        ),
        ("activities:\n  x: text\n", "d.yaml:2: x must be a mapping"),
        ("activities:\n  x:\n    usage: y\n", "d.yaml:3: usage must be a list"),
        ("activities:\n  x:\n  x:\n", "d.yaml:3: 'x' is defined twice"),
        ("activities:\n  x:\n    description: [1]\n", "d.yaml:3: description must be text"),
        ("activities:\n  x:\n    parameters:\n      - unit: s\n", "d.yaml:4: a parameter without a name"),
        ("activities: 3\n", "d.yaml:1: activities must be a mapping"),
        (
            "activities:\n  x:\n    usage:\n      - role: y\n        multiplicity: 2..1\n",
            "d.yaml:5: the multiplicity '2..1'",
        ),
        (f"activities:\n  x:\n    usage:\n      - role: y\n        multiplicity: {'9' * 5000}\n", "cannot be read"),
        (
            "activities:\n  x:\n    parameters:\n      - name: p\n        min: 9\n        max: 3\n",
            "d.yaml:5: the minimum",
        ),
        ("activities:\n  x:\n    parameters:\n      - name: p\n        max: many\n", "d.yaml:5: max must be a number"),
        (
            "activities:\n  x:\n    parameters:\n      - name: p\n      - name: p\n",
            "parameter of x 'p' is defined twice",
        ),
        ("activities:\n  x:\nactivity_descriptions:\n  x:\n", "activity 'x' is defined twice"),
        ("activities: !!python/object:os.system {x: 1}\n", "must be"),
    ],
)
def test_a_broken_definition_is_an_error_with_its_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_definition(text, "d.yaml")
    assert message in error.value.message


def test_aliases_cannot_blow_a_definition_up() -> None:
    bomb = "activities:\n  a: &a {description: x}\n" + "".join(
        f"  {name}: &{name} {{" + ", ".join(f"k{number}: *{before}" for number in range(10)) + "}\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(InputError, match="too large or too deep"):
        read_definition(bomb, "d.yaml")


def test_a_role_that_is_defined_for_two_kinds_is_filled_twice(write: Write) -> None:
    """gammapy's get_flux_points uses two models in one role."""
    text = DEFINITION.replace(
        'role: "Observation subrun"\n              multiplicity: 1..*',
        'role: "Pedestal file"\n              entityName: PointingFile',
    )
    known = contract(write("definition.yaml", text), Config().base)
    messages = {triple.object.value for triple in known.shapes() if triple.predicate.value.endswith("#message")}
    assert (
        "r0_to_dl1 must use exactly 2 entities as 'Pedestal file' (no multiplicity is declared: one is assumed)."
        in messages
    )


def test_keys_of_no_dialect_are_noted_with_their_line() -> None:
    definition = read_definition("activities:\n  x:\n    colour: red\n", "d.yaml")
    assert definition.odd == ((3, "'colour' is no key of a definition: ignored"),)


def test_what_yaml_merges_is_defined(write: Write) -> None:
    text = "base: &b\n  usage: [{role: in}]\nactivities:\n  r0:\n    <<: *b\n    description: x\n"
    [step] = read_definition(text, "d.yaml").activities
    assert [slot.role for slot in step.slots] == ["in"]


@pytest.mark.parametrize(
    ("facts", "value", "allowed"),
    [
        ("options: [True, False]", True, True),
        ("options: [True]", False, False),
        ("datatype: float\n        options: [0.10, 1]", 0.1, True),
        ("options: [1, 2]", 1.0, True),
        ("options: [1, 2]", 3, False),
        ("min: 3", 1, False),
        ("datatype: int\n        max: 1_000", 4, True),
        ("max: 1.0e+3", 1001, False),
        ("max: .inf", 5, True),
    ],
)
def test_values_are_compared_as_records_write_them(write: Write, facts: str, value: object, allowed: bool) -> None:
    text = f"activities:\n  r0_to_dl1:\n    parameters:\n      - name: p\n        {facts}\n"
    log_file = write("a.log", records(parameters={"p": value}))
    report, _ = validate_files([log_file], Config(), definition=write("d.yaml", text), layers=[], engine="both")
    assert found(report) == ({} if allowed else {"/r0_to_dl1/parameter-value/p": "Violation"})


def test_names_cannot_clash_and_roles_are_as_they_are_written(write: Write) -> None:
    text = "activities:\n  r0_to_dl1:\n    usage:\n      - role: 'a  b/roles '\n      - role: roles\n"
    definition = write("d.yaml", text)
    fitting = records(("a  b/roles ", "/d/x", "X"), ("roles", "/d/y", "Y"))
    for engine in ("both", "pyshacl"):
        report, _ = validate_files([write("a.log", fitting)], Config(), definition=definition, layers=[], engine=engine)
        assert report.findings == ()
    missing = write("a.log", records(("a  b/roles ", "/d/x", "X")))
    report, _ = validate_files([missing], Config(), definition=definition, layers=[], engine="both")
    assert found(report) == {"/r0_to_dl1/usage/roles": "Violation"}


def test_a_part_of_a_store_is_judged_alone(kg: KnowledgeGraph, write: Write) -> None:
    good = records(*GOOD, parameters=GOOD_PARAMETERS)
    bad = log(session(2, "01619")) + "".join(
        line_ for line_ in log(activity("bbbbbb", at=60, in_session=2)).splitlines(keepends=True)
    )
    kg.ingest([write("two.log", good + bad)])
    definition = write("definition.yaml", DEFINITION)
    assert kg.validate(run="01618", definition=definition, layers=[]).findings == ()
    assert not kg.validate(run="01619", definition=definition, layers=[]).conforms


def test_a_definition_cannot_crash_the_reader(kg: KnowledgeGraph, write: Write) -> None:
    deep = "activities: \n  a:\n    usage: " + "[" * 30000 + "]" * 30000
    with pytest.raises(InputError, match=r"too deep|nesting depth"):
        read_definition(deep, "d.yaml")
    summary = kg.ingest([write("deep.yaml", deep), write("a.log", records())])
    assert (summary.sources, len(summary.errors)) == (1, 1)


# The real ones


@pytest.mark.parametrize(
    ("name", "activities", "slots"),
    [("lstosa/definition.yaml", 7, 33), ("gammapy/definition.yaml", 6, 18), ("logprov/definition.yaml", 5, 17)],
)
def test_the_real_definitions_are_read(
    shared: Path, kg: KnowledgeGraph, name: str, activities: int, slots: int
) -> None:
    path = shared / "data" / name
    definition = read_definition(path.read_bytes(), name)
    assert len(definition.activities) == activities
    assert sum(len(each.slots) for each in definition.activities) == slots
    kg.ingest([path])
    graph = kg.graph()
    described = {
        kind: len(list(graph.quads(None, RDF_TYPE, VP[kind]))) for kind in ("UsageDescription", "GenerationDescription")
    }
    assert sum(described.values()) == slots
    report = kg.validate(severity="Warning")
    assert {each.shape for each in report.findings} == {"ValueDescription-valueType-min"}  # none gives a datatype


def test_the_real_log_of_lstosa_shows_its_known_faults_and_no_other(shared: Path) -> None:
    lstosa = shared / "data" / "lstosa"
    report, _ = validate_files([lstosa / "prov.log"], Config(), definition=lstosa / "definition.yaml", engine="both")
    assert Counter((each.severity, each.shape) for each in report.findings) == {
        # the definition gives no multiplicity, and one of the two runs was made without this file
        ("Violation", "model/r0_to_dl1/usage/Interleaved pedestal events file"): 11,
        # not in this log (calibration), or no longer traced (since 2025)
        ("Warning", "model-unseen"): 4,
        # 1.7.4: the configuration of the cfg is recorded, not that of --dl1b-config
        ("Warning", "Step-configuration"): 20,
        # 1.7.5: dl1ab records its output path as its input, and r0_to_dl1 wrote the file elsewhere
        ("Warning", "Step-in-place"): 20,
        ("Warning", "Usage-chain-unbroken"): 20,
    }
    unseen = {each.message.split()[0] for each in report.findings if each.shape == "model-unseen"}
    assert unseen == {"drs4_pedestal", "calibrate_charge", "catB_calibration", "dl1_to_dl2"}
    missing = {each.focus for each in report.findings if each.severity == "Violation"}
    assert all("/2020011701807/" in focus for focus in missing)  # the run without --pedestal-ids-file
