"""A graph as a PROV document, a thousand things at a time: memory does not grow with it.

Each piece is written by the ``prov`` package; here the pieces are put together on disk.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from typing import IO, Any, BinaryIO, Self
from xml.sax.saxutils import quoteattr

from prov.model import ProvDocument
from prov.serializers.provjson import encode_json_document

from provkg.export.provnames import ProvNames
from provkg.export.provstatements import AGENTS, RELATING, SHAPES, STEPS, Facts, ProvStatements, refers
from provkg.export.slices import BOOKKEEPING
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PROV, RDF_TYPE, SKOS

_AT_ONCE = 1_000
_KINDS = {str(shape.kind.uri) for shape in SHAPES} | {PROV.Revision, PROV.Quotation, PROV.PrimarySource}
_NO_ELEMENTS = _KINDS | {PKG.Membership, PROV.Role, SKOS.Concept, PKG.Source}
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # https://www.w3.org/TR/xml/#charsets
_FIRST = (*STEPS, *AGENTS, PROV.Entity)
Placed = tuple[str, str, dict[str, Any]]


def write_prov(graph: Graph, form: str, output: BinaryIO) -> None:
    """Write all of a graph as a PROV document.

    Args:
        graph: a store, or a part of it.
        form: ``prov-json``, ``prov-jsonld``, ``prov-xml`` or ``prov-n``.
        output: where to.
    """
    text = _for_xml if form == "prov-xml" else str
    pour(graph, _PIECES[form](ProvNames(graph.base, text)), output)


def pour(graph: Graph, pieces: Pieces, output: BinaryIO) -> None:
    """Write all of a graph in pieces."""
    with pieces:
        for document in documents(graph, pieces.names):
            pieces.add(document)
        pieces.finish(output)


def _for_xml(text: str) -> str:
    """Return a text in which what XML cannot hold is escaped."""
    return _NO_XML.sub(lambda match: repr(match[0])[1:-1], text)


def documents(graph: Graph, names: ProvNames) -> Iterator[ProvDocument]:
    """Give what a graph says of all things in it, a thousand at a time."""
    rest = chain(_elements(graph), _undeclared(graph))
    while some := list(islice(rest, _AT_ONCE)):
        facts = _facts(graph, some)
        related = _facts(graph, {name for each in facts.values() for name in refers(each)} - facts.keys())
        roles = {text_of(role) for each in related.values() for role in each.get(PROV.hadRole, ())}
        document = ProvDocument()
        writing = ProvStatements(document, names, facts | related | _facts(graph, roles - related.keys()))
        for name in some:
            writing.element(name)
        for space in names.spaces.values():
            document.add_namespace(space)
        yield document


def _elements(graph: Graph) -> Iterator[str]:
    """Give the names of all things that are no relations, each once: steps, agents, entities, all others."""
    hidden = {graph.iri(name) for name in BOOKKEEPING}
    found = {kind for [kind] in graph.texts(f"SELECT DISTINCT ?t WHERE {{ ?s <{RDF_TYPE}> ?t }}")}
    kinds = [*(each for each in _FIRST if each in found), *sorted(found - {*_FIRST} - _NO_ELEMENTS)]
    for at, kind in enumerate(kinds):
        before = set(kinds[:at]) | _NO_ELEMENTS
        for quad in graph.quads(None, RDF_TYPE, kind):
            if text_of(quad.graph_name) in hidden:
                continue
            name = text_of(quad.subject)
            told = [each for each in graph.quads(name, RDF_TYPE) if text_of(each.graph_name) not in hidden]
            if not before.intersection(text_of(each.object) for each in told) and quad == _first(told, kind):
                yield name


def _undeclared(graph: Graph) -> Iterator[str]:
    """Give the names of what has relations and no type."""
    for at, predicate in enumerate(RELATING):
        for quad in graph.quads(None, predicate):
            name = text_of(quad.subject)
            if any(True for before in (RDF_TYPE, *RELATING[:at]) for _ in graph.quads(name, before)):
                continue
            if quad == _first_of(graph.quads(name, predicate)):
                yield name


def _first(quads: Iterable[Any], kind: str) -> Any:
    """Return the first of the quads that say a type, by graph: several sources may say it."""
    return _first_of(quad for quad in quads if text_of(quad.object) == kind)


def _first_of(quads: Iterable[Any]) -> Any:
    return min(quads, key=str)


def _facts(graph: Graph, names: Iterable[str]) -> dict[str, Facts]:
    """Return what is said of some names: each value once, in order."""
    hidden = {graph.iri(name) for name in BOOKKEEPING}
    found: dict[str, dict[str, set[Any]]] = {name: defaultdict(set) for name in names}
    for quad in graph.about(found):
        if text_of(quad.graph_name) not in hidden:
            found[text_of(quad.subject)][quad.predicate.value].add(quad.object)
    return {
        name: {key: sorted(values, key=str) for key, values in sorted(facts.items())} for name, facts in found.items()
    }


def prefixes(names: ProvNames) -> dict[str, str]:
    """Return the prefixes of a document without those that all documents have."""
    return {space.prefix: space.uri for space in names.spaces.values() if space.prefix not in ("prov", "xsd")}


class Pieces(ABC):
    """The pieces of a document, on disk until all are known."""

    def __init__(self, names: ProvNames) -> None:
        self.names = names

    def __enter__(self) -> Self:
        self.spools: dict[str, IO[bytes]] = {}
        self.open = ExitStack()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    def spool(self, name: str) -> IO[bytes]:
        """Return the file of a section."""
        if name not in self.spools:
            self.spools[name] = self.open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - it is entered
        return self.spools[name]

    def pour(self, name: str, output: BinaryIO) -> None:
        """Write a section out."""
        stream = self.spool(name)
        stream.seek(0)
        shutil.copyfileobj(stream, output, 1 << 20)

    @abstractmethod
    def add(self, document: ProvDocument) -> None:
        """Take a piece."""

    @abstractmethod
    def finish(self, output: BinaryIO) -> None:
        """Write the whole document."""


class JsonPieces(Pieces):
    """PROV-JSON, an object of sections: https://www.w3.org/submissions/prov-json/."""

    def __init__(self, names: ProvNames) -> None:
        super().__init__(names)
        self.nameless = 0

    def add(self, document: ProvDocument) -> None:
        """Take a piece."""
        sections = encode_json_document(document)
        sections.pop("prefix", None)
        for section, records in sections.items():
            for name, record in records.items():
                for placed in self.placed(section, name, record):
                    self.put(*placed)

    def placed(self, section: str, name: str, record: dict[str, Any]) -> Iterator[Placed]:
        """Give a record with its section and its name."""
        yield section, name, record

    def put(self, section: str, name: str, record: dict[str, Any]) -> None:
        """Take a record; ids of relations that have none begin anew in each piece, and are counted here."""
        if name.startswith("_:"):
            self.nameless += 1
            name = f"_:id{self.nameless}"
        stream = self.spool(section)
        line = f"{json.dumps(name)}: {json.dumps(record)}"
        stream.write(((",\n  " if stream.tell() else "\n  ") + line).encode())

    def finish(self, output: BinaryIO) -> None:
        """Write the whole document."""
        self.write(output, prefixes(self.names))

    def write(self, output: BinaryIO, told: dict[str, str]) -> None:
        """Write the whole document with these prefixes."""
        output.write(b'{"prefix": ' + json.dumps(told, indent=1).encode())
        for section in self.spools:
            output.write(f',\n "{section}": {{'.encode())
            self.pour(section, output)
            output.write(b"\n }")
        output.write(b"\n}\n")


class _JsonldPieces(Pieces):
    """PROV-JSONLD, a graph of statements: https://www.w3.org/submissions/prov-jsonld/."""

    def add(self, document: ProvDocument) -> None:
        told = json.loads(str(document.serialize(format="jsonld")))
        stream = self.spool("graph")
        for record in told["@graph"]:
            stream.write(((",\n  " if stream.tell() else "\n  ") + json.dumps(record)).encode())
        self.context = told["@context"]

    def finish(self, output: BinaryIO) -> None:
        output.write(b'{"@context": ' + json.dumps(getattr(self, "context", {})).encode() + b',\n "@graph": [')
        self.pour("graph", output)
        output.write(b"\n]}\n")


class _XmlPieces(Pieces):
    """PROV-XML, the children of one element: https://www.w3.org/TR/prov-xml/."""

    def add(self, document: ProvDocument) -> None:
        text = str(document.serialize(format="xml"))
        _, _, rest = text.partition("<prov:document")
        inner, _, _ = rest.partition(">")[2].rpartition("</prov:document>")
        self.spool("records").write(inner.rstrip().encode() + b"\n")

    def finish(self, output: BinaryIO) -> None:
        spaces = {"prov": PROV.iri, "xsi": "http://www.w3.org/2001/XMLSchema-instance"}
        spaces |= {space.prefix: space.uri for space in self.names.spaces.values()}
        told = "".join(f"\n xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in spaces.items())
        output.write(f"<?xml version='1.0' encoding='UTF-8'?>\n<prov:document{told}>".encode())
        self.pour("records", output)
        output.write(b"</prov:document>\n")


class _NotationPieces(Pieces):
    """PROV-N, the lines of one document: https://www.w3.org/TR/prov-n/."""

    def add(self, document: ProvDocument) -> None:
        lines = str(document.serialize(format="provn")).split("\n")
        body = [line for line in lines[1:-1] if not line.lstrip().startswith(("prefix ", "default "))]
        self.spool("records").write(("\n".join(body).strip("\n") + "\n").encode("utf-8", "backslashreplace"))

    def finish(self, output: BinaryIO) -> None:
        told = "".join(f"  prefix {prefix} <{uri}>\n" for prefix, uri in prefixes(self.names).items())
        output.write(f"document\n{told}\n".encode())
        self.pour("records", output)
        output.write(b"endDocument\n")


_PIECES: dict[str, Callable[[ProvNames], Pieces]] = {
    "prov-json": JsonPieces,
    "prov-jsonld": _JsonldPieces,
    "prov-xml": _XmlPieces,
    "prov-n": _NotationPieces,
}
