"""What a validation found, and where each finding was recorded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import NamedNode, Quad

from provkg.store import Graph
from provkg.validation.shapes import SEVERITIES
from provkg.vocab import LEDGER, PKG, PROV, RDF_TYPE


@dataclass(frozen=True)
class Finding:
    """What a rule found: how bad it is, about which node, where that was recorded, and what to do.

    ``layer`` and ``shape`` name the rule here, ``rule`` and ``standard`` where it comes from (``c42`` is constraint 42
    of PROV-CONSTRAINTS). ``source`` and ``line`` are the file and the line of the record. ``component`` is the IRI of
    what found it: a SHACL constraint component, or a constraint of that Recommendation.
    """

    severity: str
    message: str
    hint: str
    focus: str
    path: str = ""
    value: str = ""
    layer: str = ""
    shape: str = ""
    rule: str = ""
    standard: str = ""
    source: str = ""
    line: int | None = None
    component: str = ""

    @property
    def where(self) -> str:
        """The name of the file and the line, to be read by people."""
        return f"{Path(self.source).name}:{self.line or ''}" if self.source else ""

    @property
    def name(self) -> str:
        """What to call the rule: its number where it has one, else its shape."""
        return self.rule or self.shape


@dataclass(frozen=True)
class Report:
    """What a validation found. It conforms when there is no violation; warnings and infos are said and do not count.

    ``engine`` is the SHACL engine that was used, ``nodes`` how many nodes with a type were looked at, ``failing`` the
    severities that count as failures.
    """

    findings: tuple[Finding, ...]
    sources: int
    nodes: int
    engine: str
    layers: tuple[str, ...] = ()
    failing: tuple[str, ...] = ("Violation",)

    @property
    def conforms(self) -> bool:
        """Say whether there is no violation."""
        return not any(finding.severity == "Violation" for finding in self.findings)

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity, source, line and rule."""
    return tuple(
        sorted(
            set(findings),
            key=lambda each: (
                SEVERITIES.index(each.severity),
                each.source,
                each.line or 0,
                each.name,
                each.focus,
                each.value,
            ),
        )
    )


class Places:
    """Find the file and the line of the record that a node comes from."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        ledger = graph.iri(LEDGER)
        self.paths: dict[str, list[str]] = {}
        for quad in graph.quads(None, PKG.sourcePath, None, ledger):
            self.paths.setdefault(_text(quad.subject), []).append(_text(quad.object))

    def of(self, focus: str) -> tuple[str, int | None]:
        """Return the path of the source that tells of a node (the first of its copies), and the line."""
        if focus.startswith(("_:", "[")) or ":" not in focus:
            return "", None
        source = self.source(focus)
        return (min(self.paths[source]), self.line(focus, source)) if source else ("", None)

    def source(self, focus: str) -> str:
        """Return the source that tells of a node: that it is, else something about it, else of what refers to it."""
        for pattern in ((focus, RDF_TYPE, None), (focus, None, None), (None, None, focus)):
            held = self._holding(*pattern)
            if held:
                return min(held, key=lambda each: (sorted(self.paths[each]), each))
        return ""

    def sources(self, focus: str) -> set[str]:
        """Return the sources that say something of a node."""
        if ":" not in focus:
            return set()
        return self._holding(focus, None, None) | self._holding(None, None, focus)

    def _holding(self, subject: str | None, predicate: str | None, object_: str | None) -> set[str]:
        return {_text(quad.graph_name) for quad in self.graph.quads(subject, predicate, object_)} & self.paths.keys()

    def line(self, focus: str, source: str) -> int | None:
        """Return the line of the record about a node: its own, or that of a relation it is an end of."""
        own = self._lines(self.graph.quads(focus, PKG.line, None, source))
        return min(
            own or [line for node in self._nearby(focus, source) for line in self._of(node, source)], default=None
        )

    def _nearby(self, focus: str, source: str) -> Iterator[str]:
        for predicate in (PROV.qualifiedGeneration, PROV.qualifiedUsage):
            yield from (_text(quad.object) for quad in self.graph.quads(focus, predicate, None, source))
        for quad in self.graph.quads(None, PROV.specializationOf, focus, source):
            version = _text(quad.subject)
            yield from (
                _text(each.object) for each in self.graph.quads(version, PROV.qualifiedGeneration, None, source)
            )
        yield from (_text(quad.subject) for quad in self.graph.quads(None, None, focus, source))

    def _of(self, node: str, source: str) -> list[int]:
        return self._lines(self.graph.quads(node, PKG.line, None, source))

    @staticmethod
    def _lines(quads: Iterable[Quad]) -> list[int]:
        return [int(_text(quad.object)) for quad in quads]


def _text(term: object) -> str:
    return term.value if isinstance(term, NamedNode) else str(getattr(term, "value", ""))
