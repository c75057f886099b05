"""Validate the graph: SHACL shapes in layers, and PROV-CONSTRAINTS, with each finding at its file and line.

Two engines give the same results for the shapes: pySHACL is the reference, ``shacl`` is fast and does not let a night
wait. https://www.w3.org/TR/shacl/, https://www.w3.org/TR/prov-constraints/
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from provkg.store import Graph, LocalGraph
from provkg.validation import scope as scopes
from provkg.validation.constraints import Breach, Bundle, breaches, dated, read
from provkg.validation.contract import Contract
from provkg.validation.documents import Document, documents
from provkg.validation.engines import ENGINES, Data, Result, chosen, run
from provkg.validation.report import Finding, Places, Report, in_order
from provkg.validation.scope import Scope
from provkg.validation.shapes import LAYERS, MODEL, SEVERITIES, SHAPE, Shapes, load
from provkg.vocab import RDF_TYPE, short

__all__ = [
    "ENGINES",
    "LAYERS",
    "SEVERITIES",
    "Contract",
    "Data",
    "Finding",
    "Report",
    "Scope",
    "judged",
    "load",
    "validate",
]

_PROV = "prov-constraints"
_TIMED = "archive"


def validate(
    graph: Graph,
    scope: Scope | None = None,
    *,
    layers: Sequence[str] = LAYERS,
    severity: str = "Info",
    engine: str = "auto",
    contract: Contract | None = None,
    originals: Mapping[str, Path] | None = None,
    elsewhere: Callable[[Sequence[str], str], Iterable[Finding]] | None = None,
) -> Report:
    """Validate a store, or a part of it.

    Args:
        graph: an open store.
        scope: what to validate; None is everything.
        layers: names of :data:`LAYERS`.
        severity: the least severity to report: ``Violation``, ``Warning`` or ``Info``.
        engine: ``auto``, ``shacl``, ``pyshacl``, or ``both``, which compares them.
        contract: what a pipeline's definition expects.
        originals: the RDF documents that sources were read from, by source: PROV-CONSTRAINTS are judged on these.
        elsewhere: has other processes judge sources by the shapes, each with :func:`judged`; takes the sources and
            the name of the engine.

    Raises:
        MissingExtra: the engine is not installed.
        StoreError: the engines do not agree.
    """
    every = scopes.everything(graph)
    scope = scope or every
    at_once = len(scope.sources) * 4 >= len(every.sources)  # of so large a part reading all is faster than look-ups
    engine = chosen(engine)
    raw = list(documents(originals or {}))
    shapes = load(layers, contract.shapes() if contract else ())
    if elsewhere is not None:
        found = list(elsewhere(scope.sources, engine))
    else:
        found = list(_by_shapes(shapes, _pieces(graph, scope, engine, whole=at_once), engine, layers))
    found += contract.findings(graph, scope.focus) if contract is not None else ()
    found += _from_code(graph, scope, layers, {each.source for each in raw})
    places = Places(graph)
    placed = [_placed(places, replace(each, value=_value(graph, shapes, each))) for each in _unique(found)]
    placed = [each for each in placed if scope.focus is None or each.focus in scope.focus]
    if _PROV in layers:
        placed = list(_per_bundle(graph, placed, places, engine, {each.source for each in raw}))
        placed += _of_documents(raw, engine, {(each.shape, each.focus) for each in placed if each.shape})
    wanted = SEVERITIES[: SEVERITIES.index(severity) + 1]
    kept = (each for each in placed if each.severity in wanted)
    return Report(in_order(kept), len(scope.sources), _nodes(graph, scope), engine, tuple(layers))


def judged(
    graph: Graph, source: str, *, layers: Sequence[str], engine: str, contract: Contract | None = None
) -> list[Finding]:
    """Judge what one source tells of by the shapes: a part of :func:`validate` that needs no other part."""
    shapes = load(layers, contract.shapes() if contract else ())
    return list(_by_shapes(shapes, [scopes.neighbourhood(graph, [source])], engine, layers))


def of_activity(graph: Graph, activity: str, *, engine: str = "auto") -> tuple[Finding, ...]:
    """Judge one activity, with what it read and wrote and how, by all shapes.

    Merging and the order of events (PROV-CONSTRAINTS) need whole sources: :func:`validate` judges these.
    """
    scope, shapes, engine = scopes.of_activity(graph, activity), load(LAYERS, ()), chosen(engine)
    data = scopes.neighbourhood(graph, scope.sources, scope.focus)
    places = Places(graph)
    found = _unique(list(_by_shapes(shapes, [data], engine, LAYERS)))
    placed = (_placed(places, replace(each, value=_value(graph, shapes, each))) for each in found)
    return in_order(each for each in placed if scope.focus is None or each.focus in scope.focus)


def _by_shapes(shapes: Shapes, pieces: Iterable[Data], engine: str, layers: Sequence[str]) -> Iterator[Finding]:
    for data in pieces:
        for each in _from_shapes(shapes, run(engine, shapes, data), layers):
            if data.focus is None or each.focus in data.focus:
                yield each


def _pieces(graph: Graph, scope: Scope, engine: str, *, whole: bool) -> Iterator[Data]:
    """Give the data: all at once to the fast engine, source by source to pySHACL, which keeps it small in memory."""
    if whole and engine in ("shacl", "both"):
        data = scopes.whole(graph)
        data.kept = graph.store if isinstance(graph, LocalGraph) and not graph.inferred else None
        yield data
    else:
        for source in scope.sources:
            yield scopes.neighbourhood(graph, [source])


def _from_shapes(shapes: Shapes, results: Iterable[Result], layers: Sequence[str]) -> Iterator[Finding]:
    for result in results:
        shape = shapes.known[result.shape]
        layer = next((each for each in layers if each in shape.layers), shape.layers[0])
        yield Finding(
            severity=shape.severity,
            message=shape.message,
            hint=shape.advice,
            focus=result.value if layer == MODEL else result.focus,
            path=shape.path,
            value="" if layer == MODEL or result.value == result.focus else result.value,
            layer=layer,
            shape=shape.name,
            rule=shape.rule,
            standard=shape.source,
            component=result.component,
        )


def _from_code(graph: Graph, scope: Scope, layers: Sequence[str], skipped: set[str]) -> Iterator[Finding]:
    """Judge each source as a bundle, and the times of all of them together."""
    if _PROV not in layers and _TIMED not in layers:
        return
    together, wanted = Bundle(), scopes.related(graph, scope.sources)
    for source, quads in zip(wanted, scopes.bundles(graph, wanted), strict=True):
        bundle = read(quads, lambda node: scopes.minted(graph, node))
        if _PROV in layers and source not in skipped and source in scope.sources:
            yield from (_breach(each, _PROV, "Violation") for each in breaches(bundle))
        together.take(bundle)
    if _TIMED in layers:
        yield from (_breach(each, _TIMED, "Warning") for each in dated(together))


def _breach(breach: Breach, layer: str, severity: str) -> Finding:
    return Finding(
        severity=severity,
        message=breach.message,
        hint=breach.advice,
        focus=breach.focus,
        value=breach.value,
        layer=layer,
        rule=breach.rule,
        standard=breach.source,
        component=breach.iri,
    )


def _per_bundle(graph: Graph, found: list[Finding], places: Places, engine: str, judged: set[str]) -> Iterator[Finding]:
    """Keep what the shapes of PROV-CONSTRAINTS find in one bundle alone, and not in several together.

    What was judged as it stands in its document is left out.
    """
    alone: dict[str, set[tuple[str, str]]] = {}
    shapes = load([_PROV])
    for each in found:
        if each.layer != _PROV or not each.shape:
            yield each
            continue
        for source in sorted(places.sources(each.focus) - judged):
            if source not in alone:
                results = run(engine, shapes, scopes.one(graph, source))
                alone[source] = {(shapes.known[result.shape].name, result.focus) for result in results}
            if (each.shape, each.focus) in alone[source]:
                yield each
                break


def _of_documents(raw: list[Document], engine: str, told: set[tuple[str, str]]) -> Iterator[Finding]:
    """Judge RDF documents, and leave out what was told of them already."""
    for document in raw:
        yield from (each for each in _of_document(document, engine) if (each.shape, each.focus) not in told)


def _of_document(document: Document, engine: str) -> Iterator[Finding]:
    """Judge a bundle of an RDF document as it stands, before it was read into the store."""
    shapes = load([_PROV])
    found = list(_from_shapes(shapes, run(engine, shapes, document.data()), [_PROV]))
    bundle = read(document.quads, lambda node: node.startswith("_:"))
    found += [_breach(each, _PROV, "Violation") for each in breaches(bundle)]
    where = f" (graph {document.name})" if document.name else ""
    yield from (replace(each, source=document.path, message=each.message + where) for each in _unique(found))


def _unique(found: list[Finding]) -> list[Finding]:
    """Leave out what the code says of a node of which a shape says the same rule."""
    told = {(each.rule, each.focus) for each in found if each.shape and each.rule}
    return [each for each in found if each.shape or (each.rule, each.focus) not in told]


def _placed(places: Places, finding: Finding) -> Finding:
    source, line = places.of(finding.focus)
    return replace(finding, source=source or finding.source, line=line or finding.line)


def _value(graph: Graph, shapes: Shapes, finding: Finding) -> str:
    """Return the value of a finding; where it has none, the properties that its shape shows."""
    shape = shapes.known.get(SHAPE + finding.shape)
    if finding.value or shape is None:
        return finding.value
    shown = {predicate: graph.objects(finding.focus, predicate) for predicate in shape.shows if ":" in finding.focus}
    return ", ".join(f"{short(predicate)} {value}" for predicate, values in shown.items() for value in values)


def _nodes(graph: Graph, scope: Scope) -> int:
    return sum(1 for source in scope.sources for _ in graph.quads(None, RDF_TYPE, None, source))
