"""What passes between server and workers: requests and replies, as MessagePack with their length before them."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import IO, TypeVar

import msgspec

from provkg.config import Config

_LENGTH = struct.Struct(">I")
Message = TypeVar("Message", bound=msgspec.Struct)


class Asked(msgspec.Struct, frozen=True):
    """A request.

    Args:
        method: GET, HEAD or POST.
        path: below the root, as it was sent: still percent-encoded.
        query: the pairs of the URL's query, decoded.
        accept: the Accept header.
        media: the Content-Type of the body.
        body: as it was sent.
        root: the address of this server, without a slash at its end.
    """

    method: str
    path: str
    query: list[tuple[str, str]] = []
    accept: str = ""
    media: str = ""
    body: bytes = b""
    root: str = ""

    def one(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter of the URL."""
        return next((value for key, value in self.query if key == name), default)

    def all(self, name: str) -> list[str]:
        """Return all values of a parameter of the URL."""
        return [value for key, value in self.query if key == name]


class Reply(msgspec.Struct, frozen=True):
    """A reply; ``body`` is whole: nothing is sent of what was cut off."""

    status: int
    body: bytes = b""
    media: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = {}


class Setup(msgspec.Struct, frozen=True):
    """What a worker begins with.

    Args:
        config: the settings, with the store.
        seconds: processor time of one request, after which the system ends the worker even if nobody else does.
        memory: the most that a worker may take, in bytes.
        rows: the most rows or triples of an answer to SPARQL.
        longest: the most bytes of a reply.
        services: the IRIs that SERVICE may ask.
    """

    config: Config
    seconds: float = 10.0
    memory: int = 2 * 2**30
    rows: int = 100_000
    longest: int = 128 * 2**20
    services: tuple[str, ...] = ()


def write(stream: IO[bytes], message: msgspec.Struct) -> None:
    """Write a message."""
    stream.write(packed(message))
    stream.flush()


def packed(message: msgspec.Struct) -> bytes:
    """Return a message as bytes."""
    data = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(data)) + data


def read(stream: IO[bytes], kind: type[Message]) -> Message | None:
    """Read a message; None at the end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return msgspec.msgpack.decode(stream.read(_LENGTH.unpack(head)[0]), type=kind)


async def received(stream: asyncio.StreamReader, kind: type[Message]) -> Message:
    """Receive a message.

    Raises:
        asyncio.IncompleteReadError: who sends is gone.
    """
    (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    return msgspec.msgpack.decode(await stream.readexactly(length), type=kind)


def html(status: int, text: str, headers: dict[str, str] | None = None) -> Reply:
    """Return a page."""
    return Reply(status, text.encode("utf-8", "backslashreplace"), "text/html; charset=utf-8", headers or {})


def values(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return pairs as a dict of lists."""
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
