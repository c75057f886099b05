"""The server as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from xml.sax.saxutils import quoteattr

from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from provkg.server.front import METHODS, Front
from provkg.server.guard import Guard
from provkg.server.operations import operations
from provkg.server.receiving import receiving
from provkg.server.refreshing import Refreshing
from provkg.server.serving import Serving
from provkg.store import Store

_STATIC = Path(__file__).with_name("static")
_OPENSEARCH = """<?xml version="1.0" encoding="utf-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"><ShortName>provkg</ShortName>\
<Description>Where a file comes from</Description><InputEncoding>UTF-8</InputEncoding>\
<Url type="text/html" template={template}/></OpenSearchDescription>
"""


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

    methods = [*METHODS, "PUT", "DELETE", "PATCH"]
    app = Starlette(
        lifespan=working,
        routes=[
            *operations(front.metrics, store, front.workers),
            *receiving(serving, refreshing.source if refreshing else store),
            Route("/opensearch.xml", partial(_opensearch, front)),
            Mount("/static", StaticFiles(directory=_STATIC, packages=[("provkg.publishing", "static")])),
            Route("/{path:path}", front.__call__, methods=methods),
        ],
    )
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Guard, front=front)
    return app


async def _opensearch(front: Front, request: Request) -> Response:
    """Answer with how a browser can search here."""
    template = quoteattr(f"{front.root(request)}/search?q={{searchTerms}}")
    return Response(
        _OPENSEARCH.format(template=template), media_type="application/opensearchdescription+xml; charset=utf-8"
    )
