"""Records as lines: each short enough to be written whole."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from provkg.capture.facts import cut

VERSION = 1
LINE_BYTES = 1 << 20  # to which one write on a descriptor that appends was measured to be whole
_HEAD = ("provkg", "kind", "id", "dry")
_LISTS = {"parameters": "parameter", "used": "used", "generated": "generated", "paths": "path"}
_encode = msgspec.json.Encoder(enc_hook=str).encode


def line(record: dict[str, Any]) -> bytes:
    r"""Return a record as a line; one that is longer than ``LINE_BYTES`` is to be written as several.

    >>> line({"provkg": 1, "kind": "end"})
    b'{"provkg":1,"kind":"end"}\n'
    """
    try:
        return _encode(record) + b"\n"
    except UnicodeEncodeError:  # a name that is not UTF-8: its bytes are escapes, which readers of JSON give back
        return json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace") + b"\n"


def several(record: dict[str, Any]) -> Iterator[bytes]:
    """Give a record as lines that say the same: what stands in lists is records of its own, a value too long is cut."""
    head = {key: record[key] for key in _HEAD if key in record}
    yield _bounded({key: value for key, value in record.items() if key not in _LISTS})
    for name, value in record.get("parameters", {}).items():
        yield _bounded({**head, "kind": "parameter", "name": name, "value": value})
    for key, kind in _LISTS.items():
        for each in record.get(key, ()) if key != "parameters" else ():
            yield _bounded({**head, "kind": kind, **each})


def _bounded(record: dict[str, Any]) -> bytes:
    """Return a line in which a value that is too long by itself is cut, with its digest."""
    text = line(record)
    if len(text) <= LINE_BYTES:
        return text
    most = LINE_BYTES // (2 * len(record))
    return line({key: value if len(line({"": value})) <= most else cut(_text(value)) for key, value in record.items()})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else line({"": value})[4:-2].decode()
