"""What a pipeline's definition expects: what was captured must be what was defined."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import Triple

from provkg import identity
from provkg.model import Definition
from provkg.store import Graph
from provkg.validation.expectations import expectations
from provkg.validation.report import Finding
from provkg.validation.shapes import MODEL
from provkg.vocab import VP


@dataclass(frozen=True)
class Contract:
    """A definition, and what the IRIs of the data begin with."""

    definition: Definition
    base: str

    def shapes(self) -> list[Triple]:
        """Return the shapes that the definition stands for."""
        return expectations(self.definition, self.base)

    def findings(self, graph: Graph, focus: Iterable[str] | None) -> Iterator[Finding]:
        """Find activities that nobody defined, and definitions that nobody followed.

        Args:
            graph: an open store.
            focus: the nodes to look at; None is all of them.
        """
        seen: dict[str, list[str]] = defaultdict(list)
        wanted = None if focus is None else frozenset(focus)
        for quad in graph.quads(None, VP.activityDescription):
            activity, description = quad.subject.value, quad.object.value  # type: ignore[union-attr]
            if wanted is None or activity in wanted:
                seen[description].append(activity)
        defined = {self.base + identity.activity_description(each.name): each for each in self.definition.activities}
        for description in sorted(seen.keys() - defined.keys()):
            first, count = min(seen[description]), len(set(seen[description]))
            name = next(iter(graph.objects(description, VP.name)), description)
            yield self._finding(
                "Violation", "undefined", first, f"{name} was seen {count:,} times and is not defined.", value=name
            )
        for description in sorted(defined.keys() - seen.keys()):
            activity_defined = defined[description]
            text = f"{activity_defined.name} is defined and was never seen."
            yield self._finding("Warning", "unseen", description, text, line=activity_defined.line)

    def _finding(
        self, severity: str, rule: str, focus: str, message: str, *, value: str = "", line: int | None = None
    ) -> Finding:
        hints = {
            "undefined": "Define it, or find out who ran it.",
            "unseen": "See whether the step still records provenance, or remove it from the definition.",
        }
        return Finding(
            severity=severity,
            message=message,
            hint=hints[rule],
            focus=focus,
            value=value,
            layer=MODEL,
            shape=f"model-{rule}",
            standard=self.definition.path,
            source=self.definition.path if line else "",
            line=line,
        )
