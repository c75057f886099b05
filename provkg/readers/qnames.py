"""The names of a PROV document: full IRIs as they are, local ones within the document, attributes as properties."""

import re
from typing import Any

from prov.identifier import Identifier, QualifiedName
from prov.model import Literal

from provkg import identity
from provkg.records import Iri, Properties, Typed, Value
from provkg.vocab import PKG, PROV, RDFS_LABEL, VOPROV, VP, XSD

ABSOLUTE = re.compile(r"(?:https?|ftp|ivo|file)://|urn:", re.IGNORECASE)
_ILLEGAL = re.compile(r'[\x00-\x20<>"{}|\\^`]')


class Names:
    """Names of one document: ids such as ``id:6d2362`` repeat from document to document, so they are scoped.

    ``places`` are the ids whose meaning the document tells: a path, a session.
    """

    def __init__(self, scope: str, prefixes: dict[str, str]) -> None:
        self.scope, self.prefixes = scope, prefixes
        self.places: dict[str, str] = {}

    def name(self, qualified: Any) -> str:
        """Return the name of a qualified name or text."""
        text = str(qualified.uri) if isinstance(qualified, Identifier) else str(qualified)
        known = self.places.get(text)
        return known or self.uri(text)

    def uri(self, text: str) -> str:
        """Return a full IRI as it is, anything else as a local name of this document."""
        if ABSOLUTE.match(text):
            return _ILLEGAL.sub(lambda match: f"%{ord(match[0]):02X}", text)
        return identity.thing(self.scope, text)

    def expand(self, written: str) -> str:
        """Return the name of something written with a prefix."""
        prefix, colon, local = written.partition(":")
        if not colon:
            return self.name(self.prefixes.get("default", "") + written)
        return self.name(self.prefixes[prefix] + local if prefix in self.prefixes else written)

    def properties(self, attributes: list[tuple[Any, Any]], types: list[str]) -> Properties:
        """Return attributes as properties, and the types that are no IRIs."""
        found: Properties = tuple((self.term(key), self.value(value)) for key, value in attributes)
        return found + tuple((PKG.recordedType, kind) for kind in types if not ABSOLUTE.match(kind))

    def term(self, key: Any) -> str:
        """Return the property of an attribute: that of the IVOA model where the document uses another spelling."""
        text = str(key.uri) if isinstance(key, QualifiedName) else self._written(str(key))
        if text.startswith(VOPROV):
            return VP[identity.part(text.removeprefix(VOPROV))]
        if text == PROV.name:
            return VP.name
        if text == PROV.location:
            return PKG.location
        if text == PROV.label:
            return RDFS_LABEL
        if text in (PROV.role, PROV.type):
            return VP.role if text == PROV.role else PKG.recordedType
        return self.uri(text) if ABSOLUTE.match(text) else PKG[f"attribute/{identity.part(text)}"]

    def _written(self, text: str) -> str:
        prefix, colon, local = text.partition(":")
        known = {"prov": PROV.iri, "voprov": VOPROV, **self.prefixes}
        return known[prefix] + local if colon and prefix in known else text

    def value(self, value: Any) -> Value:
        """Return the value of an attribute."""
        if isinstance(value, Identifier):
            return Iri(self.name(value))
        if isinstance(value, Literal):
            return Typed(str(value.value), str(value.datatype.uri) if value.datatype else "", value.langtag or "")
        if isinstance(value, str | int | float | bool):
            return value
        return Typed(moment(value), XSD + "dateTime") if moment(value) else str(value)


def moment(value: Any) -> str:
    """Return a time as text, or nothing."""
    if isinstance(value, str):
        return value
    return str(value.isoformat()) if hasattr(value, "isoformat") else ""
