"""The command `gruworks`: its subcommands, and errors as one line and an exit status."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Annotated

import typer

from gruworks import __version__
from gruworks.app.cli import card, data, demo, doctor, exchange, export, sample, serve, try_models
from gruworks.app.cli.common.examples import add_examples
from gruworks.app.cli.common.flags import command
from gruworks.app.cli.lab import lab
from gruworks.app.cli.tasks import described
from gruworks.errors import GruworksError
from gruworks.tasks import registry
from gruworks.tasks.description import Task

__all__ = ["app", "make", "run"]

PURPOSE = "The gated recurrent unit, complete: forecast, write, translate, transcribe, look inside, compare."
START = f"""{PURPOSE}

start here
  gruworks demo                      # forecasts of real data, in under three minutes
  gruworks sample shop               # an example file; also: weather, stocks, poems, pairs, recordings
  gruworks forecast fit shop.csv
  gruworks lab trace 1 2 3 4 5       # gates and states of a GRU, step by step
  gruworks serve                     # everything in the browser

all commands: gruworks --help        shell completion: gruworks --install-completion"""
HELP = {"help_option_names": ["-h", "--help"]}


def make() -> typer.Typer:
    """The command with its subcommands, among them those of every registered task."""
    app = typer.Typer(
        name="gruworks", help=PURPOSE, context_settings=HELP, invoke_without_command=True,
        pretty_exceptions_enable=False,
    )  # fmt: skip
    app.callback(help=PURPOSE)(main)
    card.add(app)
    command(app)(demo.demo)
    command(app)(doctor.doctor)
    command(app)(sample.sample)
    export.add(app)
    command(app, json=False)(serve.serve)
    groups = {"data": data.app, "exchange": exchange.app, "lab": lab.app, "try": try_models.app}
    found = groups | {task.name: _commands(task) for task in registry.TASKS.values()}
    for name in sorted(found):
        app.add_typer(found[name], name=name)
    add_examples(app)
    return app


def _commands(task: Task) -> typer.Typer:
    """The commands of a task: those of its own module here, else `fit` and its verb made from its description."""
    module = f"gruworks.app.cli.tasks.{task.name}"
    own = importlib.import_module(module).app if importlib.util.find_spec(module) else described.commands(task)
    made = typer.Typer(help=task.purpose, epilog=f"Example: {task.example}", no_args_is_help=True)
    made.registered_commands = list(own.registered_commands)
    export.add(made, task.name)
    card.add(made, task.name)
    return made


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gruworks {__version__}")
        raise typer.Exit


def main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Handle the flags in front of a subcommand; without a subcommand, print where to start."""
    if context.invoked_subcommand is None:
        typer.echo(START)


app = make()


def run() -> None:
    """Run the command line: an error of ours or of a file is one line on standard error and exit status 2."""
    try:
        app()
    except BrokenPipeError:  # the reader has gone (`gruworks ... | head`), which is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (GruworksError, OSError) as error:  # an OSError: a full disk, a folder that may not be written to
        if "--debug" in sys.argv:
            raise
        if not isinstance(error, GruworksError):
            error = GruworksError(f"{error.filename or 'a file'}: {error.strerror or error}")
        print("gruworks:", " ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
