"""Questions over HTTP: the interface for programs and its description, forms for people, and the SPARQL page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

import msgspec

from provkg.errors import InputError, NotFound, ProvkgError
from provkg.lineage import COLUMNS
from provkg.questions import http
from provkg.questions.catalogue import THEMES, in_order, letters_of
from provkg.questions.choices import choices
from provkg.questions.formats import MEDIA
from provkg.questions.negotiation import best
from provkg.server.failing import failed
from provkg.server.messages import Asked, Reply, values
from provkg.server.pages import rendered, table_of

if TYPE_CHECKING:
    from provkg.questions import Question
    from provkg.server.site import Site

_PICKED = 300  # values of a picker
_EXAMPLES = 12


def answer(site: Site, asked: Asked) -> Reply:
    """Answer ``/api/questions`` and what lies below it."""
    found = http.respond(
        unquote(asked.path), values(asked.query), known=site.questions, ask=site.kg.ask_of, accept=asked.accept
    )
    return Reply(found.status, found.body.encode("utf-8", "backslashreplace"), found.media, found.headers)


def lineage(site: Site, asked: Asked) -> Reply:
    """Answer with a history, as ``provkg lineage --format json`` does: ``/api/lineage?product=&direction=&depth=``.

    Raises:
        InputError: a value is wrong.
    """
    if not asked.one("product"):
        raise InputError("no product is named", hint="/api/lineage?product=PATH")
    direction, depth = asked.one("direction", "up"), asked.one("depth")
    if direction not in ("up", "down") or (depth and not (depth.isascii() and depth.isdigit() and 0 < len(depth) < 10)):
        raise InputError("direction is up or down, depth a number", hint="all steps where no depth is given")
    steps = site.kg.lineage(asked.one("product"), down=direction == "down", depth=int(depth) if depth else None)
    rows = [{name: getattr(step, name) for name in COLUMNS} for step in steps]
    lines = best(asked.accept, {"application/json": "", "application/jsonl": "lines"})
    if lines is None:
        return failed(406, "it is given as none of what is accepted", "application/json or application/jsonl")
    encoder = msgspec.json.Encoder()
    if lines:
        return Reply(200, encoder.encode_lines(rows), "application/jsonl", {"Vary": "Accept"})
    return Reply(200, encoder.encode(rows), "application/json", {"Vary": "Accept"})


def openapi(site: Site, asked: Asked) -> Reply:
    """Answer with the OpenAPI description."""
    facts = http.openapi(site.questions) | {"servers": [{"url": asked.root}]}
    return Reply(200, json.dumps(facts, ensure_ascii=False).encode(), "application/json")


def described(site: Site, asked: Asked) -> Reply:
    """Answer with the OpenAPI description as a page."""
    facts = http.openapi(site.questions)
    operations = [(path, told["get"]) for path, told in facts["paths"].items()]
    return rendered(site, asked, "api", title="Interface for programs", operations=operations)


def catalogue(site: Site, asked: Asked) -> Reply:
    """Answer with the list of questions."""
    groups: dict[str, list[Question]] = {}
    for each in sorted(site.questions.values(), key=in_order):
        groups.setdefault(THEMES.get(letters_of(each), "Others"), []).append(each)
    return rendered(site, asked, "questions", title="Questions", groups=groups)


def form(site: Site, asked: Asked) -> Reply:
    """Answer with a question as a form, and its answer where its values are given."""
    name = unquote(asked.path.removeprefix("/questions/"))
    question = site.questions.get(name)
    if question is None:
        raise NotFound(f"no question {name!r}", hint="/questions lists them")
    given = {key: found for key, found in values(asked.query).items() if key in question.parameters}
    said = {key: [each for each in found if each] for key, found in given.items()}
    said = {key: found for key, found in said.items() if found}
    needed = [key for key, each in question.parameters.items() if each.required and each.default is None]
    ready = all(key in said for key in needed) and (bool(asked.query) or not question.parameters)
    table, error, files = None, None, []
    if ready:
        bound = {key: found if question.parameters[key].many else found[0] for key, found in said.items()}
        try:
            found = site.kg.ask_of(question, bound, limit=question.rows)
            table = table_of(site, found)
        except ProvkgError as problem:
            error = problem
        pairs = [(key, each) for key, some in said.items() for each in some]
        files = [(each, f"/api/questions/{name}?{urlencode([*pairs, ('format', each)])}") for each in MEDIA]
    return rendered(
        site,
        asked,
        "question",
        title=question.summary,
        question=question,
        fields=[_field(site, question, key, said.get(key, [])) for key in question.parameters],
        table=table,
        error=error,
        files=files,
    )


def _field(site: Site, question: Question, name: str, said: list[str]) -> dict[str, Any]:
    parameter = question.parameters[name]
    possible = choices(site.graph(), parameter)
    example = parameter.example or ""
    return {
        "name": name,
        "value": ",".join(said) or (str(parameter.default or "") if parameter.default != "*" else ""),
        "required": parameter.required and parameter.default is None,
        "description": parameter.description,
        "unit": parameter.unit,
        "type": parameter.type,
        "example": example,
        "choices": possible[:_PICKED],
        "more": max(0, len(possible) - _PICKED),
    }


def sparql_page(site: Site, asked: Asked) -> Reply:
    """Answer with the SPARQL page: an editor where scripts run, a form where not."""
    ordered = sorted(site.questions.values(), key=in_order)
    simple = [each for each in ordered if not each.parameters][:_EXAMPLES]
    return rendered(
        site, asked, "sparql", title="SPARQL", examples=[(each.name, each.summary, each.sparql) for each in simple]
    )
