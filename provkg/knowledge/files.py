"""A pipeline's definition, and files, judged without a store."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from provkg.config import Config
from provkg.errors import InputError
from provkg.ingest import Summary, ingest
from provkg.mapping import map_records
from provkg.model import read_definition
from provkg.readers.definition import descriptions as described
from provkg.store import EmbeddedStore, Graph, readable
from provkg.validation import Contract, Report, validate
from provkg.vocab import DCTERMS, LEDGER, PKG, PREFIXES, SH


def contract(path: str | Path, base: str) -> Contract:
    """Read a definition.yaml as what the activities must follow.

    Raises:
        InputError: it is no definition; the message names the line.
    """
    try:
        shown = str(path).encode("utf-8", "backslashreplace").decode()
        return Contract(read_definition(Path(path).read_bytes(), shown), base)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def model_turtle(known: Contract, settings: Config, *, shapes: bool, descriptions: bool) -> str:
    """Return a definition as SHACL shapes and as IVOA descriptions, in Turtle."""
    triples = set(known.shapes()) if shapes else set()
    if descriptions:
        lines = [line for part in map_records(described(known.definition), settings, set()) for line in part.source]
        triples |= {quad.triple for quad in parse("\n".join(lines), format=RdfFormat.N_TRIPLES)}
    prefixes = {**PREFIXES, "sh": SH.iri, "dcterms": DCTERMS.iri}
    return readable(sorted(triples, key=str), prefixes)


def validate_files(
    paths: Iterable[str | Path], settings: Config, *, definition: str | Path | None = None, **options: Any
) -> tuple[Report, Summary]:
    """Validate files and folders without any store.

    Args:
        paths: what to read.
        settings: base, zone and site.
        definition: a definition.yaml that the activities must follow.
        options: ``layers``, ``severity`` and ``engine`` of :func:`provkg.validation.validate`.

    Raises:
        InputError: nothing could be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddedStore(Path(folder) / "store", settings)
        summary = ingest(store, paths)
        if not summary.sources:
            first = summary.errors[0] if summary.errors else InputError("no file that provkg knows is there")
            raise InputError(f"nothing to validate: {first.message}", hint=first.hint)
        graph = store.read()
        known = contract(definition, graph.base) if definition is not None else None
        report = validate(graph, contract=known, originals=_originals(graph), **options)
    return report, summary


def _originals(graph: Graph) -> dict[str, Path]:
    """Return the RDF documents that sources were read from."""
    ledger = graph.iri(LEDGER)
    rdf = [quad.subject for quad in graph.quads(None, PKG.reader, None, ledger) if quad.object == Literal("rdf")]
    paths = {
        source.value: graph.objects(source.value, PKG.sourcePath) for source in rdf if isinstance(source, NamedNode)
    }
    return {source: Path(found[0]) for source, found in paths.items() if found and Path(found[0]).is_file()}
