"""A log of what was captured is read where it grew; an activity is told when all of it is there."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provkg
from provkg import identity
from provkg.knowledge import KnowledgeGraph
from provkg.readers import capture, capturelog, stretches
from provkg.resources import sample
from provkg.shelves import Shelf
from provkg.store import text_of
from provkg.vocab import LEDGER, PKG, SUMMARIES
from provkg.watch import Watching
from tests.test_ledger import sound

Write = Callable[[str, str | bytes], Path]
SHA = "sha256:" + "ab" * 31


def record(kind: str, id_: str, **facts: Any) -> dict[str, Any]:
    return {"provkg": 1, "kind": kind, "id": id_, **facts}


def at(minute: int) -> str:
    return f"2026-11-30T{minute // 60:02}:{minute % 60:02}:00Z"


def file(path: str, minute: int, **facts: Any) -> dict[str, Any]:
    return {"path": path, "size": 7, "mtime_ns": minute, "time": at(minute), **facts}


def told(number: int, dice: random.Random) -> list[dict[str, Any]]:
    """Return the records of an activity; digests come late, some never end, some are dry runs."""
    id_, dry = f"a{number}", {"dry": True} if number % 7 == 6 else {}
    read, wrote = file(f"/data/{dice.randrange(9)}", number), file(f"/data/{number % 9}", number)
    records = [
        record("start", id_, name=f"step{number % 3}", time=at(number), session=f"s{number % 2}", **dry),
        record("used", id_, role="in", **read, **dry),
        record("parameter", id_, name="cut", value=number % 4, **dry),
        record("generated", id_, role="out", **wrote, **dry),
        record("path", id_, path=f"/data/undecided{number}", **dry),
    ]
    if number % 5 == 0:
        collection = {"path": wrote["path"]}
        records += [record("member", id_, collection=collection, member={"path": f"/data/m{number}"}, **dry)]
    if number % 4 != 3:
        records.append(record("end", id_, time=at(number + 3), status="completed", **dry))
    for each in (read, wrote):
        if dice.random() < 0.7:
            digest = {key: each[key] for key in ("path", "size", "mtime_ns")}
            records.append(record("digest", id_, **digest, digest=SHA + f"{each['mtime_ns'] % 9:02x}", **dry))
    return records


def log(count: int = 30, seed: int = 1) -> list[str]:
    """Return the lines of a log into which some processes write."""
    dice = random.Random(seed)
    system = {"platform": {"node": "cp1"}, "python": {"version": "3.12"}}
    lines: list[Any] = []
    for number in range(2):
        lines.append({"provkg": 1, "kind": "environment", "digest": f"e{number}", "system": system | {"n": number}})
        lines.append(record("session", f"s{number}", environment=f"e{number}", time=at(0), agent="me"))
    waiting = [told(number, dice) for number in range(count)]
    late: list[Any] = []
    while waiting:
        which = dice.choice(waiting[:3])
        each = which.pop(0)
        (late if each["kind"] == "digest" and dice.random() < 0.5 else lines).append(each)
        if late and dice.random() < 0.1:  # long after the end of what it is of
            lines.append(late.pop(0))
        waiting = [each for each in waiting if each]
        if dice.random() < 0.1:
            lines.append(dice.choice(["INFO nothing", '{"provkg":1,"kind":"torn', '"id": "torn"}', ""]))
    lines += late
    return [(each if isinstance(each, str) else json.dumps(each, separators=(",", ":"))) + "\n" for each in lines]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_BYTES", 2_000)


@settings(max_examples=6)
@given(
    cuts=st.lists(st.floats(0, 1), max_size=5),
    seed=st.integers(0, 9),
    most=st.sampled_from((0, 2_000, Shelf.most)),
    held=st.sampled_from((3, capturelog.MOST_HELD)),
    watched=st.booleans(),
)
def test_a_log_may_grow_by_any_pieces(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[float], seed: int, most: int, held: int, watched: bool
) -> None:
    text = "".join(log(20, seed)).encode()
    folder = tmp_path_factory.mktemp("grows")
    kg, whole = provkg.open(folder / "store"), provkg.open(folder / "whole")
    path = folder / "a.jsonl"
    watching = Watching(kg.store, [path])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shelf, "most", most)
        patch.setattr(capturelog, "MOST_HELD", held)
        for cut in [*sorted(cuts), 1]:
            path.write_bytes(text[: round(cut * len(text))])
            if watched:
                with kg.store.session() as session:
                    watching.batch(session, [path])
            else:
                kg.ingest([path])
        watching.close()
        whole.ingest([path])
    assert kg.graph().digest() == whole.graph().digest()
    assert sound(kg)
    assert len(whole.sources()[0].stretches) > 3


@settings(max_examples=6)
@given(seed=st.integers(0, 1_000))
def test_sessions_environments_and_digests_may_stand_anywhere(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    lines, folder, dice = log(12, seed % 10), tmp_path_factory.mktemp("orders"), random.Random(seed)
    free = [each for each in lines if re.search('"kind":"(session|environment|digest)"', each)]
    mixed = [each for each in lines if each not in free]
    for each in free:
        mixed.insert(dice.randrange(len(mixed) + 1), each)
    found = []
    for number, written in enumerate((lines, mixed)):
        kg = provkg.open(folder / f"store{number}")
        (folder / f"{number}.jsonl").write_text("".join(written))
        kg.ingest([folder / f"{number}.jsonl"])
        assert sound(kg)
        found.append(statements(kg))
    assert found[0] ^ found[1] == set()


def test_an_activity_of_many_records_is_told_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"resources": {"cpu_user_seconds": 1.5, "unknown": 2}, "error": "no light", "exit": 3}
    lines = log(20, 3)
    lines.append(json.dumps(record("start", "long", name="long", time=at(50), session="s0")) + "\n")
    lines += [json.dumps(record("used", "long", **file(f"/data/u{each}", each))) + "\n" for each in range(9)]
    lines.append(json.dumps(record("end", "long", time=at(60), status="failed", **about)) + "\n")
    (tmp_path / "a.jsonl").write_text("".join(lines))
    found = []
    for most in (10_000, 4):
        monkeypatch.setattr(capturelog, "MOST_HELD", most)
        kg = provkg.open(tmp_path / f"store{most}")
        kg.ingest([tmp_path / "a.jsonl"])
        assert sound(kg)
        found.append(statements(kg))
    assert found[0] == found[1]


def statements(kg: KnowledgeGraph) -> set[tuple[str, str, str]]:
    """Return all statements, but those on lines, and but the texts of what a dry run would have done."""
    graph = kg.graph()
    left = {graph.iri(LEDGER), graph.iri(SUMMARIES)}
    quads = [quad for quad in graph.quads() if text_of(quad.graph_name) not in left]
    found = {(text_of(quad.subject), quad.predicate.value, text_of(quad.object)) for quad in quads}
    plans = graph.iri("plan/")
    return {fact for fact in found if fact[1] != PKG.line and not (fact[1] == PKG.extra and fact[0].startswith(plans))}


def test_only_what_is_new_is_read_and_a_late_digest_is_evidence(
    kg: KnowledgeGraph, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    line = capture.Reading.line
    monkeypatch.setattr(capture.Reading, "line", lambda self, raw: looked.append(len(raw)) or line(self, raw))  # type: ignore[func-returns-value]
    lines = log(30)
    made = record("generated", "late", role="out", **file("/new", 80))
    lines += [json.dumps(record("start", "late", name="late", time=at(80))) + "\n", json.dumps(made) + "\n"]
    lines += [json.dumps(record("end", "late", time=at(81), status="completed")) + "\n"]
    used = record("used", "user", **file("/new", 90, digest=SHA + "ff"))
    lines += [json.dumps(record("start", "user", name="user", time=at(90))) + "\n", json.dumps(used) + "\n"]
    lines += [json.dumps(record("end", "user", time=at(91), status="completed")) + "\n"]
    kg.ingest([write("a.jsonl", "".join(lines))])
    assert evidence(kg) == PKG.byTime
    looked.clear()
    digest = record("digest", "late", **file("/new", 80, digest=SHA + "ff"))
    late = json.dumps(digest) + "\n"
    summary = kg.ingest([write("a.jsonl", "".join([*lines, late]))])
    assert (looked, summary.grown) == ([len(late)], 1)
    assert evidence(kg) == PKG.byContent
    assert sound(kg)


def test_a_digest_of_what_was_used_can_come_long_after_the_end(tmp_path: Path) -> None:
    """The activity was told in a stretch that is closed; only its digest is in what is new."""
    used = (file("/x", 10), file("/y", 10))
    told = [
        *(
            record("start", "maker", name="make", time=at(1)),
            record("generated", "maker", **file("/x", 2, digest=SHA + "ff")),
        ),
        *(record("end", "maker", time=at(3), status="completed"), record("start", "other", name="make", time=at(4))),
        *(record("generated", "other", **file("/x", 5)), record("end", "other", time=at(6), status="completed")),
        record("start", "user", name="use", time=at(9)),
        *(record("used", "user", **each) for each in used),
        *(record("generated", "user", **file("/z", 11)), record("end", "user", time=at(12), status="completed")),
    ]
    first = [json.dumps(each) + "\n" for each in told]
    late = [json.dumps(record("digest", "user", path="/x", size=7, mtime_ns=10, digest=SHA + "ff")) + "\n"]
    kg, whole, path = provkg.open(tmp_path / "store"), provkg.open(tmp_path / "whole"), tmp_path / "a.jsonl"
    for lines in (first, first + log(40), first + log(40) + late):
        path.write_text("".join(lines))
        kg.ingest([path])
        assert sound(kg)
    whole.ingest([path])
    assert kg.graph().digest() == whole.graph().digest()
    assert PKG.byContent in {
        found
        for node in kg.graph().objects(
            kg.graph().iri("activity/capture/user"), "http://www.w3.org/ns/prov#qualifiedUsage"
        )
        for found in kg.graph().objects(node, PKG.evidence)
    }


def usage(kg: KnowledgeGraph) -> str:
    (node,) = kg.graph().objects(kg.graph().iri("activity/capture/user"), "http://www.w3.org/ns/prov#qualifiedUsage")
    return node


def evidence(kg: KnowledgeGraph) -> str:
    (found,) = kg.graph().objects(usage(kg), PKG.evidence)
    return found


def test_what_comes_after_the_end_is_told_too(kg: KnowledgeGraph, write: Write) -> None:
    begin = [record("start", "a", name="n", time=at(1)), record("end", "a", time=at(2), status="completed")]
    after = [
        record("used", "a", **file("/late/input", 1)),
        record("parameter", "a", name="late", value=3),
        record("end", "a", time=at(9), status="failed", error="too late"),
        record("derived", "a", entity={"path": "/late/output"}, source={"path": "/late/input"}),
    ]
    kg.ingest([write("a.jsonl", "".join(json.dumps(each) + "\n" for each in begin + after))])
    graph = kg.graph()
    activity = graph.iri("activity/capture/a")
    assert graph.objects(activity, PKG.status) == [PKG.completed]
    assert "too late" in graph.objects(activity, PKG.extra)[0]
    assert graph.objects(activity, "http://www.w3.org/ns/prov#qualifiedUsage")
    assert graph.objects(graph.iri(identity.file("/late/output", "site")), PKG.location) == ["/late/output"]
    assert sound(kg)
    kg.ingest([sample()])
    assert sound(kg)
