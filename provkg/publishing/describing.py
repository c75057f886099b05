"""What a site says of itself: VoID and DCAT 3, and a map for crawlers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from provkg.store import Graph, text_of
from provkg.vocab import DCTERMS, FOAF, PREFIXES, RDF_TYPE, XSD, Namespace

if TYPE_CHECKING:
    from provkg.publishing.site import About

VOID = Namespace("http://rdfs.org/ns/void#")
DCAT = Namespace("http://www.w3.org/ns/dcat#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
MEDIA = "https://www.iana.org/assignments/media-types/"
SPACES = {**PREFIXES, "void": VOID.iri, "dcat": DCAT.iri, "dcterms": DCTERMS.iri, "foaf": FOAF.iri, "spdx": SPDX.iri}
_CLASSES = "SELECT ?type (COUNT(DISTINCT ?s) AS ?count) WHERE { ?s a ?type } GROUP BY ?type ORDER BY DESC(?count) ?type"
_SITEMAP = 50_000  # addresses of one file: https://www.sitemaps.org/protocol.html
Value = str | int | Literal | BlankNode


def description(graph: Graph, about: About, dumps: Mapping[str, tuple[int, str]], quads: int) -> Iterator[Triple]:
    """Give the catalogue with its one dataset, and the files that hold it.

    Args:
        graph: an open store.
        about: what is said of the site as a whole.
        dumps: for each file of the dataset its bytes and its sha256.
        quads: how many there are.
    """
    catalogue, it = f"{about.url}#catalogue", f"{about.url}#dataset"
    now = Literal(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", datatype=NamedNode(XSD + "dateTime"))
    common: list[tuple[str, Value]] = [(DCTERMS.title, Literal(about.title)), (DCTERMS.issued, now)]
    common += [(DCTERMS.license, about.licence)] if about.licence else []
    if about.publisher:
        agent = BlankNode()
        yield from say(agent, [(RDF_TYPE, FOAF.Agent), (FOAF.name, Literal(about.publisher))])
        common.append((DCTERMS.publisher, agent))
    yield from say(catalogue, [(RDF_TYPE, DCAT.Catalog), (DCAT.dataset, it), (FOAF.homepage, about.url), *common])
    yield from say(
        it,
        [
            (RDF_TYPE, DCAT.Dataset),
            (RDF_TYPE, VOID.Dataset),
            *common,
            (DCTERMS.description, Literal("Provenance: how each product was made, from what, by whom and with what.")),
            (DCTERMS.conformsTo, "http://www.w3.org/ns/prov-o#"),
            (DCAT.landingPage, f"{about.url}index.html"),
            (DCAT.version, Literal(graph.digest())),
            (VOID.triples, quads),
            (VOID.uriSpace, Literal(graph.base)),
            *((VOID.vocabulary, iri) for iri in PREFIXES.values()),
        ],
    )
    for name, (size, digest) in dumps.items():
        yield from _distribution(it, f"{about.url}{name}", size, digest)
    for kind, count in classes(graph):
        part = BlankNode()
        yield from say(it, [(VOID.classPartition, part)])
        yield from say(part, [(VOID["class"], kind), (VOID.entities, count)])


def _distribution(dataset: str, url: str, size: int, digest: str) -> Iterator[Triple]:
    part, checksum = BlankNode(), BlankNode()
    yield from say(dataset, [(DCAT.distribution, part), (VOID.dataDump, url)])
    yield from say(
        part,
        [
            (RDF_TYPE, DCAT.Distribution),
            (DCAT.downloadURL, url),
            (DCAT.accessURL, url),
            (DCAT.mediaType, f"{MEDIA}application/n-quads"),
            (DCAT.compressFormat, f"{MEDIA}application/gzip"),
            (DCAT.byteSize, Literal(str(size), datatype=NamedNode(XSD + "nonNegativeInteger"))),
            (SPDX.checksum, checksum),
        ],
    )
    value = Literal(digest, datatype=NamedNode(XSD + "hexBinary"))
    kind = (SPDX.algorithm, SPDX.checksumAlgorithm_sha256)
    yield from say(checksum, [(RDF_TYPE, SPDX.Checksum), kind, (SPDX.checksumValue, value)])


def say(subject: str | BlankNode, said: Iterable[tuple[str, Value]]) -> Iterator[Triple]:
    """Give statements; text that is an IRI stands for it, an integer for its literal."""
    node = subject if isinstance(subject, BlankNode) else NamedNode(subject)
    for predicate, value in said:
        if isinstance(value, int):
            term: Literal | NamedNode | BlankNode = Literal(str(value), datatype=NamedNode(XSD + "integer"))
        else:
            term = NamedNode(value) if isinstance(value, str) else value
        yield Triple(node, NamedNode(predicate), term)


def classes(graph: Graph) -> list[tuple[str, int]]:
    """Return the classes of a graph, with how many things each has."""
    return [(text_of(row["type"]), int(text_of(row["count"]))) for row in graph.select(_CLASSES)]


def sitemaps(url: str, paths: list[str]) -> dict[str, str]:
    """Return the maps of a site by their names: one, or an index of several.

    Args:
        url: where the site is.
        paths: the addresses of its pages below that.
    """
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'

    def one(some: list[str]) -> str:
        inner = "".join(f"<url><loc>{escape(url + path)}</loc></url>\n" for path in some)
        return f"{head}<urlset {space}>\n{inner}</urlset>\n"

    if len(paths) <= _SITEMAP:
        return {"sitemap.xml": one(paths)}
    found = {
        f"sitemap-{at // _SITEMAP + 1}.xml": one(paths[at : at + _SITEMAP]) for at in range(0, len(paths), _SITEMAP)
    }
    inner = "".join(f"<sitemap><loc>{escape(url + name)}</loc></sitemap>\n" for name in found)
    return {"sitemap.xml": f"{head}<sitemapindex {space}>\n{inner}</sitemapindex>\n", **found}
