"""PROV-CONSTRAINTS for what shapes cannot say: merging, typing by inference, and the order of events.

https://www.w3.org/TR/prov-constraints/. The rules that one node shows (22, 23, 28, 29, 51, 53 to 56) are shapes of
the layer ``prov-constraints``; the others are here, for one bundle at a time. Inferences 5 to 21 are applied where a
constraint needs them: 7 and 8 (every entity and activity has its events), 9 and 10, 11, 19.
"""

from collections.abc import Iterator

from provkg.validation.constraints.breach import NAMES, Breach
from provkg.validation.constraints.bundle import Bundle, read
from provkg.validation.constraints.events import events
from provkg.validation.constraints.ordering import anachronisms, cycles
from provkg.validation.constraints.typing import impossible, types
from provkg.validation.constraints.unification import implied, merged

__all__ = ["NAMES", "Breach", "Bundle", "breaches", "dated", "read"]


def breaches(bundle: Bundle) -> Iterator[Breach]:
    """Find what makes a bundle invalid."""
    whole = implied(bundle)
    yield from merged(whole)
    found = types(whole)
    yield from impossible(whole, found)
    if whole.of("derivation"):  # the only strict order is theirs
        yield from cycles(events(whole, found))


def dated(bundle: Bundle) -> Iterator[Breach]:
    """Find times that contradict the order of events; PROV itself compares no times."""
    whole = implied(bundle)
    yield from anachronisms(events(whole, types(whole)))
