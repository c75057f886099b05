"""A roll-up as a VOTable with the tables of ProvTAP.

Source: PROV-VOTABLE of the IVOA working draft of 2017, with names of the Recommendation (``comment`` for annotation),
and tables for derivation, communication, membership and parameters.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from provkg.errors import InputError, MissingExtra
from provkg.rollup import ACTIVITY, AGENT, ENTITY, Fold, Rollup


class _Column(NamedTuple):
    """A column: its name, the attribute of the model, and its UCD."""

    name: str
    utype: str
    ucd: str = "meta.id"


_TABLES = {
    "Entity": (
        _Column("e_id", "Entity.id"),
        _Column("e_name", "Entity.name", "meta.title"),
        _Column("e_location", "Entity.location", "meta.ref"),
        _Column("e_comment", "Entity.comment", "meta.note"),
    ),
    "Activity": (
        _Column("a_id", "Activity.id"),
        _Column("a_name", "Activity.name", "meta.title"),
        _Column("a_startTime", "Activity.startTime", "time.start"),
        _Column("a_endTime", "Activity.endTime", "time.end"),
        _Column("a_comment", "Activity.comment", "meta.note"),
    ),
    "Agent": (
        _Column("ag_id", "Agent.id"),
        _Column("ag_name", "Agent.name", "meta.title"),
        _Column("ag_type", "Agent.type", "meta.code.class"),
    ),
    "Parameter": (
        _Column("p_activity_id", "WasConfiguredBy.activity"),
        _Column("p_name", "Parameter.name", "meta.title"),
        _Column("p_value", "Parameter.value", "stat.value"),
    ),
    "Used": (
        _Column("u_activity_id", "Used.activity"),
        _Column("u_entity_id", "Used.entity"),
        _Column("u_role", "Used.role", "meta.code"),
    ),
    "WasGeneratedBy": (
        _Column("wgb_entity_id", "WasGeneratedBy.entity"),
        _Column("wgb_activity_id", "WasGeneratedBy.activity"),
        _Column("wgb_role", "WasGeneratedBy.role", "meta.code"),
    ),
    "WasAssociatedWith": (
        _Column("waw_activity_id", "WasAssociatedWith.activity"),
        _Column("waw_agent_id", "WasAssociatedWith.agent"),
        _Column("waw_role", "WasAssociatedWith.role", "meta.code"),
    ),
    "WasDerivedFrom": (
        _Column("wdf_entity_id", "WasDerivedFrom.generatedEntity"),
        _Column("wdf_progenitor_id", "WasDerivedFrom.usedEntity"),
    ),
    "WasInformedBy": (
        _Column("wib_activity_id", "WasInformedBy.informed"),
        _Column("wib_informant_id", "WasInformedBy.informant"),
    ),
    "HadMember": (
        _Column("hm_collection_id", "HadMember.collection"),
        _Column("hm_entity_id", "HadMember.entity"),
    ),
}
_RELATIONS = {name[0].lower() + name[1:]: name for name in (*_TABLES,)[4:]}


def votable(rollup: Rollup) -> bytes:
    """Return a roll-up as a VOTable.

    Raises:
        MissingExtra: astropy is not installed.
        InputError: the roll-up has nodes of mixed kinds, as pictures have.
    """
    try:
        from astropy.io.votable import tree  # noqa: PLC0415 - heavy and optional
    except ImportError:
        raise MissingExtra("astropy is needed for VOTables", hint="pip install 'provkg[fits]'") from None

    document = tree.VOTableFile(version="1.4")
    resource = tree.Resource()
    resource.type = "results"
    document.resources.append(resource)
    resource.infos.append(tree.Info(name="QUERY_STATUS", value="OK"))
    rows: dict[str, list[tuple[str, ...]]] = {name: [] for name in _TABLES}
    for name, row in _rows(rollup):
        rows[name].append(row)
    for name, columns in _TABLES.items():
        resource.tables.append(_table(tree, document, name, columns, rows[name]))
    stream = io.BytesIO()
    document.to_xml(stream)
    return stream.getvalue()


def _table(tree: Any, document: Any, name: str, columns: tuple[_Column, ...], rows: list[tuple[str, ...]]) -> Any:
    table = tree.TableElement(document, name=name)
    for each in columns:
        field = tree.Field(document, name=each.name, datatype="unicodeChar", arraysize="*", ucd=each.ucd)
        field.utype = f"voprov:{each.utype}"
        table.fields.append(field)
    table.create_arrays(len(rows))
    for at, row in enumerate(rows):
        table.array[at] = row
    return table


def _rows(rollup: Rollup) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give the rows with the names of their tables."""
    for fold in rollup.folds.values():
        yield from _node(fold)
    for each in rollup.relations:
        if each.kind in _RELATIONS:
            name = _RELATIONS[each.kind]
            row = (each.subject, each.object, each.role)
            yield name, row[: len(_TABLES[name])]


def _node(fold: Fold) -> Iterator[tuple[str, tuple[str, ...]]]:
    several = f"{fold.count} together" if fold.count > 1 else ""
    if fold.kind == ENTITY:
        name = fold.type or fold.label.rpartition("/")[2]
        yield "Entity", (fold.iri, name, fold.label if "/" in fold.label else "", several)
        for member in fold.members if several else ():
            yield "Entity", (member.iri, member.type, member.label, "")
            yield "HadMember", (fold.iri, member.iri)
    elif fold.kind == ACTIVITY:
        told = ", ".join(f"{count} {status}" for status, count in sorted(fold.statuses.items())) if several else ""
        yield "Activity", (fold.iri, fold.type, fold.start, fold.end, told or " ".join(fold.statuses))
        yield from (("Parameter", (fold.iri, name, value)) for name, value in fold.parameters.items())
    elif fold.kind == AGENT:
        yield "Agent", (fold.iri, fold.label, fold.type)
    else:
        raise InputError("a node of steps and files together is none of PROV's", hint="fold by grain alone")
