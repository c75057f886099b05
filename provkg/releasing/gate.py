"""The gate of a release: what is left that should not be.

Shapes say where private data stand, patterns and entropy find it where nobody expects it, and what was replaced is
looked for once more, in any spelling.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from pyoxigraph import Literal, NamedNode, Quad

from provkg.releasing import patterns
from provkg.releasing.policy import Policy
from provkg.store import Graph, text_of
from provkg.validation import engines, shapes
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, VOPROV, VP, short

LAYER = "release"
_DIGESTS = (PKG.pathDigest, PKG.recordedDigest, PKG.unprovenDigest, PKG.digestValue, PKG.sha256, PKG.localId)
_SHAPED = (PKG.host, PKG.contactName, PKG.contactEmail, PKG.json, RDFS_LABEL, PKG.packageName)
_OURS = (PROV.iri, VP.iri, PKG.iri, VOPROV, "http://www.w3.org/", "http://purl.org/")
_ENCODED = re.compile(r"[A-Za-z0-9+/]{6,}={0,2}")
_SHORTEST = 3  # letters of a value that is looked for in other spellings


class Leak(NamedTuple):
    """Something that is left: its kind, what it is, and subject and property of the first statement that has it."""

    kind: str
    found: str
    subject: str
    predicate: str

    def shown(self) -> str:
        """Return it without what leaks."""
        telling = self.found.lower() in unquote(self.subject).lower()
        subject = "an IRI that tells it" if telling else f"<{self.subject[:80]}>"
        return f"{self.kind}: {self.found[:2]}… ({len(self.found)} characters), {short(self.predicate)} of {subject}"


def leaks(graph: Graph, policy: Policy, values: Iterable[tuple[str, str]]) -> list[Leak]:
    """Return what is left in a graph of what its policy does not keep, each once.

    Args:
        graph: what is to be released.
        policy: what is done with each kind.
        values: kinds and values that were replaced.
    """
    looking = _Looking(policy, values)
    found: dict[tuple[str, str], Leak] = {}
    shaped: list[str] = []
    for quad in graph.pattern(None, None, None, None):
        for leak in looking.at(quad):
            found.setdefault((leak.kind, leak.found), leak)
        if quad.predicate.value in _SHAPED or (quad.predicate.value == RDF_TYPE and text_of(quad.object) == PROV.Agent):
            shaped.append(f"{quad.triple} .\n")
    for leak in _by_shapes("".join(shaped), policy):
        found.setdefault((leak.kind, leak.found), leak)
    return sorted(found.values())


def _by_shapes(text: str, policy: Policy) -> Iterator[Leak]:
    """Give what the shapes find where private data are expected."""
    known = shapes.load([LAYER])
    for result in engines.run("auto", known, engines.Data(text)):
        kind = known.known[result.shape].name.removeprefix("release-")
        if policy.action(kind) != "keep" and not (kind == "environment" and policy.variables):
            yield Leak(kind, result.value, result.focus, "shape")


class _Looking:
    """Look at statements; each text is looked at once."""

    def __init__(self, policy: Policy, values: Iterable[tuple[str, str]]) -> None:
        self.policy = policy
        self.allowed = [re.compile(each) for each in policy.allow]
        self.kinds = {value.lower(): kind for kind, value in values if len(value) >= _SHORTEST}
        ordered = "|".join(map(re.escape, sorted(self.kinds, key=lambda word: (-len(word), word))))
        self.known = re.compile(f"(?i)(?<![A-Za-z0-9])(?:{ordered})(?![A-Za-z0-9])") if ordered else None
        self.roots = [re.compile(rf"{re.escape(old)}(?![\w.-])") for old in policy.paths]
        self.of: Callable[[str, bool], tuple[tuple[str, str], ...]] = lru_cache(200_000)(self._of)

    def at(self, quad: Quad) -> Iterator[Leak]:
        """Give what leaks in a statement: in its IRIs, its value, its blank labels."""
        digests = quad.predicate.value in _DIGESTS
        for term in (quad.subject, quad.predicate, quad.object, quad.graph_name):
            text = text_of(term)
            if isinstance(term, NamedNode) and text.startswith(_OURS):
                continue
            named = digests or not isinstance(term, Literal)
            for kind, found in self.of(text, named):
                yield Leak(kind, found, text_of(quad.subject), quad.predicate.value)

    def _of(self, text: str, digests: bool) -> tuple[tuple[str, str], ...]:
        found = [*self.found(unquote(text), digests)]
        for match in _ENCODED.finditer(text):
            found += [(kind, what) for kind, what in self.found(_decoded(match[0]), digests) if kind != "entropy"]
        return tuple(
            (kind, what)
            for kind, what in found
            if self.policy.action(kind) != "keep" and not any(each.search(what) for each in self.allowed)
        )

    def found(self, text: str, digests: bool) -> Iterator[tuple[str, str]]:
        """Give kinds and values in a text."""
        if self.known is not None:
            yield from ((self.kinds[match[0].lower()], match[0]) for match in self.known.finditer(text))
        yield from (("e-mail", match[0]) for match in patterns.E_MAIL.finditer(text))
        for match in patterns.HOME.finditer(text):
            if not patterns.STAND_IN.fullmatch(match[1]):
                yield "home directory", match[0]
        yield from (("token", match[0]) for match in patterns.TOKEN.finditer(text))
        for pattern in (patterns.ADDRESS, patterns.INTERNAL):
            yield from (("host", match[0]) for match in pattern.finditer(text))
        yield from (("path", match[0]) for root in self.roots for match in root.finditer(text))
        yield from (("entropy", word) for word in patterns.suspects(text, digests=digests))


def _decoded(text: str) -> str:
    """Return what base64 says, where it says text."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return ""
    return found if found.isprintable() else ""
