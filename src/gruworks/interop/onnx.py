"""ONNX `GRU` nodes: found in any model, and written, with real nodes, from a layer.

ONNX: gates z, r, h; z keeps; `linear_before_reset=1` is reset "after", 0 (the default) "before"; W [D, 3H, I],
R [D, 3H, H], one B [D, 6H] of both biases; the output is [T, D, B, H]. `clip` and activations other than Sigmoid and
Tanh are refused by name. Whole torch modules go through `gruworks.interop.onnx_export`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from gruworks.errors import WeightsError, require
from gruworks.interop.onnx_graph import Scope, gru_nodes
from gruworks.interop.onnx_write import save_gru, to_tensors
from gruworks.interop.stack import Stack
from gruworks.ops.weights import GRUWeights, Reset

if TYPE_CHECKING:
    from gruworks.nn.gru import GRU

__all__ = ["find", "from_tensors", "load_gru", "read_model", "save_gru", "to_tensors"]

INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h")
Array = Any


def from_tensors(W: Array, R: Array, B: Array | None = None, linear_before_reset: int = 0) -> tuple[GRUWeights, ...]:
    """The weights of each direction, from a node's W [D, 3H, I], R [D, 3H, H] and B [D, 6H] (None: no bias). Exact.

    >>> weights = GRUWeights.random(3, 4, reset="before")
    >>> from_tensors(*to_tensors([weights]))[0].reset
    'before'
    """
    W, R = numpy.asarray(W), numpy.asarray(R)
    if W.ndim != 3 or R.ndim != 3 or R.shape[1] != 3 * R.shape[2] or W.shape[:2] != R.shape[:2]:
        raise WeightsError(f"W must be [D, 3H, I] and R [D, 3H, H], not {list(W.shape)} and {list(R.shape)}")
    D, rows, _ = R.shape
    if B is not None and numpy.shape(B) != (D, 2 * rows):
        raise WeightsError(f"B must be [D, 6H] = [{D}, {2 * rows}] beside this R, not {list(numpy.shape(B))}")
    reset: Reset = "after" if linear_before_reset else "before"
    biases = [(None, None)] * D if B is None else [(b[:rows], b[rows:]) for b in numpy.asarray(B)]
    return tuple(
        GRUWeights.from_layout(W[d], R[d], *biases[d], reset=reset, update="keeps", order="zrn") for d in range(D)
    )


def find(model: Any) -> list[Stack]:
    """Every GRU node of an ONNX model (a path or a ModelProto), in the graph's order and under the nodes' names.

    Weights may be initializers, constants, or computed from such. Subgraphs and local functions are looked into. A
    node's `sequence_lens` and `initial_h` are the caller's to give (`lengths=`, `hx`), but for an initial state that is
    a constant, which the stack keeps.

    Raises:
        WeightsError: a file that is no such file, is cut off or has no GRU; a node with `clip`, other activations, or
            weights that are computed from the graph's inputs: named.
        MissingExtraError: onnx is not installed.
    """
    onnx = require("onnx", "exchange")
    where = "the model"
    if isinstance(model, str | Path):
        where, model = str(model), read_model(model)
    if model.functions:
        model = require("onnx.inliner", "exchange").inline_local_functions(model)
    stacks: list[Stack] = []
    for scope, node in gru_nodes(onnx, model, model.graph, None):
        name = node.name or next(filter(None, node.output), "") or "gru"
        taken = [stack.name for stack in stacks]
        unique = name if name not in taken else f"{name}_{len(stacks)}"
        stacks.append(_stack(scope, node, unique, where))
    if not stacks:
        raise WeightsError(f"{where} has no GRU node; its nodes are: {_kinds(model)}")
    return stacks


def load_gru(model: Any) -> dict[str, GRU]:
    """The GRU nodes of an ONNX model as modules, by name. Arguments and errors as `find`.

    The module's output is torch's, [T, B, D·H], or [B, T, D·H] for a node with `layout=1`; a node that reads from the
    end (`direction="reverse"`) becomes a `gruworks.interop.torch.LoadedGRU`.
    """
    from gruworks.interop.torch import to_module

    return {stack.name: to_module(stack) for stack in find(model)}


def read_model(path: str | Path) -> Any:
    """The ModelProto of a file, with its external data; a WeightsError where it is no whole ONNX file."""
    onnx = require("onnx", "exchange")
    decode_error = require("google.protobuf.message", "exchange").DecodeError
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path} is not a file")
    try:
        model = onnx.load(path)
    except (decode_error, ValueError, OSError, onnx.checker.ValidationError) as error:
        raise WeightsError(f"{path} is no whole ONNX file: {str(error).splitlines()[0]}") from error
    if not model.graph.node:
        raise WeightsError(f"{path} is no whole ONNX file: it has no nodes")
    return model


def _stack(scope: Scope, node: Any, name: str, where: str) -> Stack:
    says = {one.name: scope.onnx.helper.get_attribute_value(one) for one in node.attribute}
    direction = says.get("direction", b"forward").decode().lower()
    _refuse(says, f"GRU node {name!r} of {where}")
    inputs = dict(zip(INPUTS, node.input, strict=False))
    W, R = (_constant(scope, inputs, kind, name, where) for kind in ("W", "R"))
    B = _constant(scope, inputs, "B", name, where) if inputs.get("B") else None
    if inputs.get("sequence_lens") and scope.value(inputs["sequence_lens"]) is not None:
        raise WeightsError(
            f"GRU node {name!r} of {where} has constant sequence_lens: give lengths= in the call instead"
        )
    try:
        weights = from_tensors(W, R, B, says.get("linear_before_reset", 0))
    except WeightsError as error:
        raise WeightsError(f"GRU node {name!r} of {where}: {error}") from error
    said = says.get("hidden_size", weights[0].hidden_size), {"bidirectional": 2}.get(direction, 1)
    if said != (weights[0].hidden_size, len(weights)):
        found = f"weights of {weights[0].hidden_size} in {len(weights)}"
        raise WeightsError(
            f"GRU node {name!r} of {where} says {said[0]} states in {said[1]} directions, and has {found}"
        )
    batch_first = bool(says.get("layout", 0))
    initial = _initial(scope, inputs.get("initial_h", ""), batch_first)
    return Stack(name, (weights,), batch_first, reverse=direction == "reverse", initial=initial).check()


def _constant(scope: Scope, inputs: dict[str, str], kind: str, name: str, where: str) -> Array:
    value = scope.value(inputs.get(kind, ""))
    if value is None:
        raise WeightsError(
            f"GRU node {name!r} of {where}: its {kind} ({inputs.get(kind)!r}) is computed from the graph's inputs; "
            "only constant weights can be loaded"
        )
    return value


def _initial(scope: Scope, name: str, batch_first: bool) -> Array | None:
    value = scope.value(name) if name else None
    if value is None or not value.any():
        return None
    return value.swapaxes(0, 1) if batch_first else value


def _refuse(says: dict[str, Any], who: str) -> None:
    if "clip" in says:
        raise WeightsError(f"{who} has clip={says['clip']:g}, which cuts the gates' inputs: no GRU here does that")
    activations = [one.decode() for one in says.get("activations", [])]
    for given, expected in zip(activations, ("Sigmoid", "Tanh") * 2, strict=False):
        if given.lower() != expected.lower():
            raise WeightsError(f"{who} has activations={activations}; a GRU here has Sigmoid and Tanh")


def _kinds(model: Any) -> str:
    kinds = list(dict.fromkeys(node.op_type for node in model.graph.node))
    return ", ".join(kinds[:8]) + (" ..." if len(kinds) > 8 else "")
