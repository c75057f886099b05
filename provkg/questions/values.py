"""What a user writes as the value of a parameter, as RDF terms; a wrong value is answered with what is possible."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pyoxigraph import Literal, NamedNode

from provkg.config import Config
from provkg.errors import Ambiguous, MissingExtra, NotFound, QuestionError
from provkg.lineage import find_one
from provkg.questions.binding import Term, bind
from provkg.questions.choices import LEVELS, PROLOGUE, choices, some, unknown
from provkg.questions.question import Parameter, Question
from provkg.store import Graph, text_of
from provkg.vocab import PKG, PREFIXES, PROV, RDF_TYPE, XSD

_VERSIONS = PROLOGUE + "SELECT DISTINCT ?value WHERE { ?p pkg:packageName ?_software ; pkg:packageVersion ?value }"
_SAID = {"run": PKG.run, "night": PKG.observationDate, "step": PKG.activityLabel, "software": PKG.packageName}
MOST_CHARACTERS, MOST_DIGITS = 100, 100
_NUMBER = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?)(?:\s*([^\s0-9].*))?")


class Values:
    """Turn the values of one question into terms.

    Args:
        graph: an open store.
        config: zone of times without one, and scope of absolute paths.
    """

    def __init__(self, graph: Graph, config: Config) -> None:
        self.graph, self.config = graph, config
        self.partial: list[str] = []  # what could not be looked at
        self.table: dict[str, Callable[[Parameter, str], Term]] = {
            "product": self.product,
            "activity": self.activity,
            "run": self.chosen,
            "night": self.chosen,
            "step": self.chosen,
            "software": self.chosen,
            "account": self.chosen,
            "level": self.level,
            "time": self.time,
            "number": self.number,
            "integer": self.integer,
            "thing": self.thing,
            "iri": self.iri,
            "string": self.string,
        }

    def terms(self, question: Question, given: Mapping[str, Any]) -> dict[str, Term | list[Term]]:
        """Return the terms of all values, with defaults.

        Raises:
            QuestionError: a value is missing, unknown or wrong; the hint says what is possible.
            NotFound: no product answers to a name.
            Ambiguous: several do.
        """
        defaults = {each.name: each.default for each in question.parameters.values() if each.default is not None}
        whole = defaults | {name: value for name, value in given.items() if value not in (None, "", [])}
        question.check(whole)
        found: dict[str, Term | list[Term]] = {}
        for name, parameter in question.parameters.items():
            if name not in whole:
                continue
            value = whole[name]
            if parameter.type == "version-range":
                found[name] = self.versions(parameter, str(value), found[parameter.of])
            elif isinstance(value, list) and not parameter.many:
                raise QuestionError(f"{name} is given {len(value)} times", hint="it takes one value")
            elif value in ("", "*") and value == parameter.default:
                found[name] = Literal(value)  # whatever it is
            elif parameter.many:
                found[name] = [self.table[parameter.type](parameter, each) for each in _several(parameter, value)]
            else:
                found[name] = self.table[parameter.type](parameter, str(value))
        return found

    def product(self, _: Parameter, text: str) -> Term:
        """A version: by path, name, digest, IRI or the beginning of one."""
        return NamedNode(find_one(self.graph, text, site=self.config.site).iri)

    def activity(self, _: Parameter, text: str) -> Term:
        """An activity or session by its IRI, or what made a product."""
        for iri in (text.strip("<>"), self.graph.iri(text)):
            try:
                if {PROV.Activity, PKG.Session} & set(self.graph.objects(iri, RDF_TYPE)):
                    return NamedNode(iri)
            except ValueError:  # no IRI
                continue
        product = find_one(self.graph, text, site=self.config.site).iri
        makers = self.graph.objects(product, PROV.wasGeneratedBy)
        if not makers:
            raise NotFound(f"nobody recorded making {text!r}", hint="give the IRI of an activity or session")
        if len(makers) > 1:
            raise Ambiguous(f"{text!r} has {len(makers)} makers", makers, hint="give the IRI of one of them")
        return NamedNode(makers[0])

    def chosen(self, parameter: Parameter, text: str) -> Term:
        """A value that the store holds, whichever way it is written."""
        _check(parameter, text)
        for way in dict.fromkeys(_ways(parameter.type, text)):
            number = [Literal(int(way))] if re.fullmatch(r"[0-9]{1,18}", way) else []
            for term in (Literal(way), *number):
                if self.holds(parameter.type, term):
                    return term
        possible = choices(self.graph, parameter)
        same = [each for each in possible if _folded(each) == _folded(text)]
        if len(same) == 1:
            return Literal(same[0])
        raise unknown(parameter, text, possible)

    def holds(self, kind: str, term: Literal) -> bool:
        """Say whether the store has a run, night, step, package or account of that name."""
        if kind == "account":
            return any(
                PROV.Agent in self.graph.objects(each, RDF_TYPE)
                for each in self.graph.subjects(PREFIXES["rdfs"] + "label", term)
            )
        return any(True for _ in self.graph.quads(None, _SAID[kind], term))

    def level(self, parameter: Parameter, text: str) -> Term:
        """A data level of CTAO."""
        if text.upper() not in LEVELS:
            raise unknown(parameter, text, LEVELS)
        return NamedNode(PKG[text.upper()])

    def time(self, parameter: Parameter, text: str) -> Term:
        """A time; a date is its midnight, and without a zone it is in that of the settings."""
        try:
            moment = datetime.fromisoformat(text)
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.config.zone))
            shown = zoned.astimezone(UTC).isoformat().replace("+00:00", "Z")
        except (ValueError, OverflowError):
            hint = "such as 2021-09-13, 2021-09-13T22:00 or 2021-09-13T22:00:00Z"
            raise QuestionError(f"{parameter.name}: {text!r} is no time", hint=hint) from None
        return Literal(shown, datatype=NamedNode(XSD + "dateTime"))

    def number(self, parameter: Parameter, text: str) -> Term:
        """A number in the parameter's unit, or in another that astropy can convert."""
        match = _NUMBER.fullmatch(text.strip()) if len(text) <= MOST_CHARACTERS else None
        if match is None:
            unit = f", with a unit such as {parameter.unit}" if parameter.unit else ""
            raise QuestionError(f"{parameter.name}: {text!r} is no number", hint=f"a number{unit}")
        value = Decimal(match[1])
        if match[2] and match[2] != parameter.unit:
            value = _converted(parameter, value, match[2])
        if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS:
            raise QuestionError(
                f"{parameter.name}: {text!r} is too large or too small", hint=f"10^{MOST_DIGITS} at most"
            )
        return Literal(format(value, "f"), datatype=NamedNode(XSD + "decimal"))

    def integer(self, parameter: Parameter, text: str) -> Term:
        """A whole number."""
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise QuestionError(f"{parameter.name}: {text!r} is no whole number", hint="such as 42")
        return Literal(text, datatype=NamedNode(XSD + "integer"))

    def iri(self, parameter: Parameter, text: str) -> Term:
        """An IRI, or a CURIE of our prefixes."""
        prefix, _, local = text.partition(":")
        try:
            return NamedNode(PREFIXES[prefix] + local if prefix in PREFIXES else text.strip("<>"))
        except ValueError as error:
            hint = f"such as https://…, or a CURIE of {', '.join(PREFIXES)}"
            raise QuestionError(f"{parameter.name}: {text!r} is no IRI: {error}", hint=hint) from None

    def thing(self, parameter: Parameter, text: str) -> Term:
        """An IRI or CURIE, or else a product."""
        try:
            return self.iri(parameter, text)
        except QuestionError:
            return self.product(parameter, text)

    def string(self, parameter: Parameter, text: str) -> Term:
        """Any text, or one of the choices."""
        if parameter.choices:
            possible = choices(self.graph, parameter)
            if text not in possible:
                raise unknown(parameter, text, possible)
        _check(parameter, text)
        return Literal(text)

    def versions(self, parameter: Parameter, text: str, software: Term | list[Term]) -> list[Term]:
        """The versions of a package in the store that lie in a range of packaging's specifiers."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - few questions need it
        from packaging.version import InvalidVersion, Version  # noqa: PLC0415

        known = sorted({text_of(row["value"]) for row in self.graph.select(bind(_VERSIONS, {"software": software}))})
        if text in ("*", *known):
            return [Literal(each) for each in known if text in ("*", each)]
        try:
            wanted = SpecifierSet(text, prereleases=True)
        except InvalidSpecifier:
            hint = f"such as '<0.10,>=0.9'; there are {some(known)}"
            raise QuestionError(f"{parameter.name}: {text!r} is no range of versions", hint=hint) from None

        def inside(version: str) -> bool:
            try:
                return wanted.contains(Version(version))
            except InvalidVersion:
                self.partial.append(f"{parameter.name}: version {version} cannot be compared, and is left out")
                return False

        found: list[Term] = [Literal(each) for each in known if inside(each)]
        if not found:
            raise QuestionError(f"no version of {text_of(software)} is in {text!r}", hint=f"there are {some(known)}")
        return found


def plain_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as text or lists of text, whatever they were: numbers, numpy's and astropy's, paths, times."""
    return {name: value for name, each in given.items() if (value := _plain(each)) is not None}


def _plain(value: Any) -> str | list[str] | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, Iterable) and getattr(value, "shape", None) != ():  # numpy has arrays that are one number
        return [str(each) for each in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return str(value)


def _several(parameter: Parameter, value: str | list[str]) -> list[str]:
    """Return the values of a parameter that takes several: a list, or text with commas."""
    found = [each.strip() for each in value.split(",")] if isinstance(value, str) else value
    found = [each for each in found if each]
    if not found:
        raise QuestionError(f"{parameter.name} has no value", hint="values have commas between them")
    return found


def _check(parameter: Parameter, text: str) -> None:
    """Refuse what is no text: half of a surrogate pair, which is a byte that was not UTF-8."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise QuestionError(f"{parameter.name}: {text!r} is no text in Unicode", hint="write it in UTF-8")


def _ways(kind: str, text: str) -> list[str]:
    """Return the ways in which a value may be recorded: runs with and without zeros, nights with and without marks."""
    if kind == "run":
        number = re.fullmatch(r"(?:[Rr]un)?0*([0-9]+)", text)
        return [text, *([number[1].zfill(5), number[1]] if number else [])]
    if kind == "night" and (date := re.fullmatch(r"([0-9]{4})[-_]?([0-9]{2})[-_]?([0-9]{2})", text)):
        return [text, "".join(date.groups()), "-".join(date.groups()), "_".join(date.groups())]
    return [text]


def _folded(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).casefold()


def _converted(parameter: Parameter, value: Decimal, unit: str) -> Decimal:
    if not parameter.unit:
        raise QuestionError(f"{parameter.name} has no unit, and {unit!r} was given", hint=f"{parameter.name}={value}")
    try:
        from astropy import units  # noqa: PLC0415 - heavy and optional
    except ImportError:
        hint = f"give it in {parameter.unit}, or pip install 'provkg[fits]'"
        raise MissingExtra(f"{parameter.name}: astropy is needed to convert {unit}", hint=hint) from None
    try:
        return Decimal(repr(float(units.Quantity(float(value), unit).to_value(parameter.unit))))
    except (ValueError, TypeError, OverflowError):  # astropy's UnitConversionError is a TypeError
        hint = f"a number of {parameter.unit}"
        raise QuestionError(f"{parameter.name}: {unit!r} cannot be converted to {parameter.unit}", hint=hint) from None
