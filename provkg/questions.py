"""Canned questions: each is one ``.rq`` file that says in itself what it asks, of what, and what comes back.

The header is grlc's ``#+`` YAML and the placeholders are grlc's ``?_name_type`` (``?__name`` is optional), so a grlc
server can serve the folder. Values are RDF terms that replace tokens of the query, never text pasted into it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pyoxigraph import Literal, NamedNode

from provkg.errors import QuestionError
from provkg.lineage import find_one
from provkg.lineage.closures import through_index
from provkg.resources import folder
from provkg.store import Graph, Row
from provkg.vocab import XSD

_TOKEN = re.compile(
    r"""(?P<skip><[^<>"{}|^`\\\x00-\x20]*>|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''"""
    r"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\#[^\n]*)|[?$](?P<marks>__?)(?P<name>[A-Za-z0-9]\w*)""",
    re.DOTALL,
)
_TYPES = {"iri", "literal", "integer", "number", "date"}
_KINDS = {"product", "string", "integer", "iri"}


@dataclass(frozen=True)
class Parameter:
    """A value that a question asks for."""

    name: str
    type: str
    required: bool = True
    default: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Question:
    """A question: its name is the file's name."""

    name: str
    id: str
    summary: str
    description: str
    tags: tuple[str, ...]
    source: str
    parameters: dict[str, Parameter] = field(hash=False)
    columns: dict[str, str] = field(hash=False)
    sparql: str = field(repr=False)

    def bind(self, terms: Mapping[str, NamedNode | Literal]) -> str:
        """Return the SPARQL with terms in the place of the placeholders; one without a term stays a variable.

        Raises:
            QuestionError: a parameter that is required has no term, or a term has no parameter.
        """
        for name in terms.keys() - self.parameters.keys():
            near = get_close_matches(name, self.parameters, 1)
            known = ", ".join(self.parameters) or "none"
            raise QuestionError(
                f"{self.name} has no parameter {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"it has: {known}",
            )
        missing = [each.name for each in self.parameters.values() if each.required and each.name not in terms]
        if missing:
            raise QuestionError(f"{self.name} needs {missing[0]}=…", hint=self.parameters[missing[0]].description)

        def token(match: re.Match[str]) -> str:
            name = _placeholder(match)
            return str(terms[name]) if name in terms else match[0]

        return _TOKEN.sub(token, self.sparql)


def _placeholder(match: re.Match[str]) -> str:
    """Return the parameter a token stands for, or nothing: ``?_product_iri`` is ``product``."""
    if match["skip"] is not None:
        return ""
    name, _, kind = match["name"].rpartition("_")
    return name if name and kind in _TYPES else str(match["name"])


@cache
def questions(where: Path | None = None) -> dict[str, Question]:
    """Return the questions of a folder by name; the shipped ones by default.

    Raises:
        QuestionError: a file's header cannot be read, or its parameters are not its placeholders.
    """
    return {path.stem: _load(path) for path in sorted((where or folder("queries")).glob("*.rq"))}


def _load(path: Path) -> Question:
    text = path.read_text("utf-8")
    try:
        header = yaml.safe_load(
            "\n".join(line[2:].removeprefix(" ") for line in text.splitlines() if line.startswith("#+"))
        )
        parameters = {name: Parameter(name, **facts) for name, facts in (header.get("params") or {}).items()}
        found = Question(
            name=path.stem,
            id=header["id"],
            summary=header["summary"],
            description=header["description"].strip(),
            tags=tuple(header["tags"]),
            source=header["source"],
            parameters=parameters,
            columns=dict(header["columns"]),
            sparql=text,
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise QuestionError(f"{path}: its header cannot be read: {error}") from None
    used = {name: len(match["marks"]) == 1 for match in _TOKEN.finditer(text) if (name := _placeholder(match))}
    declared = {each.name: each.required for each in parameters.values()}
    if used != declared or any(each.type not in _KINDS for each in parameters.values()):
        raise QuestionError(f"{path}: the header declares {declared}, the query has {used}")
    return found


def find_question(name: str) -> Question:
    """Return a question by its name or id.

    Raises:
        QuestionError: there is none of that name; the hint names the nearest.
    """
    known = questions()
    for question in known.values():
        if name in (question.name, question.id):
            return question
    near = get_close_matches(name, known, 1)
    raise QuestionError(f"no question {name!r}", hint=f"did you mean {near[0]!r}?" if near else "list them: provkg ask")


def ask(graph: Graph, question: Question, values: Mapping[str, Any], *, site: str = "site") -> Iterator[Row]:
    """Answer a question.

    Args:
        graph: an open store.
        question: which one.
        values: a value for each parameter, as a user writes it.
        site: the scope of absolute paths.

    Raises:
        QuestionError: a value is missing, unknown or of the wrong type.
        NotFound: no product answers to a name.
        Ambiguous: several do.
    """
    defaults = {each.name: each.default for each in question.parameters.values() if each.default is not None}
    required = {each.name for each in question.parameters.values() if each.required}
    said = {name: value for name, value in values.items() if value is not None and (value != "" or name in required)}
    given = defaults | said
    terms = {name: _term(graph, question, name, value, site) for name, value in given.items()}
    return graph.select(through_index(graph, question.bind(terms)))


def _term(graph: Graph, question: Question, name: str, value: Any, site: str) -> NamedNode | Literal:
    kind = question.parameters[name].type if name in question.parameters else "string"
    text = str(value)
    if kind == "product":
        return NamedNode(find_one(graph, text, site=site).iri)
    if kind == "integer":
        if not re.fullmatch(r"[+-]?\d{1,18}", text):
            raise QuestionError(f"{name} is a whole number, not {text!r}")
        return Literal(text, datatype=NamedNode(XSD + "integer"))
    if kind == "iri":
        try:
            return NamedNode(text)
        except ValueError as error:
            raise QuestionError(f"{name}: {text!r} is no IRI: {error}") from None
    return Literal(text)
