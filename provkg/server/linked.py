"""Linked Data: every IRI of the store answers under its path with 303, a page, and data in what is accepted.

The IRIs begin with the base of the store, wherever the server runs: what stands after the base is the path. IRIs of
others are found at ``/resource?iri=``. Sources: https://www.w3.org/TR/cooluris/, https://www.w3.org/TR/prov-aq/.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pyoxigraph import NamedNode, Quad

from provkg.questions.negotiation import best
from provkg.server import product
from provkg.server.failing import failed
from provkg.server.messages import Asked, Reply
from provkg.server.sparql import triples_reply
from provkg.store import is_iri
from provkg.vocab import PROV

if TYPE_CHECKING:
    from provkg.server.site import Site

HTML = "text/html"
FORMATS = {
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "json": "application/json",
    "provn": "text/provenance-notation",
    "provx": "application/provenance+xml",
}
_PROV = {"json": "prov-json", "provn": "prov-n", "provx": "prov-xml"}
_ABOUT = 2_000  # statements that others make of one thing
_HAS_PROVENANCE, _HAS_SERVICE = PROV.has_provenance, PROV.has_query_service
_QUALIFIED = ("usage/", "generation/", "association/", "membership/", "derivation/")


def redirect(site: Site, asked: Asked) -> Reply:
    """Send who asks for an IRI of the store to a page or data of it."""
    name = asked.path.removeprefix("/")
    return _other(site, asked, site.kg.store.base() + name)


def resource(site: Site, asked: Asked) -> Reply:
    """The same for any IRI, as a parameter."""
    iri = asked.one("iri")
    if not is_iri(iri):
        return failed(400, f"{iri!r} is no IRI", "/resource?iri=IRI")
    return _other(site, asked, iri)


def _other(site: Site, asked: Asked, iri: str) -> Reply:
    if not is_iri(iri) or not exists(site, iri):
        return failed(404, f"nothing is known of {iri}", f"{asked.root}/search?q=…")
    offered = {HTML: "page"} | {media: suffix for suffix, media in FORMATS.items()}
    chosen = best(asked.accept or "text/turtle", offered)
    if chosen is None:
        return failed(406, "it is given as none of what is accepted", ", ".join(offered))
    place = page_path(site, iri) if chosen == "page" else data_path(site, iri, chosen)
    return Reply(303, headers={"Location": asked.root + place, "Vary": "Accept", **links(site, asked, iri)})


def exists(site: Site, iri: str) -> bool:
    """Say whether a store says anything of an IRI, or has a graph of that name."""
    graph, node = site.graph(), NamedNode(iri)
    return any(
        any(True for _ in graph.pattern(*given)) for given in ((node, None, None, None), (None, None, None, node))
    ) or any(True for _ in graph.pattern(None, None, node, None))


def page_path(site: Site, iri: str) -> str:
    """Return where the page of an IRI is."""
    base = site.kg.store.base()
    return f"/page/{iri.removeprefix(base)}" if iri.startswith(base) else f"/page/?iri={quote(iri, safe='')}"


def data_path(site: Site, iri: str, suffix: str) -> str:
    """Return where data of an IRI are."""
    base = site.kg.store.base()
    if iri.startswith(base):
        return f"/data/{iri.removeprefix(base)}.{suffix}"
    return f"/data/.{suffix}?iri={quote(iri, safe='')}"


def links(site: Site, asked: Asked, iri: str) -> dict[str, str]:
    """Return the Link header: other formats, and where provenance is (PROV-AQ)."""
    anchor = f'; anchor="{iri}"' if '"' not in iri else ""
    told = [f'<{iri}>; rel="canonical"']
    told += [
        f'<{asked.root}{data_path(site, iri, suffix)}>; rel="alternate"; type="{media}"'
        for suffix, media in FORMATS.items()
    ]
    told += [
        f'<{asked.root}{data_path(site, iri, "provn")}>; rel="{_HAS_PROVENANCE}"{anchor}',
        f'<{asked.root}/service>; rel="{_HAS_SERVICE}"{anchor}',
    ]
    return {"Link": ", ".join(told)} if iri.isascii() and iri.isprintable() else {}


def page(site: Site, asked: Asked) -> Reply:
    """Answer with the page of an IRI."""
    iri = _iri(site, asked, asked.path.removeprefix("/page/"))
    if iri is None or not exists(site, iri):
        return failed(404, f"nothing is known of {iri}", f"{asked.root}/search?q=…")
    reply = product.page(site, asked, iri)
    return Reply(reply.status, reply.body, reply.media, {**reply.headers, **links(site, asked, iri)})


def data(site: Site, asked: Asked) -> Reply:
    """Answer with data of an IRI; what follows the last dot says in which format."""
    name, _, suffix = asked.path.removeprefix("/data/").rpartition(".")
    iri = _iri(site, asked, name)
    if suffix not in FORMATS:
        return failed(404, f"there is no format {suffix!r}", f"one of {', '.join(FORMATS)}")
    if iri is None or not exists(site, iri):
        return failed(404, f"nothing is known of {iri}", f"{asked.root}/search?q=…")
    return _told(site, asked, iri, suffix)


def _told(site: Site, asked: Asked, iri: str, suffix: str) -> Reply:
    headers = links(site, asked, iri)
    if suffix in _PROV:
        from provkg.export.provdocument import written  # noqa: PLC0415 - slow to import

        text = written(site.kg.rollup(grain="subrun", **around(site, iri)), _PROV[suffix])
        return Reply(200, text.encode("utf-8", "backslashreplace"), FORMATS[suffix], headers)
    quads, cut = describing(site, iri)
    triples = sorted({quad.triple for quad in quads}, key=str)
    reply = triples_reply(triples, FORMATS[suffix], site.setup.longest)
    return Reply(200, reply.body, reply.media, {**headers, **({"X-Provkg-Cut": cut} if cut else {})})


def _iri(site: Site, asked: Asked, name: str) -> str | None:
    iri = asked.one("iri") or site.kg.store.base() + name
    return iri if is_iri(iri) else None


def around(site: Site, iri: str) -> dict[str, Any]:
    """Return the view of what stands around an IRI: one step of a product, an activity with what it read and made."""
    graph = site.graph()
    if graph.of_type([iri], PROV.Activity):
        return {"names": (iri,), "agents": True}
    return {"product": iri, "direction": "both", "depth": 1, "agents": True}


def describing(site: Site, iri: str) -> tuple[list[Quad], str]:
    """Return what a store says of an IRI, of its qualified relations, what others say of it, and what is left out."""
    graph, node = site.graph(), NamedNode(iri)
    found = list(graph.quads(iri))
    for value in [quad.object for quad in found]:
        if isinstance(value, NamedNode) and value.value.removeprefix(graph.base).startswith(_QUALIFIED):
            found += graph.quads(value.value)
    others = list(islice(graph.pattern(None, None, node, None), _ABOUT + 1))
    cut = f"others say more of it than these {_ABOUT:,} statements" if len(others) > _ABOUT else ""
    return found + others[:_ABOUT], cut


def provenance(site: Site, asked: Asked) -> Reply:
    """Answer a direct provenance query (PROV-AQ, 4.2): ``/provenance?target=IRI``."""
    target = asked.one("target")
    if not is_iri(target):
        return failed(400, f"{target!r} is no IRI", "/provenance?target=IRI")
    if not exists(site, target):
        return failed(404, f"nothing is known of {target}")
    offered = {media: suffix for suffix, media in FORMATS.items()}
    suffix = best(asked.accept, offered | {HTML: "ttl"})
    if suffix is None:
        return failed(406, "it is given as none of what is accepted", ", ".join(offered))
    reply = _told(site, asked, target, suffix)
    return Reply(reply.status, reply.body, reply.media, {**reply.headers, "Vary": "Accept"})
