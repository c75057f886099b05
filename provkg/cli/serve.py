"""`provkg serve`: the store over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import sys
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provkg.cli import say
from provkg.cli.output import emit, settings
from provkg.errors import InputError

if TYPE_CHECKING:
    from provkg.config import Config
    from provkg.server.refreshing import Refreshing
    from provkg.server.serving import Serving
    from provkg.store import Store

_MB = 2**20


@click.command()
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=7333, show_default=True, help="0: any that is free."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Who can ask: 0.0.0.0 is everybody.")
@click.option("--url", default="", help="The address that others know it by, where a proxy stands before it.")
@click.option("--open", "browse", is_flag=True, help="Open a browser.")
@click.option("--get", "path", metavar="PATH", help="Answer one request on stdout, and end.")
@click.option("--accept", default="*/*", help="The Accept header of --get.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that answer; twice the processors.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True, help="Time of one request."
)
@click.option("--memory", type=click.IntRange(256), default=2048, show_default=True, help="Of one worker, in MB.")
@click.option("--rows", type=click.IntRange(1), default=100_000, show_default=True, help="The most of a SPARQL answer.")
@click.option(
    "--cors", multiple=True, metavar="ORIGIN|*", help="Whose pages may read, repeatable; those of this machine."
)
@click.option("--service", "services", multiple=True, metavar="IRI", help="A server that SERVICE may ask; repeatable.")
@click.option("--behind-proxy", is_flag=True, help="Believe X-Forwarded-For and -Proto.")
@click.option("--public", metavar="POLICY", help="Serve a copy without private data, as this TOML file says.")
@click.option("--allow-ingest", is_flag=True, help="Take records by POST from those with a token of the settings.")
@click.option("--new-token", metavar="NAME", help="Make a token, say what the settings need, and end.")
@click.pass_context
def serve(ctx: click.Context, /, port: int, host: str, path: str | None, browse: bool, **said: Any) -> int:
    """Serve the store over HTTP, for reading: SPARQL, Linked Data, questions, ProvSAP, and pages.

    Each request is answered by a process of its own pool, which has the store open for reading only, and is ended when
    it takes too long or too much memory. An ingest that lands meanwhile is seen by the next request.
    """
    if said["new_token"]:
        return _token(said["new_token"])
    from provkg.server.app import app_of
    from provkg.store import open_store

    config, source, refreshing = settings(ctx), None, None
    if said["public"]:
        source = open_store(config)
        refreshing, config = _public(config, source, said["public"])
    log = _quiet if ctx.obj["quiet"] or path else _log
    app = app_of(_serving(config, host, {**said, "path": path, "log": log}), open_store(config), refreshing)
    if path:
        return _get(app, path, said["accept"])
    return _run(app, host, port, browse=browse, proxy=said["behind_proxy"])


def _serving(config: Config, host: str, said: dict[str, Any]) -> Serving:
    """Return how the options and the settings want the store to be served."""
    from provkg.server.messages import Setup
    from provkg.server.serving import Serving

    workers = 1 if said["path"] else said["workers"] or 2 * (os.cpu_count() or 1)
    loopback = host in ("localhost", "::1") or host.startswith("127.")
    if said["allow_ingest"] and not config.serve.tokens:
        raise InputError("nobody has a token", hint="provkg serve --new-token NAME")
    services = (*config.serve.services, *said["services"])
    return Serving(
        Setup(config, said["seconds"], said["memory"] * _MB, said["rows"], services=services),
        workers,
        loopback,
        (said["url"] or config.serve.url).rstrip("/"),
        (*config.serve.cors, *said["cors"]) or (() if loopback else ("*",)),
        max(1, workers // 2),
        tokens=dict(config.serve.tokens) if said["allow_ingest"] else {},
        inbox=Path(config.serve.inbox),
        log=said["log"],
    )


def _public(config: Config, source: Store, policy: str) -> tuple[Refreshing, Config]:
    """Make the public copy of a store, and return what keeps it so, and the settings with the copy."""
    from provkg.knowledge import KnowledgeGraph
    from provkg.server.refreshing import Refreshing

    if "://" in config.store:
        raise InputError("a public copy is made beside a folder", hint="provkg release FOLDER, and serve that")
    folder = f"{config.store.rstrip('/')}.public"
    refreshing = Refreshing(source, policy, folder)
    left = KnowledgeGraph(source).release(policy, folder).leaks
    if left:
        told = f"the gate of the policy finds {len(left):,} leaks, the first {left[0].shown()}"
        raise InputError(told, hint=f"provkg release FOLDER --policy {policy} lists them")
    return refreshing, replace(config, store=folder)


def _quiet(_: dict[str, Any]) -> None:
    """Say nothing."""


def _log(facts: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(facts) + "\n")


def _token(name: str) -> int:
    from provkg.server.receiving import digest_of

    token = secrets.token_urlsafe(32)
    emit(token)
    say("the token stands on stdout, and nowhere else; in provkg.toml:")
    say("[serve.tokens]")
    say(f'{json.dumps(name)} = "{digest_of(token)}"')
    return 0


def _run(app: Any, host: str, port: int, *, browse: bool, proxy: bool) -> int:
    """Serve until interrupted; what is being answered is answered."""
    import uvicorn

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise InputError(f"{host}:{port}: {error.strerror or error}", hint="another port: -p 0 takes any") from None
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=proxy,
        forwarded_allow_ips="*" if proxy else None,
        limit_concurrency=1000,
        timeout_graceful_shutdown=15,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    emit(f"serving {address}")
    sys.stdout.flush()
    if browse:
        webbrowser.open(address)
    server.run(sockets=[listening])
    return 0 if server.started else 3


def _get(app: Any, path: str, accept: str) -> int:
    """Answer one request."""
    status, body = asyncio.run(_asked(app, path, accept))
    sys.stdout.buffer.write(body)
    sys.stdout.flush()
    if status >= 300:
        say(f"status {status}")
    return 0 if status < 400 else 5 if status == 404 else 2 if status < 500 else 3


async def _asked(app: Any, path: str, accept: str) -> tuple[int, bytes]:
    """Return the status and the body of one request, whose redirections within the server are followed."""
    from urllib.parse import unquote, urlsplit

    found: dict[str, Any] = {"status": 0, "body": b"", "location": ""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            found.update(status=message["status"], location=headers.get("location", ""), body=b"")
        else:
            found["body"] += message.get("body", b"")

    async with app.router.lifespan_context(app):
        for _ in range(5):
            parts = urlsplit(path)
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "http",
                "path": unquote(parts.path),
                "raw_path": parts.path.encode(),
                "query_string": parts.query.encode(),
                "root_path": "",
                "headers": [(b"host", b"localhost"), (b"accept", accept.encode())],
                "client": ("127.0.0.1", 0),
                "server": ("localhost", 80),
            }
            await app(scope, receive, send)
            if found["status"] != 303:
                break
            path = found["location"].removeprefix("http://localhost")
    return found["status"], found["body"]
