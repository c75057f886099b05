"""Write a store as a static site: an archive that outlives the server.

::

    DIR/
        index.html          leads to the site, from a file or over HTTP
        data/               the site, which is the payload of the bag
            index.html      search, nights, runs, what there is
            product/ run/ night/    a page, a picture, Turtle, JSON-LD and PROV-JSON of each
            sparql.html     SPARQL in the browser
            graph/          all quads, compressed: provkg import reads them
            void.ttl feed/ ontologies/ context.jsonld sitemap.xml negotiation/
        bagit.txt manifest-sha256.txt …   checksums of all of it
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pyoxigraph import RdfFormat, Triple

from provkg.errors import InputError
from provkg.publishing import browser, describing, feed, negotiation
from provkg.publishing.bag import DECLARATION, PAYLOAD, make_bag
from provkg.publishing.data import data_of
from provkg.publishing.pages import STATIC, Pages, assets
from provkg.publishing.subjects import Subject, Subjects
from provkg.resources import folder as shipped
from provkg.rollup import ACTIVITY, Rollup, Rules
from provkg.store import Graph, readable

_SHARD = 250_000  # quads
_OURS = "provkg publish"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class About:
    """What is said of a site as a whole.

    Args:
        title: what it is called.
        url: where it will be, ending with a slash; the base of the IRIs, so that they lead to it.
        publisher: who publishes it.
        licence: what others may do with it, as a URL.
        site: the scope of absolute paths.
    """

    title: str
    url: str
    publisher: str = ""
    licence: str = ""
    site: str = "site"


class Published(NamedTuple):
    """What was written: pages, files and bytes, and pictures that could not be drawn."""

    start: Path
    pages: int
    files: int
    size: int
    undrawn: bool


def publish(
    graph: Graph,
    rollup: Rollup,
    rules: Rules,
    target: Path,
    about: About,
    *,
    progress: Progress | None = None,
) -> Published:
    """Write a site into a new folder, or in the place of one that was published before.

    Args:
        graph: an open store.
        rollup: all of it, rolled up as far as there are to be pages.
        rules: those of pictures.
        target: the folder.
        about: what is said of the site.
        progress: called with pages done, pages in all and what is written now.

    Raises:
        InputError: the folder holds something else, or cannot be written.
    """
    if target.exists() and any(target.iterdir()) and not _published(target):
        raise InputError(f"{target} holds other things than a published site", hint="name a new folder")
    part = target.with_name(target.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        (part / PAYLOAD).mkdir(parents=True)
        found = _Writing(graph, rollup, rules, part, about, progress).write()
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    except OSError as error:
        raise InputError(f"{target}: {error.strerror or error}") from None
    return found._replace(start=target / "index.html")


def _published(folder: Path) -> bool:
    """Say whether a folder is a site that was published before."""
    info = folder / "bag-info.txt"
    return (folder / DECLARATION).exists() and info.exists() and _OURS in info.read_text("utf-8", "replace")


class _Writing:
    def __init__(
        self, graph: Graph, rollup: Rollup, rules: Rules, folder: Path, about: About, progress: Progress | None
    ) -> None:
        self.graph, self.rollup, self.about = graph, rollup, about
        self.folder, self.root = folder, folder / PAYLOAD
        self.subjects = Subjects(rollup)
        self.pages = Pages(self.subjects, rules, about)
        self.progress = progress or (lambda *_: None)

    def write(self) -> Published:
        """Write everything, the bag at last."""
        every = list(self.subjects.every())
        with ThreadPoolExecutor() as threads:  # graphviz draws in a process of its own, and a dump holds no lock
            shards = threads.submit(self.shards)
            drawn = threads.map(self.pages.picture, every)
            for number, (subject, picture) in enumerate(zip(every, drawn, strict=True)):
                self.progress(number, len(every), subject.name)
                self.subject(subject, picture)
            quads, dumps = shards.result()
        self.page("index.html", self.pages.index(every, quads))
        self.page("sparql.html", self.pages.sparql(len(dumps)))
        self.scripts(every)
        self.descriptions(every, quads, dumps)
        self.put(self.folder / "index.html", self.pages.door().encode())
        info = {"External-Description": self.about.title, "Source-Organization": self.about.publisher}
        files = make_bag(self.folder, {**info, "Bag-Software-Agent": _OURS})
        size = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return Published(self.folder, len(every), files, size, self.pages.undrawn)

    def subject(self, subject: Subject, picture: bytes) -> None:
        """Write the page of a subject, its picture and its data."""
        self.page(f"{subject.path}.html", self.pages.page(subject, picture.decode()))
        if picture:
            self.put(self.root / f"{subject.path}.svg", picture)
        for ending, data in data_of(subject, self.graph).items():
            self.put(self.root / f"{subject.path}.{ending}", data)

    def shards(self) -> tuple[int, dict[str, tuple[int, str]]]:
        """Write all quads, as files and as scripts; return how many there are, and sizes and digests of the files."""
        count = 0
        dumps: dict[str, tuple[int, str]] = {}
        with tempfile.NamedTemporaryFile(prefix="provkg-", suffix=".nq") as file:
            self.graph.save(file.name, RdfFormat.N_QUADS, {})
            while lines := list(islice(file, _SHARD)):
                count += len(lines)
                number = len(dumps) + 1
                data = gzip.compress(b"".join(lines), 6, mtime=0)
                name = f"graph/graph-{number:04d}.nq.gz"
                self.put(self.root / name, data)
                self.put(self.root / f"graph/graph-{number:04d}.js", browser.shard(number, data).encode())
                dumps[name] = (len(data), hashlib.sha256(data).hexdigest())
        return count, dumps

    def scripts(self, every: list[Subject]) -> None:
        """Write styles, scripts, the engine and what is searched."""
        for name, data in assets().items():
            self.put(self.root / STATIC / name, data)
        self.put(self.root / STATIC / "oxigraph.js", browser.engine().encode())
        self.put(self.root / STATIC / "oxigraph-code.js", browser.engine_code().encode())
        told = json.dumps(list(self.searched(every)), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        self.put(
            self.root / STATIC / "search-index.js", f"var provkgIndex={told};\n".encode("utf-8", "backslashreplace")
        )

    def searched(self, every: list[Subject]) -> Iterator[list[str]]:
        """Give what can be found: name, kind and page of each subject and of each member of a collection."""
        for subject in every:
            yield [subject.name, subject.kind, subject.path]
            members = subject.folds[0].members if subject.kind == "product" else ()
            yield from ([node.label or node.iri, "file", subject.path] for node in members if node.label)

    def descriptions(self, every: list[Subject], quads: int, dumps: dict[str, tuple[int, str]]) -> None:
        """Write what programs look for."""
        told = list(describing.description(self.graph, self.about, dumps, quads))
        self.rdf("void", told, describing.SPACES)
        some, url = feed.members(self.graph), f"{self.about.url}feed"
        self.rdf("feed", feed.stream(some, url, ending=".ttl"), feed.SPACES)
        for number in feed.pages(some):
            page = feed.page(self.graph, some, number, url, self.about.site, ending=".ttl")
            self.rdf(f"feed/{number}", page, feed.SPACES)
        for path in (*shipped("ontologies").glob("*.ttl"), shipped("ontologies") / "context.jsonld"):
            self.put(self.root / ("ontologies" if path.suffix == ".ttl" else "") / path.name, path.read_bytes())
        for name, text in describing.sitemaps(self.about.url, [f"{each.path}.html" for each in every]).items():
            self.put(self.root / name, text.encode())
        self.put(self.root / "robots.txt", f"User-agent: *\nAllow: /\nSitemap: {self.about.url}sitemap.xml\n".encode())
        pages = self.places(every)
        maps = negotiation.ids(self.graph.base, pages)
        for name, text in zip((negotiation.IDS, negotiation.REWRITES), maps, strict=True):
            self.put(self.root / "negotiation" / name, text.encode())
        self.put(self.root / "negotiation/nginx.conf", negotiation.nginx(self.graph.base, len(pages)).encode())
        self.put(self.root / "negotiation/apache.conf", negotiation.apache(self.graph.base).encode())

    def places(self, every: list[Subject]) -> dict[str, str]:
        """Return the page of each IRI: of steps that of what they made, else of their run or night."""
        found: dict[str, str] = {}
        for subject in every:
            for fold in subject.folds:
                own = {fold.iri, *(node.iri for node in fold.members)}
                if subject.kind == "product" or fold.kind == ACTIVITY:
                    found |= {iri: subject.path for iri in own if subject.kind == "product" or iri not in found}
            found.setdefault(subject.iri, subject.path)
        made = [(member, relation) for relation in self.rollup.relations for member in relation.members]
        for each, relation in made:
            if each.kind == "wasGeneratedBy":
                found.setdefault(each.object, self.subjects.path_of[relation.subject])
        return found

    def rdf(self, name: str, triples: Iterator[Triple] | list[Triple], spaces: dict[str, str]) -> None:
        """Write triples as Turtle for people."""
        self.put(self.root / f"{name}.ttl", readable(triples, spaces).encode())

    def page(self, name: str, text: str) -> None:
        """Write a page."""
        self.put(self.root / name, text.encode("utf-8", "backslashreplace"))

    def put(self, path: Path, data: bytes) -> None:
        """Write a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
