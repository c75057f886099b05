"""The order of steps: each after those that made what it read."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from provkg.histories.history import Product, Step


def in_order(steps: Iterable[Step], products: dict[str, Product]) -> Iterator[Step]:
    """Give steps so that each comes after those that made what it read; by start and name where that leaves a choice.

    Steps of a circle, which only a wrong record can make, come last.
    """
    left = {step.iri: step for step in sorted(steps, key=lambda step: (step.start, step.label, step.iri))}
    makers: dict[str, set[str]] = defaultdict(set)
    for step in left.values():
        for output in step.outputs:
            makers[output.product].add(step.iri)
    needs = {iri: _needed(step, products, makers) - {iri} for iri, step in left.items()}
    waiting: dict[str, set[str]] = defaultdict(set)
    for iri, needed in needs.items():
        for each in needed:
            waiting[each].add(iri)
    ready = [iri for iri in left if not needs[iri]]
    while ready:
        following = []
        for iri in ready:
            yield left.pop(iri)
            for other in waiting[iri]:
                needs[other].discard(iri)
                if not needs[other]:
                    following.append(other)
        ready = sorted(following, key=lambda iri: (left[iri].start, left[iri].label, iri))
    yield from left.values()


def _needed(step: Step, products: dict[str, Product], makers: dict[str, set[str]]) -> set[str]:
    """Return the steps that made what a step read, or what that was derived from."""
    todo, seen, found = [each.product for each in step.inputs], set(), set()
    while todo:
        product = todo.pop()
        if product in seen or not product:
            continue
        seen.add(product)
        found |= makers.get(product, set())
        if product in products:
            todo += products[product].origins
    return found
