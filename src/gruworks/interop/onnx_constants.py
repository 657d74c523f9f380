"""Evaluation of ONNX constants: the operators that exporters put around weights, in NumPy, within a budget."""

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
Says = dict[str, Any]
FIELDS = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints", 8: "strings"}  # of an attribute, by its type


class Budget:
    """The bytes that may still be allocated for one model."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise WeightsError("its constants are much larger than the file; fold and save the model again")


def attributes(node: Any) -> Says:
    """A node's attributes by name; those that hold graphs or sparse tensors are left out."""
    return {one.name: getattr(one, FIELDS[one.type]) for one in node.attribute if one.type in FIELDS}


def known(node: Any) -> bool:
    """True where `computed` has the operator."""
    return node.domain in ("", "ai.onnx") and node.op_type in OPERATORS


def computed(node: Any, inputs: list[Array | None], output: int, folder: Path | None, budget: Budget) -> Array:
    """One output of a node whose inputs are these constants.

    Raises:
        WeightsError: inputs that don't fit the operator, and more bytes than the budget has.
    """
    says = {"num_outputs": len(node.output), **attributes(node)}
    try:
        with numpy.errstate(all="ignore"):
            if node.op_type == "Constant":
                return _constant(says, folder)
            if node.op_type == "ConstantOfShape":
                return _filled(says, inputs[0], folder, budget)
            made = OPERATORS[node.op_type](says, budget, *inputs)
            return made[output] if isinstance(made, list) else made
    except GruworksError:
        raise
    except Exception as error:  # whatever NumPy says of shapes, axes and types that don't fit
        raise WeightsError(f"the {node.op_type} node of {list(node.output)} can't be computed: {error}") from error


def _constant(says: Says, folder: Path | None) -> Array:
    if "value" in says:
        return array_of(says["value"], folder)
    kinds = {"value_float": "f4", "value_floats": "f4", "value_int": "i8", "value_ints": "i8"}
    name = next(iter(kinds.keys() & says.keys()))
    return numpy.array(says[name], kinds[name])


def _filled(says: Says, shape: Array, folder: Path | None, budget: Budget) -> Array:
    value = array_of(says["value"], folder).reshape(()) if "value" in says else numpy.zeros((), numpy.float32)
    return _expanded(value, _ints(shape), budget)


def _expand(says: Says, budget: Budget, x: Array, shape: Array) -> Array:
    return _expanded(x, list(numpy.broadcast_shapes(x.shape, tuple(_ints(shape)))), budget)


def _expanded(x: Array, shape: list[int], budget: Budget) -> Array:
    budget.take(math.prod(shape) * x.itemsize)
    return numpy.broadcast_to(x, shape).copy()


def _reshape(says: Says, budget: Budget, x: Array, shape: Array | None = None) -> Array:
    sizes = _ints(says["shape"] if shape is None else shape)
    if not says.get("allowzero"):
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    budget.take(0 if x.flags.c_contiguous else x.nbytes)
    return x.reshape(sizes)


def _transpose(says: Says, budget: Budget, x: Array) -> Array:
    return x.transpose(says.get("perm"))


def _concat(says: Says, budget: Budget, *parts: Array) -> Array:
    budget.take(sum(part.nbytes for part in parts))
    return numpy.concatenate(parts, says.get("axis", 1))


def _slice(says: Says, budget: Budget, x: Array, *given: Array) -> Array:
    starts, ends, axes, steps = (*given, None, None, None, None)[:4]
    starts, ends = (says[name] if value is None else value for name, value in (("starts", starts), ("ends", ends)))
    axes = says.get("axes", range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    cut = [slice(None)] * x.ndim
    for axis, start, end, step in zip(_ints(axes), _ints(starts), _ints(ends), _ints(steps), strict=True):
        cut[axis] = slice(start, None if step < 0 and end < -x.shape[axis] else end, step)
    return x[tuple(cut)]


def _squeeze(says: Says, budget: Budget, x: Array, axes: Array | None = None) -> Array:
    axes = says.get("axes") if axes is None else axes
    return x.squeeze(None if axes is None else tuple(_ints(axes)))


def _unsqueeze(says: Says, budget: Budget, x: Array, axes: Array | None = None) -> Array:
    return numpy.expand_dims(x, tuple(_ints(says["axes"] if axes is None else axes)))


def _split(says: Says, budget: Budget, x: Array, sizes: Array | None = None) -> list[Array]:
    axis, sizes = says.get("axis", 0), says.get("split") if sizes is None else sizes
    if sizes is None:
        sizes = [-(-x.shape[axis] // says["num_outputs"])] * says["num_outputs"]
    return list(numpy.split(x, numpy.cumsum(_ints(sizes))[:-1], axis))


def _cast(says: Says, budget: Budget, x: Array) -> Array:
    name = TYPES[says["to"]][0]
    dtype = numpy.dtype("<f4" if name == "bfloat16" else name)
    budget.take(x.size * dtype.itemsize)
    return x.astype(dtype)


def _gather(says: Says, budget: Budget, x: Array, indices: Array) -> Array:
    axis = says.get("axis", 0)
    budget.take(x.nbytes // max(1, x.shape[axis]) * indices.size)
    return numpy.take(x, indices, axis)


def _elementwise(function: Callable[..., Array]) -> Callable[..., Array]:
    def apply(says: Says, budget: Budget, *operands: Array) -> Array:
        shape = numpy.broadcast_shapes(*(one.shape for one in operands))
        budget.take(math.prod(shape) * max(one.itemsize for one in operands))
        return function(*operands)

    return apply


def _ints(values: Any) -> list[int]:
    return [int(value) for value in (values.ravel().tolist() if isinstance(values, numpy.ndarray) else values)]


OPERATORS: dict[str, Callable[..., Any]] = {
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Identity": lambda says, budget, x: x,
    "Shape": lambda says, budget, x: numpy.array(x.shape[says.get("start", 0) : says.get("end")], numpy.int64),
    "Reshape": _reshape,
    "Transpose": _transpose,
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
