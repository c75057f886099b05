"""Questions as documents: a page for each, and SHACL executables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from provkg.questions.catalogue import THEMES, in_order, letters_of
from provkg.questions.formats import environment
from provkg.vocab import PREFIXES, SH

if TYPE_CHECKING:
    from provkg.questions.question import Question

BASE = "https://w3id.org/provkg/question/"
INDEX = "README"


def pages(known: Mapping[str, Question]) -> dict[str, str]:
    """Return a Markdown page for each question, and one that lists them, by file name without ``.md``."""
    env = environment()
    ordered = sorted(known.values(), key=in_order)
    found = {each.name: env.get_template("question.md").render(question=each, themes=THEMES) for each in ordered}
    groups: dict[str, list[Question]] = {}
    for each in ordered:
        groups.setdefault(THEMES.get(letters_of(each), "Others"), []).append(each)
    found[INDEX] = env.get_template("questions.md").render(groups=groups)
    return found


def shacl(known: Mapping[str, Question]) -> str:
    """Return all questions as ``sh:SPARQLSelectExecutable``, in Turtle."""
    import rdflib  # noqa: PLC0415 - slow to import
    from rdflib import BNode, Graph, Literal, Namespace, URIRef  # noqa: PLC0415

    sh, dcterms, rdf = Namespace(SH.iri), rdflib.DCTERMS, rdflib.RDF
    graph = Graph(bind_namespaces="none")
    for prefix, iri in (*PREFIXES.items(), ("sh", SH.iri), ("dcterms", str(dcterms)), ("q", BASE)):
        graph.bind(prefix, iri)
    document = URIRef(BASE)
    for prefix, iri in PREFIXES.items():
        declaration = BNode(f"prefix-{prefix}")
        graph.add((document, sh.declare, declaration))
        graph.add((declaration, sh.prefix, Literal(prefix)))
        graph.add((declaration, sh.namespace, Literal(iri, datatype=rdflib.XSD.anyURI)))
    for each in sorted(known.values(), key=in_order):
        node = URIRef(BASE + each.name)
        graph.add((node, rdf.type, sh.SPARQLSelectExecutable))
        graph.add((node, rdflib.RDFS.label, Literal(each.summary)))
        graph.add((node, rdflib.RDFS.comment, Literal(each.description)))
        graph.add((node, dcterms.identifier, Literal(each.id)))
        graph.add((node, dcterms.source, Literal(each.source)))
        graph.add((node, sh.prefixes, document))
        graph.add((node, sh.select, Literal(_without_prefixes(each.sparql))))
        for tag in each.tags:
            graph.add((node, dcterms.subject, Literal(tag)))
    return graph.serialize(format="turtle").strip() + "\n"


def _without_prefixes(sparql: str) -> str:
    """Return a query whose prefixes are declared elsewhere, as SHACL-SPARQL has it."""
    known = {f"PREFIX {prefix}: <{iri}>" for prefix, iri in PREFIXES.items()}
    return "\n".join(line for line in sparql.split("\n") if line.strip() not in known).strip()
