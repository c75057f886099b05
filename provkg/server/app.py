"""The server: it takes requests, lets workers answer, and keeps what they answered while the store stays as it is.

It never opens the store itself. What it decides alone: who may ask how much at once, how long a request may be, what a
browser may do with a page, and what is still the same as last time.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provkg.server.failing import failed
from provkg.server.messages import Asked, Reply, Setup
from provkg.server.operations import Metrics, operations
from provkg.server.receiving import receiving
from provkg.server.refreshing import Refreshing
from provkg.server.workers import Full, Workers
from provkg.store import Store

_STATIC = Path(__file__).with_name("static")
_METHODS = ["GET", "HEAD", "POST"]
_POSTED = ("/sparql", "/provsap")
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
_LOCAL_ORIGIN = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_KEPT, _KEPT_REPLY = 64 * 2**20, 2**20  # bytes of replies that are kept, and of one of them
_ADDRESS = 2**16  # bytes of a path and its query
_SENDING = 2**30  # bytes of replies that are being sent
_OPENSEARCH = """<?xml version="1.0" encoding="utf-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"><ShortName>provkg</ShortName>\
<Description>Where a file comes from</Description><InputEncoding>UTF-8</InputEncoding>\
<Url type="text/html" template="{root}/search?q={{searchTerms}}"/></OpenSearchDescription>
"""


@dataclass(frozen=True)
class Serving:
    """How a store is served.

    Args:
        setup: what each worker begins with.
        workers: how many there are.
        loopback: whether only this machine can ask: then no other name of a host is answered to.
        url: the address that others know the server by, without a slash at its end; what they ask for where empty.
        cors: origins whose pages may read; ``*`` is any. Pages of this machine may, where there is none.
        per_client: how many requests of one client are answered at once; the others wait.
        waiting: how many of one client may wait.
        longest: the most bytes of a request.
        tokens: digests of the tokens of those who may send records, by their names; nobody may where it is empty.
        inbox: the folder of what they send.
        log: is told of each request.
    """

    setup: Setup
    workers: int = 4
    loopback: bool = True
    url: str = ""
    cors: tuple[str, ...] = ()
    per_client: int = 2
    waiting: int = 64
    longest: int = 2**20
    tokens: dict[str, str] = field(default_factory=dict)
    inbox: Path = Path("inbox")
    log: Callable[[dict[str, Any]], None] = lambda _: None


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
        if request.method not in _METHODS:
            return _response(failed(405, f"{request.method} is refused", "this server only reads", headers=_ALLOW))
        path = request.scope.get("raw_path", b"").decode("latin-1") or request.url.path
        if request.method == "POST" and path.rstrip("/") not in _POSTED:
            return _response(failed(405, "POST is refused here", "GET", headers={"Allow": "GET, HEAD"}))
        if len(path) + len(request.scope["query_string"]) > _ADDRESS:
            return _response(failed(414, f"an address has at most {_ADDRESS:,} bytes", "POST a long query"))
        body = await bounded(request, self.serving.longest)
        if body is None:
            return _response(failed(413, f"a request has at most {self.serving.longest:,} bytes"))
        try:
            pairs = parse_qsl(
                request.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=1000
            )
        except ValueError:
            return _response(failed(400, "the address has too many parameters"))
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
            return _response(failed(503, "too much is being sent", "ask again later", headers={"Retry-After": "5"}))
        self.sending += len(reply.body)

        def sent() -> None:
            self.sending -= len(reply.body)

        return _response(reply, headers, BackgroundTask(sent))


_ALLOW = {"Allow": ", ".join(_METHODS)}


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


def _response(reply: Reply, headers: dict[str, str] | None = None, task: BackgroundTask | None = None) -> Response:
    told = {**reply.headers, **(headers or {})}
    if reply.body or reply.status not in (303, 304):
        told["Content-Type"] = reply.media
    clean = {name: re.sub(r"[^\x20-\x7e]", "?", value) for name, value in told.items()}
    return Response(reply.body, reply.status, clean, background=task)


class Guard:
    """See that no other host's name is used, tell browsers what they may do, and write down what was asked."""

    def __init__(self, app: ASGIApp, front: Front) -> None:
        self.app, self.front = app, front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, began = Request(scope), time.perf_counter()
        told: dict[str, Any] = {"status": 500, "bytes": 0}

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                message["headers"] = [*message["headers"], *self._headers(request)]
            elif message["type"] == "http.response.body":
                told["bytes"] += len(message.get("body", b""))
            await send(message)

        if not self._own(request):
            reply = _response(failed(421, "this server has another name", "say its address with --url"))
            await reply(scope, receive, sent)
        elif request.method == "OPTIONS":
            await Response(status_code=204, headers=_ALLOW)(scope, receive, sent)
        else:
            await self.app(scope, receive, sent)
        took = time.perf_counter() - began
        self.front.metrics.answered(request.method, request.url.path, told["status"], took)
        self._log(request, told, took)

    def _own(self, request: Request) -> bool:
        """Say whether a request names this server: a page elsewhere could have its name lead here."""
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            return False
        serving = self.front.serving
        names = (*_LOOPBACK, urlsplit(serving.url).netloc)
        return not serving.loopback or host.rpartition(":")[0] in _LOOPBACK or host in names

    def _headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        found = dict(_HEADERS)
        origin = request.headers.get("origin", "")
        allowed = self.front.serving.cors
        if "*" in allowed:
            found["Access-Control-Allow-Origin"] = "*"
        elif origin in allowed or (not allowed and _LOCAL_ORIGIN.fullmatch(origin)):
            found |= {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        if "Access-Control-Allow-Origin" in found:
            found["Access-Control-Expose-Headers"] = "ETag, Link, Location, X-Provkg-Cut"
            if request.method == "OPTIONS":
                found["Access-Control-Allow-Methods"] = ", ".join(_METHODS)
                found["Access-Control-Allow-Headers"] = "Accept, Content-Type, If-None-Match"
        return [(name.lower().encode(), value.encode("latin-1")) for name, value in found.items()]

    def _log(self, request: Request, told: dict[str, Any], took: float) -> None:
        self.front.serving.log(
            {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "client": request.client.host if request.client else "",
                "method": request.method,
                "path": request.scope.get("raw_path", b"").decode("latin-1"),
                "query": request.scope["query_string"].decode("latin-1"),
                "status": told["status"],
                "bytes": told["bytes"],
                "ms": round(1000 * took, 1),
                "agent": request.headers.get("user-agent", ""),
            }
        )


def app_of(serving: Serving, store: Store, refreshing: Refreshing | None = None) -> Starlette:
    """Return the server as an ASGI application.

    Args:
        serving: how to serve.
        store: what; it is only asked whether it has changed.
        refreshing: keeps it equal to another, of which it is a copy.
    """
    front = Front(serving, store)

    @asynccontextmanager
    async def working(_: Starlette) -> AsyncIterator[None]:
        await front.workers.start()
        task = asyncio.create_task(refreshing.forever()) if refreshing else None
        try:
            yield
        finally:
            if task:
                task.cancel()
            await front.workers.stop()

    async def opensearch(request: Request) -> Response:
        from xml.sax.saxutils import escape  # noqa: PLC0415

        text = _OPENSEARCH.format(root=escape(front.root(request), {'"': "&quot;"}))
        return Response(text, media_type="application/opensearchdescription+xml")

    methods = [*_METHODS, "PUT", "DELETE", "PATCH"]
    app = Starlette(
        lifespan=working,
        routes=[
            *operations(front.metrics, store, front.workers),
            *receiving(serving, store),
            Route("/opensearch.xml", opensearch),
            Mount("/static", StaticFiles(directory=_STATIC)),
            Route("/{path:path}", front.__call__, methods=methods),
        ],
    )
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Guard, front=front)
    return app
