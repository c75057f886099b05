"""What the library shows: views of the graph, rolled up by grain, and pictures of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provkg.errors import InputError, MissingExtra
from provkg.knowledge.opened import Opened
from provkg.store import is_iri

if TYPE_CHECKING:  # each is imported by the call that needs it
    from provkg.export import Products
    from provkg.graphview import Links
    from provkg.rollup import Rollup, Rules, View


class Views(Opened):
    """A store that can be looked at."""

    def rules(self) -> Rules:
        """Return what makes a run, a night and a level: the rules of the settings, then those that are shipped."""
        from provkg.rollup import load

        return load(self.config.rollup)

    def view(
        self, *, levels: Iterable[str] = (), steps: Iterable[str] = (), agents: bool = False, **scope: Any
    ) -> View:
        """Return a part of the graph as nodes and relations.

        Args:
            levels: only activities of these levels, as the rules have them.
            steps: only activities of these types.
            agents: with the agents of the activities.
            scope: see :class:`provkg.rollup.Scope`; the whole store where nothing is said.

        Raises:
            NotFound: nothing answers to the name, the run or the night.
            Ambiguous: several products do.
            InputError: there is no such level or direction.
        """
        from provkg.rollup import Scope, read

        rules = self.rules()
        types = rules.types(levels, steps)
        view = read(self.graph(), Scope(**scope), rules, self.config.site, agents=agents)
        return view if types is None else view.only(lambda node: node.type in types)

    def rollup(self, *, grain: str = "run", nodes: int | None = None, **view: Any) -> Rollup:
        """Return a part of the graph folded by grain, and further to at most so many nodes.

        Args:
            grain: ``subrun``, which folds nothing, ``run`` or ``night``.
            nodes: the most nodes; any number when None.
            view: see :meth:`view`.

        Raises:
            InputError: there is no such grain.
        """
        from provkg.rollup import budgeted, fold, grouped

        found, rules = self.view(**view), self.rules()
        return (
            fold(found, grouped(found, rules, grain))
            if nodes is None
            else budgeted(found, rules, nodes=nodes, grain=grain)
        )

    def rolled(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], grain: str) -> list[dict[str, Any]]:
        """Return the rows of an answer folded by grain; see :func:`provkg.rollup.rolled`.

        Args:
            rows: of an answer, or the steps of a lineage as mappings.
            columns: their names, in order.
            grain: ``subrun``, which folds nothing, ``run`` or ``night``.

        Raises:
            InputError: there is no such grain, or no row names a step or a product.
        """
        from provkg.rollup import Scope, fold, grouped, read, rolled

        cells = {value for row in rows for value in row.values() if isinstance(value, str) and is_iri(value)}
        rules, names = self.rules(), tuple(sorted(cells))
        view = read(self.graph(), Scope(names=names), rules, agents=False) if names else None
        if rows and not (view and view.nodes.keys() & cells):
            raise InputError("the answer names no steps or products, and has no grain", hint="leave out --grain")
        return rolled(rows, columns, fold(view, grouped(view, rules, grain))) if view else []

    def lstosa(self, run: str, folder: str | Path, *, parts: Iterable[str] = (), calibration: str = "") -> Products:
        """Write what lstosa's provprocess writes of a run; see :mod:`provkg.export.lstosa`.

        Args:
            run: a run number.
            folder: where to.
            parts: some of calibration_to_dl1, calibration_to_dl2, r0_to_dl1 and dl1_to_dl2; all that are on record when
                empty.
            calibration: ``PEDESTALRUN-CALIBRATIONRUN``; what the run read, when empty.

        Raises:
            NotFound: no activity is of the run or of the calibration.
            InputError: there is no such part, or the files cannot be written.
        """
        from provkg.export import Products, lstosa, lstosa_parts
        from provkg.export.lstosa_writing import write_products
        from provkg.graphview import draw
        from provkg.rollup import Scope, fold, grouped, read

        rules, graph, number = self.rules(), self.graph(), run.removeprefix("Run").zfill(5)
        view = read(graph, Scope(run=run, calibration=calibration), rules, self.config.site, agents=False)
        paths, left_out, undrawn = [], {}, False
        for part in lstosa_parts.chosen(parts):
            of_part = view.only(partial(lstosa_parts.is_of, part, number, rules))
            if why := lstosa_parts.missing(part, of_part, rules):
                left_out[part] = why
                continue
            rolled = fold(of_part, grouped(of_part, rules, "run"))
            try:
                drawn = draw(rolled, "pdf", title=f"{part} {number}", rules=rules)
            except MissingExtra:
                drawn, undrawn = None, True
            records = lstosa.records(rolled, graph, rules, number)
            paths += write_products(Path(folder), f"{part}_{number}", records, drawn)
        return Products(tuple(paths), left_out, undrawn)

    def picture(self, form: str = "svg", *, title: str = "", links: Links | None = None, **rollup: Any) -> bytes:
        """Return a picture of a part of the graph; the same part gives the same bytes.

        Args:
            form: svg, pdf or png, which graphviz draws; dot, mermaid, text or json.
            title: what stands under it; the product, run or night when empty.
            links: where its shapes lead to; as the settings say when None.
            rollup: see :meth:`rollup`; at most 60 nodes where nothing is said.

        Raises:
            MissingExtra: graphviz is not installed.
        """
        from provkg.graphview import Links, draw
        from provkg.rollup import NODES

        said = {"grain": "subrun", "nodes": NODES, **rollup}
        named = next(
            (
                f"{kind} {rollup[kind]}".removeprefix("product ")
                for kind in ("product", "run", "night")
                if rollup.get(kind)
            ),
            "",
        )
        where = links or Links(self.config.page_link, self.config.file_link)
        return draw(self.rollup(**said), form, title=title or named or self.store.name, rules=self.rules(), links=where)
