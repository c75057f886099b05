"""A roll-up as a PROV document, which the ``prov`` package writes as PROV-JSON, PROV-N or PROV-XML.

Folds of entities are ``prov:Collection`` with their members; folds of activities name theirs. It is valid PROV: no
entity is generated twice, and nothing comes from itself that does not say so in its own records.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

import msgspec
from prov.identifier import Identifier
from prov.model import ProvDocument
from prov.serializers.provjson import encode_json_document

from provkg.errors import InputError
from provkg.export.provnames import ProvNames
from provkg.rollup import ACTIVITY, AGENT, ENTITY, Fold, FoldedRelation, Node, Rollup
from provkg.vocab import PKG

FORMATS = {"prov-json": "json", "prov-jsonld": "jsonld", "prov-n": "provn", "prov-xml": "xml"}


def prov_document(rollup: Rollup, *, whole: Container[str] | None = None) -> ProvDocument:
    """Return a roll-up as a PROV document.

    Args:
        rollup: what to write.
        whole: the folds that are written with their members; all of them when None.

    Raises:
        InputError: it has nodes of mixed kinds, as pictures have.
    """
    writing = _Writing(rollup, whole)
    for fold in rollup.folds.values():
        writing.fold(fold)
    for relation in rollup.relations:
        writing.relation(relation)
    for space in writing.spaces.values():
        writing.document.add_namespace(space)
    return writing.document


def written(rollup: Rollup, form: str, *, whole: Container[str] | None = None) -> str:
    """Return a roll-up as PROV-JSON, PROV-JSONLD, PROV-N or PROV-XML.

    Args:
        rollup: what to write.
        form: one of :data:`FORMATS`.
        whole: the folds that are written with their members; all of them when None.

    Raises:
        InputError: there is no such format, or the roll-up has nodes of mixed kinds.
    """
    if form not in FORMATS:
        raise InputError(f"there is no format {form!r}", hint=f"one of {', '.join(FORMATS)}")
    document = prov_document(rollup, whole=whole)
    if form == "prov-json":  # prov writes it letter by letter
        return msgspec.json.format(msgspec.json.encode(encode_json_document(document)), indent=1).decode() + "\n"
    return str(document.serialize(format=FORMATS[form])).rstrip("\n") + "\n"


class _Writing:
    """Write nodes and relations into a document."""

    def __init__(self, rollup: Rollup, whole: Container[str] | None) -> None:
        self.whole = rollup.folds.keys() if whole is None else whole
        self.rollup, self.document = rollup, ProvDocument()
        names = ProvNames(rollup.base)
        self.name = names.name
        self.spaces = names.spaces

    def fold(self, fold: Fold) -> None:
        """Write a node, with its members where it is several."""
        name, facts = self.name(fold.iri), [*self.facts(fold)]
        if fold.kind == ACTIVITY:
            self.document.activity(name, fold.start or None, fold.end or None, facts)
        elif fold.kind == AGENT:
            self.document.agent(name, facts)
        elif fold.kind == ENTITY:
            self.document.entity(name, facts)
            for member in fold.members if fold.count > 1 and fold.iri in self.whole else ():
                self.document.entity(self.name(member.iri), [*self.told(member)])
                self.document.hadMember(name, self.name(member.iri))
        else:
            raise InputError("a node of steps and files together is none of PROV's", hint="fold by grain alone")

    def facts(self, fold: Fold) -> Iterator[tuple[Any, Any]]:
        """Give what a document says of a node."""
        if fold.count == 1:
            yield from self.told(fold.members[0])
            return
        yield "prov:label", fold.type or fold.kind
        if fold.kind == ENTITY:
            yield "prov:type", self.document.valid_qualified_name("prov:Collection")
        yield self.name(PKG.count), fold.count
        for key, values in fold.keys.items():
            yield from ((self.name(PKG.key), f"{key} {value}") for value in values)
        for status, count in sorted(fold.statuses.items()):
            yield self.name(PKG.statusCount), f"{status} {count}"
        for name, value in fold.parameters.items():
            yield self.name(PKG.agreedParameter), f"{name} = {value}"
        for name, count in fold.differing.items():
            yield self.name(PKG.differingParameter), f"{name}: {count} values"
        if fold.kind == ACTIVITY and fold.iri in self.whole:
            for member in fold.members:
                yield self.name(PKG.member), Identifier(member.iri)

    def told(self, node: Node) -> Iterator[tuple[Any, Any]]:
        """Give what a document says of a single node."""
        if node.kind == ENTITY and "/" in node.label:
            yield "prov:label", node.type or node.label.rpartition("/")[2]
            yield "prov:location", node.label
        else:
            yield "prov:label", node.label or node.type or node.iri
        if node.status:
            yield self.name(PKG.status), node.status
        for name, value in node.parameters:
            yield self.name(PKG.agreedParameter), f"{name} = {value}"

    def relation(self, each: FoldedRelation) -> None:
        """Write a relation with its role and how many it stands for."""
        subject, object_ = self.name(each.subject), self.name(each.object)
        more: list[tuple[Any, Any]] = [("prov:role", each.role)] if each.role else []
        if len(each.members) > 1:
            more.append((self.name(PKG.count), len(each.members)))
        if each.kind == "used":
            self.document.used(subject, object_, other_attributes=more)
        elif each.kind == "wasGeneratedBy":
            self.document.wasGeneratedBy(subject, object_, other_attributes=more)
        elif each.kind == "wasDerivedFrom":
            self.document.wasDerivedFrom(subject, object_, other_attributes=more)
        elif each.kind == "wasInformedBy":
            self.document.wasInformedBy(subject, object_, other_attributes=more)
        elif each.kind == "wasAssociatedWith":
            self.document.wasAssociatedWith(subject, object_, other_attributes=more)
        elif each.kind == "hadMember":
            self.document.hadMember(subject, object_)
