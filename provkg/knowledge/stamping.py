"""What the library does with files in hand: stamp one, and find the history of a renamed one."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provkg.errors import InputError, NotFound
from provkg.knowledge.histories import Histories
from provkg.lineage import Candidate, find, find_one
from provkg.store import Graph, text_of
from provkg.vocab import PKG

if TYPE_CHECKING:  # imported by the call that needs it
    from provkg.stamps import Stamp

_ALGORITHMS = f"SELECT DISTINCT ?a WHERE {{ ?d <{PKG.digestAlgorithm}> ?a }}"
HOW = {
    "byContent": "its bytes are those of a version on record",
    "byStamp": "it carries the stamp of this product; its bytes are not on record",
    "byIdentity": "it carries the id of this product; its bytes are not on record",
    "byPath": "this path is on record; its bytes are not compared, no digest is on record",
}


@dataclass(frozen=True)
class Known:
    """What a file is: a version on record, and how that is known; ``stamp`` is what the file carries."""

    product: Candidate
    evidence: str
    stamp: Stamp | None


class Stamps(Histories):
    """A store that is asked about files."""

    def whois(self, path: str | Path) -> Known:
        """Return the version that a file is, whatever it is called now.

        Args:
            path: a file that is there. Its bytes count first, then its stamp, then the CTA product id that it carries.

        Raises:
            InputError: it cannot be read.
            NotFound: the store knows nothing of it; the message says what it carries.
        """
        from provkg.stamps import read_stamp

        graph, stamp = self.graph(), read_stamp(path)
        found = self._by_content(graph, path)
        if found:
            return Known(found[0], "byContent", stamp)
        if stamp is not None and (found := find(graph, stamp.product, site=self.config.site)):
            return Known(found[0], "byStamp", stamp)
        product = _product_id(path)
        if product and (found := find(graph, product, site=self.config.site)):
            return Known(found[0], "byIdentity", stamp)
        carries = f"; it is stamped as {stamp.product} by a store of {stamp.snapshot}" if stamp is not None else ""
        raise NotFound(f"the store knows nothing of {path}{carries}", hint="ingest the records of what made it")

    def stamp(self, path: str | Path, *, product: str = "") -> Stamp:
        """Write into a file which product it is, its recipe digest and what this store knew.

        The bytes of the file change: :func:`provkg.cli.stamp.stamp` records that.

        Args:
            path: FITS, HDF5 or ECSV.
            product: the IRI, or another name, of the version it is; found from its bytes when empty.

        Raises:
            InputError: it cannot be stamped, or its bytes are not those on record.
            NotFound: the store knows nothing of it.
            Ambiguous: several versions answer to the product.
        """
        from provkg.histories import history_of, recipes_of
        from provkg.stamps import Stamp, stamped

        graph = self.graph()
        found, evidence = (
            (find_one(graph, product, site=self.config.site), "asked") if product else self._version(graph, path)
        )
        recipe = recipes_of(history_of(graph, found.iri)).products.get(found.iri, "")
        stamp = Stamp(found.iri, recipe, snapshot(graph), evidence)
        stamped(path, stamp)
        return stamp

    def _version(self, graph: Graph, path: str | Path) -> tuple[Candidate, str]:
        """Return the version that a file is: by its bytes or its stamp, or by its path if no bytes are on record."""
        try:
            known = self.whois(path)
        except NotFound:
            one = find_one(graph, os.path.abspath(path), site=self.config.site)  # noqa: PTH100
            if graph.objects(one.iri, PKG.contentDigest):
                message = f"{path}: its bytes are not those of any version on record"
                raise InputError(message, hint="verify it: provkg verify; or say which it is: --product") from None
            return one, "byPath"
        return known.product, known.stamp.evidence if known.evidence == "byStamp" and known.stamp else known.evidence

    def _by_content(self, graph: Graph, path: str | Path) -> list[Candidate]:
        algorithms = {text_of(row["a"]) for row in graph.select(_ALGORITHMS)} & hashlib.algorithms_guaranteed
        found: list[Candidate] = []
        try:
            for algorithm in sorted(algorithms, key=lambda name: name != "sha256"):
                with open(path, "rb") as stream:  # noqa: PTH123 - any kind of path
                    digest = hashlib.file_digest(stream, algorithm).hexdigest()
                found = found or [each for each in find(graph, digest, site=self.config.site) if each.location]
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from None
        where = os.path.realpath(path)
        return sorted(found, key=lambda each: each.location != where)  # of equal bytes, those that lie here


def snapshot(graph: Graph) -> str:
    """Return what a store knew: a digest over the names of all its sources, which are digests of theirs."""
    from provkg.questions.citing import sources

    return "sources:sha256:" + hashlib.sha256("\n".join(sources(graph)).encode()).hexdigest()


def _product_id(path: str | Path) -> str:
    """Return the CTA product id that a file carries, or nothing."""
    from provkg.config import Config
    from provkg.readers import open_source
    from provkg.readers.product import product_id

    return product_id(open_source(Path(path), Config()))
