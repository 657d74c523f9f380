"""Commands of a task that has no module of its own here: `fit` and its verb, made from its description."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gruworks.app.cli.common.fitting import fit_command
from gruworks.app.cli.common.flags import Debug, Json, Quiet, takes
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.tasks import registry
from gruworks.tasks.description import Task

__all__ = ["commands"]

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as a fit makes it.", show_default=False)]
Given = Annotated[str, typer.Argument(metavar="INPUT", help="Input of the model.", show_default=False)]


def commands(task: Task) -> typer.Typer:
    """`fit` and the verb of a task."""
    app = typer.Typer(no_args_is_help=True)
    data = Annotated[Path, typer.Argument(metavar=task.data, show_default=False)]

    @fit_command(app, task.name, registry.settings(task.name, "Config"), data)
    def fitted(show: Show, estimator: Any, path: Path) -> dict[str, Any]:
        """Learn from data; leave a run folder with the model."""
        show.answer(f"run    {path}")
        show.note(f"next   gruworks {task.name} {task.verb} {path} INPUT")
        return {"metrics": estimator.metrics}

    app.command(task.verb)(takes(registry.settings(task.name, "Options"), into="options")(_use(task)))
    return app


def _use(task: Task) -> Callable[..., None]:
    def use(
        run: Run, given: Given, *, options: Any, as_json: Json = False, quiet: Quiet = False, debug: Debug = False
    ) -> None:
        """Use a run: print what its model answers to an input."""
        show = Show(as_json, quiet)
        answer = getattr(load(task.name, run), task.method)(given, **options.to_dict())
        show.answer(str(answer))
        show.result({"run": str(run), "answer": answer})

    return use
