"""Provenance you can ask: a knowledge graph of what astronomy pipelines record about themselves.

>>> import provkg
>>> kg = provkg.open("night.store")   # opening reads nothing
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provkg.errors import ProvkgError
    from provkg.knowledge import KnowledgeGraph, open  # noqa: A004 - the library's fixed name

__all__ = ["KnowledgeGraph", "ProvkgError", "open"]


def __getattr__(name: str) -> Any:
    """Load the library on first use: ``provkg --help`` needs none of it."""
    if name == "ProvkgError":
        from provkg.errors import ProvkgError

        return ProvkgError
    if name in __all__:
        from provkg import knowledge

        return getattr(knowledge, name)
    raise AttributeError(f"module 'provkg' has no attribute {name!r}")
