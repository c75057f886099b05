"""The shapes: which there are, what each is for, and the graph of those that are wanted.

A shape says in itself to which layers it belongs, how severe its finding is, what is wrong, what to do, and which rule
of which document it stands for. https://www.w3.org/TR/shacl/
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from provkg.resources import folder
from provkg.store import written
from provkg.vocab import DCTERMS, PKG, PREFIXES, RDF_TYPE, SH, short

SHAPE = "https://w3id.org/provkg/shapes/"
LAYERS = ("ivoa", "ivoa-prose", "prov-constraints", "archive", "ctao")
MODEL = "model"  # the layer of the shapes of a definition
SEVERITIES = ("Violation", "Warning", "Info")
_TARGETS = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
_PREFIX_LINES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())


@dataclass(frozen=True)
class Shape:
    """What a shape says of itself.

    ``path`` is written as SPARQL writes it, ``select`` is its SPARQL constraint, and ``shows`` are the properties of
    the focus node that show what is wrong, where the result has no value.
    """

    iri: str
    layers: tuple[str, ...]
    severity: str
    message: str
    advice: str
    source: str
    rule: str
    path: str
    select: str
    shows: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What follows ``shapes/`` in the IRI, readable."""
        return unquote(self.iri.partition("/shapes/")[2])


@dataclass
class Shapes:
    """Shapes that are used together. ``core`` leaves out the SPARQL constraints."""

    store: Store
    known: dict[str, Shape] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = {iri: _shape(self.store, iri) for iri in _named(self.store)}

    def turtle(self, *, core: bool = False) -> str:
        """Return the shapes as N-Triples, which is Turtle."""
        left_out = {NamedNode(iri) for iri, shape in self.known.items() if shape.select} if core else set()
        triples = (quad.triple for quad in self.store if quad.subject not in left_out)
        return written(triples)

    def sparql(self) -> list[Shape]:
        """Return the shapes that are SPARQL constraints."""
        return [shape for shape in self.known.values() if shape.select]


def load(layers: Iterable[str] = LAYERS, more: Iterable[Triple] = ()) -> Shapes:
    """Return the shipped shapes of some layers, with others.

    Args:
        layers: names of :data:`LAYERS`; a shape of several layers is there with any of them.
        more: triples of other shapes, such as those of a pipeline's definition.

    >>> load(["ctao"]).known["https://w3id.org/provkg/shapes/Session-date"].severity
    'Violation'
    """
    store = Store()
    store.bulk_extend(Quad(*triple) for triple in _shipped())
    wanted = set(layers)
    for iri in _named(store):
        if not wanted & set(_values(store, iri, PKG.layer)):
            _take_out(store, NamedNode(iri))
    store.extend(Quad(*triple) for triple in more)
    return Shapes(store)


@cache
def _shipped() -> tuple[Triple, ...]:
    files = sorted(folder("shapes").rglob("*.ttl"))
    return tuple(
        quad.triple for path in files for quad in parse(path=path, format=RdfFormat.TURTLE, rename_blank_nodes=True)
    )


def _take_out(store: Store, shape: NamedNode) -> None:
    """Unlink a shape from the node shapes that hold it, and take away its targets."""
    for quad in list(store.quads_for_pattern(None, NamedNode(SH.property), shape, None)):
        store.remove(quad)
    for target in _TARGETS:
        for quad in list(store.quads_for_pattern(shape, NamedNode(target), None, None)):
            store.remove(quad)
    for quad in list(store.quads_for_pattern(shape, NamedNode(PKG.layer), None, None)):
        store.remove(quad)


def _named(store: Store) -> list[str]:
    """Return the shapes that say to which layer they belong."""
    return sorted(
        {str(_text(quad.subject)) for quad in store.quads_for_pattern(None, NamedNode(PKG.layer), None, None)}
    )


def _shape(store: Store, iri: str) -> Shape:
    def one(predicate: str) -> str:
        return next(iter(_values(store, iri, predicate)), "")

    path = next(store.quads_for_pattern(NamedNode(iri), NamedNode(SH.path), None, None), None)
    constraint = next(store.quads_for_pattern(NamedNode(iri), NamedNode(SH.sparql), None, None), None)
    select = ""
    if constraint is not None and isinstance(constraint.object, BlankNode | NamedNode):
        [found] = store.quads_for_pattern(constraint.object, NamedNode(SH.select), None, None)
        select = _PREFIX_LINES + _text(found.object)
    return Shape(
        iri=iri,
        layers=tuple(sorted(_values(store, iri, PKG.layer))),
        severity=short(one(SH.severity)),
        message=one(SH.message),
        advice=one(PKG.advice),
        source=one(DCTERMS.source),
        rule=one(PKG.rule),
        path=_path(store, path.object) if path is not None else "",
        select=select,
        shows=tuple(sorted(_values(store, iri, PKG.shows))),
    )


def _path(store: Store, path: object) -> str:
    """Write a SHACL path as SPARQL writes it, with the last part of each IRI."""
    if isinstance(path, NamedNode):
        return short(path.value)
    assert isinstance(path, BlankNode)
    for quad in store.quads_for_pattern(path, None, None, None):
        if quad.predicate.value == SH.inversePath:
            return f"^{_path(store, quad.object)}"
        if quad.predicate.value == SH.alternativePath:
            return "|".join(_path(store, item) for item in _items(store, quad.object))
    return "/".join(_path(store, item) for item in _items(store, path))


def _items(store: Store, node: object) -> Iterable[object]:
    rdf = RDF_TYPE.removesuffix("type")
    while isinstance(node, BlankNode):
        [first] = store.quads_for_pattern(node, NamedNode(rdf + "first"), None, None)
        yield first.object
        [rest] = store.quads_for_pattern(node, NamedNode(rdf + "rest"), None, None)
        node = rest.object


def _values(store: Store, subject: str, predicate: str) -> list[str]:
    quads = store.quads_for_pattern(NamedNode(subject), NamedNode(predicate), None, None)
    return [_text(quad.object) for quad in quads]


def _text(term: object) -> str:
    return term.value if isinstance(term, NamedNode | Literal) else str(term)
