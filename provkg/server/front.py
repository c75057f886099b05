"""Take requests, let workers answer, and keep what they answered while the store stays as it is.

What is decided here: who may ask how much at once, how long a request may be, and what is still the same as last time.
The store itself is never opened.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from provkg.server.failing import failed
from provkg.server.messages import Asked, Reply
from provkg.server.operations import Metrics
from provkg.server.serving import Serving
from provkg.server.workers import Full, Workers
from provkg.store import Store

METHODS = ["GET", "HEAD", "POST"]
_POSTED = ("/sparql", "/provsap")
_KEPT, _KEPT_REPLY = 64 * 2**20, 2**20  # bytes of replies that are kept, and of one of them
_ADDRESS = 2**16  # bytes of a path and its query
_SENDING = 2**30  # bytes of replies that are being sent


@dataclass
class _Client:
    """A client: its turns, and how many of its requests are here."""

    turns: asyncio.Semaphore
    here: int = 0


class Front:
    """Take requests and let workers answer."""

    def __init__(self, serving: Serving, store: Store) -> None:
        self.serving, self.store = serving, store
        self.workers = Workers(serving.setup, serving.workers)
        self.metrics = Metrics(self.workers)
        self.kept: OrderedDict[str, Reply] = OrderedDict()
        self.kept_bytes = self.sending = 0
        self.clients: dict[str, _Client] = {}
        self.coming: dict[str, asyncio.Future[Reply]] = {}

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        if request.method not in METHODS:
            return response(failed(405, f"{request.method} is refused", "this server only reads", headers=ALLOW))
        path = request.scope.get("raw_path", b"").decode("latin-1") or request.url.path
        if request.method == "POST" and path.rstrip("/") not in _POSTED:
            return response(failed(405, "POST is refused here", "GET", headers={"Allow": "GET, HEAD"}))
        if len(path) + len(request.scope["query_string"]) > _ADDRESS:
            return response(failed(414, f"an address has at most {_ADDRESS:,} bytes", "POST a long query"))
        body = await bounded(request, self.serving.longest)
        if body is None:
            return response(failed(413, f"a request has at most {self.serving.longest:,} bytes"))
        try:
            pairs = parse_qsl(
                request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=1000
            )
        except ValueError:
            return response(failed(400, "the address has too many parameters"))
        asked = Asked(
            "POST" if request.method == "POST" else "GET",
            path,
            pairs,
            request.headers.get("accept", ""),
            request.headers.get("content-type", ""),
            body,
            self.root(request),
        )
        return await self._answered(request, asked)

    def root(self, request: Request) -> str:
        """Return the address of the server as who asks knows it."""
        return self.serving.url or f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"

    async def _answered(self, request: Request, asked: Asked) -> Response:
        state = self.store.revision()
        tag = _tag(state, asked) if state else ""
        told = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
        if asked.method == "GET" and tag and tag in told:
            return Response(status_code=304, headers={"ETag": f"W/{tag}", "Vary": "Accept"})
        reply = self.kept.get(tag) if tag else None
        if reply is not None:
            self.kept.move_to_end(tag)
        elif tag in self.coming:  # the same is being answered: it is answered once
            reply = await asyncio.shield(self.coming[tag])
        else:
            reply = await self._new(request, asked, tag)
        headers = {"ETag": f"W/{tag}", "Cache-Control": "no-cache"} if tag and reply.status == 200 else {}
        return self._sent(reply, headers)

    async def _new(self, request: Request, asked: Asked, tag: str) -> Reply:
        """Let a worker answer, and keep what it answers; others who ask the same meanwhile wait for it."""
        if not tag:
            return await self._asked(request, asked)
        coming = self.coming[tag] = asyncio.get_running_loop().create_future()
        reply = failed(503, "the server stops")
        try:
            reply = await self._asked(request, asked)
            if reply.status in (200, 303):
                self._keep(tag, reply)
        finally:
            del self.coming[tag]
            coming.set_result(reply)
        return reply

    async def _asked(self, request: Request, asked: Asked) -> Reply:
        """Let a worker answer when it is the client's turn."""
        host = request.client.host if request.client else ""
        client = self.clients.setdefault(host, _Client(asyncio.Semaphore(self.serving.per_client)))
        if client.here >= self.serving.per_client + self.serving.waiting:
            return failed(429, "too many requests of one client at once", "wait", headers={"Retry-After": "1"})
        client.here += 1
        try:
            await asyncio.wait_for(client.turns.acquire(), self.serving.setup.seconds)
            try:
                return await self.workers.ask(asked)
            finally:
                client.turns.release()
        except (Full, TimeoutError):
            return failed(503, "too many requests wait", "ask again later", headers={"Retry-After": "5"})
        finally:
            client.here -= 1
            if not client.here:
                self.clients.pop(host, None)

    def _keep(self, tag: str, reply: Reply) -> None:
        if len(reply.body) > _KEPT_REPLY or tag in self.kept:
            return
        self.kept[tag] = reply
        self.kept_bytes += len(reply.body)
        while self.kept_bytes > _KEPT:
            _, oldest = self.kept.popitem(last=False)
            self.kept_bytes -= len(oldest.body)

    def _sent(self, reply: Reply, headers: dict[str, str]) -> Response:
        if self.sending + len(reply.body) > _SENDING:
            return response(failed(503, "too much is being sent", "ask again later", headers={"Retry-After": "5"}))
        return _Counted(self, response(reply, headers))


class _Counted(Response):
    """A response that counts as being sent until it is sent, or who asked is gone."""

    def __init__(self, front: Front, inner: Response) -> None:
        self.front, self.inner = front, inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        size = len(self.inner.body)
        self.front.sending += size
        try:
            await self.inner(scope, receive, send)
        finally:
            self.front.sending -= size


ALLOW = {"Allow": ", ".join(METHODS)}


async def bounded(request: Request, longest: int) -> bytes | None:
    """Return the body of a request; None where it is longer than it may be, or who sends it is gone."""
    if int(request.headers.get("content-length") or 0) > longest:
        return None
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > longest:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def _tag(state: str, asked: Asked) -> str:
    """Return what tells an answer from others: the state of the store, and all that was asked."""
    parts = (state, asked.method, asked.root, asked.path, repr(asked.query), asked.accept, asked.media)
    told = blake2b("\0".join(parts).encode("utf-8", "backslashreplace"), digest_size=16)
    told.update(asked.body)
    return f'"{told.hexdigest()}"'


def response(reply: Reply, headers: dict[str, str] | None = None) -> Response:
    """Return a reply as Starlette sends it; what would break a header is replaced."""
    told = {**reply.headers, **(headers or {})}
    if reply.body or reply.status not in (303, 304):
        told["Content-Type"] = reply.media
    clean = {name: re.sub(r"[^\x20-\x7e]", "?", value) for name, value in told.items()}
    return Response(reply.body, reply.status, clean)
