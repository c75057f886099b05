"""Which activities a view is of: those of a run, of a night, or those that led to a product or came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pyoxigraph import Literal

from provkg.errors import InputError, NotFound
from provkg.histories.facts import rows
from provkg.lineage import find_one
from provkg.lineage.index import Index, index_of
from provkg.lineage.index.layer import NODE
from provkg.rollup.rules import Rules
from provkg.store import Graph
from provkg.vocab import PKG, PROV, VP

DIRECTIONS = ("up", "down", "both")
_OF_RUN = (PKG.run, PKG.pedestalRun, PKG.calibrationRun)
_EVERY = f"""SELECT DISTINCT ?a WHERE {{ ?a a <{PROV.Activity}> FILTER NOT EXISTS {{ ?a a <{PKG.Session}> }} }}"""


@dataclass(frozen=True)
class Scope:
    """What a view is of; one of product, run and night, or none for the whole store.

    Args:
        product: a path, name, IRI or digest.
        run: a run number, with zeros or without.
        night: an observation date, ``YYYYMMDD``.
        direction: ``up`` to what it came from, ``down`` to what came of it, ``both``.
        depth: how many steps; all when None.
        own: only the activities of the run or night, without what they came from.
        calibration: ``PEDESTALRUN-CALIBRATIONRUN``, whose activities are taken in, whether or not the run read what
            they made.
        names: IRIs of activities and products, in the place of all these: they, and what made the products.
    """

    product: str = ""
    run: str = ""
    night: str = ""
    direction: str = "up"
    depth: int | None = None
    own: bool = False
    calibration: str = ""
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(map(bool, (self.product, self.run, self.night))) > 1:
            raise InputError("a view is of a product, of a run or of a night", hint="name one of them")
        if self.direction not in DIRECTIONS:
            raise InputError(f"there is no direction {self.direction!r}", hint=f"one of {', '.join(DIRECTIONS)}")
        if self.calibration and not re.fullmatch(r"\d+-\d+", self.calibration):
            raise InputError(f"{self.calibration!r} is no calibration", hint="such as 01804-01809")


class Found(NamedTuple):
    """Activities of a view, products from which it goes on, and what it is a view of."""

    activities: list[str]
    products: list[str]
    focus: tuple[str, ...]


def find(graph: Graph, scope: Scope, rules: Rules, site: str) -> Found:
    """Return what a view begins with: the product, the activities of the run or of the night, or all activities.

    Raises:
        NotFound: nothing answers to the name, the run or the night.
        Ambiguous: several products do.
    """
    if scope.product:
        focus = find_one(graph, scope.product, site=site).iri
        return Found([], [focus], (focus,))
    if scope.names:
        products = [name for name in scope.names if index_of(graph).find(name) is not None]
        made = {name for [name] in rows(graph, products, "?s prov:wasGeneratedBy ?a", "a")}
        known = {name for [name] in rows(graph, scope.names, "?s a prov:Activity", "s")}
        return Found(sorted(made | known), products, ())
    if not (scope.run or scope.night):
        return Found(sorted(name for [name] in graph.texts(_EVERY)), [], ())
    own = _of_run(graph, scope.run, rules) if scope.run else _of_night(graph, scope.night)
    own |= _of_calibration(graph, scope.calibration) if scope.calibration else set()
    if not own:
        what = f"run {scope.run}" if scope.run else f"night {scope.night}"
        raise NotFound(f"no activity is of {what}", hint="provkg ask night-overview lists nights and runs")
    return Found(sorted(own), [], ())


def around(index: Index, names: Iterable[str], scope: Scope) -> tuple[list[str], list[str]]:
    """Return the activities and the products that lie up or down from some products, as a scope says."""
    _, numbers = index.numbered(map(index.name, names), NODE)
    start = np.array(sorted(numbers.values()), np.uint32)
    makers, reached = np.zeros(0, np.uint32), start
    if scope.direction != "down":
        before = None if scope.depth is None else scope.depth - 1
        makers = index.makers(np.union1d(start, index.closure(start, down=False, depth=before)))
        reached = np.union1d(reached, index.closure(start, down=False, depth=scope.depth))
    if scope.direction != "up":
        below = index.closure(start, down=True, depth=scope.depth)
        makers, reached = np.union1d(makers, index.makers(below)), np.union1d(reached, below)
    return sorted(index.activities(makers)), sorted(index.iris(reached))


def _of_night(graph: Graph, night: str) -> set[str]:
    """Return the activities of a night: those of its sessions."""
    said = Literal(night.replace("-", ""))
    query = f"SELECT ?a WHERE {{ ?s <{PKG.observationDate}> {said} . ?a <{PKG.inSession}> ?s }}"
    return {name for [name] in graph.texts(query)}


def _of_run(graph: Graph, run: str, rules: Rules) -> set[str]:
    """Return the activities of a run: a parameter says so, or their session, which may be that of several runs."""
    spelled = _spelled(run)
    in_session = _in_sessions(graph, {each for term in _OF_RUN for each in _having(graph, term, run)})
    names = {place.what for place in rules.keys.get("run", ()) if place.kind == "parameter"}
    parameters = {each for name in names for each in graph.subjects(VP.name, Literal(name))}
    here = {each for each in parameters if {*graph.objects(each, PROV.value)} & spelled}
    configured = {name for some in graph.subjects_of(VP.wasConfiguredBy, here).values() for name in some}
    said = rows(graph, in_session, "?s vp:wasConfiguredBy ?o", "s", "o")
    elsewhere = {activity for activity, parameter in said if parameter in parameters - here}
    return configured | (in_session - elsewhere)


def _of_calibration(graph: Graph, calibration: str) -> set[str]:
    """Return the activities of the sessions of a pedestal run and a calibration run.

    Raises:
        NotFound: there are none.
    """
    pedestal, _, charge = calibration.partition("-")
    found = _in_sessions(graph, _having(graph, PKG.pedestalRun, pedestal) & _having(graph, PKG.calibrationRun, charge))
    if not found:
        raise NotFound(
            f"no activity is of calibration {calibration}", hint="the pedestal run, then the calibration run"
        )
    return found


def _having(graph: Graph, term: str, run: str) -> set[str]:
    return {each for text in _spelled(run) for each in graph.subjects(term, Literal(text))}


def _spelled(run: str) -> set[str]:
    """Return a run number in the ways in which it is recorded."""
    number = run.removeprefix("Run").lstrip("0")
    return {run, number.zfill(5), number}


def _in_sessions(graph: Graph, sessions: Iterable[str]) -> set[str]:
    return {name for names in graph.subjects_of(PKG.inSession, sessions).values() for name in names}
