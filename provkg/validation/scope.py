"""What is validated: a whole store, the sources that an ingest touched, a night, a run, a product, or RDF documents.

A source is never judged by its own graph alone: what version resolution says of its nodes, and what other sources say
of what it refers to, are taken in. PROV-CONSTRAINTS alone are judged per bundle, as that Recommendation asks.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Quad, Triple

from provkg.errors import NotFound
from provkg.lineage import find_one, lineage
from provkg.store import Graph
from provkg.validation.constraints.bundle import PATTERNS, QUALIFIED, RELATION_CLASSES
from provkg.validation.engines import Data
from provkg.vocab import CATALOGUE, DESCRIPTIONS, INFERENCES, LEDGER, PKG, PROV, RDF_TYPE, RESOLUTION, VP

# What is followed out of a source, and how far: to the session of the activity that wrote the version that was read.
_FOLLOWED = frozenset(
    (
        *(PKG.usedVersion, PROV.wasGeneratedBy, PKG.inSession, PROV.specializationOf, PROV.entity),
        *(VP.activityDescription, VP.entityDescription, VP.parameterDescription, VP.configFileDescription),
    )
)
# What leads out of a night, run or history, into that of others
_ELSEWHERE = frozenset(
    (
        *(PKG.usedVersion, PKG.ofVersion, PKG.progenitor, PKG.drawnFrom, PKG.includes, PKG.recordedBy, RDF_TYPE),
        *(PROV.used, PROV.wasGeneratedBy, PROV.wasDerivedFrom, PROV.wasInformedBy, PROV.hadMember, PROV.activity),
    )
)
_OWNING = tuple(sorted(QUALIFIED | {PROV.qualifiedInfluence}))
_POINTING = {
    **{PROV[name]: _OWNING for name in RELATION_CLASSES},
    PROV.Activity: (PROV.wasGeneratedBy, PROV.activity),
    VP.Parameter: (VP.wasConfiguredBy,),
    VP.ConfigFile: (VP.wasConfiguredBy,),
    VP.UsageDescription: (VP.hasUsageDescription,),
    VP.GenerationDescription: (VP.hasGenerationDescription,),
    VP.ParameterDescription: (VP.hasParameterDescription,),
}
_HEAVY = frozenset((PKG.json, PKG.includes))
_HOPS = 4
_MINTED = ("usage/", "generation/", "relation/", "derivation/", "membership/", "node/")


@dataclass(frozen=True)
class Scope:
    """The sources to validate, and the nodes a finding can be about; None is all of them."""

    sources: tuple[str, ...]
    focus: frozenset[str] | None = None


def everything(graph: Graph) -> Scope:
    """Return the scope of the whole store."""
    return Scope(tuple(sources(graph)))


def sources(graph: Graph) -> list[str]:
    """Return the graphs of all sources."""
    ledger = graph.iri(LEDGER)
    return sorted(_text(quad.subject) for quad in graph.quads(None, RDF_TYPE, PKG.Source, ledger))


def of_sources(graph: Graph, touched: Iterable[str]) -> Scope | None:
    """Return the scope of some sources: what they tell of; None where they are all there is."""
    every = set(sources(graph))
    known = tuple(sorted(set(touched) & every))
    if len(known) == len(every):
        return None
    focus = set()
    for source in known:
        for quad in graph.quads(None, None, None, source):
            focus.add(_text(quad.subject))
            if isinstance(quad.object, NamedNode):
                focus.add(quad.object.value)
    return Scope(known, frozenset(focus))


def of_sessions(graph: Graph, *, night: str = "", run: str = "") -> Scope:
    """Return the scope of a night or of a run: its sessions and what happened in them.

    Raises:
        NotFound: no session is of that night or run.
    """
    of_night = set(graph.subjects(PKG.observationDate, Literal(night.replace("-", ""))))
    of_run = {
        session
        for predicate in (PKG.run, PKG.pedestalRun, PKG.calibrationRun)
        for text in {run, run.zfill(5)}
        for session in graph.subjects(predicate, Literal(text))
    }
    found = of_night & of_run if night and run else of_night if night else of_run
    if not found:
        asked = " and ".join([*([f"night {night}"] if night else []), *([f"run {run}"] if run else [])])
        raise NotFound(f"no session is of {asked}")
    activities = {activity for session in found for activity in graph.subjects(PKG.inSession, session)}
    return _around(graph, activities, found)


def of_product(graph: Graph, product: str, *, site: str) -> Scope:
    """Return the scope of a product: its whole history.

    Raises:
        NotFound: nothing answers to that name.
        Ambiguous: several things do.
    """
    entity = find_one(graph, product, site=site).iri
    steps = lineage(graph, entity)
    activities = {step.activity for step in steps if step.activity} | set(graph.objects(entity, PROV.wasGeneratedBy))
    return _around(graph, activities, {entity, *(step.entity for step in steps if step.entity)})


def of_activity(graph: Graph, activity: str) -> Scope:
    """Return the scope of one activity: what it read and wrote, and how."""
    return _around(graph, {activity}, set())


def _around(graph: Graph, activities: set[str], more: set[str]) -> Scope:
    """Return activities with their relations and what these relate, and the sources that tell of them."""
    focus, held = set(more), set()
    for activity in activities:
        focus.add(activity)
        nodes = graph.objects(activity, PROV.qualifiedUsage)
        versions = graph.subjects(PROV.wasGeneratedBy, activity)
        made = [each for version in versions for each in graph.objects(version, PROV.qualifiedGeneration)]
        used = [each for node in nodes for each in graph.objects(node, PROV.entity)]
        places = [each for version in versions for each in graph.objects(version, PROV.specializationOf)]
        focus.update(nodes, versions, made, used, places, graph.objects(activity, PKG.inSession))
        held |= {_text(quad.graph_name) for quad in graph.quads(activity, RDF_TYPE, PROV.Activity)}
    edge = set(focus)
    for _ in range(2):  # to associations and their agents, parameters, configurations and descriptions
        edge = {
            quad.object.value
            for node in edge
            for quad in graph.quads(node)
            if isinstance(quad.object, NamedNode) and quad.predicate.value not in _ELSEWHERE
        } - focus
        focus |= edge
    return Scope(tuple(sorted(held & set(sources(graph)))), frozenset(focus))


def whole(graph: Graph) -> Data:
    """Return all that a store says, but for the ledger and what reasoning added."""
    left_out = {graph.iri(LEDGER), graph.iri(INFERENCES)}
    names = [name for name in graph.graphs() if name not in left_out]
    with ThreadPoolExecutor() as threads:  # a dump does not hold the interpreter's lock
        return Data(b"".join(threads.map(graph.text, names)).decode())


def one(graph: Graph, source: str) -> Data:
    """Return what one source says, and nothing else."""
    return Data(graph.text(source).decode())


def neighbourhood(graph: Graph, wanted: Iterable[str], only: frozenset[str] | None = None) -> Data:
    """Return what some sources say (of some nodes only), and what is said elsewhere of what these refer to.

    The focus of the data are the nodes that these sources tell of, and what they share with others (files, parameters,
    agents); what belongs to other sources is there to look at only.
    """
    left_out = {graph.iri(LEDGER), graph.iri(INFERENCES)}
    shared = {graph.iri(name) for name in (CATALOGUE, DESCRIPTIONS, RESOLUTION)}
    lines: set[str] = set()
    sources = list(wanted)
    if only is None:
        todo = {_text(quad.subject) for source in sources for quad in graph.quads(None, None, None, source)}
    else:
        todo = {node for node in only if any(True for source in sources for _ in graph.quads(node, None, None, source))}
    seen, focus = set(todo), set(todo)
    for hop in range(_HOPS):
        follow: set[str] = set()
        for node in todo:
            theirs = False
            for quad in (*graph.quads(node), *(_pointing(graph, node) if hop == 0 else ())):
                name, predicate = _text(quad.graph_name), quad.predicate.value
                if name in left_out or predicate in _HEAVY:
                    continue
                theirs = theirs or name not in shared
                lines.add(f"{quad.triple} .\n")
                if isinstance(quad.object, NamedNode) and (hop == 0 or predicate in _FOLLOWED):
                    follow |= {quad.object.value, _text(quad.subject)} - {node}
            if hop == 1 and not theirs:
                focus.add(node)
        todo = follow - seen
        seen |= todo
    lines |= set(_namesakes(graph, seen))
    return Data("".join(sorted(lines)), focus=frozenset(focus))


def _pointing(graph: Graph, node: str) -> Iterator[Quad]:
    """Give what points at a node in the direction against which shapes look: the owner of a relation, and so on."""
    kinds = {_text(quad.object) for quad in graph.quads(node, RDF_TYPE)}
    for predicate in _POINTING.get(next(iter(kinds & _POINTING.keys()), ""), () if kinds else _OWNING):
        yield from graph.quads(None, predicate, node)


def _namesakes(graph: Graph, seen: set[str]) -> Iterator[str]:
    """Give the files elsewhere that have the name of a file here, with their versions and when these were written."""
    names = {quad.object for node in seen for quad in graph.quads(node, PKG.fileName) if _text(quad.object)}
    for name in names:
        assert isinstance(name, Literal)
        for file in set(graph.subjects(PKG.fileName, name)):
            for predicate in (PKG.fileName, PKG.location):
                yield from (f"{quad.triple} .\n" for quad in graph.quads(file, predicate))
            for version in graph.subjects(PROV.specializationOf, file):
                yield f"<{version}> <{PROV.specializationOf}> <{file}> .\n"
                for quad in graph.quads(version, PROV.wasGeneratedBy):
                    yield f"{quad.triple} .\n"
                    for end in graph.quads(_text(quad.object), PROV.endedAtTime):
                        yield f"{end.triple} .\n"


def bundles(graph: Graph, wanted: Iterable[str]) -> Iterator[list[Quad | Triple]]:
    """Give each source as a bundle, with what version resolution says of its relations."""
    resolved: dict[str, list[Quad]] = defaultdict(list)
    resolution = graph.iri(RESOLUTION)
    for predicate in (PKG.usedVersion, PKG.ofVersion):
        for quad in graph.quads(None, predicate, None, resolution):
            resolved[_text(quad.subject)].append(quad)
    for source in wanted:
        quads: list[Quad | Triple] = []
        for predicate, value in PATTERNS:
            for quad in graph.quads(None, predicate, value, source):
                node = _text(quad.object)
                if predicate in QUALIFIED:
                    quads += resolved.get(node, ())
                    if predicate == PROV.qualifiedDerivation and node not in resolved:
                        continue  # which versions it means is unknown: a path is not derived from itself
                quads.append(quad)
        yield quads


def related(graph: Graph, wanted: Iterable[str]) -> list[str]:
    """Return some sources, and those that tell of what these used."""
    found, known = set(wanted), set(sources(graph))
    if found >= known:
        return sorted(known)
    resolution = graph.iri(RESOLUTION)
    nodes = {_text(quad.object) for source in wanted for quad in graph.quads(None, PROV.qualifiedUsage, None, source)}
    versions = {_text(quad.object) for node in nodes for quad in graph.quads(node, PKG.usedVersion, None, resolution)}
    found |= {_text(quad.graph_name) for version in versions for quad in graph.quads(version)}
    return sorted(found & known)


def minted(graph: Graph, node: str) -> bool:
    """Say whether a name was made by provkg for a relation that has no id in its record."""
    return node.startswith("_:") or node.removeprefix(graph.base).startswith(_MINTED)


def _text(term: object) -> str:
    return str(getattr(term, "value", term))
