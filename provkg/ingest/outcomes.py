"""What comes of reading a source, as plain data: any process can read it for the one that writes."""

from collections import Counter
from importlib.metadata import version

from msgspec import Struct

from provkg import ledger
from provkg.errors import InputError
from provkg.ingest.loading import in_graph
from provkg.mapping import Edges, Mapped
from provkg.readers import Reader
from provkg.readers.mending import Repair
from provkg.records import Quarantined, Stretch
from provkg.vocab import CATALOGUE, DESCRIPTIONS

VERSION = version("provkg")


class Read(Struct, frozen=True):
    """What a document, or a stretch of a log, became: ``quads`` for its own graph, the catalogue and the descriptions.

    ``digest`` is that of the document to the end of the stretch. ``described`` names what is shared and was written for
    the first time; it stays empty where another process reads on, which describes that again: RDF is a set, and a
    source never depends on what was read before it.
    """

    path: str
    graph: str
    digest: str
    bytes: ledger.Bytes
    reader: str
    quads: str
    edges: Edges
    counts: Counter[str]
    remarks: Counter[str]
    quarantined: list[Quarantined]
    described: set[str]
    more: "More | None" = None

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.bytes.begin + self.bytes.length


class More(Struct, frozen=True):
    """What a stretch says more than one that ended earlier, and which said nothing else for good.

    ``than`` is its graph, ``edges`` are those that are new, ``activities`` those that it spoke of, ``open`` those of
    which it said what was known then: they are told again.
    """

    than: str
    edges: Edges
    activities: set[str]
    open: set[str]


class Present(Struct, frozen=True):
    """A stretch that the store holds already."""

    path: str
    graph: str
    digest: str
    end: int


class Whole(Struct, frozen=True):
    """All of a document was read, or is known.

    ``placed`` is what its path is now, ``began`` the digest of as much of it as was there before, ``kept`` how far it
    was read, for the next time.
    """

    placed: ledger.Placed
    began: str
    kept: bytes = b""

    @property
    def path(self) -> str:
        """Where it lies."""
        return self.placed.path

    @property
    def graph(self) -> str:
        """Its last stretch."""
        return self.placed.holds


class Skipped(Struct, frozen=True):
    """A path that is no provenance."""

    path: str


Outcome = Read | Present | Whole | Skipped | InputError


class Task(Struct, frozen=True):
    """One file to read.

    ``before`` are the graphs that the store holds of its path, read by this version of provkg, ``placed`` what it was
    then, ``repairs`` what was repaired in this and other documents, ``kept`` the file that says how far it was read.
    """

    path: str
    shown: str
    named: bool
    before: frozenset[str] = frozenset()
    placed: ledger.Placed | None = None
    repairs: tuple[Repair, ...] = ()
    kept: str = ""


def plain(mapped: Mapped, path: str, graph: str, begin: int, end: Stretch, reader: Reader, base: str) -> Read:
    """Return what a stretch became, as plain data.

    Args:
        mapped: its statements.
        path: where the document lies, as the ledger writes it.
        graph: the stretch.
        begin: its first byte.
        end: where it ends.
        reader: what read it.
        base: of the IRIs.
    """
    mapped.counts["quarantined"] = len(mapped.quarantined)
    quads = [
        in_graph(graph, mapped.source),
        in_graph(base + CATALOGUE, mapped.catalogue),
        in_graph(base + DESCRIPTIONS, mapped.descriptions),
    ]
    lost = sum(piece.length for piece in mapped.quarantined)
    return Read(
        path=path,
        graph=graph,
        digest=end.digest,
        bytes=ledger.Bytes(begin, end.end - begin, end.nothing, lost),
        reader=reader.name,
        quads="".join(quads),
        edges=mapped.edges,
        counts=mapped.counts,
        remarks=mapped.remarks,
        quarantined=mapped.quarantined,
        described=mapped.described,
    )
