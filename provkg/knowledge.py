"""The library: ``kg = provkg.open("store")``, then ask."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from provkg import config, reasoning
from provkg.config import Config
from provkg.errors import InputError
from provkg.ingest import Progress, Summary, ingest
from provkg.lineage import Candidate, Step, find, find_one, lineage
from provkg.mapping import map_records
from provkg.model import read_definition
from provkg.questions import ask, find_question
from provkg.readers.definition import descriptions as described
from provkg.store import EmbeddedStore, Graph, open_store, text_of, written
from provkg.validation import LAYERS, Contract, Report, validate
from provkg.validation import scope as scopes
from provkg.vocab import DCTERMS, LEDGER, PKG, PREFIXES, PROV, RDF_TYPE, RDFS_LABEL, RESOLUTION, SH, VP, short

_PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())
_STATUS = {
    "activities": "?x a prov:Activity",
    "usages": "?x a prov:Usage",
    "generations": "?x a prov:Generation",
    "sessions": "?x a pkg:Session",
    "files": "?x a pkg:File",
    "ended": "?x a prov:Activity ; prov:endedAtTime ?end",
    "quarantined": "?x a pkg:Quarantined",
}
_NUMBER = ("integer", "int", "long", "decimal", "double")


@dataclass(frozen=True)
class Card:
    """What is known of one entity, as (section, fact, value) in the order to read it."""

    entity: str
    facts: tuple[tuple[str, str, str], ...]


class KnowledgeGraph:
    """A store to ask. Opening reads nothing; each call sees the newest snapshot.

    >>> import tempfile, provkg
    >>> kg = provkg.open(tempfile.mkdtemp() + "/store")
    >>> kg.ingest([]).sources
    0
    """

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store
        self.config = store.config

    def graph(self) -> Graph:
        """Open the current snapshot."""
        return self.store.read()

    def ingest(self, paths: Iterable[str | Path], *, progress: Progress | None = None) -> Summary:
        """Read files and folders into the store; see :func:`provkg.ingest.ingest`."""
        return ingest(self.store, paths, progress=progress)

    def ask(self, question: str, **values: Any) -> Iterator[dict[str, str | int | float | None]]:
        """Answer a canned question: rows of column to value; IRIs of roles, levels and evidence are short words."""
        asked = find_question(question)
        for row in ask(self.graph(), asked, values, site=self.config.site):
            yield {column: plain(row.get(column), kind) for column, kind in asked.columns.items()}

    def find(self, text: str) -> list[Candidate]:
        """Return the entities that a path, name, IRI, digest or prefix can mean."""
        return find(self.graph(), text, site=self.config.site)

    def lineage(self, product: str, *, down: bool = False, depth: int | None = None) -> list[Step]:
        """Return the history of a product, or what was made from it; see :func:`provkg.lineage.lineage`."""
        graph = self.graph()
        return lineage(graph, find_one(graph, product, site=self.config.site).iri, down=down, depth=depth)

    def show(self, product: str) -> Card:
        """Return the card of one product."""
        graph = self.graph()
        return _card(graph, find_one(graph, product, site=self.config.site))

    def validate(
        self,
        *,
        layers: Sequence[str] = LAYERS,
        severity: str = "Info",
        engine: str = "auto",
        definition: str | Path | None = None,
        sources: Iterable[str] | None = None,
        night: str = "",
        run: str = "",
        product: str = "",
    ) -> Report:
        """Validate the store, or a part of it; see :func:`provkg.validation.validate`.

        Args:
            layers: names of the layers of shapes.
            severity: the least severity to report.
            engine: the SHACL engine.
            definition: a definition.yaml that the activities must follow.
            sources: the graphs of some sources, such as ``Summary.touched`` of an ingest.
            night: an observation date, ``YYYYMMDD``.
            run: a run number.
            product: a path, name, IRI or digest: its whole history is validated.
        """
        graph = self.graph()
        chosen = scopes.of_sources(graph, sources) if sources is not None else self._scope(graph, night, run, product)
        return validate(
            graph,
            chosen,
            layers=layers,
            severity=severity,
            engine=engine,
            contract=contract(definition, graph.base) if definition is not None else None,
        )

    def infer(self, *, owl: bool = False, night: str = "", run: str = "", product: str = "") -> Counter[str]:
        """Add what the ontologies entail, in a graph of its own; return how many triples, by property.

        Args:
            owl: all of OWL 2 RL, by owlrl, for the part that the others choose; otherwise rules for the whole store.
            night: an observation date, ``YYYYMMDD``.
            run: a run number.
            product: a path, name, IRI or digest.
        """
        if not owl:
            return reasoning.infer(self.store)
        graph = self.graph()
        scope = self._scope(graph, night, run, product)
        data = scopes.whole(graph) if scope is None else scopes.neighbourhood(graph, scope.sources, scope.focus)
        return reasoning.infer_owl(self.store, data.text)

    def forget_inferences(self) -> int:
        """Remove all inferences, and return how many there were."""
        return reasoning.forget(self.store)

    def _scope(self, graph: Graph, night: str, run: str, product: str) -> scopes.Scope | None:
        if product:
            return scopes.of_product(graph, product, site=self.config.site)
        return scopes.of_sessions(graph, night=night, run=run) if night or run else None

    def status(self) -> dict[str, Any]:
        """Return what the store holds: counts, sources, evidence, what was assumed and what was quarantined."""
        return _status(self.graph(), self.store.path)


def open(store: str | Path | None = None) -> KnowledgeGraph:  # noqa: A001 - the library's fixed name
    """Open a store: a folder, or what the settings say."""
    settings = config.load(store=str(store) if store is not None else None)
    return KnowledgeGraph(open_store(settings))


def open_with(settings: Config, store: str | Path) -> KnowledgeGraph:
    """Open a store with these settings."""
    return KnowledgeGraph(open_store(replace(settings, store=str(store))))


def contract(path: str | Path, base: str) -> Contract:
    """Read a definition.yaml as what the activities must follow.

    Raises:
        InputError: it is no definition; the message names the line.
    """
    try:
        return Contract(read_definition(Path(path).read_bytes(), str(path)), base)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def model_turtle(known: Contract, settings: Config, *, shapes: bool, descriptions: bool) -> str:
    """Return a definition as SHACL shapes and as IVOA descriptions, in Turtle."""
    triples = set(known.shapes()) if shapes else set()
    if descriptions:
        lines = map_records(described(known.definition), settings, set()).source
        triples |= {quad.triple for quad in parse("\n".join(lines), format=RdfFormat.N_TRIPLES)}
    prefixes = {**PREFIXES, "sh": SH.iri, "dcterms": DCTERMS.iri}
    return written(sorted(triples, key=str), prefixes)


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
        kg = open_with(settings, Path(folder) / "store")
        summary = kg.ingest(paths)
        if not summary.sources:
            raise InputError("nothing to validate: no input could be read")
        graph = kg.graph()
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


def plain(term: Any, kind: str = "string") -> str | int | float | None:
    """Return a term as a plain value: a number where it is one, a short word for a ``term`` column."""
    if term is None:
        return None
    if isinstance(term, Literal) and short(term.datatype.value) in _NUMBER:
        return (
            int(term.value) if short(term.datatype.value) != "decimal" and "." not in term.value else float(term.value)
        )
    return short(term.value) if kind == "term" else str(term.value)


def _count(graph: Graph, pattern: str) -> int:
    query = f"{_PREFIXES}SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE {{ {pattern} }}"
    return int(text_of(next(iter(graph.select(query)))["n"]))


def _status(graph: Graph, path: Path) -> dict[str, Any]:
    evidence: Counter[str] = Counter()
    for quad in graph.quads(None, PKG.evidence, None, graph.iri(RESOLUTION)):
        evidence[short(getattr(quad.object, "value", ""))] += 1
    remarks: Counter[str] = Counter()
    for row in graph.select(f"{_PREFIXES}SELECT ?about ?count WHERE {{ ?remark pkg:about ?about ; pkg:count ?count }}"):
        remarks[text_of(row["about"])] += int(text_of(row["count"]))
    sources = sum(1 for _ in graph.quads(None, RDF_TYPE, PKG.Source, graph.iri(LEDGER)))
    counts = {name: _count(graph, pattern) for name, pattern in _STATUS.items()}
    return {
        "store": str(path),
        "base": graph.base,
        "sources": sources,
        **counts,
        "evidence": dict(sorted(evidence.items())),
        "remarks": dict(sorted(remarks.items())),
    }


def _card(graph: Graph, candidate: Candidate) -> Card:
    entity = candidate.iri
    facts: list[tuple[str, str, str]] = [("", "location", candidate.location), ("", "entity", entity)]
    places = graph.objects(entity, PROV.specializationOf)
    for thing in (entity, *places):
        for description in graph.objects(thing, VP.entityDescription):
            facts += [("", "kind", name) for name in graph.objects(description, VP.name)]
            facts += [("", "content type", name) for name in graph.objects(description, VP.contentType)]
            facts += [("", "level", short(level)) for level in graph.objects(description, PKG.dataLevel)]
        facts += [("", "level", short(level)) for level in graph.objects(thing, PKG.dataLevel)]
        facts += [("", "path digest", value) for value in graph.objects(thing, PKG.pathDigest)]
        for digest in graph.objects(thing, PKG.contentDigest):
            facts.append(
                (
                    "",
                    "content digest",
                    " ".join(graph.objects(digest, PKG.digestAlgorithm) + graph.objects(digest, PKG.digestValue)),
                )
            )
    facts += [("", "product id", value) for value in graph.objects(entity, PKG.productId)]
    siblings = {version for place in places for version in graph.subjects(PROV.specializationOf, place)} - {entity}
    if siblings:
        facts.append(("", "other versions at this path", str(len(siblings))))
    activities = graph.objects(entity, PROV.wasGeneratedBy)
    for activity in activities:
        facts += _activity_facts(graph, activity)
    if not activities:
        facts.append(("made by", "activity", "nothing recorded making it"))
    used_by = Counter(
        label
        for node in graph.subjects(PKG.usedVersion, entity)
        for activity in graph.subjects(PROV.qualifiedUsage, node)
        for label in graph.objects(activity, RDFS_LABEL) or ["?"]
    )
    facts += [("used by", name, str(count)) for name, count in sorted(used_by.items())]
    return Card(entity, tuple(dict.fromkeys(facts)))


def _activity_facts(graph: Graph, activity: str) -> list[tuple[str, str, str]]:
    def say(fact: str, *predicates: str) -> list[tuple[str, str, str]]:
        found = next((values for predicate in predicates if (values := graph.objects(activity, predicate))), [])
        return [("made by", fact, value) for value in found]

    facts = (
        say("activity", RDFS_LABEL)
        + say("started", PKG.recordedStart, PROV.startedAtTime)
        + say("ended", PKG.recordedEnd, PROV.endedAtTime)
    )
    facts += [(section, fact, short(value)) for section, fact, value in say("status", PKG.status)]
    facts += say("exit code", PKG.exitCode)
    process = [activity, *graph.objects(activity, PKG.inSession)]
    for subject in process:
        for agent in graph.objects(subject, PROV.wasAssociatedWith):
            facts += [("made by", "agent", label) for label in graph.objects(agent, RDFS_LABEL)]
        for environment in graph.objects(subject, PKG.environment):
            facts += [("made by", "host", host) for host in graph.objects(environment, PKG.host)]
        facts += [("made by", "run", run) for run in graph.objects(subject, PKG.run)]
        facts += [("made by", "night", night) for night in graph.objects(subject, PKG.observationDate)]
    facts.append(("made by", "inputs", str(len(graph.objects(activity, PROV.qualifiedUsage)))))
    for quad in graph.quads(activity, PKG.line):
        source = getattr(quad.graph_name, "value", "")
        facts += [
            ("recorded in", path, f"line {getattr(quad.object, 'value', '')}")
            for path in graph.objects(source, PKG.sourcePath)
        ]
    return facts
