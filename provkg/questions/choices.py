"""Which values are possible for a parameter, and how a wrong one is answered."""

from collections.abc import Iterable

from provkg.errors import QuestionError, did_you_mean
from provkg.questions.question import Parameter
from provkg.store import Graph, text_of
from provkg.vocab import PREFIXES

MOST_SHOWN = 20
LEVELS = ("R0", "R1", "DL0", "DL1", "DL2", "DL3", "DL4", "DL5", "DL6")
PROLOGUE = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())
_CHOICES = {
    "run": "SELECT DISTINCT ?value WHERE { ?session pkg:run ?value }",
    "night": "SELECT DISTINCT ?value WHERE { ?sum a pkg:NightSummary ; pkg:night ?value }",
    "step": "SELECT DISTINCT ?value WHERE { ?sum a pkg:StoreSummary ; pkg:activityLabel ?value }",
    "software": "SELECT DISTINCT ?value WHERE { ?package pkg:packageName ?value }",
    "account": "SELECT DISTINCT ?value WHERE { ?agent a prov:Agent ; rdfs:label ?value }",
}


def choices(graph: Graph, parameter: Parameter) -> list[str]:
    """Return the values that are possible, in order; empty where anything is."""
    if parameter.type == "level":
        return list(LEVELS)
    query = parameter.choices or _CHOICES.get(parameter.type)
    if query is None:
        return []
    prologue = "" if "PREFIX" in query else PROLOGUE
    return sorted({text_of(row["value"]) for row in graph.select(prologue + query)})


def unknown(parameter: Parameter, text: str, possible: Iterable[str]) -> QuestionError:
    """Return the error for a value that is not possible; it says what is, and what is nearest."""
    possible = list(possible)
    hint = f"{did_you_mean(text, possible)} there are {some(possible)}".lstrip()
    return QuestionError(f"{parameter.name}: {text!r} is not in the store", hint=hint)


def some(possible: list[str]) -> str:
    """Return values as text; of many, the first."""
    if not possible:
        return "none"
    more = f", and {len(possible) - MOST_SHOWN} more" if len(possible) > MOST_SHOWN else ""
    return ", ".join(possible[:MOST_SHOWN]) + more
