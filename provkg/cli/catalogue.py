"""Commands that look after questions: check them, test them, publish them."""

import json
import tempfile
from pathlib import Path
from time import perf_counter

import click

from provkg.cli import say
from provkg.cli.output import emit, settings
from provkg.config import Config
from provkg.errors import ProvkgError, QuestionError
from provkg.knowledge import open_with
from provkg.knowledge.finishing import CODE
from provkg.questions import Answer, Question, in_order
from provkg.questions import questions as every_question
from provkg.questions.catalogue import files, of_folder
from provkg.questions.testing import differs, expected_of, lint, with_expected
from provkg.resources import folder, sample


@click.group()
def questions() -> None:
    """Look after canned questions: check the files, test them, publish them.

    `provkg ask` lists and asks them. Folders of your own stand in provkg.toml: questions = ["FOLDER"].
    """


_folders = click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))


def _where(ctx: click.Context, folders: tuple[Path, ...]) -> list[Path]:
    """Return the folders that are named, else those of the settings and that of the shipped questions."""
    return list(folders) or [folder("queries"), *map(Path, settings(ctx).questions)]


@questions.command("lint")
@_folders
@click.pass_context
def lint_files(ctx: click.Context, folders: tuple[Path, ...]) -> int:
    """Check the files in FOLDERS: header, SPARQL, columns, and what a grlc server would read otherwise."""
    paths = [path for where in _where(ctx, folders) for path in files(where)]
    problems = [str(problem) for path in paths for problem in lint(path, CODE)]
    if not problems:
        try:
            every_question(folders or settings(ctx).questions)
        except QuestionError as error:  # two of one name or id
            problems.append(error.message)
    for problem in problems:
        emit(problem)
    say(f"{len(paths)} questions, {len(problems)} problems")
    return 1 if problems else 0


@questions.command("test")
@_folders
@click.option("--records", type=click.Path(exists=True, path_type=Path), help="Records of your own, not the sample.")
@click.option("--update", is_flag=True, help="Write the answers into the files as what is expected.")
@click.pass_context
def test_files(ctx: click.Context, folders: tuple[Path, ...], records: Path | None, update: bool) -> int:
    """Ask the example of each question in FOLDERS of the bundled sample, and compare with what its file expects."""
    asked = [question for where in _where(ctx, folders) for question in of_folder(where).values()]
    failed = 0
    with tempfile.TemporaryDirectory() as store:
        graph = open_with(Config(), store)
        graph.ingest([records or sample()])
        for question in sorted(asked, key=in_order):
            start = perf_counter()
            try:
                answer = graph.ask_of(question, question.example)
                wrong = _updated(question, answer) if update else differs(question, answer)
                rows = len(answer)
            except ProvkgError as error:
                wrong, rows = [error.message], 0
            taken = 1000 * (perf_counter() - start)
            failed += bool(wrong)
            state = "FAILED" if wrong else "ok"
            emit(f"{state:6} {question.id:4} {question.name:22} {rows:6} rows {taken:8.1f} ms")
            for line in wrong:
                emit(f"       {line}")
    say(f"{len(asked)} questions, {failed} failed")
    return 1 if failed else 0


def _updated(question: Question, answer: Answer) -> list[str]:
    """Write an answer into the file of its question as what is expected; the file is replaced at once or not at all."""
    text = with_expected(question, expected_of(answer))
    if text != question.text:
        draft = question.path.with_name(f".{question.path.name}.draft")
        draft.write_text(text, "utf-8")
        draft.replace(question.path)
    return []


def _known(ctx: click.Context) -> dict[str, Question]:
    return every_question(settings(ctx).questions)


@questions.command("pages")
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def write_pages(ctx: click.Context, target: Path) -> int:
    """Write a Markdown page for each question, with its example and answer, into the folder TARGET."""
    from provkg.questions.publishing import pages

    target.mkdir(parents=True, exist_ok=True)
    found = pages(_known(ctx))
    for name, text in found.items():
        (target / f"{name}.md").write_text(text, "utf-8")
    say(f"{len(found)} pages in {target}")
    return 0


@questions.command("openapi")
@click.pass_context
def show_openapi(ctx: click.Context) -> int:
    """Print the OpenAPI description of the questions over HTTP."""
    from provkg.questions.http import openapi

    emit(json.dumps(openapi(_known(ctx)), ensure_ascii=False, indent=1))
    return 0


@questions.command("shacl")
@click.pass_context
def show_shacl(ctx: click.Context) -> int:
    """Print the questions as sh:SPARQLSelectExecutable, in Turtle."""
    from provkg.questions.publishing import shacl

    emit(shacl(_known(ctx)), newline=False)
    return 0
