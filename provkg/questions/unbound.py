"""Find the mistake that makes SPARQL answer more than was asked: a variable that matches anything.

Where one arm of a UNION, or an OPTIONAL, leaves ``?step`` unbound, a later ``OPTIONAL { ?step rdfs:label ?name }``
gives every label of the store (SPARQL 1.1, 18.5: solutions are compatible where they share no bound variable).
"""

from collections.abc import Iterator
from typing import Any

from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.term import Variable

_APART = ("Builtin_EXISTS", "Builtin_NOTEXISTS")


def unbound(sparql: str) -> list[str]:
    """Return the variables that one part of a query matches, though a part before it may leave them unbound.

    >>> unbound("SELECT * { { ?a <p:1> ?b } UNION { ?c <p:2> ?b } OPTIONAL { ?a <p:3> ?d } }")
    ['a']
    """
    return sorted(set(_found(prepareQuery(sparql).algebra)))


def _found(node: Any) -> Iterator[str]:
    if isinstance(node, CompValue):
        if node.name in ("Join", "LeftJoin"):
            left, right = node.p1, node.p2
            yield from ((_variables(left) - _certain(left)) & _variables(right))
        for part in node.values():
            yield from _found(part)
    elif isinstance(node, list | tuple):
        for part in node:
            yield from _found(part)


def _variables(node: Any) -> set[str]:
    """Return the variables that a pattern can bind."""
    if isinstance(node, Variable):
        return {str(node)}
    if isinstance(node, list | tuple):
        return set().union(*map(_variables, node))
    if not isinstance(node, CompValue) or node.name in _APART:
        return set()
    if node.name == "Project":
        return set(map(str, node.PV))
    if node.name == "values":
        return {str(name) for row in node.res for name in row}
    if node.name == "Filter":
        return _variables(node.p)
    if node.name == "Extend":
        return _variables(node.p) | {str(node.var)}
    return set().union(*(_variables(part) for name, part in node.items() if name != "_vars"))


def _certain(node: Any) -> set[str]:
    """Return the variables that a pattern binds in every solution."""
    match node.name:
        case "BGP":
            return _variables(node.triples)
        case "Join":
            return _certain(node.p1) | _certain(node.p2)
        case "Union":
            return _certain(node.p1) & _certain(node.p2)
        case "Extend":
            return _certain(node.p) | {str(node.var)}
        case "Graph":
            return _certain(node.p) | _variables(node.term)
        case "Project":
            return _certain(node.p) & set(map(str, node.PV))
        case "LeftJoin" | "Minus":
            return _certain(node.p1)
        case "values":
            return set.intersection(
                *({str(name) for name, value in row.items() if value != "UNDEF"} for row in node.res)
            )
        case _:
            return _certain(node.p) if isinstance(node.get("p"), CompValue) else set()
