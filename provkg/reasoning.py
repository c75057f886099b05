"""Reasoning: what the ontologies entail, in a graph of its own that can be removed again.

Two ways. For a store, rules: each axiom ``p rdfs:subPropertyOf q`` and each property chain of the ontologies is one
SPARQL update. For a product, a run or a night, owlrl, the reference: the whole of OWL 2
RL (https://www.w3.org/TR/owl2-profiles/#Reasoning_in_OWL_2_RL_and_RDF_Graphs_using_Rules). Inverses and types are left
to query time (``^prov:used``). Nothing here is followed by lineage: through ``prov:wasInfluencedBy``, a collection
would lead to all that it holds.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pyoxigraph
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from provkg.errors import StoreError
from provkg.resources import folder
from provkg.store import Graph, Store, Writing
from provkg.vocab import INFERENCES, LEDGER, OWL, RDF_TYPE, RDFS, short

ONTOLOGIES = ("prov-o.ttl", "voprov.ttl", "provkg.ttl")
LIMIT = 60_000  # triples; owlrl needs 22 s for 28,000


@dataclass(frozen=True)
class Rule:
    """``premise`` (a path of properties) entails ``conclusion``."""

    premise: tuple[str, ...]
    conclusion: str

    def update(self, graph: Graph) -> str:
        """Return the SPARQL update that adds what follows and nobody says yet."""
        ledger, inferred = (NamedNode(graph.iri(name)) for name in (LEDGER, INFERENCES))
        ends = ["?s", *(f"?m{number}" for number in range(1, len(self.premise))), "?o"]
        steps = [
            f"GRAPH ?g{number} {{ {ends[number]} {NamedNode(each)} {ends[number + 1]} }}"
            f" FILTER (?g{number} != {ledger})"
            for number, each in enumerate(self.premise)
        ]
        conclusion = NamedNode(self.conclusion)
        return (
            f"INSERT {{ GRAPH {inferred} {{ ?s {conclusion} ?o }} }} WHERE {{ {' '.join(steps)}"
            f" FILTER NOT EXISTS {{ GRAPH ?known {{ ?s {conclusion} ?o }} }} }}"
        )


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of the ontologies, in an order in which each is needed once.

    First come the sub-properties that a chain begins with, then the chains, then all sub-properties, each to all that
    is above it. An equivalence is a rule from the other's term to ours.
    """
    store = pyoxigraph.Store()
    for name in ONTOLOGIES:
        store.bulk_load(path=folder("ontologies") / name, format=RdfFormat.TURTLE)
    above: dict[str, set[str]] = {}
    for term in (RDFS.subPropertyOf, OWL.equivalentProperty):
        for quad in store.quads_for_pattern(None, NamedNode(term), None, None):
            lower, upper = _value(quad.subject), _value(quad.object)
            if isinstance(quad.subject, NamedNode) and lower != upper:
                lower, upper = (lower, upper) if term == RDFS.subPropertyOf else (upper, lower)
                above.setdefault(lower, set()).add(upper)
    chains = [
        Rule(tuple(_value(each) for each in _items(store, quad.object)), _value(quad.subject))
        for quad in store.quads_for_pattern(None, NamedNode(OWL.propertyChainAxiom), None, None)
    ]
    subs = [Rule((lower,), upper) for lower in sorted(above) for upper in sorted(_closure(above, lower) - {lower})]
    premises = {each for chain in chains for each in chain.premise}
    before = [rule for rule in subs if rule.conclusion in premises]
    ordered = sorted(chains, key=lambda chain: (chain.conclusion not in premises, str(chain)))
    return (*before, *ordered, *subs)


def infer(store: Store) -> Counter[str]:
    """Add what follows by the rules to a store, in the graph of inferences, which is made anew.

    Returns:
        how many triples were added, by property.

    Raises:
        StoreError: there is no store, or it cannot be written.
    """
    _there(store)
    with store.write() as writing:
        _clear(writing)
        used = {quad.value for quad in _predicates(writing.graph)}
        for rule in rules():
            if used.issuperset(rule.premise):
                writing.update(rule.update(writing.graph))
                used.add(rule.conclusion)
        return _counted(writing.graph)


def infer_owl(store: Store, text: str) -> Counter[str]:
    """Add what OWL 2 RL entails of some data to a store, in the graph of inferences, which is made anew.

    Args:
        store: the store that the data is from.
        text: the data, as N-Triples; at most :data:`LIMIT` triples.

    Raises:
        StoreError: the data is too large, or the store cannot be written.
    """
    count = text.count("\n")
    if count > LIMIT:
        raise StoreError(f"{count:,} triples are too many for OWL 2 RL (at most {LIMIT:,})", hint="choose a product")
    entailed = owl_closure(text)
    with store.write() as writing:
        _clear(writing)
        graph = NamedNode(writing.base + INFERENCES)
        triples = (quad.triple for quad in parse(entailed, format=RdfFormat.N_TRIPLES))
        quads = (Quad(each.subject, each.predicate, each.object, graph) for each in triples)
        writing.load("".join(f"{quad} .\n" for quad in quads))
        return _counted(writing.graph)


def owl_closure(text: str) -> str:
    """Return what OWL 2 RL and the ontologies entail of some data and the data does not say, as N-Triples.

    Left out is what says nothing: that a thing is the same as itself or a thing, what is entailed of the terms of the
    ontologies, and of literals and blank nodes.
    """
    import owlrl  # noqa: PLC0415 - slow to import
    import rdflib  # noqa: PLC0415 - slow to import

    graph = rdflib.Graph().parse(data=text, format="nt")
    ontologies = rdflib.Graph()
    for name in ONTOLOGIES:
        ontologies.parse(folder("ontologies") / name, format="turtle")
    before, known = set(graph), {term for triple in graph for term in (triple[0], triple[2])}
    known -= set(ontologies.subjects())
    graph += ontologies
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    lines = []
    for triple in set(graph) - before:
        s, p, o = triple
        plain = isinstance(s, rdflib.URIRef) and isinstance(p, rdflib.URIRef) and not isinstance(o, rdflib.BNode)
        trivial = s == o or str(o) in (OWL.Thing, RDFS.Resource)
        if plain and not trivial and s in known:
            lines.append(f"{s.n3()} {p.n3()} {o.n3()} .\n")
    return "".join(sorted(lines))


def forget(store: Store) -> int:
    """Remove all inferences from a store, and return how many there were.

    Raises:
        StoreError: there is no store, or it cannot be written.
    """
    _there(store)
    with store.write() as writing:
        count = _size(writing.graph)
        _clear(writing)
        return count


def _there(store: Store) -> None:
    if not store.exists():
        raise StoreError(f"no store at {store.name}", hint="make one: provkg ingest PATH")


def _clear(writing: Writing) -> None:
    if _size(writing.graph):
        writing.remove_graph(writing.base + INFERENCES)


def _size(graph: Graph) -> int:
    return sum(1 for _ in graph.quads(graph=graph.iri(INFERENCES)))


def _predicates(graph: Graph) -> Iterator[NamedNode]:
    for row in graph.select("SELECT DISTINCT ?p WHERE { ?s ?p ?o }"):
        if isinstance(row["p"], NamedNode):
            yield row["p"]


def _counted(graph: Graph) -> Counter[str]:
    return Counter(short(quad.predicate.value) for quad in graph.quads(graph=graph.iri(INFERENCES)))


def _closure(above: dict[str, set[str]], start: str) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        more = above.get(todo.pop(), set()) - seen
        seen |= more
        todo += more
    return seen


def _items(store: pyoxigraph.Store, node: object) -> Iterator[object]:
    first, rest = (NamedNode(RDF_TYPE.removesuffix("type") + name) for name in ("first", "rest"))
    while isinstance(node, BlankNode):
        yield next(store.quads_for_pattern(node, first, None, None)).object
        node = next(store.quads_for_pattern(node, rest, None, None)).object


def _value(term: object) -> str:
    return term.value if isinstance(term, NamedNode | Literal | BlankNode) else str(term)
