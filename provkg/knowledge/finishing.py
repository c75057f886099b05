"""What the code of questions can be: that of the questions themselves, and what needs other rooms of the house."""

from collections.abc import Iterable, Iterator

from pyoxigraph import Literal, NamedNode

from provkg.questions import CODE as OWN
from provkg.questions import Asked
from provkg.questions.asking import Code
from provkg.store import Row, text_of


def validate(asked: Asked, _: Iterable[Row]) -> Iterator[Row]:
    """Judge an activity and what belongs to it by all layers of shapes."""
    from provkg.validation import of_activity  # noqa: PLC0415 - slow to import

    for each in of_activity(asked.graph, text_of(asked.terms["product"])):
        texts = {
            "severity": each.severity,
            "rule": each.name,
            "path": each.path,
            "value": each.value,
            "message": each.message,
            "source": each.source,
        }
        yield {
            **{name: Literal(text) if text else None for name, text in texts.items()},
            "focus": _node(each.focus),
            "line": Literal(each.line) if each.line is not None else None,
        }


def _node(text: str) -> NamedNode | Literal:
    try:
        return NamedNode(text)
    except ValueError:
        return Literal(text)


def grade(_: Asked, rows: Iterable[Row]) -> Iterator[Row]:
    """Judge the facts of a history by the shapes of grades."""
    from provkg.grades import grades, judged  # noqa: PLC0415 - slow to import

    names = ("scale", "grade", "criterion", "met", "all", "improvement")
    for row in judged(grades(rows)):
        values: tuple[str | int, ...] = row
        yield {name: Literal(value) if value != "" else None for name, value in zip(names, values, strict=True)}


CODE: dict[str, Code] = {**OWN, "grade": grade, "validate": validate}
