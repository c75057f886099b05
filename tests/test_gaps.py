"""Gaps: each kind of record that is lost is found, as one gap, and nothing else."""

import gzip
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

import provkg
from provkg.config import Config
from provkg.errors import InputError
from provkg.gaps import Gaps, read_listing
from provkg.knowledge import KnowledgeGraph
from tests.logs import activity, entity, line, md5, session
from tests.test_cli import provkg as command
from tests.test_night import night as night_of

Write = Callable[[str, str | bytes], Path]
Record = dict[str, Any]
NIGHT = "20230312"
STEPS = {  # what each reads and makes
    "flat": (("raw", "RawObservationFile"), ("flat", "FlatFile")),
    "r0_to_dl1": (("raw", "R0SubrunDataset"), ("out", "DL1SubrunDataset")),
    "clean": (("in", "DL1SubrunDataset"), ("out", "DL1CleanDataset")),
    "dl1_to_dl2": (("in", "DL1CleanDataset"), ("out", "DL2SubrunDataset")),
    "merge": (("in", "DL2SubrunDataset"), ("out", "DL2MergedFile")),
}


def definition() -> str:
    """Return the definition.yaml of these steps."""
    activities = {
        name: {
            "usage": [{"role": used[0], "entityName": used[1]}],
            "generation": [{"role": made[0], "entityName": made[1]}],
        }
        for name, (used, made) in STEPS.items()
    }
    entities = {kind: {"type": "File"} for pair in STEPS.values() for _, kind in pair}
    return yaml.safe_dump({"activities": activities, "entities": entities}, sort_keys=False)


def step(
    name: str, at: int, used: dict[str, tuple[str, str]], made: dict[str, tuple[str, str]], run: str = "r1"
) -> list[Record]:
    """Return the records of a call: role and kind of each path."""
    records = activity(f"{name[:3]}{at:03d}", name, at=at, in_session=run, tag=run)
    end = records.pop()
    for verb, files in (("used", used), ("generated", made)):
        for path, (role, kind) in files.items():
            records += [
                {**entity(path, kind), "session_tag": run},
                {
                    "activity_id": records[0]["activity_id"],
                    f"{verb}_id": md5(path),
                    f"{verb}_role": role,
                    "session_tag": run,
                },
            ]
    return [*records, end]


def night() -> list[Record]:
    """A calibration, two runs of six subruns, and what was merged of each run."""
    records: list[Record] = [session("r0", run="0", tag="r0")]
    records += step(
        "flat", 0, {"/a/R0/raw.flat": ("raw", "RawObservationFile")}, {"/a/cal/flat": ("flat", "FlatFile")}, "r0"
    )
    at = 10
    for run in ("r1", "r2"):
        records.append(session(run, run=run[1], tag=run))
        merged: dict[str, tuple[str, str]] = {}
        for sub in range(6):
            raw, dl1, clean, dl2 = (f"/a/{level}/{NIGHT}/{run}.{sub}" for level in ("R0", "DL1", "DL1/clean", "DL2"))
            records += step(
                "r0_to_dl1",
                at,
                {
                    raw: ("raw", "R0SubrunDataset"),
                    "/a/cal/flat": ("flat", "FlatFile"),
                    "/etc/config": ("config", "ConfigFile"),
                },
                {dl1: ("out", "DL1SubrunDataset")},
                run,
            )
            records += step(
                "clean",
                at + 10,
                {dl1: ("in", "DL1SubrunDataset"), "/etc/config": ("config", "ConfigFile")},
                {clean: ("out", "DL1CleanDataset")},
                run,
            )
            records += step(
                "dl1_to_dl2", at + 20, {clean: ("in", "DL1CleanDataset")}, {dl2: ("out", "DL2SubrunDataset")}, run
            )
            merged[dl2] = ("in", "DL2SubrunDataset")
            at += 30
        records += step("merge", at, merged, {f"/a/DL2/{NIGHT}/{run}.merged": ("out", "DL2MergedFile")}, run)
        at += 10
    return records  # fmt: skip


def archive() -> list[str]:
    """All files of the night, without what lies elsewhere."""
    paths = {each["filepath"] for each in night() if "filepath" in each}
    return sorted(path for path in paths if path.startswith("/a/"))


def found(
    kg: KnowledgeGraph, write: Write, records: list[Record], paths: list[str] | None = None, defined: bool = True
) -> Gaps:
    kg.ingest([write("night.log", "".join(line(each) for each in records))])
    listing = write("listing", "\n".join(archive() if paths is None else paths) + "\n")
    options = {"definition": write("definition.yaml", definition())} if defined else {}
    return kg.gaps(listing, roots=["/a"], **options)


def told(gaps: Gaps) -> list[tuple[str, str, int, int]]:
    return [(each.kind, each.what, each.number, each.behind) for each in gaps.gaps]


def dropped(wanted: Callable[[Record], bool], *, first: bool = True) -> list[Record]:
    """Return the night without one record, or without all of a sort."""
    records, gone = [], 0
    for each in night():
        if wanted(each) and (not gone or not first):
            gone += 1
        else:
            records.append(each)
    assert gone
    return records


DL1, CLEAN, DL2 = f"/a/DL1/{NIGHT}/r1.2", f"/a/DL1/clean/{NIGHT}/r1.2", f"/a/DL2/{NIGHT}/r1.2"


def test_a_night_that_is_whole_has_no_gaps(kg: KnowledgeGraph, write: Write) -> None:
    gaps = found(kg, write, night())
    assert told(gaps) == []
    assert {
        (cell.night, cell.level): (cell.files, cell.recorded, cell.ghosts, cell.percent) for cell in gaps.matrix
    } == {
        (NIGHT, "R0"): (12, 12, 0, 100.0),
        ("?", "R0"): (1, 1, 0, 100.0),
        (NIGHT, "DL1"): (24, 24, 0, 100.0),
        (NIGHT, "DL2"): (14, 14, 0, 100.0),
        (NIGHT, "?"): (1, 1, 0, 100.0),
    }
    assert gaps.below(100) == []
    assert gaps.assumed == {"nights taken from the path": 12}


def start_of(name: str, number: int = 2) -> str:
    return [each for each in night() if each.get("name") == name and "activity_id" in each][number]["activity_id"]


def is_end(local: str) -> Callable[[Record], bool]:
    return lambda each: each.get("activity_id") == local and "endTime" in each


LOST: dict[str, tuple[Callable[[], list[Record]], list[tuple[str, str, int, int]]]] = {
    "session": (
        lambda: dropped(lambda each: each.get("session_id") == "r1"),
        [("unfinished", "session r1", 19, 0)],
    ),
    "start": (
        lambda: dropped(lambda each: each.get("activity_id") == start_of("clean") and "startTime" in each),
        [("unfinished", "start of an activity", 1, 2)],
    ),
    "end": (
        lambda: dropped(is_end(start_of("r0_to_dl1"))),
        [("unfinished", "end of r0_to_dl1 2023-03-13T08:01:10.00012Z", 1, 3)],
    ),
    "used, the only one": (
        lambda: dropped(lambda each: each.get("activity_id") == start_of("clean") and each.get("used_role") == "in"),
        [("broken chain", "clean 2023-03-13T08:01:20.00012Z reads nothing as 'in'", 1, 2)],
    ),
    "used, one of several": (
        lambda: dropped(lambda each: each.get("activity_id") == start_of("r0_to_dl1") and each.get("used_role") == "raw"),
        [("missing input", "r0_to_dl1 2023-03-13T08:01:10.00012Z reads nothing as 'raw'", 1, 3)],
    ),
    "used, one of many": (
        lambda: dropped(lambda each: each.get("used_id") == md5(DL2)),
        [("unread", DL2, 1, 0)],
    ),
    "generated": (
        lambda: dropped(lambda each: each.get("generated_id") == md5(DL1)),
        [("orphan", DL1, 1, 3)],
    ),
    "generated, of a calibration": (
        lambda: dropped(lambda each: each.get("generated_id") == md5("/a/cal/flat")),
        [("orphan", "/a/cal/flat", 1, 38)],
    ),
    "generated, the last": (
        lambda: dropped(lambda each: each.get("generated_id") == md5(f"/a/DL2/{NIGHT}/r2.merged")),
        [("orphan", f"/a/DL2/{NIGHT}/r2.merged", 1, 0)],
    ),
    "a whole step": (
        lambda: [each for each in night() if not any(str(each.get("activity_id", "")).startswith(word) for word in ("dl1",))],
        [("silent step", "dl1_to_dl2", 12, 0)],
    ),
    "what a file is, when it was made": (
        lambda: dropped(lambda each: each.get("filepath") == DL1),
        [("orphan", DL1, 1, 3)],  # an id was made, and nothing says of which path
    ),
    "what a file is, said before": (  # nothing is lost
        lambda: [each for number, each in enumerate(night()) if number != max(at for at, record in enumerate(night()) if record.get("filepath") == DL1)],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("lost", LOST)
def test_each_kind_of_record_that_is_lost_is_one_gap_and_nothing_else_is(
    kg: KnowledgeGraph, write: Write, lost: str
) -> None:
    records, expected = LOST[lost]
    assert told(found(kg, write, records())) == expected


def test_a_file_that_is_gone_is_a_ghost(kg: KnowledgeGraph, write: Write) -> None:
    gaps = found(kg, write, night(), [path for path in archive() if path != DL1])
    assert told(gaps) == [("ghost", DL1, 1, 0)]
    [cell] = gaps.below(100)
    assert (cell.night, cell.level, cell.files, cell.ghosts, cell.percent) == (NIGHT, "DL1", 23, 1, 95.8)


def test_files_that_the_graph_does_not_know_are_orphans_of_their_folder(kg: KnowledgeGraph, write: Write) -> None:
    more = [f"/a/DL2/{NIGHT}/extra.{number}" for number in range(3)]
    gaps = found(kg, write, night(), [*archive(), *more])
    assert told(gaps) == [("orphan", f"/a/DL2/{NIGHT}/", 3, 0)]
    assert (gaps.gaps[0].night, gaps.gaps[0].level) == (NIGHT, "DL2")
    assert gaps.assumed["levels taken from the path"] == 3
    assert told(found(kg, write, night(), [*archive(), f"/a/R0/{NIGHT}/never.used"])) == []  # raw data that nobody used


def test_a_log_that_is_lost_leaves_its_files_as_orphans(kg: KnowledgeGraph, write: Write) -> None:
    gaps = found(kg, write, [each for each in night() if "r2" not in (each.get("session_tag"), each.get("session_id"))])
    assert {(each.kind, each.what, each.number) for each in gaps.gaps} == {
        ("orphan", f"/a/DL1/{NIGHT}/", 6),
        ("orphan", f"/a/DL1/clean/{NIGHT}/", 6),
        ("orphan", f"/a/DL2/{NIGHT}/", 7),
    }
    assert gaps.assumed["raw files that nobody used (left out)"] == 6


def test_the_definition_can_be_one_that_was_ingested(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("definition.yaml", definition())])
    lost = [each for each in night() if not str(each.get("activity_id", "")).startswith("dl1")]
    assert told(found(kg, write, lost, defined=False)) == [("silent step", "dl1_to_dl2", 12, 0)]


def test_one_night_can_be_chosen(kg: KnowledgeGraph, write: Write) -> None:
    found(kg, write, night(), [path for path in archive() if path != DL1])
    listing = write("listing", "\n".join(path for path in archive() if path != DL1))
    assert len(kg.gaps(listing, roots=["/a"], nights=["2023-03-12"]).gaps) == 1
    assert kg.gaps(listing, roots=["/a"], nights=["20230401"]).gaps == ()


# Listings


@pytest.mark.parametrize(
    "content",
    [
        "/a/x y\n/a/b\n",
        "12 1678694400.123 /a/x y\n0 1678694400 /a/b\n",
        "/a/x y\t12\n/a/b\t0\n",
        f"{'0' * 64}  /a/x y\n{'1' * 64} */a/b\n",
        "size,path\n1,/a/x y\n2,/a/b\n",
        'id\tlocation\n1\t"/a/x y"\n2\t/a/b\n',
        gzip.compress(b"/a/x y\n/a/b\n", mtime=0),
    ],
)
def test_a_listing_is_read_in_the_format_that_it_has(write: Write, content: str | bytes) -> None:
    listing = read_listing(write("listing", content), Config())
    assert listing.paths == {"/a/x y", "/a/b"}
    assert (listing.roots, listing.unread) == (("/a",), ())


def test_a_line_that_is_no_path_is_told_and_the_rest_is_read(write: Write, kg: KnowledgeGraph) -> None:
    path = write("sums", f"{'0' * 64}  /a/b\nnothing\n{'0' * 64}  /a/c\n")
    listing = read_listing(path, Config())
    assert listing.paths == {"/a/b", "/a/c"}
    assert [error.message for error in listing.unread] == [f"{path}:2: no path in this line"]
    kg.ingest([])
    found(kg, write, night())
    assert command("--store", kg.store.name, "gaps", str(path)).returncode == 4
    with pytest.raises(InputError):
        read_listing("/never", Config())


def test_a_folder_is_walked_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "file").write_text("")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    listing = read_listing(tmp_path / "in", Config())
    assert (listing.paths, listing.roots) == ({str(tmp_path / "in" / "deep" / "file")}, (str(tmp_path / "in"),))


def test_relative_paths_begin_where_the_listing_lies(write: Write) -> None:
    path = write("listing", "./b\nc/../d\n")
    assert read_listing(path, Config()).paths == {str(path.parent / "b"), str(path.parent / "d")}
    assert read_listing(path, Config(), ["/a"]).paths == {"/a/b", "/a/d"}


# The command


class Cells(HTMLParser):
    """Collect what stands in each cell of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_the_command_as_table_json_and_html(kg: KnowledgeGraph, write: Write) -> None:
    nasty = f"/a/DL2/{NIGHT}/<script>alert(1)</script>"
    found(kg, write, night(), [*archive(), nasty])
    listing = write("listing", "\n".join([*archive(), nasty]))
    arguments = ("--store", kg.store.name, "gaps", str(listing), "--root", "/a")
    done = command(*arguments, "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == 1
    assert [each["what"] for each in facts["gaps"]] == [nasty]
    assert {cell["percent"] for cell in facts["matrix"]} == {100.0, 93.3}
    assert "1 gaps under /a: 1 orphan" in done.stderr
    parser = Cells()
    parser.feed(command(*arguments, "--format", "html").stdout)
    assert nasty in parser.cells
    assert any("93.3 % !" in cell for cell in parser.cells)
    assert "script" not in parser.tags
    table = command(*arguments, "--format", "table").stdout
    assert "93.3" in table
    assert "orphan" in table
    assert command(*arguments, "--min", "93").returncode == 0
    assert command(*arguments, "--min", "94").returncode == 1


def test_the_night_of_the_bench_has_no_gaps_but_its_hazards(shared: Path, tmp_path: Path) -> None:
    kg = provkg.open(tmp_path / "store")
    kg.ingest([night_of(shared, tmp_path / "night", "--runs", "3", "--subruns", "8")])
    rows = kg.graph().select(
        "SELECT DISTINCT ?p { ?f a <https://w3id.org/provkg/ns#File> ; <https://w3id.org/provkg/ns#location> ?p }"
    )
    paths = sorted(str(row["p"].value) for row in rows)  # type: ignore[union-attr]
    (tmp_path / "listing").write_text("\n".join(path for path in paths if path.startswith("/fefs/aswg/data/")))
    gaps = kg.gaps(tmp_path / "listing")
    unended = [row["activity"] for row in kg.ask("never-ended")]
    assert [each.kind for each in gaps.gaps] == ["unfinished"] * len(unended)
