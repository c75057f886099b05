"""What the service says of itself: SPARQL 1.1 Service Description, VoID, PROV-AQ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pyoxigraph import BlankNode, Literal, Triple

from provkg.publishing import feed as events
from provkg.publishing.describing import VOID, classes, say
from provkg.questions.negotiation import best
from provkg.server import sparql
from provkg.server.failing import failed
from provkg.server.messages import Asked, Reply
from provkg.store import text_of
from provkg.vocab import DCTERMS, FOAF, PREFIXES, PROV, RDF_TYPE, Namespace

if TYPE_CHECKING:
    from provkg.server.site import Site

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
FORMATS = Namespace("http://www.w3.org/ns/formats/")
_RESULTS = ("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV")
_TRIPLES = ("Turtle", "N-Triples", "RDF_XML", "JSON-LD")


def endpoint(site: Site, asked: Asked) -> Reply:
    """Answer at ``/sparql``: a query; without one its page for people, its description for programs."""
    if asked.method == "POST" or any(name in ("query", "update") for name, _ in asked.query):
        return sparql.query(site, asked)
    offered = dict.fromkeys(sparql.TRIPLES, "") | {"text/html": "page"}
    if best(asked.accept, offered) == "page":
        from provkg.server.asking import sparql_page  # noqa: PLC0415

        return sparql_page(site, asked)
    return _given(site, asked, service(site, asked))


def _given(site: Site, asked: Asked, triples: Iterable[Triple]) -> Reply:
    media = best(asked.accept, {each: each for each in sparql.TRIPLES} | {"text/html": "text/turtle"})
    if media is None:
        return failed(406, "it is given as none of what is accepted", ", ".join(sparql.TRIPLES))
    return sparql.triples_reply(list(triples), media, site.setup.longest)


def service(site: Site, asked: Asked) -> Iterator[Triple]:
    """Give the service description of the endpoint."""
    at = f"{asked.root}/sparql"
    everything = BlankNode()
    yield from say(
        at,
        [
            (RDF_TYPE, SD.Service),
            (SD.endpoint, at),
            (SD.supportedLanguage, SD.SPARQL11Query),
            (SD.feature, SD.UnionDefaultGraph),
            *((SD.resultFormat, FORMATS[each]) for each in (*_RESULTS, *_TRIPLES)),
            (SD.defaultDataset, everything),
        ],
    )
    if site.setup.services:
        yield from say(at, [(SD.feature, SD.BasicFederatedQuery)])
    default = BlankNode()
    yield from say(
        everything, [(RDF_TYPE, SD.Dataset), (SD.defaultGraph, default), (DCTERMS.source, f"{asked.root}/void#dataset")]
    )
    yield from say(default, [(RDF_TYPE, SD.Graph)])
    for name in sorted(site.graph().graphs())[: site.setup.rows]:
        node = BlankNode()
        yield from say(everything, [(SD.namedGraph, node)])
        yield from say(node, [(RDF_TYPE, SD.NamedGraph), (SD.name, name)])


def void(site: Site, asked: Asked) -> Reply:
    """Answer with the VoID description of the store."""
    return _given(site, asked, _dataset(site, asked))


def _dataset(site: Site, asked: Asked) -> Iterator[Triple]:
    graph = site.graph()
    it = f"{asked.root}/void#dataset"
    counts = classes(graph)
    [row] = graph.select("SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }")
    yield from say(f"{asked.root}/void", [(RDF_TYPE, VOID.DatasetDescription), (FOAF.primaryTopic, it)])
    yield from say(
        it,
        [
            (RDF_TYPE, VOID.Dataset),
            (DCTERMS.title, Literal("Provenance")),
            (VOID.sparqlEndpoint, f"{asked.root}/sparql"),
            (VOID.uriSpace, Literal(graph.base)),
            (VOID.triples, int(text_of(row["n"]))),
            (VOID.classes, len(counts)),
            (VOID.openSearchDescription, f"{asked.root}/opensearch.xml"),
            *((VOID.vocabulary, iri) for iri in PREFIXES.values()),
            *((VOID.feature, FORMATS[each]) for each in _TRIPLES),
        ],
    )
    for kind, count in counts:
        part = BlankNode()
        yield from say(it, [(VOID.classPartition, part)])
        yield from say(part, [(VOID["class"], kind), (VOID.entities, count)])


def feed(site: Site, asked: Asked) -> Reply:
    """Answer with the event stream of ingests, or with one page of it."""
    graph, url = site.graph(), f"{asked.root}/feed"
    some, last = events.members(graph), asked.path.rstrip("/").rpartition("/")[2]
    if last == "feed":
        return _given(site, asked, events.stream(some, url))
    if not (last.isdecimal() and len(last) < 9 and int(last) in events.pages(some)):
        return failed(404, f"there is no page {last!r} of the stream", f"{url} names them")
    return _given(site, asked, events.page(graph, some, int(last), url, site.kg.config.site))


def provenance_service(site: Site, asked: Asked) -> Reply:
    """Answer with the description of the provenance query services (PROV-AQ, 4.1)."""
    direct, query = BlankNode(), BlankNode()
    template = Literal(f"{asked.root}/provenance?target={{uri}}")
    return _given(
        site,
        asked,
        [
            *say(f"{asked.root}/service", [(RDF_TYPE, PROV.ServiceDescription)]),
            *say(f"{asked.root}/service", [(PROV.describesService, direct), (PROV.describesService, query)]),
            *say(direct, [(RDF_TYPE, PROV.DirectQueryService), (PROV.provenanceUriTemplate, template)]),
            *say(query, [(RDF_TYPE, SD.Service), (SD.endpoint, f"{asked.root}/sparql")]),
        ],
    )
