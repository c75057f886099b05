"""Judge the facts of a history by the shapes of ``shapes/grades``: each says which letter its breach leaves."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from pyoxigraph import NamedNode

from provkg.store import Row, Term, text_of
from provkg.validation import Data, load
from provkg.validation.engines import chosen, run
from provkg.validation.shapes import Shape
from provkg.vocab import PKG, PROV, RDF_TYPE, SH

LAYER = "grades"
SCALES = ("traceability", "reproducibility")


@dataclass(frozen=True)
class Rule:
    """A shape, its scale, the letter that is left where it is broken, and the class that it judges."""

    shape: Shape
    scale: str
    leaves: str
    target: str


@dataclass(frozen=True)
class Criterion:
    """How many of all meet a rule, and the letter that is left: ``A`` where all do."""

    scale: str
    grade: str
    name: str
    met: int
    all: int
    advice: str

    @property
    def missing(self) -> int:
        """How many do not meet it."""
        return self.all - self.met


@dataclass(frozen=True)
class Grades:
    """The letters of a product, by scale, with the criteria that they come from."""

    criteria: tuple[Criterion, ...]

    def of(self, scale: str) -> tuple[Criterion, ...]:
        """Return the criteria of a scale, the worst first."""
        return tuple(each for each in self.criteria if each.scale == scale)

    def letter(self, scale: str) -> str:
        """Return the letter of a scale: the worst of its criteria."""
        return max(each.grade for each in self.of(scale))

    def step_up(self, scale: str) -> str:
        """Return what raises a letter: all that has the worst one, the least to do first."""
        worst = [each for each in self.of(scale) if each.grade == self.letter(scale) != "A"]
        if not worst:
            return ""
        others = [each.grade for each in self.of(scale) if each not in worst]
        to_do = "; ".join(each.advice for each in sorted(worst, key=lambda each: (each.missing, each.name)))
        return f"{to_do}: {self.letter(scale)} to {max(others, default='A')}"


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules, as the shapes say them."""
    shapes = load([LAYER])

    def said(iri: str, predicate: str) -> str:
        quads = shapes.store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None, None)
        return next((text_of(quad.object) for quad in quads), "")

    return tuple(
        Rule(shape, *(said(iri, term) for term in (PKG.scale, PKG.leaves, SH.targetClass)))
        for iri, shape in shapes.known.items()
    )


def grades(facts: Iterable[Row], *, engine: str = "auto") -> Grades:
    """Judge a history.

    Args:
        facts: its triples, as rows of ``s``, ``p`` and ``o``: those of the question ``grade``.
        engine: the SHACL engine.
    """
    triples = _newest({(row["s"], row["p"], row["o"]) for row in facts})
    data = Data("".join(sorted(f"{s} {p} {o} .\n" for s, p, o in triples)))
    targets = Counter(text_of(o) for _, p, o in triples if text_of(p) == RDF_TYPE)
    broken: dict[str, set[str]] = defaultdict(set)
    for result in run(chosen(engine), load([LAYER]), data):
        broken[result.shape].add(result.focus)
    found = [_criterion(rule, targets[rule.target], len(broken[rule.shape.iri])) for rule in rules()]
    return Grades(tuple(sorted(found, key=lambda each: (SCALES.index(each.scale), -ord(each.grade[0]), each.name))))


def _criterion(rule: Rule, count: int, broken: int) -> Criterion:
    advice = rule.shape.advice.replace("{}", f"{broken:,}") if broken else ""
    return Criterion(rule.scale, rule.leaves if broken else "A", rule.shape.message, count - broken, count, advice)


Fact = tuple[Term | None, Term | None, Term | None]


def _newest(triples: set[Fact]) -> set[Fact]:
    """Leave out what was observed of a product before it was looked at last."""
    told: dict[Term | None, dict[str, Term | None]] = defaultdict(dict)
    for s, p, o in triples:
        if text_of(p) in (PKG.observed, PROV.atTime):
            told[s][text_of(p)] = o
    last: dict[Term | None, str] = {}
    for each in told.values():
        last[each.get(PKG.observed)] = max(last.get(each.get(PKG.observed), ""), text_of(each.get(PROV.atTime)))
    old = {s for s, each in told.items() if text_of(each.get(PROV.atTime)) < last.get(each.get(PKG.observed), "")}
    return {triple for triple in triples if triple[0] not in old}


def judged(found: Grades) -> Iterator[tuple[str, str, str, int, int, str]]:
    """Give the rows of the answer: for each scale the product, then each criterion, the worst first."""
    for scale in SCALES:
        criteria = found.of(scale)
        good = sum(each.grade == "A" for each in criteria)
        yield scale, found.letter(scale), "this product", good, len(criteria), found.step_up(scale)
        yield from ((scale, each.grade, each.name, each.met, each.all, each.advice) for each in criteria)
