"""`provkg explain` and `provkg cite`: how a product was made, in words, and what to cite for it."""

import json

import click

from provkg.cli import say
from provkg.cli.output import emit, opened


@click.command()
@click.argument("product")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex", "json"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def explain(ctx: click.Context, product: str, form: str, as_json: bool) -> int:
    """Say how PRODUCT was made, in words for a methods section; each sentence has the records of its numbers.

    What is not recorded is said as well. The same history gives the same words.
    """
    found = opened(ctx).explain(product)
    if as_json or form == "json":
        facts = {
            "product": found.product,
            "paragraphs": [[each._asdict() for each in some] for some in found.paragraphs],
            "references": [each._asdict() for each in found.references],
        }
        emit(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        emit({"text": found.text, "markdown": found.markdown, "latex": found.latex}[form](), newline=False)
    return 0


@click.command()
@click.argument("product")
@click.option(
    "--format",
    "form",
    type=click.Choice(["bibtex", "cff", "csl-json", "json"]),
    default="bibtex",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--packages", is_flag=True, help="Also the packages of the environments, where a citation is known.")
@click.pass_context
def cite(ctx: click.Context, product: str, form: str, as_json: bool, packages: bool) -> int:
    """Say what to cite for PRODUCT: itself, the programs and the raw data that it was made with.

    Citations of programs are ours for a few, and yours: `citations = ["file.yaml"]` in provkg.toml. A program of which
    none is known has its name and version. Accounts are no names of people, and are only told.
    """
    found = opened(ctx).citations(product, packages=packages)
    if as_json or form == "json":
        facts = {
            "entries": [
                {"key": each.key, "type": each.kind, "authors": each.authors, **dict(each.fields)}
                for each in found.entries
            ],
            "accounts": found.accounts,
            "unknown": found.unknown,
        }
        emit(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        emit({"bibtex": found.bibtex, "cff": found.cff, "csl-json": found.csl}[form](), newline=form == "csl-json")
    if not ctx.obj["quiet"]:
        if found.unknown:
            say(f"{len(found.unknown)} programs have no citation on record: {', '.join(found.unknown)}")
        if found.accounts:
            say(f"made under the accounts {', '.join(found.accounts)}")
    return 0
