"""Export of a fitted estimator: ONNX graphs by its `exporting.py`, C by its `c_program.py`."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gruworks.errors import ExportError, OptionError, require
from gruworks.tasks import registry

if TYPE_CHECKING:
    from gruworks.interop.c import Report
    from gruworks.interop.c.arrays import Precision

__all__ = ["FORMATS", "export", "export_c"]

FORMATS = ("onnx", "c")


def export(estimator: Any, folder: Path | str, to: str = "onnx") -> dict[str, float]:
    """Write the model of a fitted estimator to `folder`.

    Returns:
        The largest absolute difference between ONNX Runtime, or the compiled C, and the original, for each graph or
        program; NaN where there is no C compiler.

    Raises:
        OptionError: another format, or a folder with other files.
        NotFittedError: an estimator before its fit.
        ExportError: no network to write, or one whose outputs in ONNX Runtime differ by more than 1e-5.
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
    """
    if to not in FORMATS:
        raise OptionError(f"a run is exported to {', '.join(FORMATS)}, not to {to!r}")
    if to == "c":
        worst = export_c(estimator, folder).largest_difference
        return {"model": float("nan") if worst is None else worst}
    _check_network(estimator)
    for package in ("onnx", "onnxscript", "onnxruntime"):
        require(package, "exchange")
    from gruworks.interop import onnx_folder

    training, model = estimator.model.training, estimator.model.eval()
    try:
        parts, facts = importlib.import_module(registry.find(estimator.task).module("exporting")).parts(estimator)
        return onnx_folder.write(parts, {"task": estimator.task, **facts}, folder)
    finally:
        model.train(training)


def export_c(
    estimator: Any,
    folder: Path | str,
    name: str = "model",
    precision: Precision = "float32",
    check: bool = True,
    wasm: bool = False,
) -> Report:
    """Write the model of a fitted estimator as C; see `interop.c.export` for the arguments.

    Raises:
        ExportError: no network to write, a task or an option of it that C can't hold, or a failed check.
        OptionError: an unknown precision, or a name that isn't an identifier of C.
        NotFittedError: an estimator before its fit.
    """
    from gruworks.interop.c.exporting import check_options, write

    check_options(name, precision)
    _check_network(estimator)
    module = registry.find(estimator.task).module("c_program")
    if importlib.util.find_spec(module) is None:
        raise ExportError(f"a {estimator.task} run can't be written as C; forecast, generate and transcribe runs can")
    training, model = estimator.model.training, estimator.model.eval()
    try:
        program, test = importlib.import_module(module).of(estimator, name, precision)
    finally:
        model.train(training)
    return write(program, test, folder, check, wasm)


def _check_network(estimator: Any) -> None:
    estimator._need_fit()
    if estimator.model is None:
        raise ExportError(
            f"this {estimator.task} run has no network to export (too few rows to train one): fit on more rows"
        )
