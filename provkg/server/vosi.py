"""What VO clients ask a service: VOSI capabilities and availability, and DataLink.

Sources: https://www.ivoa.net/documents/VOSI/, https://www.ivoa.net/documents/DataLink/.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree

from provkg.errors import MissingExtra
from provkg.lineage import find_one, lineage
from provkg.server.failing import failed
from provkg.server.linked import page_path
from provkg.server.messages import Asked, Reply

if TYPE_CHECKING:
    from provkg.server.site import Site

_CAPABILITIES = "http://www.ivoa.net/xml/VOSICapabilities/v1.0"
_AVAILABILITY = "http://www.ivoa.net/xml/VOSIAvailability/v1.0"
_RESOURCE = "http://www.ivoa.net/xml/VODataService/v1.1"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DATALINK = "application/x-votable+xml;content=datalink"
_COLUMNS = (
    *("ID", "access_url", "service_def", "error_message", "semantics", "description", "content_type"),
    "content_length",
)


def capabilities(_: Site, asked: Asked) -> Reply:
    """Answer with what the service can do."""
    ElementTree.register_namespace("vosi", _CAPABILITIES)
    ElementTree.register_namespace("xsi", _XSI)
    root = ElementTree.Element(f"{{{_CAPABILITIES}}}capabilities", {"xmlns:vs": _RESOURCE})  # only values speak of it
    for standard, path, parameters in (
        ("ivo://ivoa.net/std/VOSI#capabilities", "/capabilities", ()),
        ("ivo://ivoa.net/std/VOSI#availability", "/availability", ()),
        ("ivo://ivoa.net/std/DataLink#links-1.1", "/datalink", ("ID",)),
        ("https://opus-job-manager.readthedocs.io/#provsap", "/provsap", ("ID", "DEPTH", "RESPONSEFORMAT")),
    ):
        capability = ElementTree.SubElement(root, "capability", {"standardID": standard})
        interface = ElementTree.SubElement(
            capability, "interface", {f"{{{_XSI}}}type": "vs:ParamHTTP", "role": "std", "version": "1.0"}
        )
        ElementTree.SubElement(interface, "accessURL", {"use": "full" if not parameters else "base"}).text = (
            asked.root + path
        )
        ElementTree.SubElement(interface, "queryType").text = "GET"
        for name in parameters:
            parameter = ElementTree.SubElement(
                interface, "param", {"std": "true", "use": "required" if name == "ID" else "optional"}
            )
            ElementTree.SubElement(parameter, "name").text = name
            ElementTree.SubElement(parameter, "dataType").text = "string"
    return _xml(root)


def availability(site: Site, _: Asked) -> Reply:
    """Answer whether the store can be read."""
    ElementTree.register_namespace("vosi", _AVAILABILITY)
    there = site.kg.store.exists()
    root = ElementTree.Element(f"{{{_AVAILABILITY}}}availability")
    ElementTree.SubElement(root, f"{{{_AVAILABILITY}}}available").text = "true" if there else "false"
    if not there:
        ElementTree.SubElement(root, f"{{{_AVAILABILITY}}}note").text = "nothing has been ingested"
    return _xml(root)


def _xml(root: ElementTree.Element) -> Reply:
    return Reply(200, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True), "text/xml; charset=utf-8")


def datalink(site: Site, asked: Asked) -> Reply:
    """Answer with the links of products: what they came from and what came of them, one step, and their provenance."""
    names = [value for name, value in asked.query if name.upper() == "ID" and value]
    if not names:
        return failed(400, "ID is missing", "/datalink?ID=IRI")
    rows: list[tuple[str, ...]] = []
    for name in names:
        rows += _links(site, asked, name)
    return Reply(200, _votable(rows, asked), _DATALINK)


def _links(site: Site, asked: Asked, name: str) -> list[tuple[str, ...]]:
    from provkg.errors import Ambiguous, NotFound  # noqa: PLC0415

    graph = site.graph()
    try:
        product = find_one(graph, name, site=site.kg.config.site).iri
    except (NotFound, Ambiguous) as error:
        kind = "NotFoundFault" if isinstance(error, NotFound) else "UsageFault"
        return [(name, "", "", f"{kind}: {error.message}", "#this", "", "", "")]
    address = quote(product, safe="")
    found: list[tuple[str, ...]] = [
        (
            name,
            f"{asked.root}/provsap?ID={address}&DEPTH=ALL",
            "",
            "",
            "#documentation",
            "its provenance as PROV-JSON",
            "application/json",
            "",
        ),
        (name, asked.root + page_path(site, product), "", "", "#documentation", "its page", "text/html", ""),
        (name, "", "provsap", "", "#proc", "its provenance, as deep as you like", "", ""),
    ]
    for down, semantics in ((False, "#progenitor"), (True, "#derivation")):
        for entity, told in _near(site, product, down=down).items():
            found.append((name, asked.root + page_path(site, entity), "", "", semantics, told, "text/html", ""))
    return found


def _near(site: Site, product: str, *, down: bool) -> dict[str, str]:
    """Return the products one step away with their places or names."""
    steps = lineage(site.graph(), product, down=down, depth=1)
    return {step.entity: step.location or step.name or step.entity for step in steps if step.entity != product}


def _votable(rows: list[tuple[str, ...]], asked: Asked) -> bytes:
    """Return links as a VOTable with a service descriptor.

    Raises:
        MissingExtra: astropy is not installed.
    """
    try:
        from astropy.io.votable import tree  # noqa: PLC0415 - heavy and optional
    except ImportError:
        raise MissingExtra("astropy is needed for DataLink", hint="pip install 'provkg[fits]'") from None

    document = tree.VOTableFile(version="1.4")
    resource = tree.Resource()
    resource.type = "results"
    document.resources.append(resource)
    resource.infos.append(tree.Info(name="standardID", value="ivo://ivoa.net/std/DataLink#links-1.1"))
    table = tree.TableElement(document)
    resource.tables.append(table)
    for name in _COLUMNS:
        kind = {"datatype": "long"} if name == "content_length" else {"datatype": "unicodeChar", "arraysize": "*"}
        table.fields.append(tree.Field(document, name=name, **kind))
    table.create_arrays(len(rows))
    for at, row in enumerate(rows):
        table.array[at] = (*row[:-1], 0)
        table.array.mask[at] = (False,) * (len(_COLUMNS) - 1) + (True,)
    service = tree.Resource(ID="provsap", utype="adhoc:service")
    service.type = "meta"
    document.resources.append(service)
    service.params.append(
        tree.Param(document, name="accessURL", datatype="char", arraysize="*", value=f"{asked.root}/provsap")
    )
    inputs = tree.Group(service, name="inputParams")
    for name in ("ID", "DEPTH", "DIRECTION", "RESPONSEFORMAT"):
        inputs.entries.append(tree.Param(document, name=name, datatype="char", arraysize="*", value=""))
    service.groups.append(inputs)
    stream = io.BytesIO()
    document.to_xml(stream)
    return stream.getvalue()
