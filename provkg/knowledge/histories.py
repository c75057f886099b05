"""What the library does with histories: why, taint, gaps, verify, audit, recipe, grade, explain, reconcile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provkg.knowledge.opened import Opened
from provkg.lineage import find_one

if TYPE_CHECKING:  # each is imported by the call that needs it
    from provkg.fixity import Options, Verification
    from provkg.fixity.verifying import Progress
    from provkg.gaps import Gaps
    from provkg.grades import Grades
    from provkg.histories import History, Match
    from provkg.impact import Advisory, Audit, Mark, Taint
    from provkg.methods import Citations, Explanation
    from provkg.questions import Answer
    from provkg.recipes import Plan
    from provkg.reconciling import Reconciliation


class Histories(Opened):
    """A store whose histories can be worked with."""

    def history(self, *products: str) -> History:
        """Return the history of some products as data: its steps with all that they consumed, in order."""
        from provkg.histories import history_of

        graph = self.graph()
        return history_of(graph, *(find_one(graph, each, site=self.config.site).iri for each in products))

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

    def recipes_compared(self) -> list[Match]:
        """Return what recipes and bytes of the store tell of each other; see :func:`provkg.histories.compared`."""
        from provkg.histories import compared, every_history, recipes_of

        history = every_history(self.graph())
        return compared(history, recipes_of(history))
