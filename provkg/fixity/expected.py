"""What should lie where: for each path the version that lay there last, with the digests of its bytes."""

from __future__ import annotations

import hashlib
import platform
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import numpy as np
from pyoxigraph import Literal

from provkg.errors import NotFound
from provkg.histories.facts import listed, rows
from provkg.lineage import find_one
from provkg.lineage.index import index_of
from provkg.questions.binding import bind
from provkg.questions.choices import PROLOGUE
from provkg.store import Graph, text_of

if TYPE_CHECKING:
    from provkg.config import Config

_EVERY = "SELECT DISTINCT ?e WHERE { ?place a pkg:File . ?e prov:specializationOf ?place }"
_OF_SESSIONS = """SELECT DISTINCT ?e WHERE {
  ?session %s ?value . FILTER(?value IN (?_given)) ?a pkg:inSession ?session .
  { ?e prov:wasGeneratedBy ?a } UNION { ?a prov:qualifiedUsage ?usage . ?usage pkg:usedVersion ?e } }"""
_PLACES = "?s prov:specializationOf ?place . ?place pkg:location ?location"
_DIGESTS = "?s pkg:contentDigest ?d . ?d pkg:digestAlgorithm ?algorithm ; pkg:digestValue ?value"
_SIZES = """{ ?s prov:qualifiedGeneration ?n . ?n pkg:byteCount ?o }
  UNION { ?n pkg:usedVersion ?s . ?n pkg:byteCount ?o }"""
_SEEN = """{ ?s prov:wasGeneratedBy ?a . ?a prov:endedAtTime ?o }
  UNION { ?usage pkg:usedVersion ?s . ?a prov:qualifiedUsage ?usage ; prov:startedAtTime ?o }"""


class Selection(NamedTuple):
    """What to verify: products with or without all that they were made from, a run, a night; everything when empty."""

    products: tuple[str, ...] = ()
    history: bool = False
    run: str = ""
    night: str = ""


@dataclass(frozen=True)
class Expected:
    """A version that should lie at a path; ``unsure`` says why nothing can be said of its bytes.

    ``elsewhere`` says that the path is one of another machine.
    """

    entity: str
    path: str
    digests: tuple[str, ...] = ()
    size: int | None = None
    unsure: str = ""
    elsewhere: bool = False

    @property
    def best(self) -> str:
        """The digest to compare: sha256 where there is one, else the longest that this machine can compute."""
        known = [each for each in self.digests if algorithm_of(each)]
        return max(known, key=lambda each: (algorithm_of(each) == "sha256", len(each), each), default="")


def algorithm_of(digest: str) -> str:
    """Return the name that hashlib has for the algorithm of ``algorithm:value``, or nothing.

    >>> algorithm_of("SHA-256:00"), algorithm_of("crc32:00")
    ('sha256', '')
    """
    name = digest.partition(":")[0].lower()
    ways = (name, name.replace("-", ""), name.replace("-", "_"), re.sub(r"^sha3(?=\d)", "sha3_", name.replace("-", "")))
    found = next((each for each in ways if each in hashlib.algorithms_guaranteed), "")
    return "" if found.startswith("shake") else found


def expected(graph: Graph, selection: Selection, config: Config) -> tuple[list[Expected], int]:
    """Return what should lie where, by path, and how many versions lay at these paths before.

    Raises:
        NotFound: nothing answers to a name, or no session is of that run or night.
        Ambiguous: several versions or files answer to a name.
    """
    chosen = _chosen(graph, selection, config)
    places: dict[str, tuple[str, str]] = {}  # a version's place and path
    for entity, place, location in rows(graph, chosen, _PLACES, "s", "place", "location"):
        if place.startswith(graph.iri("file/")):
            places[entity] = max((place, location), places.get(entity, ("", "")))
    named = bool(selection.products) and not selection.history  # a version that was named is meant, even an old one
    last = dict.fromkeys(places, "") if named else _last(graph, places)
    digests: dict[str, set[str]] = defaultdict(set)
    for entity, algorithm, value in rows(graph, last, _DIGESTS, "s", "algorithm", "value"):
        digests[entity].add(f"{algorithm}:{value.lower()}")
    sizes = listed(graph, last, _SIZES)
    of_path = listed(graph, {places[each][0] for each in last if not digests[each]}, "?s pkg:pathDigest ?o")
    found = []
    for entity, why in last.items():
        place, path = places[entity]
        elsewhere = _elsewhere(place.removeprefix(graph.iri("file/")), config)
        unsure = elsewhere or why or ("" if digests[entity] else _nothing(place in of_path))
        size = {int(each) for each in sizes.get(entity, ()) if each.isdigit()}
        found.append(
            Expected(
                entity,
                path,
                tuple(sorted(digests[entity])),
                min(size) if len(size) == 1 else None,
                unsure,
                bool(elsewhere),
            )
        )
    return sorted(found, key=lambda each: (each.path, each.entity)), len(places) - len(last)


def _elsewhere(name: str, config: Config) -> str:
    """Say why a file cannot be looked at here: paths such as /tmp differ from host to host."""
    scope = unquote(name.partition("/")[0])
    here = {config.site, platform.node(), platform.node().partition(".")[0]}
    return "" if scope in here else f"it lies on the host {scope}"


def _nothing(path_digest: bool) -> str:
    return "only a digest of its path is recorded" if path_digest else "no digest of its content is recorded"


def _chosen(graph: Graph, selection: Selection, config: Config) -> set[str]:
    """Return the versions to look at."""
    if selection.products:
        named = {find_one(graph, each, site=config.site).iri for each in selection.products}
        return named | (_origins(graph, named) if selection.history else set())
    if not (selection.run or selection.night):
        return {text_of(row["e"]) for row in graph.select(PROLOGUE + _EVERY)}
    found: list[set[str]] = []
    number = selection.run.removeprefix("Run").lstrip("0")
    asked = {
        "pkg:run|pkg:pedestalRun|pkg:calibrationRun": {selection.run, number, number.zfill(5)} if selection.run else (),
        "pkg:observationDate": {selection.night, selection.night.replace("-", "")} if selection.night else (),
    }
    for path, texts in asked.items():
        if texts:
            query = bind(PROLOGUE + _OF_SESSIONS % path, {"given": [Literal(each) for each in sorted(texts)]})
            found.append({text_of(row["e"]) for row in graph.select(query)})
    if not all(found):
        raise NotFound(f"nothing is recorded of {' and '.join(filter(None, (selection.run, selection.night)))}")
    return set.intersection(*found)


def _origins(graph: Graph, named: Iterable[str]) -> set[str]:
    """Return all that some products were made from."""
    index = index_of(graph)
    starts = np.array([number for each in named if (number := index.find(each)) is not None], np.uint32)
    return set(index.iris(index.closure(starts, down=False))) if len(starts) else set()


def _last(graph: Graph, places: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Return of each path the version that lay there last, with the reason where nothing tells which that is.

    A version lies at its path when it was written, and again when it was read there: the last of these times counts.
    """
    at: dict[str, set[str]] = defaultdict(set)
    for version, (place, _) in places.items():
        at[place].add(version)
    for version, place in rows(graph, at, "?version prov:specializationOf ?s", "version", "s"):
        at[place].add(version)
    several = {version for versions in at.values() if len(versions) > 1 for version in versions}
    seen = {version: max(times) for version, times in listed(graph, several, _SEEN).items()}
    found: dict[str, str] = {}
    for versions in at.values():
        newest = max(versions, key=lambda each: (seen.get(each, ""), each))
        same = [each for each in versions if seen.get(each, "") == seen.get(newest, "")]
        unsure = "several versions were recorded at this path, and nothing tells which was the last"
        found |= {each: unsure for each in same if each in places} if len(same) > 1 else {}
        if len(same) == 1 and newest in places:
            found[newest] = ""
    return found
