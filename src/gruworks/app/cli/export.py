"""`gruworks export RUN` and `gruworks TASK export RUN`: a run as ONNX graphs and model.json."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gruworks.app.cli.common.flags import Run, command
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.errors import RunError
from gruworks.training.runs import RunFolder

__all__ = ["add"]

To = Annotated[Literal["onnx"], typer.Option(help="The format.")]


def add(app: typer.Typer, task: str | None = None) -> None:
    """Add the command for runs of one task, or (None) of any."""

    @command(app)
    def export(
        show: Show,
        run: Run,
        to: To = "onnx",
        out: Annotated[Path | None, typer.Option(help="Folder to write to; RUN/onnx if not given.")] = None,
    ) -> None:
        """Write a run's model as ONNX graphs, checked in ONNX Runtime, and a model.json."""
        if run.is_file():
            raise RunError(f"{run} is a file, not a run folder")
        found = task or str(RunFolder.open(run).facts.get("task"))
        estimator, folder = load(found, run), out or run / "onnx"
        differences = estimator.export(folder, to)
        rows = [{"graph": f"{name}.onnx", "largest difference": f"{value:.1e}"} for name, value in differences.items()]
        show.table(rows, "outputs in ONNX Runtime compared with the original's")
        show.answer(str(folder))
        show.result({"run": str(run), "task": found, "folder": str(folder), "largest_difference": differences})
