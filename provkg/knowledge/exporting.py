"""What the library exports: a part of the graph, or all of it, in the formats of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provkg.errors import InputError, did_you_mean
from provkg.knowledge.views import Views
from provkg.store import Graph

if TYPE_CHECKING:  # each is imported by the call that needs it
    from provkg.export import Exported
    from provkg.rollup import Rollup

_BATCH = 20_000  # steps that are looked at together


class Exports(Views):
    """A store that can be written in the formats of others."""

    def export(
        self,
        target: str | Path = "-",
        form: str = "",
        *,
        grain: str = "subrun",
        query: str = "",
        compressed: bool = False,
        split: int = 0,
        licence: str = "",
        **scope: Any,
    ) -> Exported:
        """Write a part of the graph, or all of it.

        Args:
            target: a file; ``-`` for stdout. For ``ro-crate`` a new folder or a .zip file.
            form: one of :data:`provkg.export.FORMATS`; what the name of the file says when empty.
            grain: ``run`` and ``night`` fold; for formats that can hold folds.
            query: a CONSTRUCT or DESCRIBE query whose triples are written, in the place of a part.
            compressed: with gzip.
            split: how many statements a file holds at most, for the syntaxes of RDF.
            licence: of a crate, as a URL.
            scope: see :meth:`view`; the whole store where nothing is said.

        Raises:
            InputError: the format cannot hold what is asked for, or a file cannot be written.
            NotFound: nothing answers to the name, the run or the night.
            Ambiguous: several products do.
        """
        from provkg.export import FORMATS, Exported
        from provkg.export.rdf import SYNTAXES, write_rdf

        name = _chosen(form, target, grain=grain, query=query, split=split)
        if FORMATS[name].graph and grain == "subrun":
            with self._part(query, scope) as (graph, cut):
                if name in SYNTAXES:
                    paths = write_rdf(graph, name, target, compressed=compressed, split=split)
                    return Exported(tuple(paths), cut)
                self._write_graph(graph, name, target, compressed=compressed)
                return Exported((Path(target),), cut)
        untold = self._write_rollup(name, target, grain, scope, compressed=compressed, licence=licence)
        return Exported((Path(target),), 0, untold)

    @contextmanager
    def _part(self, query: str, scope: dict[str, Any]) -> Iterator[tuple[Graph, int]]:
        """Give the graph of what is asked for: the store itself where that is all."""
        from pyoxigraph import Quad, QueryTriples

        from provkg.export.part import held, part_of

        graph = self.graph()
        if query:
            found = graph.query(query)
            if not isinstance(found, QueryTriples):
                raise InputError(
                    "only CONSTRUCT and DESCRIBE give triples to export", hint="provkg query runs the others"
                )
            with held((Quad(*triple) for triple in found), graph.base) as part:
                yield part, 0
        elif not any(scope.get(key) for key in ("product", "run", "night", "names", "levels", "steps")):
            yield graph, 0
        else:
            with part_of(graph, self.view(**{**scope, "agents": True}).nodes) as (part, cut):
                yield part, cut

    def _write_graph(self, graph: Graph, form: str, target: str | Path, *, compressed: bool) -> None:
        """Write a graph, statement for statement, as a document of PROV."""
        from provkg.export.output import opened
        from provkg.export.provwriting import write_prov
        from provkg.export.voprov import VOPROV_FORMATS, write_voprov

        with opened(target, compressed=compressed) as output:
            if form in VOPROV_FORMATS:
                write_voprov(graph, form, output)
            else:
                write_prov(graph, form, output)

    def _write_rollup(
        self, form: str, target: str | Path, grain: str, scope: dict[str, Any], *, compressed: bool, licence: str
    ) -> int:
        """Write a view, rolled up or not; return how many steps the format cannot tell."""
        from provkg.export.graphml import write_graphml
        from provkg.export.openlineage import write_openlineage
        from provkg.export.output import opened
        from provkg.export.provdocument import written
        from provkg.export.votable import votable

        if form == "ro-crate":
            self._write_crate(target, grain, scope, licence)
            return 0
        with opened(target, compressed=compressed) as output:
            if form == "graphml":
                write_graphml(self._rollups(grain, scope), output)
            elif form == "openlineage":
                return write_openlineage(self._rollups(grain, scope), output, site=self.config.site)
            elif form == "votable":
                output.write(votable(self.rollup(grain=grain, **scope)))
            else:
                output.write(written(self.rollup(grain=grain, **scope), form).encode("utf-8", "backslashreplace"))
        return 0

    def _rollups(self, grain: str, scope: dict[str, Any]) -> Iterator[Rollup]:
        """Give what is asked for: where that is the whole store and nothing is folded, some steps at a time."""
        whole = not any(scope.get(key) for key in ("product", "run", "night", "names"))
        if not whole or grain != "subrun":
            yield self.rollup(grain=grain, **scope)
            return
        from provkg.rollup import Scope, find

        steps = find(self.graph(), Scope(), self.rules(), self.config.site).activities
        for at in range(0, len(steps), _BATCH):
            names: dict[str, Any] = {"names": tuple(steps[at : at + _BATCH])} if len(steps) > _BATCH else {}
            yield self.rollup(grain=grain, **scope, **names)

    def _write_crate(self, target: str | Path, grain: str, scope: dict[str, Any], licence: str) -> None:
        from provkg.export.crate import About, write_crate

        named = next((f"{key} {scope[key]}" for key in ("product", "run", "night") if scope.get(key)), self.store.name)
        named = named.removeprefix("product ")
        about = About(named, f"How {named} was made, as provkg has it on record.", licence)
        view = self.rollup(grain=grain, **{**scope, "agents": True})
        write_crate(view, target, about, lambda path: self.export(path, "trig", **scope))


def _chosen(form: str, target: str | Path, *, grain: str, query: str, split: int) -> str:
    """Return the format that is meant, and see that it can hold what is asked for.

    Raises:
        InputError: there is no such format, or it cannot.
    """
    from provkg.export import FORMATS, form_of
    from provkg.export.rdf import SYNTAXES

    if form and form not in FORMATS:
        raise InputError(f"there is no format {form!r}", hint=did_you_mean(form, FORMATS, ", ".join(FORMATS)))
    form = form or form_of(target).name
    if query and not FORMATS[form].graph:
        raise InputError(f"{form} is of steps and products, not of the triples of a query", hint="such as turtle")
    if grain != "subrun" and not FORMATS[form].folds:
        able = ", ".join(name for name, each in FORMATS.items() if each.folds)
        raise InputError(f"{form} holds the records themselves, and no roll-up", hint=f"leave out --grain, or {able}")
    if split and form not in SYNTAXES:
        raise InputError(f"{form} is one document and cannot be split", hint=f"one of {', '.join(SYNTAXES)}")
    return form
