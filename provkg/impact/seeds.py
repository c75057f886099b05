"""Seeds: what is bad to begin with, as a user says it, and the products that are that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pyoxigraph import Literal

from provkg.errors import InputError, QuestionError
from provkg.histories.facts import rows
from provkg.lineage import find, find_one
from provkg.questions.binding import Term, bind
from provkg.questions.choices import PROLOGUE
from provkg.questions.question import Parameter
from provkg.questions.values import Values
from provkg.store import Graph, text_of

if TYPE_CHECKING:
    from provkg.config import Config

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*?)\s*((?:[<>=!~].*)?)\s*")
_IN = "{ ?a pkg:inSession ?process } UNION { ?made prov:wasGeneratedBy ?process BIND(?process AS ?a) }"
_PATTERNS = {  # ?a is an activity; in the place of ?_given stand terms
    "run": """?session pkg:run|pkg:pedestalRun|pkg:calibrationRun ?run . FILTER(?run IN (?_given))
      ?a pkg:inSession ?session""",
    "software": f"""?package pkg:packageName ?_name ; pkg:packageVersion ?version . FILTER(?version IN (?_given))
      {{ ?process prov:wasAssociatedWith ?package }}
      UNION {{ ?environment pkg:includes ?package . ?process pkg:environment ?environment }} {_IN}""",
    "value": f"?node vp:name ?_name ; prov:value ?_given . ?process vp:wasConfiguredBy ?node . {_IN}",
    "config": f"""{{ ?file a vp:ConfigFile ; pkg:location|vp:name ?_given . ?process vp:wasConfiguredBy ?file }}
      UNION {{ ?process pkg:configurationFileDigest ?digest . FILTER(STRENDS(?digest, ?_given)) }} {_IN}""",
    "agent": f"?agent rdfs:label ?_given . ?process prov:wasAssociatedWith ?agent . {_IN}",
    "host": f"?environment pkg:host ?_given . ?process pkg:environment ?environment . {_IN}",
    "step": "?a rdfs:label ?label ; prov:startedAtTime|prov:endedAtTime ?at . FILTER(?label IN (?_given))",
    "window": """?a prov:startedAtTime ?start . ?made prov:wasGeneratedBy ?a . OPTIONAL { ?a prov:endedAtTime ?end }
      FILTER(?start < ?_until && COALESCE(?end, ?start) >= ?_since)""",
}
_UNDATED = "SELECT DISTINCT ?a WHERE { ?made prov:wasGeneratedBy ?a MINUS { ?a prov:startedAtTime ?start } }"


@dataclass(frozen=True)
class Seeds:
    """What is bad to begin with.

    ``products`` are bad themselves; the others narrow down activities together, all of whose products are bad.

    Args:
        products: paths, names, IRIs or digests.
        run: a run number.
        software: a package with a range of versions, such as ``lstchain<0.10``.
        value: a parameter, ``NAME=VALUE``.
        config: a configuration file: its path, its name or its digest.
        since: activities that had not ended before.
        until: activities that had started before.
        agent: an account or other agent, by name.
        host: a machine.
        steps: types of activity.
        every_version: take all versions where a product has several.
    """

    products: tuple[str, ...] = ()
    run: str = ""
    software: str = ""
    value: str = ""
    config: str = ""
    since: str = ""
    until: str = ""
    agent: str = ""
    host: str = ""
    steps: tuple[str, ...] = ()
    every_version: bool = False

    @property
    def narrowing(self) -> dict[str, str]:
        """Those that choose activities, as they were said."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: ", ".join(value) if isinstance(value, tuple) else value
            for name, value in said.items()
            if value and name not in ("products", "every_version")
        }

    def said(self) -> tuple[str, ...]:
        """Return the seeds as text, the same for the same seeds."""
        chosen = " and ".join(f"{name} {value}" for name, value in self.narrowing.items())
        return (*(f"product {each}" for each in sorted(self.products)), *([chosen] if chosen else []))


def check(seeds: Seeds) -> None:
    """Say what is wrong with seeds whatever the store holds.

    Raises:
        InputError: software is no name with a range, value no NAME=VALUE, or a time no time.
    """
    match = _REQUIREMENT.fullmatch(seeds.software)
    try:
        SpecifierSet(match[2] if match else "")
    except InvalidSpecifier:
        match = None
    if seeds.software and match is None:
        raise InputError(f"{seeds.software!r} is no software with a range of versions", hint="such as 'lstchain<0.10'")
    if seeds.value and "=" not in seeds.value:
        raise InputError(f"{seeds.value!r} is no NAME=VALUE", hint="such as gammaness_cut=0.7")
    for text in filter(None, (seeds.since, seeds.until)):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise InputError(f"{text!r} is no time", hint="such as 2021-09-13 or 2021-09-13T22:00:00Z") from None


class Found(NamedTuple):
    """The products that are bad to begin with, and why there may be more."""

    products: list[str]
    partial: list[str]


@dataclass
class _Finding:
    graph: Graph
    config: Config
    seeds: Seeds
    partial: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = Values(self.graph, self.config)

    def term(self, name: str, kind: str, text: str) -> Literal:
        """Return a value that the store has; the error says what is possible."""
        found = self.values.chosen(Parameter(name, kind), text)
        assert isinstance(found, Literal)
        return found

    def activities(self) -> set[str]:
        """Return the activities that are all that the seeds say."""
        seeds, found = self.seeds, []
        if seeds.run:
            found.append(self.select("run", given=self.runs(seeds.run)))
        if seeds.software:
            found.append(self.software(seeds.software))
        if seeds.value:
            name, is_value, value = seeds.value.partition("=")
            if not is_value:
                raise QuestionError(f"{seeds.value!r} is no NAME=VALUE", hint="such as gammaness_cut=0.7")
            found.append(self.select("value", name=Literal(name), given=Literal(value)))
        if seeds.config:
            found.append(self.select("config", given=Literal(seeds.config)))
        if seeds.agent:
            found.append(self.select("agent", given=Literal(seeds.agent)))
        if seeds.host:
            found.append(self.select("host", given=Literal(seeds.host)))
        if seeds.since or seeds.until:
            found.append(self.window())
        if seeds.steps:
            found.append(self.select("step", given=[self.term("step", "step", each) for each in seeds.steps]))
        return set.intersection(*found) if found else set()

    def select(self, kind: str, **terms: Term | Sequence[Term]) -> set[str]:
        """Return the activities of one pattern, with terms in their places."""
        query = bind(f"{PROLOGUE}SELECT DISTINCT ?a WHERE {{ {_PATTERNS[kind]} }}", terms)
        found = {text_of(row["a"]) for row in self.graph.select(query)}
        if not found:
            said = self.seeds.narrowing.get(kind) or ", ".join(self.seeds.narrowing.values())
            raise QuestionError(f"no activity has {kind} {said!r}", hint="see provkg ask")
        return found

    def runs(self, text: str) -> list[Literal]:
        """Return a run number in the ways in which it is recorded."""
        number = text.removeprefix("Run").lstrip("0")
        return [Literal(each) for each in dict.fromkeys([text, number.zfill(5), number])]

    def software(self, text: str) -> set[str]:
        """Return the activities that ran with a package in a range of versions."""
        match = _REQUIREMENT.fullmatch(text)
        if match is None:
            raise QuestionError(f"{text!r} is no software with a range of versions", hint="such as 'lstchain<0.10'")
        name = self.term("software", "software", match[1])
        versions = self.values.versions(Parameter("software", "version-range"), match[2] or "*", name)
        self.partial += self.values.partial
        return self.select("software", name=name, given=versions)

    def window(self) -> set[str]:
        """Return the activities that ran in a window of time; those whose start nobody recorded may have, too."""
        since, until = (
            self.values.time(Parameter(name, "time"), getattr(self.seeds, name) or default)
            for name, default in (("since", "0001-01-01T00:00:00Z"), ("until", "9999-12-31T00:00:00Z"))
        )
        count = sum(1 for _ in self.graph.select(PROLOGUE + _UNDATED))
        if count:
            self.partial.append(f"of {count} activities nobody recorded when they started")
        return self.select("window", since=since, until=until)


def found(graph: Graph, seeds: Seeds, config: Config) -> Found:
    """Return the products that are bad to begin with.

    Raises:
        QuestionError: nothing is said, or a value is wrong or not in the store.
        NotFound: no product answers to a name.
        Ambiguous: several do, and not all of them are wanted.
    """
    if not seeds.said():
        raise QuestionError(
            "nothing says what is bad", hint="name a product, a run, software, a value, a time or a host"
        )
    finding = _Finding(graph, config, seeds)
    products: list[str] = []
    for text in seeds.products:
        some = find(graph, text, site=config.site) if seeds.every_version else []
        products += [each.iri for each in some] or [find_one(graph, text, site=config.site).iri]
    if seeds.narrowing:
        activities = finding.activities()
        if not activities:
            said = ", ".join(f"{name} {value}" for name, value in seeds.narrowing.items())
            raise QuestionError(f"no activity is all of this: {said}", hint="each narrows the others down")
        products += made_by(graph, activities)
    return Found(list(dict.fromkeys(products)), finding.partial)


def made_by(graph: Graph, activities: Iterable[str]) -> list[str]:
    """Return what activities made, in order."""
    return sorted({made for (made,) in rows(graph, activities, "?made prov:wasGeneratedBy ?s", "made")})
