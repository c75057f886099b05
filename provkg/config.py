"""Settings: flags, then the environment, then ``provkg.toml``, then defaults.

``provkg.toml`` is looked for in the working directory and its parents::

    store = "/data/provenance"             # a folder, or the http(s) URL of a SPARQL server
    base = "https://prov.example.org/"     # the IRIs of the data begin with it
    zone = "Atlantic/Canary"               # of times that a record gives without one
    site = "orm"                           # the scope of absolute paths
    local_paths = ["/tmp/", "/scratch/"]   # these differ from host to host
    questions = ["questions"]              # folders with .rq files of your own
    citations = ["citations.yaml"]         # how your programs are cited
    rollup = ["rollup.yaml"]               # what makes a run, a night and a level in your records
    page_link = "https://a.example/?f={location}"  # where pictures lead to: {iri}, {location}, {name}
    file_link = "file://{location}"        # where the name of a file leads to

    [remote]                               # where the store is a URL
    dialect = "virtuoso"                   # what kind of server, where that cannot be seen
    timeout = 300                          # seconds

    [serve]                                # provkg serve
    url = "https://prov.example.org"       # the address that others know it by
    cors = ["https://a.example"]           # whose pages may read
    services = ["https://b.example/sparql"]  # what SERVICE may ask
    inbox = "inbox"                        # where records go that were sent
    [serve.tokens]                         # who may send records: provkg serve --new-token NAME
    site = "sha256:…"

Who writes to a server is best said by ``PROVKG_USER`` and ``PROVKG_PASSWORD``, or ``PROVKG_TOKEN``.
"""

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from provkg.errors import InputError, did_you_mean

FILE = "provkg.toml"
MEMORY = "memory:"
SERVERS = ("oxigraph", "virtuoso", "fuseki", "graphdb", "qlever", "generic")


@dataclass(frozen=True)
class Remote:
    """How to reach a store that is a URL; secrets are never shown.

    Args:
        user: with ``password``: basic or digest authentication, as the server wants it.
        token: a bearer token.
        dialect: the kind of server; found by itself where it says so.
        update: the URL for updates, where it is not where that kind of server has it.
        graph_store: the URL of the Graph Store Protocol, the same.
        timeout: seconds to wait for an answer.
        retries: how often a request that may be repeated is sent again.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    dialect: str = ""
    update: str = ""
    graph_store: str = ""
    timeout: float = 300.0
    retries: int = 4

    def __post_init__(self) -> None:
        if self.dialect and self.dialect not in SERVERS:
            raise InputError(f"dialect {self.dialect!r} is unknown", hint=f"one of {', '.join(SERVERS)}")
        if not 0 < self.timeout < 1e6 or self.retries < 0:
            raise InputError("timeout must be more than 0 and retries not less", hint=f"[remote] in {FILE}")
        for name, url in (("update", self.update), ("graph_store", self.graph_store)):
            if url and (not url.startswith(("http://", "https://")) or "@" in url.partition("//")[2].partition("/")[0]):
                raise InputError(f"{name} is no http(s) URL without a password", hint=f"[remote] in {FILE}")


@dataclass(frozen=True)
class Serve:
    """How the store is served.

    Args:
        url: the address that others know the server by; without a path after it where none is needed.
        cors: origins whose pages may read; ``*`` is any.
        services: what SERVICE may ask.
        inbox: the folder of records that were sent.
        tokens: digests of tokens by the names of those who have them.
    """

    url: str = ""
    cors: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    inbox: str = "provkg-inbox"
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.url and urlsplit(self.url).scheme not in ("http", "https"):
            raise InputError(f"url {self.url!r} is no http(s) address", hint=f"[serve] in {FILE}")


@dataclass(frozen=True)
class Config:
    """What a user can set. Times are converted to UTC from ``zone``; IRIs begin with ``base``."""

    store: str = ".provkg"
    base: str = "https://provkg.example.org/"
    zone: str = "UTC"
    site: str = "site"
    local_paths: tuple[str, ...] = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 - these are read from records
    questions: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    rollup: tuple[str, ...] = ()
    page_link: str = "{iri}"
    file_link: str = "file://{location}"
    remote: Remote = Remote()
    serve: Serve = Serve()

    def __post_init__(self) -> None:
        if not self.store.strip():
            raise InputError("the store has no name", hint="--store FOLDER, PROVKG_STORE or provkg.toml")
        parts = urlsplit(self.base)
        if (
            parts.scheme not in ("http", "https")
            or not parts.netloc
            or not self.base.endswith("/")
            or set(self.base) & set(' "<>\\^`{|}')
        ):
            raise InputError(f"base {self.base!r} is no http(s) IRI that ends with a slash", hint=f"set it in {FILE}")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise InputError(
                f"time zone {self.zone!r} is unknown", hint="an IANA name, such as Atlantic/Canary"
            ) from None

    @cached_property
    def zone_info(self) -> ZoneInfo:
        """The declared zone of naive times."""
        return ZoneInfo(self.zone)


def _candidates(start: Path) -> Iterator[Path]:
    for folder in (start, *start.parents):
        yield folder / FILE


def load(start: Path | None = None, *, store: str | None = None) -> Config:
    """Read the settings that hold in a folder.

    Args:
        start: the folder to look from; the working directory when None.
        store: what ``--store`` said; it wins over everything.

    Raises:
        InputError: the file is no TOML, or has an unknown key or a value of the wrong type.
    """
    config = Config()
    for path in _candidates((start or Path.cwd()).resolve()):
        if path.is_file():
            config = _read(path)
            break
    chosen = store if store is not None else os.environ.get("PROVKG_STORE")
    remote = replace(
        config.remote,
        user=os.environ.get("PROVKG_USER", config.remote.user),
        password=os.environ.get("PROVKG_PASSWORD", config.remote.password),
        token=os.environ.get("PROVKG_TOKEN", config.remote.token),
    )
    config = replace(config, remote=remote)
    return replace(config, store=chosen) if chosen is not None else config


def _read(path: Path) -> Config:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: {error}") from None
    values: dict[str, Any] = {}
    for key, value in _known(data, Config, str(path)):
        if key in ("local_paths", "questions", "citations", "rollup"):
            if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                raise InputError(f"{path}: {key} must be a list of strings")
            value = tuple(value if key == "local_paths" else (str(path.parent / each) for each in value))  # noqa: PLW2901
        elif key == "remote":
            value = _remote(value, f"{path}: remote")  # noqa: PLW2901
        elif key == "serve":
            value = _serve(value, path)  # noqa: PLW2901
        elif not isinstance(value, str):
            raise InputError(f"{path}: {key} must be a string")
        values[key] = value
    if values.get("store") and "://" not in values["store"] and values["store"] != MEMORY:
        values["store"] = str(path.parent / values["store"])
    return Config(**values)


def _remote(table: Any, where: str) -> Remote:
    if not isinstance(table, dict):
        raise InputError(f"{where} must be a table", hint="[remote]")
    values: dict[str, Any] = {}
    for key, value in _known(table, Remote, where):
        wanted = {"timeout": (int, float), "retries": (int,)}.get(key, (str,))
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise InputError(f"{where}.{key} must be a {'string' if str in wanted else 'number'}")
        values[key] = value
    return Remote(**values)


def _serve(table: Any, path: Path) -> Serve:
    where = f"{path}: serve"
    if not isinstance(table, dict):
        raise InputError(f"{where} must be a table", hint="[serve]")
    values: dict[str, Any] = {}
    for key, value in _known(table, Serve, where):
        if key in ("cors", "services"):
            if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
                raise InputError(f"{where}.{key} must be a list of strings")
            values[key] = tuple(value)
        elif key == "tokens":
            if not (isinstance(value, dict) and all(isinstance(each, str) for each in value.values())):
                raise InputError(f"{where}.tokens must be a table of strings", hint="provkg serve --new-token NAME")
            values[key] = value
        elif not isinstance(value, str):
            raise InputError(f"{where}.{key} must be a string")
        else:
            values[key] = str(path.parent / value) if key == "inbox" else value
    return Serve(**values)


def _known(data: dict[str, Any], kind: type[Config | Remote | Serve], where: str) -> Iterator[tuple[str, Any]]:
    """Give the keys of a table, each of which must be one of the settings."""
    known = [each.name for each in fields(kind)]
    for key, value in data.items():
        if key not in known:
            raise InputError(
                f"{where}: unknown key {key!r}", hint=did_you_mean(key, known, f"keys: {', '.join(known)}")
            )
        yield key, value
