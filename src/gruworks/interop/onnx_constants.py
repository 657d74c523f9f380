"""Evaluation of constant ONNX nodes in NumPy: the operators that exporters apply to weights, within a memory budget."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from gruworks.errors import GruworksError, WeightsError
from gruworks.interop.onnx_tensor import TYPES, array_of

__all__ = ["Budget", "attributes", "computed", "known"]

Array = Any
Attributes = dict[str, Any]
FIELDS = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}  # type of an attribute → its field


class Budget:
    """Limit of the memory allocated for the constants of a model, in bytes."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise WeightsError("its constants are much larger than the file: fold them and save the model again")


def attributes(node: Any) -> Attributes:
    """The attributes of a node by name, without graphs and sparse tensors."""
    return {one.name: getattr(one, FIELDS[one.type]) for one in node.attribute if one.type in FIELDS}


def known(node: Any) -> bool:
    """True for the operators that `computed` supports."""
    return node.domain in ("", "ai.onnx") and node.op_type in OPERATORS


def computed(node: Any, inputs: list[Array | None], output: int, folder: Path | None, budget: Budget) -> Array:
    """Compute an output of a node with constant inputs.

    Args:
        node: the node.
        inputs: its inputs; None for an omitted one.
        output: index of the output.
        folder: folder of external data.
        budget: memory limit of the model.

    Raises:
        WeightsError: inputs that don't fit the operator, or the memory limit is exceeded.
    """
    attrs = {"num_outputs": len(node.output), **attributes(node)}
    try:
        with numpy.errstate(all="ignore"):
            if "value" in attrs:
                attrs["value"] = array_of(attrs["value"], folder)
            made = OPERATORS[node.op_type](attrs, budget, *inputs)
            return made[output] if isinstance(made, list) else made
    except GruworksError:
        raise
    except Exception as error:  # NumPy's errors on shapes, axes and types
        raise WeightsError(f"the {node.op_type} node of {list(node.output)} can't be computed: {error}") from error


def _constant(attrs: Attributes, budget: Budget) -> Array:
    if "value" in attrs:
        return attrs["value"]
    kinds = {"value_float": "f4", "value_floats": "f4", "value_int": "i8", "value_ints": "i8"}
    name = next(iter(kinds.keys() & attrs.keys()))
    return numpy.array(attrs[name], kinds[name])


def _filled(attrs: Attributes, budget: Budget, shape: Array) -> Array:
    return _expanded(attrs.get("value", numpy.zeros(1, numpy.float32)).reshape(()), _ints(shape), budget)


def _expand(attrs: Attributes, budget: Budget, x: Array, shape: Array) -> Array:
    return _expanded(x, list(numpy.broadcast_shapes(x.shape, tuple(_ints(shape)))), budget)


def _expanded(x: Array, shape: list[int], budget: Budget) -> Array:
    budget.take(math.prod(shape) * x.itemsize)
    return numpy.broadcast_to(x, shape).copy()


def _reshape(attrs: Attributes, budget: Budget, x: Array, shape: Array | None = None) -> Array:
    sizes = _ints(attrs["shape"] if shape is None else shape)
    if not attrs.get("allowzero"):
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    budget.take(0 if x.flags.c_contiguous else x.nbytes)
    return x.reshape(sizes)


def _concat(attrs: Attributes, budget: Budget, *parts: Array) -> Array:
    budget.take(sum(part.nbytes for part in parts))
    return numpy.concatenate(parts, attrs.get("axis", 1))


def _slice(attrs: Attributes, budget: Budget, x: Array, *given: Array) -> Array:
    starts, ends, axes, steps = (*given, None, None, None, None)[:4]
    starts, ends = (attrs[name] if value is None else value for name, value in (("starts", starts), ("ends", ends)))
    axes = attrs.get("axes", range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    cut = [slice(None)] * x.ndim
    for axis, start, end, step in zip(_ints(axes), _ints(starts), _ints(ends), _ints(steps), strict=True):
        cut[axis] = slice(start, None if step < 0 and end < -x.shape[axis] else end, step)
    return x[tuple(cut)]


def _squeeze(attrs: Attributes, budget: Budget, x: Array, axes: Array | None = None) -> Array:
    axes = attrs.get("axes") if axes is None else axes
    return x.squeeze(None if axes is None else tuple(_ints(axes)))


def _unsqueeze(attrs: Attributes, budget: Budget, x: Array, axes: Array | None = None) -> Array:
    return numpy.expand_dims(x, tuple(_ints(attrs["axes"] if axes is None else axes)))


def _split(attrs: Attributes, budget: Budget, x: Array, sizes: Array | None = None) -> list[Array]:
    axis, sizes = attrs.get("axis", 0), attrs.get("split") if sizes is None else sizes
    if sizes is None:
        sizes = [-(-x.shape[axis] // attrs["num_outputs"])] * attrs["num_outputs"]
    return list(numpy.split(x, numpy.cumsum(_ints(sizes))[:-1], axis))


def _cast(attrs: Attributes, budget: Budget, x: Array) -> Array:
    dtype = numpy.dtype(TYPES[attrs["to"]])
    budget.take(x.size * dtype.itemsize)
    return x.astype(dtype)


def _gather(attrs: Attributes, budget: Budget, x: Array, indices: Array) -> Array:
    axis = attrs.get("axis", 0)
    budget.take(x.nbytes // max(1, x.shape[axis]) * indices.size)
    return numpy.take(x, indices, axis)


def _elementwise(function: Callable[..., Array]) -> Callable[..., Array]:
    def apply(attrs: Attributes, budget: Budget, *operands: Array) -> Array:
        shape = numpy.broadcast_shapes(*(one.shape for one in operands))
        budget.take(math.prod(shape) * max(one.itemsize for one in operands))
        return function(*operands)

    return apply


def _ints(values: Any) -> list[int]:
    return [int(value) for value in (values.ravel().tolist() if isinstance(values, numpy.ndarray) else values)]


OPERATORS: dict[str, Callable[..., Any]] = {
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Identity": lambda attrs, budget, x: x,
    "Shape": lambda attrs, budget, x: numpy.array(x.shape[attrs.get("start", 0) : attrs.get("end")], numpy.int64),
    "Reshape": _reshape,
    "Transpose": lambda attrs, budget, x: x.transpose(attrs.get("perm")),
    "Concat": _concat,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Split": _split,
    "Cast": _cast,
    "Gather": _gather,
    "Expand": _expand,
    "Neg": _elementwise(numpy.negative),
    "Add": _elementwise(numpy.add),
    "Sub": _elementwise(numpy.subtract),
    "Mul": _elementwise(numpy.multiply),
    "Div": _elementwise(lambda x, y: x // y if x.dtype.kind == "i" else x / y),
}
