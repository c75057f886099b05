"""Closures in canned questions: answered by the lineage index, so that no server walks a path.

A question writes each closure as a sub-select of its own, in one of three forms::

    { SELECT DISTINCT ?x WHERE { ?x (pkg:progenitor|pkg:drawnFrom)+ <product> . } }
    { SELECT DISTINCT ?x WHERE { <product> (pkg:progenitor|pkg:drawnFrom)+ ?x . } }
    { SELECT DISTINCT ?x WHERE { <product> (pkg:progenitor|pkg:drawnFrom)* ?y . ?y prov:wasGeneratedBy ?x . } }

what was made from a product, what it was made from, and the activities of its history. Any SPARQL 1.1 engine can
answer these as they stand; here their place is taken by the VALUES that the index gives.
"""

import re

import numpy as np

from provkg.lineage.index import Index, index_of
from provkg.store import Graph, values

_PATH = r"\(pkg:progenitor\|pkg:drawnFrom\)"
_CLOSURE = re.compile(
    rf"""SELECT \s+ DISTINCT \s+ \?(?P<x>\w+) \s+ WHERE \s* \{{ \s* (?:
        \?(?P=x) \s+ {_PATH}\+ \s+ <(?P<down>[^<>\s]+)> (?:\s*\.)?
      | <(?P<up>[^<>\s]+)> \s+ {_PATH}\+ \s+ \?(?P=x) (?:\s*\.)?
      | <(?P<made>[^<>\s]+)> \s+ {_PATH}\* \s+ \?(?P<y>\w+) \s*\.\s*
        \?(?P=y) \s+ prov:wasGeneratedBy \s+ \?(?P=x) (?:\s*\.)?
    ) \s* \}}""",
    re.VERBOSE,
)


def through_index(graph: Graph, sparql: str) -> str:
    """Return a query with its closures answered; where an answer is too long for the store, the path stays.

    Args:
        graph: an open store.
        sparql: a question with its terms bound.
    """
    if not _CLOSURE.search(sparql):
        return sparql
    index = index_of(graph)

    def answer(match: re.Match[str]) -> str:
        found = _answer(index, match)
        return values(match["x"], found) if len(found) <= graph.constants else match[0]

    return _CLOSURE.sub(answer, sparql)


def _answer(index: Index, match: re.Match[str]) -> list[str]:
    start = index.find(match["down"] or match["up"] or match["made"])
    if start is None:
        return []
    reached = index.closure(start, down=match["down"] is not None)
    if match["made"] is None:
        return index.iris(reached)
    return index.activities(index.makers(np.append(reached, np.uint32(start))))
