"""`gruworks card RUN` and `gruworks TASK card RUN`: a run's card as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gruworks.app.cli.common.flags import Debug
from gruworks.errors import RunError, require
from gruworks.tasks import registry
from gruworks.training.runs import RunFolder, write_atomically

__all__ = ["command"]

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as a fit makes it.")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write instead of printing, such as RUN/README.md.")]


def command(task: str | None = None) -> Callable[..., None]:
    """The command for runs of one task, or (None) of any."""

    def card(run: Run, out: Out = None, debug: Debug = False) -> None:
        """A run's card as Markdown: task, data, quality and settings."""
        if run.is_file():
            raise RunError(f"{run} is a file, not a run folder")
        opened = RunFolder.open(run, task)
        name = str(opened.facts.get("task"))
        defaults = registry.settings(name, "Config")()
        text = require("gruworks.tasks.card", extra=registry.find(name).extra).card(opened, defaults)
        if out is None:
            typer.echo(text, nl=False)
        else:
            write_atomically(out, text.encode())

    return card
