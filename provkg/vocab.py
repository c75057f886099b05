"""The namespaces of the graph and the terms the code uses.

Sources: PROV-O (https://www.w3.org/TR/prov-o/), IVOA ProvenanceDM 1.0 (https://www.ivoa.net/documents/ProvenanceDM/),
and our own terms in ``ontologies/provkg.ttl``.
"""

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
RDFS_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
XSD = "http://www.w3.org/2001/XMLSchema#"
VOPROV = "http://www.ivoa.net/documents/ProvenanceDM/index.html#"


class Namespace:
    """A namespace whose attributes are IRIs.

    Not a ``str``, so that ``PROV.value`` and ``DCTERMS.title`` are terms and never string methods.

    >>> Namespace("http://www.w3.org/ns/prov#").used
    'http://www.w3.org/ns/prov#used'
    """

    def __init__(self, iri: str) -> None:
        self.iri = iri

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        self.__dict__[name] = term = self.iri + name  # made once: the mapping asks for terms a million times a night
        return term

    def __getitem__(self, name: str) -> str:
        return self.iri + name


PROV = Namespace("http://www.w3.org/ns/prov#")
VP = Namespace("https://w3id.org/provkg/voprov#")
PKG = Namespace("https://w3id.org/provkg/ns#")
SKOS = Namespace("http://www.w3.org/2004/02/skos/core#")
OWL = Namespace("http://www.w3.org/2002/07/owl#")
RDFS = Namespace("http://www.w3.org/2000/01/rdf-schema#")
SH = Namespace("http://www.w3.org/ns/shacl#")
FOAF = Namespace("http://xmlns.com/foaf/0.1/")
DCTERMS = Namespace("http://purl.org/dc/terms/")

PREFIXES = {
    "prov": PROV.iri,
    "vp": VP.iri,
    "pkg": PKG.iri,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": SKOS.iri,
    "xsd": XSD,
}

# The graphs that belong to no source; a source's own graph is `source/<digest>`.
CATALOGUE = "graph/catalogue"
RESOLUTION = "graph/resolution"
LEDGER = "graph/ledger"
DESCRIPTIONS = "graph/descriptions"
INFERENCES = "graph/inferences"
SUMMARIES = "graph/summaries"
OBSERVATIONS = "graph/observations"
RECONCILIATION = "graph/reconciliation"
SOURCE_FILES, REPAIRS = "sourcefile/", "repair/"  # of the ledger
TAINTS = "graph/taint/"  # one graph for each


def short(iri: str) -> str:
    """Return what follows the last ``#`` or ``/`` of an IRI.

    >>> short("https://w3id.org/provkg/ns#byTime")
    'byTime'
    """
    return iri.rpartition("#")[2].rpartition("/")[2]
