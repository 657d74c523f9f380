"""The recurrence by the native kernel: NumPy arrays in, NumPy arrays out; float32 or float64, both reset forms.

Same mathematics as `equations`, which is the truth that it is tested against. Every operand of DESIGN's operator:
x or ready input terms `gi`, initial state, lengths, direction, decay with a replacement state, and all gradients; and
what training adds (`equations`): recurrent dropout's mask, zoneout's shares, layer norm's gain.

Shapes: T time, B batch, I input, H hidden. x [T, B, I], gi [T, B, 3H], h0 [B, H], lengths [B], decay [T, B, H],
replacement [B, H], mask [B, H], zoneout [T, B, H], gain and input_gain
[3H].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from gruworks.errors import DtypeError, OptionError, ShapeError
from gruworks.ops.backend import native
from gruworks.ops.weights import GRUWeights, as_array

__all__ = ["Gradients", "Kept", "Operands", "backward", "forward", "forward_kept", "gates"]

Array = NDArray[Any]
NONE3 = (0, 0, 0)
NONE2 = (0, 0)


class Gradients(NamedTuple):
    """Gradients of a loss, under the names of what they belong to; None where there is no such operand."""

    x: Array | None
    gi: Array | None
    h0: Array
    w_ih: Array | None
    w_hh: Array
    b_ih: Array | None
    b_hh: Array | None
    decay: Array | None
    replacement: Array | None
    gain: Array | None
    input_gain: Array | None


@dataclass(frozen=True)
class Operands:
    """What one call of the recurrence reads. One of x and gi is given; h0 None is zeros."""

    weights: GRUWeights
    x: Array | None = None
    gi: Array | None = None
    h0: Array | None = None
    lengths: Array | None = None
    reverse: bool = False
    decay: Array | None = None
    replacement: Array | None = None
    mask: Array | None = None
    zoneout: Array | None = None
    gain: Array | None = None
    input_gain: Array | None = None
    threads: int = 0

    @property
    def sizes(self) -> tuple[int, int, int, int, bool, bool]:
        """T, B, I, H, whether the form is "before", whether rows run from their end."""
        steps = self.x if self.x is not None else self.gi
        assert steps is not None
        T, B = steps.shape[:2]
        I = self.weights.input_size if self.x is not None else 0  # noqa: E741 (the field's letter)
        return T, B, I, self.weights.hidden_size, self.weights.reset == "before", self.reverse

    def check(self) -> Operands:
        """Itself with every array as the kernel reads it; a ShapeError, DtypeError or OptionError if not."""
        check_together(self)
        weights = self.weights.map(as_array).map(numpy.ascontiguousarray).check()
        dtype = weights.w_hh.dtype
        if dtype not in (numpy.float32, numpy.float64):
            raise DtypeError(f"the kernel computes in float32 or float64, not {dtype}; convert with weights.astype")
        given: Any = as_array(self.x if self.x is not None else self.gi)
        if numpy.ndim(given) != 3:
            raise ShapeError(f"the input must be [T, B, I] (or gi [T, B, 3H]), not {list(numpy.shape(given))}")
        T, B = numpy.shape(given)[:2]
        H, width = weights.hidden_size, weights.input_size
        return replace(
            self,
            weights=weights,
            x=_checked("x", self.x, (T, B, width), dtype),
            gi=_checked("gi", self.gi, (T, B, 3 * H), dtype),
            h0=_checked("h0", self.h0, (B, H), dtype),
            decay=_checked("decay", self.decay, (T, B, H), dtype),
            replacement=_checked("replacement", self.replacement, (B, H), dtype),
            lengths=_checked_lengths(self.lengths, T, B),
            mask=_checked("mask", self.mask, (B, H), dtype),
            zoneout=_checked("zoneout", self.zoneout, (T, B, H), dtype),
            gain=_checked("gain", self.gain, (3 * H,), dtype),
            input_gain=_checked("input_gain", self.input_gain, (3 * H,), dtype),
        )


class Kept(NamedTuple):
    """What the backward needs of a forward; `saved` is overwritten by it, so it serves once."""

    operands: Operands
    layer: Any
    output: Array
    saved: Array
    states: Array | None


def forward(operands: Operands) -> tuple[Array, Array]:
    """Every state [T, B, H], zeros beyond a row's length, and the one at each row's own end [B, H].

    >>> weights = GRUWeights.random(3, 4).astype(numpy.float32)
    >>> output, final = forward(Operands(weights, x=numpy.ones((5, 2, 3), numpy.float32)))
    >>> output.shape, final.shape
    ((5, 2, 4), (2, 4))
    """
    output, final, _ = _run(operands.check(), keep=False)
    return output, final


def forward_kept(operands: Operands) -> tuple[Array, Array, Kept]:
    """`forward`, and what `backward` needs."""
    output, final, kept = _run(operands.check(), keep=True)
    assert kept is not None
    return output, final, kept


def _run(operands: Operands, keep: bool) -> tuple[Array, Array, Kept | None]:
    T, B, _, H, _, _ = operands.sizes
    dtype = operands.weights.w_hh.dtype
    layer = new_layer(dtype.itemsize)
    output, final = aligned((T, B, H), dtype), numpy.empty((B, H), dtype)
    read = operands.decay is not None or operands.mask is not None  # products read another state than the output
    saved = aligned((T * B, saved_width(H, operands.gain is not None)), dtype) if keep else None
    states = aligned((T * B, H), dtype) if keep and read else None
    layer.forward(
        operands.sizes, _weights(operands), _inputs(operands), _steps(output), _address(final),
        _address(saved), _address(states), operands.threads,
    )  # fmt: skip
    if saved is None:
        return output, final, None
    return output, final, Kept(operands, layer, output, saved, states)


def backward(kept: Kept, grad_output: Array | None = None, grad_final: Array | None = None) -> Gradients:
    """Gradients of Σ grad_output·output + Σ grad_final·final for every operand; None is zeros."""
    operands = kept.operands
    T, B, _, H, _, _ = operands.sizes
    dtype = operands.weights.w_hh.dtype
    grad_output = _checked("grad_output", grad_output, (T, B, H), dtype)
    grad_final = _checked("grad_final", grad_final, (B, H), dtype)
    w = operands.weights
    grads = Gradients(
        _like(operands.x), _like(operands.gi), numpy.empty((B, H), dtype),
        _like(w.w_ih) if operands.x is not None else None, _like(w.w_hh),
        _like(w.b_ih) if operands.x is not None else None, _like(w.b_hh),
        _like(operands.decay), _like(operands.replacement), _like(operands.gain), _like(operands.input_gain),
    )  # fmt: skip
    whole = (
        _steps(grad_output), _rows(grad_final), _steps(grads.x), _steps(grads.gi), _steps(grads.decay)
    )  # fmt: skip
    flat = (grads.h0, grads.w_ih, grads.w_hh, grads.b_ih, grads.b_hh, grads.replacement, grads.gain, grads.input_gain)
    kept.layer.backward(
        operands.sizes, _weights(operands), _inputs(operands), _steps(kept.output), _address(kept.saved),
        _address(kept.states), whole, tuple(map(_address, flat)), operands.threads,
    )  # fmt: skip
    return grads


def gates(gi: Array, gh: Array, h: Array) -> Array:
    """One step's new state from terms that the caller formed: gi and gh [..., 3H] (biases in them), h [..., H].

    The "after" form: r and z add both terms, and the candidate is tanh(gi_n + r * gh_n).

    >>> gates(numpy.zeros((1, 6)), numpy.zeros((1, 6)), numpy.ones((1, 2))).tolist()
    [[0.5, 0.5]]
    """
    gi, gh, h = as_array(gi, "gi"), as_array(gh, "gh"), as_array(h, "h")
    dtype, shape = h.dtype, h.shape
    if dtype not in (numpy.float32, numpy.float64):
        raise DtypeError(f"the kernel computes in float32 or float64, not {dtype}")
    if not shape:
        raise ShapeError("h must be [..., H], not a number")
    wide = (*shape[:-1], 3 * shape[-1])
    parts = [
        numpy.ascontiguousarray(_checked("gi", gi, wide, dtype)),
        numpy.ascontiguousarray(_checked("gh", gh, wide, dtype)),
    ]
    state, out = numpy.ascontiguousarray(h), numpy.empty(shape, dtype)
    rows = out.size // shape[-1] if shape[-1] else 0
    run = native().gates32 if dtype.itemsize == 4 else native().gates64
    run(rows, shape[-1], *map(_address, (*parts, state, out)), 0)
    return out


def check_together(o: Any) -> None:
    """Whether these operands, NumPy's or torch's, may stand beside each other.

    Raises:
        OptionError: one that excludes another, or lacks the one that it needs.
    """
    if (o.x is None) == (o.gi is None):
        raise OptionError("give x [T, B, I], or ready input terms gi [T, B, 3H] in its place, not both or neither")
    if o.replacement is not None and o.decay is None:
        raise OptionError("replacement is what a decayed state goes to: it needs decay [T, B, H]")
    if o.mask is not None and o.decay is not None:
        raise OptionError("a state that decays can't be masked too: give mask [B, H] or decay [T, B, H]")
    if (o.input_gain is None) == (o.gain is not None and o.x is not None):
        raise OptionError(
            "layer norm has a gain [3H] for the state's terms and an input_gain [3H] for x's: give both, or with gi "
            "(normalised already) only gain"
        )


def padded(H: int) -> int:
    """H rounded up to whole vectors, as in native/problem.h."""
    return (H + 15) // 16 * 16


def saved_width(H: int, normed: bool) -> int:
    """Numbers that a forward saves for each step and row: four vectors; with layer norm three times as many, and 8."""
    return 12 * padded(H) + 8 if normed else 4 * padded(H)


def new_layer(itemsize: int) -> Any:
    """A native layer, which keeps what it packed of the weights that it last saw."""
    return native().Layer32() if itemsize == 4 else native().Layer64()


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """An empty array that begins a cache line, as torch's do and NumPy's don't: a vector across two costs twice."""
    dtype = numpy.dtype(dtype)
    size = int(numpy.prod(shape)) * dtype.itemsize
    memory = numpy.empty(size + 64, numpy.uint8)
    start = -memory.ctypes.data % 64
    array: Array = memory[start : start + size].view(dtype).reshape(shape)
    return array


def _checked(name: str, array: Array | None, shape: tuple[int, ...], dtype: Any) -> Any:
    if array is None:
        return None
    array = as_array(array, name)
    if array.shape != shape:
        raise ShapeError(f"{name} must be {list(shape)} beside the other operands, not {list(array.shape)}")
    if array.dtype != dtype:
        raise DtypeError(f"{name} must have the weights' element type {dtype}, not {array.dtype}")
    inner = array.strides[-1] == array.itemsize or array.shape[-1] <= 1
    aligned = all(stride % array.itemsize == 0 for stride in array.strides)
    return array if inner and aligned and array.flags.aligned else numpy.ascontiguousarray(array)


def _checked_lengths(lengths: Array | None, T: int, B: int) -> Array | None:
    if lengths is None:
        return None
    lengths = as_array(lengths, "lengths")
    if lengths.shape != (B,):
        raise ShapeError(f"lengths must hold one integer a row, [{B}], not {list(lengths.shape)}")
    if lengths.dtype.kind not in "iu":
        raise DtypeError(f"lengths must be integers, not {lengths.dtype}")
    outside = numpy.flatnonzero((lengths < 0) | (lengths > T))
    if len(outside):
        raise ShapeError(f"lengths must lie between 0 and T = {T}; row {outside[0]} has {lengths[outside[0]]}")
    return numpy.ascontiguousarray(lengths, numpy.int64)


def _like(array: Array | None) -> Any:
    return None if array is None else numpy.empty(array.shape, array.dtype)


def _address(array: Array | None) -> int:
    return 0 if array is None else int(array.ctypes.data)


def _steps(array: Array | None) -> tuple[int, int, int]:
    """Address and strides, in elements, of [T, B, ...]."""
    if array is None:
        return NONE3
    return _address(array), array.strides[0] // array.itemsize, array.strides[1] // array.itemsize


def _rows(array: Array | None) -> tuple[int, int]:
    return NONE2 if array is None else (_address(array), array.strides[0] // array.itemsize)


def _weights(operands: Operands) -> tuple[int, int, int, int]:
    w = operands.weights
    if operands.x is None:  # ready terms hold the input's weights and bias already
        return 0, _address(w.w_hh), 0, _address(w.b_hh)
    return _address(w.w_ih), _address(w.w_hh), _address(w.b_ih), _address(w.b_hh)


def _inputs(operands: Operands) -> tuple[Any, ...]:
    o = operands
    regular = _rows(o.mask), _steps(o.zoneout), _address(o.gain), _address(o.input_gain)
    return _steps(o.x), _steps(o.gi), _rows(o.h0), _address(o.lengths), _steps(o.decay), _rows(o.replacement), regular
