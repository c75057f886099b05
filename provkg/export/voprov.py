"""PROV-JSON as the ``voprov`` package and OPUS write it: the classes of the IVOA model as sections of their own.

The W3C form says the same with the sections of PROV alone, as ``voprov``'s ``get_w3c`` does. What is a term of the IVOA
model stands in their de-facto namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from prov.identifier import Namespace

from provkg.export.provnames import ProvNames
from provkg.export.provwriting import JsonPieces, Placed, pour, prefixes
from provkg.store import Graph
from provkg.vocab import VOPROV, VP

VOPROV_FORMATS = {"voprov-json": False, "voprov-w3c-json": True}
_SECTIONS = (
    *("ActivityDescription", "EntityDescription", "DatasetDescription", "ValueDescription", "UsageDescription"),
    *("GenerationDescription", "ParameterDescription", "ConfigFileDescription", "Parameter", "ConfigFile"),
    *("DatasetEntity", "ValueEntity"),
)
_DESCRIBED = ("voprov:activityDescription", "voprov:entityDescription")
_RELATIONS = {"isDescribedBy": "DescriptionRelation", "wasConfiguredBy": "ConfigurationRelation"}
_ARTEFACTS = {"parameter": "Parameter", "configuration": "ConfigFile"}


def write_voprov(graph: Graph, form: str, output: BinaryIO) -> None:
    """Write all of a graph as voprov JSON.

    Args:
        graph: a store, or a part of it.
        form: one of :data:`VOPROV_FORMATS`.
        output: where to.
    """
    names = ProvNames(graph.base)
    names.spaces[VP.iri] = Namespace("voprov", VP.iri)
    pour(graph, _VoprovPieces(names, w3c=VOPROV_FORMATS[form]), output)


class _VoprovPieces(JsonPieces):
    def __init__(self, names: ProvNames, *, w3c: bool) -> None:
        super().__init__(names)
        self.w3c = w3c

    def finish(self, output: BinaryIO) -> None:
        """Write the whole document."""
        self.write(output, prefixes(self.names) | {"voprov": VOPROV})

    def placed(self, section: str, name: str, record: dict[str, Any]) -> Iterator[Placed]:
        """Give a record, and the descriptions of it, with their sections."""
        for key in _DESCRIBED:
            values = _several(record.pop(key, ()))
            for value in values:
                if _names_something(value):
                    yield self.relation("isDescribedBy", name, value["$"])
            words = [value for value in values if not _names_something(value)]
            record |= {key: words} if words else {}
        if section == "entity" and not self.w3c:
            kind = next((each for each in _SECTIONS if f"voprov:{each}" in _types(record)), "")
            yield (kind[:1].lower() + kind[1:] if kind else section), name, _named(record, kind)
        elif section == "wasInfluencedBy" and "voprov:Configuration" in _types(record):
            yield self.relation("wasConfiguredBy", record["prov:influencee"], record["prov:influencer"])
        else:
            yield section, name, _named(record, section) if section == "activity" else record

    def relation(self, kind: str, subject: str, other: str) -> Placed:
        """Return a relation of the IVOA model."""
        if self.w3c:
            told = {"$": f"voprov:{_RELATIONS[kind]}", "type": "prov:QUALIFIED_NAME"}
            return "wasInfluencedBy", "_:", {"prov:influencee": subject, "prov:influencer": other, "prov:type": told}
        if kind == "isDescribedBy":
            return kind, "_:", {"voprov:described": subject, "voprov:descriptor": other}
        artefact = _ARTEFACTS.get(other.partition(":")[2].partition("/")[0], "Parameter")
        ends = {"voprov:configured": subject, "voprov:configurator": other}
        return kind, "_:", ends | {"voprov:artefactType": artefact}


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _types(record: dict[str, Any]) -> list[str]:
    return [str(each["$"]) for each in _several(record.get("prov:type", ())) if isinstance(each, dict)]


def _names_something(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in ("xsd:QName", "prov:QUALIFIED_NAME")


def _named(record: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return a record with its name where voprov has it; what its section says need not be said again."""
    told = {"voprov:name": "prov:name"} | ({"prov:label": "prov:name"} if kind == "activity" else {})
    found: dict[str, list[Any]] = {}
    for key, value in record.items():
        found.setdefault(told.get(key, key), []).extend(_several(value))
    said = found.pop("prov:type", [])
    found["prov:type"] = [each for each in said if not (isinstance(each, dict) and each["$"] == f"voprov:{kind}")]
    return {key: values[0] if len(values) == 1 else values for key, values in found.items() if values}
