"""Records become quads, by tables; the terms are those of ``ontologies/``.

Each statement stands in one graph: what happened in the source's own, what many sources share in the catalogue, words
(roles, descriptions) among the descriptions. What a usage read is not decided here: a path is not a version, so the
mapping gives the ends of each edge to :mod:`provkg.lineage`, which resolves them over all sources.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from provkg.config import Config
from provkg.edges import Edges
from provkg.mapping.nodes import Nodes
from provkg.mapping.relations import Relations
from provkg.mapping.statements import Statements
from provkg.records import (
    Activity,
    Agent,
    Digested,
    Ended,
    Entity,
    Node,
    Parameters,
    Quarantined,
    Record,
    Relation,
    Remark,
    Session,
    Stretch,
)
from provkg.shelves import Shelf, pack, unpack

__all__ = ["Edges", "Mapped", "Mapping", "map_records"]

ASSUMED_ZONE = "times without a zone, taken as"
REPEATED_HOUR = "times in the hour that a clock change repeats (taken as the first)"


class Mapped(Struct, frozen=True):
    """The records of a source, or of a stretch of one, as N-Triples lines by graph.

    ``edges`` say who read and wrote what, ``described`` names what is shared and was written for the first time,
    ``end`` is where the stretch ends: None where the reader did not say, and for a part of a document that is not the
    ``last``.
    """

    source: list[str]
    catalogue: list[str]
    descriptions: list[str]
    edges: Edges
    counts: Counter[str]
    remarks: Counter[str]
    quarantined: list[Quarantined]
    described: set[str]
    end: Stretch | None
    last: bool = True


class _Open(Struct, frozen=True):
    """What was mapped since the last cut."""

    source: list[str]
    catalogue: list[str]
    descriptions: list[str]
    fresh: set[str]
    repeated: set[str]
    told: set[str]
    edges: Edges
    counts: dict[str, int]
    remarks: dict[str, int]
    assumed: int
    repeated_hour: int
    quarantined: list[Quarantined]


class Mapping:
    """What is mapped of one source.

    Args:
        config: base of the IRIs and zone of naive times.
        known: what is shared and already written; kept by the caller, who adds to it what each stretch described.
    """

    def __init__(self, config: Config, known: set[str]) -> None:
        self.out = Statements(config, known)
        self.quarantined: list[Quarantined] = []
        self.connect(None)

    def connect(self, before: Relations | None) -> None:
        """Let the kinds of records write into the statements."""
        nodes, self.relations = Nodes(self.out), Relations(self.out, before)
        self.table = {
            Session: nodes.session,
            Activity: nodes.activity,
            Ended: nodes.ended,
            Parameters: nodes.parameters,
            Entity: nodes.entity,
            Agent: nodes.agent,
            Node: nodes.node,
            Relation: self.relations.relation,
            Digested: self.relations.digested,
            Quarantined: self.quarantined.append,
            Remark: self.remark,
        }

    def add(self, record: Record) -> None:
        """Map one record."""
        self.table[type(record)](record)  # type: ignore[operator]

    def remark(self, record: Remark) -> None:
        """Count a remark."""
        self.out.remarks[record.about] += record.count

    def if_ended(self, rest: Iterable[Record]) -> Mapped:
        """Return what the last stretch would be if nothing came but the rest; more can be mapped afterwards."""
        it = Mapping.__new__(Mapping)
        it.out, it.quarantined = self.out.copy(), [*self.quarantined]
        it.connect(self.relations)
        *records, end = rest
        for record in records:
            it.add(record)
        return it.cut(end if isinstance(end, Stretch) else None)

    def shelves(self) -> dict[str, Shelf[Any, Any]]:
        """Return what it must know of all that it mapped."""
        found = {"collections": self.out.collections, "nodes": self.relations.nodes, "usages": self.relations.usages}
        return {name: shelf for name, shelf in found.items() if isinstance(shelf, Shelf)}

    def facts(self) -> bytes:
        """Return what was mapped since the last cut, packed."""
        out, shared, clock = self.out, self.out.shared, self.out.clock
        return pack(
            _Open(
                source=out.source,
                catalogue=shared.catalogue,
                descriptions=shared.descriptions,
                fresh=shared.fresh,
                repeated=shared.repeated,
                told=out.told,
                edges=out.edges,
                counts=out.counts,
                remarks=out.remarks,
                assumed=clock.assumed,
                repeated_hour=clock.repeated_hour,
                quarantined=self.quarantined,
            )
        )

    def recall(self, facts: bytes) -> None:
        """Know that again."""
        told: _Open = unpack(facts, _Open)
        out, shared, clock = self.out, self.out.shared, self.out.clock
        out.source, out.told, out.edges = told.source, told.told, told.edges
        out.counts, out.remarks = Counter(told.counts), Counter(told.remarks)
        shared.catalogue, shared.descriptions = told.catalogue, told.descriptions
        shared.fresh, shared.repeated = told.fresh, told.repeated
        clock.assumed, clock.repeated_hour = told.assumed, told.repeated_hour
        self.quarantined += told.quarantined

    def cut(self, end: Stretch | None) -> Mapped:
        """Return what was mapped since the last cut, and forget it; what it means for what comes is kept."""
        out, shared, clock = self.out, self.out.shared, self.out.clock
        if clock.assumed:
            out.remarks[f"{ASSUMED_ZONE} {out.config.zone}"] += clock.assumed
        if clock.repeated_hour:
            out.remarks[REPEATED_HOUR] += clock.repeated_hour
        clock.assumed = clock.repeated_hour = 0
        out.hold()
        found = Mapped(
            source=out.source,
            catalogue=shared.catalogue,
            descriptions=shared.descriptions,
            edges=out.edges,
            counts=out.counts,
            remarks=out.remarks,
            quarantined=[*self.quarantined],
            described=shared.fresh,
            end=end,
        )
        self.quarantined.clear()
        out.forget()
        return found

    def part(self) -> Mapped:
        """Return what was mapped since the last cut, and forget it; what was quarantined is told at the end."""
        quarantined = [*self.quarantined]
        self.quarantined.clear()
        found = self.cut(None)
        self.quarantined += quarantined
        return replace(found, last=False)


def map_records(
    records: Iterable[Record], config: Config, known: set[str], most: int | None = None
) -> Iterator[Mapped]:
    """Map the records of one source: each of its stretches, or all of it at once.

    Args:
        records: the records of a reader.
        config: base of the IRIs and zone of naive times.
        known: what is shared and already written; kept by the caller, who adds to it what each stretch described.
        most: statements of a part; all that stands between two ends of stretches is one where None.
    """
    mapping, ended = Mapping(config, known), False
    add = mapping.add
    for record in records:
        if isinstance(record, Stretch):
            ended = record.last
            yield mapping.cut(record)
        else:
            add(record)
            if most is not None and len(mapping.out.source) >= most:
                yield mapping.part()
    if not ended:
        yield mapping.cut(None)
