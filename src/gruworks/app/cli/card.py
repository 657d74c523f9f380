"""`gruworks card RUN` and `gruworks TASK card RUN`: a run's card as Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gruworks.app.cli.common.flags import Run, command
from gruworks.errors import RunError, require
from gruworks.tasks import registry
from gruworks.training.runs import RunFolder, write_atomically

__all__ = ["add"]


def add(app: typer.Typer, task: str | None = None) -> None:
    """Add the command for runs of one task, or (None) of any."""

    @command(app)
    def card(
        run: Run, out: Annotated[Path | None, typer.Option(help="File to write instead of printing.")] = None
    ) -> None:
        """Print a run's card as Markdown: task, data, quality and settings."""
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
