"""Who is writing to a server: a marker in the ledger that comes first and goes last.

A server has no lock to give. A writer puts its marker into the ledger, then looks whether it is alone: of two that come
at the same moment, both may withdraw, but never do both go on. A marker says which graphs of sources are being written
or removed, so that the next writer can take back what a dead one left.
"""

import os
import socket
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad

from provkg.errors import StoreLocked
from provkg.store.endpoint import Endpoint
from provkg.store.graph import text_of
from provkg.vocab import LEDGER, PKG, PROV, RDF_TYPE, XSD

COMMITTING, ABANDONED = "committing", "abandoned"


@dataclass(frozen=True)
class Marker:
    """What a writer says of itself, and the graphs of sources that it writes and removes.

    ``space`` is where its process number means something: this boot of this machine, and no other container.
    """

    iri: str
    host: str
    pid: int
    since: str
    space: str
    stages: frozenset[str] = frozenset()
    written: frozenset[str] = field(default=frozenset(), repr=False)
    removed: frozenset[str] = field(default=frozenset(), repr=False)

    def __str__(self) -> str:
        return f"pid {self.pid} on {self.host} since {self.since}"

    @property
    def dead(self) -> bool:
        """Say whether nobody will go on with it; of a process elsewhere that cannot be said."""
        if ABANDONED in self.stages:
            return True
        return self.space == _space() and not _alive(self.pid)


def markers(endpoint: Endpoint, base: str) -> list[Marker]:
    """Return the markers in the ledger of a store."""
    ledger = f"<{base}{LEDGER}>"
    query = f"SELECT ?m ?p ?o WHERE {{ GRAPH {ledger} {{ ?m a <{PKG.Writing}> ; ?p ?o }} }}"
    facts: dict[str, dict[str, set[str]]] = {}
    for row in endpoint.select(query)[1]:
        facts.setdefault(text_of(row["m"]), {}).setdefault(text_of(row["p"]), set()).add(text_of(row["o"]))
    return [_marker(iri, known) for iri, known in sorted(facts.items())]


def _marker(iri: str, known: dict[str, set[str]]) -> Marker:
    def one(term: str) -> str:
        return min(known.get(term, {""}))

    pid = one(PKG.processId)
    return Marker(
        iri,
        one(PKG.host),
        int(pid) if pid.isdecimal() else 0,
        one(PROV.startedAtTime),
        one(PKG.processSpace),
        frozenset(known.get(PKG.stage, ())),
        frozenset(known.get(PKG.writes, ())),
        frozenset(known.get(PKG.removes, ())),
    )


def acquire(endpoint: Endpoint, base: str) -> tuple[Marker, list[Marker]]:
    """Become the one writer; return the marker, and those of dead writers.

    Raises:
        StoreLocked: somebody else is writing.
    """
    dead = _only_dead(endpoint, base, ())
    mine = Marker(
        f"{base}writing/{uuid.uuid4()}",
        socket.gethostname(),
        os.getpid(),
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        _space(),
    )
    facts: list[tuple[str, NamedNode | Literal]] = [
        (RDF_TYPE, NamedNode(PKG.Writing)),
        (PKG.host, Literal(mine.host)),
        (PKG.processId, Literal(mine.pid)),
        (PKG.processSpace, Literal(mine.space)),
        (PROV.startedAtTime, Literal(mine.since, datatype=NamedNode(XSD + "dateTime"))),
    ]
    endpoint.insert(_quads(mine, base, facts))
    try:
        _only_dead(endpoint, base, (mine.iri,))
    except StoreLocked:
        release(endpoint, base, [mine])
        raise
    return mine, dead


def _only_dead(endpoint: Endpoint, base: str, own: tuple[str, ...]) -> list[Marker]:
    found = [each for each in markers(endpoint, base) if each.iri not in own]
    alive = [each for each in found if not each.dead]
    if alive:
        here = alive[0].space == _space()
        stop = f"or stop it with kill {alive[0].pid}" if here else f"or look after it on {alive[0].host}"
        raise StoreLocked(
            f"another provkg is writing to {endpoint.url}: {alive[0]}",
            hint=f"wait for it to end, {stop}; if it is dead: provkg doctor --unlock",
        )
    return found


def note(endpoint: Endpoint, base: str, marker: Marker, term: str, values: Iterable[str]) -> None:
    """Add to what a marker says: graphs, or a stage."""
    terms = [Literal(each) if term == PKG.stage else NamedNode(each) for each in sorted(values)]
    endpoint.insert(_quads(marker, base, [(term, each) for each in terms]))


def release(endpoint: Endpoint, base: str, gone: Iterable[Marker]) -> None:
    """Remove markers."""
    for marker in gone:
        endpoint.update(f"DELETE WHERE {{ GRAPH <{base}{LEDGER}> {{ <{marker.iri}> ?p ?o }} }}")


def abandon(endpoint: Endpoint, base: str) -> list[str]:
    """Say of all writers that they are dead, and return who they were."""
    found = markers(endpoint, base)
    for marker in found:
        note(endpoint, base, marker, PKG.stage, [ABANDONED])
    return [str(marker) for marker in found]


def _quads(marker: Marker, base: str, facts: Iterable[tuple[str, NamedNode | Literal]]) -> list[Quad]:
    ledger = NamedNode(base + LEDGER)
    return [Quad(NamedNode(marker.iri), NamedNode(term), value, ledger) for term, value in facts]


def _space() -> str:
    """Return where a process number of this process means something."""
    parts = [socket.gethostname()]
    with suppress(OSError):  # there is no /proc on every system
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
