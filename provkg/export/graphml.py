"""Roll-ups as GraphML, for Gephi, yEd, Cytoscape, igraph and networkx.

Source: http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from provkg.identity import harmless
from provkg.rollup import Fold, FoldedRelation, Rollup

_NODE = {"kind": "string", "type": "string", "label": "string", "iri": "string", "start": "string", "end": "string"}
_NODE |= {"status": "string", "marks": "string", "keys": "string", "members": "int"}
_EDGE = {"kind": "string", "role": "string", "members": "int"}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'


def write_graphml(rollups: Iterable[Rollup], output: BinaryIO) -> None:
    """Write roll-ups as one graph; a node of several of them is written once.

    Edges point back in time, as PROV's relations do. ``members`` says for how many nodes or relations one stands.
    """
    said: set[str] = set()
    output.write(_HEAD.encode())
    for place, keys in (("node", _NODE), ("edge", _EDGE)):
        for name, kind in keys.items():
            told = f' <key id="{place}-{name}" for="{place}" attr.name="{name}" attr.type="{kind}"/>\n'
            output.write(told.encode())
    output.write(b' <graph id="provenance" edgedefault="directed">\n')
    with tempfile.TemporaryFile() as edges:
        for rollup in rollups:
            for fold in rollup.folds.values():
                if fold.iri not in said:
                    output.write(_element("node", f"id={quoteattr(fold.iri)}", _node(fold)))
            for each in rollup.relations:
                if not (each.kind in _BETWEEN_ENTITIES and each.subject in said):
                    ends = f"source={quoteattr(each.subject)} target={quoteattr(each.object)}"
                    edges.write(_element("edge", ends, _edge(each)))
            said |= rollup.folds.keys()
        edges.seek(0)
        shutil.copyfileobj(edges, output)
    output.write(b" </graph>\n</graphml>\n")


_BETWEEN_ENTITIES = ("wasDerivedFrom", "hadMember")  # said again with each part of the graph that has the entity


def _node(fold: Fold) -> dict[str, str]:
    many = fold.count > 1
    return {
        "kind": fold.kind,
        "type": fold.type,
        "label": fold.label or fold.type,
        "iri": fold.iri,
        "start": fold.start,
        "end": fold.end,
        "status": ", ".join(f"{count} {status}" if many else status for status, count in sorted(fold.statuses.items())),
        "marks": ", ".join(f"{count} {mark}" if many else mark for mark, count in sorted(fold.marks.items())),
        "keys": ", ".join(f"{key} {value}" for key, values in fold.keys.items() for value in values),
        "members": str(fold.count),
    }


def _edge(relation: FoldedRelation) -> dict[str, str]:
    return {"kind": relation.kind, "role": relation.role, "members": str(len(relation.members))}


def _element(place: str, attributes: str, data: dict[str, str]) -> bytes:
    told = "".join(
        f'<data key="{place}-{name}">{escape(harmless(value))}</data>' for name, value in data.items() if value
    )
    return f"  <{place} {attributes}>{told}</{place}>\n".encode("utf-8", "backslashreplace")
