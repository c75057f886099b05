"""The definition.yaml of a pipeline: what its activities are expected to do, as IVOA descriptions.

IVOA ProvenanceDM 1.0, section 2.5. An activity that was recorded under a name is described by the definition of that
name: both give the same IRI.
"""

import re
from collections import Counter
from collections.abc import Iterator

from provkg import identity
from provkg.model import Activity, Definition, Entity, Parameter, Slot, read_definition
from provkg.readers import Reader, Source
from provkg.records import Agent, Iri, Node, Properties, Record, Remark
from provkg.vocab import DCTERMS, FOAF, PKG, PROV, SKOS, VP

LIMIT = 8 << 20
_HEAD = re.compile(rb"(?m)^(?:\xef\xbb\xbf)?['\"]?(?:activities|activity_descriptions)['\"]?[ \t]*:[ \t]*(?:#.*)?\r?$")
_PARTS = re.compile(rb"(?m)^[ \t]+(?:- )?(?:usage|generation|role|parameters)[ \t]*:")
NO_TERM = "odd places in a definition (provkg model names them)"


def knows(source: Source) -> bool:
    """Say whether a source is a definition: YAML with activities that have usages, generations or parameters."""
    return bool(_HEAD.search(source.head) and _PARTS.search(source.head))


def read(source: Source) -> Iterator[Record]:
    """Read a definition as descriptions.

    Raises:
        InputError: it is no YAML, or no definition; the message names the line.
    """
    definition = read_definition(source.read(LIMIT), str(source.path))
    yield from descriptions(definition)


def descriptions(definition: Definition) -> Iterator[Record]:
    """Give the descriptions of a definition."""
    for entity in definition.entities:
        yield _entity(entity)
    for activity in definition.activities:
        yield from _activity(activity, definition)
    for name, email in definition.agents:
        mail: Properties = ((FOAF.mbox, Iri(f"mailto:{email}")),) if email else ()
        yield Agent(name=f"agent/{identity.part(name)}", label=name, properties=mail)
    if definition.odd:
        yield Remark(NO_TERM, len(definition.odd))


READER = Reader("definition", knows, read)


def _entity(entity: Entity) -> Node:
    return Node(
        name=identity.entity_description(entity.name, entity.content_type),
        types=(VP.DatasetDescription, VP.EntityDescription) if entity.content_type else (VP.EntityDescription,),
        properties=_given(
            (VP.name, entity.name),
            (DCTERMS.description, entity.description),
            (VP.contentType, entity.content_type),
            (VP.entityType, entity.type),
            (VP.docurl, entity.docurl),
        ),
        line=entity.line,
    )


def _activity(activity: Activity, definition: Definition) -> Iterator[Record]:
    parts: list[tuple[str, str]] = []
    for parameter in activity.parameters:
        name = identity.slot_description(activity.name, "parameter", parameter.name)
        parts.append((VP.hasParameterDescription, name))
        yield _parameter(name, parameter)
    roles = Counter((slot.kind, slot.role) for slot in activity.slots)
    for slot in activity.slots:
        own = slot.role if roles[slot.kind, slot.role] == 1 else f"{slot.role}/{slot.entity}"
        name = identity.slot_description(activity.name, slot.kind, own)
        parts.append((VP.hasUsageDescription if slot.kind == "usage" else VP.hasGenerationDescription, name))
        yield from _slot(name, slot, definition)
    about = _given(
        (VP.name, activity.name), (DCTERMS.description, activity.description), (VP.version, activity.version)
    )
    yield Node(
        name=identity.activity_description(activity.name),
        types=(VP.ActivityDescription,),
        properties=(*about, *((predicate, Iri(name)) for predicate, name in parts)),
        extra={"contact": activity.contact} if activity.contact else {},
        line=activity.line,
    )


def _parameter(name: str, parameter: Parameter) -> Node:
    facts = dict(parameter.facts)
    words = [facts.get(key, "") for key in ("datatype", "arraysize", "xtype")]
    return Node(
        name=name,
        types=(VP.ParameterDescription,),
        properties=_given(
            (VP.name, parameter.name),
            (DCTERMS.description, parameter.description),
            (VP.valueType, " ".join(filter(None, words))),
            *((VP[key], text) for key, text in parameter.facts),
            *((VP.options, each) for each in parameter.options),
        ),
        line=parameter.line,
    )


def _slot(name: str, slot: Slot, definition: Definition) -> Iterator[Record]:
    role = identity.role(slot.role)
    entity = definition.entity(slot.entity)
    content_type = entity.content_type if entity else ""
    expects = identity.entity_description(slot.entity, content_type)
    yield Node(name=role, types=(PROV.Role, SKOS.Concept), properties=((SKOS.prefLabel, slot.role),))
    yield Node(
        name=name,
        types=(VP.UsageDescription if slot.kind == "usage" else VP.GenerationDescription,),
        properties=(
            *_given(
                (VP.role, slot.role),
                (DCTERMS.description, slot.description),
                (VP.multiplicity, slot.multiplicity),
                (VP.usageType, slot.usage_type),
            ),
            (PKG.expectedRole, Iri(role)),
            *(((VP.expectsEntityDescription, Iri(expects)),) if slot.entity else ()),
        ),
        line=slot.line,
    )


def _given(*properties: tuple[str, str]) -> Properties:
    """Return the properties that have a value."""
    return tuple((predicate, text) for predicate, text in properties if text)
