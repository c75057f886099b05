"""All questions: those that are shipped, and those in a user's own folders."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from provkg.errors import QuestionError, did_you_mean
from provkg.questions.question import Question
from provkg.questions.reading import load
from provkg.resources import folder

THEMES = {  # by the letter with which an id begins, in the order in which they are listed
    "T": "Traceability",
    "A": "Attribution",
    "R": "Reproducibility",
    "C": "Comparison",
    "Q": "Quality",
    "D": "Debugging",
    "I": "Impact",
    "U": "Use and operations",
    "G": "Governance",
}


def questions(folders: Iterable[str | Path] = ()) -> dict[str, Question]:
    """Return the shipped questions, and those of some folders, by name.

    Raises:
        QuestionError: a folder is not there, a file cannot be read, or two questions have one name or id.
    """
    found: dict[str, Question] = {}
    ids: dict[str, Question] = {}
    for where in (folder("queries"), *map(Path, folders)):
        for name, question in of_folder(where).items():
            other = found.get(name) or ids.get(question.id)
            if other is not None:
                same = "named" if name == other.name else "called"
                raise QuestionError(f"{question.path} and {other.path} are {same} alike", hint="change name and id")
            found[name] = ids[question.id] = question
    return found


def of_folder(where: Path) -> dict[str, Question]:
    """Return the questions of one folder by name.

    Raises:
        QuestionError: it is no folder, or a file cannot be read.
    """
    return {path.stem: _known(path) for path in files(where)}


def files(where: Path) -> list[Path]:
    """Return the files of questions in a folder.

    Raises:
        QuestionError: it is no folder.
    """
    if not where.is_dir():
        raise QuestionError(f"{where} is no folder of questions", hint="questions = [...] in provkg.toml")
    return [path for path in sorted(where.glob("*.rq")) if path.is_file() or path.is_symlink()]


def _known(path: Path) -> Question:
    """Return the question of a file; one that has changed is read again."""
    try:
        facts = path.stat()
    except OSError as error:
        raise QuestionError(f"{path}: cannot be read: {error.strerror}") from None
    return _read(path, facts.st_mtime_ns, facts.st_size)


@cache
def _read(path: Path, _changed: int, _size: int) -> Question:
    return load(path)


def letters_of(question: Question) -> str:
    """Return the letters of an id: what it is about."""
    return question.id.rstrip("0123456789")


def in_order(question: Question) -> tuple[object, ...]:
    """Return what questions are sorted by: the theme that the letter of the id stands for, then its number."""
    letters = letters_of(question)
    theme = [*THEMES, letters].index(letters)  # what has no theme of ours comes last
    return (theme, letters, int(question.id.removeprefix(letters) or 0), question.name)


def find_question(name: str, folders: Iterable[str | Path] = ()) -> Question:
    """Return a question by its name or id.

    Raises:
        QuestionError: there is none of that name; the hint names the nearest.
    """
    direct = folder("queries") / f"{name}.rq"  # to read one file is faster than to read all
    if re.fullmatch(r"[a-z0-9-]+", name) and direct.is_file():
        return _known(direct)
    known = questions(folders)
    for question in known.values():
        if name in (question.name, question.id):
            return question
    names = [*known, *(each.id for each in known.values())]
    raise QuestionError(f"no question {name!r}", hint=did_you_mean(name, names, "list them: provkg ask"))
