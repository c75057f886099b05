"""A rule that is broken, and what each rule is called."""

from dataclasses import dataclass

NAMES = {
    22: "key-object",
    23: "key-properties",
    24: "unique-generation",
    25: "unique-invalidation",
    26: "unique-wasStartedBy",
    27: "unique-wasEndedBy",
    28: "unique-startTime",
    29: "unique-endTime",
    30: "start-precedes-end",
    31: "start-start-ordering",
    32: "end-end-ordering",
    33: "usage-within-activity",
    34: "generation-within-activity",
    35: "wasInformedBy-ordering",
    36: "generation-precedes-invalidation",
    37: "generation-precedes-usage",
    38: "usage-precedes-invalidation",
    39: "generation-generation-ordering",
    40: "invalidation-invalidation-ordering",
    41: "derivation-usage-generation-ordering",
    42: "derivation-generation-generation-ordering",
    43: "wasStartedBy-ordering",
    44: "wasEndedBy-ordering",
    45: "specialization-generation-ordering",
    46: "specialization-invalidation-ordering",
    47: "wasAssociatedWith-ordering",
    48: "wasAttributedTo-ordering",
    49: "actedOnBehalfOf-ordering",
    50: "typing",
    51: "impossible-unspecified-derivation-generation-use",
    52: "impossible-specialization-reflexive",
    53: "impossible-property-overlap",
    54: "impossible-object-property-overlap",
    55: "entity-activity-disjoint",
    56: "membership-empty-collection",
}


@dataclass(frozen=True)
class Breach:
    """Rules that a node breaks together; ``value`` is the other node or time that shows it."""

    rules: tuple[int, ...]
    focus: str
    message: str
    advice: str
    value: str = ""

    @property
    def rule(self) -> str:
        """The rules as they are cited, such as ``c42``."""
        return " ".join(f"c{number}" for number in self.rules)

    @property
    def iri(self) -> str:
        """The IRI of the last of the rules."""
        return f"https://www.w3.org/TR/prov-constraints/#{NAMES[self.rules[-1]]}"

    @property
    def source(self) -> str:
        """Where the rules stand."""
        numbers = ", ".join(f"{number} ({NAMES[number]})" for number in self.rules)
        return f"PROV-CONSTRAINTS, constraint {numbers}"
