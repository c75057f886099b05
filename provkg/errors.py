"""The errors of provkg: few, with data and advice.

::

    ProvkgError
    ├── InputError        a file cannot be read as provenance          exit 3
    ├── StoreError        the store cannot be opened or written        exit 3
    │   └── StoreLocked   another process is writing                   exit 3
    ├── NotFound          nothing in the store answers to that name    exit 5
    ├── Ambiguous         several things answer to that name           exit 2
    ├── QuestionError     a question or a value for it is wrong        exit 2
    └── MissingExtra      an optional package is needed                exit 3

``SyntaxError`` from Turtle and SPARQL passes through: it names file, line and column.
"""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint at the known word that is nearest, or another hint where none is near.

    >>> did_you_mean("parnets", ["parents", "steps"])
    "did you mean 'parents'?"
    """
    near = get_close_matches(word, list(known), 1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def said(error: BaseException) -> str:
    r"""Return what an exception says, in one line of at most 300 characters.

    >>> said(ValueError("unacceptable\n  in line 3")), said(KeyError())
    ('unacceptable in line 3', 'KeyError')
    """
    return " ".join(str(error).split())[:300] or type(error).__name__


class ProvkgError(Exception):
    """Say what went wrong, and what to do about it.

    Args:
        message: one sentence, without a full stop.
        hint: what the user can do, or an empty string.
    """

    exit_status = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(ProvkgError):
    """A file cannot be read as provenance."""


class StoreError(ProvkgError):
    """The store cannot be opened, read or written."""


class StoreLocked(StoreError):
    """Another process is writing to the store."""


class NotFound(ProvkgError):
    """Nothing in the store answers to that name."""

    exit_status = 5


class Ambiguous(ProvkgError):
    """Several things answer to that name; they are listed, none is chosen."""

    exit_status = 2

    def __init__(self, message: str, candidates: list[str], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.candidates = candidates


class QuestionError(ProvkgError):
    """A question is unknown, or a value does not fit its parameter."""

    exit_status = 2


class MissingExtra(ProvkgError):
    """An optional package is needed for this."""
