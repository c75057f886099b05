"""What is fuzzed, and what must hold whatever is thrown at it; an exception is a finding."""

import hashlib
import io
from collections.abc import Callable
from contextlib import redirect_stderr
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl

from pyoxigraph import Literal, RdfFormat, parse

import provkg
from provkg.config import Config
from provkg.errors import ProvkgError
from provkg.ingest.loading import in_graph
from provkg.mapping import Mapped, map_records
from provkg.questions.binding import bind, placeholders
from provkg.readers import Bounded, Live, Reader, Source, find_reader, open_source, readers
from provkg.records import Quarantined, Record, Stretch
from provkg.server.messages import Asked, Setup
from provkg.server.site import Site
from provkg.shelves import pack
from provkg.store import tokens

Target = Callable[[bytes], None]
CONFIG = Config(zone="Europe/Madrid")
LINES = ("prov_lines", "capture", "sacct", "osa_history")
READERS = readers()
NAMES = (*READERS, "compressed", "question", "http")


def target(name: str, folder: Path, store: Path) -> Target:
    """Return what takes the bytes that are thrown.

    Args:
        name: one of :data:`NAMES`.
        folder: for the file that is read.
        store: a small store.
    """
    if name in READERS:
        return reading(READERS[name], folder / "thrown")
    if name == "compressed":
        return compressed(folder / "thrown")
    return question(store) if name == "question" else http(store)


# Readers


def reading(reader: Reader, path: Path) -> Target:
    """Read what is thrown, if the reader says that it knows it."""

    def thrown(data: bytes) -> None:
        path.write_bytes(data)
        source = open_source(path, CONFIG)
        assert (source.size, source.digest) == (len(data), hashlib.sha256(data).hexdigest())
        find_reader(source, READERS)
        if not data or not reader.knows(source):
            return
        told: list[Record] = []
        try:
            told += reader.read(source)
        except ProvkgError as error:
            said_well(error)
            return
        accounted(told, data, reader)
        said = [mapped_text(each) for each in map_records(told, CONFIG, set())]
        for text in said:
            list(parse(text, RdfFormat.N_QUADS))  # what is written can be loaded
        assert said == [mapped_text(each) for each in map_records(reader.read(source), CONFIG, set())]
        if reader.live is not None:
            assert repr(grown(reader, source, path)) == repr(told)  # NaN is not equal to itself

    return thrown


def said_well(error: ProvkgError) -> None:
    """An error says in one line what is wrong."""
    assert error.message
    assert "\n" not in error.message.strip()


def mapped_text(mapped: Mapped) -> str:
    """Return what is loaded of a stretch."""
    lines = (("g:source", mapped.source), ("g:catalogue", mapped.catalogue), ("g:descriptions", mapped.descriptions))
    return "".join(in_graph(graph, each) for graph, each in lines)


def accounted(told: list[Record], data: bytes, reader: Reader) -> None:
    """Each byte is a record, none, or quarantined, and stands where it is said to stand."""
    begin, lost = 0, []
    pieces = sorted((each for each in told if isinstance(each, Quarantined)), key=lambda each: each.offset)
    for each in told:
        if isinstance(each, Quarantined):
            lost.append(each.length)
        elif isinstance(each, Stretch):
            assert 0 <= each.nothing <= each.nothing + sum(lost) <= each.end - begin, (each, lost)
            assert each.digest == hashlib.sha256(data[: each.end]).hexdigest()
            begin, lost = each.end, []
    if reader.name == "product":  # a record stands somewhere in it
        return
    assert sum(lost) <= len(data) - begin
    assert all(first.offset + first.length <= second.offset for first, second in pairwise(pieces)), pieces
    for each in pieces:
        assert each.reason
        assert 0 <= each.length <= len(data) - each.offset
        assert each.length or not each.line  # a statement of RDF stands nowhere
        if reader.name in LINES:
            assert each.line == data.count(b"\n", 0, each.offset) + 1


def grown(reader: Reader, source: Source, path: Path) -> list[Record]:
    """Return what is told of a log that is read line by line as it grows."""
    assert reader.live is not None
    live, told = reader.live(CONFIG), []
    ends = [at + 1 for at, each in enumerate(path.read_bytes()) if each == 10]
    for end in (*ends[:: max(1, len(ends) // 3)], source.size):
        with path.open("rb") as file:
            file.seek(live.offset)
            told += live.read(Bounded(io.BytesIO(file.read(end - live.offset)), end))
        if end < source.size:
            list(live.rest())
            live = recalled(reader, live)
    return [*told, *live.rest()]


def recalled(reader: Reader, live: Live) -> Live:
    """Return what is known of a log after it was written to a file and read from there."""
    assert reader.live is not None
    it = reader.live(CONFIG)
    it.recall(live.facts())
    it.seen = live.seen
    shelves = it.shelves()
    for name, shelf in live.shelves().items():
        for item in shelf.items():
            shelves[name].take(pack(item))
    return it


def compressed(path: Path) -> Target:
    """Open what says that it is compressed."""

    def thrown(data: bytes) -> None:
        path.write_bytes(data)
        try:
            source = open_source(path, CONFIG)
        except ProvkgError as error:
            said_well(error)
            return
        with source.open() as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == source.digest

    return thrown


# Questions


def question(store: Path) -> Target:
    """Ask a question with what is thrown as its values: lines of name and value."""
    kg = provkg.open(store)
    every = [each for each in kg.questions().values() if not each.local]

    def thrown(data: bytes) -> None:
        first, *lines = data.decode("utf-8", "surrogateescape").split("\n")
        asked = every[sum(map(ord, first)) % len(every)]
        given = dict(each.partition("=")[::2] for each in lines)
        values = {name: given[name] for name in asked.parameters if name in given}
        for value in given.values():
            unmoved(asked.sparql, value)
        try:
            kg.ask(asked.name, limit=20, **values)
        except ProvkgError as error:
            said_well(error)

    return thrown


def unmoved(sparql: str, value: str) -> None:
    """No value changes anything of a query but the term that it becomes."""
    try:
        term = Literal(value)
    except ValueError:  # no text of RDF
        return
    places = {each.start: each.name for each in placeholders(sparql)}
    wanted = [str(term) if each.start() in places else each[0] for each in tokens(sparql)]
    assert [each[0] for each in tokens(bind(sparql, dict.fromkeys(places.values(), term)))] == wanted


# HTTP


def http(store: Path) -> Target:
    """Answer what is thrown as a worker does: method, address, accept, type, then the body, each a line."""
    site = Site(Setup(Config(store=str(store)), rows=1000, longest=1 << 20))
    site.warm()

    def thrown(data: bytes) -> None:
        asked = request(data)
        with redirect_stderr(io.StringIO()) as told:
            reply = site.respond(asked)
        assert reply.status < 500, told.getvalue()
        assert not (b"Traceback" in reply.body and b"Traceback" not in data)

    return thrown


def request(data: bytes) -> Asked:
    """Return a request as the front hands it on."""
    head, _, body = data.partition(b"\n\n")
    method, address, accept, media, *_ = *head.decode("latin-1").split("\n"), "", "", "", ""
    path, _, query = address.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        pairs = []
    return Asked("POST" if method == "POST" else "GET", "/" + path.lstrip("/"), pairs, accept, media, body, "http://h")
