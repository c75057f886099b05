"""Closures in canned questions: answered by the lineage index, so that no server walks a path.

A question writes each closure as a sub-select of its own, from a product or from all that another sub-select finds::

    { SELECT DISTINCT ?x WHERE { ?x (pkg:progenitor|pkg:drawnFrom)+ <product> } }
    { SELECT DISTINCT ?x WHERE { <product> (pkg:progenitor|pkg:drawnFrom)* ?x } }
    { SELECT DISTINCT ?x WHERE { <product> (pkg:progenitor|pkg:drawnFrom)* ?y . ?y prov:wasGeneratedBy ?x } }
    { SELECT DISTINCT ?x WHERE { { SELECT DISTINCT ?s WHERE { … } } ?x (pkg:progenitor|pkg:drawnFrom)* ?s } }

what was made from something, what it was made from (``*``: itself too), and the activities of its history. Any
SPARQL 1.1 engine can answer these as they stand; here their place is taken by the VALUES that the index gives.

Engines without statistics join other sub-selects with everything in the store; those of the variables that a question
names as ``first`` are answered before the rest, and their place is taken by what they found.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from pyoxigraph import NamedNode

from provkg.lineage.index import Index, index_of
from provkg.store import Graph, tokens, values, words
from provkg.vocab import PKG, PROV

_PATH = r"\(\s*pkg:progenitor\s*\|\s*pkg:drawnFrom\s*\)"
_NODE = r"(?:<(?P<iri>[^<>\s]+)>|\?(?P<variable>\w+))"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\\]*$")
_SELECT = re.compile(r"SELECT\s+DISTINCT\s+\?(\w+)\s+WHERE\s*\{")
_FORMS = {
    "down": rf"\?X\s+{_PATH}(?P<sign>[+*])\s+{_NODE}",
    "up": rf"{_NODE}\s+{_PATH}(?P<sign>[+*])\s+\?X",
    "made": rf"{_NODE}\s+{_PATH}(?P<sign>[+*])\s+\?(?P<y>\w+)\s*\.\s*\?(?P=y)\s+prov:wasGeneratedBy\s+\?X",
}


class Closure(NamedTuple):
    """A sub-select that was answered: the variable that it binds, how many it found, and whether it had to stay."""

    variable: str
    found: int
    stays: bool


class _Group(NamedTuple):
    """A sub-select: its variable, and where it and what is between its braces begin and end."""

    variable: str
    start: int
    inner: int
    end: int


@dataclass
class _Answering:
    graph: Graph
    index: Index
    prologue: str
    first: Container[str]
    closures: list[Closure] = field(default_factory=list)
    used: int = 0
    known: dict[tuple[str, ...], list[str] | None] = field(default_factory=dict)

    def answered(self, text: str) -> str:
        """Return a text with the values of its closures in their place."""
        pieces, at = [], 0
        for group in _groups(text):
            if group.start < at:
                continue
            whole = text[group.start : group.end]
            same = _same(whole)  # many arms of a UNION begin with one sub-select
            if same not in self.known:
                self.known[same] = self.found(text[group.inner : group.end - 1], group.variable)
                if self.known[same] is None and group.variable in self.first:
                    self.known[same] = self.starts(whole, group.variable)
            found = self.known[same]
            if found is None:
                continue
            stays = self.used + len(found) > self.graph.constants
            self.used += 0 if stays else len(found)
            self.closures.append(Closure(group.variable, len(found), stays))
            if not stays:
                pieces += [text[at : group.start], values(group.variable, found)]
                at = group.end
        return "".join([*pieces, text[at:]])

    def found(self, text: str, variable: str) -> list[str] | None:
        """Return what a closure finds, or None where a sub-select is none."""
        body, nested = text, next(iter(_groups("{" + text)), None)
        start = None
        if nested is not None and text[: nested.start - 1].strip() == "{":
            start = nested.variable
            body = text[nested.end - 1 :].lstrip().removeprefix("}")
        for form, pattern in _FORMS.items():
            match = re.fullmatch(rf"\s*\.?\s*{pattern.replace('X', variable)}\s*\.?\s*", _bare(body))
            if match is None or match["variable"] != start or variable in (start, match.groupdict().get("y")):
                continue
            if nested is None:
                return self.reached([match["iri"]], form, match["sign"]) if _ABSOLUTE.match(match["iri"]) else None
            starts = self.starts(text[nested.start - 1 : nested.end - 1], start)
            return None if starts is None else self.reached(starts, form, match["sign"])
        return None

    def starts(self, text: str, variable: str | None) -> list[str] | None:
        """Return the IRIs that a sub-select finds, or None where it finds something else."""
        inner = _Answering(self.graph, self.index, self.prologue, self.first)
        found = [row[str(variable)] for row in self.graph.select(self.prologue + inner.answered(text))]
        iris = [term.value for term in found if isinstance(term, NamedNode)]
        return iris if len(iris) == len(found) else None

    def reached(self, starts: list[str], form: str, sign: str) -> list[str]:
        """Return what is reached."""
        known = [number for each in starts if (number := self.index.find(each)) is not None]
        ids = np.array(known, np.uint32)
        reached = self.index.closure(ids, down=form == "down") if known else ids
        if form == "made":
            made = np.append(reached, ids) if sign == "*" else reached
            return self.index.activities(self.index.makers(made))
        found = self.index.iris(reached)
        return list(dict.fromkeys([*starts, *found])) if sign == "*" else found


def through_index(graph: Graph, sparql: str, first: Container[str] = ()) -> tuple[str, list[Closure]]:
    """Return a query with its closures answered, and these; one that is too long for the store stays as it is.

    Args:
        graph: an open store.
        sparql: a question with its terms bound.
        first: the variables of other sub-selects that are answered before the rest.
    """
    if not first and not re.search(_PATH, sparql):
        return sparql, []
    start = next(match.start() for match in tokens(sparql) if (match["word"] or "").upper() == "SELECT")
    if words(sparql) & {"FROM", "BASE"} or not _ours(sparql[:start]):
        return sparql, []  # other graphs than all, IRIs that are not what they look like, or terms that are not ours
    answering = _Answering(graph, index_of(graph), sparql[:start], first)
    return answering.prologue + answering.answered(sparql[start:]), answering.closures


def _ours(prologue: str) -> bool:
    """Say whether ``pkg:`` and ``prov:`` stand for our terms."""
    bare = _bare(prologue)
    told = dict(re.findall(r"(?i)PREFIX\s+(\w+):\s*<([^<>]*)>", bare))
    return len(told) == len(re.findall(r"(?i)\bPREFIX\b", bare)) and all(
        told.get(prefix, iri) == iri for prefix, iri in (("pkg", PKG.iri), ("prov", PROV.iri))
    )


def _groups(text: str) -> list[_Group]:
    """Return the sub-selects of one variable that stand alone in their braces, the outer before the inner."""
    found, bare = [], _bare(text)
    graphs = [match.end() for match in re.finditer(r"(?i)\bGRAPH\s+[^\s{]+\s*\{", bare)]
    for match in _SELECT.finditer(bare):
        if not bare[: match.start()].rstrip().endswith("{") or any(
            bare[at : match.start()].count("{") - bare[at : match.start()].count("}") >= 0
            for at in graphs
            if at <= match.start()
        ):
            continue
        depth, end = 0, 0
        for at in range(match.end() - 1, len(bare)):
            depth += {"{": 1, "}": -1}.get(bare[at], 0)
            if depth == 0:
                end = at + 1
                break
        if end and bare[end:].lstrip().startswith("}"):
            found.append(_Group(match[1], match.start(), match.end(), end))
    return found


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Give what stands before each string or comment, and this; the last has none."""
    at = 0
    for token in tokens(text):
        if token["skip"]:
            yield text[at : token.start()], token[0]
            at = token.end()
    yield text[at:], ""


def _bare(text: str) -> str:
    """Return a text of the same length without what stands in strings and comments."""
    return "".join(before + " " * len(skipped) for before, skipped in _pieces(text))


def _same(text: str) -> tuple[str, ...]:
    """Return what is equal for texts that differ in white space only, but not in that of strings."""
    return tuple(part for before, skipped in _pieces(text) for part in (" ".join(before.split()), skipped))
