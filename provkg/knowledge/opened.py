"""A store that is open: its snapshot, and its questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from provkg.lineage import Candidate, find
from provkg.store import Graph, Store

if TYPE_CHECKING:  # imported by the call that needs it, so that a look-up does not wait
    from provkg.questions import Answer, Question


class Opened:
    """A store to ask; each call sees the newest snapshot."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.config = store.config

    def graph(self) -> Graph:
        """Open the current snapshot."""
        return self.store.read()

    def ask(self, question: str, *, limit: int | None = None, seconds: float | None = None, **values: Any) -> Answer:
        """Answer a canned question; see :class:`provkg.questions.Answer`.

        Args:
            question: its name or id.
            limit: how many rows to give at most.
            seconds: how long to wait at most.
            values: a value for each parameter, as text, a number, or a list where it takes several.

        Raises:
            QuestionError: the question is unknown, or a value is missing, unknown or wrong.
            NotFound: no product answers to a name.
            Ambiguous: several do.
        """
        return self.ask_of(self.question(question), values, limit=limit, seconds=seconds)

    def ask_of(
        self, question: Question, values: Mapping[str, Any], *, limit: int | None = None, seconds: float | None = None
    ) -> Answer:
        """Answer a question that is in no folder of the settings; see :meth:`ask`."""
        from provkg.knowledge.finishing import CODE
        from provkg.questions import ask

        return ask(self.graph(), question, values, self.config, code=CODE, limit=limit, seconds=seconds)

    def question(self, name: str) -> Question:
        """Return a question by its name or id."""
        from provkg.questions import find_question

        return find_question(name, self.config.questions)

    def questions(self) -> dict[str, Question]:
        """Return all questions by name: those that are shipped, and those of the folders in the settings."""
        from provkg.questions import questions

        return questions(self.config.questions)

    def find(self, text: str) -> list[Candidate]:
        """Return the entities that a path, name, IRI, digest or prefix can mean."""
        return find(self.graph(), text, site=self.config.site)
