"""Every pitfall that the capture systems are known for has a test; the numbers are those of the catalogue of pitfalls.

1-18 line logs (lstosa, gammapy, logprov), 19-29 ctapipe's JSON, 30-32 PROV documents.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace as changed
from datetime import timedelta
from pathlib import Path

import pytest

from provkg.config import Config
from provkg.knowledge import KnowledgeGraph
from provkg.mapping import Mapped, map_records
from provkg.records import (
    FABRICATED,
    HEADER,
    NO_ENTITY,
    NO_RECORD,
    NO_START,
    OPAQUE,
    REPEATED,
    Activity,
    Ended,
    Entity,
    Kind,
    Parameters,
    Quarantined,
    Record,
    Relation,
    Remark,
    Session,
)
from provkg.vocab import PKG, PROV
from tests.logs import START, activity, entity, line, log, md5, session

Read = Callable[..., list[Record]]
Write = Callable[[str, str | bytes], Path]


def of(kind: type, records: list[Record]) -> list:
    return [record for record in records if isinstance(record, kind)]


def remarks(records: list[Record]) -> Counter[str]:
    found: Counter[str] = Counter()
    for record in of(Remark, records):
        found[record.about] += record.count
    return found


def mapped(records: list[Record], **settings: str) -> Mapped:
    (found,) = map_records(records, changed(Config(), **settings), set())
    return found


def relations(records: list[Record], kind: Kind) -> list[Relation]:
    return [record for record in of(Relation, records) if record.kind is kind]


# -- line logs ---------------------------------------------------------------------------------------------------------


def test_01_a_body_is_a_python_repr_and_not_yaml(read: Read) -> None:
    values = {"none": None, "pair": (1, 2), "set": {3}, "text": "two\nlines", "quotes": 'it\'s "so"'}
    [parameters] = of(Parameters, read(log(activity("abc123", parameters=values))))
    assert parameters.values == {"none": None, "pair": [1, 2], "set": [3], "text": "two\nlines", "quotes": 'it\'s "so"'}


def test_01_values_that_are_no_literals_are_read_tolerantly_and_counted(read: Read) -> None:
    body = "{'activity_id': 'abc123', 'parameters': {'a': nan, 'b': np.float64(1.5), 'c': PosixPath('/x'), 'd': <Quantity 3. m>}}"
    records = read(log(activity("abc123", ends=False)) + f"INFO __PROV__{START.isoformat()}__PROV__{body}\n")
    values = of(Parameters, records)[0].values
    assert str(values.pop("a")) == "nan"
    assert values == {"b": 1.5, "c": "/x", "d": {"@repr": "<Quantity 3. m>"}}
    assert sum(count for about, count in remarks(records).items() if "tolerantly" in about) == 4


@pytest.mark.parametrize("mark", ["__PROV__", "_PROV_", "@@P@@", "%PROVENANCE%"])
def test_02_any_prefix_is_known_without_being_configured(read: Read, mark: str) -> None:
    records = activity("abc123", used=("/data/a",), parameters={"text": f"a {mark} inside"})
    text = "".join(line(record, mark=mark, before="2023 [x] INFO ") for record in records)
    found = read(text)
    assert len(of(Activity, found)) == 1
    assert of(Parameters, found)[0].values == {"text": f"a {mark} inside"}


def test_02_merged_logs_have_no_prefix(read: Read) -> None:
    text = "".join(f"{record!r}\n" for record in activity("abc123", used=("/data/a",)))
    assert len(relations(read(text), Kind.USED)) == 1


def test_03_lines_that_are_no_records_are_counted_and_torn_ones_quarantined(read: Read) -> None:
    torn = f"INFO provLogger __PROV__{START.isoformat()}__PROV__{{'entity_id': '0123INFO provLogger __PR\n"
    text = "WARNING provLogger Derivation detected\n" + torn + log(activity("abc123")) + torn[:80]
    records = read(text)
    assert remarks(records)[NO_RECORD] == 1
    [first, last] = of(Quarantined, records)
    assert (first.line, first.offset, last.line) == (
        2,
        len("WARNING provLogger Derivation detected\nINFO provLogger "),
        5,
    )
    assert text.encode()[last.offset : last.offset + last.length].decode().endswith(torn[70:80])
    assert len(of(Activity, records)) == 1


def test_03_two_records_on_one_line_are_both_read(read: Read) -> None:
    first, second = log(activity("abc123", ends=False)), log(activity("def456", ends=False))
    assert len(of(Activity, read(first.rstrip("\n") + second))) == 2


def test_03_a_torn_record_before_a_whole_one_on_the_same_line_costs_only_itself(read: Read) -> None:
    records = read(log(activity("abc123", ends=False))[:90] + log(activity("def456", ends=False)))
    assert [found.name.split("/")[3] for found in of(Activity, records)] == ["def456"]
    assert len(of(Quarantined, records)) == 1


def test_04_interleaved_records_are_grouped_by_id_and_not_by_neighbourhood(read: Read) -> None:
    one, two = activity("aaaaaa", used=("/data/a",)), activity("bbbbbb", used=("/data/b",), in_session=2)
    mixed = [record for pair in zip(one, two, strict=True) for record in pair]
    found = {
        (each.subject.split("/")[3], each.object[-1])
        for each in relations(read(log(session(), session(2), mixed)), Kind.USED)
    }
    assert found == {("aaaaaa", "a"), ("bbbbbb", "b")}


def test_05_a_second_start_of_one_id_is_a_second_activity(read: Read) -> None:
    text = log(activity("abc123", used=("/data/a",)), activity("abc123", "dl1ab", at=60, used=("/data/b",)))
    records = read(text)
    assert [each.label for each in of(Activity, records)] == ["r0_to_dl1", "dl1ab"]
    first, second = relations(records, Kind.USED)
    assert first.subject != second.subject


def test_05_a_record_after_the_end_belongs_to_an_activity_whose_start_is_lost(read: Read) -> None:
    lost = activity("abc123", at=60, used=("/data/b",))[1:]
    records = read(log(activity("abc123", used=("/data/a",)), lost))
    assert remarks(records)[NO_START] == 1
    assert len({each.subject for each in relations(records, Kind.USED)}) == 2


def test_06_a_session_that_repeats_before_every_activity_is_stored_once(read: Read) -> None:
    later = session(startTime=(START + timedelta(seconds=30)).isoformat())
    later["system"] = {**later["system"], "arguments": ["datasequence", "other"]}
    records = read(log(session(), activity("aaaaaa"), later, activity("bbbbbb", at=30)))
    assert len(of(Session, records)) == 1
    assert [each.arguments for each in of(Activity, records)] == [(), ("datasequence", "other")]


def test_06_one_session_id_with_other_facts_is_another_session(read: Read) -> None:
    records = read(log(session(), activity("aaaaaa"), session(software_version="v0.10.0"), activity("bbbbbb", at=30)))
    assert [each.software for each in of(Session, records)] == [("lstchain", "v0.9.13"), ("lstchain", "v0.10.0")]


def test_06_what_follows_the_arguments_in_the_environment_is_not_lost(read: Read) -> None:
    record = session()
    record["system"]["environment"] = {"CONDA_PREFIX": "/opt/osa"}
    assert "/opt/osa" in of(Session, read(log(record)))[0].environment.text


def test_07_ids_of_any_size_and_shape_are_text(read: Read) -> None:
    ids = [18241930463939724884, 89566690651012202950, "gamma-events:23523", "entities/CoefficientsCalibrationFile"]
    records = activity("abc123")
    for each in ids:
        records[-1:-1] = [
            {"entity_id": each, "name": "x", "type": "PythonObject"},
            {"activity_id": "abc123", "used_id": each, "used_role": "r", "session_tag": "r0_to_dl1:01618"},
        ]
    found = {each.object for each in relations(read(log(records)), Kind.USED)}
    assert {name.rpartition("/")[2] for name in found} == {
        "18241930463939724884",
        "89566690651012202950",
        "gamma-events:23523",
        "entities%2FCoefficientsCalibrationFile",
    }


def test_08_one_id_with_several_paths_means_the_one_whose_digest_it_is(read: Read) -> None:
    several = {**entity("/data/run2"), "filepath": ["/data/run1", "/data/run2"]}
    use = {"activity_id": "abc123", "used_id": md5("/data/run2"), "used_role": "r", "session_tag": "r0_to_dl1:01618"}
    records = read(log(activity("abc123", ends=False), several, use))
    assert relations(records, Kind.USED)[0].object == "file/site/data/run2"
    assert of(Entity, records)[0].extra == {"filepath": ["/data/run1", "/data/run2"]}


def test_08_other_attributes_of_one_id_are_both_kept(read: Read) -> None:
    use = {"activity_id": "abc123", "used_id": md5("/data/a"), "used_role": "r", "session_tag": "r0_to_dl1:01618"}
    records = read(
        log(
            activity("abc123", ends=False),
            entity("/data/a", "PedestalFile"),
            use,
            {**entity("/data/a", "PedestalFile"), "contentType": "application/fits"},
            use,
        )
    )
    assert {each.content_type for each in of(Entity, records)} == {"application/x-hdf", "application/fits"}


def test_09_two_paths_of_one_file_stay_two_places(read: Read) -> None:
    text = log(
        activity("aaaaaa", generated=("/data/v0.12.3/cal.h5",)), activity("bbbbbb", at=60, used=("/data/pro/cal.h5",))
    )
    assert {each.object for each in relations(read(text), Kind.USED)} == {"file/site/data/pro/cal.h5"}


def test_10_an_md5_of_the_path_is_a_path_digest_and_never_evidence(read: Read) -> None:
    records = read(log(activity("abc123", used=("/data/a",))))
    assert of(Entity, records)[0].digest.of == "path"
    assert relations(records, Kind.USED)[0].digest is None


def test_10_a_digest_that_nothing_proves_is_marked_and_counted(read: Read) -> None:
    records = read(log({**entity("/data/moved"), "entity_id": "0" * 32, "hash": "0" * 32}))
    assert of(Entity, records)[0].digest.of == "unknown"
    assert remarks(records)[OPAQUE] == 1


def test_11_a_file_used_and_generated_by_one_activity_is_two_versions(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest(
        [
            write(
                "a.log",
                log(
                    activity("aaaaaa", generated=("/d/x",)),
                    activity("bbbbbb", "dl1ab", at=60, used=("/d/x",), generated=("/d/x",)),
                ),
            )
        ]
    )
    made = {each.made_by: each.iri for each in kg.find("/d/x")}
    assert set(made) == {"r0_to_dl1", "dl1ab"}
    [step] = [step for step in kg.lineage(made["dl1ab"]) if step.activityName == "dl1ab"]
    assert (step.entity, step.evidence) == (made["r0_to_dl1"], "byTime")


def test_12_an_id_without_an_entity_record_is_kept_and_counted(read: Read) -> None:
    use = {"activity_id": "abc123", "used_id": "f" * 32, "used_role": "r", "session_tag": "r0_to_dl1:01618"}
    records = read(log(activity("abc123", ends=False), use))
    assert relations(records, Kind.USED)[0].object.endswith("/" + "f" * 32)
    assert remarks(records)[NO_ENTITY] == 1


def test_12_logprovs_entity_record_with_the_id_as_key_is_understood(read: Read) -> None:
    wrong = {"entity_description": "MyObject", "location": "var1", "type": "PythonObject", 115: 115}
    use = {"activity_id": "abc123", "used_id": 115, "used_role": "var1"}
    records = read("".join(line(each, mark="_PROV_") for each in [*activity("abc123", ends=False, tag=""), wrong, use]))
    assert of(Entity, records)[0].label == "MyObject"
    assert not remarks(records)[NO_ENTITY]


def test_13_an_activity_without_an_end_is_never_closed(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("a.log", log(activity("abc123", used=("/d/x",), ends=False)))])
    [row] = kg.ask("never-ended")
    assert (row["activityName"], row["status"]) == ("r0_to_dl1", "unknown")


def test_13_a_session_that_is_missing_is_not_invented(read: Read) -> None:
    records = read(log(activity("abc123", in_session=42)))
    assert of(Session, records) == []
    assert of(Activity, records)[0].extra == {"in_session": "42"}


def test_14_a_second_end_does_not_overwrite_the_first(read: Read) -> None:
    twice = activity("abc123")
    again = {**twice[-1], "endTime": "2030-01-01T00:00:00", "session_tag": ""}
    del again["session_tag"]
    text = "".join(f"{record!r}\n" for record in [*twice, again])
    assert [each.end for each in of(Ended, read(text))] == [twice[-1]["endTime"]]


def test_15_naive_times_are_of_the_declared_zone_and_counted(read: Read) -> None:
    text = log(activity("abc123")).replace("2023-03-13T08:00:00.000120", "2023-07-01T08:00:00")
    mapping = mapped(read(text), zone="Atlantic/Canary")
    assert any('startedAtTime> "2023-07-01T07:00:00Z"' in quad for quad in mapping.source)
    assert mapping.remarks["times without a zone, taken as Atlantic/Canary"] == 2


def test_15_the_hour_that_a_clock_change_repeats_is_counted(read: Read) -> None:
    text = log(activity("abc123", ends=False)).replace("2023-03-13T08:00:00.000120", "2023-10-29T01:30:00")
    assert (
        mapped(read(text), zone="Atlantic/Canary").remarks[
            "times in the hour that a clock change repeats (taken as the first)"
        ]
        == 1
    )


def test_15_a_time_without_microseconds_is_a_time(read: Read) -> None:
    text = log(activity("abc123", ends=False)).replace("08:00:00.000120", "08:00:00")
    assert len(of(Activity, read(text))) == 1


@pytest.mark.parametrize("missing", ["observation_run", "config_file", "software_version", "system"])
def test_16_a_session_of_an_era_that_lacks_a_key_is_read(read: Read, missing: str) -> None:
    record = session()
    record.pop(missing, None)
    assert len(of(Session, read(log(record)))) == 1


def test_16_a_calibration_session_has_two_runs_and_no_observation_run(read: Read) -> None:
    record = session(pedestal_run="01611", calibration_run="01614")
    del record["observation_run"]
    assert dict(of(Session, read(log(record)))[0].properties) == {
        PKG.observationDate: "20230312",
        PKG.pedestalRun: "01611",
        PKG.calibrationRun: "01614",
        PKG.processStart: START.isoformat(),
    }


def test_16_a_path_under_location_is_a_path(read: Read) -> None:
    record = entity("/data/a")
    record["location"] = record.pop("filepath")
    assert of(Entity, read(log(record)))[0].path == "/data/a"


def test_17_the_arguments_that_tell_a_dry_run_are_kept(read: Read) -> None:
    record = session()
    record["system"]["arguments"].append("--simulate")
    assert of(Session, read(log(record)))[0].arguments[-1] == "--simulate"


def test_18_parameters_keep_their_type(read: Read) -> None:
    text = "".join(mapped(read(log(activity("abc123", parameters={"a": False, "b": "False", "c": 0})))).catalogue)
    for typed in (
        '"false"^^<http://www.w3.org/2001/XMLSchema#boolean>',
        'typedValue> "False" .',
        '"0"^^<http://www.w3.org/2001/XMLSchema#integer>',
    ):
        assert typed in text


# -- ctapipe -----------------------------------------------------------------------------------------------------------


def document(uuid: str = "11111111-1111-4111-8111-111111111111", **more: object) -> dict:
    return {
        "activity_name": "ctapipe-process",
        "activity_uuid": uuid,
        "status": "completed",
        "start": {"time_utc": "2026-11-20T18:44:09.665"},
        "stop": {"time_utc": "2026-11-20T18:44:11.073"},
        "system": {
            "ctapipe_version": "0.28.0",
            "platform": {"node": "vm"},
            "python": {"version": ["3", "11", "7"]},
            "arguments": ["ctapipe-process"],
        },
        "input": [],
        "output": [],
        "exit_code": 0,
        **more,
    }


def meta(
    product: str = "22222222-2222-4222-8222-222222222222",
    by: str = "11111111-1111-4111-8111-111111111111",
    form: str = "hdf5",
) -> dict:
    return {
        "CTA PRODUCT ID": product,
        "CTA ACTIVITY ID": by,
        "CTA PRODUCT FORMAT": form,
        "CTA PRODUCT DATA LEVELS": "DL1_IMAGES,DL2",
    }


def dumped(*arrays: list[dict]) -> str:
    return "".join(json.dumps(array, indent=3) for array in arrays)


def test_19_concatenated_arrays_are_read(read: Read) -> None:
    text = dumped([document("a" * 8)], [], [document("b" * 8), document("c" * 8)])
    assert len(of(Activity, read(text))) == 3


def test_19_a_truncated_document_costs_only_itself(read: Read) -> None:
    whole = dumped([document("a" * 8)], [document("b" * 8)])
    text = whole[:-300] + dumped([document("c" * 8)]) + whole[:100]
    records = read(text)
    assert [each.name[-8:] for each in of(Activity, records)] == ["a" * 8, "c" * 8]
    begins = [at for at in range(len(text)) if text.startswith('{\n      "activity_name"', at)]
    assert [(each.line, each.offset) for each in of(Quarantined, records)] == [
        (text.count("\n", 0, at) + 1, at) for at in (begins[1], begins[3])
    ]


def test_20_of_several_documents_of_one_uuid_the_last_wins(read: Read) -> None:
    records = read(dumped([document(exit_code=1)], [document(exit_code=0), document("b" * 8)]))
    assert [each.exit_code for each in of(Activity, records)] == [0, 0]
    assert remarks(records)[REPEATED] == 1


def test_21_a_status_that_is_the_name_means_completed(read: Read) -> None:
    [activity] = of(Activity, read(dumped([document(activity_name="mysub", status="mysub")])))
    assert (activity.status, activity.recorded_status) == ("completed", "mysub")


def test_21_a_status_that_is_any_other_word_proves_nothing(read: Read) -> None:
    assert of(Activity, read(dumped([document(status="odd")])))[0].status == ""


def test_22_nan_and_names_that_are_not_utf8_are_read(kg: KnowledgeGraph, write: Write) -> None:
    text = dumped(
        [
            document(
                config={"Tool": {"shift": float("nan"), "big": float("inf")}},
                input=[{"url": "/data/cam\udce9.zst", "role": "r", "reference_meta": None}],
            )
        ]
    )
    kg.ingest([write("x.log", text)])
    assert [each.location for each in kg.find("/data/cam\udce9.zst")] == [r"/data/cam\udce9.zst"]
    assert "https://provkg.example.org/file/site/data/cam%E9.zst" in {
        quad.subject.value for quad in kg.graph().quads(None, None, PKG.File)
    }


def test_23_fabricated_reference_metadata_is_dropped_and_counted(read: Read) -> None:
    output = [{"url": "/d/geom.fits", "role": "CameraGeometry", "reference_meta": meta(by="", form="")}]
    records = read(dumped([document(output=output)]))
    assert remarks(records)[FABRICATED] == 1
    assert relations(records, Kind.GENERATED)[0].subject == "file/site/d/geom.fits"


def test_24_an_output_whose_header_names_another_activity_is_not_that_ones(read: Read) -> None:
    output = [{"url": "/d/merged.h5", "role": None, "reference_meta": meta(by="33333333-3333-4333-8333-333333333333")}]
    records = read(dumped([document(status="error", exit_code=1, output=output)]))
    [generation] = relations(records, Kind.GENERATED)
    assert generation.subject == "file/site/d/merged.h5"
    assert generation.object.endswith("11111111-1111-4111-8111-111111111111")
    assert remarks(records)[HEADER] == 1
    assert not any("33333333" in each.object + each.subject for each in of(Relation, records))


def test_24_an_activity_without_recorded_outputs_is_read(read: Read) -> None:
    assert relations(read(dumped([document(output=[])])), Kind.GENERATED) == []


def test_25_a_running_copy_gives_way_to_the_complete_one_in_any_order(tmp_path: Path, write: Write) -> None:
    import provkg

    copy, whole = (
        write("copy.json", dumped([document(status="running", stop={}, exit_code=None)])),
        write("whole.log", dumped([document()])),
    )
    answers = set()
    for number, order in enumerate(([copy, whole], [whole, copy])):
        kg = provkg.open(tmp_path / f"s{number}")
        for path in order:
            kg.ingest([path])
        graph = kg.graph()
        [activity] = {quad.subject.value for quad in graph.quads(None, None, PROV.Activity)}
        answers.add(
            (
                tuple(graph.objects(activity, PKG.status)),
                tuple(graph.objects(activity, PROV.endedAtTime)),
                graph.digest(),
            )
        )
    [(status, ends, _)] = answers
    assert (status, len(ends)) == ((PKG.completed,), 1)


def test_25_a_running_activity_alone_is_running(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("copy.json", dumped([document(status="running", stop={}, exit_code=None)]))])
    assert [row["status"] for row in kg.ask("never-ended")] == ["running"]


def test_26_urls_with_dots_folders_and_no_role_are_places(read: Read) -> None:
    urls = ["/d/a/../b.h5", "/d/folder", "/d/x"]
    records = read(dumped([document(input=[{"url": url, "role": None, "reference_meta": None} for url in urls])]))
    assert [each.object for each in relations(records, Kind.USED)] == [f"file/site{url}" for url in urls]


def test_26_the_role_dl1_event_of_an_output_does_not_make_it_dl1(read: Read) -> None:
    records = read(dumped([document(output=[{"url": "/d/x.dl2.h5", "role": "DL1/Event", "reference_meta": None}])]))
    assert [each.level for each in of(Entity, records)] == [""]


def test_27_records_of_every_era_are_read(read: Read) -> None:
    era_2017 = {
        "activity_name": "sub",
        "start": {"time_utc": "2017-03-07T15:53:10.520", "memory": {"total": 1}},
        "stop": {"time_utc": "2017-03-07T15:53:10.531"},
        "system": {"ctapipe_version": "0.3.4"},
        "input": ["/d/in.txt"],
        "output": ["/d/out.txt"],
        "duration_min": 0.1,
    }
    early_failure = document("b" * 8, status="error", exit_code=2)
    old = document(
        "c" * 8,
        system={
            "platform": {"num_cpus": 2, "libcver": "('glibc', '2.17')"},
            "python": {"version": "3.7.3", "packages": [{"name": "numpy", "version": "1.1", "path": "/x"}]},
        },
        config={"Tool": {"lost": None}},
    )
    records = read(dumped([era_2017], [early_failure], [old]))
    assert len(of(Activity, records)) == 3
    assert relations(records, Kind.USED)[0].object == "file/site/d/in.txt"
    assert of(Activity, records)[0].extra == {"start.memory": {"total": 1}}
    assert of(Parameters, records)[0].values == {"Tool.lost": None}


def test_28_nested_activities_are_flat_and_named_by_their_program(read: Read) -> None:
    records = read(
        dumped([document("a" * 8, activity_name="inner"), document("b" * 8, activity_name="/usr/bin/python3")])
    )
    assert [each.label for each in of(Activity, records)] == ["inner", "/usr/bin/python3"]


def test_29_log_text_around_the_json_is_counted(read: Read) -> None:
    text = "\x1b[1;34mDEBUG\x1b[0m ctapipe.core: PROVENANCE: '" + dumped([document()]) + "'\nINFO done\n"
    records = read(text)
    assert len(of(Activity, records)) == 1
    assert remarks(records)[NO_RECORD] == 2


def test_29_the_name_of_the_file_does_not_matter(kg: KnowledgeGraph, write: Write) -> None:
    assert kg.ingest([write("a b:c 2026-11-20 18:44.txt", dumped([document()]))]).counts["activities"] == 1


# -- PROV documents ----------------------------------------------------------------------------------------------------

VOPROV = "http://www.ivoa.net/documents/ProvenanceDM/index.html#"
VOPROV_JSON = {
    "prefix": {"voprov": VOPROV, "ex": "http://example.org/", "id": "id:"},
    "entity": {"ex:a": {"prov:label": ["one", "two"]}, "id:x": {"voprov:size": {"$": "5", "type": "xsd:int"}}},
    "activity": {"ex:run": {"prov:name": "stack"}},
    "used": {"_:id1": {"prov:activity": "ex:run", "prov:entity": "ex:a", "prov:role": "image"}},
    "wasGeneratedBy": {"_:id2": {"prov:entity": "id:x", "prov:activity": "ex:run"}},
    "isDescribedBy": {"_:id3": {"voprov:described": "ex:run", "voprov:descriptor": "ex:stacking"}},
    "wasConfiguredBy": {
        "_:id4": {"voprov:configured": "ex:run", "voprov:configurator": "ex:p", "voprov:artefactType": "Parameter"}
    },
    "bundle": {
        "#description#ex:stacking": {"activityDescription": {"ex:stacking": {"voprov:version": "2"}}},
        "#configuration#ex:run": {"parameter": {"ex:p": {"prov:name": "n", "prov:value": 3}}},
    },
}


def test_30_voprov_json_is_read_with_its_own_statements_and_bundles(read: Read) -> None:
    records = read(json.dumps(VOPROV_JSON))
    text = "".join(mapped(records).source)
    assert (
        "<http://example.org/run> <https://w3id.org/provkg/voprov#isDescribedBy> <http://example.org/stacking>" in text
    )
    assert "<http://example.org/run> <https://w3id.org/provkg/voprov#wasConfiguredBy> <http://example.org/p>" in text
    assert '<http://example.org/p> <http://www.w3.org/ns/prov#value> "3"' in text
    assert of(Activity, records)[0].label == "stack"
    assert relations(records, Kind.USED)[0].role == "image"


def test_30_voprov_xml_has_a_root_of_its_own(read: Read) -> None:
    text = f"""<?xml version='1.0'?><voprov:document xmlns:prov="http://www.w3.org/ns/prov#" xmlns:voprov="{VOPROV}" xmlns:ex="http://example.org/">
    <voprov:entity voprov:id="ex:a"/><voprov:activity voprov:id="ex:run"><prov:label>stack</prov:label></voprov:activity>
    <voprov:used><prov:activity voprov:ref="ex:run"/><prov:entity voprov:ref="ex:a"/></voprov:used>
    <voprov:isDescribedBy><voprov:described voprov:ref="ex:run"/><voprov:descriptor voprov:ref="ex:d"/></voprov:isDescribedBy></voprov:document>"""
    records = read(text)
    assert [(each.subject, each.object) for each in relations(records, Kind.USED)] == [
        ("http://example.org/run", "http://example.org/a")
    ]
    assert [(each.subject, each.object) for each in relations(records, Kind.DESCRIBED)] == [
        ("http://example.org/run", "http://example.org/d")
    ]


def test_30_prov_n_with_statements_of_voprov_is_read(read: Read) -> None:
    text = f"""document
  default <{VOPROV}>
  prefix ex <http://example.org/>
  entity(ex:a)
  activity(ex:run, 2020-01-01T00:00:00, -, [prov:label="stack"])
  used(ex:run, ex:a, -, [prov:role="image"])
  isDescribedBy(ex:run, ex:d)
  parameter(ex:p, [prov:name="n", prov:value="3"])
endDocument"""
    records = read(text)
    assert len(relations(records, Kind.USED)) == len(relations(records, Kind.DESCRIBED)) == 1
    assert of(Activity, records)[0].start == "2020-01-01T00:00:00"


def test_31_local_ids_of_two_documents_stay_apart(read: Read) -> None:
    names = {
        relations(read(json.dumps({**VOPROV_JSON, "agent": {f"ex:{number}": {}}})), Kind.GENERATED)[0].subject
        for number in range(2)
    }
    assert len(names) == 2


def test_32_personal_data_stays_in_the_environment_and_nowhere_else(read: Read) -> None:
    record = session()
    record["system"] = {"environment": {"HOME": "/home/somebody", "USER": "somebody"}, **record["system"]}
    mapping = mapped(read(log(record)))
    assert not any("somebody" in quad for quad in mapping.source)
    assert [quad for quad in mapping.catalogue if "somebody" in quad] == [
        quad for quad in mapping.catalogue if f"<{PKG.json}>" in quad
    ]
