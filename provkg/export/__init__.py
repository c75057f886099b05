"""What leaves provkg: documents that other programs read."""

from pathlib import Path
from typing import NamedTuple

from provkg.export.formats import FORMATS, Form, form_of

__all__ = ["FORMATS", "Exported", "Form", "Products", "form_of"]


class Products(NamedTuple):
    """Files that were written, why some were not, and whether nothing could draw pictures."""

    paths: tuple[Path, ...]
    left_out: dict[str, str]
    undrawn: bool


class Exported(NamedTuple):
    """Files that were written, and what is not in them.

    Args:
        paths: ``-`` is stdout.
        cut: statements that lead to steps and products outside the part that was asked for.
        untold: steps without any time, which OpenLineage cannot tell.
    """

    paths: tuple[Path, ...]
    cut: int = 0
    untold: int = 0
