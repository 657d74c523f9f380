"""Whole torch modules to ONNX: the operator of our layers becomes a real GRU node in torch's exporter."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch

from gruworks.errors import ExportError, OptionError, require
from gruworks.interop.onnx_write import OPSET, TOLERANCE
from gruworks.nn.compatibility.onnx_nodes import recurrence_node

__all__ = ["export", "to_model", "translations"]


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """For `torch.onnx.export(..., dynamo=True, custom_translation_table=translations())`: `gruworks::recurrence`.

    >>> [str(operator) for operator in translations()]
    ['gruworks.recurrence.default']
    """
    return {torch.ops.gruworks.recurrence.default: recurrence_node}


def export(
    module: torch.nn.Module,
    args: Sequence[torch.Tensor],
    path: str | Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: dict[str, dict[int, str]] | None = None,
    others: Sequence[Sequence[torch.Tensor]] = (),
) -> float:
    """Write `module(*args)` as an ONNX model with real GRU nodes; checked, and compared in ONNX Runtime.

        export(model, (x, h), "model.onnx", inputs=["x", "h"], outputs=["y", "h_n"],
               dynamic={"x": {0: "T", 1: "B"}, "h": {1: "B"}}, others=[(longer_x, wider_h)])

    Args:
        module: in evaluation mode; any torch module, ours inside or not.
        args: example inputs, tensors.
        path: the file; weights are inside it.
        inputs: names of the graph's inputs; outputs: of its outputs, flattened.
        dynamic: which axes of which input have which free size; one name is one size everywhere.
        others: more inputs, of other sizes, to compare on.

    Returns:
        The largest difference to the module over args and others: absolute, and where outputs are larger than 1
        relative to the largest.

    Raises:
        ExportError: what the exporter can't write (GRU-D's decay has no node), or numbers more than 1e-5 off.
        OptionError: a module in training mode.
    """
    model, worst = to_model(module, tuple(args), list(inputs), list(outputs), dynamic or {}, others)
    Path(path).write_bytes(model.SerializeToString())
    return worst


def to_model(
    module: torch.nn.Module,
    args: tuple[torch.Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic: dict[str, dict[int, str]],
    others: Sequence[Sequence[torch.Tensor]] = (),
) -> tuple[Any, float]:
    """`export` without the file: the ModelProto, checked and compared, and the largest difference."""
    onnx = require("onnx", "exchange")
    require("onnxscript", "exchange")
    if module.training:
        raise OptionError("export needs the module in evaluation mode: module.eval()")
    model = _program(module, args, list(inputs), list(outputs), dynamic).model_proto
    onnx.checker.check_model(model, full_check=True)
    _check_free(model, dynamic)
    worst = _difference(module, model, [args, *others], inputs)
    if not worst <= TOLERANCE:
        raise ExportError(f"ONNX Runtime's outputs differ by {worst:.2g} from the module's; at most {TOLERANCE:g}")
    return model, worst


def _program(
    module: torch.nn.Module,
    args: tuple[torch.Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    dynamic: dict[str, dict[int, str]],
) -> Any:
    sizes = {name: torch.export.Dim(name) for axes in dynamic.values() for name in axes.values()}
    shapes = tuple({axis: sizes[name] for axis, name in dynamic.get(one, {}).items()} for one in inputs)
    try:
        with torch.no_grad(), warnings.catch_warnings(), _quiet_log():
            warnings.simplefilter("ignore")  # torch's and onnxscript's, about themselves
            return torch.onnx.export(
                _Flat(module), args, dynamo=True, input_names=inputs, output_names=outputs, dynamic_shapes=(shapes,),
                custom_translation_table=translations(), opset_version=OPSET, verbose=False,
            )  # fmt: skip
    except torch.onnx.errors.OnnxExporterError as error:
        raise ExportError(f"{type(module).__name__} can't be written as ONNX: {_cause(error)}") from error


def _check_free(model: Any, dynamic: dict[str, dict[int, str]]) -> None:
    """The exporter fixes a size without a word where the module's code turned it into a number."""
    for one in model.graph.input:
        for axis, name in dynamic.get(one.name, {}).items():
            size = one.type.tensor_type.shape.dim[axis]
            if not size.dim_param:
                raise ExportError(f"size {name} of {one.name} is fixed at {size.dim_value} by the module's code")


class _Flat(torch.nn.Module):
    """Any number of tensors in one tuple: the exporter wants shapes in the form of the signature."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module
        self.eval()

    def forward(self, *given: torch.Tensor) -> Any:
        return self.module(*given)


@contextlib.contextmanager
def _quiet_log() -> Iterator[None]:
    """Without the exporter's lines about packages that have nothing to do with this."""
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


def _difference(
    module: torch.nn.Module, model: Any, cases: Sequence[Sequence[torch.Tensor]], inputs: Sequence[str]
) -> float:
    """The largest over the cases; NaN where only one side has a number."""
    runtime = require("onnxruntime", "exchange")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    kept, apart = {one.name for one in session.get_inputs()}, [0.0]
    for args in cases:
        with torch.no_grad():
            given = torch.utils._pytree.tree_leaves(module(*args))
        try:
            found = session.run(None, {n: a.numpy() for n, a in zip(inputs, args, strict=True) if n in kept})
        except Exception as error:  # ONNX Runtime's own, which share no base of theirs
            raise ExportError(f"ONNX Runtime can't run the graph: {str(error).splitlines()[0]}") from error
        apart += [_apart(a, b.numpy()) for a, b in zip(found, given, strict=True)]
    return float(numpy.max(apart))


def _apart(a: Any, b: Any) -> float:
    if a.shape != b.shape:
        raise ExportError(f"ONNX Runtime gives {list(a.shape)} where the module gives {list(b.shape)}")
    size = max(1.0, float(numpy.abs(b).max(initial=0)))
    return float(numpy.abs(a.astype(numpy.float64) - b).max(initial=0)) / size
