"""What many sources share, each described once: roles, descriptions, software, environments, parameters, digests."""

from typing import Any

from provkg import identity
from provkg.mapping.terms import Names, literal, typed
from provkg.records import Digest, Environment
from provkg.vocab import PKG, PROV, RDF_TYPE, RDFS_LABEL, SKOS, VP

_A, _LABEL, _NAME = f"<{RDF_TYPE}>", f"<{RDFS_LABEL}>", f"<{VP.name}>"


class Shared:
    """N-Triples lines for the catalogue and the descriptions.

    ``known`` is what sources before have written, ``fresh`` what this one adds.
    """

    def __init__(self, names: Names, known: set[str]) -> None:
        self.names, self.known = names, known
        self.fresh: set[str] = set()
        self.repeated: set[str] = set()
        self.catalogue: list[str] = []
        self.descriptions: list[str] = []

    def copy(self) -> "Shared":
        """Return the same, to which more can be added."""
        it = Shared(self.names, self.known)
        it.fresh, it.repeated = {*self.fresh}, {*self.repeated}
        it.catalogue, it.descriptions = [*self.catalogue], [*self.descriptions]
        return it

    def forget(self) -> None:
        """Forget what was written; the caller knows what that was."""
        self.fresh, self.repeated, self.catalogue, self.descriptions = set(), set(), [], []

    def first(self, key: str) -> bool:
        """Say whether something shared has not been written yet, by this source or one before it."""
        if key in self.known or key in self.fresh:
            return False
        self.fresh.add(key)
        return True

    def repeats(self, key: str) -> bool:
        """Say, once a stretch, whether sources before have written something: this one says it as much as they do."""
        if key in self.fresh or key in self.repeated:
            return False
        self.repeated.add(key)
        return True

    def role(self, text: str) -> str:
        """Return the concept of a role."""
        r = self.names.iri(identity.role(text))
        if self.first(r):
            self.descriptions += [
                f"{r} {_A} <{PROV.Role}> .",
                f"{r} {_A} <{SKOS.Concept}> .",
                f"{r} <{SKOS.prefLabel}> {literal(text)} .",
            ]
        return r

    def activity_description(self, label: str) -> str:
        """Return the description of an activity type."""
        d = self.names.iri(identity.activity_description(label))
        if self.first(d):
            self.descriptions += [f"{d} {_A} <{VP.ActivityDescription}> .", f"{d} {_NAME} {literal(label)} ."]
        return d

    def account(self, name: str) -> str:
        """Return the agent of an account name."""
        a = self.names.iri(f"agent/{identity.part(name)}")
        if self.first(a):
            self.catalogue += [f"{a} {_A} <{PROV.Agent}> .", f"{a} {_LABEL} {literal(name)} ."]
        return a

    def software(self, named: tuple[str, str]) -> str:
        """Return the software agent of a name and a version."""
        s = self.names.iri("software/" + "/".join(map(identity.part, named)))
        if self.first(s):
            self.catalogue += [f"{s} {_A} <{PROV.SoftwareAgent}> .", f"{s} {_LABEL} {literal(' '.join(named))} ."]
            self.catalogue += self.package_facts(s, named)
        return s

    def package_facts(self, subject: str, named: tuple[str, str]) -> list[str]:
        """Return name and version of a package."""
        return [
            f"{subject} {_A} <{PKG.Package}> .",
            f"{subject} <{PKG.packageName}> {literal(named[0])} .",
            f"{subject} <{PKG.packageVersion}> {literal(named[1])} .",
        ]

    def environment(self, environment: Environment) -> str:
        """Return an environment: stored once under the digest of its content."""
        e = self.names.iri(f"environment/{environment.digest}")
        if self.first(e):
            put = self.catalogue.append
            put(f"{e} {_A} <{PKG.Environment}> .")
            put(f"{e} <{PKG.json}> {literal(environment.text)} .")
            if environment.host:
                put(f"{e} <{PKG.host}> {literal(environment.host)} .")
            for named in environment.software:
                p = self.names.iri("package/" + "/".join(map(identity.part, named)))
                put(f"{e} <{PKG.includes}> {p} .")
                if self.first(p):
                    self.catalogue += self.package_facts(p, named)
        return e

    def config_file(self, where: str) -> str:
        """Return a configuration file, by path."""
        path = identity.path_of(where) if where.startswith("file/") else where
        c = self.names.iri(f"configuration/{identity.digest(where)}")
        if self.first(c):
            self.catalogue += [
                f"{c} {_A} <{VP.ConfigFile}> .",
                f"{c} {_NAME} {literal(path.rpartition('/')[2])} .",
                f"{c} <{PKG.location}> {literal(path)} .",
            ]
        return c

    def parameter(self, key: str, value: Any) -> str:
        """Return the node of a parameter with this value: all activities that had it share it."""
        term, text = typed(value)
        p = self.names.iri(f"parameter/{identity.digest(key, type(value).__name__, text)}")
        if self.first(p):
            self.catalogue += [
                f"{p} {_A} <{VP.Parameter}> .",
                f"{p} {_NAME} {literal(key)} .",
                f"{p} <{PROV.value}> {literal(text)} .",
                f"{p} <{PKG.typedValue}> {term} .",
            ]
        return p

    def digest(self, digest: Digest) -> str:
        """Return the node of a digest."""
        d = self.names.iri(f"digest/{identity.part(digest.algorithm)}/{identity.part(digest.value)}")
        if self.first(d):
            self.catalogue += [
                f"{d} {_A} <{PKG.Digest}> .",
                f"{d} <{PKG.digestAlgorithm}> {literal(digest.algorithm)} .",
                f"{d} <{PKG.digestValue}> {literal(digest.value)} .",
            ]
        return d

    def entity_description(self, label: str, content_type: str, level: str) -> str:
        """Return the description of a kind of entity: its name, content type and level."""
        d = self.names.iri(identity.entity_description(label, content_type))
        if self.first(d):
            kind = VP.DatasetDescription if content_type else VP.EntityDescription
            self.descriptions += [f"{d} {_A} <{kind}> .", f"{d} {_NAME} {literal(label)} ."]
            if content_type:
                self.descriptions.append(f"{d} <{VP.contentType}> {literal(content_type)} .")
            if level:
                self.descriptions.append(f"{d} <{PKG.dataLevel}> <{PKG[level]}> .")
        return d
