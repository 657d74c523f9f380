"""Quantization of weights to bfloat16 and int8, and one step with them: the NumPy reference of the native stream.

bfloat16: weights are rounded to 8 significant bits, ties to even; states and products stay float32. int8: symmetric,
with one scale for each row of weights, and dynamic quantization of the state (or the input), with one scale for each
session and product, its largest absolute value over 127. Sums are integers, hence identical on every processor
(integer arithmetic as in Jacob et al. 2018, arXiv 1712.05877). Inputs of up to `THIN` features are multiplied in
float32: the gain would be small, and features may differ in scale.

Shapes: S sessions, I input size, H hidden size, K either of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError, WeightsError
from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights

__all__ = ["THIN", "Matrix", "Precision", "QuantizedWeights", "check_precision", "matrix", "quantize", "step"]

Array = NDArray[Any]
Precision = Literal["float32", "bfloat16", "int8"]

THIN = 16
WIDEST = 65_536  # 255 * 127 * 65,536 is within 32 bits
SMALLEST = 1e-30  # rows whose largest value is below it are zeros, so that 127 over it stays finite in float32


def check_precision(precision: str) -> Precision:
    """`precision`, checked.

    Raises:
        OptionError: an unknown precision.
    """
    if precision not in get_args(Precision):
        raise OptionError(f"precision must be one of {', '.join(get_args(Precision))}, not {precision!r}")
    return precision  # type: ignore[return-value]


@dataclass(frozen=True)
class Matrix:
    """Quantized matrix: `rows` [3H, K], and for int8 the `scale` of each row [3H].

    bfloat16 values are stored as the upper 16 bits of their float32, in uint16.
    """

    kind: Precision
    rows: Array
    scale: Array | None = None

    def values(self) -> Array:
        """Dequantized values, float32 [3H, K]."""
        if self.kind == "bfloat16":
            expanded: Array = (self.rows.astype(numpy.uint32) << 16).view(numpy.float32)
            return expanded
        if self.scale is None:
            return self.rows
        values: Array = self.rows.astype(numpy.float32) * self.scale[:, None]
        return values

    def times(self, x: Array, gates: slice = slice(None)) -> Array:
        """Product of x [S, K] with the transposed rows `gates`, a slice of the 3H: float32 [S, ...]."""
        if self.scale is None:
            exact: Array = x.astype(numpy.float64) @ self.values()[gates].T.astype(numpy.float64)
            return exact.astype(numpy.float32)
        whole, scale = whole_numbers(x)
        sums = whole.astype(numpy.int64) @ self.rows[gates].T.astype(numpy.int64)
        product: Array = sums.astype(numpy.float32) * (self.scale[gates] * scale[:, None])
        return product


@dataclass(frozen=True)
class QuantizedWeights:
    """Quantized weights of a layer; biases stay float32. `w_ih` is None for precomputed input projections."""

    w_ih: Matrix | None
    w_hh: Matrix
    b_ih: Array | None
    b_hh: Array | None
    reset: str

    def values(self) -> GRUWeights:
        """Dequantized weights, float32, for the effect of weight rounding alone."""
        if self.w_ih is None:
            raise WeightsError("these weights have no w_ih: they take precomputed input projections")
        return GRUWeights(self.w_ih.values(), self.w_hh.values(), self.b_ih, self.b_hh, reset=self.reset)  # type: ignore[arg-type]


def quantize(weights: GRUWeights, precision: Precision, projected: bool = False) -> QuantizedWeights:
    """Weights rounded to another precision.

    >>> layer = GRUWeights.random(20, 64).astype(numpy.float32)
    >>> worst = numpy.abs(quantize(layer, "int8").values().w_hh - layer.w_hh).max()
    >>> bool(worst <= 0.5 * numpy.abs(layer.w_hh).max() / 127 * 1.0001)
    True

    Args:
        weights: of one layer and direction, float32.
        precision: "float32", "bfloat16" or "int8".
        projected: omit w_ih and b_ih, for precomputed input projections.

    Raises:
        OptionError: an unknown precision.
        WeightsError: weights that are not finite, activations other than tanh and sigmoid, or sizes beyond the range
            of 32-bit sums.
    """
    check_precision(precision)
    parts = weights.usual(f"the {precision} kernel").map(lambda a: numpy.ascontiguousarray(a, numpy.float32)).check()
    for name, array in zip(("w_ih", "w_hh", "b_ih", "b_hh"), parts.arrays(), strict=True):
        if array is not None and not numpy.isfinite(array).all():
            raise WeightsError(f"{name} has entries that aren't finite: there is no {precision} for them")
    if max(parts.input_size, parts.hidden_size) > WIDEST:
        raise WeightsError(f"int8 sums hold up to {WIDEST} inputs, not {max(parts.input_size, parts.hidden_size)}")
    thin = precision == "int8" and parts.input_size <= THIN
    w_ih = None if projected else matrix(parts.w_ih, "float32" if thin else precision)
    b_ih = None if projected else parts.b_ih
    return QuantizedWeights(w_ih, matrix(parts.w_hh, precision), b_ih, parts.b_hh, parts.reset)


def whole_numbers(x: Array) -> tuple[Array, Array]:
    """Symmetric int8 quantization of each row of x, float32 [S, K]: integers [S, K] and scales, float32 [S].

    The scale of a row with a NaN or an infinity is NaN, which propagates to every product.
    """
    top = numpy.abs(x).max(axis=1, initial=numpy.float32(0))
    finite = numpy.isfinite(x).all(axis=1)
    some = finite & (top > SMALLEST)
    inverse = numpy.where(some, numpy.float32(127) / numpy.where(some, top, numpy.float32(1)), numpy.float32(0))
    scale = numpy.where(some, top / numpy.float32(127), numpy.float32(0))
    scale[~finite] = numpy.nan
    whole = numpy.rint(numpy.where(some[:, None], x, numpy.float32(0)) * inverse[:, None])
    return whole.astype(numpy.int8), scale


def step(x: Array, h: Array, weights: QuantizedWeights) -> Array:
    """New states [S, H] of S sessions after one step.

    >>> layer = GRUWeights.random(3, 4).astype(numpy.float32)
    >>> step(numpy.ones((2, 3), "f4"), numpy.zeros((2, 4), "f4"), quantize(layer, "int8")).shape
    (2, 4)

    Args:
        x: float32 [S, I], or precomputed input projections [S, 3H] where the weights have no w_ih.
        h: states, float32 [S, H].
        weights: of `quantize`.
    """
    H = h.shape[1]
    gi = x if weights.w_ih is None else weights.w_ih.times(x) + _or_zero(weights.b_ih)
    b_hh = numpy.broadcast_to(_or_zero(weights.b_hh), 3 * H)
    first = slice(3 * H if weights.reset == "after" else 2 * H)  # products that don't depend on the reset gate
    gh = weights.w_hh.times(h, first) + b_hh[first]
    r, z = (equations.sigmoid(gi[:, i : i + H] + gh[:, i : i + H]) for i in (0, H))
    if weights.reset == "after":
        n = numpy.tanh(gi[:, 2 * H :] + r * gh[:, 2 * H :])
    else:
        n = numpy.tanh(gi[:, 2 * H :] + weights.w_hh.times(r * h, slice(2 * H, 3 * H)) + b_hh[2 * H :])
    new: Array = n + z * (h - n)
    return new


def matrix(rows: Array, precision: Precision) -> Matrix:
    """Rows, float32 [R, K], quantized."""
    if precision == "float32":
        return Matrix(precision, rows)
    if precision == "bfloat16":
        bits = rows.view(numpy.uint32)
        rounded = bits + 0x7FFF + ((bits >> 16) & 1)  # to the nearest, ties to even
        return Matrix(precision, numpy.ascontiguousarray(rounded >> 16).astype(numpy.uint16))
    return Matrix(precision, *whole_numbers(rows))


def _or_zero(bias: Array | None) -> Any:
    return numpy.float32(0) if bias is None else bias
