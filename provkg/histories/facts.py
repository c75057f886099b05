"""What the graph says of many things at once: one query for as many as the store takes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from provkg.store import Graph, values
from provkg.vocab import PREFIXES

Facts = dict[str, list[str]]
_MOST = 20_000  # names in a query
_PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())


def rows(graph: Graph, names: Iterable[str], pattern: str, *variables: str) -> Iterator[list[str]]:
    """Give the rows of a pattern in which ``?s`` is one of some IRIs, as text; what is unknown is empty.

    Args:
        graph: an open store.
        names: the IRIs.
        pattern: a group graph pattern of this code's own, with the usual prefixes.
        variables: those of the rows, without ``?``.
    """
    wanted, head = sorted(set(names)), " ".join(f"?{each}" for each in variables)
    step = min(_MOST, graph.constants)
    for at in range(0, len(wanted), step):
        query = f"{_PREFIXES}SELECT DISTINCT {head} WHERE {{ {values('s', wanted[at : at + step])} {pattern} }}"
        yield from graph.texts(query)


def described(graph: Graph, names: Iterable[str]) -> dict[str, Facts]:
    """Return the properties of each of some IRIs with their values as text, each once and in order."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for subject, predicate, value in rows(graph, names, "?s ?p ?o", "s", "p", "o"):
        found[subject][predicate].add(value)
    return {name: {key: sorted(each) for key, each in facts.items()} for name, facts in found.items()}


def listed(graph: Graph, names: Iterable[str], pattern: str) -> dict[str, list[str]]:
    """Return the values ``?o`` that a pattern gives for each IRI ``?s``, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for subject, value in rows(graph, names, pattern, "s", "o"):
        found[subject].append(value)
    return {name: sorted(each) for name, each in found.items()}


def first(facts: Facts, *predicates: str) -> str:
    """Return the first value of the first property that has one, or nothing."""
    return next((facts[each][0] for each in predicates if facts.get(each)), "")
