"""The shapes that a definition stands for.

Each expectation is one property shape on the description of a type of activity; its values are the activities of that
type (``^vp:activityDescription``), and each of them must conform to a node shape in SHACL Core.
"""

import math
from collections import defaultdict
from collections.abc import Iterable

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from provkg import identity
from provkg.model import Activity, Definition, Entity, Parameter, Slot
from provkg.validation.shapes import MODEL, SHAPE
from provkg.vocab import DCTERMS, PKG, PROV, RDF_TYPE, SH, VP, XSD

_A = NamedNode(RDF_TYPE)
_NIL = NamedNode(RDF_TYPE.removesuffix("type") + "nil")
_FIRST, _REST = NamedNode(RDF_TYPE.removesuffix("type") + "first"), NamedNode(RDF_TYPE.removesuffix("type") + "rest")
Term = NamedNode | BlankNode | Literal


def expectations(definition: Definition, base: str) -> list[Triple]:
    """Return the shapes that a definition stands for; IRIs of the data begin with ``base``."""
    writing = _Writing(definition, base)
    for activity in definition.activities:
        writing.activity(activity)
    return writing.triples


class _Writing:
    """Write the shapes of a contract."""

    def __init__(self, definition: Definition, base: str) -> None:
        self.definition, self.base = definition, base
        self.triples: list[Triple] = []

    def activity(self, activity: Activity) -> None:
        """Write what is expected of the activities of one type."""
        shape = NamedNode(f"{SHAPE}model/{identity.part(activity.name)}")
        self.put(shape, _A, NamedNode(SH.NodeShape))
        self.put(shape, SH.targetNode, NamedNode(self.base + identity.activity_description(activity.name)))
        alike: dict[tuple[str, str], list[Slot]] = defaultdict(list)
        for slot in activity.slots:
            alike[slot.kind, slot.role].append(slot)
        for slots in alike.values():
            self.slot(shape, activity, slots)
        for kind in ("usage", "generation"):
            self.roles(shape, activity, kind)
        for parameter in activity.parameters:
            self.parameter(shape, activity, parameter)

    def slot(self, shape: NamedNode, activity: Activity, slots: list[Slot]) -> None:
        """Write how many entities fill a role, and of what kind they are; a role may be defined for several kinds."""
        slot, bounds = slots[0], [each.bounds for each in slots]
        least = sum(low for low, _ in bounds)
        most = None if any(high is None for _, high in bounds) else sum(high or 0 for _, high in bounds)
        verb = "use" if slot.kind == "usage" else "generate"
        assumed = "" if all(each.declared for each in slots) else " (no multiplicity is declared: one is assumed)"
        text = f"{activity.name} must {verb} {_number(least, most)} as {slot.role!r}{assumed}."
        advice = "Record it, or say multiplicity: 0..1 in the definition if the step can do without."
        role = self.constraint((SH.path, NamedNode(PROV.hadRole)), (SH.hasValue, self.role(slot.role)))
        count: list[tuple[str, Term]] = [(SH.path, self.way(slot.kind)), (SH.qualifiedValueShape, role)]
        if least:
            count.append((SH.qualifiedMinCount, _integer(least)))
        if most is not None:
            count.append((SH.qualifiedMaxCount, _integer(most)))
        if least or most is not None:
            self.expect(shape, (slot.kind, slot.role), "Violation", text, advice, slot.line, count)
        kinds = [entity for each in slots if (entity := self.definition.entity(each.entity)) is not None]
        if len(kinds) == len(slots):
            self.kind(shape, activity, slot, kinds)

    def kind(self, shape: NamedNode, activity: Activity, slot: Slot, kinds: list[Entity]) -> None:
        """Write that what fills a role, where it is described, is described as the definition says."""
        way = self.listed(
            (NamedNode(PROV.entity), NamedNode(VP.entityDescription))
            if slot.kind == "usage"
            else (
                self.inverse(PROV.qualifiedGeneration),
                NamedNode(PROV.specializationOf),
                NamedNode(VP.entityDescription),
            )
        )
        role = self.constraint((SH.path, NamedNode(PROV.hadRole)), (SH.hasValue, self.role(slot.role)))
        described = self.constraint((SH.path, way), (SH.minCount, _integer(1)))
        same = [self.described(way, each) for each in kinds]
        other = self.constraint((SH["not"], self.constraint((SH["or"], self.listed(same)))))
        odd = self.constraint((SH["and"], self.listed((role, described, other))))
        text = f"What {activity.name} has as {slot.role!r} is not the defined {slot.entity} with its content type."
        advice = "Correct the name or content type in the record or in the definition."
        self.expect(
            shape,
            (f"{slot.kind}-kind", slot.role),
            "Warning",
            text,
            advice,
            slot.line,
            [(SH.path, self.way(slot.kind)), (SH.qualifiedValueShape, odd), (SH.qualifiedMaxCount, _integer(0))],
        )

    def described(self, way: BlankNode | NamedNode, entity: Entity) -> BlankNode:
        """Return the shape of what is described as a kind: with its content type, where the definition gives one."""
        if entity.content_type:
            description = self.base + identity.entity_description(entity.name, entity.content_type)
            return self.constraint((SH.path, way), (SH.hasValue, NamedNode(description)))
        return self.constraint((SH.path, self.listed((way, NamedNode(VP.name)))), (SH.hasValue, Literal(entity.name)))

    def roles(self, shape: NamedNode, activity: Activity, kind: str) -> None:
        """Write that no role is filled that is not defined."""
        defined = [self.role(slot.role) for slot in activity.slots if slot.kind == kind]
        text = f"{activity.name} has a {kind} in a role that is not defined."
        path = self.listed((self.way(kind), NamedNode(PROV.hadRole)))
        rule: list[tuple[str, Term]] = [(SH.path, path), (SH["in"], self.listed(defined))]
        self.expect(shape, (f"{kind}-roles",), "Violation", text, "Define the role.", activity.line, rule)
        given = self.constraint((SH.path, NamedNode(PROV.hadRole)), (SH.minCount, _integer(1)))
        odd = self.constraint((SH["not"], given))
        self.expect(
            shape,
            (f"{kind}-without-role",),
            "Warning",
            f"{activity.name} has a {kind} without a role, which no definition can fit.",
            "Record the role.",
            activity.line,
            [(SH.path, self.events(kind)), (SH.qualifiedValueShape, odd), (SH.qualifiedMaxCount, _integer(0))],
        )

    def parameter(self, shape: NamedNode, activity: Activity, parameter: Parameter) -> None:
        """Write that a parameter is recorded, and its value one that is allowed."""
        name = self.constraint((SH.path, NamedNode(VP.name)), (SH.hasValue, Literal(parameter.name)))
        way = NamedNode(VP.wasConfiguredBy)
        text = f"{activity.name} must record the parameter {parameter.name!r}."
        advice = "lstosa does not record a parameter whose value is false, zero or empty."
        self.expect(
            shape,
            ("parameter", parameter.name),
            "Warning",
            text,
            advice,
            parameter.line,
            [(SH.path, way), (SH.qualifiedValueShape, name), (SH.qualifiedMinCount, _integer(1))],
        )
        allowed = self.allowed(parameter)
        if allowed is None:
            return
        odd = self.constraint((SH["and"], self.listed((name, self.constraint((SH["not"], allowed))))))
        self.expect(
            shape,
            ("parameter-value", parameter.name),
            "Violation",
            f"The value of the parameter {parameter.name!r} of {activity.name} is not allowed.",
            "Correct the configuration, or the limits in the definition.",
            parameter.line,
            [(SH.path, way), (SH.qualifiedValueShape, odd), (SH.qualifiedMaxCount, _integer(0))],
        )

    def allowed(self, parameter: Parameter) -> BlankNode | None:
        """Return the shape of the values that a parameter can take, or None where the definition does not tell."""
        facts = dict(parameter.facts)
        rules: list[tuple[str, Term]] = []
        if parameter.options:
            values = self.listed([Literal(text) for each in parameter.options for text in _spellings(each)])
            rules.append(
                (SH["or"], self.listed([self.constraint((SH.path, NamedNode(PROV.value)), (SH["in"], values))]))
            )
        for key, term in (("min", SH.minInclusive), ("max", SH.maxInclusive)):
            if facts.get(key):
                limit = _limit(facts[key])
                within = self.constraint((SH.path, NamedNode(PKG.typedValue)), (term, limit))
                rules.append((SH["and"], self.listed([within])))
        return self.constraint(*rules) if rules else None

    # How shapes are written

    def expect(
        self,
        shape: NamedNode,
        name: tuple[str, ...],
        severity: str,
        message: str,
        advice: str,
        line: int,
        rule: Iterable[tuple[str, Term]],
    ) -> None:
        """Write one expectation of every activity of a type."""
        tail = "/".join(identity.part(each) for each in name)
        own = NamedNode(f"{shape.value}/{tail}")
        body = self.constraint((SH.property, self.constraint(*rule)))
        self.put(shape, SH.property, own)
        for predicate, term in (
            (RDF_TYPE, NamedNode(SH.PropertyShape)),
            (SH.path, self.inverse(VP.activityDescription)),
            (SH.node, body),
            (SH.severity, NamedNode(SH[severity])),
            (SH.message, Literal(message)),
            (PKG.advice, Literal(advice)),
            (PKG.layer, Literal(MODEL)),
            (DCTERMS.source, Literal(f"{self.definition.path}:{line}")),
        ):
            self.put(own, predicate, term)

    def way(self, kind: str) -> NamedNode | BlankNode:
        """Return the path from an activity to its usages or generations."""
        return NamedNode(PROV.qualifiedUsage) if kind == "usage" else self.inverse(PROV.activity)

    def events(self, kind: str) -> NamedNode | BlankNode:
        """Return the path from an activity to its usages or generations and no other relation."""
        if kind == "usage":
            return NamedNode(PROV.qualifiedUsage)
        return self.listed((self.inverse(PROV.wasGeneratedBy), NamedNode(PROV.qualifiedGeneration)))

    def role(self, text: str) -> NamedNode:
        """Return the concept of a role."""
        return NamedNode(self.base + identity.role(text))

    def constraint(self, *properties: tuple[str, Term]) -> BlankNode:
        """Return a shape without a name."""
        node = BlankNode()
        for predicate, term in properties:
            self.put(node, predicate, term)
        return node

    def inverse(self, predicate: str) -> BlankNode:
        """Return the path against a property."""
        return self.constraint((SH.inversePath, NamedNode(predicate)))

    def listed(self, items: Iterable[Term]) -> NamedNode | BlankNode:
        """Return an RDF list."""
        head: NamedNode | BlankNode = _NIL
        for item in reversed(list(items)):
            node = BlankNode()
            self.triples += [Triple(node, _FIRST, item), Triple(node, _REST, head)]
            head = node
        return head

    def put(self, subject: NamedNode | BlankNode, predicate: str | NamedNode, term: Term) -> None:
        """Write one triple."""
        self.triples.append(Triple(subject, NamedNode(predicate) if isinstance(predicate, str) else predicate, term))


def _integer(number: int) -> Literal:
    return Literal(str(number), datatype=NamedNode(XSD + "integer"))


def _limit(text: str) -> Literal:
    """Return a limit as a number: an integer where it is one."""
    try:
        return Literal(str(int(text)), datatype=NamedNode(XSD + "integer"))
    except ValueError:
        number = float(text)
        shown = repr(number) if math.isfinite(number) else "INF" if number > 0 else "-INF"
        return Literal(shown, datatype=NamedNode(XSD + "double"))


def _spellings(value: str) -> list[str]:
    """Return how a record may write a value: a whole number with or without a fraction.

    >>> _spellings("1"), _spellings("0.1"), _spellings("mean")
    (['1', '1.0'], ['0.1'], ['mean'])
    """
    try:
        number = float(value)
    except ValueError:
        return [value]
    whole = [str(int(number))] if math.isfinite(number) and number == int(number) else []
    return list(dict.fromkeys([value, *whole, repr(number)] if math.isfinite(number) else [value]))


def _number(least: int, most: int | None) -> str:
    """Say how many.

    >>> _number(1, 1), _number(0, 1), _number(1, None)
    ('exactly one entity', 'at most 1 entities', 'at least 1 entities')
    """
    if least == most:
        return "exactly one entity" if least == 1 else f"exactly {least} entities"
    if not least:
        return f"at most {most} entities"
    return f"at least {least} entities" if most is None else f"{least} to {most} entities"
