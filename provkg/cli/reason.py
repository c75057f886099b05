"""The command that reasons."""

import click

from provkg.cli import say
from provkg.cli.output import FORMATS, chosen, opened, write


@click.command()
@click.option("--owl", is_flag=True, help="All of OWL 2 RL, by owlrl: for a product, a run or a small store.")
@click.option("--night", metavar="YYYYMMDD", help="With --owl: only what happened in the sessions of this night.")
@click.option("--run", "run_", metavar="NUMBER", help="With --owl: only what happened in the sessions of this run.")
@click.option("--product", metavar="PRODUCT", help="With --owl: only the history of this product.")
@click.option("--undo", is_flag=True, help="Remove all inferences.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Default: table on a terminal, tsv in a pipe.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def infer(
    ctx: click.Context,
    owl: bool,
    night: str | None,
    run_: str | None,
    product: str | None,
    undo: bool,
    form: str | None,
    as_json: bool,
) -> int:
    """Add what the ontologies entail, in a graph of its own; the next ingest removes it, as `--undo` does.

    Without options: property chains and sub-properties (PROV-O, IVOA and provkg), by SPARQL updates, for the whole
    store. Lineage and the canned questions never follow what is inferred.
    """
    if (night or run_ or product) and not owl:
        raise click.UsageError("--night, --run and --product go with --owl: the rules are for the whole store")
    graph = opened(ctx)
    if undo:
        say(f"{graph.forget_inferences():,} inferred triples removed")
        return 0
    counts = graph.infer(owl=owl, night=night or "", run=run_ or "", product=product or "")
    write(("property", "triples"), sorted(counts.items()), chosen(form, as_json=as_json))
    if not ctx.obj["quiet"]:
        say(f"{sum(counts.values()):,} triples inferred, in a graph of their own (provkg infer --undo removes them)")
    return 0
