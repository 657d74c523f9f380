"""Export of torch modules to ONNX by torch's exporter, with GRU nodes for the layers of gruworks."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from gruworks.errors import ExportError, OptionError, require
from gruworks.interop.onnx_write import OPSET, compare
from gruworks.nn.compatibility.onnx_nodes import recurrence_node

__all__ = ["export", "to_model", "translations"]

Tensors = Sequence[torch.Tensor]
Axes = Mapping[str, Mapping[int, str]]  # input → axis → name of its size


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Translation of `gruworks::recurrence` for `torch.onnx.export(..., custom_translation_table=translations())`.

    >>> [str(operator) for operator in translations()]
    ['gruworks.recurrence.default']
    """
    return {torch.ops.gruworks.recurrence.default: recurrence_node}


def export(
    module: torch.nn.Module,
    args: Tensors,
    path: str | Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: Axes | None = None,
    others: Sequence[Tensors] = (),
) -> float:
    """Write `module(*args)` as an ONNX model with GRU nodes; checked, and compared in ONNX Runtime.

        export(model, (x, h), "model.onnx", inputs=["x", "h"], outputs=["y", "h_n"],
               dynamic={"x": {0: "T", 1: "B"}, "h": {1: "B"}}, others=[(longer_x, wider_h)])

    Args:
        module: any torch module in evaluation mode.
        args: example inputs.
        path: the file to write, including the weights.
        inputs: names of the graph's inputs.
        outputs: names of its outputs, flattened.
        dynamic: names of the dynamic axes of each input; axes with one name have one size.
        others: more example inputs, of other sizes, for the comparison.

    Returns:
        The largest difference to the module over args and others: absolute, and relative to the largest output where
        that exceeds 1.

    Raises:
        ExportError: an operation that can't be exported (such as GRU-D's decay), or a difference above 1e-5.
        OptionError: the module is in training mode.
    """
    model, worst = to_model(module, args, inputs, outputs, dynamic or {}, others)
    Path(path).write_bytes(model.SerializeToString())
    return worst


def to_model(
    module: torch.nn.Module, args: Tensors, inputs: Sequence[str], outputs: Sequence[str], dynamic: Axes,
    others: Sequence[Tensors] = (),
) -> tuple[Any, float]:  # fmt: skip
    """As `export`, but return the ModelProto and the largest difference."""
    onnx = require("onnx", "exchange")
    require("onnxscript", "exchange")
    if module.training:
        raise OptionError("export needs the module in evaluation mode: module.eval()")
    model = _program(module, args, inputs, outputs, dynamic).model_proto
    onnx.checker.check_model(model, full_check=True)
    _check_free(model, dynamic)
    return model, compare(module, model, [args, *others], inputs)


def _program(
    module: torch.nn.Module, args: Tensors, inputs: Sequence[str], outputs: Sequence[str], dynamic: Axes
) -> Any:
    sizes = {name: torch.export.Dim(name) for axes in dynamic.values() for name in axes.values()}
    shapes = tuple({axis: sizes[name] for axis, name in dynamic.get(one, {}).items()} for one in inputs)
    try:
        with torch.no_grad(), warnings.catch_warnings(), _quiet_log():
            warnings.simplefilter("ignore")  # of torch and onnxscript, about their own internals
            return torch.onnx.export(
                _Flat(module), tuple(args), dynamo=True, input_names=list(inputs), output_names=list(outputs),
                dynamic_shapes=(shapes,), custom_translation_table=translations(), opset_version=OPSET, verbose=False,
            )  # fmt: skip
    except torch.onnx.errors.OnnxExporterError as error:
        raise ExportError(f"{type(module).__name__} can't be exported to ONNX: {_cause(error)}") from error


def _check_free(model: Any, dynamic: Axes) -> None:
    """Raise ExportError for dynamic axes that the exporter silently fixed."""
    for one in model.graph.input:
        for axis, name in dynamic.get(one.name, {}).items():
            size = one.type.tensor_type.shape.dim[axis]
            if not size.dim_param:
                raise ExportError(f"size {name} of {one.name} is fixed at {size.dim_value} by the module's code")


class _Flat(torch.nn.Module):
    """Wrapper with a variadic signature, so that the dynamic shapes are one tuple."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module
        self.eval()

    def forward(self, *given: torch.Tensor) -> Any:
        return self.module(*given)


@contextlib.contextmanager
def _quiet_log() -> Iterator[None]:
    """Suppress the exporter's log about unrelated optional packages."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().splitlines()[0]
