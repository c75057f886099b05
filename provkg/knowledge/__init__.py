"""The library: ``kg = provkg.open("store")``, then ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from provkg import config
from provkg.config import Config
from provkg.errors import StoreError
from provkg.knowledge.cards import Card, card_of, status_of
from provkg.knowledge.publishing import Publishing
from provkg.knowledge.stamping import Stamps
from provkg.lineage import Step, find_one, lineage
from provkg.store import Graph, open_store

if TYPE_CHECKING:  # each is imported by the call that needs it, so that a look-up does not wait for shapes and readers
    from collections import Counter

    from provkg.ingest import Cluster, Progress, Summary
    from provkg.ingest.parts import Part
    from provkg.knowledge.checks import Check
    from provkg.knowledge.repair import Mended
    from provkg.ledger.accounting import Document
    from provkg.ledger.quarantine import Piece
    from provkg.questions import Answer, Question
    from provkg.questions.citing import Change
    from provkg.validation import Report
    from provkg.validation import scope as scopes
    from provkg.watch import Alarm, Batch, Rules

__all__ = ["Card", "KnowledgeGraph", "open", "open_with"]


class KnowledgeGraph(Stamps, Publishing):
    """A store to ask. Opening reads nothing; each call sees the newest snapshot.

    >>> import tempfile, provkg
    >>> kg = provkg.open(tempfile.mkdtemp() + "/store")
    >>> kg.ingest([]).sources
    0
    """

    def ingest(
        self,
        paths: Iterable[str | Path],
        *,
        progress: Progress | None = None,
        scheduler: str | Cluster | None = None,
    ) -> Summary:
        """Read files and folders into the store; see :func:`provkg.ingest.ingest`."""
        from provkg.ingest import ingest

        return ingest(self.store, paths, progress=progress, scheduler=scheduler)

    def watch(
        self,
        paths: Iterable[str | Path],
        *,
        poll: bool = False,
        stop: Event | None = None,
        rules: Rules | None = None,
    ) -> Iterator[Batch | Alarm | StoreError]:
        """Read files and folders while they are written, until told to stop; see :func:`provkg.watch.run`."""
        from provkg.watch import run

        return run(self.store, [Path(path) for path in paths], poll=poll, stop=stop or Event(), rules=rules)

    def bound(self, question: str, **values: Any) -> str:
        """Return the SPARQL of a question with its values; errors are those of :meth:`ask`."""
        return self.bound_of(self.question(question), values)

    def bound_of(self, question: Question, values: Mapping[str, Any]) -> str:
        """Return the SPARQL of a question that is in no folder of the settings; see :meth:`bound`."""
        from provkg.questions import bound

        return bound(self.graph(), question, values, self.config)

    def cite(self, answer: Answer) -> dict[str, Any]:
        """Return what cites an answer, as JSON has it; see :func:`provkg.questions.citing.cite`."""
        from provkg.questions.citing import cite

        return cite(answer)

    def check(self, citation: str | Path) -> list[Change]:
        """Ask what a citation asked again, and return what has changed since; nothing where all is the same.

        Raises:
            InputError: the file is no citation of an answer.
        """
        from provkg.questions.citing import Change, changes, read

        cited = read(Path(citation))
        limit = len(cited["rows"]) if cited["cut"] else None
        answer = self.ask_of(self.question(cited["question"]), cited["values"], limit=limit)
        return [*([Change("cut", f"the answer was {cited['cut']}")] if cited["cut"] else []), *changes(cited, answer)]

    def lineage(self, product: str, *, down: bool = False, depth: int | None = None) -> list[Step]:
        """Return the history of a product, or what was made from it; see :func:`provkg.lineage.lineage`."""
        graph = self.graph()
        return lineage(graph, find_one(graph, product, site=self.config.site).iri, down=down, depth=depth)

    def show(self, product: str) -> Card:
        """Return the card of one product."""
        graph = self.graph()
        return card_of(graph, find_one(graph, product, site=self.config.site))

    def validate(
        self,
        *,
        layers: Sequence[str] = (),
        severity: str = "Info",
        engine: str = "auto",
        definition: str | Path | None = None,
        sources: Iterable[str] | None = None,
        night: str = "",
        run: str = "",
        product: str = "",
        scheduler: str | Cluster | None = None,
    ) -> Report:
        """Validate the store, or a part of it; see :func:`provkg.validation.validate`.

        Args:
            layers: names of the layers of shapes; all when empty.
            severity: the least severity to report.
            engine: the SHACL engine.
            definition: a definition.yaml that the activities must follow.
            sources: the graphs of some sources, such as ``Summary.touched`` of an ingest.
            night: an observation date, ``YYYYMMDD``.
            run: a run number.
            product: a path, name, IRI or digest: its whole history is validated.
            scheduler: who judges the sources by the shapes, as for :meth:`ingest`; this process where None.
        """
        from provkg.ingest import workers
        from provkg.knowledge.elsewhere import judging
        from provkg.knowledge.files import contract
        from provkg.validation import LAYERS, validate
        from provkg.validation import scope as scopes

        graph = self.graph()
        chosen = scopes.of_sources(graph, sources) if sources is not None else self._scope(graph, night, run, product)
        wanted, layers = contract(definition, graph.base) if definition is not None else None, layers or LAYERS
        judged = partial(validate, layers=layers, severity=severity, engine=engine, contract=wanted)
        with workers(scheduler) as cluster:
            judge = judging(cluster, self.store, graph, layers, wanted) if cluster is not None else None
            return judged(graph, chosen, elsewhere=judge)

    def write_parts(self, folder: str | Path, *, scheduler: str | Cluster | None = None) -> list[Part]:
        """Write all graphs as N-Quads files for a server's bulk loader; see :func:`provkg.ingest.parts.write_parts`."""
        from provkg.ingest import workers
        from provkg.ingest.parts import write_parts
        from provkg.knowledge.elsewhere import writing

        graph, target = self.graph(), Path(folder)
        with workers(scheduler) as cluster:
            elsewhere = writing(cluster, self.store, graph, target) if cluster is not None else None
            return write_parts(graph, target, elsewhere=elsewhere)

    def infer(self, *, owl: bool = False, night: str = "", run: str = "", product: str = "") -> Counter[str]:
        """Add what the ontologies entail, in a graph of its own; return how many triples, by property.

        Args:
            owl: all of OWL 2 RL, by owlrl, for the part that the others choose; otherwise rules for the whole store.
            night: an observation date, ``YYYYMMDD``.
            run: a run number.
            product: a path, name, IRI or digest.
        """
        from provkg import reasoning
        from provkg.validation import scope as scopes

        if not owl:
            return reasoning.infer(self.store)
        graph = self.graph()
        scope = self._scope(graph, night, run, product)
        data = scopes.whole(graph) if scope is None else scopes.neighbourhood(graph, scope.sources, scope.focus)
        return reasoning.infer_owl(self.store, data.text)

    def forget_inferences(self) -> int:
        """Remove all inferences, and return how many there were."""
        from provkg import reasoning

        return reasoning.forget(self.store)

    def _scope(self, graph: Graph, night: str, run: str, product: str) -> scopes.Scope | None:
        from provkg.validation import scope as scopes

        if product:
            return scopes.of_product(graph, product, site=self.config.site)
        return scopes.of_sessions(graph, night=night, run=run) if night or run else None

    def doctor(self) -> Iterator[Check]:
        """Check the store, part by part; see :func:`provkg.knowledge.checks.checks`."""
        from provkg.knowledge.checks import checks

        return checks(self.store)

    def repair(self) -> Mended:
        """Bring the parts of the store together again that do not agree; see :mod:`provkg.knowledge.repair`."""
        from provkg.knowledge.repair import repair

        return repair(self.store)

    def migrate(self) -> int:
        """Bring the store to the format of this provkg; return the one it had: see :mod:`provkg.moving.migrating`."""
        from provkg.moving import migrate

        return migrate(self.store)

    def reindex(self) -> int:
        """Make the lineage index and the summaries again from the quads; return how many edges there are."""
        from provkg.knowledge.checks import reindex

        return reindex(self.store)

    def optimize(self) -> None:
        """Put together what many ingests have left apart, so that look-ups are fast again."""
        from provkg.knowledge.checks import optimize

        optimize(self.store)

    def sources(self, paths: Iterable[str] = ()) -> list[Document]:
        """Return what was read of each document, byte by byte; see :mod:`provkg.ledger.accounting`.

        Args:
            paths: of some documents, as the ledger writes them; all when empty.
        """
        from provkg.ledger.accounting import documents

        return list(documents(self.graph(), list(paths)))

    def quarantine(self, paths: Iterable[str] = ()) -> Iterator[Piece]:
        """Give what could not be read, to be repaired by hand; see :mod:`provkg.ledger.quarantine`.

        Args:
            paths: of some documents, as the ledger writes them; all when empty.
        """
        from provkg.ledger.quarantine import pieces

        return pieces(self.graph(), self.config, paths)

    def replay(self, file: str | Path, *, progress: Progress | None = None) -> Summary:
        """Read again what was repaired in a file of pieces; see :func:`provkg.ingest.replaying.replay`."""
        from provkg.ingest.replaying import replay

        return replay(self.store, Path(file), progress=progress)

    def status(self) -> dict[str, Any]:
        """Return what the store holds: counts, sources, evidence, what was assumed and what was quarantined."""
        return status_of(self.graph(), self.store.name)


def open(store: str | Path | None = None) -> KnowledgeGraph:  # noqa: A001 - the library's fixed name
    """Open a store: a folder, or what the settings say."""
    settings = config.load(store=str(store) if store is not None else None)
    return KnowledgeGraph(open_store(settings))


def open_with(settings: Config, store: str | Path) -> KnowledgeGraph:
    """Open a store with these settings."""
    return KnowledgeGraph(open_store(replace(settings, store=str(store))))
