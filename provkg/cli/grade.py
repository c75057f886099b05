"""`provkg grade`: how well a product can be traced and made again."""

from pathlib import Path

import click

from provkg.cli import say
from provkg.cli.output import chosen, opened, with_format, write

_COLUMNS = ("scale", "grade", "criterion", "met", "all", "improvement")


@click.command()
@click.argument("product")
@click.option("--badge", "badge_file", metavar="FILE.svg", help="Write the letters as a small picture.")
@click.option("--min", "least", type=click.Choice(list("ABCDEF")), help="Exit status 1 where a letter is worse.")
@with_format()
@click.pass_context
def grade(
    ctx: click.Context, product: str, badge_file: str | None, least: str | None, form: str | None, as_json: bool
) -> int:
    """Give PRODUCT a letter for traceability and one for reproducibility, with the reasons and the cheapest step up.

    A letter is the worst that a rule leaves; the rules are the SHACL shapes in shapes/grades.
    """
    from provkg.grades import SCALES, badge, judged

    found = opened(ctx).grade(product)
    write(_COLUMNS, judged(found), chosen(form, as_json=as_json))
    if badge_file:
        Path(badge_file).write_text(badge(found), "utf-8")
    letters = {scale: found.letter(scale) for scale in SCALES}
    if not ctx.obj["quiet"]:
        say(", ".join(f"{scale} {letter}" for scale, letter in letters.items()))
    return 1 if least and max(letters.values()) > least else 0
