"""Writing of a GRU as an ONNX model with one GRU node per layer and dynamic batch and time axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy

from gruworks.errors import ExportError, WeightsError, require
from gruworks.interop.stack import Stack
from gruworks.ops.activations import onnx_attributes
from gruworks.ops.weights import GRUWeights

__all__ = ["OPSET", "TOLERANCE", "compare", "save_gru", "to_tensors"]

OPSET, IR_VERSION = 18, 8  # supported by runtimes since 2023
TOLERANCE = 1e-5  # largest difference between ONNX Runtime and the original, in float32
Array = Any


def to_tensors(directions: Sequence[GRUWeights]) -> tuple[Array, Array, Array | None]:
    """W [D, 3H, I], R [D, 3H, H] and B [D, 6H] (None without bias) of a GRU node; `from_tensors` inverts it exactly."""
    converted = [one.to_layout(update="keeps", order="zrn") for one in directions]
    W, R = numpy.stack([one[0] for one in converted]), numpy.stack([one[1] for one in converted])
    if all(one[2] is None and one[3] is None for one in converted):
        return W, R, None
    zeros = numpy.zeros(R.shape[1], R.dtype)
    return W, R, numpy.stack([numpy.concatenate([zeros if b is None else b for b in one[2:]]) for one in converted])


def save_gru(gru: Any, path: str | Path, lengths: bool = False) -> None:
    """Write a GRU as an ONNX model with one GRU node per layer; batch and time axes are dynamic.

    The inputs are `input` [T, B, I] ([B, T, I] if batch_first), `h0` [L·D, B, H] and, with `lengths`, `lengths` [B]
    (int32); the outputs are `output` [T, B, D·H] and `h_n` [L·D, B, H]. A stream passes h_n back as h0.

    onnx.checker checks the model. A float32 model is also compared with the original in ONNX Runtime, which has no
    float64 GRU.

    Args:
        gru: a module (torch's or ours) or a `Stack`.
        path: the file to write.
        lengths: add the input `lengths`.

    Raises:
        ExportError: the outputs of ONNX Runtime differ by more than 1e-5.
        WeightsError: a merge other than concat, or a stored initial state, which a GRU node can't have.
    """
    from gruworks.interop.torch import as_stack

    onnx = require("onnx", "exchange")
    stack = as_stack(gru)
    if stack.initial is not None or stack.merge != "concat" or stack.reading_order:
        reason = "merges its directions, reverses its outputs or has a stored initial state"
        raise WeightsError(f"{stack.name!r} {reason}: an ONNX GRU node can't represent that")
    model = _model(onnx.helper, onnx.numpy_helper, stack, lengths)
    onnx.checker.check_model(model, full_check=True)
    if stack.dtype == numpy.float32:
        _compare_gru(model, stack, lengths)
    Path(path).write_bytes(model.SerializeToString())


def _model(helper: Any, numpy_helper: Any, stack: Stack, lengths: bool) -> Any:
    L, D, H = stack.num_layers, stack.directions, stack.hidden_size

    def tensor(name: str, shape: list[Any], dtype: Any = stack.dtype) -> Any:
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(numpy.dtype(dtype)), shape)

    axes = ["B", "T"] if stack.batch_first else ["T", "B"]
    inputs = [tensor("input", [*axes, stack.input_size]), tensor("h0", [L * D, "B", H])]
    inputs += [tensor("lengths", ["B"], numpy.int32)] if lengths else []
    outputs = [tensor("output", [*axes, D * H]), tensor("h_n", [L * D, "B", H])]
    nodes, values = _layers(helper.make_node, stack, lengths)
    tensors = [numpy_helper.from_array(numpy.ascontiguousarray(array), name) for name, array in values.items()]
    graph = helper.make_graph(nodes, "gru", inputs, outputs, tensors)
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="gruworks")


def _layers(make: Callable[..., Any], stack: Stack, lengths: bool) -> tuple[list[Any], dict[str, Array]]:
    """Nodes and initializers: a GRU node per layer, and the conversion between the shapes of torch and ONNX."""
    L = stack.num_layers
    attributes = {
        "hidden_size": stack.hidden_size,
        "direction": "bidirectional" if stack.directions == 2 else "reverse" if stack.reverse else "forward",
        "linear_before_reset": int(stack.reset == "after"),
        **onnx_attributes(stack.unit, stack.directions),
    }
    values: dict[str, Array] = {"side_by_side": numpy.array([0, 0, -1])}
    swap: Any = {"op_type": "Transpose", "perm": [1, 0, 2]} if stack.batch_first else {"op_type": "Identity"}
    starts = [f"h0_{layer}" for layer in range(L)]
    nodes = [
        make(inputs=["input"], outputs=["x_0"], **swap),
        make("Split", ["h0"], starts, axis=0, num_outputs=L) if L > 1 else make("Identity", ["h0"], starts),
    ]
    for layer, directions in enumerate(stack.weights):
        arrays = zip("WRB", to_tensors(directions), strict=True)
        weights = {f"{kind}_{layer}": array for kind, array in arrays if array is not None}
        values |= weights
        bias = [] if len(weights) == 3 else [""]
        given = [f"x_{layer}", *weights, *bias, "lengths" if lengths else "", starts[layer]]
        name = f"{stack.name or 'gru'}_{layer}"
        nodes += [
            make("GRU", given, [f"Y_{layer}", f"h_n_{layer}"], name=name, **attributes),
            make("Transpose", [f"Y_{layer}"], [f"beside_{layer}"], perm=[0, 2, 1, 3]),
            make("Reshape", [f"beside_{layer}", "side_by_side"], [f"x_{layer + 1}"]),
        ]
    finals = [f"h_n_{layer}" for layer in range(L)]
    nodes.append(make(inputs=[f"x_{L}"], outputs=["output"], **swap))
    nodes.append(make("Concat", finals, ["finals" if lengths else "h_n"], axis=0))
    if lengths:  # ONNX Runtime's final state of an empty row is 0; ours is h0
        values |= {"zero": numpy.zeros(1, numpy.int32), "around": numpy.array([0, 2])}
        nodes.append(make("Equal", ["lengths", "zero"], ["empty"]))
        nodes.append(make("Unsqueeze", ["empty", "around"], ["empty_rows"]))
        nodes.append(make("Where", ["empty_rows", "h0", "finals"], ["h_n"]))
    return nodes, values


def _compare_gru(model: Any, stack: Stack, lengths: bool) -> None:
    """Compare a written model with the module, including an empty row if it has lengths."""
    import torch

    from gruworks.interop.torch import to_module

    draw, T, B = numpy.random.default_rng(0), 7, 3
    shape = (B, T, stack.input_size) if stack.batch_first else (T, B, stack.input_size)
    x = draw.standard_normal(shape)
    h0 = draw.uniform(-1, 1, (stack.num_layers * stack.directions, B, stack.hidden_size))
    args = [torch.from_numpy(array.astype(numpy.float32)) for array in (x, h0)]
    args += [torch.tensor([T, 0, 4], dtype=torch.int32)] if lengths else []
    gru = to_module(replace(stack, warnings=()))
    compare(lambda x, h0, ends=None: gru(x, h0, lengths=ends), model, [args], ["input", "h0", "lengths"][: len(args)])


def compare(module: Callable[..., Any], model: Any, cases: Sequence[Sequence[Any]], inputs: Sequence[str]) -> float:
    """Compare the outputs of a graph in ONNX Runtime with those of a torch module.

    Args:
        module: the original.
        model: the ModelProto.
        cases: arguments of the module, tensors.
        inputs: names of the graph's inputs in their order.

    Returns:
        The largest difference: absolute, and relative to the largest output where that exceeds 1.

    Raises:
        ExportError: a difference above `TOLERANCE` or NaN, another shape, or a graph that can't be run.
    """
    import torch

    runtime = require("onnxruntime", "exchange")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    kept, differences = {one.name for one in session.get_inputs()}, [0.0]
    for args in cases:
        with torch.no_grad():
            expected = torch.utils._pytree.tree_leaves(module(*args))
        try:
            found = session.run(None, {n: a.numpy() for n, a in zip(inputs, args, strict=True) if n in kept})
        except Exception as error:  # the errors of ONNX Runtime have no common base class
            raise ExportError(f"ONNX Runtime can't run the graph: {str(error).splitlines()[0]}") from error
        differences += [_difference(a, b.numpy()) for a, b in zip(found, expected, strict=True)]
    worst = float(numpy.max(differences))
    if not worst <= TOLERANCE:
        raise ExportError(f"ONNX Runtime's outputs differ by {worst:.2g} from the module's; at most {TOLERANCE:g}")
    return worst


def _difference(a: Array, b: Array) -> float:
    if a.shape != b.shape:
        raise ExportError(f"ONNX Runtime gives {list(a.shape)} where the module gives {list(b.shape)}")
    size = max(1.0, float(numpy.abs(b).max(initial=0)))
    return float(numpy.abs(a.astype(numpy.float64) - b).max(initial=0)) / size
