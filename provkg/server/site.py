"""What a worker answers: each path has its function, which is given the site and the request."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from provkg.errors import ProvkgError, StoreError
from provkg.identity import harmless
from provkg.knowledge import KnowledgeGraph
from provkg.server import asking, dataset, drawing, finding, linked, looking, provsap, sparql, vosi
from provkg.server.failing import failed, of_error
from provkg.server.messages import Asked, Reply, Setup
from provkg.server.pages import page_of_error
from provkg.store import Graph, Store, open_store

if TYPE_CHECKING:
    from provkg.questions import Question

Answers = Callable[["Site", Asked], Reply]
ROUTES: dict[str, Answers] = {
    "/": finding.home,
    "/search": finding.search,
    "/product": finding.product,
    "/nights": finding.nights,
    "/graph": drawing.picture,
    "/compare": looking.compare,
    "/questions": asking.catalogue,
    "/sparql": dataset.endpoint,
    "/rdf-graph-store": sparql.graph_store,
    "/.well-known/void": dataset.void,
    "/void": dataset.void,
    "/feed": dataset.feed,
    "/service": dataset.provenance_service,
    "/provenance": linked.provenance,
    "/resource": linked.resource,
    "/api": asking.described,
    "/api/lineage": asking.lineage,
    "/api/openapi.json": asking.openapi,
    "/provsap": provsap.respond,
    "/provsap/capabilities": vosi.capabilities,
    "/capabilities": vosi.capabilities,
    "/availability": vosi.availability,
    "/datalink": vosi.datalink,
}
BELOW: dict[str, Answers] = {
    "/feed/": dataset.feed,
    "/page/": linked.page,
    "/data/": linked.data,
    "/run/": looking.run,
    "/night/": looking.night,
    "/questions/": asking.form,
    "/api/questions": asking.answer,
}


class Held(Store):
    """A store of which one request sees one state, however often it reads and whatever is ingested meanwhile."""

    def __init__(self, store: Store) -> None:
        self.inner, self.config = store, store.config
        self.held: Graph | None = None

    @property
    def name(self) -> str:
        """The folder or URL."""
        return self.inner.name

    def exists(self) -> bool:
        """Say whether anything was ever ingested here."""
        return self.inner.exists()

    def base(self) -> str:
        """Return what the IRIs of the data begin with."""
        return self.read().base if self.exists() else self.inner.base()

    def read(self) -> Graph:
        """Return the state that this request sees."""
        if self.held is None:
            self.held = self.inner.read()
        return self.held

    def write(self) -> NoReturn:
        """Refuse to write.

        Raises:
            StoreError: always.
        """
        raise StoreError(f"{self.name} is served for reading only")


class Site:
    """A store that is open for reading, and how it is served."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.store = Held(open_store(setup.config))
        self.kg = KnowledgeGraph(self.store)

    def graph(self) -> Graph:
        """Return the newest snapshot: one request asks one."""
        return self.kg.graph()

    @cached_property
    def questions(self) -> dict[str, Question]:
        """The questions that are offered: none that reads files of this machine."""
        return {name: each for name, each in self.kg.questions().items() if not each.local}

    def warm(self) -> None:
        """Import and open what each request needs, so that the first does not wait for it."""
        from provkg.lineage.index import index_of  # noqa: PLC0415

        self.questions  # noqa: B018 - read once
        if self.kg.store.exists():
            index_of(self.graph())

    def respond(self, asked: Asked) -> Reply:
        """Answer a request; what is wrong in provkg itself is told on standard error, and not to who asks."""
        self.store.held = None
        try:
            reply = self._answering(asked)(self, asked)
        except StoreError as error:
            sys.stderr.write(f"error: {harmless(str(error))}\n")
            reply = failed(500, "the store cannot be read", "the log of the server says why")
        except ProvkgError as error:
            reply = of_error(error)
        except sparql.TooLong:
            reply = failed(413, f"the answer has more than {self.setup.longest >> 20} MB", "ask for less")
        except MemoryError:
            reply = failed(503, f"the answer takes more than {self.setup.memory >> 20} MB of memory", "ask for less")
        except RecursionError:
            reply = failed(400, "the request is nested too deeply")
        except Exception:  # noqa: BLE001 - a worker goes on, whatever it was asked
            traceback.print_exc()
            reply = failed(500, "provkg failed; its log says how")
        if reply.status >= 300 and reply.media == "application/json" and _is_for_people(asked):
            with suppress(StoreError):  # a store that cannot be read has no page
                return page_of_error(self, asked, reply)
        if len(reply.body) > self.setup.longest:
            return failed(413, f"the answer has more than {self.setup.longest >> 20} MB", "ask for less")
        return reply

    def _answering(self, asked: Asked) -> Answers:
        path = asked.path.rstrip("/") or "/"
        if path in ROUTES:
            return ROUTES[path]
        return next((answers for begin, answers in BELOW.items() if asked.path.startswith(begin)), linked.redirect)


def _is_for_people(asked: Asked) -> bool:
    return "text/html" in asked.accept and not asked.path.startswith(("/api/", "/provsap"))
