"""Questions over HTTP, without a server: what a request is answered with, and the OpenAPI description of it.

``GET /api/questions`` lists them, ``GET /api/questions/{name}?product=…`` asks one. A server only has to pass the path,
the query and the Accept header on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from provkg.errors import Ambiguous, NotFound, ProvkgError, QuestionError
from provkg.questions.catalogue import in_order
from provkg.questions.choices import LEVELS
from provkg.questions.formats import MEDIA, TEXT, to_csv
from provkg.questions.negotiation import best

if TYPE_CHECKING:
    from provkg.questions.answer import Answer
    from provkg.questions.question import Parameter, Question

ROOT = "/api/questions"
_RESERVED = {"format", "limit"}
_DIGITS = 19  # of a limit
_STATUS = {QuestionError: 400, Ambiguous: 300, NotFound: 404}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "integer": {"type": "integer"},
    "number": {"type": "string", "pattern": r"^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*.*$"},
    "iri": {"type": "string", "format": "iri"},
    "level": {"type": "string", "enum": list(LEVELS)},
}


@dataclass(frozen=True)
class Response:
    """What to answer: status, body, and headers."""

    status: int
    body: str
    media: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def respond(
    path: str,
    query: Mapping[str, Sequence[str]],
    *,
    known: Mapping[str, Question],
    ask: Callable[..., Answer],
    accept: str = "",
) -> Response:
    """Answer a GET request.

    Args:
        path: below the server's root, such as ``/api/questions/raw-files``.
        query: the parameters of the URL, each with its values.
        known: the questions by name; those that read files of this machine are not offered.
        ask: asks a question, such as :meth:`provkg.knowledge.KnowledgeGraph.ask_of`.
        accept: the Accept header.
    """
    offered = {name: question for name, question in known.items() if not question.local}
    if path.rstrip("/") == ROOT:
        return Response(
            200, json.dumps([_told(each) for each in sorted(offered.values(), key=in_order)], ensure_ascii=False)
        )
    name = path.removeprefix(ROOT + "/")
    question = offered.get(name) or next((each for each in offered.values() if each.id == name), None)
    if question is None:
        return _failed(404, f"no question {name!r}", f"they are listed at {ROOT}")
    form = _format(query, accept)
    if form is None:
        return _failed(406, "none of these formats can be given", f"format is one of {', '.join(MEDIA)}")
    try:
        limit = _limit(query, question)
        values = {key: _value(question, key, found) for key, found in query.items() if key not in _RESERVED}
        answer = ask(question, values, limit=limit)
        body = to_csv(answer, formulas=False) if form == "csv" else TEXT[form](answer)
    except ProvkgError as error:
        return _failed(_STATUS.get(type(error), 500), error.message, error.hint, getattr(error, "candidates", []))
    except (OSError, SyntaxError) as error:  # the store, or what stands in a file of one's own
        return _failed(500, f"the question cannot be answered: {type(error).__name__}", "see provkg doctor")
    cut = {"X-Provkg-Cut": answer.cut.encode("ascii", "backslashreplace").decode()} if answer.cut else {}
    return Response(200, body, MEDIA[form], {"Vary": "Accept", **cut})


def _told(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "name": question.name,
        "summary": question.summary,
        "description": question.description,
        "tags": list(question.tags),
        "source": question.source,
        "parameters": {each.name: _parameter(each) for each in question.parameters.values()},
        "columns": {each.name: {"type": each.type, "unit": each.unit} for each in question.columns.values()},
        "href": f"{ROOT}/{question.name}",
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    facts = {
        "type": parameter.type,
        "required": parameter.required and parameter.default is None,
        "many": parameter.many,
        "default": parameter.default,
        "unit": parameter.unit,
        "example": parameter.example,
        "description": parameter.description,
    }
    return {key: value for key, value in facts.items() if value not in (None, "")}


def _value(question: Question, name: str, found: Sequence[str]) -> str | list[str]:
    many = name in question.parameters and question.parameters[name].many
    if len(found) > 1 and not many:
        raise QuestionError(f"{name} is given {len(found)} times", hint="it takes one value")
    return list(found) if len(found) > 1 else "".join(found)


def _limit(query: Mapping[str, Sequence[str]], question: Question) -> int:
    """Return how many rows to give: those of the budget, or fewer."""
    text = query["limit"][0] if query.get("limit") else str(question.rows)
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS and int(text) > 0):
        raise QuestionError(f"limit: {text!r} is no number above 0", hint=f"at most {question.rows}")
    return min(int(text), question.rows)


def _format(query: Mapping[str, Sequence[str]], accept: str) -> str | None:
    """Return the format that is asked for by the URL, else the best of the Accept header; None where there is none."""
    if query.get("format"):
        return query["format"][0] if query["format"][0] in MEDIA else None
    kinds = {media.partition(";")[0]: name for name, media in MEDIA.items()} | {"application/json": "json"}
    return best(accept, kinds)


def _failed(status: int, message: str, hint: str, candidates: Sequence[str] = ()) -> Response:
    facts = {"error": message, "hint": hint, "candidates": list(candidates)}
    return Response(status, json.dumps({key: value for key, value in facts.items() if value}, ensure_ascii=False))


# OpenAPI


def openapi(known: Mapping[str, Question]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of all questions."""
    offered = sorted((each for each in known.values() if not each.local), key=in_order)
    listed = {"200": {"description": "the questions", "content": {"application/json": {}}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "provkg questions",
            "version": version("provkg"),
            "description": "Canned questions to a provenance knowledge graph. Each is one .rq file.",
        },
        "paths": {
            ROOT: {"get": {"operationId": "questions", "summary": "List the questions", "responses": listed}},
            **{f"{ROOT}/{each.name}": {"get": _operation(each)} for each in offered},
        },
        "components": {
            "parameters": {
                "format": {
                    "name": "format",
                    "in": "query",
                    "description": "instead of an Accept header",
                    "schema": {"type": "string", "enum": list(MEDIA)},
                }
            },
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {
                        "error": {"type": "string"},
                        "hint": {"type": "string"},
                        "candidates": {"type": "array", "items": {"type": "string"}},
                    },
                }
            },
        },
    }


def _operation(question: Question) -> dict[str, Any]:
    failed = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    limit = {
        "name": "limit",
        "in": "query",
        "description": "the most rows; a cut answer says so in X-Provkg-Cut",
        "schema": {"type": "integer", "minimum": 1, "maximum": question.rows, "default": question.rows},
    }
    return {
        "operationId": question.name,
        "summary": question.summary,
        "description": f"{question.description}\n\n{question.id}; source: {question.source}",
        "tags": list(question.tags),
        "parameters": [
            *map(_openapi_parameter, question.parameters.values()),
            limit,
            {"$ref": "#/components/parameters/format"},
        ],
        "responses": {
            "200": {
                "description": f"rows of {', '.join(question.columns)}",
                "headers": {
                    "X-Provkg-Cut": {"description": "why these are not all rows", "schema": {"type": "string"}}
                },
                "content": {media: {} for media in MEDIA.values()},
            },
            "300": {"description": "a name can mean several products", "content": failed},
            "400": {"description": "a value is missing, unknown or wrong", "content": failed},
            "404": {"description": "nothing answers to a name", "content": failed},
            "406": {"description": "no format that is accepted can be given", "content": failed},
            "500": {"description": "the store failed", "content": failed},
        },
    }


def _openapi_parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = dict(_SCHEMAS.get(parameter.type, {"type": "string"}))
    if parameter.many:
        schema = {"type": "array", "items": schema}
    if parameter.default not in (None, ""):
        schema["default"] = [parameter.default] if parameter.many else parameter.default
    facts = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required and parameter.default is None,
        "description": " ".join(filter(None, (parameter.description, parameter.unit and f"[{parameter.unit}]"))),
        "schema": schema,
    }
    if parameter.example is not None:
        facts["example"] = parameter.example.split(",") if parameter.many else parameter.example
    return facts
