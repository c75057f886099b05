"""Every canned question on a small and on a large store that holds the small one's records.

    python benchmarks/questions.py SMALL LARGE [--rounds 3]

SMALL and LARGE are folders of stores, as ``year.py`` makes them. Values for the questions are found in the small store.
Each question is asked in a process of its own, that is ended after five minutes.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from measure import Part, median, ms, rounds, short, step
from subjects import subjects

import provkg
from provkg.questions import Question, ask, find_question, questions
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PROV, RDFS_LABEL, VP

LIMIT = 300  # seconds for a question
_SAMPLES = {  # a value for parameters of these names: the first that this finds
    ("night", "date"): f"?s <{PKG.observationDate}> ?value",
    ("run",): f"?s <{PKG.run}> ?value",
    ("step", "activity", "type"): f"?s a <{PROV.Activity}> ; <{RDFS_LABEL}> ?value",
    ("parameter", "name"): f"?p <{PROV.value}> ?v ; <{VP.name}> ?value",
    ("file", "path", "location"): f"?e <{PROV.wasGeneratedBy}> ?a ; <{PROV.specializationOf}>/<{PKG.location}> ?value",
    ("package", "software"): f"?s <{PKG.packageName}> ?value",
    ("host",): f"?s <{PKG.host}> ?value",
}


class Values:
    """Values for the parameters of questions."""

    def __init__(self, kg: provkg.KnowledgeGraph) -> None:
        self.graph = kg.graph()
        self.asked = {each.name: each.iri for each in subjects(kg)}
        made = self._first(f"?value <{PROV.wasGeneratedBy}> ?a")
        self.up = self.asked.get("lineage of a DL3", made)
        self.down = self.asked.get("impact of a pedestal", made)

    def _first(self, pattern: str) -> str:
        rows = self.graph.select(f"SELECT ?value WHERE {{ {pattern} }} LIMIT 1")
        return next((text_of(row["value"]) for row in rows), "")

    def of(self, question: Question, name: str) -> str:
        """Return a value; empty where none is known."""
        kind = question.parameters[name].type
        if kind == "product":
            down = "impact" in question.tags or question.name in ("impact", "descendants")
            return self.down if down else self.up
        if name == "value":
            parameter = self.of(question, "parameter") if "parameter" in question.parameters else ""
            named = f'<{VP.name}> "{parameter}" ; ' if parameter else ""
            return self._first(f"?p {named}<{PROV.value}> ?value")
        if name == "level":
            return "DL3"
        return next((self._first(pattern) for names, pattern in _SAMPLES.items() if name in names), "")

    def sets(self, question: Question) -> Iterator[dict[str, str]]:
        """Give values for a question: those that it needs, then all."""
        needed = {name: self.of(question, name) for name, each in question.parameters.items() if each.required}
        if not all(needed.values()):
            return
        yield needed
        others = {name: self.of(question, name) for name, each in question.parameters.items() if not each.required}
        if any(others.values()):
            yield needed | {name: value for name, value in others.items() if value}


def answered(graph: Graph, name: str, values: dict[str, str]) -> int:
    """Ask a question, and return how many rows it has."""
    return sum(1 for _ in ask(graph, find_question(name), values))


def one(stores: list[str], name: str, values: dict[str, str], count: int) -> dict[str, Any]:
    """Ask a question of both stores, and return seconds and rows."""
    graphs = {store: provkg.open(store).graph() for store in stores}
    rows = [answered(graph, name, values) for graph in graphs.values()]
    cases = {store: (lambda graph=graph: answered(graph, name, values)) for store, graph in graphs.items()}
    return {"rows": rows, "seconds": list(rounds(cases, count, most=20).values())}


def apart(stores: list[str], name: str, values: dict[str, str], count: int) -> dict[str, Any]:
    """Do that in a process of its own; where that takes too long or fails, return what is to be said."""
    command = [sys.executable, __file__, *stores, "--one", json.dumps([name, values]), "--rounds", str(count)]
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
    values, found = Values(provkg.open(small)), {}
    for question in questions().values():
        sets = list(values.sets(question))
        for chosen in sets:
            shown = ", ".join(name for name in chosen)
            title = f"{question.name}({shown})"
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
    """Ask, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("small")
    parser.add_argument("large")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        name, values = json.loads(chosen.one)
        print(json.dumps(one([chosen.small, chosen.large], name, values, chosen.rounds)))
        return
    part = Part("questions", "Canned questions on a small and a large store")
    tell(part, measured(chosen.small, chosen.large, chosen.rounds), "small", "large")
    print(part.markdown())


if __name__ == "__main__":
    main()
