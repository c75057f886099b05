"""Sessions, activities, entities and agents as statements."""

from collections.abc import Callable

from msgspec.structs import replace

from provkg.edges import Described, Made
from provkg.identity import canonical, printable
from provkg.mapping.statements import EXTRA, Statements
from provkg.mapping.terms import integer, literal
from provkg.records import UNREADABLE_TIME, Activity, Agent, Ended, Entity, Environment, Node, Parameters, Session
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, VP

_A, _LABEL, _LINE = f"<{RDF_TYPE}>", f"<{RDFS_LABEL}>", f"<{PKG.line}>"
_ENTITY, _COLLECTION = f"<{PROV.Entity}>", f"<{PROV.Collection}>"
_DIGEST = {"path": PKG.pathDigest, "content": PKG.recordedDigest, "unknown": PKG.unprovenDigest}


class Nodes:
    """Write nodes into the statements of one source."""

    def __init__(self, out: Statements) -> None:
        self.out = out

    def session(self, record: Session) -> None:
        """A session is a prov:Activity in which others happen."""
        s, put = self.out.names.iri(record.name), self.out.source.append
        self.out.counts["sessions"] += 1
        put(f"{s} {_A} <{PKG.Session}> .")
        put(f"{s} {_LINE} {integer(record.line)} .")
        if record.label:
            put(f"{s} {_LABEL} {literal(record.label)} .")
        self.out.time(s, PROV.startedAtTime, PKG.recordedStart, record.start)
        if record.software:
            put(f"{s} <{PROV.wasAssociatedWith}> {self.out.shared.software(record.software)} .")
        self.surroundings(s, record.environment, record.arguments)
        if record.config_file:
            put(f"{s} <{VP.wasConfiguredBy}> {self.out.shared.config_file(record.config_file)} .")
        self.out.properties(s, record.properties, record.extra)
        dates = [str(value) for predicate, value in record.properties if predicate == PKG.observationDate]
        self.out.edges.observe(s[1:-1], dates[0] if dates else "")

    def activity(self, record: Activity) -> None:
        """An activity, with what its start record says."""
        a, put = self.out.names.iri(record.name), self.out.source.append
        self.out.counts["activities"] += a[1:-1] not in self.out.edges.times
        put(f"{a} {_A} <{PROV.Activity}> .")
        if record.line:
            put(f"{a} {_LINE} {integer(record.line)} .")
        if record.label:
            put(f"{a} {_LABEL} {literal(record.label)} .")
            put(f"{a} <{VP.activityDescription}> {self.out.shared.activity_description(record.label)} .")
        start, shown = self.out.time(a, PROV.startedAtTime, PKG.recordedStart, record.start)
        end, _ = self.out.time(a, PROV.endedAtTime, PKG.recordedEnd, record.end)
        known = self.out.edges.times.get(a[1:-1], (None, None))
        self.out.edges.times[a[1:-1]] = (known[0] if start is None else start, known[1] if end is None else end)
        told = Made(printable(record.label), printable(shown), record.status or record.recorded_status)
        self.out.edges.make(a[1:-1], told)
        if record.status and record.status != "running":
            put(f"{a} <{PKG.status}> <{PKG[record.status]}> .")
        if record.recorded_status:
            put(f"{a} <{PKG.recordedStatus}> {literal(record.recorded_status)} .")
        if record.exit_code is not None:
            put(f"{a} <{PKG.exitCode}> {integer(record.exit_code)} .")
        if record.session:
            put(f"{a} <{PKG.inSession}> {self.out.names.iri(record.session)} .")
            self.out.edges.happen(a[1:-1], self.out.names.iri(record.session)[1:-1])
        if record.agent:
            put(f"{a} <{PROV.wasAssociatedWith}> {self.out.shared.account(record.agent)} .")
        if record.software:
            put(f"{a} <{PROV.wasAssociatedWith}> {self.out.shared.software(record.software)} .")
        if record.script:
            put(f"{a} <{PKG.script}> {literal(record.script)} .")
        self.surroundings(a, record.environment, record.arguments)
        self.out.properties(a, record.properties, record.extra)

    def ended(self, record: Ended) -> None:
        """The end of an activity."""
        a = self.out.names.iri(record.activity)
        end, _ = self.out.time(a, PROV.endedAtTime, PKG.recordedEnd, record.end)
        self.out.edges.times[a[1:-1]] = (self.out.edges.times.get(a[1:-1], (None, None))[0], end)
        if record.status:
            self.out.source.append(f"{a} <{PKG.status}> <{PKG[record.status]}> .")
            self.out.edges.end(a[1:-1], record.status)
        self.out.counts["ended"] += 1

    def surroundings(self, subject: str, environment: Environment | None, arguments: tuple[str, ...]) -> None:
        """Link an environment, and give the command line as recorded."""
        if environment is not None:
            self.out.source.append(f"{subject} <{PKG.environment}> {self.out.shared.environment(environment)} .")
        if arguments:
            self.out.source.append(f"{subject} <{PKG.arguments}> {literal(canonical(list(arguments)))} .")

    def entity(self, record: Entity) -> None:
        """A place, or a version that has its own IRI. Files and products are shared, so they stand in the catalogue."""
        e = self.out.names.iri(record.name)
        is_file = record.name.startswith("file/")
        if "collection" in record.types:
            self.out.collections.put(e, True, len(e))
        self.out.edges.describe(e[1:-1], Described(printable(record.path), printable(record.label), record.level))
        self.out.telling(e, record.properties)
        put = self.out.source.append
        if is_file or record.name.startswith("entity/"):
            self.out.told.add(e[1:-1])
            key = f"{e} {replace(record, line=0)}"
            if not self.out.shared.first(key):
                self.repeated(record, key)
                return
            put = self.out.shared.catalogue.append
        put(f"{e} {_A} {_ENTITY} .")
        if is_file:
            put(f"{e} {_A} <{PKG.File}> .")
        elif record.name.startswith("object/"):
            put(f"{e} {_A} <{PKG.Object}> .")
        for kind in record.types:
            put(f"{e} {_A} {_COLLECTION if kind == 'collection' else self.out.names.iri(kind)} .")
        if record.path:
            put(f"{e} <{PKG.location}> {literal(record.path)} .")
            put(f"{e} <{PKG.fileName}> {literal(record.path.rstrip('/').rpartition('/')[2])} .")
        if record.place:
            put(f"{e} <{PROV.specializationOf}> {self.out.names.iri(record.place)} .")
            self.out.edges.lies(e[1:-1], self.out.names.iri(record.place)[1:-1])
        self.describe(e, record, put)
        if record.digest is not None:  # a content digest is evidence on a version: see relation
            put(f"{e} <{_DIGEST[record.digest.of]}> {literal(f'{record.digest.algorithm}:{record.digest.value}')} .")
        for predicate, value in record.properties:
            put(f"{e} {self.out.names.iri(predicate)} {self.out.names.value(value)} .")
        if record.extra:
            put(self.out.extra(e, record.extra))

    def repeated(self, record: Entity, key: str) -> None:
        """Count what sources before have written as well: what is said of a source does not depend on them."""
        if record.extra and self.out.shared.repeats(key):
            self.out.remarks[EXTRA] += 1

    def describe(self, entity: str, record: Entity, put: Callable[[str], None]) -> None:
        """Link an entity's description, or give its level where nothing else is known of it."""
        if record.label or record.content_type:
            described = self.out.shared.entity_description(record.label, record.content_type, record.level)
            put(f"{entity} <{VP.entityDescription}> {described} .")
        elif record.level:
            put(f"{entity} <{PKG.dataLevel}> <{PKG[record.level]}> .")

    def agent(self, record: Agent) -> None:
        """An agent of a PROV document."""
        a = self.out.names.iri(record.name)
        self.out.source.append(f"{a} {_A} <{PROV.Agent}> .")
        if record.label:
            self.out.source.append(f"{a} {_LABEL} {literal(record.label)} .")
        self.out.source += [f"{a} {_A} {self.out.names.iri(kind)} ." for kind in record.types]
        self.out.properties(a, record.properties, record.extra)

    def node(self, record: Node) -> None:
        """Anything else, as it is."""
        n = self.out.names.iri(record.name)
        self.out.edges.asked.add(n[1:-1])
        self.out.source += [f"{n} {_A} {self.out.names.iri(kind)} ." for kind in record.types]
        if record.line:
            self.out.source.append(f"{n} {_LINE} {integer(record.line)} .")
        if PROV.Activity in record.types:
            self.out.counts["activities"] += n[1:-1] not in self.out.edges.times
            self.out.edges.times.setdefault(n[1:-1], (None, None))
        for predicate, value in record.properties:
            # a job or a session is no step: nothing is resolved by its times, and none is missing
            if predicate in (PROV.startedAtTime, PROV.endedAtTime) and not {PKG.Job, PKG.Session} & {*record.types}:
                self.dated(n[1:-1], predicate, str(getattr(value, "text", value)))
        self.out.properties(n, record.properties, record.extra)

    def dated(self, activity: str, predicate: str, text: str) -> None:
        """Take a time that is already a triple, for resolution."""
        try:
            at = self.out.clock.read(text)[1]
        except (ValueError, OverflowError):
            self.out.remarks[UNREADABLE_TIME] += 1
            return
        start, end = self.out.edges.times.get(activity, (None, None))
        self.out.edges.times[activity] = (at, end) if predicate == PROV.startedAtTime else (start, at)

    def parameters(self, record: Parameters) -> None:
        """Parameters: a node for each name and value, shared by all activities that had it."""
        activity = self.out.names.iri(record.activity)
        for key, value in record.values.items():
            self.out.counts["parameters"] += 1
            self.out.source.append(f"{activity} <{VP.wasConfiguredBy}> {self.out.shared.parameter(str(key), value)} .")
