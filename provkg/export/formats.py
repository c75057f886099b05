"""The formats of exports: what each is called, how its files end, and what it can hold."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from provkg.errors import InputError, did_you_mean


class Form(NamedTuple):
    """A format.

    Args:
        name: as ``--format`` has it.
        suffixes: how the names of its files end; the first is the usual one.
        media: its media type.
        folds: whether it can hold a view that is rolled up.
        graph: whether it holds the graph itself, statement for statement.
    """

    name: str
    suffixes: tuple[str, ...]
    media: str
    folds: bool = False
    graph: bool = False


FORMATS = {
    form.name: form
    for form in (
        Form("turtle", ("ttl",), "text/turtle", graph=True),
        Form("trig", ("trig",), "application/trig", graph=True),
        Form("ntriples", ("nt",), "application/n-triples", graph=True),
        Form("nquads", ("nq",), "application/n-quads", graph=True),
        Form("jsonld", ("jsonld",), "application/ld+json", graph=True),
        Form("prov-json", ("json", "provjson"), "application/json", folds=True, graph=True),
        Form("prov-jsonld", ("provjsonld",), "application/ld+json", folds=True, graph=True),
        Form("prov-xml", ("provx", "xml"), "application/provenance+xml", folds=True, graph=True),
        Form("prov-n", ("provn",), "text/provenance-notation", folds=True, graph=True),
        Form("voprov-json", ("voprov.json",), "application/json", graph=True),
        Form("voprov-w3c-json", ("voprov-w3c.json",), "application/json", graph=True),
        Form("ro-crate", ("zip",), "application/zip", folds=True),
        Form("votable", ("vot", "votable"), "application/x-votable+xml", folds=True),
        Form("graphml", ("graphml",), "application/graphml+xml", folds=True),
        Form("openlineage", ("jsonl", "ndjson"), "application/x-ndjson"),
    )
}


def form_of(path: str | Path) -> Form:
    """Return the format that the name of a file says.

    >>> form_of("night.nq.gz").name
    'nquads'

    Raises:
        InputError: it says none.
    """
    name = Path(path).name.removesuffix(".gz").lower()
    found = [(len(end), form) for form in FORMATS.values() for end in form.suffixes if name.endswith("." + end)]
    if not found:
        known = [end for form in FORMATS.values() for end in form.suffixes]
        hint = did_you_mean(name.rpartition(".")[2], known) or "say --format"
        raise InputError(f"{path}: the name says no format", hint=hint)
    return max(found)[1]
