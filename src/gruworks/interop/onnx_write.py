"""A GRU as an ONNX model: one real GRU node a layer, the state as input and output, batch and time free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy

from gruworks.errors import ExportError, WeightsError, require
from gruworks.interop.stack import Stack
from gruworks.ops.weights import GRUWeights

__all__ = ["OPSET", "TOLERANCE", "save_gru", "to_tensors"]

OPSET, IR_VERSION = 18, 8  # what runtimes of 2023 already read
TOLERANCE = 1e-5  # a written graph may differ by so much from the original, float32 in ONNX Runtime
Array = Any


def to_tensors(directions: Sequence[GRUWeights]) -> tuple[Array, Array, Array | None]:
    """W, R and B of a node with one or two directions. Exact: `from_tensors` gives the same bits."""
    laid = [one.to_layout(update="keeps", order="zrn") for one in directions]
    W, R = numpy.stack([one[0] for one in laid]), numpy.stack([one[1] for one in laid])
    if all(one[2] is None and one[3] is None for one in laid):
        return W, R, None
    zeros = numpy.zeros(R.shape[1], R.dtype)
    return W, R, numpy.stack([numpy.concatenate([zeros if b is None else b for b in one[2:]]) for one in laid])


def save_gru(gru: Any, path: str | Path, lengths: bool = False) -> None:
    """Write a GRU (ours, torch's, or a Stack) as an ONNX model of one GRU node a layer; batch and time are dynamic.

    Inputs: `input` [T, B, I] ([B, T, I] if batch_first), `h0` [L·D, B, H], and with `lengths` also `lengths` [B]
    (int32); outputs: `output` [T, B, D·H] and `h_n` [L·D, B, H]. Fed back as h0, h_n carries a stream on.

    The graph is checked by onnx.checker, and in float32 compared with the original in ONNX Runtime, which has no GRU
    for float64.

    Raises:
        ExportError: ONNX Runtime's numbers differ by more than 1e-5.
        WeightsError: a GRU that says what a node can't (a merge other than concat, a stored initial state).
    """
    onnx = require("onnx", "exchange")
    stack = _as_stack(gru)
    if stack.initial is not None or stack.merge != "concat" or stack.reading_order:
        raise WeightsError(f"{stack.name!r} merges, reverses its outputs or starts from a stored state: no node does")
    model = _model(onnx.helper, onnx.numpy_helper, stack, lengths)
    onnx.checker.check_model(model, full_check=True)
    if stack.dtype == numpy.float32:
        _compare(model, stack, lengths)
    Path(path).write_bytes(model.SerializeToString())


def _model(helper: Any, numpy_helper: Any, stack: Stack, lengths: bool) -> Any:
    L, D, H = stack.num_layers, stack.directions, stack.hidden_size
    real = helper.np_dtype_to_tensor_dtype(stack.dtype)
    shape = ["B", "T", stack.input_size] if stack.batch_first else ["T", "B", stack.input_size]
    inputs = [
        helper.make_tensor_value_info("input", real, shape),
        helper.make_tensor_value_info("h0", real, [L * D, "B", H]),
    ]
    if lengths:
        inputs.append(
            helper.make_tensor_value_info("lengths", helper.np_dtype_to_tensor_dtype(numpy.dtype("int32")), ["B"])
        )
    outputs = [
        helper.make_tensor_value_info("output", real, [*shape[:2], D * H]),
        helper.make_tensor_value_info("h_n", real, [L * D, "B", H]),
    ]
    nodes, values = _layers(helper, stack, lengths)
    tensors = [numpy_helper.from_array(numpy.ascontiguousarray(array), name) for name, array in values.items()]
    graph = helper.make_graph(nodes, "gru", inputs, outputs, tensors)
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="gruworks")


def _layers(helper: Any, stack: Stack, lengths: bool) -> tuple[list[Any], dict[str, Array]]:
    """One GRU node a layer, and around it what brings torch's shapes into ONNX's and back."""
    L, D, make = stack.num_layers, stack.directions, helper.make_node
    direction = "bidirectional" if D == 2 else "reverse" if stack.reverse else "forward"
    says = {
        "hidden_size": stack.hidden_size,
        "direction": direction,
        "linear_before_reset": int(stack.reset == "after"),
    }
    values: dict[str, Array] = {"side_by_side": numpy.array([0, 0, -1])}
    nodes, x, finals = [], "input", []
    if stack.batch_first:
        nodes.append(make("Transpose", ["input"], ["steps"], perm=[1, 0, 2]))
        x = "steps"
    starts = [f"h0_{layer}" for layer in range(L)]
    nodes.append(make("Split", ["h0"], starts, axis=0, num_outputs=L) if L > 1 else make("Identity", ["h0"], starts))
    for layer, directions in enumerate(stack.weights):
        W, R, B = to_tensors(directions)
        given = {f"W_{layer}": W, f"R_{layer}": R} | ({} if B is None else {f"B_{layer}": B})
        values |= given
        bias = [f"B_{layer}"] if B is not None else [""]
        ins = [x, f"W_{layer}", f"R_{layer}", *bias, "lengths" if lengths else "", starts[layer]]
        nodes.append(make("GRU", ins, [f"Y_{layer}", f"h_n_{layer}"], name=f"{stack.name or 'gru'}_{layer}", **says))
        nodes.append(make("Transpose", [f"Y_{layer}"], [f"beside_{layer}"], perm=[0, 2, 1, 3]))
        x = f"x_{layer + 1}"
        nodes.append(make("Reshape", [f"beside_{layer}", "side_by_side"], [x]))
        finals.append(f"h_n_{layer}")
    nodes.append(
        make(
            "Transpose" if stack.batch_first else "Identity",
            [x],
            ["output"],
            **({"perm": [1, 0, 2]} if stack.batch_first else {}),
        )
    )
    nodes.append(make("Concat", finals, ["finals" if lengths else "h_n"], axis=0))
    if lengths:  # ONNX Runtime's final state of an empty row is 0; ours is h0
        values |= {"zero": numpy.zeros(1, numpy.int32), "around": numpy.array([0, 2])}
        nodes.append(make("Equal", ["lengths", "zero"], ["empty"]))
        nodes.append(make("Unsqueeze", ["empty", "around"], ["empty_rows"]))
        nodes.append(make("Where", ["empty_rows", "h0", "finals"], ["h_n"]))
    return nodes, values


def _compare(model: Any, stack: Stack, lengths: bool) -> None:
    """The graph in ONNX Runtime against the module, at another batch and length than any that it was made with."""
    import torch

    from gruworks.interop.torch import to_module

    draw, T, B = numpy.random.default_rng(0), 7, 3
    shape = (B, T, stack.input_size) if stack.batch_first else (T, B, stack.input_size)
    feed = {
        "input": draw.standard_normal(shape).astype(numpy.float32),
        "h0": draw.uniform(-1, 1, (stack.num_layers * stack.directions, B, stack.hidden_size)).astype(numpy.float32),
    }
    x, h0 = (torch.from_numpy(array) for array in feed.values())
    ends = torch.tensor([T, 0, 4]) if lengths else None
    with torch.no_grad():
        expected = to_module(replace(stack, warnings=()))(x, h0, lengths=ends)
    if ends is not None:
        feed["lengths"] = ends.numpy().astype(numpy.int32)
    runtime = require("onnxruntime", "exchange")
    found = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feed)
    worst = max(float(numpy.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True))
    if not worst <= TOLERANCE:
        raise ExportError(f"ONNX Runtime's outputs differ by {worst:.2g} from the original's; at most {TOLERANCE:g}")


def _as_stack(gru: Any) -> Stack:
    if isinstance(gru, Stack):
        return gru.check()
    from gruworks.interop.torch import from_module

    return from_module(gru)
