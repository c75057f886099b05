"""Records become quads, by tables; the terms are those of ``ontologies/``.

Each statement stands in one graph: what happened in the source's own, what many sources share in the catalogue, words
(roles, descriptions) among the descriptions. What a usage read is not decided here: a path is not a version, so the
mapping gives the ends of each edge to :mod:`provkg.lineage`, which resolves them over all sources.
"""

from collections import Counter
from collections.abc import Iterable

from provkg.config import Config
from provkg.edges import Edges
from provkg.mapping.nodes import Nodes
from provkg.mapping.relations import Relations
from provkg.mapping.shared import Shared
from provkg.mapping.statements import Statements
from provkg.records import (
    Activity,
    Agent,
    Ended,
    Entity,
    Node,
    Parameters,
    Quarantined,
    Record,
    Relation,
    Remark,
    Session,
)

__all__ = ["Edges", "Mapping", "map_records"]

ASSUMED_ZONE = "times without a zone, taken as"
REPEATED_HOUR = "times in the hour that a clock change repeats (taken as the first)"


class Mapping:
    """One source's records as N-Triples lines, by graph, with its edges and what is to be said about it."""

    def __init__(self, config: Config, known: set[str]) -> None:
        self.out = Statements(config, known)
        self.quarantined: list[Quarantined] = []
        nodes, relations = Nodes(self.out), Relations(self.out)
        self.table = {
            Session: nodes.session,
            Activity: nodes.activity,
            Ended: nodes.ended,
            Parameters: nodes.parameters,
            Entity: nodes.entity,
            Agent: nodes.agent,
            Node: nodes.node,
            Relation: relations.relation,
            Quarantined: self.quarantined.append,
            Remark: self.remark,
        }

    @property
    def source(self) -> list[str]:
        """What stands in the source's own graph."""
        return self.out.source

    @property
    def shared(self) -> Shared:
        """What stands in the catalogue and among the descriptions."""
        return self.out.shared

    @property
    def edges(self) -> Edges:
        """Who read and wrote what."""
        return self.out.edges

    @property
    def remarks(self) -> Counter[str]:
        """What was skipped, dropped or assumed."""
        return self.out.remarks

    @property
    def counts(self) -> Counter[str]:
        """How many there are of what."""
        return self.out.counts

    def add(self, record: Record) -> None:
        """Map one record."""
        self.table[type(record)](record)  # type: ignore[operator]

    def remark(self, record: Remark) -> None:
        """Count a remark."""
        self.remarks[record.about] += record.count

    def finish(self) -> None:
        """Count what was assumed."""
        clock = self.out.clock
        if clock.assumed:
            self.remarks[f"{ASSUMED_ZONE} {self.out.config.zone}"] += clock.assumed
        if clock.repeated_hour:
            self.remarks[REPEATED_HOUR] += clock.repeated_hour


def map_records(records: Iterable[Record], config: Config, known: set[str]) -> Mapping:
    """Map the records of one source.

    Args:
        records: the records of a reader.
        config: base of the IRIs and zone of naive times.
        known: what is shared and already written; kept by the caller from source to source.
    """
    mapping = Mapping(config, known)
    add = mapping.add
    for record in records:
        add(record)
    mapping.finish()
    return mapping
