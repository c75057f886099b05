"""Find the product that a user means: by path, file name, IRI, CURIE, digest, or the beginning of one."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Literal

from provkg import identity
from provkg.edges import Made
from provkg.errors import Ambiguous, NotFound
from provkg.lineage.telling import describe_activity, describe_entity
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PREFIXES, PROV, RDF_TYPE

SHORTEST_PREFIX = 6
MOST_PLACES = 2000
_PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//|[^/]*:)")
_BEGINNING = """SELECT DISTINCT ?thing WHERE {
  { ?thing pkg:fileName ?text } UNION { ?thing pkg:location ?text } UNION { ?thing pkg:productId ?text }
  UNION { ?digest pkg:digestValue ?text . ?thing pkg:contentDigest ?digest . ?thing a prov:Entity }
  UNION { ?thing pkg:pathDigest ?tagged BIND(STRAFTER(?tagged, ":") AS ?text) }
  UNION { ?thing a prov:Entity BIND(STRAFTER(STR(?thing), "/entity/") AS ?text) }
  FILTER(STRSTARTS(?text, ?wanted))
} ORDER BY ?thing LIMIT 2001"""


@dataclass(frozen=True)
class Candidate:
    """An entity that answers to a name: a version, where it lies, and what made it when."""

    iri: str
    location: str = ""
    made_by: str = ""
    started: str = ""

    def __str__(self) -> str:
        made = f"made by {self.made_by} at {self.started}" if self.made_by else "nothing recorded making it"
        return f"{self.iri}  {self.location}  ({made})"


def find(graph: Graph, text: str, *, site: str = "site") -> list[Candidate]:
    """Return the entities a text can mean, oldest first.

    Args:
        graph: an open store.
        text: a path, a file name, an IRI, a CURIE, a digest, or the first 6 or more characters of one.
        site: the scope of absolute paths.
    """
    for attempt in (_by_iri, _by_path, _by_name, _by_digest, _by_beginning):
        things = attempt(graph, text, site)
        if things:
            return _details(graph, sorted({version for thing in things for version in _versions(graph, thing)}))
    return []


def find_one(graph: Graph, text: str, *, site: str = "site") -> Candidate:
    """Return the one entity a text means.

    Raises:
        NotFound: nothing answers to it.
        Ambiguous: several versions or files do; they are listed, none is chosen.
    """
    found = find(graph, text, site=site)
    if not found:
        hint = "give a path, a file name, an IRI, a digest, or at least 6 of its first characters"
        raise NotFound(f"nothing in the store answers to {text!r}", hint=hint)
    if len(found) > 1:
        count = f"more than {MOST_PLACES}" if len(found) > MOST_PLACES else str(len(found))
        raise Ambiguous(
            f"{text!r} can mean {count} entities",
            [str(each) for each in found],
            hint="give the IRI of one of them",
        )
    return found[0]


def _exists(graph: Graph, iri: str) -> bool:
    try:
        return PROV.Entity in graph.objects(iri, RDF_TYPE)
    except ValueError:  # no IRI
        return False


def _by_iri(graph: Graph, text: str, _site: str) -> list[str]:
    prefix, _, local = text.partition(":")
    options = [text.strip("<>")] if _ABSOLUTE.match(text.strip("<>")) else []
    if prefix in PREFIXES:
        options.append(PREFIXES[prefix] + local)
    if re.match(r"(entity|file|object|activity)/", text):
        options.append(graph.iri(text))
    return [iri for iri in options if _exists(graph, iri)][:1]


def _by_path(graph: Graph, text: str, site: str) -> list[str]:
    if "\0" in text:  # no name of a file
        return []
    if "/" not in text and not os.path.exists(text):  # noqa: PTH110 - Path.exists raises for a name that is too long
        return []
    found: list[str] = []
    for path in dict.fromkeys((text, str(Path(text).absolute()), os.path.realpath(text))):
        if path.startswith("/"):
            place = graph.iri(identity.file(path, site))
            found += [place] if _exists(graph, place) else []
        found += graph.subjects(PKG.location, Literal(identity.printable(path)))
        if found:
            break
    return found


def _by_name(graph: Graph, text: str, _site: str) -> list[str]:
    return graph.subjects(PKG.fileName, Literal(identity.printable(text)))


def _by_digest(graph: Graph, text: str, _site: str) -> list[str]:
    value = text.rpartition(":")[2].lower()
    if not re.fullmatch(r"[0-9a-f-]{32,128}", value):
        return []
    found = graph.subjects(PKG.productId, Literal(value)) + graph.subjects(PKG.pathDigest, Literal(f"md5:{value}"))
    for digest in graph.subjects(PKG.digestValue, Literal(value)):
        found += [thing for thing in graph.subjects(PKG.contentDigest, digest) if "/usage/" not in thing]
    return found + [iri for iri in (graph.iri(f"entity/{value}"),) if _exists(graph, iri)]


def _by_beginning(graph: Graph, text: str, _site: str) -> list[str]:
    if len(text) < SHORTEST_PREFIX:
        return []
    bare = text.rpartition(":")[2]
    options = {identity.printable(text)} | ({bare.lower()} if re.fullmatch(r"[0-9A-Fa-f-]+", bare) else set())
    wanted = f"VALUES ?wanted {{ {' '.join(str(Literal(option)) for option in sorted(options))} }}"
    query = _PREFIXES + _BEGINNING.replace("WHERE {", f"WHERE {{ {wanted}", 1)
    return [text_of(row["thing"]) for row in graph.select(query)]


def _versions(graph: Graph, thing: str) -> list[str]:
    """Return the versions of a place; a version is its own."""
    if not identity.is_place(thing.removeprefix(graph.base)):
        return [thing]
    return graph.subjects(PROV.specializationOf, thing) or [thing]


def _details(graph: Graph, versions: list[str]) -> list[Candidate]:
    found = []
    for version in versions:
        makers = graph.objects(version, PROV.wasGeneratedBy)
        made = describe_activity(graph, makers[0]) if makers else Made()
        found.append(Candidate(version, describe_entity(graph, version).location, made.label, made.start))
    return sorted(found, key=lambda each: (each.started, each.location, each.iri))
