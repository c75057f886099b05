"""A recipe as lines for a POSIX shell: what the script, the Makefile and the Snakefile are made of."""

import re
from collections.abc import Iterator
from shlex import quote

from provkg.identity import harmless, one_line, printable
from provkg.recipes.plan import Call, File, Plan, Word

SUMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")  # coreutils has a program for each

FUNCTIONS = """\
unknown() {
  printf 'not known: %s\\n' "$1" >&2
  exit 3
}
bytes() { # PATH ALGORITHM DIGEST: say whether a file under the root has these bytes
  found=$("${2}sum" <"$ROOT$1") && [ "${found%% *}" = "$3" ]
}
fetch() { # PATH ALGORITHM DIGEST: put a file from outside in its place; SOURCE is where the places are copied from
  mkdir -p -- "$ROOT${1%/*}"
  [ -e "$ROOT$1" ] || cp -p -- "${SOURCE-}$1" "$ROOT$1"
  bytes "$@" || unknown "where $1 is with the bytes that were recorded ($2 $3)"
}
compare() { # PATH ALGORITHM DIGEST: say whether a product came out as recorded
  if bytes "$@"; then echo "same       $1"; else
    echo "DIFFERENT  $1"
    : >"$ROOT/.different"
  fi
}"""


def comment(text: str) -> str:
    r"""Return a line of comment, whatever is in the text.

    >>> comment("a\nrm -rf /")
    '# a\\nrm -rf /'
    """
    return "# " + one_line(harmless(text))


def word(each: Word) -> str:
    r"""Return an argument for a shell.

    >>> word(Word("--out=", "/data/a b"))
    '--out="$ROOT"\'/data/a b\''
    """
    text = quote(printable(each.text)) if each.text or not each.path else ""
    return text + (f'"$ROOT"{quote(printable(each.path))}' if each.path else "")


def inputs(plan: Plan) -> Iterator[str]:
    """Give the lines that fetch what comes from outside, and a failing one for each that is not known."""
    yield from (f"unknown {quote(printable(each))}" for each in plan.unknown)
    for file in plan.inputs:
        if file.digest:
            yield _with_digest("fetch", file)


def call(plan: Plan, each: Call) -> Iterator[str]:
    """Give the lines of one call: where it stands in the records, what is not known, the command, the comparisons."""
    for step in each.steps:
        when = f", {step.start} to {step.end}" if step.start else ""
        yield comment(f"{step.label} <{step.iri}>{when}")
        yield from (comment(f"  recorded in {path}, line {line}") for path, line in step.sources)
        for name, value in step.parameters:
            yield comment(f"  parameter {name} = {value}")
    for number in sorted(environment_numbers(plan, each)):
        yield comment(f"  environment-{number}.lock, on host {each.process.host or 'unknown'}")
    for text in each.unknown:
        yield f"unknown {quote(printable(text))}"
    if not each.command:
        return
    folders = dict.fromkeys([each.directory or "/", *(file.path.rpartition("/")[0] or "/" for file in each.writes)])
    yield "mkdir -p -- " + " ".join(f'"$ROOT"{quote(printable(folder))}' for folder in folders)
    yield f'(cd -- "$ROOT"{quote(printable(each.directory or "/"))} && {" ".join(map(word, each.command))})'
    for file in each.writes:
        if file.digest:
            yield _with_digest("compare", file)
        else:
            yield comment(f"no digest of {file.path} is recorded: nothing to compare")


def _with_digest(function: str, file: File) -> str:
    algorithm, _, value = file.digest.partition(":")
    if algorithm not in SUMS or not re.fullmatch(r"[0-9a-fA-F]+", value):
        return f"unknown {quote(f'how to check {printable(file.path)} ({printable(file.digest)})')}"
    return f"{function} {quote(printable(file.path))} {algorithm} {value.lower()}"


def environment_numbers(plan: Plan, each: Call) -> set[int]:
    """Return the numbers of the environments of a call, from 1."""
    names = list(plan.packages)
    return {names.index(name) + 1 for name in each.process.environments}
