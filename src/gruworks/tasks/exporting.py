"""A fitted task as ONNX graphs and `model.json`; each task says in its own `exporting.py` what its parts are."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from gruworks.errors import ExportError, OptionError, require
from gruworks.tasks import registry

__all__ = ["FORMATS", "export"]

FORMATS = ("onnx",)


def export(estimator: Any, folder: Path | str, to: str = "onnx") -> dict[str, float]:
    """Write a fitted estimator's model into `folder`: for each graph the largest difference to the original.

    Raises:
        OptionError: another format, or a folder that holds something else. NotFittedError: nothing is fitted.
        ExportError: no network to write, or one whose numbers in ONNX Runtime are more than 1e-5 off.
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
    """
    if to not in FORMATS:
        raise OptionError(f"a run is exported to {', '.join(FORMATS)}, not to {to!r}")
    estimator._need_fit()
    if estimator.model is None:
        raise ExportError(
            f"there is no network in this {estimator.task} run, which had too few rows to learn from: nothing to write"
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
