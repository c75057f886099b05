"""What leaves provkg: documents that other programs read."""

from pathlib import Path
from typing import NamedTuple

from provkg.export.lstosa_writing import write_products
from provkg.export.provdocument import FORMATS, prov_document, written
from provkg.export.votable import votable

__all__ = ["FORMATS", "Products", "prov_document", "votable", "write_products", "written"]


class Products(NamedTuple):
    """Files that were written, why some were not, and whether nothing could draw pictures."""

    paths: tuple[Path, ...]
    left_out: dict[str, str]
    undrawn: bool
