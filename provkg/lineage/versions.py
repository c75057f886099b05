"""Which version of a place was meant: the evidence, in order.

The candidates come from the batch alone where the store held nothing before it, else from the store.
"""

from collections import defaultdict
from collections.abc import Iterable

from provkg import identity
from provkg.edges import Edges, Generation
from provkg.lineage.facts import Facts, Written
from provkg.vocab import PKG, PROV, RDF_TYPE, RESOLUTION

BY_CONTENT, BY_IDENTITY, BY_TIME, ASSUMED = PKG.byContent, PKG.byIdentity, PKG.byTime, PKG.assumed
Times = dict[str, tuple[int | None, int | None]]


def statement(base: str, subject: str, predicate: str, object_: str) -> str:
    """Return a line of N-Quads for the resolution graph."""
    return f"<{subject}> <{predicate}> <{object_}> <{base}{RESOLUTION}> .\n"


class Versions:
    """Answer which version was meant.

    Args:
        base: what the IRIs of the data begin with.
        facts: what the store says.
        named: all names of which this batch speaks.
        before: the names of which earlier batches may have spoken; of the others this batch knows all.
        lines: takes the first versions that answers need, as N-Quads.
    """

    def __init__(self, base: str, facts: Facts, named: set[str], before: set[str], lines: list[str]) -> None:
        self.base, self.facts, self.named, self.before, self.lines = base, facts, named, before, lines
        self.places: dict[str, str] = {}  # of the first versions
        self.by_place: dict[str, list[Written]] = {}
        self.by_digest: dict[str, list[Written]] = {}

    def know(self, generations: Iterable[Generation], times: Times, batch: Iterable[Edges]) -> None:
        """Take what a batch says, and what was looked up of the activities that it speaks of."""
        by_place, by_digest = defaultdict(list), defaultdict(list)
        places: defaultdict[str, set[str]] = defaultdict(set)
        for version, place in (pair for edges in batch for pair in edges.places.items()):
            places[version].add(place)
        for each in generations:
            start, end = times.get(each.activity, (None, None))
            written = Written(each.version, each.activity, start, end, each.digest, each.product)
            for place in places[each.version] | {each.place}:
                by_place[place].append(written)
            if each.digest:
                by_digest[each.digest].append(written)
        self.by_place = {place: found for place, found in by_place.items() if not self.asked(place)}
        self.by_digest = {digest: found for digest, found in by_digest.items() if not self.asked(digest)}

    def asked(self, name: str) -> bool:
        """Say whether the store must be asked of a name: batches before spoke of it, or this one does not."""
        return name in self.before or name not in self.named

    def written(self, place: str) -> list[Written]:
        """Return all versions ever written at a place."""
        if place not in self.by_place:
            self.by_place[place] = self.facts.written(place) if self.asked(place) else []
        return self.by_place[place]

    def with_digest(self, digest: str) -> list[Written]:
        """Return all versions ever written with a content digest."""
        if digest not in self.by_digest:
            self.by_digest[digest] = self.facts.with_digest(digest) if self.asked(digest) else []
        return self.by_digest[digest]

    def is_place(self, iri: str) -> bool:
        """Say whether an IRI is a place, of which there are versions."""
        return iri.startswith(self.base) and identity.is_place(iri[len(self.base) :])

    def version(self, used: str, activity: str, at: int | None, digest: str) -> tuple[str | None, str]:
        """Say which version of ``used`` was there at a time, and by what evidence."""
        if not self.is_place(used):
            return self.of_entity(used, activity, at)
        candidates = [each for each in self.written(used) if each.activity != activity]
        if digest:
            same = [each for each in self.with_digest(digest) if each.activity != activity]
            here = [each for each in same if each in candidates]
            best = _last(here, at) if here else _last(same, at) if len(same) == 1 else None
            if best is not None:
                return best.version, BY_CONTENT
            candidates = [each for each in candidates if not each.digest]
        found = _last(candidates, at)
        if found is not None:
            return found.version, BY_TIME
        if candidates and at is None:
            return None, ""
        if digest:  # nobody recorded making these bytes, but they are known bytes
            return self.first_version(used, digest), BY_CONTENT
        return self.first_version(used, ""), ASSUMED

    def of_entity(self, entity: str, activity: str, at: int | None) -> tuple[str, str]:
        """Resolve an entity known by its own id: itself, unless a version elsewhere carries that id."""
        if entity.startswith(self.base + "entity/") and not self.facts.is_generated(entity):
            carrying = self.facts.claiming_product(entity.rpartition("/")[2])
            claimed = [version for version in carrying if activity not in self.facts.makers(version)]
            if len(claimed) == 1:
                return claimed[0], BY_IDENTITY
            for place in self.facts.places_of(entity):
                others = [each for each in self.written(place) if each.activity != activity]
                found = _last([each for each in others if not self.has_product(each)], at)
                if found is not None:
                    return found.version, BY_TIME
        return entity, BY_IDENTITY

    def has_product(self, written: Written) -> bool:
        """Say whether a version carries a product id, and so is not another product."""
        return bool(written.product) or self.facts.has_product(written.version)

    def first_version(self, place: str, digest: str) -> str:
        """Name and describe the version that lay at a place before anything was recorded, or with a digest."""
        version = self.base + identity.version(place.removeprefix(self.base), digest)
        if version not in self.places:
            self.places[version] = place
            facts = [(RDF_TYPE, PROV.Entity), (PROV.specializationOf, place)]
            facts += [(PKG.contentDigest, digest)] if digest else []
            self.lines += [statement(self.base, version, predicate, value) for predicate, value in facts]
        return version


def _last(candidates: list[Written], at: int | None) -> Written | None:
    """Return the last version whose making had ended at a time."""
    if at is None:
        return None
    ended = [each for each in candidates if each.end is not None and each.end <= at]
    return max(ended, key=lambda each: (each.end, each.start or 0, each.version), default=None)
