"""Recurrence of one layer and direction in the native kernel, on NumPy arrays in float32 or float64.

Same mathematics as `equations`, its reference in the tests. Operands and their shapes: `operands`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from gruworks.errors import DtypeError, ShapeError
from gruworks.ops.backend import native
from gruworks.ops.operands import Form, Memory, Operands, check_shapes, check_together
from gruworks.ops.weights import GRUWeights, as_array

__all__ = ["Kept", "aligned", "backward", "forward", "forward_kept", "new_layer", "new_state", "padded", "saved_width"]

Array = NDArray[Any]
MEMORY = Memory(lambda a: int(a.ctypes.data), lambda a: [stride // a.itemsize for stride in a.strides])


class Kept(NamedTuple):
    """Saved values of a forward pass. The backward overwrites `saved`, so that it can be used once."""

    operands: Operands
    form: Form
    threads: int
    layer: Any
    output: Array
    saved: Array
    states: Array | None


def forward(
    weights: GRUWeights, *, reverse: bool = False, threads: int = 0, **arrays: Array | None
) -> tuple[Array, Array]:
    """States of a whole sequence by the native kernel.

    >>> weights = GRUWeights.random(3, 4).astype(numpy.float32)
    >>> output, final = forward(weights, x=numpy.ones((5, 2, 3), numpy.float32))
    >>> output.shape, final.shape
    ((5, 2, 4), (2, 4))

    Args:
        weights: of one layer and direction.
        reverse: process each row from its own end to its start.
        threads: upper limit; 0 is OpenMP's.
        arrays: x [T, B, I] or gi [T, B, 3H], h0 [B, H], lengths [B] and further operands of `ops.operands.Operands`.

    Returns:
        The states [T, B, H], zeros beyond a row's length, and the state at each row's own end [B, H].

    Raises:
        ShapeError, DtypeError, OptionError: operands that do not fit together.
    """
    output, final, _ = _run(weights, arrays, reverse, threads, keep=False)
    return output, final


def forward_kept(
    weights: GRUWeights, *, reverse: bool = False, threads: int = 0, **arrays: Array | None
) -> tuple[Array, Array, Kept]:
    """`forward`, with the saved values for `backward` as third result."""
    output, final, kept = _run(weights, arrays, reverse, threads, keep=True)
    assert kept is not None
    return output, final, kept


def _run(
    weights: GRUWeights, arrays: dict[str, Array | None], reverse: bool, threads: int, keep: bool
) -> tuple[Array, Array, Kept | None]:
    o, form = _readable(weights, arrays), (weights.unit, reverse)
    T, B, _ = o.given.shape
    dtype, H = o.w_hh.dtype, weights.hidden_size
    layer = new_layer(dtype.itemsize)
    output, final = aligned((T, B, H), dtype), numpy.empty((B, H), dtype)
    saved = aligned((T * B, saved_width(H, o.gain is not None)), dtype) if keep else None
    states = aligned((T * B, H), dtype) if keep and o.reads_another_state else None
    MEMORY.forward(layer, o, form, (output, final), (saved, states), threads)
    return output, final, None if saved is None else Kept(o, form, threads, layer, output, saved, states)


def backward(kept: Kept, grad_output: Array | None = None, grad_final: Array | None = None) -> Operands:
    """Gradients of Σ grad_output·output + Σ grad_final·final, under the operands' names.

    >>> weights = GRUWeights.random(3, 4)
    >>> output, _, kept = forward_kept(weights, x=numpy.ones((5, 2, 3)))
    >>> backward(kept, numpy.ones_like(output)).w_hh.shape
    (12, 4)

    Args:
        kept: of `forward_kept`; used up by the call.
        grad_output: [T, B, H], None for zeros.
        grad_final: [B, H], None for zeros.

    Raises:
        ShapeError, DtypeError: gradients that do not match the output.
    """
    o, (T, B, H) = kept.operands, kept.output.shape
    dtype = o.w_hh.dtype
    grads = _checked("grad_output", grad_output, (T, B, H), dtype), _checked("grad_final", grad_final, (B, H), dtype)
    h0 = numpy.empty((B, H), dtype)
    given = o._replace(lengths=None, mask=None, zoneout=None, resets=None)  # these have no gradients
    if o.x is None:
        given = given._replace(w_ih=None, b_ih=None)
    found = Operands(*(None if a is None else numpy.empty(a.shape, dtype) for a in given))._replace(h0=h0)
    MEMORY.backward(kept.layer, o, kept.form, (kept.output, kept.saved, kept.states), grads, found, kept.threads)
    return found


def new_state(gi: Array, gh: Array, h: Array) -> Array:
    """New state [..., H] from the projections gi of the input and gh of the state, [..., 3H] with biases, and h.

    The "after" form: r = σ(gi_r + gh_r), z = σ(gi_z + gh_z), candidate tanh(gi_n + r * gh_n).

    >>> new_state(numpy.zeros((1, 6)), numpy.zeros((1, 6)), numpy.ones((1, 2))).tolist()
    [[0.5, 0.5]]

    Raises:
        ShapeError, DtypeError: arrays that do not match.
    """
    gi, gh, h = as_array(gi, "gi"), as_array(gh, "gh"), as_array(h, "h")
    dtype, shape = h.dtype, h.shape
    if dtype not in (numpy.float32, numpy.float64):
        raise DtypeError(f"the kernel computes in float32 or float64, not {dtype}")
    if not shape:
        raise ShapeError("h must be [..., H], not a number")
    wide = (*shape[:-1], 3 * shape[-1])
    parts = [numpy.ascontiguousarray(_checked(name, a, wide, dtype)) for name, a in (("gi", gi), ("gh", gh))]
    state, out = numpy.ascontiguousarray(h), numpy.empty(shape, dtype)
    rows = out.size // shape[-1] if shape[-1] else 0
    run = native.gates32 if dtype.itemsize == 4 else native.gates64
    a, b, c, d = map(MEMORY.address, (*parts, state, out))
    run(rows, shape[-1], a, b, c, d, 0)
    return out


def padded(H: int) -> int:
    """H rounded up to a multiple of 16, as in native/core/layout.h."""
    return (H + 15) // 16 * 16


def saved_width(H: int, normalized: bool) -> int:
    """Elements that a forward saves for each step and row: 4 padded H; with layer norm 12 padded H and 8 scales."""
    return 12 * padded(H) + 8 if normalized else 4 * padded(H)


def new_layer(itemsize: int) -> Any:
    """A native layer, which caches the packed weights of its last call."""
    return native.Layer32() if itemsize == 4 else native.Layer64()


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """An empty array aligned to a cache line (64 bytes), which NumPy does not guarantee."""
    dtype = numpy.dtype(dtype)
    size = int(numpy.prod(shape)) * dtype.itemsize
    memory = numpy.empty(size + 64, numpy.uint8)
    start = -memory.ctypes.data % 64
    array: Array = memory[start : start + size].view(dtype).reshape(shape)
    return array


def _readable(weights: GRUWeights, arrays: dict[str, Array | None]) -> Operands:
    """The operands, checked, with strides and alignment that the kernel supports."""
    weights = weights.map(as_array).map(numpy.ascontiguousarray).check()
    if weights.w_hh.dtype not in (numpy.float32, numpy.float64):
        raise DtypeError(
            f"the kernel computes in float32 or float64, not {weights.w_hh.dtype}; convert with weights.astype"
        )
    given = {name: None if a is None else as_array(a, name) for name, a in arrays.items()}
    o = Operands(given.pop("x", None), given.pop("gi", None), given.pop("h0", None), *weights.arrays(), **given)
    check_together(o)
    check_shapes(o)
    if o.lengths is not None:
        o = o._replace(lengths=_row_lengths(o.lengths, len(o.given)))
    if o.resets is not None:
        o = o._replace(resets=o.resets != 0)
    return Operands(*(None if a is None else _aligned_rows(a) for a in o))


def _row_lengths(lengths: Array, T: int) -> Array:
    if lengths.dtype.kind not in "iu":
        raise DtypeError(f"lengths must be integers, not {lengths.dtype}")
    outside = numpy.flatnonzero((lengths < 0) | (lengths > T))
    if len(outside):
        raise ShapeError(f"lengths must lie between 0 and T = {T}; row {outside[0]} has {lengths[outside[0]]}")
    return numpy.ascontiguousarray(lengths, numpy.int64)


def _aligned_rows(array: Array) -> Array:
    """The array with a contiguous last axis, aligned elements and strides in whole elements."""
    inner = array.strides[-1] == array.itemsize or array.shape[-1] <= 1
    whole = all(stride % array.itemsize == 0 for stride in array.strides)
    return array if inner and whole and array.flags.aligned else numpy.ascontiguousarray(array)


def _checked(name: str, array: Array | None, shape: tuple[int, ...], dtype: Any) -> Any:
    if array is None:
        return None
    array = as_array(array, name)
    if array.shape != shape:
        raise ShapeError(f"{name} must be {list(shape)} beside the other operands, not {list(array.shape)}")
    if array.dtype != dtype:
        raise DtypeError(f"{name} must have the weights' element type {dtype}, not {array.dtype}")
    return _aligned_rows(array)
