"""What a request that fails is answered with: JSON for programs, a sentence for people."""

from __future__ import annotations

import json
from collections.abc import Sequence

from provkg.errors import Ambiguous, InputError, MissingExtra, NotFound, ProvkgError, QuestionError
from provkg.server.messages import Reply

STATUS: dict[type[ProvkgError], int] = {
    QuestionError: 400,
    InputError: 400,
    Ambiguous: 300,
    NotFound: 404,
    MissingExtra: 501,
}


def failed(
    status: int,
    error: str,
    hint: str = "",
    *,
    candidates: Sequence[str] = (),
    headers: dict[str, str] | None = None,
) -> Reply:
    """Return an error as JSON, with what can be done about it."""
    facts = {"error": error, "hint": hint, "candidates": list(candidates)}
    text = json.dumps({key: value for key, value in facts.items() if value}, ensure_ascii=False)
    return Reply(status, text.encode("utf-8", "backslashreplace"), "application/json", headers or {})


def of_error(error: ProvkgError) -> Reply:
    """Return what an error of the library is answered with."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    return failed(status, error.message, error.hint, candidates=getattr(error, "candidates", []))
