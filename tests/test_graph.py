"""Pictures: the same bytes each time, links beside each other, nothing that runs, and never more shapes than wanted."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provkg
from provkg.errors import InputError, MissingExtra
from provkg.graphview import FORMATS, Links, draw
from provkg.knowledge import KnowledgeGraph
from provkg.resources import sample
from provkg.rollup import Node, Relation, Rollup, budgeted, fold, load, view_of
from tests.conftest import environment
from tests.test_cli import provkg as command
from tests.views import random_view, run_log

RULES = load()
FLUX = "crab_flux_points.fits"
PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
dot_is_there = pytest.mark.skipif(
    shutil.which("dot") is None, reason="graphviz is not installed: apt-get install graphviz"
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"]; evil [label="x',
    "\\N\\G\\E\\l\\",
    "</title></svg><script>",
    "a&b<c>'d'",
    "line\nbreak\ttab\x00\x1b[31m",
    "|{}|<port>",
    "\u202egnp.exe",
    "%%{init: {}}%%",
    "x" * 5000,
    "<<B>html</B>>",
]


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("graph")
    kg = provkg.open(folder / "store")
    (folder / "run.log").write_text(run_log(49, failed=(7,)))
    kg.ingest([sample(), folder / "run.log"])
    return kg


def shapes(svg: bytes, kind: str = "node") -> list[ElementTree.Element]:
    return [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.get("class") == kind]


def words(element: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def tip(element: ElementTree.Element) -> str:
    return element.findtext(f"{SVG}title") or ""


# What a picture says


@dot_is_there
def test_a_run_says_how_many_subruns_and_what_failed_stands_apart(sampled: KnowledgeGraph) -> None:
    svg = sampled.picture("svg", run="06269", grain="run")
    said = [words(shape) for shape in shapes(svg)]
    assert ["lstchain_dl1ab", "48 times: all ok"] in said
    [failed] = [each for each in said if "never ended" in " ".join(each)]
    assert failed[0] == "lstchain_data_r0_to_dl1"
    full = len(sampled.rollup(run="06269").folds)
    whole = [words(shape) for shape in shapes(sampled.picture("svg", run="06269", grain="run", nodes=full))]
    assert ["lstchain_data_r0_to_dl1", "49 times: 48 ok, 1 never ended"] in whole  # there was no room for it


@dot_is_there
@pytest.mark.parametrize("nodes", [1, 2, 5, 20, 60, 500])
def test_there_are_at_most_so_many_shapes(sampled: KnowledgeGraph, nodes: int) -> None:
    svg = sampled.picture("svg", nodes=nodes)
    assert 1 <= len(shapes(svg)) <= nodes
    found = json.loads(sampled.picture("json", nodes=nodes))
    assert len(found["nodes"]) == len(shapes(svg))
    assert sum(node["count"] for node in found["nodes"]) == len(sampled.view().nodes)
    told = sum(each["count"] for each in found["relations"]) + len(found["inside"])
    assert told == len(sampled.view().relations)


@dot_is_there
def test_shapes_lead_to_their_pages_and_names_of_files_to_the_files(sampled: KnowledgeGraph) -> None:
    svg = sampled.picture("svg", product=FLUX)
    links = [link.get(HREF) or "" for link in ElementTree.fromstring(svg).iter(f"{SVG}a") if link.get(HREF)]
    assert any(link.startswith("file:///") and link.endswith(FLUX) for link in links)
    assert sampled.find(FLUX)[0].iri in links
    for link in ElementTree.fromstring(svg).iter(f"{SVG}a"):
        assert link.find(f".//{SVG}a") is None, "a link in a link leads nowhere"
    elsewhere = Links("https://archive.example/?id={iri}", "https://archive.example/{location}?n={name}")
    svg = sampled.picture("svg", product=FLUX, links=elsewhere)
    links = [link.get(HREF) or "" for link in ElementTree.fromstring(svg).iter(f"{SVG}a") if link.get(HREF)]
    assert all(link.startswith("https://archive.example/") for link in links)
    assert any(link.endswith(f"/{FLUX}?n={FLUX}") for link in links)
    assert any("?id=https%3A%2F%2Fprovkg.example.org%2F" in link for link in links)


@pytest.mark.parametrize(
    ("template", "error"),
    [
        ("javascript:alert('{iri}')", "leads nowhere"),
        ("{colour}", "no field"),
        ("data:text/html,{iri}", "leads nowhere"),
    ],
)
def test_a_template_that_leads_astray_is_refused(template: str, error: str) -> None:
    with pytest.raises(InputError, match=error):
        Links(page=template)
    with pytest.raises(InputError, match=error):
        Links(file=template)


@dot_is_there
def test_who_points_listens_or_tabs_is_told_the_same(sampled: KnowledgeGraph) -> None:
    svg = sampled.picture("svg", run="06269", grain="run")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "graphics-document"
    assert "run 06269" in (root.get("aria-label") or "")
    for shape in shapes(svg):
        assert tip(shape).splitlines()[0].startswith(words(shape)[0][:5])
        assert "https://provkg.example.org/" in tip(shape)
    [dl1ab] = [shape for shape in shapes(svg) if words(shape)[0] == "lstchain_dl1ab"]
    assert "StoreImage = false" in tip(dl1ab)
    assert "48 members: " in tip(dl1ab)
    order = [words(shape)[0] for shape in shapes(svg)]  # as Tab goes: what was first comes first
    assert order.index("RunSummaryFile") < order.index("lstchain_data_r0_to_dl1") < order.index("DL2MergedFile")
    lines = {tip(edge) for edge in shapes(svg, "edge")}
    assert any(line.startswith("used, 48 relations\n") for line in lines)


@dot_is_there
@pytest.mark.parametrize("form", FORMATS)
def test_the_same_picture_twice_is_the_same_bytes(sampled: KnowledgeGraph, form: str) -> None:
    first = sampled.picture(form, product=FLUX)
    assert first == sampled.picture(form, product=FLUX)
    code = f"import sys, provkg; sys.stdout.buffer.write(provkg.open({sampled.store.name!r}).picture({form!r}, product={FLUX!r}))"
    again = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=environment() | {"PYTHONHASHSEED": "7"}
    )
    assert again.stdout == first


@dot_is_there
def test_a_page_of_a_run_fits_a_landscape_a4_and_can_be_read(sampled: KnowledgeGraph) -> None:
    """No letter is smaller than 6 points."""
    from functools import partial

    from provkg.graphview.dot import smallest
    from provkg.graphview.drawing import _readable
    from provkg.graphview.picture import picture_of

    pdf = sampled.picture("pdf", run="06269", grain="run")
    [box] = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", pdf)
    width, height = map(float, box)
    assert width <= 842
    assert height <= 595
    rolled = sampled.rollup(run="06269", grain="run", nodes=60)
    assert smallest(_readable(partial(picture_of, rolled, "run", RULES, Links()))) >= 6


@dot_is_there
def test_shapes_are_told_apart_without_colour(sampled: KnowledgeGraph) -> None:
    svg = sampled.picture("svg", run="06269", grain="run", agents=True, nodes=60)
    for shape in shapes(svg):
        kind = {"ellipse": "entity", "polygon": "activity or agent"}
        drawn = [each.tag.removeprefix(SVG) for each in shape.iter() if each.tag.removeprefix(SVG) in kind]
        many = any(word in " ".join(words(shape)[1:]) for word in ("files", "versions", "times", "sub-runs"))
        assert len(drawn) == (2 if many else 1), words(shape)  # double where they are several
    [failed] = [shape for shape in shapes(svg) if "never ended" in " ".join(words(shape))]
    assert any(each.get("stroke-dasharray") for each in failed.iter())


@pytest.mark.parametrize("name", ["run", "product"])
@dot_is_there
def test_the_pictures_of_the_readme_are_what_is_drawn(name: str, tmp_path: Path) -> None:
    kg = provkg.open(tmp_path / "store")
    (tmp_path / "run.log").write_text(run_log(49, failed=(7,)))
    kg.ingest([sample(), tmp_path / "run.log"])
    said = {"run": {"run": "06269", "grain": "run"}, "product": {"product": FLUX, "nodes": 40}}[name]
    drawn, kept = kg.picture("svg", **said), (PICTURES / f"{name}.svg").read_bytes()
    for kind in ("node", "edge"):  # where each stands differs by version of graphviz and by font
        assert [(tip(each), words(each)) for each in shapes(drawn, kind)] == [
            (tip(each), words(each)) for each in shapes(kept, kind)
        ]


# What a picture must not do


def hostile() -> Rollup:
    nodes = [
        Node(
            f"javascript:alert({n})",
            ("activity", "entity", "agent")[n % 3],
            text,
            f"/d/{text}",
            parameters=((text, text),),
        )
        for n, text in enumerate(HOSTILE)
    ]
    relations = [Relation("used", nodes[n].iri, nodes[n + 1].iri, text) for n, text in enumerate(HOSTILE[:-1])]
    view = view_of(nodes, relations, base="https://x.example/")
    return fold(view, {})


@dot_is_there
def test_nothing_in_a_name_becomes_part_of_the_picture() -> None:
    svg = draw(hostile(), "svg", title=HOSTILE[0], rules=RULES)
    root = ElementTree.fromstring(svg)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        *("svg", "g", "title", "a", "polygon", "ellipse", "path", "text", "polyline")
    }
    assert len(shapes(svg)) == len(HOSTILE)
    assert not [link for link in root.iter(f"{SVG}a") if (link.get(HREF) or "").startswith(("javascript", "data"))]
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on")]
    assert any(tip(shape).startswith(HOSTILE[0]) for shape in shapes(svg))
    for form in ("pdf", "png"):
        assert draw(hostile(), form, title=HOSTILE[1], rules=RULES)


def test_nothing_in_a_name_becomes_part_of_a_flowchart() -> None:
    lines = draw(hostile(), "mermaid", title=HOSTILE[8], rules=RULES).decode().splitlines()
    assert lines[1] == "flowchart BT"
    for line in lines[2:]:
        assert re.fullmatch(
            r"  (n\d+[\[({]+\"[^\"<>`]*\"[\])}]+:::\w+|n\d+ [-.>o]+(\|\"[^\"<>`]*\"\|)? n\d+|classDef .*|click .*)",
            line.replace("<br>", ""),
        ), line
    assert not [line for line in lines if "javascript" in line]


def test_nothing_in_a_name_reaches_the_terminal() -> None:
    text = draw(hostile(), "text", title=HOSTILE[5], rules=RULES).decode()
    assert not set(text) & {"\x00", "\x1b", "\u202e"}
    assert len(text.splitlines()) == len(HOSTILE) + 1


@dot_is_there
@settings(max_examples=8)
@given(seed=st.integers(0, 999), size=st.integers(1, 200), nodes=st.sampled_from([3, 60]))
def test_any_graph_can_be_drawn(seed: int, size: int, nodes: int) -> None:
    rolled = budgeted(random_view(seed, size, 4 * size, 12), RULES, nodes=nodes)
    svg = draw(rolled, "svg", title="any", rules=RULES)
    assert len(shapes(svg)) == len(rolled.folds)
    text = draw(rolled, "text", title="any", rules=RULES).decode()
    assert all(text.count(fold.iri) == 0 for fold in rolled.folds.values())


def test_a_chain_of_a_thousand_steps_is_no_deeper_than_it_is() -> None:
    nodes = [Node(f"urn:{n}", "activity", f"t{n}") for n in range(1500)]
    view = view_of(nodes, [Relation("wasInformedBy", f"urn:{n + 1}", f"urn:{n}") for n in range(1499)])
    assert len(draw(fold(view, {}), "text", title="chain", rules=RULES).splitlines()) == 1501
    assert len(budgeted(view, RULES, nodes=60).folds) <= 60


# The command


def test_without_graphviz_the_other_formats_are_there(
    sampled: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra, match="needs graphviz"):
        sampled.picture("svg", product=FLUX)
    for form in ("dot", "mermaid", "text", "json"):
        assert sampled.picture(form, product=FLUX)
    store = sampled.store.name
    done = command("--store", store, "graph", FLUX, "-o", "x.svg", PATH=str(tmp_path))
    assert (done.returncode, "hint: apt-get install graphviz" in done.stderr) == (3, True)
    assert not Path("x.svg").exists()


@dot_is_there
def test_the_name_of_the_file_says_the_format(sampled: KnowledgeGraph, tmp_path: Path) -> None:
    store, begins = (
        sampled.store.name,
        {
            "a.svg": b"<?xml",
            "a.pdf": b"%PDF",
            "a.png": b"\x89PNG",
            "a.dot": b"digraph",
            "a.mmd": b"%%",
            "a.txt": b"run",
            "a.json": b"{",
        },
    )
    for name, start in begins.items():
        done = command("--store", store, "graph", "--run", "6269", "--grain", "run", "-o", tmp_path / name)
        assert (done.returncode, done.stdout) == (0, "")
        assert (tmp_path / name).read_bytes().startswith(start)
        assert f"{name}: " in done.stderr
    assert command("--store", store, "graph", "--run", "06269", "-o", "a.gif").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["graph"], 2),
        (["graph", FLUX, "--all"], 2),
        (["graph", FLUX, "--own"], 2),
        (["graph", "--run", "99999"], 5),
        (["graph", "--all", "--level", "nowhere"], 3),
        (["graph", "--all", "--nodes", "0"], 2),
        (["graph", "--all", "--link", "javascript:{iri}"], 3),
        (["graph", "--all", "-o", "no/such/x.txt"], 3),
        (["ask", "night-overview", "night=20230312", "--grain", "run"], 3),
        (["ask", "raw-files", FLUX, "--grain", "run", "--format", "votable"], 2),
        (["lineage", FLUX, "--grain", "run", "--format", "tree"], 2),
        (["lineage", FLUX, "--grain", "run"], 0),
        (["ask", "raw-files", FLUX, "--grain", "run"], 0),
    ],
)
def test_exit_statuses(sampled: KnowledgeGraph, arguments: list[str], status: int) -> None:
    done = command("--store", sampled.store.name, *arguments)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_the_outline_reads_like_a_history(sampled: KnowledgeGraph) -> None:
    text = command("--store", sampled.store.name, "graph", FLUX, "--nodes", "40").stdout
    assert text == (Path(__file__).parent / "cases" / "flux.outline").read_text()


def test_json_has_every_member(sampled: KnowledgeGraph) -> None:
    found = json.loads(
        command("--store", sampled.store.name, "graph", "--run", "06269", "--grain", "run", "--json").stdout
    )
    view = sampled.view(run="06269")
    assert sorted(member for node in found["nodes"] for member in node["members"]) == sorted(view.nodes)
    [step] = [node for node in found["nodes"] if node.get("type") == "lstchain_dl1ab"]
    assert (step["count"], step["statuses"], step["parameters"]) == (
        48,
        {"completed": 48},
        {"PedestalCleaning": "true", "StoreImage": "false"},
    )
