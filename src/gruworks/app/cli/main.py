"""The command `gruworks`: its subcommands, and how an error leaves it."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gruworks import __version__
from gruworks.app.cli import card, data, demo, doctor, exchange, export, serve, try_models
from gruworks.app.cli.lab import lab
from gruworks.app.cli.tasks import forecast, generate, transcribe, translate
from gruworks.errors import GruworksError

__all__ = ["app", "run"]

app = typer.Typer(
    name="gruworks",
    help="The gated recurrent unit, complete: forecast, write, translate, transcribe, look inside, compare.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("card")(card.command())
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("export")(export.command())
app.command("serve")(serve.serve)
app.add_typer(data.app, name="data")
app.add_typer(exchange.app, name="exchange")
app.add_typer(forecast.app, name="forecast")
app.add_typer(generate.app, name="generate")
app.add_typer(lab.app, name="lab")
app.add_typer(try_models.app, name="try")
app.add_typer(translate.app, name="translate")
app.add_typer(transcribe.app, name="transcribe")
for task in (forecast, generate, transcribe, translate):
    name = task.__name__.rpartition(".")[2]
    task.app.command("export")(export.command(name))
    task.app.command("card")(card.command(name))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gruworks {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The gated recurrent unit, complete: forecast, write, translate, transcribe, look inside, compare."""


def run() -> None:
    """Run the command line: a Gruworks error is one line on standard error and exit status 2."""
    try:
        app()
    except GruworksError as error:
        if "--debug" in sys.argv:
            raise
        print("gruworks:", " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader went away (`gruworks ... | head`): nothing is wrong here
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk, a folder that may not be written to
        if "--debug" in sys.argv:
            raise
        print(f"gruworks: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)
