"""The library: ``kg = provkg.open("store")``, then ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provkg import config
from provkg.config import Config
from provkg.knowledge.cards import Card, card_of, status_of
from provkg.lineage import Candidate, Step, find, find_one, lineage
from provkg.store import Graph, Store, open_store

if TYPE_CHECKING:  # each is imported by the call that needs it, so that a look-up does not wait for shapes and readers
    from collections import Counter

    from provkg.fixity import Options, Verification
    from provkg.gaps import Gaps
    from provkg.grades import Grades
    from provkg.histories import History, Match
    from provkg.impact import Advisory, Audit, Mark, Taint
    from provkg.ingest import Cluster, Progress, Summary
    from provkg.ingest.parts import Part
    from provkg.knowledge.repair import Check
    from provkg.methods import Citations, Explanation
    from provkg.questions import Answer, Question
    from provkg.questions.citing import Change
    from provkg.recipes import Plan
    from provkg.reconciling import Reconciliation
    from provkg.validation import Report
    from provkg.validation import scope as scopes

__all__ = ["Card", "KnowledgeGraph", "open", "open_with"]


class KnowledgeGraph:
    """A store to ask. Opening reads nothing; each call sees the newest snapshot.

    >>> import tempfile, provkg
    >>> kg = provkg.open(tempfile.mkdtemp() + "/store")
    >>> kg.ingest([]).sources
    0
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.config = store.config

    def graph(self) -> Graph:
        """Open the current snapshot."""
        return self.store.read()

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

    def ask(self, question: str, *, limit: int | None = None, seconds: float | None = None, **values: Any) -> Answer:
        """Answer a canned question; see :class:`provkg.questions.Answer`.

        Args:
            question: its name or id.
            limit: how many rows to give at most.
            seconds: how long to wait at most.
            values: a value for each parameter, as text, a number, or a list where it takes several.

        Raises:
            QuestionError: the question is unknown, or a value is missing, unknown or wrong.
            NotFound: no product answers to a name.
            Ambiguous: several do.
        """
        return self.ask_of(self.question(question), values, limit=limit, seconds=seconds)

    def ask_of(
        self, question: Question, values: Mapping[str, Any], *, limit: int | None = None, seconds: float | None = None
    ) -> Answer:
        """Answer a question that is in no folder of the settings; see :meth:`ask`."""
        from provkg.knowledge.finishing import CODE
        from provkg.questions import ask

        return ask(self.graph(), question, values, self.config, code=CODE, limit=limit, seconds=seconds)

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

    def question(self, name: str) -> Question:
        """Return a question by its name or id."""
        from provkg.questions import find_question

        return find_question(name, self.config.questions)

    def questions(self) -> dict[str, Question]:
        """Return all questions by name: those that are shipped, and those of the folders in the settings."""
        from provkg.questions import questions

        return questions(self.config.questions)

    def find(self, text: str) -> list[Candidate]:
        """Return the entities that a path, name, IRI, digest or prefix can mean."""
        return find(self.graph(), text, site=self.config.site)

    def lineage(self, product: str, *, down: bool = False, depth: int | None = None) -> list[Step]:
        """Return the history of a product, or what was made from it; see :func:`provkg.lineage.lineage`."""
        graph = self.graph()
        return lineage(graph, find_one(graph, product, site=self.config.site).iri, down=down, depth=depth)

    def show(self, product: str) -> Card:
        """Return the card of one product."""
        graph = self.graph()
        return card_of(graph, find_one(graph, product, site=self.config.site))

    def history(self, *products: str) -> History:
        """Return the history of some products as data: its steps with all that they consumed, in order."""
        from provkg.histories import history_of

        graph = self.graph()
        return history_of(graph, *(find_one(graph, each, site=self.config.site).iri for each in products))

    def verify(
        self,
        *products: str,
        history: bool = False,
        run: str = "",
        night: str = "",
        options: Options | None = None,
        progress: Progress | None = None,
    ) -> Verification:
        """Compare files with what was recorded of them, and write down what was found; see :mod:`provkg.fixity`.

        Args:
            products: paths, names, IRIs or digests; all that is recorded when nothing is chosen.
            history: with all that these were made from.
            run: what a run read and wrote.
            night: what a night's sessions read and wrote.
            options: how to verify.
            progress: is told how many are done, how many there are, and which was the last.
        """
        from provkg.fixity import Options, Selection, verify

        selection = Selection(products, history, run, night)
        return verify(self.store, selection, self.config, options or Options(), progress=progress)

    def gaps(
        self,
        listing: str | Path,
        *,
        definition: str | Path | None = None,
        nights: Iterable[str] = (),
        roots: Iterable[str] = (),
    ) -> Gaps:
        """Compare what lies in an archive with what the graph knows; see :mod:`provkg.gaps`.

        Args:
            listing: a folder, or a file that lists files.
            definition: a definition.yaml with the steps that are expected; those that were ingested when None.
            nights: only these observation dates.
            roots: the folders that the listing is all of.

        Raises:
            InputError: the listing or the definition cannot be read.
        """
        from provkg.gaps import gaps, read_listing
        from provkg.knowledge.files import contract

        graph = self.graph()
        expected = contract(definition, graph.base).definition if definition is not None else None
        return gaps(graph, read_listing(listing, self.config, roots), definition=expected, nights=nights)

    def reconcile(self, paths: Iterable[str | Path] = ()) -> Reconciliation:
        """Join what schedulers saw with what is recorded; see :func:`provkg.reconciling.reconcile`."""
        from provkg.reconciling import reconcile

        return reconcile(self.store, paths)

    def explain(self, product: str) -> Explanation:
        """Return how a product was made, in words; each sentence has the records of its numbers."""
        from provkg.methods import explain

        return explain(self.history(product))

    def citations(self, product: str, *, packages: bool = False) -> Citations:
        """Return what to cite for a product, also packages of the environments where ``packages`` says so.

        Raises:
            InputError: a file of citations in the settings cannot be read.
        """
        from provkg.methods import citations, read_known

        return citations(self.history(product), read_known(self.config.citations), packages=packages)

    def grade(self, product: str) -> Grades:
        """Return the letters of a product, A to F, for traceability and reproducibility, with what they come from."""
        from provkg.grades import Criterion, Grades

        rows = self.ask("grade", product=product)
        criteria = [row for row in rows if row["criterion"] != "this product"]
        return Grades(
            tuple(
                Criterion(
                    str(row["scale"]),
                    str(row["grade"]),
                    str(row["criterion"]),
                    int(row["met"] or 0),
                    int(row["all"] or 0),
                    str(row["improvement"] or ""),
                )
                for row in criteria
            )
        )

    def recipe(self, product: str) -> Plan:
        """Return how to make a product again: commands in order, inputs, environments, and what is not known."""
        from provkg.recipes import plan_of

        return plan_of(self.history(product))

    def diff(self, first: str, second: str, *, consequences: bool = False) -> Answer:
        """Return the first points at which the histories of two products part.

        Args:
            first: a path, name, IRI or digest.
            second: another.
            consequences: what differs because something before it does, too.
        """
        return self.ask("divergence", first=first, second=second, consequences="yes" if consequences else "no")

    def taint(self, *products: str, **seeds: Any) -> Taint:
        """Return all that was made from something bad; nothing is recorded.

        Args:
            products: paths, names, IRIs or digests of products that are bad.
            seeds: what else is bad: see :class:`provkg.impact.Seeds`.

        Raises:
            QuestionError: nothing is said, or a value is wrong or not in the store.
            NotFound: no product answers to a name.
            Ambiguous: several do.
        """
        from provkg.impact import Seeds, taint

        return taint(self.graph(), Seeds(products=products, **seeds), self.config)

    def mark(self, taint: Taint, reason: str) -> Mark:
        """Record a taint in a graph of its own."""
        from provkg.impact import record

        return record(self.store, taint, reason)

    def marks(self) -> list[Mark]:
        """Return the taints on record."""
        from provkg.impact import marks

        return marks(self.graph())

    def lift(self, mark: str) -> Mark:
        """Take a taint on record back, by its name."""
        from provkg.impact import lift

        return lift(self.store, mark)

    def audit(self, advisories: Iterable[Advisory]) -> Audit:
        """Return what advisories concern in this store; :func:`provkg.impact.read_advisories` reads a file of them."""
        from provkg.impact import audit

        return audit(self.graph(), list(advisories), self.config)

    def recipes_compared(self) -> list[Match]:
        """Return what recipes and bytes of the store tell of each other; see :func:`provkg.histories.compared`."""
        from provkg.histories import compared, every_history, recipes_of

        history = every_history(self.graph())
        return compared(history, recipes_of(history))

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
        """Check the store, part by part; see :func:`provkg.knowledge.repair.checks`."""
        from provkg.knowledge.repair import checks

        return checks(self.store)

    def reindex(self) -> int:
        """Make the lineage index and the summaries again from the quads; return how many edges there are."""
        from provkg.knowledge.repair import reindex

        return reindex(self.store)

    def optimize(self) -> None:
        """Put together what many ingests have left apart, so that look-ups are fast again."""
        from provkg.knowledge.repair import optimize

        optimize(self.store)

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
