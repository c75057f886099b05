"""`provkg stamp` and `provkg whois`: the provenance that a file carries."""

import json
from typing import TYPE_CHECKING, Any

import click

from provkg.cli import say
from provkg.cli.output import chosen, emit, opened, with_format, write
from provkg.cli.recording import with_record
from provkg.errors import ProvkgError

if TYPE_CHECKING:
    from provkg.capture import Recorder
    from provkg.knowledge import KnowledgeGraph
    from provkg.knowledge.stamping import Known
    from provkg.stamps import Stamp


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--product", default="", help="The version that FILE is. Default: found from its bytes.")
@with_record("Where it is recorded that the bytes changed")
@with_format()
@click.pass_context
def stamp(
    ctx: click.Context, files: tuple[str, ...], product: str, record: str, form: str | None, as_json: bool
) -> int:
    """Write into each FILE (FITS, HDF5, ECSV) which product it is, its recipe digest and what the store knew.

    A renamed copy is found again by `provkg whois`. The bytes of FILE change, which is recorded as an activity.
    """
    from provkg.capture import Recorder

    if product and len(files) > 1:
        raise click.UsageError("--product is of one FILE", ctx)
    graph, recorder = opened(ctx), Recorder(record, background=False)
    rows, failed = [], []
    for file in files:
        try:
            made = _stamped(graph, recorder, file, product)
        except ProvkgError as error:  # the other files are stamped all the same
            failed.append(error)
            say(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
        else:
            rows.append((file, made.product, made.recipe, made.snapshot, made.evidence))
    write(("file", "product", "recipe", "snapshot", "evidence"), rows, chosen(form, as_json=as_json))
    if rows:
        say(f"{len(rows)} files stamped; their new digests are in {record}: provkg ingest {record}")
    return (4 if rows else failed[0].exit_status) if failed else 0


def _stamped(graph: "KnowledgeGraph", recorder: "Recorder", file: str, product: str) -> "Stamp":
    """Stamp a file, and record that its bytes changed."""
    with recorder.activity("provkg stamp") as run:
        run.used(file, role="product")
        made = graph.stamp(file, product=product)
        run.parameter("recipe", made.recipe)
        run.parameter("snapshot", made.snapshot)
        run.generated(file, role="stamped product")
    return made


@click.command()
@click.argument("file")
@with_format()
@click.pass_context
def whois(ctx: click.Context, file: str, form: str | None, as_json: bool) -> int:
    """Say what FILE is, whatever it is called now: by its bytes, its stamp or its CTA product id.

    The card is that of the version on record; `provkg lineage IRI` shows its history.
    """
    from provkg.knowledge.stamping import HOW

    graph = opened(ctx)
    known = graph.whois(file)
    facts = [*_known(known), *graph.show(known.product.iri).facts]
    form = chosen(form, as_json=as_json)
    if form == "json":
        told: dict[str, Any] = {}
        for section, fact, value in facts:
            told.setdefault(section or "product", {}).setdefault(fact, []).append(value)
        emit(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        write(("section", "fact", "value"), facts, form)
    say(f"{file}: {HOW[known.evidence]}")
    return 0


def _known(known: "Known") -> list[tuple[str, str, str]]:
    """Return how a file is known, and what it carries, as facts of a card."""
    facts = [("file", "known", known.evidence), ("file", "product", known.product.iri)]
    if known.stamp is not None:
        held = {"stamped as": known.stamp.product, "recipe": known.stamp.recipe, "snapshot": known.stamp.snapshot}
        facts += [("stamp", name, text) for name, text in held.items() if text]
    return facts
