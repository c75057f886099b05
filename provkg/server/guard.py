"""What holds for each request: no other host's name, what a browser may do, a line in the log."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provkg.server.failing import failed
from provkg.server.front import ALLOW, METHODS, Front, response

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
            reply = response(failed(421, "this server has another name", "say its address with --url"))
            await reply(scope, receive, sent)
        elif request.method == "OPTIONS":
            await Response(status_code=204, headers=ALLOW)(scope, receive, sent)
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
                found["Access-Control-Allow-Methods"] = ", ".join(METHODS)
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
