"""Take records by POST from those who have a token: they are kept in a folder and ingested as any other file."""

from __future__ import annotations

import asyncio
import hmac
import re
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from provkg.server.failing import failed
from provkg.store import Store

if TYPE_CHECKING:
    from provkg.server.serving import Serving

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=@-]{0,199}")
_LONGEST = 2**30
_DONE = (0, 1, 4)  # exit statuses after which records are in: all, with findings, or a part of them


def receiving(serving: Serving, store: Store) -> list[Route]:
    """Return the route that takes records; there is none where nobody has a token."""
    if not serving.tokens:
        return []
    turn = asyncio.Lock()  # one at a time: the store has one writer

    async def receive(request: Request) -> Response:
        owner = _owner(request, serving.tokens)
        if owner is None:
            return _said(failed(401, "a token is needed", headers={"WWW-Authenticate": "Bearer"}))
        name = request.query_params.get("name", "")
        if not _NAME.fullmatch(name):
            return _said(failed(400, f"{name!r} is no name of a file", "?name=FILE, of letters, digits and ._+=@-"))
        path = serving.inbox / owner / name
        async with turn:
            if not await _kept(request, path):
                return _said(failed(413, f"records have at most {_LONGEST >> 20} MB at once"))
            return await _ingested(path, store)

    return [Route("/api/ingest", receive, methods=["POST"])]


def _owner(request: Request, tokens: dict[str, str]) -> str | None:
    """Return whose token a request has; each is compared in the same time."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    digest = digest_of(token.strip())
    found = [name for name, known in tokens.items() if hmac.compare_digest(digest.encode(), known.encode())]
    return found[0] if scheme.lower() == "bearer" and found and _NAME.fullmatch(found[0]) else None


def digest_of(token: str) -> str:
    """Return what the settings keep of a token: it is random, so that no slower digest is needed."""
    return "sha256:" + sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


async def _kept(request: Request, path: Path) -> bool:
    """Write what is sent to a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    size = 0
    try:
        with part.open("wb") as stream:
            async for piece in request.stream():
                size += len(piece)
                if size > _LONGEST:
                    return False
                stream.write(piece)
        part.replace(path)
    except ClientDisconnect:
        return False
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return True


async def _ingested(path: Path, store: Store) -> Response:
    """Ingest a file in a process of its own, as ``provkg ingest`` does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provkg", "--quiet", "--store", store.name, "ingest", "--json", "--", str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, told = await process.communicate()
    if process.returncode in _DONE:
        return Response(out, 201, media_type="application/json")
    return _said(failed(422, "the records could not be ingested", told.decode("utf-8", "replace").strip()[:2000]))


def _said(reply: object) -> Response:
    from provkg.server.messages import Reply  # noqa: PLC0415

    assert isinstance(reply, Reply)
    return Response(reply.body, reply.status, {**reply.headers, "Content-Type": reply.media})
