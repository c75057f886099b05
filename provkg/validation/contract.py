"""What a pipeline's definition expects: what was captured must be what was defined."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import Triple

from provkg import identity
from provkg.model import Definition
from provkg.store import Graph
from provkg.validation.expectations import expectations
from provkg.validation.report import Finding
from provkg.validation.shapes import MODEL
from provkg.vocab import PROV, RDF_TYPE, RDFS_LABEL, VP


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
        if wanted is not None:
            return  # a part of a store is not expected to hold every step
        named = self._undescribed(graph)
        for description in sorted(defined.keys() - seen.keys()):
            step = defined[description]
            if step.name in named:
                text = f"{step.name} was seen {named[step.name]:,} times without a description: it is not checked."
                yield self._finding("Warning", "undescribed", description, text, line=step.line)
            else:
                text = f"{step.name} is defined and was never seen."
                yield self._finding("Warning", "unseen", description, text, line=step.line)
        for line, text in self.definition.odd:
            yield self._finding("Warning", "odd", "", f"In the definition, {text}.", line=line)

    def _undescribed(self, graph: Graph) -> Counter[str]:
        """Count the activities that have a name and no description, as those of RDF documents."""
        activities = {quad.subject.value for quad in graph.quads(None, RDF_TYPE, PROV.Activity)}  # type: ignore[union-attr]
        bare = (each for each in activities if not graph.objects(each, VP.activityDescription))
        return Counter(name for each in bare for name in graph.objects(each, RDFS_LABEL))

    def _finding(
        self, severity: str, rule: str, focus: str, message: str, *, value: str = "", line: int | None = None
    ) -> Finding:
        hints = {
            "undefined": "Define it, or find out who ran it.",
            "undescribed": "Give them vp:activityDescription: an RDF document says itself what its activities are.",
            "odd": "Correct the definition: nothing is checked by what cannot be read.",
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
