"""The main job on bundled sample records, as a newcomer would run it."""

import shlex
import shutil
from pathlib import Path

import click

from provkg.cli import run
from provkg.cli.output import emit
from provkg.errors import StoreError
from provkg.resources import sample

_FLUX, _PEDESTAL = "crab_flux_points.fits", "drs4_pedestal.Run12010.0000.h5"
_MARK = "made-by-provkg-demo"
_NEXT = """What to try next (the store is {store}):
  export PROVKG_STORE={store}
  provkg dl3_LST-1.Run12012.fits                       the card of a product
  provkg ask impact {pedestal}     what must be made again if it is bad
  provkg taint {pedestal} --dry-run      the same with steps and hours, in order
  provkg grade crab_spectrum.fits                      can it be traced, and made again?
  provkg explain crab_spectrum.fits                    how it was made, in words
  provkg why dl3_LST-1.Run12012.fits dl3_LST-1.Run12013.fits
  provkg ask                                           all questions; add --show to see the SPARQL
  provkg ask outdated                                  what was made from something that is old by now
  provkg graph --run 12012 -o run.svg                  a run as a picture; without -o, an outline here
  provkg serve --open                                  all of it in a browser, and over HTTP for programs
  provkg status                                        what the store holds, assumed and quarantined
  provkg ingest YOUR/LOGS                              your own records: a new --store, or this one"""


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    default="demo-out",
    show_default=True,
    help="Where to put store and picture.",
)
def demo(output: str) -> int:
    """Run the main job on the sample records that provkg brings: ingest, validate, ask, draw."""
    folder = Path(output)
    store, picture = folder / "store", folder / "lineage.svg"
    if store.exists() and not (store / _MARK).exists():
        raise StoreError(f"{store} was not made by this demo", hint="name another folder: provkg demo -o FOLDER")
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(parents=True)
    (store / _MARK).write_text("provkg demo made this store and will replace it\n")
    emit(
        "Six logs of one analysis: two runs of LST-1 and their calibration (lstosa), the simulation behind the\n"
        "instrument response (ctapipe), the gammapy session that made flux points, and what was done again later.\n"
        "No program knew of the others. A definition says what two of the steps are expected to do."
    )
    failed = 0
    steps = (
        (
            "Read them into a knowledge graph. One line is torn: it is set aside with its place, the rest gets in.",
            ["ingest", str(sample())],
            4,
        ),
        ("Is what must be known there?", ["validate"], 0),
        ("Where do the flux points come from?", ["lineage", _FLUX, "--format", "tree"], 0),
        ("Which raw files are behind them?", ["ask", "raw-files", _FLUX, "--format", "table"], 0),
        ("What started and never ended?", ["ask", "never-ended", "--format", "table"], 0),
        ("How much of the history is known, level by level?", ["ask", "completeness", "--format", "table"], 0),
        ("A picture of the history.", ["lineage", _FLUX, "-o", str(picture)], 0),
    )
    for text, arguments, expected in steps:
        emit(f"\n# {text}\n$ provkg --store {shlex.quote(str(store))} {shlex.join(arguments)}")
        status = run(["--store", str(store), *arguments])
        failed |= status != expected
        if status != expected:
            emit(f"(exit status {status}; expected {expected})")
    emit(f"\nThe picture is {picture}: open it in a browser.\n")
    emit(_NEXT.format(store=store, pedestal=_PEDESTAL))
    return 1 if failed else 0
