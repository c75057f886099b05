"""The dialects of PROV documents: what voprov and lstosa write that W3C readers refuse.

voprov adds statements (``isDescribedBy``, ``wasConfiguredBy``, ``valueEntity`` …), names bundles ``#description#x``,
and its XML has a root in its own namespace. Each function takes a document apart into what :mod:`prov` can read and
the statements it cannot.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from provkg.errors import InputError
from provkg.vocab import PROV, VOPROV

BUNDLE_PREFIX, BUNDLE_IRI = "provkgbundle", "urn:provkg:bundle:"
_W3C = frozenset(
    (
        *("prefix", "document", "bundle", "bundleContent", "entity", "activity", "agent", "used", "wasGeneratedBy"),
        *("wasDerivedFrom", "wasAttributedTo", "wasAssociatedWith", "actedOnBehalfOf", "wasInformedBy", "hadMember"),
        *("wasInfluencedBy", "wasStartedBy", "wasEndedBy", "wasInvalidatedBy", "specializationOf", "alternateOf"),
        "mentionOf",
    )
)
_ENDS = {
    "isDescribedBy": ("described", "descriptor"),
    "wasConfiguredBy": ("configured", "configurator"),
    "hadReference": ("referenced", "referrer"),
    "isRelatedTo": ("related", "relator"),
}
# What the arguments of a statement in PROV-N are called elsewhere
_POSITIONS = {
    **_ENDS,
    "wasConfiguredBy": (*_ENDS["wasConfiguredBy"], "voprov:artefactType"),
    "parameter": ("prov:name", "prov:value"),
    "configFile": ("prov:name", "prov:location"),
}
_STATEMENT = re.compile(r"^\s*([A-Za-z]+)\((.*)\)\s*$")
_ATTRIBUTE = re.compile(r'\s*([\w:.-]+)\s*=\s*("(?:[^"\\]|\\.)*"(?:\s*%%\s*\S+)?|\'[^\']*\'|[^,\]]+)')


@dataclass(frozen=True)
class Statement:
    """A statement that is not of W3C PROV: its kind, its id and its attributes, all as written."""

    kind: str
    id: str
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def ends(self) -> tuple[str, str] | None:
        """The two things a relation relates, or None for an element."""
        if self.kind not in _ENDS:
            return None
        local = {key.rpartition(":")[2]: value for key, value in self.attributes.items()}
        first, second = (local.get(end) for end in _ENDS[self.kind])
        return (str(first), str(second)) if first and second else None


def from_json(text: str) -> tuple[str, list[Statement], dict[str, str]]:
    """Take PROV-JSON apart.

    Returns:
        PROV-JSON that :mod:`prov` reads, the other statements, and the prefixes.

    Raises:
        InputError: it is no JSON object.
    """
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"no JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError("PROV-JSON is an object")
    prefixes = {str(key): str(value) for key, value in (document.get("prefix") or {}).items()}
    statements = _take(document)
    bundles = document.get("bundle")
    if isinstance(bundles, dict):
        renamed: dict[str, Any] = {}
        for number, (name, bundle) in enumerate(bundles.items()):
            statements += _take(bundle)
            prefixes |= {str(key): str(value) for key, value in (bundle.get("prefix") or {}).items()}
            known = name.partition(":")[0] in prefixes and "#" not in name
            renamed[name if known else f"{BUNDLE_PREFIX}:{number}"] = bundle
        document["bundle"] = renamed
    # voprov's own W3C export uses its prefix without declaring it
    document["prefix"] = {"voprov": VOPROV, BUNDLE_PREFIX: BUNDLE_IRI, **(document.get("prefix") or {})}
    return json.dumps(document), statements, {"voprov": VOPROV, **prefixes}


def _take(block: dict[str, Any]) -> list[Statement]:
    statements = []
    for kind in [key for key in block if key not in _W3C]:
        items = block.pop(kind)
        for identifier, attributes in items.items() if isinstance(items, dict) else ():
            several = attributes if isinstance(attributes, list) else [attributes]
            statements += [Statement(kind, identifier, each if isinstance(each, dict) else {}) for each in several]
    return statements


def from_provn(text: str) -> tuple[str, list[Statement], dict[str, str]]:
    """Take PROV-N apart; statements of other languages stand on lines of their own."""
    prefixes = dict(re.findall(r"^\s*prefix\s+(\S+)\s+<([^>]*)>", text, re.MULTILINE))
    default = re.search(r"^\s*default\s+<([^>]*)>", text, re.MULTILINE)
    if default:
        prefixes["default"] = default[1]
    kept, statements = [], []
    for number, line in enumerate(text.splitlines()):
        match = _STATEMENT.match(line)
        if match and match[1] not in _W3C:
            statements.append(_provn_statement(match[1], match[2]))
        elif bundle := re.match(r"^(\s*bundle\s+)(#\S+)\s*$", line):
            kept.append(f"{bundle[1]}{BUNDLE_PREFIX}:{number}")
        else:
            kept.append(line)
    body = "\n".join(kept)
    own = {"voprov": VOPROV, BUNDLE_PREFIX: BUNDLE_IRI}
    declared = "".join(f"prefix {prefix} <{iri}>\n" for prefix, iri in own.items() if prefix not in prefixes)
    opening = re.search(r"^\s*document\b[^\n]*\n(?:\s*default\s+<[^>]*>\s*\n)?", body, re.MULTILINE)
    at = opening.end() if opening else 0
    return body[:at] + declared + body[at:], statements, {"voprov": VOPROV, **prefixes}


def _provn_statement(kind: str, inner: str) -> Statement:
    """Read ``kind([id;] argument, … [attributes])``; ``-`` stands for an argument that is not given."""
    head, _, tail = inner.partition("[")
    identifier, given, rest = head.partition(";")
    arguments = [item.strip() for item in (rest if given else head).split(",") if item.strip()]
    attributes: dict[str, Any] = {key: _provn_value(value) for key, value in _ATTRIBUTE.findall(tail.rstrip("] "))}
    if kind not in _ENDS:
        identifier, *arguments = arguments or [""]
    names = _POSITIONS.get(kind, ("prov:name",) if kind.endswith("Description") else ())
    attributes |= {name: each for name, each in zip(names, arguments, strict=False) if each != "-"}
    return Statement(
        kind, "" if identifier.strip() == "-" or (kind in _ENDS and not given) else identifier.strip(), attributes
    )


def _provn_value(text: str) -> str:
    text = text.strip()
    literal = re.match(r'"((?:[^"\\]|\\.)*)"', text)
    return literal[1].replace('\\"', '"').replace("\\\\", "\\") if literal else text.strip("'")


def from_xml(data: bytes) -> tuple[bytes, list[Statement], dict[str, str]]:
    """Take PROV-XML apart, with voprov's root and elements renamed.

    Raises:
        InputError: it is no XML, or declares a document type (entities can be made to explode).
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"no XML: {error}") from None
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise InputError(
            "XML with a document type declaration is refused", hint="PROV-XML needs none: remove the DOCTYPE"
        )
    prefixes = {prefix or "default": iri for prefix, iri in root.nsmap.items()}
    statements = []
    for element in list(root.iter(tag=etree.Element)):
        space, local = etree.QName(element).namespace, etree.QName(element).localname
        parent = element.getparent()
        if space == VOPROV and local in _W3C:
            element.tag = f"{{{PROV.iri}}}{local}"
        elif space == VOPROV and parent is not None and etree.QName(parent).localname in ("document", "bundleContent"):
            statements.append(_xml_statement(element, local))
            parent.remove(element)
        for key in list(element.attrib):
            if etree.QName(key).namespace == VOPROV and etree.QName(key).localname in ("id", "ref"):
                element.attrib[f"{{{PROV.iri}}}{etree.QName(key).localname}"] = element.attrib.pop(key)
    for number, element in enumerate(root.iter(f"{{{PROV.iri}}}bundleContent")):
        identifier = f"{{{PROV.iri}}}id"
        if "#" in element.attrib.get(identifier, "#"):
            element.attrib[identifier] = f"{BUNDLE_PREFIX}:{number}"
    top = etree.Element(root.tag, nsmap={"voprov": VOPROV, **root.nsmap, BUNDLE_PREFIX: BUNDLE_IRI})
    top.extend(list(root))
    return bytes(etree.tostring(top)), statements, prefixes


def _xml_statement(element: Any, kind: str) -> Statement:
    attributes: dict[str, Any] = {}
    identifier = next((value for key, value in element.attrib.items() if etree.QName(key).localname == "id"), "")
    for child in element.iterchildren(tag=etree.Element):
        reference = next((value for key, value in child.attrib.items() if etree.QName(key).localname == "ref"), None)
        name = etree.QName(child)
        prefix = "prov" if name.namespace == PROV.iri else "voprov"
        attributes[f"{prefix}:{name.localname}"] = reference if reference is not None else (child.text or "")
    return Statement(kind, identifier, attributes)
