"""PROV documents: PROV-JSON, PROV-XML and PROV-N, read by :mod:`prov`, with the dialects of lstosa and voprov."""

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from prov import Error as ProvError
from prov.identifier import Identifier
from prov.model import Literal, ProvDocument, ProvElement, ProvRecord

from provkg import identity
from provkg.config import Config
from provkg.errors import InputError, said
from provkg.readers import Reader, Source
from provkg.readers.dialects import Statement, from_json, from_provn, from_xml
from provkg.readers.logentities import data_level, path_digest
from provkg.readers.qnames import ABSOLUTE, Names, moment
from provkg.records import (
    Activity,
    Agent,
    Digest,
    Ended,
    Entity,
    Iri,
    Kind,
    Node,
    Parameters,
    Record,
    Relation,
    Remark,
    Session,
    Typed,
    Value,
)
from provkg.vocab import PKG, PROV, VOPROV, VP, XSD

LIMIT = 256 << 20
_JSON = re.compile(
    rb'\A(?:\xef\xbb\xbf)?\s*\{[\s\S]*?"(?:prefix|entity|activity|agent|bundle|used|wasGeneratedBy|wasDerivedFrom)"\s*:\s*\{'
)
_PROVN = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s|//[^\n]*\n)*document\b")
_XML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<(?:\?xml|!|[A-Za-z_][\w.-]*(?::[\w.-]+)?[\s>/])")
_UNPROVEN = "relations without both ends (kept as a remark)"

# The two ends of each relation, by PROV-DM name: https://www.w3.org/TR/prov-dm/#prov-dm-types-and-relations
_ENDS: dict[str, tuple[Kind, str, str]] = {
    "Usage": (Kind.USED, "activity", "entity"),
    "Generation": (Kind.GENERATED, "entity", "activity"),
    "Derivation": (Kind.DERIVED, "generatedEntity", "usedEntity"),
    "Membership": (Kind.MEMBER, "collection", "entity"),
    "Association": (Kind.ASSOCIATED, "activity", "agent"),
    "Attribution": (Kind.ATTRIBUTED, "entity", "agent"),
    "Communication": (Kind.INFORMED, "informed", "informant"),
    "Delegation": (Kind.DELEGATED, "delegate", "responsible"),
    "Specialization": (Kind.SPECIALIZED, "specificEntity", "generalEntity"),
    "Mention": (Kind.SPECIALIZED, "specificEntity", "generalEntity"),
    "Alternate": (Kind.ALTERNATE, "alternate1", "alternate2"),
    "Invalidation": (Kind.INVALIDATED, "entity", "activity"),
    "Start": (Kind.STARTED, "activity", "trigger"),
    "End": (Kind.ENDED, "activity", "trigger"),
    "Influence": (Kind.INFLUENCED, "influencee", "influencer"),
}
_TAKE_APART: dict[str, Callable[[bytes], tuple[str | bytes, list[Statement], dict[str, str]]]] = {
    "json": lambda data: from_json(data.decode("utf-8-sig")),
    "provn": lambda data: from_provn(data.decode("utf-8-sig")),
    "xml": from_xml,
}
_FORMAL = {
    "plan": PROV.hadPlan,
    "usage": PROV.hadUsage,
    "generation": PROV.hadGeneration,
    "starter": PROV.hadActivity,
    "ender": PROV.hadActivity,
    "bundle": PROV.asInBundle,
}
_INFLUENCES = {
    "Configuration": Kind.CONFIGURED,
    "ConfigurationRelation": Kind.CONFIGURED,
    "DescriptionRelation": Kind.DESCRIBED,
}
_STATEMENTS = {"isDescribedBy": Kind.DESCRIBED, "wasConfiguredBy": Kind.CONFIGURED}


def knows(source: Source) -> bool:
    """Say whether a source is PROV-JSON, PROV-XML or PROV-N."""
    head = source.head
    if _XML.match(head):
        return PROV.iri.encode() in head and b"rdf:RDF" not in head
    return bool(_PROVN.match(head) or (_JSON.match(head[:65536]) and b'"@context"' not in head))


def read(source: Source) -> Iterator[Record]:
    """Read a document and its bundles.

    Raises:
        InputError: it is broken; nothing of it is taken.
    """
    data = source.read(LIMIT)
    try:
        form = "xml" if _XML.match(data) else "provn" if _PROVN.match(data) else "json"
        content, statements, prefixes = _TAKE_APART[form](data)
        with warnings.catch_warnings():  # prov announces what a later prov will refuse; this one reads it
            warnings.simplefilter("ignore")
            document = ProvDocument.deserialize(content=content, format=form)
    except InputError as error:
        raise InputError(f"{source.path}: {said(error)}", hint=error.hint) from None
    except (ProvError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SyntaxError) as error:
        raise InputError(f"{source.path}: no valid PROV document: {said(error)}") from None
    yield from _Document(source.config, source.digest[:16], prefixes).records(document, statements)


READER = Reader("prov_document", knows, read)


class _Document:
    """One document: its local names are scoped, because ids such as ``id:6d2362`` repeat from document to document."""

    def __init__(self, config: Config, scope: str, prefixes: dict[str, str]) -> None:
        self.config, self.names = config, Names(scope, prefixes)
        self.parameters: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, str] = {}
        self.digests: dict[str, Digest] = {}
        self.makers: dict[str, list[str]] = {}

    def records(self, document: ProvDocument, statements: list[Statement]) -> Iterator[Record]:
        everything = list(document.get_records())
        for bundle in document.bundles:
            name = self.names.name(bundle.identifier)
            everything += bundle.get_records()
            yield Node(name=name, types=(PROV.Bundle,))
        elements = [record for record in everything if isinstance(record, ProvElement)]
        # entities first: sessions, parameters and paths decide what the ids of the others mean
        for element in sorted(elements, key=lambda element: not _is(element, "Entity")):
            yield from self.element(element)
        relations = [record for record in everything if not isinstance(record, ProvElement)]
        for record in relations:  # what the document itself generates is what its derivations speak of
            if _is(record, "Generation"):
                made, by = (self.formal(record).get(end) for end in ("entity", "activity"))
                if made is not None and by is not None:
                    self.makers.setdefault(self.names.name(made), []).append(self.names.name(by))
        for record in relations:
            yield from self.relation(record)
        for statement in statements:
            yield from self.statement(statement)

    # Elements

    def element(self, record: ProvElement) -> Iterator[Record]:
        attributes, types = _attributes(record)
        text = _text(record.identifier)
        if _is(record, "Activity"):
            yield from self.activity(text, attributes, types)
        elif _is(record, "Agent"):
            label, rest = _label(attributes)
            yield Agent(
                name=self.names.name(text),
                label=label,
                types=_type_iris(types),
                properties=self.names.properties(rest, types),
            )
        elif "ExecutionSession" in types:
            yield self.session(text, attributes)
        elif "Parameters" in types:
            _, rest = _label(attributes)
            self.parameters[self.names.name(text)] = {_local(key): _plain(value) for key, value in rest}
        else:
            yield from self.entity(text, attributes, types)

    def entity(self, text: str, attributes: list[tuple[Any, Any]], types: list[str]) -> Iterator[Record]:
        label, rest = _label(attributes)
        local = {_local(key): str(value) for key, value in rest}
        path = local.get("filepath") or (local.get("location", "") if "File" in types else "")
        if path.startswith("/") and not any("Collection" in kind for kind in types):
            self.names.places[text] = identity.file(path, self.config.site)
        digest = path_digest(local.get("hash"), local.get("hash_type"), path, text.rpartition(":")[2])
        if digest is not None:
            self.digests[self.names.name(text)] = digest
        taken = {"filepath", "contentType", *(("hash", "hash_type") if digest is not None else ())}
        properties = self.names.properties([(key, value) for key, value in rest if _local(key) not in taken], types)
        yield Entity(
            name=self.names.name(text),
            path=path,
            label=label,
            content_type=local.get("contentType", ""),
            level=data_level(label),
            digest=digest,
            types=(*_type_iris(types), *(("collection",) if any("Collection" in kind for kind in types) else ())),
            properties=properties + (((PKG.localId, text),) if not ABSOLUTE.match(text) else ()),
        )

    def session(self, text: str, attributes: list[tuple[Any, Any]]) -> Session:
        label, rest = _label(attributes)
        local = {_local(key): _plain(value) for key, value in rest}
        self.names.places[text] = name = f"session/prov/{self.names.scope}/{identity.part(text)}"
        self.sessions[text.rpartition(":")[2]] = name
        known = {"observation_date": PKG.observationDate, "observation_run": PKG.run}
        properties = tuple((iri, str(local.pop(key))) for key, iri in known.items() if key in local)
        version = local.pop("software_version", None)
        return Session(
            name=name,
            label=label,
            start=str(local.pop("generatedAtTime", "")),
            software=("lstchain", str(version)) if version else None,
            properties=properties,
            extra=local,
        )

    def activity(self, text: str, attributes: list[tuple[Any, Any]], types: list[str]) -> Iterator[Record]:
        label, rest = _label(attributes)
        local = {_local(key): value for key, value in rest}
        if ABSOLUTE.match(text):
            name = self.names.uri(text)
        else:
            self.names.places[text] = name = f"activity/prov/{self.names.scope}/{identity.part(text)}"
        if _type_iris(types):
            yield Node(name=name, types=_type_iris(types))
        script, session = str(local.get("script") or ""), str(local.get("in_session") or "")
        taken = {"script", "in_session", "startTime", "endTime"}
        yield Activity(
            name=name,
            label=label or str(local.get("name") or ""),
            start=moment(local.get("startTime")),
            end=moment(local.get("endTime")),
            script=script,
            session=self.sessions.get(session, ""),
            properties=self.names.properties([(key, value) for key, value in rest if _local(key) not in taken], types),
            extra={"in_session": session} if session and session not in self.sessions else {},
        )

    # Relations

    def formal(self, record: ProvRecord) -> dict[str, Any]:
        return {attribute.localpart: value for attribute, value in record.formal_attributes if value is not None}

    def relation(self, record: ProvRecord) -> Iterator[Record]:
        kind, first, second = _ENDS[record.get_type().localpart]
        if kind is Kind.INFLUENCED:  # what voprov makes of its own relations when it writes W3C PROV
            types = {_text(value).rpartition("#")[2].rpartition(":")[2] for value in record.get_asserted_types()}
            kind = next((_INFLUENCES[each] for each in sorted(types) if each in _INFLUENCES), kind)
        formal = self.formal(record)
        roles = [_text(value) for key, value in record.extra_attributes if str(key.uri) == PROV.role]
        extra = [(key, value) for key, value in record.extra_attributes if str(key.uri) != PROV.role]
        properties = self.names.properties(extra, []) + tuple((VP.role, role) for role in roles[1:])
        properties += tuple(
            (_FORMAL[name], Iri(self.names.name(value))) for name, value in formal.items() if name in _FORMAL
        )
        time, activity = moment(formal.get("time")), formal.get("activity")
        if kind in (Kind.DERIVED, Kind.DELEGATED) and activity is not None:
            properties += ((PROV.hadActivity, Iri(self.names.name(activity))),)
        if first not in formal or second not in formal:
            yield from self.one_ended(kind, formal, time)
            return
        subject, other = self.names.name(formal[first]), self.names.name(formal[second])
        if kind is Kind.USED and other in self.parameters:
            yield Parameters(subject, self.parameters[other])
            return
        if kind in (Kind.DERIVED, Kind.MEMBER):
            subject = self.made(subject, self.names.name(activity) if activity is not None else "")
        digest = self.digests.get(other if kind is Kind.USED else subject)
        yield Relation(
            kind=kind,
            subject=subject,
            object=other,
            role=roles[0] if roles else "",
            time=time,
            activity=self.names.name(activity) if activity is not None else "",
            digest=digest if digest is not None and digest.of == "content" else None,
            node=self.node(record.identifier),
            properties=properties,
        )

    def node(self, identifier: Any) -> str:
        known = identifier is not None and ABSOLUTE.match(str(identifier.uri))
        return self.names.uri(str(identifier.uri)) if known else ""

    def made(self, entity: str, activity: str) -> str:
        """Return the version that a document speaks of: the one that it says was generated, where it is one."""
        makers = self.makers.get(entity, [])
        by = activity if activity in makers else makers[0] if len(makers) == 1 else ""
        return identity.version(entity, by) if by and identity.is_place(entity) else entity

    def one_ended(self, kind: Kind, formal: dict[str, Any], time: str) -> Iterator[Record]:
        """Keep what a relation with one end says: when something was generated, invalidated, started or ended."""
        subject = next(iter(formal.values()), None)
        if not time or subject is None:
            yield Remark(_UNPROVEN)
        elif kind in (Kind.GENERATED, Kind.INVALIDATED):
            term = PROV.generatedAtTime if kind is Kind.GENERATED else PROV.invalidatedAtTime
            yield Entity(name=self.names.name(subject), properties=((term, Typed(time, XSD + "dateTime")),))
        elif kind is Kind.STARTED:
            yield Activity(name=self.names.name(subject), start=time)
        elif kind is Kind.ENDED:
            yield Ended(self.names.name(subject), time, "")
        else:
            yield Remark(_UNPROVEN)

    def statement(self, statement: Statement) -> Iterator[Record]:
        ends = statement.ends
        if ends is not None:
            subject, other = map(self.names.expand, ends)
            kind = _STATEMENTS.get(statement.kind)
            if kind is not None:
                yield Relation(kind=kind, subject=subject, object=other)
            else:
                yield Node(name=subject, properties=((VP[statement.kind], Iri(other)),))
            return
        if not statement.id:
            yield Remark(_UNPROVEN)
            return
        properties = tuple((self.names.term(key), _json_value(value)) for key, value in statement.attributes.items())
        yield Node(
            name=self.names.expand(statement.id),
            types=(VP[statement.kind[:1].upper() + statement.kind[1:]],),
            properties=properties,
        )


def _is(record: ProvRecord, kind: str) -> bool:
    return bool(record.get_type().localpart == kind)


def _attributes(record: ProvElement) -> tuple[list[tuple[Any, Any]], list[str]]:
    types = [_text(value) for key, value in record.attributes if str(key.uri) == PROV.type]
    return [(key, value) for key, value in record.attributes if str(key.uri) != PROV.type], types


def _text(value: Any) -> str:
    if isinstance(value, Identifier):
        return str(value.uri)
    return str(value.value) if isinstance(value, Literal) else moment(value) or str(value)


def _type_iris(types: list[str]) -> tuple[str, ...]:
    return tuple(
        VP[kind.removeprefix(VOPROV)] if kind.startswith(VOPROV) else kind for kind in types if ABSOLUTE.match(kind)
    )


def _label(attributes: list[tuple[Any, Any]]) -> tuple[str, list[tuple[Any, Any]]]:
    """Take the first label; the others stay properties."""
    labels = [item for item in attributes if str(item[0].uri) == PROV.label]
    return (_text(labels[0][1]) if labels else ""), [item for item in attributes if item not in labels[:1]]


def _local(key: Any) -> str:
    return str(key.localpart)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else moment(value) or _text(value)


def _json_value(value: Any) -> Value:
    if isinstance(value, dict):
        return str(value.get("$", value))
    return value if isinstance(value, str | int | float | bool) else str(value)
