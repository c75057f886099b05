"""The sessions of a line log: each as it was first recorded, and as it was recorded last."""

import hashlib
from typing import Any

from msgspec import Struct

from provkg import identity
from provkg.identity import canonical
from provkg.readers.logentities import Entities, path_digest
from provkg.readers.pyrepr import loads
from provkg.readers.system import CHANGING, arguments, environment, started
from provkg.records import Environment, Session
from provkg.shelves import Shelf
from provkg.vocab import PKG

FAMILY = "log"
ROOM = 16 << 20  # for the texts of environments, which need not be read again
SYSTEM = "'system': {"
_CHANGING = "'arguments': "
_PROPERTIES = {
    "observation_date": PKG.observationDate,
    "observation_run": PKG.run,
    "pedestal_run": PKG.pedestalRun,
    "calibration_run": PKG.calibrationRun,
}


class First(Struct, frozen=True):
    """What a session was when it was first recorded; ``rest`` is the digest of what is the same at every call."""

    name: str
    host: str
    start: str
    arguments: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]
    rest: str


class Last(Struct, frozen=True):
    """What the last record of a session said that the first one did not."""

    arguments: tuple[str, ...]
    properties: tuple[tuple[str, str], ...]


class Sessions:
    """The sessions of one log, by their ids.

    Args:
        entities: of the same log: they say where files lie.
    """

    def __init__(self, entities: Entities) -> None:
        self.entities = entities
        self.first: Shelf[str, First] = Shelf(str, First)
        self.last: Shelf[str, Last] = Shelf(str, Last)
        self.environments: dict[str, Environment] = {}
        self.room = ROOM

    def shelves(self) -> dict[str, Shelf[Any, Any]]:
        """Return what the records said, in any number."""
        return {"sessions": self.first, "calls": self.last}

    def host(self, local: str) -> str:
        """Return the host of a session, or nothing."""
        first = self.first.get(local)
        return first.host if first is not None else ""

    def read(self, body: str, line: int) -> tuple[str, Session | None]:
        """Read a session record: return its id, and what it is if that is new.

        Raises:
            ValueError: it is none.
        """
        local, session = self._decode(body, line)
        rest, first = _rest(session), self.first.get(local)
        properties = [(iri, str(value)) for iri, value in session.properties]
        if first is None or first.rest != rest:
            host = session.environment.host if session.environment is not None else ""
            arguments = session.arguments
            now = First(session.name, host, session.start, arguments, tuple(properties), rest)
            self.first.put(local, now, len(body))
            self.last.put(local, Last((), ()), len(local))
            return local, session
        # lstosa repeats the session before every activity since 2022
        new = tuple(pair for pair in properties if pair not in first.properties)
        new += ((PKG.sessionRecordStart, session.start),) if session.start != first.start else ()
        self.last.put(local, Last(session.arguments if session.arguments != first.arguments else (), new), len(body))
        return local, None

    def _decode(self, body: str, line: int) -> tuple[str, Session]:
        record, known = self._split(body)
        if "session_id" not in record:
            raise ValueError("no kind of record has these keys")
        local, start = str(record.pop("session_id")), str(record.pop("startTime", ""))
        system = record.pop("system", None)
        system = system if isinstance(system, dict) else {}
        record.pop("session_tag", None)
        label = str(
            record.pop("name", "") or ".".join(str(record[key]) for key in ("module", "class") if key in record)
        )
        properties = tuple(
            (iri, str(record.pop(key))) for key, iri in _PROPERTIES.items() if record.get(key) is not None
        )
        config = str(record.pop("config_file", "") or "")
        digest = path_digest(
            record.pop("config_file_hash", None), record.pop("config_file_hash_type", None), config, ""
        )
        if digest is not None:
            properties += ((PKG.configurationFileDigest, f"{digest.of}:{digest.algorithm}:{digest.value}"),)
        return local, Session(
            name=f"session/{FAMILY}/{identity.part(local)}/{identity.part(start)}",
            label=label,
            start=start,
            software=_software(record.pop("software_version", None), system),
            environment=known or (environment(system) if system else None),
            arguments=arguments(system.get("arguments")),
            config_file=self.entities.file(config, "") if config.startswith("/") else config,
            properties=properties + started(system),
            extra=record,
            line=line,
        )

    def _split(self, body: str) -> tuple[dict[Any, Any], Environment | None]:
        """Decode a session; the part of ``system`` that repeats at every call is decoded once."""
        at = body.find(SYSTEM)
        changing = body.find(_CHANGING, at + len(SYSTEM)) if at >= 0 else -1
        if changing >= 0:
            begin = at + len(SYSTEM)
            static = body[begin:changing].removesuffix(", ")
            try:
                rest, _ = loads(body[:begin] + body[changing:])
                known = self.environments.get(static) or environment(loads("{" + static + "}")[0])
                whole = set(rest["system"]) <= set(CHANGING)
            except (ValueError, TypeError, KeyError):
                whole = False  # the cut fell inside a value
            if whole:
                self._remember(static, known)
                return rest, known
        return loads(body)[0], None

    def _remember(self, static: str, known: Environment) -> None:
        self.room -= len(static) if static not in self.environments else 0
        if self.room < 0:
            self.environments.clear()
            self.room = ROOM - len(static)
        self.environments[static] = known


def _rest(session: Session) -> str:
    """Return the digest of what does not change when a session record repeats."""
    properties = tuple(pair for pair in session.properties if pair[0] != PKG.processStart)
    environment = session.environment.digest if session.environment is not None else ""
    rest = [session.label, session.software, environment, session.config_file, properties, canonical(session.extra)]
    return hashlib.blake2b(canonical(rest).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _software(version: Any, system: dict[str, Any]) -> tuple[str, str] | None:
    """Name the program of a session: lstosa gives lstchain's version, gammapy its own."""
    if version:
        return "lstchain", str(version)
    return ("gammapy", str(system["version"])) if system.get("version") else None
