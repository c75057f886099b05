"""Every canned question on a night, against the truth where it is known, and beside the same SPARQL without the index.

    python benchmarks/questions.py [--folder NIGHT] [--rounds 5]
    python benchmarks/questions.py --stores SMALL LARGE [--rounds 3]

FOLDER holds the logs of a night; without it one is made. SMALL and LARGE are folders of stores, as ``year.py`` makes
them: then each question is asked of both. Values for the questions are found in the (small) store. Plain SPARQL, and
each question of two stores, run in a process of their own, that is ended after 10 seconds or five minutes.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median as middle
from typing import Any

from logs import night, options
from measure import Part, median, ms, rounds, short, step, timed
from subjects import subjects

import provkg
from provkg.questions import Question, bound, in_order
from provkg.questions.choices import choices
from provkg.store import text_of
from provkg.vocab import PKG, PROV, RDFS_LABEL, VP

LIMIT = 300  # seconds for a question on two stores
PLAIN = 10  # seconds for plain SPARQL
DOWN = {"impact", "descendants", "released-impact", "remake-order"}
_USUAL = {"step": "r0_to_dl1", "check": "dl1_datacheck", "kind": "RFModelEnergyFile", "parameter": "ObservationRun"}


class Values:
    """Values for the parameters of questions."""

    def __init__(self, kg: provkg.KnowledgeGraph) -> None:
        self.kg, self.graph = kg, kg.graph()
        asked = {each.name: each.iri for each in subjects(kg)}
        made = self.first(f"?value <{PROV.wasGeneratedBy}> ?a")
        self.up = asked.get("lineage of a DL3", made)
        self.down = asked.get("impact of a pedestal", made)
        self.parameter = self.known("parameter", [self.first(f"?p <{PROV.value}> ?v ; <{VP.name}> ?value")])

    def first(self, pattern: str) -> str:
        """Return the first value of a pattern."""
        rows = self.graph.select(f"SELECT ?value WHERE {{ {pattern} }} LIMIT 1")
        return next((text_of(row["value"]) for row in rows), "")

    def known(self, name: str, possible: list[str]) -> str:
        """Return the usual value of a parameter, or the first that is possible."""
        usual = _USUAL.get(name, "")
        there = usual in possible or bool(usual and self.first(f"?p <{VP.name}> ?value FILTER(?value = '{usual}')"))
        return usual if there else possible[0]

    def of(self, question: Question, name: str) -> str:
        """Return a value; empty where none is known."""
        parameter = question.parameters[name]
        match parameter.type:
            case "product" | "activity" | "thing":
                if name == "second":
                    return self.other()
                down = question.name in DOWN or (question.name, name) == ("connection", "first")
                return self.down if down else self.up
            case "time":
                return "2000-01-01" if name == "since" else "2100-01-01"
            case "number" | "version-range":
                return parameter.default or "2"
            case "level":
                return "DL3"
        possible = choices(self.graph, parameter)
        if possible:
            return self.known(name, possible)
        match name:
            case "parameter" | "key":
                return self.parameter
            case "value":
                return self.first(f"?p <{VP.name}> '{self.parameter}' ; <{PROV.value}> ?value")
            case "file":
                return self.first(f"?e <{PROV.wasGeneratedBy}> ?a ; <{PROV.specializationOf}>/<{PKG.location}> ?value")
        return ""

    def other(self) -> str:
        """Return another product of the level of the first: one made by another activity of that type."""
        label = self.graph.objects(self.graph.objects(self.up, PROV.wasGeneratedBy)[0], RDFS_LABEL)[0]
        query = f"?a <{RDFS_LABEL}> '{label}' . ?value <{PROV.wasGeneratedBy}> ?a . FILTER(?value != <{self.up}>)"
        return self.first(query) or self.up

    def sets(self, question: Question) -> Iterator[dict[str, str]]:
        """Give values for a question: those that it needs, then all."""
        needed = {name: self.of(question, name) for name, each in question.parameters.items() if each.required}
        if not all(needed.values()):
            return
        yield needed
        others = {name: self.of(question, name) for name, each in question.parameters.items() if not each.required}
        if any(others.values()):
            yield needed | {name: value for name, value in others.items() if value}


# One night


def asked(store: str, name: str, values: dict[str, str]) -> int:
    """Ask the SPARQL of a question as it stands, without the index, and return how many rows it has."""
    kg = provkg.open(store)
    query = bound(kg.graph(), kg.question(name), values, kg.config)
    return sum(1 for _ in kg.graph().select(query))


def plain(store: str, name: str, values: dict[str, str]) -> float | None:
    """Return the seconds of plain SPARQL, or None where it takes too long."""
    command = [sys.executable, __file__, "--plain", json.dumps([store, name, values])]
    try:
        ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PLAIN)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return float(ran.stdout)


def of_night(part: Part, store: str, count: int, truth: dict[str, Any]) -> None:
    """Ask every question of one night, and tell."""
    kg = provkg.open(store)
    values = Values(kg)
    columns = ("id", "question", "rows", "ms", "budget, ms", "plain SPARQL, ms", "×")
    table = part.table("Every question on a night", *columns)
    took: dict[str, float] = {}
    for question in sorted(kg.questions().values(), key=in_order):
        chosen = next(values.sets(question), None)
        if chosen is None:
            table.add(question.id, question.name, "no value is known for what it needs", "", "", "", "")
            continue
        with step(f"question {question.name}"):
            rows = len(kg.ask(question.name, **chosen))  # the first time is not measured
            found = rounds({"ours": lambda name=question.name, chosen=chosen: kg.ask(name, **chosen)}, count, most=20)
            closed = "pkg:progenitor|" in question.sparql or question.first or question.index
            without = plain(store, question.name, chosen) if closed else None
        took[question.name] = median(found["ours"])
        other = f"{1000 * without:,.0f}" if without else f"> {1000 * PLAIN:,}" if closed else "the same"
        times = f"{short((without or PLAIN) / took[question.name])}×" if closed else ""
        cells = (f"{rows:,}", ms(found["ours"]), f"{1000 * question.seconds:g}", other, times)
        table.add(question.id, question.name, *cells)
    slowest = max(took, key=lambda name: took[name])
    part.figures["seconds"] = took
    part.aim("questions on a night: median of all", 1000 * middle(took.values()), 100, "ms")
    part.aim(f"questions on a night: the slowest, {slowest}", 1000 * took[slowest], 1000, "ms")
    if truth:
        wrong = sorted(set(differing(kg, truth)))
        part.notes.append(f"Against the truth of the generator: {', '.join(wrong) or 'no question'} differs.")
        part.aim("questions that differ from the truth of the generator", len(wrong), 0, "questions")


def differing(kg: provkg.KnowledgeGraph, truth: dict[str, Any]) -> Iterator[str]:
    """Give the questions whose answer is not what the generator says it wrote."""
    counts = truth["counts"]
    night = min(choices(kg.graph(), kg.question("night-overview").parameters["night"]))
    sums = {
        "night-overview": (
            sum(row["activities"] for row in kg.ask("night-overview", night=night)),
            counts["activities"],
        ),
        "durations": (sum(row["ended"] for row in kg.ask("durations")), counts["ended"]),
        "never-ended": (len(kg.ask("never-ended")), counts["activities"] - counts["ended"]),
        "inventory": (sum(row["recorded"] for row in kg.ask("inventory")), counts["generated"]),
        "made-with-software": (len(kg.ask("made-with-software", software="lstchain")), len(truth["dl3"])),
    }
    yield from (name for name, (found, true) in sums.items() if found != true)
    for path, true in truth["dl3"].items():
        steps = len(true["activities"])
        found = {
            "lineage": ({row["location"] for row in kg.ask("lineage", product=path)} - {None}, set(true["files"])),
            "raw-files": (
                {row["location"] for row in kg.ask("raw-files", product=path)},
                {file for file in true["files"] if "/R0/" in file},
            ),
            "steps": (sum(row["times"] for row in kg.ask("steps", product=path)), steps),
            "cost": (sum(row["activities"] for row in kg.ask("cost", product=path)), steps),
            "outcomes": (sum(row["activities"] for row in kg.ask("outcomes", product=path)), steps),
        }
        yield from (name for name, (rows, right) in found.items() if rows != right)
    pedestal = next(file for true in truth["dl3"].values() for file in true["files"] if "drs4_pedestal" in file)
    for name in ("impact", "descendants", "released-impact"):
        rows = {row["location"] for row in kg.ask(name, product=pedestal)}
        if {path for path in rows if path in truth["dl3"]} != set(truth["dl3"]):
            yield name


# Two stores


def one(stores: list[str], name: str, values: dict[str, str], count: int) -> dict[str, Any]:
    """Ask a question of both stores, and return seconds and rows."""
    graphs = {store: provkg.open(store) for store in stores}
    rows = [len(kg.ask(name, **values)) for kg in graphs.values()]
    cases = {store: (lambda kg=kg: kg.ask(name, **values)) for store, kg in graphs.items()}
    return {"rows": rows, "seconds": list(rounds(cases, count, most=20).values())}


def apart(stores: list[str], name: str, values: dict[str, str], count: int) -> dict[str, Any]:
    """Do that in a process of its own; where that takes too long or fails, return what is to be said."""
    command = [sys.executable, __file__, "--one", json.dumps([stores, name, values]), "--rounds", str(count)]
    try:
        ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"error": f"more than {LIMIT} s"}
    except subprocess.CalledProcessError as error:
        return {"error": f"failed: {error.stderr.strip().splitlines()[-1:]}"}
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def measured(small: str, large: str, count: int) -> dict[str, Any]:
    """Ask all questions."""
    kg = provkg.open(small)
    values, found = Values(kg), {}
    for question in sorted(kg.questions().values(), key=in_order):
        sets = list(values.sets(question))
        for chosen in sets:
            title = f"{question.name}({', '.join(chosen)})"
            with step(f"question {title}"):
                found[title] = apart([small, large], question.name, chosen, count)
        if not sets:
            found[question.name] = {"error": "no value is known for what it needs"}
    return found


def tell(part: Part, found: dict[str, Any], small: str, large: str) -> None:
    """Tell what was measured; the stores are called by these names."""
    columns = ("question", f"{small}, ms", f"{large}, ms", f"rows, {small}", f"rows, {large}", "×", "holds")
    table = part.table("Canned questions", *columns)
    grown = []
    for title, facts in found.items():
        if "error" in facts:
            table.add(title, facts["error"], "", "", "", "", "?")
            grown.append(title)
            continue
        (few, many), (before, after) = facts["rows"], facts["seconds"]
        times = median(after) / median(before)
        holds = times <= 2 * max(1, many / max(few, 1))
        grown += [] if holds else [title]
        table.add(
            title, ms(before), ms(after), f"{few:,}", f"{many:,}", f"{short(times)}×", "yes" if holds else "**no**"
        )
    part.notes.append(
        "A question holds where it takes at most twice as long on the large store, or so much as its answer grows."
    )
    part.aim(f"questions whose time grows with the store: {', '.join(grown) or 'none'}", len(grown), 0, "questions")


def main() -> None:
    """Ask, and save or print the table."""
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stores", nargs=2, metavar=("SMALL", "LARGE"), help="ask two stores instead of a night")
    parser.add_argument("--one", help="used by the benchmark itself")
    parser.add_argument("--plain", help="used by the benchmark itself")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(one(*json.loads(chosen.one), chosen.rounds)))
    elif chosen.plain:
        store, name, values = json.loads(chosen.plain)
        print(timed(asked, store, name, values))
    elif chosen.stores:
        part = Part("questions-of-stores", "Canned questions on a small and a large store")
        tell(part, measured(*chosen.stores, chosen.rounds), "small", "large")
        print(part.markdown())
    else:
        part = Part("questions", "Canned questions on a night")
        with tempfile.TemporaryDirectory() as scratch:
            folder = night(chosen.folder, Path(scratch), chosen.runs, chosen.subruns)
            store, truth = str(Path(scratch) / "store"), folder / "truth.json"
            with step("ingest"):
                provkg.open(store).ingest([folder])
            of_night(part, store, chosen.rounds, json.loads(truth.read_text()) if truth.exists() else {})
        part.save()


if __name__ == "__main__":
    main()
