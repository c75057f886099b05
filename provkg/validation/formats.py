"""A report for people and for machines: text, JUnit XML, SARIF, GitHub annotations, and the SHACL report in Turtle."""

import json
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from provkg.store import readable
from provkg.validation.report import Finding, Report
from provkg.validation.shapes import SHAPE, Shape, load
from provkg.vocab import DCTERMS, PREFIXES, RDF_TYPE, SH, XSD

_LEVELS = {"Violation": "error", "Warning": "warning", "Info": "note"}
_ANNOTATIONS = {"Violation": "error", "Warning": "warning", "Info": "notice"}


def text(report: Report) -> Iterator[str]:
    """Give one line a finding: where, how bad, what, which rule; and, once for each rule, what to do.

    The node is named where no line tells it; the other formats name it always.
    """
    hinted = set()
    for each in report.findings:
        where = _where(each)
        value = f" [{each.value}]" if each.value else ""
        node = "" if each.line else f" <{each.focus}>"
        yield one_line(f"{where}{each.severity}: {each.message}{value}{node} ({each.layer}: {each.name})")
        if each.hint not in hinted:  # said once
            hinted.add(each.hint)
            yield one_line(f"    hint: {each.hint}")


def _where(finding: Finding) -> str:
    if not finding.source:
        return ""
    return f"{finding.source}:{finding.line}: " if finding.line else f"{finding.source}: "


def junit(report: Report) -> Iterator[str]:
    """Give JUnit XML: one suite a layer, one case a rule; what conforms is a case that passed."""
    shapes = load(report.layers).known.values()
    rules: dict[tuple[str, str], list[Finding]] = {
        (layer, shape.name): [] for shape in shapes for layer in _of(shape, report)
    }
    for each in report.findings:
        rules.setdefault((each.layer, each.shape or each.name), []).append(each)
    root = ET.Element("testsuites", name="provkg validate")
    for layer in dict.fromkeys((*report.layers, *(layer for layer, _ in rules))):
        cases = {name: found for (of, name), found in rules.items() if of == layer}
        failed = sum(any(each.severity in report.failing for each in found) for found in cases.values())
        suite = ET.SubElement(root, "testsuite", name=layer, tests=str(len(cases)), failures=str(failed))
        for name, found in cases.items():
            case = ET.SubElement(suite, "testcase", classname=f"provkg.{layer}", name=_legal(name))
            _case(case, found, report.failing)
    ET.indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield ET.tostring(root, encoding="unicode")


def _of(shape: Shape, report: Report) -> list[str]:
    """Return the layer under which a shape is reported."""
    return [layer for layer in report.layers if layer in shape.layers][:1]


def _case(case: ET.Element, found: list[Finding], failing: tuple[str, ...]) -> None:
    violations = [each for each in found if each.severity in failing]
    others = [each for each in found if each.severity not in failing]
    if violations:
        message = f"{len(violations)} times: {violations[0].message}"
        failure = ET.SubElement(case, "failure", type=violations[0].severity, message=_legal(message))
        failure.text = "\n".join(_legal(_said(each)) for each in violations)
    if others:
        ET.SubElement(case, "system-out").text = "\n".join(_legal(_said(each)) for each in others)


def _said(finding: Finding) -> str:
    return f"{_where(finding)}{finding.severity}: {finding.message} {finding.value} <{finding.focus}> {finding.hint}"


def one_line(text: str) -> str:
    """Escape control characters, so that no name in a record can begin a line of its own."""
    return "".join(each if each.isprintable() or each == " " else repr(each)[1:-1] for each in text)


def _legal(text: str) -> str:
    """Escape what cannot stand in XML."""
    legal = ("\t", "\n", "\r")
    return "".join(
        each if each in legal or " " <= each <= "\ud7ff" or "\ue000" <= each <= "\ufffd" or each > "\uffff"
        else repr(each)[1:-1]
        for each in text
    )  # fmt: skip


def sarif(report: Report) -> Iterator[str]:
    """Give SARIF 2.1.0, which code-scanning services read."""
    rules: dict[str, Finding] = {}
    for each in report.findings:
        rules.setdefault(each.shape or each.name, each)
    driver = {
        "name": "provkg",
        "version": version("provkg"),
        "informationUri": SHAPE,
        "rules": [
            {
                "id": name,
                "shortDescription": {"text": each.message},
                "help": {"text": each.hint},
                "properties": {"layer": each.layer, "source": each.standard, "rule": each.rule},
            }
            for name, each in rules.items()
        ],
    }
    results = [_sarif_result(each, list(rules)) for each in report.findings]
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    yield json.dumps(document, indent=1, ensure_ascii=False)


def _sarif_result(finding: Finding, rules: list[str]) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.shape or finding.name,
        "ruleIndex": rules.index(finding.shape or finding.name),
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.value} <{finding.focus}>"},
    }
    if finding.source:
        place: dict[str, object] = {"artifactLocation": {"uri": quote(_near(finding.source), errors="surrogateescape")}}
        if finding.line:
            place["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": place}]
    return result


def github(report: Report) -> Iterator[str]:
    """Give workflow commands, which GitHub shows at the lines of the files."""
    for each in report.findings:
        parts = [f"title={_command(each.name, ',:')}"]
        if each.source:
            parts.insert(0, f"file={_command(_near(each.source), ',:')}")
            if each.line:
                parts.insert(1, f"line={each.line}")
        value = f" [{each.value}]" if each.value else ""
        message = _command(f"{each.message}{value} {each.hint}")
        yield f"::{_ANNOTATIONS[each.severity]} {','.join(parts)}::{message}"


def _command(text: str, more: str = "") -> str:
    """Escape text for a workflow command, so that no record can forge another one."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _near(source: str) -> str:
    """Return a path below the working directory as relative to it."""
    try:
        return Path(source).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return source


def turtle(report: Report) -> Iterator[str]:
    """Give the validation report that SHACL defines; ``sh:conforms`` is false when there is any result."""
    root = BlankNode()
    triples = [
        Triple(root, NamedNode(RDF_TYPE), NamedNode(SH.ValidationReport)),
        Triple(root, NamedNode(SH.conforms), _boolean(not report.findings)),
    ]
    for each in report.findings:
        node = BlankNode()
        triples.append(Triple(root, NamedNode(SH.result), node))
        triples += [Triple(node, NamedNode(predicate), term) for predicate, term in _result(each)]
    prefixes = {**PREFIXES, "sh": SH.iri, "shape": SHAPE, "dcterms": DCTERMS.iri}
    yield readable(triples, prefixes).rstrip()


def _result(finding: Finding) -> Iterator[tuple[str, NamedNode | Literal]]:
    yield RDF_TYPE, NamedNode(SH.ValidationResult)
    yield SH.resultSeverity, NamedNode(SH[finding.severity])
    yield SH.resultMessage, Literal(finding.message)
    yield SH.focusNode, _term(finding.focus)
    if finding.value:
        yield SH.value, _term(finding.value)
    yield SH.sourceConstraintComponent, NamedNode(finding.component)
    if finding.shape:
        yield SH.sourceShape, NamedNode(SHAPE + quote(finding.shape))
    yield DCTERMS.source, Literal(finding.standard)


def _term(text: str) -> NamedNode | Literal:
    try:
        return NamedNode(text)
    except ValueError:
        return Literal(text)


def _boolean(value: bool) -> Literal:
    return Literal("true" if value else "false", datatype=NamedNode(XSD + "boolean"))


FORMATS: dict[str, Callable[[Report], Iterator[str]]] = {
    "text": text,
    "junit": junit,
    "sarif": sarif,
    "github": github,
    "turtle": turtle,
}
