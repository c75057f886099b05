"""The command line: one command is one library call.

Results go to stdout, everything else to stderr. Commands are loaded when they are called, so ``provkg --help`` is
instant.
"""

import io
import signal
import sys
from importlib import import_module
from keyword import iskeyword

import click

from provkg.errors import Ambiguous, ProvkgError, did_you_mean
from provkg.identity import harmless

MOST_CANDIDATES = 20
_COMMANDS = {
    "run": ("provkg.cli.run", "Run any program and record what it read and wrote."),
    "ingest": ("provkg.cli.write", "Read files and folders into the store."),
    "watch": ("provkg.cli.watch", "Read records while pipelines write them, and go on."),
    "status": ("provkg.cli.read", "Say what the store holds."),
    "show": ("provkg.cli.read", "The card of one product; `provkg PRODUCT` is the same."),
    "lineage": ("provkg.cli.read", "What a product was made from, or what was made from it."),
    "graph": (
        "provkg.cli.graph",
        "A picture of a product's history, a run or a night, with as many shapes as you like.",
    ),
    "ask": ("provkg.cli.questions", "Ask a canned question; without one, list them."),
    "query": ("provkg.cli.query", "Run a SPARQL query from a file or standard input."),
    "diff": ("provkg.cli.diff", "Why two products differ: the first points at which their histories part."),
    "why": ("provkg.cli.diff", "The same as diff."),
    "gaps": ("provkg.cli.gaps", "What lies in an archive against what the graph knows."),
    "verify": ("provkg.cli.verify", "Whether files are still what was recorded."),
    "stamp": ("provkg.cli.stamp", "Write into a file which product it is: FITS, HDF5, ECSV."),
    "whois": ("provkg.cli.stamp", "What a file is, whatever it is called now."),
    "reconcile": ("provkg.cli.reconcile", "What the scheduler saw, beside what was recorded."),
    "taint": ("provkg.cli.taint", "What something bad has touched; record it, lift it, list what to make again."),
    "audit": ("provkg.cli.taint", "Products made with software or a configuration that advisories warn of."),
    "grade": ("provkg.cli.grade", "How well a product can be traced and made again, A to F, and what would help."),
    "explain": ("provkg.cli.methods", "How a product was made, in words, with the record of each number."),
    "cite": ("provkg.cli.methods", "What to cite for a product: BibTeX, CITATION.cff, CSL JSON."),
    "recipe": ("provkg.cli.recipe", "How to make a product again; run it, or say what is in the way."),
    "validate": ("provkg.cli.check", "Validate the store, or files: SHACL shapes and PROV-CONSTRAINTS."),
    "model": ("provkg.cli.check", "Turn a pipeline's definition.yaml into descriptions and shapes."),
    "export": ("provkg.cli.export", "A history, a run, a night or all for others: RDF, PROV, RO-Crate, VOTable, …"),
    "import": ("provkg.cli.exchange", "What another provkg exported, as if it had been ingested here."),
    "backup": ("provkg.cli.exchange", "All of the store in a folder, with digests."),
    "restore": ("provkg.cli.exchange", "A backup, back in its place, compared by digest."),
    "rebase": ("provkg.cli.exchange", "A copy whose IRIs begin with another base."),
    "release": ("provkg.cli.release", "A copy of the store without private data, as a policy says."),
    "publish": ("provkg.cli.publish", "The store as a site that needs no server: pages, data, search, SPARQL."),
    "serve": ("provkg.cli.serve", "The store over HTTP: SPARQL, Linked Data, questions, ProvSAP, pages."),
    "infer": ("provkg.cli.reason", "Add what the ontologies entail, in a graph of its own."),
    "questions": ("provkg.cli.catalogue", "Check, test and publish canned questions, your own too."),
    "doctor": ("provkg.cli.doctor", "Look after the store: check it, make its index again, unlock it."),
    "demo": ("provkg.cli.demo", "The main job on bundled sample records."),
}
_EPILOG = """\b
PRODUCT is a path, a file name, an IRI, a CURIE, a digest, or the first 6 or more characters of one.
\b
Exit status:
  0  ok                       4  partial: some input was not read, or an answer was cut
  1  a finding, a change      5  not found
  2  wrong usage            130  interrupted
  3  input or store error   141  closed pipe"""


class Commands(click.Group):
    """Load a command when it is called; a word that is no command is a product to show."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are used."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(_COMMANDS[cmd_name][0])
        command = getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take an unknown word that looks like a product as ``show``."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = did_you_mean(args[0], _COMMANDS)
            if near and not _is_product(args[0]):
                ctx.fail(f"no command {args[0]!r}: {near}")
            return "show", self.get_command(ctx, "show"), args
        return super().resolve_command(ctx, args)


def _is_product(word: str) -> bool:
    return any(mark in word for mark in "/.:_") or any(character.isdigit() for character in word)


@click.group(
    cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option("--store", metavar="FOLDER|URL", help="The store; also PROVKG_STORE or provkg.toml, else ./.provkg.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors on stderr.")
@click.version_option(package_name="provkg", message="provkg %(version)s")
@click.pass_context
def provkg(ctx: click.Context, store: str | None, quiet: bool) -> None:
    """Provenance you can ask: where a file comes from, whether to trust it, how to make it again."""
    ctx.obj = {"store": store, "quiet": quiet}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; a closed pipe ends it as it ends any other program (141 in a shell)."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal cannot show is escaped
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:
        result = provkg.main(arguments, prog_name="provkg", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except click.ClickException as error:
        say(f"error: {error.format_message()}")
        context = getattr(error, "ctx", None)
        say(f"hint: {context.command_path if context else 'provkg'} --help")
        return error.exit_code
    except ProvkgError as error:
        say(f"error: {error.message}")
        if isinstance(error, Ambiguous):
            for candidate in error.candidates[:MOST_CANDIDATES]:
                say(f"  {candidate}")
            if len(error.candidates) > MOST_CANDIDATES:
                say(f"  … and {len(error.candidates) - MOST_CANDIDATES} more")
        if error.hint:
            say(f"hint: {error.hint}")
        return error.exit_status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}{error.strerror or error}")
        return 3
    except SyntaxError as error:
        say(f"error: {error.filename or 'query'}: {error}")
        return 2
    return result if isinstance(result, int) else 0


def say(text: str) -> None:
    """Say something on stderr, whatever is in it; a name cannot begin a line of its own."""
    click.echo(harmless(text), err=True)
