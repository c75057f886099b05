"""How a product was made, as sentences; each has the records that it says its numbers from."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from provkg.histories import History, Product, Step, recipes_of
from provkg.identity import harmless, one_line

_MOST = 6  # parameters in a sentence
_LATEX = {
    **{each: "\\" + each for each in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


class Reference(NamedTuple):
    """Records of one file: the first and the last line, and how many."""

    number: int
    path: str
    first: int
    last: int
    records: int

    def __str__(self) -> str:
        if self.records == 1:
            return f"[{self.number}] {harmless(self.path)}, line {self.first}"
        return f"[{self.number}] {harmless(self.path)}, lines {self.first} to {self.last} ({self.records} records)"


class Sentence(NamedTuple):
    """A sentence, and the numbers of the references that it rests on."""

    text: str
    references: tuple[int, ...]


@dataclass(frozen=True)
class Explanation:
    """How a product was made: paragraphs of sentences, and the records behind them."""

    product: str
    paragraphs: tuple[tuple[Sentence, ...], ...]
    references: tuple[Reference, ...]

    def text(self) -> str:
        """Return plain text."""
        told = [" ".join(f"{each.text}{_marks(each)}" for each in some) for some in self.paragraphs]
        return "\n\n".join([*told, "\n".join(map(str, self.references))]) + "\n"

    def markdown(self) -> str:
        """Return Markdown with footnotes; what stands in records is escaped."""
        told = [
            " ".join(_markdown(each.text) + "".join(f"[^{number}]" for number in each.references) for each in some)
            for some in self.paragraphs
        ]
        notes = [f"[^{each.number}]: {_markdown(str(each).partition('] ')[2])}" for each in self.references]
        return "\n\n".join([*told, "\n".join(notes)]) + "\n"

    def latex(self) -> str:
        """Return LaTeX: paragraphs, and the records as a list; what stands in records is escaped."""
        told = [" ".join(_latex(each.text) + _latex(_marks(each)) for each in some) for some in self.paragraphs]
        notes = [f"\\item[{{[{each.number}]}}] {_latex(str(each).partition('] ')[2])}" for each in self.references]
        listed = ["\\begin{description}", *notes, "\\end{description}"] if notes else []
        return "\n\n".join([*told, "\n".join(listed)]) + "\n"


def _marks(sentence: Sentence) -> str:
    return f" [{', '.join(map(str, sentence.references))}]" if sentence.references else ""


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", text)


def _latex(text: str) -> str:
    return "".join(_LATEX.get(each, each) for each in text)


def explain(history: History) -> Explanation:
    """Return how the first target of a history was made; the same history gives the same words."""
    telling = _Telling(history)
    target = history.products[history.targets[0]]
    paragraphs = [
        tuple(telling.beginning(target)),
        tuple(each for some in telling.groups() for each in telling.group(some)),
        tuple(telling.origins()),
        tuple(telling.availability(target)),
        tuple(telling.people()),
    ]
    return Explanation(target.iri, tuple(filter(None, paragraphs)), tuple(telling.references))


class _Telling:
    """Sentences of one history, with the references that they give rise to."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.references: list[Reference] = []

    def say(self, text: str, steps: Iterable[Step] = ()) -> Sentence:
        """Return a sentence that rests on the records of some steps."""
        lines: dict[str, set[int]] = defaultdict(set)
        for step in steps:
            for path, line in step.sources:
                lines[path].add(int(line))
        numbers = []
        for path, some in sorted(lines.items()):
            facts = (path, min(some), max(some), len(some))
            known = next((each.number for each in self.references if each[1:] == facts), None)
            if known is None:
                known = len(self.references) + 1
                self.references.append(Reference(known, *facts))
            numbers.append(known)
        return Sentence(one_line(harmless(text)), tuple(numbers))

    # What is said

    def beginning(self, target: Product) -> Iterator[Sentence]:
        """Say what made the product, and how long its history is."""
        steps = self.history.steps
        makers = self.history.makers.get(target.iri, [])
        if not makers:
            yield self.say(f"Nobody recorded making {target.shown}.")
            return
        for step in makers:
            yield self.say(f"{target.shown} was made by {_name(step)}{_when([step])}.", [step])
        kinds = len({step.label for step in steps})
        told = f"{_count(len(steps), 'step')} of {_count(kinds, 'type')}"
        yield self.say(f"Its history has {told}{_when(steps)}.", steps)

    def groups(self) -> list[list[Step]]:
        """Return the steps that are told together: of one type and program, in the order of their first."""
        found: dict[tuple[str, tuple[tuple[str, str], ...]], list[Step]] = defaultdict(list)
        for step in self.history.steps:
            found[step.label, step.process.software].append(step)
        return list(found.values())

    def group(self, steps: list[Step]) -> Iterator[Sentence]:
        """Say what steps of one type did, with what, and what is not known of them."""
        name = _name(steps[0])
        programs = ", ".join(" ".join(each) for each in steps[0].process.software)
        read, made = (
            {each.product for step in steps for each in getattr(step, kind)} - {""} for kind in ("inputs", "outputs")
        )
        hosts = {step.process.host for step in steps} - {""}
        where = f" on {_count(len(hosts), 'machine')}" if hosts else ""
        software = f" ({programs})" if programs else ""
        yield self.say(
            f"{name}{software} was run {_times(len(steps))}{_when(steps)}{where};"
            f" it read {_count(len(read), 'product')} and made {_count(len(made), 'product')}.",
            steps,
        )
        if not programs:
            yield self.say(f"Which program {name} was is not recorded.", steps)
        if parameters := _parameters(steps):
            yield self.say(f"Parameters of {name}: {parameters}.", steps)
        bad = [step for step in steps if step.status != "completed"]
        if bad:
            yield self.say(f"Of these, {_count(len(bad), 'call')} did not end well, or nobody recorded how.", bad)
        silent = [step for step in steps if not step.process.arguments]
        if silent:
            yield self.say(f"The command line of {_count(len(silent), 'call')} is not recorded.", silent)

    def origins(self) -> Iterator[Sentence]:
        """Say what it all comes from, and how sure that is."""
        outside = self.history.outside()
        levels: dict[str, list[Product]] = defaultdict(list)
        for each in outside:
            if each.is_raw:
                levels[max(each.levels)].append(each)
        for level, raw in sorted(levels.items()):
            named = raw[0].shown if len(raw) == 1 else f"{raw[0].shown} to {raw[-1].shown}"
            yield self.say(f"It comes from {_count(len(raw), 'product')} of level {level}: {named}.", self.reading(raw))
        others = [each for each in outside if not each.is_raw]
        if others:
            named = ", ".join(each.shown for each in others[:_MOST]) + (" and others" if len(others) > _MOST else "")
            yield self.say(
                f"{_count(len(others), 'other input')} nobody recorded making: {named}.", self.reading(others)
            )
        inputs = [(step, each) for step in self.history.steps for each in step.inputs]
        unsure = [step for step, each in inputs if each.evidence not in ("byContent", "byIdentity")]
        if inputs:
            how = f"Of {_count(len(inputs), 'input')}, {len(inputs) - len(unsure)} are known by content or id"
            yield self.say(f"{how}, the others by time or as what lay there before.", self.history.steps)

    def reading(self, products: list[Product]) -> list[Step]:
        """Return the steps that read some products."""
        wanted = {each.iri for each in products}
        return [step for step in self.history.steps if wanted & {each.product for each in step.inputs}]

    def availability(self, target: Product) -> Iterator[Sentence]:
        """Say what can be checked."""
        digests = ", ".join(target.digests) or "not recorded"
        yield self.say(f"The digest of its content is {digests}.", self.history.makers.get(target.iri, ()))
        known = sum(bool(each.digests) for each in self.history.products.values())
        count = _count(len(self.history.products), "product")
        yield self.say(f"Of {count} in its history, {known} have a digest of their content.", self.history.steps)
        yield self.say(f"Recipe digest: {recipes_of(self.history).products[target.iri]}.", self.history.steps)

    def people(self) -> Iterator[Sentence]:
        """Say under which accounts it was made."""
        by: dict[str, list[Step]] = defaultdict(list)
        for step in self.history.steps:
            for agent in step.process.agents:
                by[agent].append(step)
        for agent, steps in sorted(by.items()):
            yield self.say(f"{_count(len(steps), 'step')} ran under the account {agent}.", steps)


def _name(step: Step) -> str:
    return step.label or "a step of unknown type"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _when(steps: Iterable[Step]) -> str:
    """Return from when to when steps ran, in UTC."""
    some = list(steps)
    starts = sorted(each.start for each in some if each.start)
    ends = sorted(each.end for each in some if each.end)
    if not starts:
        return ", when is not recorded"
    return f", from {starts[0]}" + (f" to {ends[-1]}" if ends else "")


def _parameters(steps: list[Step]) -> str:
    """Return what steps were configured by: what all had, and of the rest how many values there were."""
    values: dict[str, set[str]] = defaultdict(set)
    for step in steps:
        for name, value in step.parameters:
            values[name].add(value)
    every = {name for name in values if all(name in dict(step.parameters) for step in steps)}
    same = [
        f"{name} = {next(iter(values[name]))}" for name in sorted(values) if name in every and len(values[name]) == 1
    ]
    other = [
        f"{name} with {_count(len(values[name]), 'value')}"
        for name in sorted(values)
        if f"{name} = " not in "".join(same)
    ]
    told = [*same[:_MOST], *other[:_MOST]]
    left = len(same) + len(other) - len(told)
    return "; ".join(told) + (f"; and {left} more" if left else "")
