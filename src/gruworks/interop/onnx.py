"""Reading of `GRU` nodes from ONNX models; `onnx_write` writes them.

ONNX has gates z, r, h; z keeps; `linear_before_reset=1` is reset "after", 0 (the default) "before"; W [D, 3H, I],
R [D, 3H, H], B [D, 6H] of both biases; outputs are [T, D, B, H]. Activations as `activations.of_onnx`; nodes
with `clip` or with others raise WeightsError. `gruworks.interop.onnx_export` exports complete torch modules.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from gruworks.errors import GruworksError, WeightsError, require
from gruworks.files import regular_file
from gruworks.interop.activations import Function, converted, of_onnx
from gruworks.interop.onnx_constants import attributes
from gruworks.interop.onnx_graph import Scope, gru_nodes, inlined
from gruworks.interop.onnx_write import save_gru, to_tensors
from gruworks.interop.stack import Stack
from gruworks.ops.weights import GRUWeights, Reset

if TYPE_CHECKING:
    from gruworks.nn.gru import GRU

__all__ = ["find", "from_tensors", "load_gru", "read_model", "save_gru", "to_tensors"]

DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
KINDS = {"hidden_size": 2, "direction": 3, "linear_before_reset": 2, "layout": 2, "clip": 1, "activations": 8,
         "activation_alpha": 6, "activation_beta": 6}  # fmt: skip
INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h")
Array = Any


def from_tensors(W: Array, R: Array, B: Array | None = None, linear_before_reset: int = 0) -> tuple[GRUWeights, ...]:
    """Convert W [D, 3H, I], R [D, 3H, H] and B [D, 6H] (None without bias) of a node to weights, without rounding.

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
    """Find the GRU nodes of an ONNX model, its subgraphs and local functions, in the order of the graph.

    Weights may be initializers, constants, or computed from constants. A constant initial state is kept in the stack;
    other initial states and `sequence_lens` are inputs of the loaded module (`hx`, `lengths`).

    Args:
        model: a path or a ModelProto.

    Raises:
        WeightsError: the file is of another format, incomplete or has no GRU; or a node has `clip`, other activations,
            or weights computed from the graph's inputs.
        MissingExtraError: onnx is not installed.
    """
    where, folder = "the model", None
    if isinstance(model, str | Path):
        where, folder, model = str(model), Path(model).parent, read_model(model)
    try:
        model = inlined(model)
        stacks = _stacks(gru_nodes(model, folder), where)
    except WeightsError as error:
        if where in str(error):
            raise
        raise WeightsError(f"{where}: {error}") from error
    if not stacks:
        raise WeightsError(f"{where} has no GRU node; its nodes are: {_kinds(model)}")
    return stacks


def _stacks(nodes: Iterable[tuple[Scope, Any]], where: str) -> list[Stack]:
    stacks: dict[str, Stack] = {}
    for scope, node in nodes:
        name = node.name or next(filter(None, node.output), "") or "gru"
        unique = name if name not in stacks else f"{name}_{len(stacks)}"
        stacks[unique] = _stack(scope, node, unique, f"GRU node {name!r} of {where}")
    return list(stacks.values())


def load_gru(model: Any) -> dict[str, GRU]:
    """Load the GRU nodes of an ONNX model as modules, by name. Arguments and errors as `find`.

    Outputs are [T, B, D·H], or [B, T, D·H] for nodes with `layout=1`. A node with `direction="reverse"` becomes a
    `gruworks.interop.torch.LoadedGRU`.
    """
    to_module = require("gruworks.interop.torch", "torch").to_module

    return {stack.name: to_module(stack) for stack in find(model)}


def read_model(path: str | Path) -> Any:
    """Read the ModelProto of a file, without its external data.

    Raises:
        WeightsError: the file is not a complete ONNX file.
    """
    path = regular_file(path, WeightsError)
    onnx = require("onnx", "exchange")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # DecodeError of protobuf, and errors of onnx
        raise WeightsError(f"{path} is not a complete ONNX file: {str(error).split(chr(10))[0]}") from error
    if not model.graph.node:
        raise WeightsError(f"{path} is not a complete ONNX file: it has no nodes")
    return model


def _stack(scope: Scope, node: Any, name: str, who: str) -> Stack:
    attrs = _attributes(node, who)
    inputs = dict(zip(INPUTS, node.input, strict=False))
    try:
        W, R, B = (_constant(scope, inputs, kind) for kind in ("W", "R", "B"))
        weights = from_tensors(W, R, B, attrs["linear_before_reset"])
        functions = _functions(attrs)
        weights = tuple(converted(one, *pair) for one, pair in zip(weights, functions, strict=False))
        _compare(weights, attrs)
        initial, warnings = _initial(scope, inputs.get("initial_h", ""), bool(attrs["layout"]))
        warnings += _lengths(scope, inputs.get("sequence_lens", ""))
        backwards = attrs["direction"] == "reverse"
        return Stack(name, (weights,), bool(attrs["layout"]), backwards, False, "concat", initial, warnings).check()
    except GruworksError as error:
        raise WeightsError(f"{who}: {error}") from error


def _attributes(node: Any, who: str) -> dict[str, Any]:
    """The attributes of a GRU node with ONNX' defaults; WeightsError for unsupported ones."""
    attrs = {"hidden_size": None, "direction": b"forward", "linear_before_reset": 0, "layout": 0, **attributes(node)}
    types = {one.name: one.type for one in node.attribute}
    for attribute, kind in KINDS.items():
        if types.get(attribute, kind) != kind:
            raise WeightsError(f"{who} has {attribute} of type {types[attribute]}; ONNX has type {kind} there")
    if "clip" in attrs:
        raise WeightsError(f"{who} has clip={attrs['clip']:g}, which clips the gate inputs: this is not supported")
    attrs["direction"] = attrs["direction"].decode(errors="backslashreplace").lower()
    if (
        attrs["direction"] not in DIRECTIONS
        or attrs["linear_before_reset"] not in (0, 1)
        or attrs["layout"] not in (0, 1)
    ):
        shown = {one: attrs[one] for one in ("direction", "linear_before_reset", "layout")}
        raise WeightsError(f"{who} has {shown}; expected one of {', '.join(DIRECTIONS)}, and 0 or 1")
    return attrs


def _functions(attrs: dict[str, Any]) -> list[tuple[Function, Function]]:
    """Activations of gates and candidate by direction."""
    D = DIRECTIONS[attrs["direction"]]
    names = [one.decode(errors="backslashreplace") for one in attrs.get("activations", [])] or ["Sigmoid", "Tanh"] * D
    try:
        found = of_onnx(names, attrs.get("activation_alpha", []), attrs.get("activation_beta", []))
        if len(found) != 2 * D or len(set(zip(found[::2], found[1::2], strict=True))) > 1:
            raise WeightsError("expected one of the gates and one of the candidate, the same in each direction")
    except WeightsError as error:
        raise WeightsError(f"it has activations={names}: {error}") from error
    return list(zip(found[::2], found[1::2], strict=True))


def _compare(weights: tuple[GRUWeights, ...], attrs: dict[str, Any]) -> None:
    H, D = weights[0].hidden_size, len(weights)
    states, directions = attrs["hidden_size"] or H, DIRECTIONS[attrs["direction"]]
    if (states, directions) != (H, D):
        raise WeightsError(f"expected hidden size {states} and {directions} directions, got weights of {H} and {D}")


def _constant(scope: Scope, inputs: dict[str, str], kind: str) -> Array | None:
    name = inputs.get(kind, "")
    if kind == "B" and not name:
        return None
    value = scope.value(name)
    if value is None:
        raise WeightsError(f"its {kind} ({name!r}) is computed from the graph's inputs; expected a constant")
    scope.budget.take(value.nbytes)  # several nodes may share it
    return value


def _initial(scope: Scope, name: str, batch_first: bool) -> tuple[Array | None, tuple[str, ...]]:
    """The initial state if it is constant, and a warning if the graph computes it."""
    if not name or scope.source(name) != "other":
        return None, ()
    value = scope.value(name)
    if value is None:
        return None, (f"its initial state ({name!r}) is computed in the graph: pass it as hx; the default is zero",)
    return (value.swapaxes(0, 1) if batch_first and value.ndim > 1 else value), ()


def _lengths(scope: Scope, name: str) -> tuple[str, ...]:
    if not name or scope.source(name) == "input":
        return ()
    if scope.value(name) is not None:
        raise WeightsError("it has constant sequence_lens: give lengths= in the call instead")
    return (f"its sequence_lens ({name!r}) are computed in the graph: pass them as lengths=, else rows are not padded",)


def _kinds(model: Any) -> str:
    kinds = list(dict.fromkeys(node.op_type for node in model.graph.node))
    return ", ".join(kinds[:8]) + (" ..." if len(kinds) > 8 else "")
