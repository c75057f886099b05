"""What each choice of the layout saves: one night's quads as they are stored, and as they could be.

    python benchmarks/layout.py [--folder NIGHT]

FOLDER holds the logs of a night; without it one is made. Each alternative is made from the stored quads, counted, and
loaded into a fresh pyoxigraph folder.
"""

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyoxigraph
from logs import night, options, records
from measure import Part, disk, short, step

import provkg
from provkg.vocab import CATALOGUE, DESCRIPTIONS, LEDGER, PKG, PROV, RDF_TYPE, RESOLUTION, VP


class Line(NamedTuple):
    """A quad as text; ``graph`` is empty for the default graph."""

    subject: str
    predicate: str
    object: str
    graph: str

    def __str__(self) -> str:
        return " ".join(part for part in (*self, ".") if part) + "\n"


class Quads:
    """The quads of a store, and which of them describe what many sources share."""

    def __init__(self, text: str, base: str) -> None:
        self.lines = [Line(*_parts(line)) for line in text.splitlines()]
        self.base = base
        own = {f"<{base}{name}>" for name in (CATALOGUE, DESCRIPTIONS, LEDGER, RESOLUTION)}
        self.shared = {f"<{base}{name}>" for name in (CATALOGUE, DESCRIPTIONS)}
        self.about: defaultdict[str, list[Line]] = defaultdict(list)
        self.said: defaultdict[str, set[str]] = defaultdict(set)  # what each source names
        for line in self.lines:
            if line.graph in self.shared:
                self.about[line.subject].append(line)
            elif line.graph not in own:
                self.said[line.graph] |= {line.subject, line.object}

    def named(self, *prefixes: str) -> tuple[str, ...]:
        """Return how terms of some names begin."""
        return tuple(f"<{self.base}{prefix}" for prefix in prefixes)


def _parts(line: str) -> tuple[str, str, str, str]:
    subject, predicate, rest = line.removesuffix(" .").split(" ", 2)
    object_, graph = rest.rsplit(" ", 1)
    return subject, predicate, object_, graph


def stored(quads: Quads) -> Iterator[Line]:
    """Give what is stored."""
    yield from quads.lines


def repeated(quads: Quads) -> Iterator[Line]:
    """Give each description in the graph of every source that names it, and of what the description names."""
    yield from (line for line in quads.lines if line.graph not in quads.shared)
    for graph, names in quads.said.items():
        todo, seen = list(names & quads.about.keys()), set(names)
        while todo:
            for line in quads.about[todo.pop()]:
                yield line._replace(graph=graph)
                if line.object not in seen and line.object in quads.about:
                    seen.add(line.object)
                    todo.append(line.object)


def own_parameters(quads: Quads) -> Iterator[Line]:
    """Give each activity parameters of its own, described in its source."""
    number, shared = 0, quads.named("parameter/")
    for line in quads.lines:
        if line.subject.startswith(shared):
            continue
        if not line.object.startswith(shared) or line.predicate != f"<{VP.wasConfiguredBy}>":
            yield line
            continue
        number += 1
        node = f"<{quads.base}parameter/{number:032x}>"
        yield line._replace(object=node)
        yield from (each._replace(subject=node, graph=line.graph) for each in quads.about[line.object])


def own_environments(quads: Quads) -> Iterator[Line]:
    """Give each session the text of its environment."""
    shared = quads.named("environment/")
    for number, line in enumerate(quads.lines):
        if line.subject.startswith(shared):
            continue
        if line.predicate != f"<{PKG.environment}>":
            yield line
            continue
        node = f"<{quads.base}environment/{number:032x}>"
        yield line._replace(object=node)
        for each in quads.about[line.object]:
            # equal texts are stored once: in the logs each also holds the times of its session
            text = f'{each.object[:-1]} {number}"' if each.object.endswith('"') else each.object
            yield each._replace(subject=node, object=text, graph=line.graph)


def without_subjects(*prefixes: str) -> Callable[[Quads], Iterator[Line]]:
    """Leave out what is said of and with some nodes."""

    def variant(quads: Quads) -> Iterator[Line]:
        out = quads.named(*prefixes)
        return (line for line in quads.lines if not (line.subject.startswith(out) or line.object.startswith(out)))

    return variant


def without(*predicates: str) -> Callable[[Quads], Iterator[Line]]:
    """Leave out some properties."""
    out = {f"<{predicate}>" for predicate in predicates}
    return lambda quads: (line for line in quads.lines if line.predicate not in out)


def without_lines(quads: Quads) -> Iterator[Line]:
    """Leave out the line numbers of usages and generations."""
    out, line_number = quads.named("usage/", "generation/"), f"<{PKG.line}>"
    return (line for line in quads.lines if line.predicate != line_number or not line.subject.startswith(out))


def one_graph(quads: Quads) -> Iterator[Line]:
    """Put all into the default graph."""
    return iter(dict.fromkeys(line._replace(graph="") for line in quads.lines))


VARIANTS: dict[str, Callable[[Quads], Iterator[Line]]] = {
    "as stored": stored,
    "descriptions repeated in the graph of each source": repeated,
    "parameters of each activity its own nodes": own_parameters,
    "environment of each session its own text": own_environments,
    "without qualified usages and generations": without_subjects("usage/", "generation/"),
    "without line numbers of usages and generations": without_lines,
    "without pkg:progenitor and pkg:drawnFrom": without(PKG.progenitor, PKG.drawnFrom),
    "without evidence and used versions": without(PKG.evidence, PKG.usedVersion, PKG.usedSomeVersionOf),
    "without types of qualified nodes": lambda quads: (
        line
        for line in quads.lines
        if line.predicate != f"<{RDF_TYPE}>" or line.object not in (f"<{PROV.Usage}>", f"<{PROV.Generation}>")
    ),
    "all in the default graph (no source can be told or replaced)": one_graph,
}


def loaded(lines: Iterable[Line], folder: Path) -> tuple[int, int, float]:
    """Load quads into a fresh store; return how many there are, bytes of N-Quads, and MB on disk."""
    text = "".join(map(str, lines)).encode("utf-8", "surrogatepass")
    pyoxigraph.Store(str(folder)).bulk_load(text, format=pyoxigraph.RdfFormat.N_QUADS, lenient=True)
    size = disk(folder)
    shutil.rmtree(folder)
    return text.count(b"\n"), len(text), size


def main() -> None:
    """Measure and print the table."""
    chosen = options(__doc__).parse_args()
    part = Part("layout", "What each choice of the layout saves")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        folder = night(chosen.folder, root / "logs", chosen.runs, chosen.subruns)
        kg = provkg.open(root / "store")
        with step("ingest"):
            kg.ingest([folder])
        lines = len(records(folder))
        quads = Quads(kg.graph().dump().decode("utf-8", "surrogatepass"), kg.graph().base)
        found = {}
        for name, variant in VARIANTS.items():
            with step(name):
                found[name] = loaded(variant(quads), root / "variant")
    ours = found["as stored"]
    columns = ("layout", "quads", "per record", "N-Quads, MB", "on disk, MB", "quads, to ours", "disk, to ours")
    table = part.table(f"{lines:,} records", *columns)
    for name, (count, size, mb) in found.items():
        cells = (f"{count:,}", f"{count / lines:.2f}", short(size / 1e6), short(mb))
        table.add(name, *cells, f"{count / ours[0] - 1:+.0%}", f"{mb / ours[2] - 1:+.0%}")
    part.notes.append("Above zero is what our choice saves; below zero is what it costs, for what it makes possible.")
    part.figures |= found
    part.save()


if __name__ == "__main__":
    main()
