"""Canned questions: each is one ``.rq`` file that says in itself what it asks, of what, and what comes back."""

from provkg.questions.answer import Answer, plain
from provkg.questions.asking import Asked, ask, bound
from provkg.questions.catalogue import find_question, in_order, of_folder, questions
from provkg.questions.code import CODE
from provkg.questions.question import Question
from provkg.questions.reading import load

__all__ = [
    "CODE",
    "Answer",
    "Asked",
    "Question",
    "ask",
    "bound",
    "find_question",
    "in_order",
    "load",
    "of_folder",
    "plain",
    "questions",
]
