"""What the library publishes: the store as a static site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from provkg.errors import InputError
from provkg.knowledge.releasing import Releasing

if TYPE_CHECKING:  # each is imported by the call that needs it
    from provkg.publishing.site import Progress, Published
    from provkg.rollup import Rollup

_MOST_PAGES = 2_000  # products with a page each; above it collections have one


class Publishing(Releasing):
    """A store that can be published as a site that needs no server."""

    def publish(
        self,
        folder: str | Path,
        *,
        grain: str = "",
        title: str = "Provenance",
        url: str = "",
        publisher: str = "",
        licence: str = "",
        progress: Progress | None = None,
    ) -> Published:
        """Write the store as a static site; see :mod:`provkg.publishing.site`.

        Args:
            folder: a new folder, or one that was published before.
            grain: ``subrun`` gives each product a page, ``run`` and ``night`` each collection; as fine as 2,000 pages
                allow when empty.
            title: what the site is called.
            url: where it will be; the base of the IRIs when empty.
            publisher: who publishes it.
            licence: what others may do with it, as a URL.
            progress: called with pages done, pages in all and what is written now.

        Raises:
            InputError: the folder holds something else, or cannot be written.
        """
        from provkg.publishing.site import About, publish

        graph = self.graph()
        where = url or graph.base
        if not where.startswith(("http://", "https://")):
            raise InputError(f"{where!r} is no address of a site", hint="such as https://archive.example.org/prov/")
        about = About(title, where.rstrip("/") + "/", publisher, licence, self.config.site)
        return publish(graph, self._pages(grain), self.rules(), Path(folder), about, progress=progress)

    def _pages(self, grain: str) -> Rollup:
        """Return all of the store, rolled up as far as there are to be pages."""
        from provkg.rollup import GRAINS, fold, grouped

        view, rules = self.view(agents=True), self.rules()
        for each in [grain] if grain else GRAINS:
            found = fold(view, grouped(view, rules, each))
            if sum(one.kind == "entity" for one in found.folds.values()) <= _MOST_PAGES:
                break
        return found
