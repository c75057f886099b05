"""IRIs and values of the graph as the qualified names and values of a PROV document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prov.identifier import Namespace, QualifiedName
from prov.model import Literal as ProvLiteral
from pyoxigraph import Literal

from provkg.store import text_of
from provkg.vocab import PREFIXES, XSD

_TEXT = XSD + "string"


class ProvNames:
    """The namespaces of one document, however many pieces it is written in.

    Args:
        base: what the IRIs of the data begin with.
        text: what a format makes of texts that it cannot hold.
    """

    def __init__(self, base: str, text: Callable[[str], str] = str) -> None:
        self.text = text
        known = {iri: Namespace(prefix, iri) for prefix, iri in PREFIXES.items() if prefix not in ("rdf", "rdfs")}
        self.spaces = known | ({base: Namespace("data", base)} if base else {})
        self.base = base

    def name(self, iri: str) -> QualifiedName:
        """Return an IRI as a qualified name."""
        if self.base and iri.startswith(self.base) and iri != self.base:
            return QualifiedName(self.spaces[self.base], iri.removeprefix(self.base))
        at = max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1
        space, local = (iri[:at], iri[at:]) if 0 < at < len(iri) else (iri, "")
        if space not in self.spaces:
            self.spaces[space] = Namespace(f"ns{len(self.spaces)}", space)
        return QualifiedName(self.spaces[space], local)

    def value(self, term: Any) -> Any:
        """Return a term as the value of an attribute."""
        if not isinstance(term, Literal):
            return self.name(text_of(term))
        if term.language:
            return ProvLiteral(self.text(term.value), langtag=term.language)
        if term.datatype.value == _TEXT:
            return self.text(term.value)
        return ProvLiteral(self.text(term.value), self.name(term.datatype.value))
