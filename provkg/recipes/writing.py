"""Recipes as files: a shell script, a Makefile, a Snakefile or CWL, with locks of the environments."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from provkg.identity import one_line, printable
from provkg.recipes import shell
from provkg.recipes.cwl import cwl
from provkg.recipes.plan import Plan

_NAME = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
)  # https://packaging.python.org/en/latest/specifications/name-normalization
_WHERE, _AS = "all paths lie under", "as they lay on the disk."
_SAME = '[ ! -e "$ROOT/.different" ]'
_VERSION = re.compile(r"[A-Za-z0-9.!+_-]+")


@dataclass(frozen=True)
class Written:
    """A recipe in one format: the name of its file, and how it is written."""

    name: str
    write: Callable[[Plan], str]


def files_of(plan: Plan, form: str) -> dict[str, str]:
    """Return the files of a recipe by name: itself first, then a lock for each environment, then a list of inputs.

    Args:
        plan: how to make the product.
        form: one of :data:`FORMATS`.
    """
    recipe = FORMATS[form]
    files = {recipe.name: recipe.write(plan)}
    for number, (iri, packages) in enumerate(plan.packages.items(), 1):
        files[f"environment-{number}.lock"] = lock(iri, packages)
    lines = ["path\tdigest\tproduct", *("\t".join(map(_field, each)) for each in plan.inputs)]
    files["inputs.tsv"] = "\n".join(lines) + "\n"
    return files


def _field(text: str) -> str:
    return one_line(printable(text))


def lock(environment: str, packages: tuple[tuple[str, str], ...]) -> str:
    """Return the packages of an environment as pip reads them; what it cannot install is a comment."""
    lines = [shell.comment(environment)]
    if not packages:
        lines.append("# its packages are not recorded")
    for name, version in packages:
        known = name != "python" and _NAME.fullmatch(name) and _VERSION.fullmatch(version)
        lines.append(f"{name}=={version}" if known else shell.comment(f"{name} {version}"))
    return "\n".join(lines) + "\n"


def _head(plan: Plan) -> Iterator[str]:
    yield shell.comment(f"Makes {plan.target.shown} again <{plan.target.iri}>.")
    yield shell.comment(f"Recipe digest {plan.recipe}; {len(plan.calls)} calls, {len(plan.inputs)} files from outside.")
    gaps = sum(1 for _ in plan.gaps())
    if gaps:
        yield shell.comment(f"{gaps} things are not recorded: each is a line that fails, until you replace it.")
    for number in range(1, len(plan.packages) + 1):
        yield shell.comment(f"Environment {number}: python -m pip install -r environment-{number}.lock")


def _sh(plan: Plan) -> str:
    lines = ["#!/bin/sh", *_head(plan), f"# Usage: sh recipe.sh [ROOT]; {_WHERE} ROOT {_AS}"]
    lines += ["set -eu", "ROOT=${1:-rerun}", 'mkdir -p -- "$ROOT"', 'ROOT=$(cd -- "$ROOT" && pwd)', shell.FUNCTIONS]
    lines += ["", "# Files from outside", *shell.inputs(plan)]
    for each in plan.calls:
        lines += ["", shell.comment(f"{each.number}. {each.label}"), *shell.call(plan, each)]
    return "\n".join([*lines, "", _SAME, ""])


def _make(plan: Plan) -> str:
    """Return a Makefile: a rule for each call, after those that it needs; ``make -j`` runs what can go together."""
    lines = [*_head(plan), f"# Usage: make [ROOT=…]; {_WHERE} ROOT {_AS}"]
    lines += ["ROOT := $(CURDIR)/rerun", "export ROOT", "DONE := $(ROOT)/.done", "SHELL := /bin/sh", ".ONESHELL:"]
    lines += [".SHELLFLAGS := -euc", ".DELETE_ON_ERROR:", "define FUNCTIONS", shell.FUNCTIONS.replace("$", "$$")]
    lines += ["endef", "export FUNCTIONS", ""]
    every = " ".join(f"$(DONE)/{each.number}" for each in plan.calls)
    lines += [f"all: {every or '$(DONE)/inputs'}", "\t" + _SAME.replace("$", "$$"), ".PHONY: all", ""]
    lines += _rule("inputs", [], shell.inputs(plan))
    for each in plan.calls:
        lines.append(shell.comment(f"{each.number}. {each.label}"))
        lines += _rule(str(each.number), ["inputs", *map(str, each.after)], shell.call(plan, each))
    return "\n".join(lines)


def _rule(name: str, after: list[str], body: Iterable[str]) -> Iterator[str]:
    yield f"$(DONE)/{name}:" + "".join(f" $(DONE)/{each}" for each in after)
    begin = ('eval "$FUNCTIONS"', 'mkdir -p -- "$ROOT/.done"')
    for line in (*begin, *body):
        yield "\t" + line.replace("$", "$$").replace("\n", "\n\t")
    yield '\t: >"$@"'
    yield ""


def _snakemake(plan: Plan) -> str:
    """Return a Snakefile: a rule for each call; texts are Python literals, with doubled braces as ``shell`` wants."""
    lines = [*_head(plan), f"# Usage: snakemake -c1 [--config root=…]; {_WHERE} the root {_AS}"]
    lines += ["import os, shlex", 'ROOT = os.path.abspath(config.get("root", "rerun"))', 'DONE = ROOT + "/.done/"']
    lines += ["quoted = shlex.quote(ROOT).replace('{', '{{').replace('}', '}}')"]
    lines += [f"BEGIN = 'set -eu; ROOT=' + quoted + {_literal(chr(10) + shell.FUNCTIONS + chr(10))}", ""]
    every = [str(each.number) for each in plan.calls] or ["inputs"]
    lines += [
        "rule all:",
        f"    input: [DONE + each for each in {every!r}]",
        f"    shell: BEGIN + {_literal(_SAME)}",
        "",
    ]
    lines += _snake_rule("inputs", [], shell.inputs(plan))
    for each in plan.calls:
        lines.append(shell.comment(f"{each.number}. {each.label}"))
        lines += _snake_rule(str(each.number), ["inputs", *map(str, each.after)], shell.call(plan, each))
    return "\n".join(lines)


def _snake_rule(name: str, after: list[str], body: Iterable[str]) -> Iterator[str]:
    yield f"rule step_{name}:"
    yield f"    input: [DONE + each for each in {after!r}]"
    yield f"    output: touch(DONE + {name!r})"
    yield f"    shell: BEGIN + {_literal(chr(10).join(body))}"
    yield ""


def _literal(text: str) -> str:
    return repr(text.replace("{", "{{").replace("}", "}}"))


FORMATS: dict[str, Written] = {
    "sh": Written("recipe.sh", _sh),
    "make": Written("Makefile", _make),
    "snakemake": Written("Snakefile", _snakemake),
    "cwl": Written("recipe.cwl", cwl),
}
