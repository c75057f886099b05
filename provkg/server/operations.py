"""What who runs the server asks it: is it well, how much was asked, which versions are at work."""

from __future__ import annotations

import sys
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from provkg.server.workers import Workers
from provkg.store import Store

_PACKAGES = ("provkg", "pyoxigraph", "rdflib", "prov", "starlette", "uvicorn", "numpy", "pyshacl")
_KINDS = {
    "page",
    "data",
    "search",
    "run",
    "night",
    "nights",
    "graph",
    "questions",
    "api",
    "sparql",
    "provsap",
    "static",
}
_KINDS |= {"compare", "product", "resource", "datalink", "capabilities", "availability", "void", "service", "-"}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What was asked, and how it went, as Prometheus reads it."""

    def __init__(self, workers: Workers) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("provkg_requests", "Requests", ("method", "kind", "status"), registry=self.registry)
        self.seconds = Histogram(
            "provkg_request_seconds", "Time of a request", ("kind",), buckets=_SECONDS, registry=self.registry
        )
        busy = Gauge("provkg_workers_busy", "Workers that are answering", registry=self.registry)
        busy.set_function(lambda: workers.busy)
        there = Gauge("provkg_workers", "Workers", registry=self.registry)
        there.set_function(lambda: len(workers.all))
        waiting = Gauge("provkg_requests_waiting", "Requests that wait for a worker", registry=self.registry)
        waiting.set_function(lambda: workers.waiting)
        ended = Gauge(
            "provkg_workers_ended",
            "Workers that were ended, by what they used too much of",
            ("why",),
            registry=self.registry,
        )
        for why in ("time", "memory"):
            ended.labels(why).set_function(partial(_count, workers, why))

    def answered(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request; its path counts by its first part alone, of which there are few."""
        first = path.lstrip("/").partition("/")[0]
        kind = first if first in _KINDS else "home" if not first else "linked data"
        self.requests.labels(method if method in ("GET", "HEAD", "POST", "OPTIONS") else "other", kind, status).inc()
        self.seconds.labels(kind).observe(seconds)


def operations(metrics: Metrics, store: Store, workers: Workers) -> list[Route]:
    """Return the routes below ``/-/``."""

    def health(_: Request) -> Response:
        there = store.exists()
        well = bool(workers.all)
        facts = {"status": "ok" if well else "no worker", "store": there, "workers": len(workers.all)}
        return JSONResponse(facts, 200 if well else 503, headers={"Cache-Control": "no-store"})

    def told(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    def versions(_: Request) -> Response:
        return JSONResponse({"python": sys.version.partition(" ")[0], **{name: _version(name) for name in _PACKAGES}})

    return [Route("/-/health", health), Route("/-/metrics", told), Route("/-/versions", versions)]


def _count(workers: Workers, why: str) -> int:
    return workers.ended[why]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
