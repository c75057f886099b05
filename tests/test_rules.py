"""Rules speak up while records come: once for each trouble, and for nothing else."""

import http.server
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import provkg
from provkg.errors import InputError
from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from provkg.watch import RULES, Alarm, AlarmFile, Rules, WebHook
from tests.logs import activity, log, session
from tests.test_cli import provkg as command
from tests.watching import Watcher, until

Write = Callable[[str, str | bytes], Path]


def spoken(kg: KnowledgeGraph, rules: Rules, *paths: Path) -> list[Alarm]:
    summary = kg.ingest(paths)
    return list(rules.look(kg.graph(), summary.activities, summary.sessions))


def made(night: str, number: int, *records: object, version: str = "v0.9.13", tag: str = "r0_to_dl1:01618") -> str:
    begun = session(number, observation_date=night, software_version=version, tag=tag)
    return log(begun, *records)  # type: ignore[arg-type]


def step(local: str, name: str = "r0_to_dl1", *, number: int, **more: object) -> list[dict[str, object]]:
    return activity(local, name, in_session=number, **more)  # type: ignore[arg-type]


def test_a_calibration_of_another_night_is_said(kg: KnowledgeGraph, write: Write) -> None:
    rules = Rules()
    first = write("a.log", made("20230311", 1, step("aaaaaa", "calibrate_charge", number=1, generated=("/cal/x.h5",))))
    assert spoken(kg, rules, first) == []
    used = (("/cal/x.h5", "Calibration file"), ("/raw/y.fz", "Raw observation file"))
    second = write("b.log", made("20230312", 2, step("bbbbbb", at=60, number=2, used=used, generated=("/dl1/z.h5",))))
    (alarm,) = spoken(kg, rules, second)
    assert alarm.rule == "calibration-of-another-night"
    assert alarm.night == "20230312"
    assert alarm.text == "r0_to_dl1 of run 01618 (begun 2023-03-13T08:01:00Z) of 20230312 read x.h5 of 20230311"
    assert spoken(kg, rules, second) == []
    third = write("c.log", made("20230311", 3, step("cccccc", at=90, number=3, used=used, generated=("/dl1/w.h5",))))
    assert spoken(kg, rules, third) == [], "of its own night"


def test_another_version_in_the_same_night_is_said(kg: KnowledgeGraph, write: Write) -> None:
    rules = Rules()
    assert spoken(kg, rules, write("a.log", made("20230312", 1, step("aaaaaa", number=1)))) == []
    assert spoken(kg, rules, write("b.log", made("20230313", 2, step("bbbbbb", number=2), version="v0.10.0"))) == []
    (alarm,) = spoken(kg, rules, write("c.log", made("20230312", 3, step("cccccc", number=3), version="v0.10.0")))
    assert alarm.rule == "version-change"
    assert alarm.text == "lstchain v0.10.0 runs in the night 20230312, in which v0.9.13 ran"
    assert spoken(kg, rules, write("d.log", made("20230312", 4, step("dddddd", number=4)))) == [], "both are known"


def test_an_activity_that_says_nothing_for_long_is_said(kg: KnowledgeGraph, write: Write) -> None:
    now = [0.0]
    rules = Rules(silence=600, clock=lambda: now[0])
    records = step("aaaaaa", number=1, used=("/raw/a",), ends=False)
    path = write("a.log", made("20230312", 1, records))
    assert spoken(kg, rules, path) == []
    now[0] = 500
    path.write_text(path.read_text() + log(step("aaaaaa", number=1, used=("/raw/b",), ends=False)[1:]))
    assert spoken(kg, rules, path) == []
    now[0] = 1000
    assert list(rules.tick(kg.graph())) == [], "it spoke 500 s ago"
    now[0] = 1101
    (alarm,) = rules.tick(kg.graph())
    assert (alarm.rule, alarm.night) == ("silent", "20230312")
    assert "has said nothing for 10 minutes, and has not ended" in alarm.text
    assert list(rules.tick(kg.graph())) == []


def test_an_activity_that_ends_is_not_silent(kg: KnowledgeGraph, write: Write) -> None:
    now = [0.0]
    rules = Rules(silence=600, clock=lambda: now[0])
    spoken(kg, rules, write("a.log", made("20230312", 1, step("aaaaaa", number=1, ends=False))))
    spoken(kg, rules, write("a.log", made("20230312", 1, step("aaaaaa", number=1))))
    now[0] = 10_000
    assert list(rules.tick(kg.graph())) == []


def test_what_began_long_before_is_not_waited_for(kg: KnowledgeGraph, write: Write) -> None:
    now = [0.0]
    rules = Rules(silence=600, clock=lambda: now[0], since="2023-03-14")
    spoken(kg, rules, write("a.log", made("20230312", 1, step("aaaaaa", number=1, ends=False))))
    now[0] = 10_000
    assert list(rules.tick(kg.graph())) == []


def test_what_never_ended_while_its_process_began_something_else_is_said(kg: KnowledgeGraph, write: Write) -> None:
    rules = Rules()
    first, second = step("aaaaaa", number=1, ends=False), step("bbbbbb", "dl1ab", at=60, number=1)
    path = write("a.log", made("20230312", 1, first))
    assert spoken(kg, rules, path) == []
    path.write_text(path.read_text() + log(second))
    (alarm,) = spoken(kg, rules, path)
    assert alarm.rule == "never-ended"
    assert alarm.text.startswith("r0_to_dl1 of run 01618 (begun 2023-03-13T08:00:00Z) never ended: dl1ab")
    other = step("cccccc", "dl1ab", at=90, number=1, tag="r0_to_dl1:01619")
    assert spoken(kg, rules, write("b.log", log(other))) == [], "of another process"


@pytest.mark.parametrize("names", [frozenset(), frozenset({"version-change"}), frozenset(RULES)])
def test_only_the_rules_that_are_wanted_speak(kg: KnowledgeGraph, names: frozenset[str]) -> None:
    found = spoken(kg, Rules(names), sample())
    assert {alarm.rule for alarm in found} <= names


def test_the_command_says_them_on_stdout_into_a_file_and_to_a_web_hook(
    tmp_path: Path, watcher: Watcher, write: Write
) -> None:
    taken: list[dict[str, str]] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(503 if len(taken) == 1 else 204)  # the first time it is too busy
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = write("a.log", made("20230312", 1, step("aaaaaa", number=1)))
    url = f"http://127.0.0.1:{server.server_port}/alarms"
    alarms = tmp_path / "alarms.jsonl"
    running = watcher(path.parent, "--alarms", alarms, "--webhook", url, "--json")
    write("b.log", made("20230312", 2, step("bbbbbb", number=2), version="v0.10.0"))
    until(lambda: len(taken) == 2)
    server.shutdown()
    running.terminate()
    assert running.stdout is not None
    told = [json.loads(line) for line in running.stdout.read().splitlines()]
    (alarm,) = [each for each in told if "rule" in each]
    assert alarm["rule"] == "version-change"
    assert {**taken[0], "time": ""} == {**taken[1], "time": ""} == {**alarm, "time": ""}
    assert [json.loads(line)["rule"] for line in alarms.read_text().splitlines()] == ["version-change"]
    assert AlarmFile(alarms).said() == {("version-change", "20230312 lstchain v0.10.0")}


def test_what_a_file_holds_is_not_said_again(tmp_path: Path) -> None:
    file = AlarmFile(tmp_path / "alarms.jsonl")
    file.tell(Alarm("silent", "x", "https://a.example/1"))
    with file.path.open("a") as stream:
        stream.write('{"rule": "sil')  # torn
    assert AlarmFile(file.path).said() == {("silent", "https://a.example/1")}


def test_a_web_hook_that_is_none_and_a_file_that_cannot_be_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no web hook"):
        WebHook("file:///etc/passwd", print)
    done = command("--store", tmp_path / "store", "watch", tmp_path, "--alarms", tmp_path)
    assert done.returncode == 3
    assert "Is a directory" in done.stderr


def test_a_web_hook_that_does_not_answer_is_said() -> None:
    failed: list[str] = []
    hook = WebHook("http://127.0.0.1:9/none", failed.append)
    hook.tell(Alarm("silent", "x", "https://a.example/1"))
    hook.close()
    assert [text[:42] for text in failed] == ["http://127.0.0.1:9/none did not take an al"]


def test_the_library_gives_them_too(kg: KnowledgeGraph, write: Write) -> None:
    stop = threading.Event()
    path = write("a.log", made("20230312", 1, step("aaaaaa", number=1)))
    for number, found in enumerate(provkg.open(kg.store.name).watch([path.parent], stop=stop, rules=Rules())):
        if number == 0:
            write("b.log", made("20230312", 2, step("bbbbbb", number=2), version="v0.10.0"))
        if isinstance(found, Alarm):
            stop.set()
            assert found.rule == "version-change"
    assert stop.is_set()
