"""Export of a fitted estimator as ONNX graphs and `model.json`, whose parts the task's own `exporting.py` lists."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from gruworks.errors import ExportError, OptionError, require
from gruworks.tasks import registry

__all__ = ["FORMATS", "export"]

FORMATS = ("onnx",)


def export(estimator: Any, folder: Path | str, to: str = "onnx") -> dict[str, float]:
    """Write the model of a fitted estimator to `folder`.

    Returns:
        The largest absolute difference between ONNX Runtime and torch, for each graph.

    Raises:
        OptionError: another format, or a folder with other files.
        NotFittedError: an estimator before its fit.
        ExportError: no network to write, or one whose outputs in ONNX Runtime differ by more than 1e-5.
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
    """
    if to not in FORMATS:
        raise OptionError(f"a run is exported to {', '.join(FORMATS)}, not to {to!r}")
    estimator._need_fit()
    if estimator.model is None:
        raise ExportError(
            f"this {estimator.task} run has no network to export (too few rows to train one): fit on more rows"
        )
    for package in ("onnx", "onnxscript", "onnxruntime"):
        require(package, "exchange")
    from gruworks.interop import onnx_folder

    training, model = estimator.model.training, estimator.model.eval()
    try:
        parts, facts = importlib.import_module(registry.find(estimator.task).module("exporting")).parts(estimator)
        return onnx_folder.write(parts, {"task": estimator.task, **facts}, folder)
    finally:
        model.train(training)
