"""Recipe digests: one digest for all that made a product, so that "the same computation?" is one comparison.

The digest of a step is over its type, software, packages, parameters, configuration, its command, and for each input
its role and the recipe digest of what was read; that of a product is over the step that made it and its place among
what that made. What nobody recorded making stands for itself: by the digest of its bytes, else by its own id, else by
its path, which is weaker and marked. Paths of inputs and outputs, times, hosts and ids are no part of it.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from provkg.histories.history import History, Output, Product, Step
from provkg.identity import canonical, to_bytes

_NOWHERE = "an input of which nothing is known"


@dataclass(frozen=True)
class Recipes:
    """The recipe digests of a history.

    Args:
        products: of each product, by IRI.
        steps: of each step, by IRI.
        by_path: products whose digest rests on a path somewhere: bytes that nobody digested may have changed.
    """

    products: dict[str, str]
    steps: dict[str, str]
    by_path: frozenset[str]


class Match(NamedTuple):
    """Two products, and what is the same and what is not."""

    finding: str
    step: str
    first: str
    second: str
    recipe: str
    digest: str


def recipes_of(history: History) -> Recipes:
    """Return the recipe digests of the products and steps of a history."""
    digesting = _Digesting(history)
    for step in history.steps:
        digesting.step(step)
    for product in history.products:
        digesting.product(product)
    return Recipes(digesting.products, digesting.steps, frozenset(digesting.by_path))


class _Digesting:
    """Digest one step after the other; what a step needs comes before it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.products: dict[str, str] = {}
        self.steps: dict[str, str] = {}
        self.by_path: set[str] = set()

    def step(self, step: Step) -> None:
        """Digest a step and what it made."""
        read = sorted((each.role, self.product(each.product)) for each in step.inputs)
        facts = {
            "type": step.label,
            "software": step.process.software,
            "packages": sorted({each for name in step.process.environments for each in self._packages(name)}),
            "parameters": step.parameters,
            "configuration": step.process.configuration_digests or step.process.configuration,
            "command": self.command(step),
            "inputs": read,
        }
        self.steps[step.iri] = digest = _digest("step", facts)
        weak = any(each.product in self.by_path or not each.product for each in step.inputs)
        for output, place in _places(step, self.history.products):
            origins = sorted(self.product(each) for each in self._product(output.product).origins)
            self.products[output.product] = _digest("product", [digest, place, origins])
            if weak or self.by_path.intersection(self._product(output.product).origins):
                self.by_path.add(output.product)

    def _packages(self, environment: str) -> tuple[tuple[str, str], ...]:
        return self.history.packages.get(environment, ())

    def _product(self, iri: str) -> Product:
        return self.history.products.get(iri, Product(iri))

    def command(self, step: Step) -> list[str]:
        """Return the command of a step's own process; where it names an input or output, the role stands for the path.

        The command of a session is that of many steps, and says nothing of one of them.
        """
        process = step.process
        if process.iri != step.iri:
            return []
        roles = [*((each.product, f"<{each.role}") for each in step.inputs)]
        roles += [(each.product, f">{each.role}") for each in step.outputs]
        named = {
            spelled: role
            for product, role in roles
            for spelled in _spellings(self._product(product).location, process.directory)
        }
        program, *rest = process.arguments or ("",)  # where it is installed says nothing of what it does
        return [program.rpartition("/")[2], *(_renamed(each, named) for each in rest)]

    def product(self, iri: str) -> str:
        """Return the digest of a product: made by a step before, drawn from others, or from outside."""
        todo, begun = [iri] if iri else [], set[str]()
        while todo:
            origins = self._product(todo[-1]).origins
            before = [each for each in origins if each not in self.products and each not in begun]
            begun.add(todo[-1])  # a circle of derivations ends here
            if not before:
                self.take(self._product(todo.pop()))
            todo += before
        return self.products.get(iri, _NOWHERE)

    def take(self, product: Product) -> None:
        """Digest a product that no step made."""
        if product.iri in self.products:
            return
        known = [self.products[each] for each in product.origins if each in self.products]
        if known:
            self.products[product.iri] = _digest("drawn", sorted(known))
        elif product.digests:
            self.products[product.iri] = _digest("bytes", list(product.digests))
        elif product.product_id:
            self.products[product.iri] = _digest("id", product.product_id)
        else:
            self.products[product.iri] = _digest("path", product.location or product.iri)
            self.by_path.add(product.iri)
        if self.by_path.intersection(product.origins):
            self.by_path.add(product.iri)


def _places(step: Step, products: dict[str, Product]) -> Iterator[tuple[Output, list[object]]]:
    """Give what a step made with its place among it: the role, and the number by file name where a role is shared."""
    by_role: dict[str, list[Output]] = defaultdict(list)
    for output in step.outputs:
        by_role[output.role].append(output)
    for role, outputs in by_role.items():
        named = sorted(outputs, key=lambda each: (products[each.product].location.rpartition("/")[2], each.product))
        yield from ((output, [role, number]) for number, output in enumerate(named))


def _spellings(location: str, directory: str) -> Iterable[str]:
    if not location:
        return ()
    return (location, os.path.relpath(location, directory)) if directory else (location,)


def _renamed(argument: str, named: dict[str, str]) -> str:
    """Return an argument, or the role of the file that it names, as it is or after ``=``."""
    option, is_option, value = argument.partition("=")
    if argument in named:
        return named[argument]
    return f"{option}={named[value]}" if is_option and value in named else argument


def _digest(kind: str, facts: object) -> str:
    return sha256(to_bytes(canonical([kind, facts]))).hexdigest()


# What digests tell of a store


def compared(history: History, recipes: Recipes) -> list[Match]:
    """Return what recipes and bytes tell of each other, over all steps of a history.

    ``same recipe, different bytes``: a step is not deterministic, or something was not recorded. ``different recipe,
    same bytes``: the difference did not matter. ``done twice``: the same recipe by two steps; their bytes are the
    same, or one of them has no digest.
    """
    made = [
        (step, output.product, recipes.products[output.product]) for step in history.steps for output in step.outputs
    ]
    by_recipe: dict[str, list[tuple[Step, str]]] = defaultdict(list)
    by_bytes: dict[str, list[tuple[Step, str]]] = defaultdict(list)
    for step, product, recipe in made:
        by_recipe[recipe].append((step, product))
        for digest in history.products[product].digests:
            by_bytes[digest].append((step, product))
    found = [each for recipe, group in by_recipe.items() for each in _same_recipe(history, recipes, recipe, group)]
    found += [each for digest, group in by_bytes.items() for each in _same_bytes(history, recipes, digest, group)]
    return sorted(found)


def _same_recipe(history: History, recipes: Recipes, recipe: str, group: list[tuple[Step, str]]) -> Iterator[Match]:
    (first, one), *others = group
    before = history.products[one]
    for step, other in others:
        after = history.products[other]
        if step.iri == first.iri:
            continue
        algorithms = [{each.partition(":")[0] for each in product.digests} for product in (before, after)]
        if not algorithms[0] & algorithms[1]:
            finding = "done twice"
        elif set(before.digests) & set(after.digests):
            finding = "done twice, same bytes"
        elif other in recipes.by_path:
            finding = "same recipe as far as paths tell, different bytes"
        else:
            finding = "same recipe, different bytes"
        yield Match(finding, step.label, before.shown, after.shown, recipe, ", ".join(after.digests))


def _same_bytes(history: History, recipes: Recipes, digest: str, group: list[tuple[Step, str]]) -> Iterator[Match]:
    (_, one), *others = group
    for step, other in others:
        if recipes.products[one] != recipes.products[other]:
            first, second = (history.products[each].shown for each in (one, other))
            yield Match("different recipe, same bytes", step.label, first, second, recipes.products[other], digest)
