"""A plan: the commands of a history in order, the files from outside, and what nothing on record tells.

The plan is for a clean folder, the root: what lay at ``/a/b`` lies at ``ROOT/a/b``. A command runs in its working
directory there, so its relative paths hold; an argument that is the path of a file of the history, or of a folder above
one, as it is or after ``=``, is put under the root as well. Nothing else in a command is changed.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from provkg.histories import History, Process, Product, Step, recipes_of

_FINISHED = "completed"


class Word(NamedTuple):
    """An argument: text, and a path to put under the root behind it where there is one."""

    text: str
    path: str = ""


class File(NamedTuple):
    """A file of the history: where it lay, and the digest of its bytes, ``algorithm:value``, where one is known."""

    path: str
    digest: str
    product: str


@dataclass(frozen=True)
class Call:
    """A command: where it ran, what it read and wrote, after which others it comes, and what is not known of it.

    ``after`` are the numbers of the calls that make what it reads; ``records`` where its steps were recorded.
    """

    number: int
    label: str
    command: tuple[Word, ...]
    directory: str
    process: Process
    steps: tuple[Step, ...]
    reads: tuple[File, ...]
    writes: tuple[File, ...]
    after: tuple[int, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """How to make a product again; ``inputs`` come from outside, ``packages`` are those of each environment."""

    target: Product
    recipe: str
    inputs: tuple[File, ...]
    calls: tuple[Call, ...]
    unknown: tuple[str, ...]
    packages: dict[str, tuple[tuple[str, str], ...]]

    def gaps(self) -> Iterator[tuple[Call | None, str]]:
        """Give all that is not known, with the call that it concerns."""
        yield from ((None, each) for each in self.unknown)
        yield from ((call, each) for call in self.calls for each in call.unknown)


def plan_of(history: History) -> Plan:
    """Return the plan for the first target of a history."""
    target = history.products[history.targets[0]]
    planning = _Planning(history)
    calls = tuple(planning.calls())
    inputs = [each for each in history.outside() if each.place]
    unknown = [f"nobody recorded making {target.shown}"] if target.iri not in history.makers else []
    unknown += [f"{each.shown} existed in memory only" for each in inputs if not _in_file(each)]
    files = tuple(_file(each) for each in inputs if _in_file(each))
    unknown += [f"no digest of the content of {each.path} is recorded" for each in files if not each.digest]
    return Plan(
        target=target,
        recipe=recipes_of(history).products[target.iri],
        inputs=files,
        calls=calls,
        unknown=tuple(unknown),
        packages={each: history.packages.get(each, ()) for call in calls for each in call.process.environments},
    )


def _in_file(product: Product) -> bool:
    return product.location.startswith("/") and not product.in_memory


def _file(product: Product) -> File:
    known = [each for each in product.digests if each.partition(":")[0] in hashlib.algorithms_available]
    best = sorted(known, key=lambda each: not each.startswith("sha256:"))
    return File(product.location, best[0] if best else "", product.iri)


class _Planning:
    """Put the steps of each process together, in an order in which each process finds what it reads."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.steps: dict[str, list[Step]] = defaultdict(list)
        for step in history.steps:
            self.steps[step.process.iri].append(step)
        self.process = {step.iri: step.process.iri for step in history.steps}

    def needed(self, process: str) -> set[str]:
        """Return the processes that made what a process read."""
        read = {each.product for step in self.steps[process] for each in step.inputs}
        makers = {maker.iri for product in self.origins(read) for maker in self.history.makers.get(product, ())}
        return {self.process[each] for each in makers} - {process}

    def origins(self, products: Iterable[str]) -> set[str]:
        """Return products with what they were derived from or have as members."""
        found, todo = set(), list(products)
        while todo:
            each = todo.pop()
            if each not in found:
                found.add(each)
                todo += self.history.products[each].origins if each in self.history.products else ()
        return found

    def calls(self) -> Iterator[Call]:
        """Give the calls, numbered from 1."""
        needed = {process: self.needed(process) for process in self.steps}
        number: dict[str, int] = {}
        while left := [process for process in self.steps if process not in number]:
            ready = [process for process in left if needed[process] <= number.keys()]
            circular = not ready
            process = (ready or left)[0]
            number[process] = len(number) + 1
            after = tuple(sorted(number[each] for each in needed[process] if each in number))
            yield self.call(number[process], process, after, circular=circular)

    def call(self, number: int, iri: str, after: tuple[int, ...], *, circular: bool) -> Call:
        """Return one call."""
        steps = self.steps[iri]
        process = steps[0].process
        made = {each.product for step in steps for each in step.outputs}
        read = {each.product for step in steps for each in step.inputs} - made - {""}
        reads, writes = (self.files(each) for each in (read, made))
        unknown = [*self.unknown(steps, reads, writes)]
        unknown += ["it needs what was made after it by steps of other processes"] if circular else []
        return Call(
            number=number,
            label=", ".join(dict.fromkeys(step.label or "?" for step in steps)),
            command=tuple(_word(each, [*reads, *writes]) for each in process.arguments),
            directory=process.directory,
            process=process,
            steps=tuple(steps),
            reads=reads,
            writes=writes,
            after=after,
            unknown=tuple(unknown),
        )

    def files(self, products: Iterable[str]) -> tuple[File, ...]:
        """Return the files among products, by path."""
        known = (self.history.products[each] for each in products if each in self.history.products)
        return tuple(sorted(_file(each) for each in known if _in_file(each)))

    def unknown(self, steps: list[Step], reads: tuple[File, ...], writes: tuple[File, ...]) -> Iterator[str]:
        """Give what is not known of a process."""
        process = steps[0].process
        if not process.arguments:
            yield "its command is not recorded"
            return
        unsure = [each for step in steps for each in step.inputs if not each.product or each.evidence == "unresolved"]
        yield from (f"which version of its input {each.role!r} it read is not recorded" for each in unsure)
        yield from (f"the step {step.label!r} did not end well" for step in steps if step.status != _FINISHED)
        for file in (*reads, *writes):
            beneath = process.directory and file.path.startswith(process.directory.rstrip("/") + "/")
            if not beneath and not any(_word(each, [file]).path for each in process.arguments):
                yield f"how it names {file.path} is not recorded"


def _word(argument: str, files: Iterable[File]) -> Word:
    """Return an argument, with the path in it apart that is that of a file, or of a folder above one."""
    option, is_option, value = argument.partition("=")
    for text, path in (("", argument), (f"{option}=", value if is_option else "")):
        named = os.path.normpath(path) if path.startswith("/") else ""
        if len(named) > 1 and any(each.path == named or each.path.startswith(named + "/") for each in files):
            return Word(text, path)
    return Word(argument)
