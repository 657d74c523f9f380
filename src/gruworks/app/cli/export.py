"""`gruworks export RUN` and `gruworks TASK export RUN`: a run as ONNX graphs, with what a program around them needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from gruworks.app.cli.common.flags import Debug, Json, Quiet
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.errors import RunError
from gruworks.training.runs import RunFolder

__all__ = ["command"]

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as a fit makes it.")]
To = Annotated[Literal["onnx"], typer.Option("--to", help="The format.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write to; RUN/onnx if not given.")]


def command(task: str | None = None) -> Callable[..., None]:
    """The command for runs of one task, or (None) of any."""

    def export(
        run: Run, to: To = "onnx", out: Out = None, as_json: Json = False, quiet: Quiet = False, debug: Debug = False
    ) -> None:
        """Write a run's model as ONNX graphs, compared in ONNX Runtime, and model.json with what is needed around."""
        if run.is_file():
            raise RunError(f"{run} is a file, not a run folder")
        found = task or str(RunFolder.open(run).facts.get("task"))
        estimator, folder, show = load(found, run), out or run / "onnx", Show(as_json, quiet)
        apart = estimator.export(folder, to)
        rows = [{"graph": f"{name}.onnx", "largest difference": f"{value:.1e}"} for name, value in apart.items()]
        show.table(rows, "outputs in ONNX Runtime beside the original's")
        show.answer(str(folder))
        show.result({"run": str(run), "task": found, "folder": str(folder), "largest_difference": apart})

    return export
