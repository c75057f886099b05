"""A Linked Data Event Stream of ingests, for harvesters: each source that was read is a member, in order of time.

A source is named by its content, so that it never changes; where its file was read again with other content, that is
another version of the same file, and the one before is gone. Source: https://w3id.org/ldes/specification
"""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from provkg import identity, ledger
from provkg.store import Graph, text_of
from provkg.vocab import DCTERMS, LEDGER, PKG, PREFIXES, PROV, RDF_TYPE, XSD, Namespace

LDES = Namespace("https://w3id.org/ldes#")
TREE = Namespace("https://w3id.org/tree#")
SPACES = {**PREFIXES, "ldes": LDES.iri, "tree": TREE.iri, "dcterms": DCTERMS.iri}
PAGE = 100  # members
_TOLD = (PKG.sha256, PKG.byteCount, PKG.reader, PKG.readBy, PROV.generatedAtTime, *ledger.COUNTED.values())
Member = tuple[str, str]


def members(graph: Graph) -> list[Member]:
    """Return the sources of a store with the times at which they were read, in this order."""
    where = graph.iri(LEDGER)
    times = {
        name: max((text_of(each.object) for each in graph.quads(name, PROV.generatedAtTime, None, where)), default="")
        for name in ledger.sources(graph)
    }
    return sorted(((name, time) for name, time in times.items()), key=lambda each: (each[1], each[0]))


def stream(some: list[Member], url: str, *, ending: str = "") -> Iterator[Triple]:
    """Give the stream itself, with where its pages are and from when on each has members.

    Args:
        some: all members.
        url: where the stream is; its pages are below it.
        ending: of the names of the pages.
    """
    it, view = NamedNode(url), NamedNode(f"{url}{ending}" if ending else url)
    yield Triple(it, NamedNode(RDF_TYPE), NamedNode(LDES.EventStream))
    yield Triple(it, NamedNode(LDES.timestampPath), NamedNode(PROV.generatedAtTime))
    yield Triple(it, NamedNode(LDES.versionOfPath), NamedNode(DCTERMS.isVersionOf))
    yield Triple(it, NamedNode(TREE.view), view)
    policy = BlankNode()
    yield Triple(view, NamedNode(LDES.retentionPolicy), policy)
    yield Triple(policy, NamedNode(RDF_TYPE), NamedNode(LDES.LatestVersionSubset))
    yield Triple(policy, NamedNode(LDES.amount), Literal("1", datatype=NamedNode(XSD + "integer")))
    yield Triple(view, NamedNode(RDF_TYPE), NamedNode(TREE.Node))
    for number, first in enumerate(range(0, len(some), PAGE), 1):
        relation = BlankNode()
        yield Triple(view, NamedNode(TREE.relation), relation)
        yield Triple(relation, NamedNode(RDF_TYPE), NamedNode(TREE.GreaterThanOrEqualToRelation))
        yield Triple(relation, NamedNode(TREE.path), NamedNode(PROV.generatedAtTime))
        yield Triple(relation, NamedNode(TREE.value), Literal(some[first][1], datatype=NamedNode(XSD + "dateTime")))
        yield Triple(relation, NamedNode(TREE.node), NamedNode(f"{url}/{number}{ending}"))


def page(graph: Graph, some: list[Member], number: int, url: str, site: str, *, ending: str = "") -> Iterator[Triple]:
    """Give one page of a stream: its members, and what is said of them.

    Args:
        graph: an open store.
        some: all members.
        number: of the page, from 1 on.
        url: where the stream is.
        site: the scope of absolute paths.
        ending: of the names of the pages.
    """
    it, where = NamedNode(url), graph.iri(LEDGER)
    yield Triple(NamedNode(f"{url}/{number}{ending}"), NamedNode(RDF_TYPE), NamedNode(TREE.Node))
    for name, _ in some[(number - 1) * PAGE : number * PAGE]:
        source = NamedNode(name)
        yield Triple(it, NamedNode(TREE.member), source)
        yield Triple(source, NamedNode(RDF_TYPE), NamedNode(PROV.Bundle))
        for predicate in _TOLD:
            for quad in graph.quads(name, predicate, None, where):
                yield Triple(source, quad.predicate, quad.object)
        for quad in graph.quads(name, PKG.sourcePath, None, where):
            path = text_of(quad.object)
            yield Triple(source, quad.predicate, quad.object)
            if path.startswith("/"):
                place = NamedNode(graph.base + identity.file(path, site))
                yield Triple(source, NamedNode(DCTERMS.isVersionOf), place)


def pages(some: list[Member]) -> range:
    """Return the numbers of the pages."""
    return range(1, -(-len(some) // PAGE) + 1)
