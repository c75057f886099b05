"""What a mapping writes: N-Triples lines by graph, edges, counts and remarks."""

from collections import Counter
from copy import copy
from dataclasses import dataclass, field, replace

from provkg.config import Config
from provkg.edges import Edges
from provkg.identity import canonical
from provkg.mapping.shared import Shared
from provkg.mapping.terms import Clock, Names, literal
from provkg.records import UNREADABLE_TIME, Properties, Typed
from provkg.shelves import Draft, Shelf
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, VP, XSD

EXTRA = "records with keys without a term (kept under pkg:extra)"
TOLD = {PKG.location, VP.entityDescription, PKG.dataLevel, PROV.specializationOf, RDFS_LABEL, VP.name, PKG.status}
_TIMES = (PROV.generatedAtTime, PROV.invalidatedAtTime)  # those of activities and relations have their own fields


@dataclass
class Statements:
    """The statements of one source.

    ``collections`` are the places that hold one, ``told`` the entities of which the catalogue says something.
    """

    config: Config
    known: set[str]
    source: list[str] = field(default_factory=list)
    edges: Edges = field(default_factory=Edges)
    remarks: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    collections: Shelf[str, bool] | Draft[str, bool] = field(default_factory=lambda: Shelf(str, bool))
    told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.names = Names(self.config.base)
        self.shared = Shared(self.names, self.known)
        self.clock = Clock(self.config.zone_info)

    def copy(self) -> "Statements":
        """Return the same statements, to which others can be added."""
        it = replace(self, source=[*self.source], edges=self.edges.copy(), told={*self.told})
        it.remarks, it.counts, it.collections = Counter(self.remarks), Counter(self.counts), Draft(self.collections)
        it.shared, it.clock = self.shared.copy(), copy(self.clock)
        return it

    def hold(self) -> None:
        """Type what the catalogue tells of and no relation of this source speaks of: so it stays with the source."""
        spoken_of = {each.used for each in self.edges.usages} | {each.place for each in self.edges.generations}
        spoken_of |= {end for link in self.edges.links for end in (link.subject, link.object)}
        self.source += [f"<{each}> <{RDF_TYPE}> <{PROV.Entity}> ." for each in sorted(self.told - spoken_of)]

    def forget(self) -> None:
        """Forget what was written, and keep what it means for what comes."""
        self.source, self.edges, self.remarks, self.counts = [], Edges(), Counter(), Counter()
        self.told = set()
        self.shared.forget()

    def time(self, subject: str, predicate: str, recorded: str, text: str) -> tuple[int | None, str]:
        """Write a time in UTC; where xsd:dateTime would lose digits (or the text is no time), keep the text too.

        Returns:
            microseconds since 1970 where it is a time, and the text as people are told it.
        """
        if not text:
            return None, ""
        try:
            shown, at = self.clock.read(text)
        except (ValueError, OverflowError):
            self.remarks[UNREADABLE_TIME] += 1
            self.source.append(f"{subject} <{recorded}> {literal(text)} .")
            return None, text
        self.source.append(f'{subject} <{predicate}> "{shown}"^^<{XSD}dateTime> .')
        if shown[-2] == "0" and "." in shown:
            self.source.append(f"{subject} <{recorded}> {literal(shown)} .")
        return at, shown

    def telling(self, subject: str, properties: Properties) -> None:
        """Note that the graph must be asked what people are told of a subject, if properties say something of it."""
        if any(predicate in TOLD for predicate, _ in properties):
            self.edges.asked.add(subject[1:-1])

    def properties(self, subject: str, properties: Properties, extra: dict[str, object]) -> None:
        """Write properties, and the keys without a term as JSON."""
        self.telling(subject, properties)
        for predicate, value in properties:
            text = value.text if isinstance(value, Typed) else value
            if predicate in _TIMES and isinstance(text, str):
                self.time(subject, predicate, PKG.recordedTime, text)
                continue
            self.source.append(f"{subject} {self.names.iri(predicate)} {self.names.value(value)} .")
        if extra:
            self.source.append(self.extra(subject, extra))

    def extra(self, subject: str, extra: dict[str, object]) -> str:
        """Keep what has no term: nothing a record says is lost."""
        self.remarks[EXTRA] += 1
        return f"{subject} <{PKG.extra}> {literal(canonical(extra))} ."
