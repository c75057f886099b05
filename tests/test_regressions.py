"""What reviews found: each is a way in which the graph was wrong once."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import provkg
from provkg.errors import InputError, StoreError
from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from provkg.vocab import PKG, PROV, RDF_TYPE
from tests.conftest import environment
from tests.logs import activity, entity, line, log, md5, session
from tests.test_pitfalls import document, dumped, meta

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def ingested(tmp_path: Path) -> Callable[..., KnowledgeGraph]:
    """Ingest groups of files one after the other into a store of their own."""
    made = []

    def ingested(*groups: list[Path]) -> KnowledgeGraph:
        made.append(provkg.open(tmp_path / f"store{len(made)}"))
        for group in groups:
            made[-1].ingest(group)
        return made[-1]

    return ingested


def digests(ingested: Callable[..., KnowledgeGraph], *histories: tuple[list[Path], ...]) -> set[str]:
    return {ingested(*history).graph().digest() for history in histories}


def test_a_version_that_is_superseded_keeps_its_own_history(ingested, write: Write) -> None:
    a = write("a.log", log(session(), activity("aaaaaa", "make", used=("/d/raw",), generated=("/d/x",))))
    b = write("b.log", log(session(), activity("bbbbbb", "use", at=100, used=("/d/x",), generated=("/d/y",))))
    c = write("c.log", log(session(), activity("cccccc", "remake", at=50, used=("/d/raw2",), generated=("/d/x",))))
    assert len(list(ingested([a, b], [c]).ask("impact", product="/d/raw"))) == 1
    assert len(digests(ingested, ([a, b, c],), ([a, b], [c]), ([c], [b], [a]))) == 1


def test_ctapipe_and_lstosa_meet_at_a_path_in_any_order(ingested, write: Write) -> None:
    output = [{"url": "/d/x", "role": "DL1/Event", "reference_meta": meta()}]
    times = {"start": {"time_utc": "2023-03-13T07:00:00.000"}, "stop": {"time_utc": "2023-03-13T07:01:00.000"}}
    made = write("made.json", dumped([document(output=output, **times)]))
    used = write("used.log", log(activity("aaaaaa", used=("/d/x",), generated=("/d/y",))))
    histories = (([made, used],), ([made], [used]), ([used], [made]))
    for history in histories:
        steps = ingested(*history).lineage("/d/y")
        found = {(step.activityName, step.evidence) for step in steps}
        assert found == {("r0_to_dl1", "byTime"), ("ctapipe-process", "generated")}
    assert len(digests(ingested, *histories)) == 1


@pytest.mark.parametrize(
    "twice", [lambda text: text + text, lambda text: "".join(2 * each for each in text.splitlines(keepends=True))]
)
def test_lines_that_are_there_twice_count_once(ingested, write: Write, twice: Callable[[str], str]) -> None:
    text = log(
        session(),
        activity("aaaaaa", generated=("/d/a",)),
        activity("bbbbbb", at=10, used=("/d/a",), generated=("/d/b",)),
    )
    status = ingested([write("a.log", twice(text))]).status()
    assert (status["activities"], status["usages"], status["generations"], status["sessions"]) == (2, 1, 2, 1)


def test_an_entity_record_that_comes_back_counts_again(ingested, write: Write) -> None:
    one, two = entity("/d/run1"), {**entity("/d/run2"), "entity_id": md5("/d/run1")}
    records = activity("aaaaaa", generated=("/d/out",))
    records[1:1] = [
        one,
        two,
        one,
        {"activity_id": "aaaaaa", "used_id": md5("/d/run1"), "used_role": "in", "session_tag": "r0_to_dl1:01618"},
    ]
    assert [step.location for step in ingested([write("a.log", log(records))]).lineage("/d/out")] == ["/d/run1"]


def test_members_of_interleaved_sessions_stay_in_their_own_collection(ingested, write: Write) -> None:
    def made(local: str, tag: str) -> list[dict]:
        collection = {"entity_id": "COLL", "name": "Set", "type": "SetCollection", "session_tag": tag}
        start, end = activity(local, tag=tag, in_session=tag)
        return [
            start,
            collection,
            {"activity_id": local, "generated_id": "COLL", "generated_role": "set", "session_tag": tag},
            end,
        ]

    def member(path: str, tag: str) -> list[dict]:
        return [{**entity(path), "session_tag": tag}, {"entity_id": "COLL", "member_id": md5(path), "session_tag": tag}]

    kg = ingested(
        [
            write(
                "a.log", log(made("aaaaaa", "t:A"), made("bbbbbb", "t:B"), member("/d/a", "t:A"), member("/d/b", "t:B"))
            )
        ]
    )
    graph = kg.graph()
    members = {
        quad.subject.value: graph.objects(quad.object.value, PROV.entity)[0][-1]
        for quad in graph.quads(None, PKG.qualifiedMembership)
    }
    by = {graph.objects(collection, PROV.wasGeneratedBy)[0].split("/")[5]: path for collection, path in members.items()}
    assert {key[-1]: value for key, value in by.items()} == {"A": "a", "B": "b"}


def test_a_derivation_is_dated_by_the_activity_of_its_own_tag(ingested, write: Write) -> None:
    derived = {"entity_id": md5("/d/new"), "progenitor_id": md5("/d/old"), "session_tag": "t:A"}
    kg = ingested(
        [
            write(
                "a.log",
                log(
                    derived,
                    activity("bbbbbb", "other", tag="t:B"),
                    activity("aaaaaa", "mine", tag="t:A", used=("/d/new", "/d/old")),
                ),
            )
        ]
    )
    [by] = {quad.object.value for quad in kg.graph().quads(None, PKG.recordedBy)}
    assert by.split("/")[6] == "aaaaaa"


def test_a_derivation_of_a_prov_document_is_of_the_version_it_generates(ingested, write: Write) -> None:
    text = {
        "prefix": {"id": "id:", "default": "param:"},
        "entity": {"id:1": {"filepath": "/d/e1"}, "id:2": {"filepath": "/d/e2"}},
        "activity": {"id:a": {"prov:startTime": "2020-01-01T00:00:00"}},
        "used": {"_:1": {"prov:activity": "id:a", "prov:entity": "id:1"}},
        "wasGeneratedBy": {"_:2": {"prov:entity": "id:2", "prov:activity": "id:a"}},
        "wasDerivedFrom": {"_:3": {"prov:generatedEntity": "id:2", "prov:usedEntity": "id:1", "prov:activity": "id:a"}},
    }
    kg = ingested([write("a.json", json.dumps(text))])
    [made] = kg.find("/d/e2")
    assert kg.graph().objects(made.iri, PROV.wasDerivedFrom) == [kg.find("/d/e1")[0].iri]


def test_nothing_is_left_of_a_derivation_that_is_replaced(ingested, write: Write) -> None:
    records = activity("aaaaaa", used=("/d/new", "/d/old"), generated=("/d/out",))
    with_it = log(
        {"entity_id": md5("/d/new"), "progenitor_id": md5("/d/old"), "session_tag": "r0_to_dl1:01618"}, records
    )
    replaced = provkg.open("replaced")
    replaced.ingest([write("a.log", with_it)])
    replaced.ingest([write("a.log", log(records))])
    assert replaced.graph().digest() == ingested([write("a.log", log(records))]).graph().digest()


def test_the_same_bytes_made_later_were_not_read_before(ingested, write: Write) -> None:
    def bytes_at(path: str) -> dict:
        return {
            "entity_id": "x" + path,
            "entity_description": "File",
            "location": path,
            "hash": "ab" * 32,
            "hash_type": "sha256",
            "type": "File",
        }

    early, late = activity("aaaaaa", "early", generated=("/d/res",), tag=""), activity("bbbbbb", "copy", at=100, tag="")
    early[1:1] = [bytes_at("/d/raw"), {"activity_id": "aaaaaa", "used_id": "x/d/raw", "used_role": "in"}]
    late[1:1] = [
        bytes_at("/d/raw"),
        {"activity_id": "bbbbbb", "used_id": "x/d/raw", "used_role": "in"},
        bytes_at("/d/copy"),
        {"activity_id": "bbbbbb", "generated_id": "x/d/copy", "generated_role": "out"},
    ]
    assert [step.location for step in ingested([write("a.log", log(early, late))]).lineage("/d/res")] == ["/d/raw"]


def test_nothing_a_record_says_is_lost(ingested, write: Write) -> None:
    records = activity("aaaaaa", used=("/d/a",), generated=("/d/b",), parameters={"p": 1})
    for number, record in enumerate(records):
        record[f"odd{number}"] = f"value{number}"
    first = session()
    first["system"]["start_time_utc"] = "1999-12-31T23:59:59.5"
    kg = ingested(
        [
            write("a.log", log(first, records)),
            write(
                "b.json",
                dumped(
                    [
                        document(
                            input="text",
                            output=[
                                {"url": "/d/c", "role": None, "reference_meta": None, "odd": "kept"},
                                {"url": None, "odd": "too"},
                            ],
                            duration_min=3,
                        )
                    ]
                ),
            ),
        ]
    )
    everything = "".join(str(quad.object) for quad in kg.graph().quads())
    for kept in [
        *(f"value{number}" for number in range(len(records))),
        "kept",
        "too",
        "text",
        "1999-12-31T23:59:59.5",
    ]:
        assert kept in everything, kept


def test_an_end_that_says_it_failed_is_no_success(ingested, write: Write) -> None:
    records = activity("aaaaaa")
    records[-1]["status"] = "failed"
    graph = ingested([write("a.log", log(records))]).graph()
    assert {quad.object.value for quad in graph.quads(None, PKG.status)} == {PKG.failed}


def test_one_stream_does_not_replace_another(tmp_path: Path) -> None:
    for name in ("gammapy.log", "calibration.log"):
        done = subprocess.run(
            [sys.executable, "-m", "provkg", "--store", "s", "ingest", "-"],
            stdin=(sample() / name).open("rb"),
            capture_output=True,
            text=True,
            env=environment(),
            check=False,
        )
        assert "replaced" not in done.stdout
    assert provkg.open("s").status()["activities"] == 5


def test_a_named_pipe_is_read_whole(kg: KnowledgeGraph, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cp", sample() / "gammapy.log", tmp_path / "pipe"]):
        assert kg.ingest([tmp_path / "pipe"]).counts["activities"] == 3


def test_a_copy_stays_when_the_other_path_changes_after_an_upgrade(
    kg: KnowledgeGraph, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = log(activity("aaaaaa", used=("/d/a",), generated=("/d/b",)))
    one, two = write("one.log", text), write("two.log", text)
    kg.ingest([one, two])
    monkeypatch.setattr("provkg.ingest.transaction.VERSION", "99")
    kg.ingest([one])
    kg.ingest([write("one.log", log(activity("bbbbbb", used=("/d/c",))))])
    assert kg.find("/d/b")
    assert kg.status()["sources"] == 2


def test_what_grows_while_it_is_read_is_read_as_far_as_it_was_digested(kg: KnowledgeGraph, write: Write) -> None:
    from provkg.config import Config
    from provkg.readers import find_reader, open_source

    path = write("a.log", log(activity("aaaaaa")))
    source = open_source(path, Config())
    with path.open("a") as stream:
        stream.write(log(activity("bbbbbb", at=60)))
    reader = find_reader(source)
    assert reader
    assert not [record for record in reader.read(source) if "bbbbbb" in str(record)]


def test_two_sources_of_one_activity_give_one_answer_in_any_order(ingested, write: Write) -> None:
    def copy(stop: str, **more: object) -> str:
        times = {"start": {"time_utc": "2023-03-13T07:00:00.000"}, "stop": {"time_utc": f"2023-03-13T07:{stop}"}}
        return dumped([document(output=[{"url": "/d/x", "role": None, "reference_meta": None}], **times, **more)])

    one, two = write("1.json", copy("01:00.500")), write("2.json", copy("05:00.000"))
    used = write("u.log", log(activity("aaaaaa", used=("/d/x",), generated=("/d/y",))))
    assert (
        len(
            digests(ingested, ([one, two, used],), ([two, one], [used]), ([used], [two], [one]), ([two], [used], [one]))
        )
        == 1
    )


def test_a_product_at_two_paths_is_at_both_whichever_is_read_first(ingested, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    for name in ("a.h5", "b.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["CTA PRODUCT ID"] = "22222222-2222-4222-8222-222222222222"
            file.attrs["CTA ACTIVITY ID"] = "11111111-1111-4111-8111-111111111111"
            file.attrs["CTA PRODUCT FORMAT"] = "hdf5"
    (tmp_path / "b.h5").write_bytes((tmp_path / "a.h5").read_bytes())
    assert (
        len(digests(ingested, ([tmp_path / "a.h5", tmp_path / "b.h5"],), ([tmp_path / "b.h5"], [tmp_path / "a.h5"])))
        == 1
    )


def test_no_entity_is_used_and_generated_by_one_activity_even_by_its_product_id(ingested, write: Write) -> None:
    files = [{"url": "/d/x", "role": None, "reference_meta": meta()}]
    graph = ingested([write("a.json", dumped([document(input=files, output=files)]))]).graph()
    for quad in graph.quads(None, PROV.wasGeneratedBy):
        assert quad.subject.value not in graph.objects(quad.object.value, PROV.used)


@pytest.mark.parametrize(
    "text",
    [
        '<http://e.org/a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/prov#Activity> .\n',
        '{"@context": {"prov": "http://www.w3.org/ns/prov#", "used": {"@id": "prov:used", "@type": "@id"}}, "@id": "http://e.org/a", "@type": "prov:Activity", "used": "http://e.org/e"}',
        '\ufeff{"prefix": {"e": "http://e.org/"}, "activity": {"e:a": {}}}',
        "\ufeffdocument\nprefix e <http://e.org/>\nactivity(e:a)\nendDocument\n",
        '<http://e.org/a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/prov#Activity> <http://e.org/g> .\n',
    ],
)  # fmt: skip
def test_every_syntax_is_known_for_what_it_is(kg: KnowledgeGraph, write: Write, text: str) -> None:
    summary = kg.ingest([write("x", text)])
    assert [error.message for error in summary.errors] == []
    assert summary.counts["activities"] == 1


ODD = {
    "keys of several types": log(activity("aaaaaa", parameters={"p": {1: "a", "b": 2}})),
    "a member without a collection": line({"member_id": "x"}),
    "a system with a key that is no text": line({**session(), "system": {None: 1, "arguments": ["a"]}}),
    "an integer of 4,000 hex digits": log(activity("aaaaaa", ends=False)) + log(activity("aaaaaa", parameters={"p": 1})).replace("'p': 1", "'p': 0x" + "f" * 4000),
    "a number of 5,000 digits": dumped([document()]).replace('"exit_code": 0', '"exit_code": ' + "9" * 5000),
    "a duration of 401 digits": dumped([document(duration_min=10**400)]),
    "an exit code that is none": dumped([document(exit_code=True)]),
    "a mention": 'document\nprefix e <http://e.org/>\nbundle e:b\nentity(e:x)\nendBundle\nentity(e:y)\nmentionOf(e:y, e:x, e:b)\nendDocument\n',
    "a language that is none": json.dumps({"prefix": {"e": "http://e.org/"}, "entity": {"e:a": {"e:p": {"$": "x", "lang": "en us"}}}}),
    "a datatype that is none": json.dumps({"prefix": {"e": "http://e.org/"}, "entity": {"e:a": {"e:p": {"$": "x", "type": "e:my type>"}}}}),
    "a damaged archive": gzip.compress(b"x" * 1000)[:-12] + b"123456789012",
    "a start without a name": "".join(f"{record!r}\n" for record in [{"activity_id": None, "startTime": None}]),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_input_costs_nothing_but_itself(kg: KnowledgeGraph, write: Write, name: str) -> None:
    content = ODD[name]
    summary = kg.ingest([write("odd", content), sample() / "gammapy.log"])
    assert kg.status()["activities"] >= 3
    assert not any("failed:" in error.message for error in summary.errors)


# Year scale: what the reviews of the index, the servers and the parts found


def prov_json(**records: dict) -> str:
    return json.dumps({"prefix": {"ex": "http://ex.org/"}, **records})


def same_as_fresh(kg: KnowledgeGraph, files: list[Path], tmp_path: Path) -> bool:
    fresh = provkg.open(tmp_path / "fresh")
    fresh.ingest(files)
    return kg.graph().digest() == fresh.graph().digest() and all(check.ok for check in kg.doctor())


def test_a_replaced_source_leaves_what_others_derived_of_its_entities(kg: KnowledgeGraph, write, tmp_path) -> None:
    derived = {"_:d": {"prov:generatedEntity": "ex:e1", "prov:usedEntity": "ex:e0"}}
    first = write("a.json", prov_json(entity={"ex:e0": {}, "ex:e1": {}}, wasDerivedFrom=derived))
    second = write("b.json", prov_json(entity={"ex:e1": {"prov:label": "x"}}))
    kg.ingest([first, second])
    write("b.json", prov_json(entity={"ex:e1": {"prov:label": "y"}}))
    kg.ingest([second])
    assert [step.entity for step in kg.lineage("http://ex.org/e1")] == ["http://ex.org/e0"]
    assert same_as_fresh(kg, [first, second], tmp_path)


def test_an_end_that_another_source_tells_later_dates_what_was_written(kg: KnowledgeGraph, write, tmp_path) -> None:
    makes = activity("aaaaaa", "make", generated=("/d/x",), tag="")
    reads = activity("bbbbbb", "read", at=100, used=("/d/x",), generated=("/d/y",), tag="")
    started = write("w.log", "".join(line(each) for each in makes if "endTime" not in each))
    reader = write("r.log", "".join(map(line, reads)))
    whole = write("e.log", line(makes[0]) + line(makes[-1]))
    for path in (started, reader, whole):
        kg.ingest([path])
    assert "byTime" in {step.evidence for step in kg.lineage("/d/y")}
    assert same_as_fresh(kg, [started, reader, whole], tmp_path)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_one_source_says_was_used_and_another_made_is_joined(kg: KnowledgeGraph, write, tmp_path, order) -> None:
    used = prov_json(used={"_:u": {"prov:activity": "ex:a1", "prov:entity": "ex:e0"}})
    made = prov_json(wasGeneratedBy={"_:g": {"prov:entity": "ex:e1", "prov:activity": "ex:a1"}})
    files = [write("a.json", used), write("b.json", made)]
    for number in order:
        kg.ingest([files[number]])
    assert same_as_fresh(kg, files, tmp_path)


def test_a_level_told_later_reaches_the_summaries(kg: KnowledgeGraph, write, tmp_path) -> None:
    made = write(
        "a.json",
        prov_json(activity={"ex:a1": {}}, wasGeneratedBy={"_:g": {"prov:entity": "ex:e1", "prov:activity": "ex:a1"}}),
    )
    told = write(
        "b.ttl",
        "@prefix prov: <http://www.w3.org/ns/prov#> . <http://ex.org/e1> a prov:Entity ; "
        "<https://w3id.org/provkg/ns#dataLevel> <https://w3id.org/provkg/ns#DL2> .\n",
    )
    kg.ingest([made])
    kg.ingest([told])
    assert [row["level"] for row in kg.ask("completeness")] == ["DL2"]
    assert same_as_fresh(kg, [made, told], tmp_path)


def test_an_ingest_into_a_store_without_its_index_makes_it_first(kg: KnowledgeGraph, write, tmp_path) -> None:
    first = write("a.log", "".join(map(line, activity("aaaaaa", "make", generated=("/d/x",), tag=""))))
    second = write(
        "b.log", "".join(map(line, activity("bbbbbb", "read", at=100, used=("/d/x",), generated=("/d/y",), tag="")))
    )
    kg.ingest([first])
    for path in kg.graph().beside.iterdir():
        path.unlink()
    kg.ingest([second])
    assert same_as_fresh(kg, [first, second], tmp_path)


def test_a_night_that_nobody_observed_is_found_among_the_summaries(kg: KnowledgeGraph) -> None:
    kg.ingest([sample()])
    with kg.store.write() as writing:
        node, graph = f"<{writing.base}summary/ghost>", f"<{writing.base}graph/summaries>"
        facts = (
            f"<{RDF_TYPE}> <{PKG.NightSummary}>",
            f'<{PKG.night}> "20991231"',
            f'<{PKG.activityLabel}> "r0_to_dl1"',
            f'<{PKG.activityCount}> "7"',
        )
        writing.load("".join(f"{node} {fact} {graph} .\n" for fact in facts))
    assert [check.name for check in kg.doctor() if not check.ok] == ["summaries"]
    kg.reindex()
    assert all(check.ok for check in kg.doctor())


def test_parts_never_replace_files_of_others(kg: KnowledgeGraph, tmp_path: Path) -> None:
    kg.ingest([sample()])
    folder = tmp_path / "parts"
    kg.write_parts(folder)
    kg.write_parts(folder)  # our own are replaced
    (folder / "mine.nq").write_text("<urn:a> <urn:b> <urn:c> <urn:g> .\n")
    with pytest.raises(StoreError, match=r"mine\.nq"):
        kg.write_parts(folder)
    assert (folder / "mine.nq").exists()


@pytest.mark.parametrize(
    "query",
    [
        'INSERT { GRAPH <urn:evil> { <urn:a> <urn:b> "x"@service } } WHERE { { SELECT (1 AS ?x) {} } }',
        "DROP GRAPH <urn:x> ; INSERT DATA { <urn:a> <urn:b> <urn:c> } # SERVICE",
        "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "define get:soft <http://127.0.0.1:1/> SELECT * { ?s ?p ?o }",
    ],
)
def test_no_query_that_writes_or_asks_elsewhere_is_sent_to_a_server(query: str) -> None:
    from provkg.store.sparql import check

    with pytest.raises(SyntaxError):
        check(query)


def test_a_secret_is_in_no_address_and_no_time_is_endless() -> None:
    from provkg.config import Remote

    for wrong in (
        {"update": "http://me:SECRET@h/"},
        {"graph_store": "file:///etc/passwd"},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
    ):
        with pytest.raises(InputError) as caught:
            Remote(**wrong)
        assert "SECRET" not in str(caught.value)
