"""Validate the graph with SHACL shapes, and say where each finding came from.

pySHACL is the engine. Each source is validated with what it refers to in the shared graphs, so memory stays that of
one source. A finding names the file and line of the record it is about. https://www.w3.org/TR/shacl/
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import rdflib
from pyoxigraph import NamedNode, Quad
from pyshacl import validate as run_shacl
from rdflib.namespace import SH

from provkg.resources import folder
from provkg.store import Graph
from provkg.vocab import CATALOGUE, LEDGER, PKG, PROV, RDF_TYPE, short

SEVERITIES = ("Violation", "Warning", "Info")
_CONTEXT = (RDF_TYPE, PKG.location)


@dataclass(frozen=True)
class Finding:
    """What a shape found: about which node, where it was recorded, and what to do."""

    severity: str
    message: str
    focus: str
    path: str
    value: str
    shape: str
    source: str
    line: int | None


@dataclass(frozen=True)
class Report:
    """What a validation found. It conforms when there is no violation; warnings and infos are said and do not count."""

    findings: tuple[Finding, ...]
    sources: int
    nodes: int

    @property
    def conforms(self) -> bool:
        """Say whether there is no violation."""
        return not any(finding.severity == "Violation" for finding in self.findings)

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)


@cache
def shapes() -> rdflib.Graph:
    """Return the shipped shapes as one graph."""
    graph = rdflib.Graph()
    for path in sorted(folder("shapes").glob("*.ttl")):
        graph.parse(path, format="turtle")
    return graph


def validate(graph: Graph, *, severity: str = "Info") -> Report:
    """Validate every source of a store.

    Args:
        graph: an open store.
        severity: the least severity to report: ``Violation``, ``Warning`` or ``Info``.
    """
    wanted = SEVERITIES[: SEVERITIES.index(severity) + 1]
    findings: dict[tuple[str, ...], Finding] = {}
    sources = sorted({_value(quad.subject) for quad in graph.quads(None, RDF_TYPE, PKG.Source, graph.iri(LEDGER))})
    nodes = 0
    for source in sources:
        data, typed = _data(graph, source)
        nodes += typed
        for finding in _findings(graph, source, data):
            if finding.severity in wanted:
                findings.setdefault(
                    (finding.focus, finding.shape, finding.path, finding.value, finding.message), finding
                )
    order = sorted(
        findings.values(),
        key=lambda each: (SEVERITIES.index(each.severity), each.source, each.line or 0, each.focus, each.shape),
    )
    return Report(tuple(order), len(sources), nodes)


def _data(graph: Graph, source: str) -> tuple[rdflib.Graph, int]:
    """Return a source with what is resolved or said elsewhere about its nodes, and what it refers to."""
    quads = list(graph.quads(None, None, None, source))
    subjects = {_value(quad.subject) for quad in quads}
    objects = {_value(quad.object) for quad in quads if isinstance(quad.object, NamedNode)}
    catalogue = graph.iri(CATALOGUE)
    for subject in sorted(subjects):  # also what other sources say of it: they may contradict
        quads += graph.quads(subject)
    for shared in sorted(objects - subjects):
        quads += [quad for quad in graph.quads(shared, None, None, catalogue) if quad.predicate.value in _CONTEXT]
    data = rdflib.Graph()
    data.parse(data="".join({f"{quad.triple} .\n" for quad in quads}), format="nt")
    return data, sum(1 for _ in graph.quads(None, RDF_TYPE, None, source))


def _findings(graph: Graph, source: str, data: rdflib.Graph) -> Iterator[Finding]:
    _, results, _ = run_shacl(data, shacl_graph=shapes(), inference="none", inplace=True, advanced=False)
    if not isinstance(results, rdflib.Graph):
        raise TypeError(f"the SHACL engine failed: {results}")
    paths = graph.objects(source, PKG.sourcePath)
    for result in results.subjects(rdflib.RDF.type, SH.ValidationResult):
        focus = str(results.value(result, SH.focusNode))
        path = results.value(result, SH.resultPath)
        yield Finding(
            severity=short(str(results.value(result, SH.resultSeverity))),
            message=str(results.value(result, SH.resultMessage) or ""),
            focus=focus,
            path=_path(results, path),
            value=str(results.value(result, SH.value) or ""),
            shape=short(str(results.value(result, SH.sourceShape))),
            source=", ".join(paths),
            line=_line(graph, focus, source),
        )


def _path(results: rdflib.Graph, path: object) -> str:
    if isinstance(path, rdflib.BNode):
        inverse = results.value(path, SH.inversePath)
        return f"^{short(str(inverse))}" if inverse is not None else str(path)
    return short(str(path)) if path is not None else ""


def _line(graph: Graph, focus: str, source: str) -> int | None:
    """Return the line of the record about a node: its own, or that of a relation it is an end of."""
    lines = _lines(graph.quads(focus, PKG.line, None, source))
    if lines:
        return min(lines)
    for predicate in (PROV.qualifiedGeneration, PROV.qualifiedUsage):
        for quad in graph.quads(focus, predicate, None, source):
            lines += _lines(graph.quads(_value(quad.object), PKG.line, None, source))
    for quad in graph.quads(None, PROV.specializationOf, focus, source):
        for generation in graph.quads(_value(quad.subject), PROV.qualifiedGeneration, None, source):
            lines += _lines(graph.quads(_value(generation.object), PKG.line, None, source))
    for quad in graph.quads(None, PROV.entity, focus, source):
        lines += _lines(graph.quads(_value(quad.subject), PKG.line, None, source))
    return min(lines, default=None)


def _lines(quads: Iterable[Quad]) -> list[int]:
    return [int(_value(quad.object)) for quad in quads]


def _value(term: object) -> str:
    return str(getattr(term, "value", ""))
