"""ProvSAP: the provenance of one thing as a PROV document, in both dialects that are in use.

Sources: the ProvDAL working draft (IVOA, 2017) and the service of OPUS. DEPTH counts relations of any kind.

======================  ==================================================================================
ID                      required, repeatable: an IRI, a path, a name, a digest
DEPTH                   a number of relations, or ALL; 1 by default
DIRECTION               BACK (the default); FORTH or FORWARD
RESPONSEFORMAT          PROV-JSON (the default), PROV-N, PROV-XML, PROV-VOTABLE, PROV-SVG, PROV-PNG, or a media type
MODEL                   IVOA or W3C: one document says both
AGENT                   1, true: also follow from agents to what they did (ProvDAL); false by default
AGENTS                  0, false: leave agents out (OPUS); true by default
MEMBERS                 1, true: also follow from collections to their members; false by default
CONFIGURATION           0, false: leave parameters out; true by default
ATTRIBUTES              0, false: leave parameters out of pictures; true by default
======================  ==================================================================================

What else a dialect has (STEPS, DESCRIPTIONS, GD) is refused unless it asks for nothing: so the draft.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provkg.errors import InputError, NotFound
from provkg.export.provdocument import written
from provkg.export.votable import votable
from provkg.graphview import Links, draw
from provkg.lineage import find_one
from provkg.rollup import AGENT, View, fold
from provkg.server.failing import of_error
from provkg.server.messages import Asked, Reply, values
from provkg.server.sparql import FORM
from provkg.store import is_iri
from provkg.vocab import PROV

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provkg.rollup import Node, Relation
    from provkg.server.site import Site

_FORMATS = {
    "PROV-JSON": ("prov-json", "application/json"),
    "PROV-N": ("prov-n", "text/provenance-notation"),
    "PROV-XML": ("prov-xml", "application/provenance+xml"),
    "PROV-VOTABLE": ("votable", "application/x-votable+xml"),
    "PROV-SVG": ("svg", "image/svg+xml"),
    "PROV-PNG": ("png", "image/png"),
}
_MEDIA = {media: name for name, (_, media) in _FORMATS.items()}
_PICTURES = ("svg", "png")
_YES, _NO = {"1", "true", "TRUE", "True"}, {"0", "false", "FALSE", "False"}
_NOTHING = {"STEPS": _NO, "DESCRIPTIONS": {"0"}}
_KNOWN = {"ID", "DEPTH", "DIRECTION", "RESPONSEFORMAT", "MODEL", "AGENT", "AGENTS", "MEMBERS", "CONFIGURATION"}
_KNOWN |= {"ATTRIBUTES", *_NOTHING}
_FLOW = {"used", "wasGeneratedBy", "wasDerivedFrom", "wasInformedBy"}
_DEEPEST = 1_000


@dataclass(frozen=True)
class Wanted:
    """What a request asks for; see the module."""

    ids: tuple[str, ...]
    depth: int = 1
    forth: bool = False
    form: str = "PROV-JSON"
    from_agents: bool = False
    agents: bool = True
    members: bool = False
    configuration: bool = True
    attributes: bool = True


def respond(site: Site, asked: Asked) -> Reply:
    """Answer a request."""
    from urllib.parse import parse_qsl  # noqa: PLC0415

    pairs = list(asked.query)
    if asked.method == "POST" and asked.media.partition(";")[0].strip() == FORM:
        pairs += parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True)
    try:
        wanted = read(pairs)
        form, media = _FORMATS[wanted.form]
        view = around(site, wanted)
        rollup = fold(view, {})
        title = " ".join(wanted.ids)
        if form in _PICTURES:
            links = Links(page=f"{asked.root}/resource?iri={{iri}}", file="")
            body = draw(rollup, form, title=title, rules=site.kg.rules(), links=links)
        elif form == "votable":
            body = votable(rollup)
        else:
            body = written(rollup, form).encode("utf-8", "backslashreplace")
    except (InputError, NotFound) as error:
        return of_error(error)
    return Reply(200, body, media)


def read(pairs: Iterable[tuple[str, str]]) -> Wanted:
    """Return what the parameters of a request say; their names are of any case.

    Raises:
        InputError: one is unknown, twice there, or has a value that it does not have.
    """
    given = values([(name.upper(), value) for name, value in pairs])
    for name, found in given.items():
        if name not in _KNOWN:
            raise InputError(f"the parameter {name} is not known", hint=f"these are: {', '.join(sorted(_KNOWN))}")
        if name != "ID" and len(found) > 1:
            raise InputError(f"{name} is given {len(found)} times")
        if name in _NOTHING and found[0] not in _NOTHING[name]:
            raise InputError(f"{name}={found[0]} is not done here", hint=f"leave {name} out")
    if not any(given.get("ID", ())):
        raise InputError("ID is missing", hint="/provsap?ID=IRI")
    one = {name: found[0] for name, found in given.items() if name != "ID"}
    direction = one.get("DIRECTION", "BACK")
    if direction not in ("BACK", "FORTH", "FORWARD"):
        raise InputError(f"DIRECTION={direction} is unknown", hint="BACK, or FORTH or FORWARD")
    if one.get("MODEL", "IVOA") not in ("IVOA", "W3C"):
        raise InputError(f"MODEL={one['MODEL']} is unknown", hint="IVOA or W3C")
    form = one.get("RESPONSEFORMAT", "PROV-JSON")
    form = _MEDIA.get(form, form)
    if form not in _FORMATS:
        raise InputError(f"RESPONSEFORMAT={form} is not given", hint=", ".join(_FORMATS))
    return Wanted(
        tuple(each for each in given["ID"] if each),
        _depth(one.get("DEPTH", "1")),
        direction != "BACK",
        form,
        from_agents=_flag(one, "AGENT", default=False),
        agents=_flag(one, "AGENTS", default=True),
        members=_flag(one, "MEMBERS", default=False),
        configuration=_flag(one, "CONFIGURATION", default=True),
        attributes=_flag(one, "ATTRIBUTES", default=True),
    )


def _depth(text: str) -> int:
    if text == "ALL":
        return _DEEPEST
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(int(text), _DEEPEST)
    raise InputError(f"DEPTH={text} is no number of relations", hint="0, 1, 2, … or ALL")


def _flag(given: dict[str, str], name: str, *, default: bool) -> bool:
    text = given.get(name)
    if text is None:
        return default
    if text not in _YES | _NO:
        raise InputError(f"{name}={text} is neither true nor false")
    return text in _YES


def around(site: Site, wanted: Wanted) -> View:
    """Return what stands so many relations around some things.

    Raises:
        NotFound: nothing answers to an ID.
        Ambiguous: several things do.
    """
    nodes: dict[str, Node] = {}
    relations: set[Relation] = set()
    for name in wanted.ids:
        start, view = _begun(site, wanted, name)
        reached = _reached(view, start, wanted)
        nodes |= {iri: view.nodes[iri] for iri in reached if iri in view.nodes}
        relations |= {each for each in view.relations if each.subject in reached and each.object in reached}
    if not wanted.agents:
        nodes = {iri: node for iri, node in nodes.items() if node.kind != AGENT}
    if not wanted.configuration or (wanted.form in ("PROV-SVG", "PROV-PNG") and not wanted.attributes):
        nodes = {iri: node._replace(parameters=()) for iri, node in nodes.items()}
    kept = tuple(sorted(each for each in relations if each.subject in nodes and each.object in nodes))
    return View(dict(sorted(nodes.items())), kept, frozenset(), site.graph().base)


def _begun(site: Site, wanted: Wanted, name: str) -> tuple[str, View]:
    """Return the IRI of a thing, and a view that has all that can be reached from it."""
    graph, kg = site.graph(), site.kg
    iri = name if is_iri(name) else graph.iri(name) if is_iri(graph.iri(name)) else ""
    direction = "down" if wanted.forth else "up"
    depth = max(1, wanted.depth)
    if iri and graph.of_type([iri], PROV.Agent):
        done = tuple(graph.subjects(PROV.wasAssociatedWith, iri))
        return iri, kg.view(names=(*done, iri), agents=True) if done else kg.view(names=(iri,), agents=True)
    if iri and graph.of_type([iri], PROV.Activity):
        near = kg.view(names=(iri,), agents=True)
        if wanted.depth <= 1:
            return iri, near
        made = [each.subject for each in near.relations if each.kind == "wasGeneratedBy"]
        read = [each.object for each in near.relations if each.kind == "used"]
        beyond, ahead = (read, made) if wanted.forth else (made, read)
        through = beyond[:1] or ahead  # what lies behind the activity shows it with all ahead of it
        return iri, _together(
            near, *(kg.view(product=each, direction=direction, depth=depth + 1, agents=True) for each in through)
        )
    product = find_one(graph, name, site=kg.config.site).iri
    return product, kg.view(product=product, direction=direction, depth=depth, agents=True)


def _together(*views: View) -> View:
    """Return views as one."""
    nodes = {iri: node for view in views for iri, node in view.nodes.items()}
    return View(nodes, tuple(sorted({each for view in views for each in view.relations})), frozenset(), views[0].base)


def _reached(view: View, start: str, wanted: Wanted) -> set[str]:
    """Return what is reached from a thing over so many relations."""
    beside: dict[str, list[str]] = defaultdict(list)
    for each in view.relations:
        back = not wanted.forth or each.kind not in _FLOW
        if each.kind == "hadMember":
            beside[each.object].append(each.subject)
            if wanted.members:
                beside[each.subject].append(each.object)
        elif back:
            beside[each.subject].append(each.object)
            if each.kind == "wasAssociatedWith" and wanted.from_agents:
                beside[each.object].append(each.subject)
        else:
            beside[each.object].append(each.subject)
    found, edge = {start}, {start}
    for _ in range(wanted.depth):
        edge = {other for one in edge for other in beside[one]} - found
        if not edge:
            break
        found |= edge
    return found
