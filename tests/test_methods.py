"""Explain and cite: every number has its record, nothing in a record is markup, and others can read what is written."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pybtex.database import parse_string

import provkg
from provkg.config import Config
from provkg.errors import InputError
from provkg.knowledge import KnowledgeGraph, open_with
from provkg.methods import Explanation, read_known
from provkg.resources import sample
from tests.logs import activity, entity, line, md5, session
from tests.test_cli import provkg as command

Write = Callable[[str, str | bytes], Path]
PRODUCT = "crab_spectrum.fits"
NASTY = "a_b}%$&#~^\\input{x}\n<script>*[x](y)\x1b[2J"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    kg = provkg.open(tmp_path_factory.mktemp("methods") / "store")
    kg.ingest([sample()])
    return kg


@pytest.fixture(scope="module")
def told(asked: KnowledgeGraph) -> Explanation:
    return asked.explain(PRODUCT)


def test_each_sentence_with_a_number_has_a_reference_to_records_that_are_there(told: Explanation) -> None:
    by_number = {each.number: each for each in told.references}
    for sentence in (each for some in told.paragraphs for each in some):
        assert sentence.references or not re.search(r"\d", sentence.text), sentence.text
        for reference in (by_number[number] for number in sentence.references):
            lines = Path(reference.path).read_text(errors="replace").splitlines()
            for at in (reference.first, reference.last):
                assert re.search("activity_id|activity_name", "".join(lines[at - 1 : at + 1])), reference
    assert {number for some in told.paragraphs for each in some for number in each.references} == set(by_number)


def test_the_numbers_are_those_that_questions_give(asked: KnowledgeGraph, told: Explanation) -> None:
    text = told.text()
    counts = {str(row["step"]): int(row["times"] or 0) for row in asked.ask("steps", product=PRODUCT)}
    said = {
        name: 1 if times == "once" else int(times.split()[0])
        for name, times in re.findall(r"(\S+)(?: \([^)]*\))? was run (once|\d+ times)", text)
    }
    assert said == counts
    assert f"Its history has {sum(counts.values())} steps of {len(counts)} types" in text
    raw = list(asked.ask("raw-files", product=PRODUCT))
    assert sum(int(number) for number in re.findall(r"It comes from (\d+) products? of level", text)) == len(raw)
    inputs = sum(
        int(row["all"] or 0)
        for row in asked.ask("grade", product=PRODUCT)
        if row["criterion"] == "inputs that are known by content or identity"
    )
    assert f"Of {inputs} inputs" in text
    programs = {(row["package"], row["version"]) for row in asked.ask("software", product=PRODUCT)}
    for name, version in re.findall(r"\((ctapipe|lstchain) ([^)]+)\) was run", text):
        assert (name, version) in programs
    assert asked.recipe(PRODUCT).recipe in text


def test_the_same_history_gives_the_same_words(asked: KnowledgeGraph, told: Explanation) -> None:
    other = provkg.open("memory:")
    other.ingest(sorted(sample().glob("*.log"), reverse=True))
    other.ingest([sample()])
    assert other.explain(PRODUCT).text() == told.text() == asked.explain(PRODUCT).text()


def test_what_nobody_recorded_is_said(asked: KnowledgeGraph) -> None:
    [only, *_] = [each.text for some in asked.explain("reg_disp.sav").paragraphs for each in some]
    assert only == "Nobody recorded making /data/models/2022b/reg_disp.sav."
    assert "Which program get_spectrum was is not recorded." in asked.explain(PRODUCT).text()


def nasty() -> str:
    """A call in which every text that a record has is hostile."""
    records: list[Any] = [session(software_version=NASTY)]
    records += activity("a", NASTY, parameters={NASTY: NASTY})
    end = records.pop()
    made = {**entity(f"/d/{NASTY}"), "session_tag": "r0_to_dl1:01618"}
    relation = {
        "activity_id": "a",
        "generated_id": md5(f"/d/{NASTY}"),
        "generated_role": NASTY,
        "session_tag": "r0_to_dl1:01618",
    }
    return "".join(line(each) for each in [*records, made, relation, end])


def test_nothing_in_a_record_is_markup(kg: KnowledgeGraph, write: Write) -> None:
    kg.ingest([write("a.log", nasty())])
    [product] = [row["entity"] for row in kg.ask("made-by-step", step=NASTY)]
    found = kg.explain(str(product))
    assert "\x1b" not in found.text()
    assert "\n<script>" not in found.text()
    assert not re.search(r"(?<!\\)[<*\[](?!\^)", re.sub(r"\[\^\d+\]", "", found.markdown()))
    latex = found.latex()
    assert r"\input" not in latex
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    entries = parse_string(kg.citations(str(product)).bibtex(), "bibtex").entries
    assert set(entries) == {entry.key for entry in kg.citations(str(product)).entries}
    cff = yaml.safe_load(kg.citations(str(product)).cff())
    assert cff["title"].startswith("a_b}%$&#")


# Citations


def test_another_program_reads_the_bibtex(asked: KnowledgeGraph) -> None:
    found = asked.citations(PRODUCT)
    entries = parse_string(found.bibtex(), "bibtex").entries
    assert list(entries) == [each.key for each in found.entries]
    ctapipe = entries["ctapipe-0-24-0-2023"]
    assert ctapipe.type == "inproceedings"
    assert str(ctapipe.persons["author"][0]) == "Linhoff, Maximilian"
    assert ctapipe.fields["doi"] == "10.22323/1.444.0703"
    assert entries["lstchain-v0-9-13"].fields["version"] == "v0.9.13"
    assert entries["product-crab-spectrum-fits"].fields["title"] == r"crab\_spectrum.fits"
    assert entries["data-r0-20230312"].fields["note"].startswith("8 files: ")
    assert (found.unknown, found.accounts) == ((), ("astronomer", "pipeline"))


def test_packages_are_cited_when_they_are_asked_for(asked: KnowledgeGraph) -> None:
    keys = {each.key for each in asked.citations(PRODUCT, packages=True).entries}
    assert {key for key in keys if key.startswith(("numpy", "astropy"))}
    assert not {each.key for each in asked.citations(PRODUCT).entries if each.key.startswith("numpy")}


def test_the_citation_file_has_what_its_format_asks_for(asked: KnowledgeGraph) -> None:
    """https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema.json: the required keys."""
    facts = yaml.safe_load(asked.citations(PRODUCT).cff())
    assert {"cff-version", "message", "title", "authors"} <= facts.keys()
    assert (facts["cff-version"], facts["type"]) == ("1.2.0", "dataset")
    known = {"type", "title", "authors", "doi", "url", "version", "journal", "notes", "year", "collection-title"}
    for each in facts["references"]:
        assert {"type", "title", "authors"} <= each.keys() <= known
        assert each["type"] in {"article", "conference-paper", "software", "data", "generic"}
        assert all(
            {"name"} == person.keys() or {"family-names", "given-names"} == person.keys() for person in each["authors"]
        )


def test_csl_json_has_types_and_dates(asked: KnowledgeGraph) -> None:
    entries = {each["id"]: each for each in json.loads(asked.citations(PRODUCT).csl())}
    gained = entries["ctapipe-0-24-0-2023"]
    assert (gained["type"], gained["issued"], gained["author"][0]) == (
        "paper-conference",
        {"date-parts": [[2023]]},
        {"family": "Linhoff", "given": "Maximilian"},
    )


def test_a_user_can_say_how_programs_are_cited(asked: KnowledgeGraph, write: Write) -> None:
    path = write("mine.yaml", "lstchain: {title: Our lstchain, doi: 10.1/x, authors: ['Doe, J.']}\n")
    kg = open_with(Config(citations=(str(path),)), asked.store.name)
    [mine] = [each for each in kg.citations(PRODUCT).entries if each.key.startswith("lstchain")]
    assert dict(mine.fields)["title"] == "Our lstchain"


@pytest.mark.parametrize(
    "text", ["[1]", "a: {year: 1}", "a: [{title: x, type: song}]", "a: [", "!!python/name:os.system x"]
)
def test_a_file_of_citations_that_cannot_be_read_is_an_error(write: Write, text: str) -> None:
    with pytest.raises(InputError):
        read_known([write("bad.yaml", text)])


def test_a_program_without_a_citation_is_told(kg: KnowledgeGraph, write: Write) -> None:
    text = json.dumps(
        [
            {
                "activity_name": "x",
                "activity_uuid": "1",
                "status": "completed",
                "start": {"time_utc": "2023-01-01T00:00:00"},
                "stop": {"time_utc": "2023-01-01T00:00:01"},
                "system": {"ctapipe_version": "1"},
                "input": [],
                "output": [{"url": "/d/x", "role": "DL1"}],
            }
        ]
    )
    kg.ingest([write("p.json", text)])
    mine = write("none.yaml", "ctapipe: []\n")
    found = open_with(Config(citations=(str(mine),)), kg.store.name).citations("/d/x")
    assert found.unknown == ()
    assert dict(found.entries[1].fields)["title"] == "ctapipe"
    done = command("--store", kg.store.name, "cite", "/d/x", "--json")
    assert json.loads(done.stdout)["entries"][1]["title"].startswith("ctapipe ")


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "json"])
def test_the_command_explains_in_each_form(asked: KnowledgeGraph, form: str) -> None:
    done = command("--store", asked.store.name, "explain", PRODUCT, "--format", form)
    assert done.returncode == 0
    assert "get" in done.stdout
    if form == "json":
        assert json.loads(done.stdout)["references"][0]["number"] == 1
    assert command("--store", asked.store.name, "explain", "/d/never").returncode == 5
