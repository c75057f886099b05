"""Where the ontologies, shapes and queries lie."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Return the folder ``ontologies``, ``shapes`` or ``queries``.

    A wheel carries them in ``provkg/data``; a checkout has them beside the package.

    >>> folder("queries").is_dir()
    True
    """
    shipped = _PACKAGE / "data" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


def sample() -> Path:
    """Return the folder of sample records that ``provkg demo`` ingests."""
    return _PACKAGE / "sample"
