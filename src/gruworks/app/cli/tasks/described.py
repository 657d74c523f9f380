"""Commands of a task that has no module of its own here: `fit` and its verb, made from its description."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gruworks.app.cli.common.fitting import fit_command
from gruworks.app.cli.common.flags import Run, command
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.tasks import registry
from gruworks.tasks.description import Task

__all__ = ["commands"]

Given = Annotated[str, typer.Argument(metavar="INPUT", help="Input of the model.", show_default=False)]


def commands(task: Task) -> typer.Typer:
    """`fit` and the verb of a task."""
    app = typer.Typer(no_args_is_help=True)
    fit_command(app, task.name, Annotated[Path, typer.Argument(metavar=task.data, show_default=False)])

    def use(show: Show, run: Run, given: Given, *, options: Any) -> None:
        """Apply a run's model to an input and print the result."""
        answer = getattr(load(task.name, run), task.method)(given, **options.to_dict())
        show.answer(str(answer))
        show.result({"run": str(run), "answer": answer})

    use.__annotations__["options"] = registry.settings(task.name, "Options")
    command(app, task.verb)(use)
    return app
