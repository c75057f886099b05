"""What a history is made of: steps with all that they consumed, and what is known of each product."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class Input(NamedTuple):
    """What a step read: in which role, which version, and how that is known; no version where nothing tells."""

    role: str
    product: str
    evidence: str


class Output(NamedTuple):
    """What a step made, and in which role."""

    role: str
    product: str


@dataclass(frozen=True)
class Product:
    """What is known of a product; ``origins`` are what it was derived from or has as members."""

    iri: str
    location: str = ""
    name: str = ""
    levels: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    product_id: str = ""
    place: str = ""
    in_memory: bool = False
    origins: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What to call it."""
        return self.location or self.name or self.iri

    @property
    def is_raw(self) -> bool:
        """Say whether it is raw data, which nothing on record makes."""
        return any(level in ("R0", "R1", "DL0") for level in self.levels)


@dataclass(frozen=True)
class Process:
    """A process with a command line: an activity of its own, or a session in which several happened."""

    iri: str
    arguments: tuple[str, ...] = ()
    directory: str = ""
    host: str = ""
    environments: tuple[str, ...] = ()
    software: tuple[tuple[str, str], ...] = ()
    agents: tuple[str, ...] = ()
    configuration: tuple[str, ...] = ()
    configuration_digests: tuple[str, ...] = ()
    night: str = ""
    run: str = ""


@dataclass(frozen=True)
class Step:
    """An activity: when it was and how it ended, what it was configured by, what it read and what it made."""

    iri: str
    label: str
    start: str
    end: str
    status: str
    script: str
    process: Process
    parameters: tuple[tuple[str, str], ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    sources: tuple[tuple[str, str], ...] = ()  # file and line of each of its records


@dataclass(frozen=True)
class History:
    """The steps that led to products, each after those that made what it read."""

    targets: tuple[str, ...]
    steps: tuple[Step, ...]
    products: dict[str, Product] = field(repr=False)
    packages: dict[str, tuple[tuple[str, str], ...]] = field(repr=False)

    @cached_property
    def makers(self) -> dict[str, list[Step]]:
        """The steps that made each product."""
        found: dict[str, list[Step]] = defaultdict(list)
        for step in self.steps:
            for output in step.outputs:
                found[output.product].append(step)
        return dict(found)

    def outside(self) -> list[Product]:
        """Return what was read and nobody recorded making, by location."""
        read = {each.product for step in self.steps for each in step.inputs if each.product}
        read |= {origin for product in self.products.values() for origin in product.origins}
        found = [self.products[each] for each in read if each not in self.makers and each in self.products]
        return sorted((each for each in found if not each.origins), key=lambda each: (each.location, each.iri))
