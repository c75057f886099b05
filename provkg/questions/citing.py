"""Cite an answer, and see later whether it is still the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from provkg.errors import InputError
from provkg.questions.answer import Answer, digest_of
from provkg.store import Graph, text_of
from provkg.vocab import LEDGER, PKG, RDF_TYPE

FORMAT = "https://w3id.org/provkg/citation/1"


@dataclass(frozen=True)
class Change:
    """What is not as it was cited: a kind, and what to say of it. Only ``answer`` changes the answer."""

    kind: str
    text: str


def cite(answer: Answer) -> dict[str, Any]:
    """Return what cites an answer, as JSON has it: the question, the values, the state of the store, and the rows.

    Cited is the state of the store that gave the answer. Its digest is that of its canonical N-Quads (RDFC-1.0) without
    the ledger: it is made by reading everything once for each state of the store.
    """
    graph = answer.graph
    return {
        "format": FORMAT,
        "question": answer.question.name,
        "questionDigest": answer.question.digest,
        "values": answer.values,
        "storeDigest": graph.digest(),
        "sources": sources(graph),
        "base": graph.base,
        "asked": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "provkg": version("provkg"),
        "answerDigest": answer.digest,
        "cut": answer.cut,
        "columns": list(answer.columns),
        "rows": list(answer.lines()),
    }


def read(path: Path) -> dict[str, Any]:
    """Read a citation.

    Raises:
        InputError: it is none.
    """
    wanted = {"question": str, "questionDigest": str, "values": dict, "storeDigest": str, "answerDigest": str}
    wanted |= {"asked": str, "cut": str, "sources": list, "rows": list, "columns": list}
    try:
        found = dict(json.loads(path.read_text("utf-8")))
        wrong = [name for name, kind in wanted.items() if not isinstance(found.get(name), kind)]
        lists = [found[name] for name in ("sources", "rows", "columns") if not wrong]
        if not all(isinstance(each, str) for some in lists for each in some):
            wrong = ["text"]
    except (ValueError, TypeError, RecursionError):
        found, wrong = {}, ["JSON"]
    if wrong or found.get("format") != FORMAT:
        reason = f"its {wrong[0]} is missing or wrong" if wrong else f"its format is not {FORMAT}"
        raise InputError(f"{path}: no citation of an answer: {reason}", hint="write one: provkg ask … --cite FILE")
    if digest_of(found["columns"], found["rows"]) != found["answerDigest"]:
        raise InputError(f"{path}: its rows are not those of its digest: it was changed", hint="cite the answer again")
    if found["cut"] and not found["cut"].startswith("cut at "):
        raise InputError(f"{path}: the answer was {found['cut']}: nothing can be checked", hint="cite a whole answer")
    return found


def changes(cited: dict[str, Any], answer: Answer) -> Iterator[Change]:
    """Give what has changed since an answer was cited."""
    graph = answer.graph
    if cited["questionDigest"] != answer.question.digest:
        yield Change("question", f"the file of the question {answer.question.name} has changed")
    if cited["storeDigest"] != graph.digest():
        held, holds = set(cited["sources"]), set(sources(graph))
        counts = f"{len(holds - held)} sources are new, {len(held - holds)} are gone"
        yield Change("store", f"the store has changed: {counts} since {cited['asked']}")
    if cited["answerDigest"] == answer.digest:
        return
    if cited["columns"] != list(answer.columns):
        yield Change("answer", f"columns: {', '.join(cited['columns'])} became {', '.join(answer.columns)}")
    before, now = Counter(cited["rows"]), Counter(answer.lines())
    yield from (Change("answer", f"- {line}") for line in (before - now).elements())
    yield from (Change("answer", f"+ {line}") for line in (now - before).elements())
    if before == now and cited["columns"] == list(answer.columns):
        yield Change("answer", "the rows are in another order")


def sources(graph: Graph) -> list[str]:
    """Return the names of the sources that a store holds, without its base."""
    found = graph.quads(None, RDF_TYPE, PKG.Source, graph.iri(LEDGER))
    return sorted({text_of(quad.subject).removeprefix(graph.base) for quad in found})
