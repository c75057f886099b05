"""All questions: those that are shipped, and those in a user's own folders."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from provkg.errors import QuestionError
from provkg.questions.question import Question
from provkg.questions.reading import load
from provkg.resources import folder

# traceability, attribution, reproducibility, comparison, quality, debugging, impact, use, governance
_THEMES = "TARCQDIUG"


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


def in_order(question: Question) -> tuple[object, ...]:
    """Return what questions are sorted by: the theme that the letter of the id stands for, then its number."""
    letters = question.id.rstrip("0123456789")
    number = question.id.removeprefix(letters)
    return (_THEMES.find(letters) % 100, letters, int(number or 0), question.name)


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
    near = get_close_matches(name, [*known, *(each.id for each in known.values())], 1)
    raise QuestionError(f"no question {name!r}", hint=f"did you mean {near[0]!r}?" if near else "list them: provkg ask")
