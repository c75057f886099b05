"""RDF terms as N-Triples text: text loads four times faster than term objects."""

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from pyoxigraph import NamedNode

from provkg.identity import canonical
from provkg.records import Iri, Typed, Value
from provkg.vocab import XSD

RDF_JSON = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"
_SPECIAL = re.compile(r'[\\"\n\r\ud800-\udfff]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ILLEGAL = re.compile(r'[\x00-\x20<>"{}|\\^`]')
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_FRACTION = re.compile(r"\.(\d+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def literal(text: str, datatype: str = "", language: str = "") -> str:
    r"""Return a literal.

    A lone surrogate (a byte that was not UTF-8) cannot stand in RDF: it is written as its escape.

    >>> literal('a "b"')
    '"a \\"b\\""'
    >>> literal("1", "http://www.w3.org/2001/XMLSchema#integer")
    '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'
    """
    if _SPECIAL.search(text):
        text = _SPECIAL.sub(_escaped, text)
    if language:
        return f'"{text}"@{language}'
    return f'"{text}"^^<{datatype}>' if datatype and datatype != XSD + "string" else f'"{text}"'


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\\\udc{ord(character) & 0xFF:02x}"


def integer(value: int) -> str:
    """Return an xsd:integer."""
    return f'"{value}"^^<{XSD}integer>'


class Names:
    """Turn names into IRIs: those without a scheme begin with the base."""

    def __init__(self, base: str) -> None:
        self.base = base

    def iri(self, name: str) -> str:
        """Return an IRI in angle brackets.

        >>> Names("https://example.org/").iri("entity/1")
        '<https://example.org/entity/1>'
        >>> Names("https://example.org/").iri("http://other.org/a b")
        '<http://other.org/a%20b>'
        """
        scheme = _SCHEME.match(name)
        return foreign(name) if scheme is not None else f"<{self.base}{name}>"

    def value(self, value: Value) -> str:
        """Return the term of a value."""
        match value:
            case Iri(name=name):
                return self.iri(name)
            case Typed(text=text, datatype=datatype, language=language):
                known = language if _LANGUAGE.fullmatch(language) else ""
                return literal(text, foreign(datatype)[1:-1] if datatype else "", known)
        return typed(value)[0] if not isinstance(value, str) else literal(value)


@lru_cache(4096)
def foreign(iri: str) -> str:
    """Return somebody else's IRI in angle brackets, with what is illegal in it percent-encoded."""
    cleaned = _ILLEGAL.sub(lambda match: f"%{ord(match[0]):02X}", iri)
    try:
        return f"<{NamedNode(cleaned).value}>"
    except ValueError:
        return f"<urn:provkg:invalid:{cleaned.encode('utf-8', 'backslashreplace').hex()}>"


def typed(value: Any) -> tuple[str, str]:
    """Return a parameter's value as a typed literal, and as text.

    >>> typed(True)
    ('"true"^^<http://www.w3.org/2001/XMLSchema#boolean>', 'true')
    """
    match value:
        case str():
            return literal(value), value
        case bool():
            text = "true" if value else "false"
            return literal(text, XSD + "boolean"), text
        case int():
            return integer(value), str(value)
        case float():
            text = (
                repr(value) if math.isfinite(value) else "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"
            )
            return literal(text, XSD + "double"), text
    text = canonical(value)
    return literal(text, RDF_JSON), text


class Clock:
    """Turn recorded times into UTC; a time without a zone is in the declared one, which is counted."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.is_utc = zone.key == "UTC"
        self.assumed = self.repeated_hour = 0

    def read(self, text: str) -> tuple[str, int]:
        """Return a time in UTC as text with as many digits as recorded, and in microseconds since 1970.

        Raises:
            ValueError: it is no time.

        >>> Clock(ZoneInfo("Atlantic/Canary")).read("2021-07-01T02:00:00.100000")
        ('2021-07-01T01:00:00.100000Z', 1625101200100000)
        """
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            self.assumed += 1
            if self.is_utc:
                moment = moment.replace(tzinfo=UTC)
            else:
                moment = moment.replace(tzinfo=self.zone)
                self.repeated_hour += moment.utcoffset() != moment.replace(fold=1).utcoffset()
                moment = moment.astimezone(UTC)
        elif moment.tzinfo is not UTC:
            moment = moment.astimezone(UTC)
        fraction = _FRACTION.search(text)
        whole = moment.strftime("%Y-%m-%dT%H:%M:%S") if moment.year > 999 else moment.isoformat()[:19]
        digits = f".{fraction[1]}" if fraction else ""
        since = moment - _EPOCH
        return f"{whole}{digits}Z", (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
