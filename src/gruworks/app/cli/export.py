"""`gruworks export RUN` and `gruworks TASK export RUN`: a run as ONNX graphs and model.json, or as C."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gruworks.app.cli.common.flags import Run, command
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.errors import RunError
from gruworks.tasks.exporting import export_c
from gruworks.training.runs import RunFolder

if TYPE_CHECKING:
    from gruworks.interop.c import Report

__all__ = ["add"]

To = Annotated[Literal["onnx", "c"], typer.Option(help="The format.")]

Precision = Annotated[Literal["float32", "int8"], typer.Option(help="Format of the weights in C.")]
Name = Annotated[str, typer.Option(help="Prefix of all names in C, and name of its files.")]
Check = Annotated[bool, typer.Option(help="Compile the C and run its test, where there is a compiler.")]

Wasm = Annotated[bool, typer.Option(help="Compile the C to WebAssembly, too, as an npm package.")]


def add(app: typer.Typer, task: str | None = None) -> None:
    """Add the command for runs of one task, or (None) of any."""

    @command(app)
    def export(
        show: Show,
        run: Run,
        to: To = "onnx",
        precision: Precision = "float32",
        name: Name = "model",
        check: Check = True,
        wasm: Wasm = False,
        out: Annotated[Path | None, typer.Option(help="Folder to write to; RUN/onnx or RUN/c if not given.")] = None,
    ) -> None:
        """Write a run's model as ONNX graphs and a model.json, or as C, and check that it gives the same numbers."""
        if run.is_file():
            raise RunError(f"{run} is a file, not a run folder")
        found = task or str(RunFolder.open(run).facts.get("task"))
        estimator, folder = load(found, run), out or run / to
        if to == "c":
            _as_c(show, run, folder, export_c(estimator, folder, name, precision, check, wasm))
            return
        differences = estimator.export(folder, to)
        rows = [{"graph": f"{name}.onnx", "largest difference": f"{value:.1e}"} for name, value in differences.items()]
        show.table(rows, "outputs in ONNX Runtime compared with the original's")
        show.answer(str(folder))
        show.result({"run": str(run), "task": found, "folder": str(folder), "largest_difference": differences})


def _as_c(show: Show, run: Path, folder: Path, report: Report) -> None:
    sizes = {"constants": report.constants, "state": report.state, "stack": report.stack}
    worst = report.largest_difference
    checked = "no C compiler: not compared with the original" if worst is None else f"largest difference {worst:.1e}"
    show.table([{"of": name, "bytes": f"{size:,}"} for name, size in sizes.items()], checked)
    show.answer(str(folder))
    files = [str(file) for file in report.files]
    show.result({"run": str(run), "files": files, "bytes": sizes, "largest_difference": worst})
