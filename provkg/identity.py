"""Names: how records become IRIs that are the same from whatever folder they are read.

A name is an IRI without its base: ``activity/ctapipe/<uuid>``. Rules (the numbers are those of the data model):

1. A local id is never trusted alone: an lstosa activity id has 24 bits, so family, session, id and start make the name.
2. A path is a place, not a version: ``file/<scope>/<path>``. What one activity wrote there is ``entity/<digest>``.
7. Nodes of qualified relations have names made of both ends and the role.

Parts from records are percent-encoded, so every name is a legal IRI whatever the record holds.
"""

import json
import re
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, unquote_to_bytes

SAFE = ":@+,=()!*'~"
_PLAIN = re.compile(rf"[A-Za-z0-9_.\-{re.escape(SAFE)}]*")  # what quote() leaves as it is
_PLAIN_PATH = re.compile(rf"[A-Za-z0-9_.\-/{re.escape(SAFE)}]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def to_bytes(text: str) -> bytes:
    r"""Encode text that may hold the bytes of a file name that was not UTF-8.

    >>> to_bytes("cam\udce9")
    b'cam\xe9'
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def printable(text: str) -> str:
    r"""Return text as the graph writes it: a byte that was not UTF-8 as its escape.

    >>> printable("cam\udce9")
    'cam\\udce9'
    """
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda match: f"\\udc{ord(match[0]) & 0xFF:02x}", text)


def one_line(text: str) -> str:
    r"""Return text as a field of TSV: what would break a line into fields is escaped, so that cut and awk can read it.

    >>> one_line("a\tb\n")
    'a\\tb\\n'
    """
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def harmless(text: str) -> str:
    r"""Return text that a terminal only shows: what stands in data moves no cursor and begins no line.

    >>> harmless("a\x1b[2J")
    'a\\x1b[2J'
    """
    if text.isprintable():
        return text
    return printable("".join(each if each.isprintable() or each == "\t" else repr(each)[1:-1] for each in text))


def part(text: str) -> str:
    """Encode one part of a name.

    >>> part("gamma-events:23523/a b")
    'gamma-events:23523%2Fa%20b'
    """
    return text if _PLAIN.fullmatch(text) else quote(to_bytes(text), safe=SAFE)


def digest(*parts: str) -> str:
    """Return 32 hex digits that stand for these parts, in this order.

    >>> digest("a", "b") != digest("ab")
    True
    """
    return blake2b(b"\0".join(map(to_bytes, parts)), digest_size=16).hexdigest()


def file(path: str, scope: str) -> str:
    """Name the place that an absolute path is within a scope (a site, or one host of it).

    >>> file("/fefs/a b.fits", "orm")
    'file/orm/fefs/a%20b.fits'
    """
    inside = path.lstrip("/")
    return f"file/{part(scope)}/" + (
        inside if _PLAIN_PATH.fullmatch(inside) else quote(to_bytes(inside), safe=SAFE + "/")
    )


def path_of(name: str) -> str:
    """Return the absolute path of a file's name, the inverse of :func:`file`.

    >>> path_of(file("/fefs/a b.fits", "orm"))
    '/fefs/a b.fits'
    """
    return "/" + unquote_to_bytes(name.split("/", 2)[2]).decode("utf-8", "surrogateescape")


def thing(session: str, local: str) -> str:
    """Name what a local id stands for within one session: a variable, a relative path, an id without a record."""
    return f"object/{part(session)}/{part(local)}"


def activity(family: str, session: str, local: str, start: str) -> str:
    """Name an activity that only has a local id.

    >>> activity("log", "2020011701807", "eb200f", "2026-11-20T19:10:07.883989")
    'activity/log/2020011701807/eb200f/2026-11-20T19:10:07.883989'
    """
    return f"activity/{family}/{part(session)}/{part(local)}/{part(start)}"


@lru_cache(65536)
def role(text: str) -> str:
    """Name the concept of a role: roles are shared words.

    >>> role("DL1 subrun dataset")
    'role/DL1%20subrun%20dataset'
    """
    return f"role/{part(text)}"


def activity_description(label: str) -> str:
    """Name what all activities of one type have in common.

    >>> activity_description("r0_to_dl1")
    'description/activity/r0_to_dl1'
    """
    return f"description/activity/{part(label)}"


def entity_description(label: str, content_type: str = "") -> str:
    """Name what all entities of one kind have in common.

    >>> entity_description("PedestalFile", "application/x-hdf")
    'description/entity/PedestalFile/application%2Fx-hdf'
    """
    name = f"description/entity/{part(label)}"
    return f"{name}/{part(content_type)}" if content_type else name


def slot_description(activity: str, kind: str, name: str) -> str:
    """Name what activities of one type expect: ``kind`` is usage, generation or parameter."""
    return f"description/{kind}/{part(activity)}/{part(name)}"


def version(place: str, by: str) -> str:
    """Name what one activity wrote at a place; ``by`` is the activity's name, or what else tells versions apart."""
    return "entity/" + digest(place, by)


def product(uuid: str) -> str:
    """Name a product that carries its own id.

    >>> product("15FBDFC5-3715-47af-9019-67421c2b5814")
    'entity/15fbdfc5-3715-47af-9019-67421c2b5814'
    """
    return "entity/" + part(uuid.lower())


def is_place(name: str) -> bool:
    """Say whether a name is a place, of which there are versions, and not a version itself.

    >>> is_place("file/orm/a"), is_place("entity/0123")
    (True, False)
    """
    return name.startswith(("file/", "object/"))


def canonical(value: Any) -> str:
    """Return JSON with sorted keys; the same value gives the same text.

    >>> canonical({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    except TypeError:  # keys of several types cannot be sorted
        return json.dumps(_text_keys(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    return [_text_keys(item) for item in value] if isinstance(value, list) else value
