"""RDF documents as they stand: each graph of a dataset is a bundle, and blank nodes are still blank."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import DefaultGraph, Quad

from provkg.config import Config
from provkg.readers import open_source
from provkg.readers.rdf import dataset
from provkg.store import written
from provkg.validation.engines import Data


@dataclass(frozen=True)
class Document:
    """One bundle of a document: the source it became, its path, the name of its graph, and its quads."""

    source: str
    path: str
    name: str
    quads: tuple[Quad, ...]

    def data(self) -> Data:
        """Return the bundle as data to validate."""
        return Data(written(quad.triple for quad in self.quads))


def documents(originals: Mapping[str, Path]) -> Iterator[Document]:
    """Give the bundles of documents, by source and path."""
    for source, path in sorted(originals.items()):
        graphs: dict[object, list[Quad]] = {}
        for quad in dataset(open_source(path, Config())):
            graphs.setdefault(quad.graph_name, []).append(quad)
        for name, quads in sorted(graphs.items(), key=lambda each: str(each[0])):
            yield Document(source, str(path), "" if isinstance(name, DefaultGraph) else str(name), tuple(quads))
