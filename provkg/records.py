"""What a reader gives: plain frozen data, the same for every family of records.

Three nodes (activity, entity, agent) and one relation, with the sessions, environments and remarks that pipelines
record beside them. Names are those of :mod:`provkg.identity`; a name with a scheme is a full IRI.

Times are text as recorded: with ``Z`` or an offset when the zone is known, without when the record gives none.
"""

from enum import Enum
from typing import Any

from msgspec import Struct


class Kind(Enum):
    """The relations of PROV-DM, and the two of IVOA that PROV lacks. https://www.w3.org/TR/prov-dm/#prov-dm-types-and-relations."""

    USED = "used"
    GENERATED = "wasGeneratedBy"
    DERIVED = "wasDerivedFrom"
    MEMBER = "hadMember"
    ASSOCIATED = "wasAssociatedWith"
    ATTRIBUTED = "wasAttributedTo"
    INFORMED = "wasInformedBy"
    DELEGATED = "actedOnBehalfOf"
    SPECIALIZED = "specializationOf"
    ALTERNATE = "alternateOf"
    INVALIDATED = "wasInvalidatedBy"
    STARTED = "wasStartedBy"
    ENDED = "wasEndedBy"
    INFLUENCED = "wasInfluencedBy"
    CONFIGURED = "wasConfiguredBy"
    DESCRIBED = "isDescribedBy"


class Iri(Struct, frozen=True):
    """A value that is a resource, by name or full IRI."""

    name: str


class Typed(Struct, frozen=True):
    """A value with a datatype IRI, or a language tag."""

    text: str
    datatype: str = ""
    language: str = ""


Value = str | int | float | bool | Iri | Typed
Properties = tuple[tuple[str, Value], ...]


class Environment(Struct, frozen=True):
    """What a process ran in, without what changes from call to call: stored once, referred to thousands of times.

    ``text`` is canonical JSON; ``software`` are pairs of package name and version.
    """

    text: str
    digest: str
    host: str = ""
    software: tuple[tuple[str, str], ...] = ()


class Digest(Struct, frozen=True):
    """A digest and what was digested: ``content``, ``path``, or ``unknown`` when nothing proves either."""

    algorithm: str
    value: str
    of: str = "content"


class Session(Struct, frozen=True, kw_only=True):
    """One run of a program, in which activities happen."""

    name: str
    label: str = ""
    start: str = ""
    software: tuple[str, str] | None = None
    environment: Environment | None = None
    arguments: tuple[str, ...] = ()
    config_file: str = ""
    properties: Properties = ()
    extra: dict[str, Any] = {}
    line: int = 0


class Activity(Struct, frozen=True, kw_only=True):
    """Something a pipeline did. ``label`` is the type of activity, such as ``r0_to_dl1``."""

    name: str
    label: str = ""
    start: str = ""
    end: str = ""
    status: str = ""
    recorded_status: str = ""
    exit_code: int | None = None
    session: str = ""
    agent: str = ""
    script: str = ""
    environment: Environment | None = None
    software: tuple[str, str] | None = None
    arguments: tuple[str, ...] = ()
    properties: Properties = ()
    extra: dict[str, Any] = {}
    line: int = 0


class Ended(Struct, frozen=True):
    """The end of an activity whose start was given before, and the status that an end record proves in its family."""

    activity: str
    end: str
    status: str


class Parameters(Struct, frozen=True):
    """Parameters an activity was configured by."""

    activity: str
    values: dict[str, Any]


class Entity(Struct, frozen=True, kw_only=True):
    """A place (``file/…``, ``object/…``) of which there are versions, or a version itself (``entity/…``, an IRI)."""

    name: str
    path: str = ""
    place: str = ""
    label: str = ""
    content_type: str = ""
    level: str = ""
    digest: Digest | None = None
    types: tuple[str, ...] = ()
    properties: Properties = ()
    extra: dict[str, Any] = {}
    line: int = 0


class Agent(Struct, frozen=True, kw_only=True):
    """Somebody or something responsible."""

    name: str
    label: str = ""
    types: tuple[str, ...] = ()
    properties: Properties = ()
    extra: dict[str, Any] = {}
    line: int = 0


class Relation(Struct, frozen=True, kw_only=True):
    """A relation of PROV, from ``subject`` to ``object``, as the terms of PROV-DM run.

    For a generation the subject is the entity (or its place) and the object the activity. ``activity`` is the one in
    whose course a derivation or membership was recorded; it dates the versions that are meant. ``place`` is where a
    generated entity lies that has an id of its own. ``node`` is the IRI of the qualified relation where there is one.
    """

    kind: Kind
    subject: str
    object: str
    role: str = ""
    time: str = ""
    activity: str = ""
    digest: Digest | None = None
    product: str = ""
    place: str = ""
    node: str = ""
    properties: Properties = ()
    line: int = 0


class Digested(Struct, frozen=True, kw_only=True):
    """The digest of what was used or generated, told after the relation itself."""

    kind: Kind
    subject: str
    object: str
    role: str = ""
    time: str = ""
    digest: Digest | None = None
    properties: Properties = ()


class Node(Struct, frozen=True, kw_only=True):
    """Anything else: a description, a bundle, a configuration, with its types and properties."""

    name: str
    label: str = ""
    types: tuple[str, ...] = ()
    properties: Properties = ()
    extra: dict[str, Any] = {}
    line: int = 0


class Quarantined(Struct, frozen=True, kw_only=True):
    """Input that looks like a record and cannot be read: where it lies, why, and its first bytes."""

    line: int
    offset: int
    length: int
    reason: str
    text: str


class Remark(Struct, frozen=True):
    """Something skipped, dropped or assumed, to be counted and said."""

    about: str
    count: int = 1


class Stretch(Struct, frozen=True, kw_only=True):
    """The end of a stretch of a log, which is told in a graph of its own: what was read stays when a log grows.

    ``end`` is the offset of the byte after it, ``digest`` the sha256 of all bytes before that in hex, ``nothing`` how
    many bytes of the stretch are no records. After the last one nothing comes.
    """

    end: int
    digest: str
    nothing: int
    last: bool = False


NO_RECORD = "lines that are no records"
FABRICATED = "fabricated reference metadata dropped"
NO_START = "activities whose start record is missing"
NO_ENTITY = "relations to an id without an entity record"
TOLERATED = "values read tolerantly (nan, numpy, Path, datetime, objects)"
REPEATED = "repeated records of one activity (the last wins)"
HEADER = "output headers copied from another activity or an input (not followed)"
OPAQUE = "digests of which nothing proves what was digested (no evidence)"
UNREADABLE_TIME = "times that cannot be read (kept as text)"

Record = (
    Session
    | Activity
    | Ended
    | Parameters
    | Entity
    | Agent
    | Relation
    | Digested
    | Node
    | Quarantined
    | Remark
    | Stretch
)
