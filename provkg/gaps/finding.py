"""Find the gaps: one for each record or file that is missing, with the number of products that it leaves in doubt.

A gap is told once, where it is: what follows from it is counted in it. A product of a level above raw data whose
history reaches no raw data is a broken chain; it is told at the step or file where the chain breaks, unless another gap
is there.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from provkg.gaps.gap import KINDS, Cell, Gap, Gaps
from provkg.gaps.listing import Listing
from provkg.gaps.recorded import RAW, Call, Recorded, recorded, usual
from provkg.lineage.index import Index, index_of
from provkg.model import Definition
from provkg.store import Graph

_LEVEL = re.compile(r"(?:^|/)(R0|R1|DL[0-6])(?=/)")
_UNKNOWN = "?"


def gaps(graph: Graph, listing: Listing, *, definition: Definition | None = None, nights: Iterable[str] = ()) -> Gaps:
    """Compare an archive with the graph.

    Args:
        graph: an open store.
        listing: what lies in the archive.
        definition: the steps that are defined; those that were ingested when None.
        nights: only these observation dates; all when empty.
    """
    finding = _Finding(index_of(graph), recorded(graph, definition), listing)
    wanted = {each.replace("-", "") for each in nights}
    found = finding.all()
    kept = [each for each in found if not wanted or each.night in wanted]
    cells = [cell for cell in finding.matrix() if not wanted or cell.night in wanted]
    return Gaps(
        roots=listing.roots,
        matrix=tuple(cells),
        gaps=tuple(sorted(kept, key=lambda each: (KINDS.index(each.kind), -each.behind, -each.number, each[1:4]))),
        assumed=dict(sorted(finding.assumed.items())),
        unread=tuple(error.message for error in listing.unread),
    )


class _Finding:
    """The gaps of one archive. Products are numbers of the lineage index."""

    def __init__(self, index: Index, known: Recorded, listing: Listing) -> None:
        self.index, self.known, self.listing = index, known, listing
        self.assumed: Counter[str] = Counter()
        self.at: dict[str, list[int]] = defaultdict(list)
        for number, location in enumerate(known.location):
            if location:
                self.at[location].append(number)
        self.made_kinds = {known.kind[number] for number in known.makers} - {""}
        self.made_kinds |= {kind for kinds in known.steps.values() for kind in kinds}
        self.reads: dict[int, set[int]] = defaultdict(set)
        self.doubtful: set[int] = set()  # products behind a gap that is told
        self.cells: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        self.calls = {iri: number for number, iri in enumerate(known.activity)}
        self.usual = usual(known.calls.values())

    def all(self) -> list[Gap]:
        """Return all gaps; those that explain others come first."""
        silent = dict(self.silent())
        orphans = [*self.files(silent)]
        ghosts = [*self.ghosts()]
        unfinished = [*self.unfinished()]
        missing = [*self.missing()]
        unread = [*self.unread()]
        steps = [
            Gap("silent step", night, "", step, count, 0, "look for its logs, or whether it was run")
            for (night, step), count in silent.items()
        ]
        return [*steps, *orphans, *ghosts, *unfinished, *missing, *unread, *self.broken()]

    # Of what is where

    def call(self, number: int) -> Call:
        """Return an activity by its number."""
        return self.known.calls.get(self.known.activity[number], Call(self.known.activity[number]))

    def night(self, numbers: Iterable[int], path: str) -> str:
        """Return the night of a product: of its maker's session, else one that its path names, which is counted."""
        for number in numbers:
            for via in self.known.makers.get(number, ()):
                if self.call(via).night:
                    return self.call(via).night
        for part in path.split("/"):
            if part in self.known.nights:
                self.assumed["nights taken from the path"] += 1
                return part
        return _UNKNOWN

    def level(self, numbers: Iterable[int], path: str) -> str:
        """Return the level of a product: as it is recorded, else one that its path names, which is counted."""
        told = max((self.known.level[number] for number in numbers), default="")
        if told:
            return told.split()[-1]
        match = _LEVEL.search(path)
        if match and not list(numbers):
            self.assumed["levels taken from the path"] += 1
            return match[1]
        return _UNKNOWN

    def behind(self, numbers: Iterable[int]) -> int:
        """Count what was made from some products, and take note that it is in doubt."""
        starts = np.array(sorted(set(numbers)), np.uint32)
        if not len(starts):
            return 0
        found = set(self.index.closure(starts, down=True).tolist())
        self.doubtful |= found | set(starts.tolist())
        return len(found)

    def matrix(self) -> Iterator[Cell]:
        """Give the cells, by night and level."""
        for (night, level), numbers in sorted(self.cells.items()):
            yield Cell(night, level, *numbers)

    # Kinds of gaps

    def silent(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Give the steps that are defined and of which a night has no activity; counted is filled in later."""
        seen = {(call.night, call.label) for call in self.known.calls.values()}
        nameless = {
            number
            for number, iri in enumerate(self.known.activity)
            if iri in self.known.calls and not self.call(number).label
        }
        kinds = {
            self.known.kind[product] for product, makers in self.known.makers.items() if nameless.intersection(makers)
        }
        for night in self.known.nights:
            for step, made in self.known.steps.items():
                if (night, step) not in seen and not made & kinds:
                    yield (night, step), 0

    def files(self, silent: dict[tuple[str, str], int]) -> Iterator[Gap]:
        """Look at each file of the archive, and give the orphans; those of a silent step are counted there."""
        orphans: dict[tuple[str, str, str, bool], list[str]] = defaultdict(list)
        for path in sorted(self.listing.paths):
            numbers = self.at.get(path, [])
            made = any(number in self.known.makers for number in numbers)
            night, level = self.night(numbers, path), self.level(numbers, path)
            raw = level in RAW
            kinds = {self.known.kind[number] for number in numbers}
            if not made and not raw and numbers and not kinds & self.made_kinds:
                self.assumed["files from outside, of a kind that no step makes (left out)"] += 1
                continue
            if raw and not numbers:
                self.assumed["raw files that nobody used (left out)"] += 1
                continue
            cell = self.cells[night, level]
            cell[0] += 1
            cell[1] += made or raw
            if made or raw:
                continue
            step = next(
                (key for key in silent if key[0] in (night, _UNKNOWN) and self.known.steps[key[1]] & kinds), None
            )
            if step is not None:
                silent[step] += 1
                self.behind(numbers)
                continue
            orphans[path.rpartition("/")[0], night, level, bool(numbers)].append(path)
        for (folder, night, level, is_known), paths in orphans.items():
            told = "nobody recorded making it" if is_known else "the graph does not know it"
            behind = self.behind(number for path in paths for number in self.at.get(path, ()))
            what = paths[0] if len(paths) == 1 else f"{folder}/"
            yield Gap(
                "orphan", night, level, what, len(paths), behind, f"{told}: look for the log of the step that did"
            )

    def ghosts(self) -> Iterator[Gap]:
        """Give what was made and lies under the roots no more."""
        roots = tuple(root.rstrip("/") + "/" for root in self.listing.roots)
        found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for path, numbers in self.at.items():
            if path.startswith(roots) and path not in self.listing.paths and self.known.makers.keys() & set(numbers):
                night, level = self.night(numbers, path), self.level(numbers, path)
                self.cells[night, level][2] += 1
                found[path.rpartition("/")[0], night, level].append(path)
        for (folder, night, level), paths in sorted(found.items()):
            what = paths[0] if len(paths) == 1 else f"{folder}/"
            yield Gap("ghost", night, level, what, len(paths), 0, "it was made and is not there: moved, or removed?")

    def unfinished(self) -> Iterator[Gap]:
        """Give the activities of which a record is missing: their start, their end, or that of their session."""
        sessions: dict[str, list[Call]] = defaultdict(list)
        in_session = {call.label for call in self.known.calls.values() if call.session}
        for call in self.known.calls.values():
            made = self.made_by([call])
            if not call.start:
                yield self.of_call(call, "start", "its start is not recorded: look for a torn line", made)
            elif not call.end:
                yield self.of_call(
                    call, "end", "its end is not recorded: it runs, was killed, or its last record is lost", made
                )
            if not call.session_known and (call.session or call.label in in_session):
                sessions[call.session or call.tag].append(call)
        for session, calls in sorted(sessions.items()):
            advice = "the record of their session is missing: nothing tells their night, run and software"
            yield Gap("unfinished", _UNKNOWN, "", f"session {session}".rstrip(), len(calls), 0, advice)

    def of_call(self, call: Call, what: str, advice: str, made: list[int]) -> Gap:
        """Return the gap of one activity."""
        name = f"{what} of {call.label or 'an activity'} {call.start}".rstrip()
        doubtful = {number for each in made for number in self.at.get(self.known.location[each], [each])}
        return Gap("unfinished", call.night or _UNKNOWN, "", name, 1, self.behind(doubtful), f"{advice} <{call.iri}>")

    def made_by(self, calls: Iterable[Call]) -> list[int]:
        """Return what activities made."""
        if not self.reads:
            for product, vias in self.known.makers.items():
                for via in vias:
                    self.reads[via].add(product)
        return [product for call in calls for product in self.reads.get(self.calls.get(call.iri, -1), ())]

    def missing(self) -> Iterator[Gap]:
        """Give the activities that read nothing in a role in which nearly all others of their type do."""
        for call in self.known.calls.values():
            roles = self.usual.get(call.label, set()) - call.roles.keys()
            if not roles or not (call.start and call.end):
                continue
            made = self.made_by([call])
            kind = "broken chain" if any(self.is_broken(each) for each in made) else "missing input"
            what = f"{call.label} {call.start} reads nothing as {', '.join(map(repr, sorted(roles)))}"
            advice = f"others of its type do: look for a lost record <{call.iri}>"
            yield Gap(kind, call.night or _UNKNOWN, "", what, 1, self.behind(made), advice)

    def unread(self) -> Iterator[Gap]:
        """Give the products that no step reads of a type that reads nearly all others of their kind, many at once."""
        many = {call.label for call in self.known.calls.values() if max(call.roles.values(), default=0) > 1}
        edges = self.index.edges()
        read: dict[tuple[str, str], set[str]] = defaultdict(set)
        for node, via in set(zip(edges.node.tolist(), edges.via.tolist(), strict=True)):
            label = self.call(via).label
            if label in many:
                read[label, self.known.kind[node]].add(self.known.location[node])
        for (label, kind), locations in sorted(read.items()):
            every = {self.known.location[each] for each in self.known.makers if self.known.kind[each] == kind} - {""}
            rest = sorted(every - locations)
            if kind and rest and len(every) >= 4 and 10 * len(every & locations) >= 9 * len(every):
                for path in rest:
                    numbers = self.at[path]
                    advice = f"{label} reads all others of its kind: look for a lost record"
                    yield Gap("unread", self.night(numbers, path), self.level(numbers, path), path, 1, 0, advice)

    def is_broken(self, number: int) -> bool:
        """Say whether a product of a level above raw data was made, and not from raw data."""
        above = bool(self.known.level[number]) and not self.known.is_raw(number)
        return above and number in self.known.makers and not bool(self.known.from_raw[number])

    def broken(self) -> Iterator[Gap]:
        """Give the chains that break where no other gap is: at a product that nobody recorded making, or at a step."""
        for number in sorted(self.known.makers):
            if number in self.doubtful or not self.is_broken(number):
                continue
            origins = self.known.inputs.get(number, set())
            if any(self.is_broken(each) for each in origins):
                continue
            path = self.known.location[number]
            unmade = [
                each for each in origins if each not in self.known.makers and self.known.kind[each] in self.made_kinds
            ]
            labels = {self.call(via).label for via in self.known.makers[number]}
            if unmade:
                what, advice = (
                    self.known.location[min(unmade)],
                    "nobody recorded making it: look for the log of the step that made it",
                )
            else:
                what, advice = path, f"{', '.join(sorted(labels))} read nothing that comes from raw data"
            night, level = self.night([number], path), self.level([number], path)
            yield Gap("broken chain", night, level, what, 1, self.behind([*unmade, number]), advice)
