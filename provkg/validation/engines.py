"""Run shapes over data: pySHACL is the reference, the package ``shacl`` the fast engine; both give the same results.

The fast engine says in Rust what SHACL Core says; each SPARQL constraint is one query over the data, without a focus
node given, which binds ``$this`` to every node it finds. That is the same because every constraint of ours says itself
what ``$this`` is.
"""

import importlib.util
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolutions, RdfFormat, Store, Variable

from provkg.errors import MissingExtra, StoreError
from provkg.validation.shapes import Shape, Shapes
from provkg.vocab import SH, XSD

ENGINES = ("auto", "shacl", "pyshacl", "both")
BLANK = "[]"


_OFFSET = re.compile(rf'"([^"\\]{{1,40}}[+-]\d\d:\d\d)"\^\^<{re.escape(XSD)}dateTime>')


_MINUTES = tuple(f':{minutes}"^^<{XSD}dateTime>' for minutes in ("00", "15", "30", "45"))


class Result(NamedTuple):
    """One result: the shape, its focus node, the value and the constraint component, as text.

    The value is empty where there is none.
    """

    shape: str
    focus: str
    value: str
    component: str


@dataclass
class Data:
    """What is validated: N-Triples, and a store to query. Results count for the nodes of ``focus``; None is all."""

    text: str
    kept: Store | None = None
    focus: frozenset[str] | None = None

    @property
    def store(self) -> Store:
        """The data as a store."""
        if self.kept is None:
            self.kept = Store()
            self.kept.bulk_load(self.text.encode(), format=RdfFormat.N_TRIPLES, lenient=True)
        return self.kept


def run(engine: str, shapes: Shapes, data: Data) -> set[Result]:
    """Validate.

    Args:
        engine: one of :data:`ENGINES`; ``auto`` is ``shacl`` where it is installed.
        shapes: the shapes to use.
        data: the data to validate.

    Raises:
        MissingExtra: the engine is not installed.
        StoreError: the engine ``both``, and they do not agree.
    """
    engine = chosen(engine)
    data = _in_utc(data)
    if engine == "pyshacl":
        return _reference(shapes, data)
    _ = data.store  # made once, before the threads share it
    with ThreadPoolExecutor() as threads:  # neither engine holds the interpreter's lock
        tasks = [
            threads.submit(_core, shapes, data),
            *(threads.submit(_select, each, data) for each in shapes.sparql()),
        ]
        results = {result for task in tasks for result in task.result()}
    if engine == "both":
        odd = results ^ _reference(shapes, data)
        if odd:
            raise StoreError(
                f"the SHACL engines differ in {len(odd)} results, the first {min(odd)}",
                hint="believe --engine pyshacl, and report this",
            )
    return results


def _in_utc(data: Data) -> Data:
    """Write times with an offset in UTC: SHACL compares terms, so 01:00+01:00 would not be 00:00Z."""
    if not any(minutes in data.text for minutes in _MINUTES):  # a hundred times faster than the pattern
        return data
    return Data(_OFFSET.sub(_utc, data.text), focus=data.focus)


def _utc(match: re.Match[str]) -> str:
    try:
        at = datetime.fromisoformat(match[1]).astimezone(UTC)
    except (ValueError, OverflowError):
        return match[0]
    return f'"{at.isoformat().removesuffix("+00:00")}Z"^^<{XSD}dateTime>'


def chosen(engine: str) -> str:
    """Return the engine that a choice means here."""
    installed = importlib.util.find_spec("shacl") is not None
    if engine == "auto":
        return "shacl" if installed else "pyshacl"
    if engine != "pyshacl" and not installed:
        raise MissingExtra("the fast SHACL engine is not installed", hint="pip install 'provkg[fast]'")
    return engine


def _core(shapes: Shapes, data: Data) -> set[Result]:
    report = _compiled(shapes.turtle(core=True)).validate_text(data.text, "ntriples")
    return {
        Result(str(each.source_shape).strip("<>"), _plain(each.focus_node), _plain(each.value), each.component_iri)
        for each in report.results
    }


@lru_cache(4)
def _compiled(shapes: str):  # type: ignore[no-untyped-def]
    import shacl  # noqa: PLC0415 - optional

    return shacl.Shapes.from_text(shapes, "ntriples")


def _select(shape: Shape, data: Data) -> set[Result]:
    solutions = data.store.query(shape.select, use_default_graph_as_union=True)
    assert isinstance(solutions, QuerySolutions)
    valued = Variable("value") in solutions.variables
    component = SH.SPARQLConstraintComponent
    return {
        Result(shape.iri, _text(row["this"]), _text(row["value"]) if valued else "", component) for row in solutions
    }


def _reference(shapes: Shapes, data: Data) -> set[Result]:
    import rdflib  # noqa: PLC0415 - slow to import
    from pyshacl import validate  # noqa: PLC0415 - slow to import

    graph = _graph(data.text)
    _, report, _ = validate(graph, shacl_graph=_parsed(shapes.turtle()), inference="none", inplace=True)
    if not isinstance(report, rdflib.Graph):
        raise TypeError(f"pySHACL failed: {report}")
    results = set()
    for result in report.objects(None, rdflib.SH.result):  # results in the details of others do not count
        terms = (rdflib.SH.sourceShape, rdflib.SH.focusNode, rdflib.SH.value, rdflib.SH.sourceConstraintComponent)
        shape, focus, value, component = (report.value(result, each) for each in terms)
        results.add(Result(str(shape), _foreign(focus), _foreign(value), str(component)))
    return results


def _graph(text: str):  # type: ignore[no-untyped-def]
    """Return data for pySHACL, which breaks off when it compares a literal that its datatype does not allow.

    Such a literal gets a datatype that nothing compares: it is as wrong as before, and found by the same shapes.
    """
    import rdflib  # noqa: PLC0415 - slow to import

    loggers = [logging.getLogger(name) for name in ("rdflib.term", "rdflib")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)  # it logs a traceback for each
    normalize, rdflib.NORMALIZE_LITERALS = rdflib.NORMALIZE_LITERALS, False  # it would make a time of a date
    try:
        graph = rdflib.Graph().parse(data=text, format="nt")
    finally:
        rdflib.NORMALIZE_LITERALS = normalize
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    for s, p, o in list(graph):
        if isinstance(o, rdflib.Literal) and (o.ill_typed or (o.datatype == rdflib.XSD.dateTime and "T" not in o)):
            graph.remove((s, p, o))
            graph.add((s, p, rdflib.Literal(str(o), datatype=rdflib.URIRef(f"{o.datatype}-ill-typed"))))
    return graph


@lru_cache(4)
def _parsed(shapes: str):  # type: ignore[no-untyped-def]
    import rdflib  # noqa: PLC0415 - slow to import

    return rdflib.Graph().parse(data=shapes, format="nt")


def _foreign(term: object) -> str:
    """Return a term of rdflib as text."""
    n3 = getattr(term, "n3", None)
    return "" if term is None or n3 is None else _plain(n3())


def _plain(term: str | None) -> str:
    """Return an N-Triples term as text, with literals in the form that the store gives them."""
    if not term:
        return ""
    if term.startswith("<"):
        return term[1:-1]
    if term.startswith("_:"):
        return BLANK
    return _literal(term)


@lru_cache(4096)
def _literal(term: str) -> str:
    """Return the text of a literal as a store gives it: it writes ``+00:00`` as ``Z`` and ``007`` as ``7``."""
    store = Store()
    store.load(f"<s:> <p:> {term} .", format=RdfFormat.TURTLE)
    return _text(next(iter(store)).object)


def _text(term: object) -> str:
    if isinstance(term, BlankNode):
        return BLANK
    return term.value if isinstance(term, NamedNode | Literal) else ""
