"""Whole sequences with bfloat16 or int8 weights: one layer and direction, without torch.

Input projections are computed for many steps at once, the recurrence step by step; int8 sums are exact integers.
Shapes: T time, B batch, I input size, H hidden size.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DtypeError, ShapeError, WeightsError
from gruworks.ops.backend import backend, native
from gruworks.ops.quantised import QuantizedWeights, step
from gruworks.ops.stream import native_matrix
from gruworks.ops.weights import as_array

__all__ = ["QuantizedLayer"]

Array = NDArray[Any]


class QuantizedLayer:
    """One GRU layer and direction with quantized weights, for inference over whole sequences.

    >>> from gruworks.ops.quantised import quantize
    >>> from gruworks.ops.weights import GRUWeights
    >>> layer = QuantizedLayer(quantize(GRUWeights.random(20, 4).astype(numpy.float32), "int8"))
    >>> output, final = layer(numpy.ones((7, 2, 20), numpy.float32), lengths=numpy.array([7, 3]))
    >>> output.shape, final.shape
    ((7, 2, 4), (2, 4))

    Threads may share a layer. Without the native module the NumPy reference, `ops.quantised.step`, computes the calls.

    Args:
        weights: of `ops.quantised.quantize`, with w_ih.

    Raises:
        WeightsError: weights without w_ih.
    """

    def __init__(self, weights: QuantizedWeights) -> None:
        if weights.w_ih is None:
            raise WeightsError("whole sequences need w_ih: quantize the weights without projected=True")
        self.weights = weights
        self.input_size, self.hidden_size = weights.w_ih.rows.shape[1], weights.w_hh.rows.shape[1]
        self._native: Any = None
        if backend().name != "torch":
            b_ih, b_hh = (0 if b is None else b.ctypes.data for b in (weights.b_ih, weights.b_hh))
            self._native = native.NarrowSequence(
                native_matrix(weights.w_ih), native_matrix(weights.w_hh), b_ih, b_hh, self.hidden_size,
                weights.reset == "before",
            )  # fmt: skip

    @property
    def build(self) -> str:
        """Name of the native build in use, or "numpy"; see `GRUStream.build`."""
        return "numpy" if self._native is None else str(self._native.build)

    def __call__(
        self, x: Array, h0: Array | None = None, lengths: Array | None = None, reverse: bool = False, threads: int = 0
    ) -> tuple[Array, Array]:
        """States of a sequence.

        Args:
            x: float32 [T, B, I], of any strides.
            h0: initial state, float32 [B, H]; None for zeros.
            lengths: valid steps of each row, integers [B]; outputs beyond them are 0, the final state is the one there.
            reverse: process each row from its last valid step to its first.
            threads: upper limit; 0 is the pool's. Rows are divided, so that one row runs on one thread.

        Returns:
            Output [T, B, H] and final state [B, H], float32.

        Raises:
            ShapeError, DtypeError: operands that don't match.
        """
        x, h0, lengths = self._checked(x, h0, lengths)
        T, B, _ = x.shape
        output = (numpy.empty if lengths is None else numpy.zeros)((T, B, self.hidden_size), numpy.float32)
        final = numpy.empty((B, self.hidden_size), numpy.float32)
        if self._native is None:
            self._by_steps(x, h0, lengths, reverse, output, final)
        elif B:
            self._native.run(
                T, B, reverse, _strided(x), 0 if h0 is None else h0.ctypes.data,
                0 if lengths is None else lengths.ctypes.data, _strided(output), final.ctypes.data, threads,
            )  # fmt: skip
        return output, final

    def _checked(self, x: Array, h0: Array | None, lengths: Array | None) -> tuple[Array, Array | None, Array | None]:
        x = as_array(x, "x")
        if x.ndim != 3 or x.shape[2] != self.input_size:
            raise ShapeError(f"x must be [T, B, {self.input_size}], not {list(x.shape)}")
        T, B, _ = x.shape
        if h0 is not None:
            h0 = as_array(h0, "h0")
            if h0.shape != (B, self.hidden_size):
                raise ShapeError(f"h0 must be {[B, self.hidden_size]}, not {list(h0.shape)}")
        for name, array in (("x", x), ("h0", h0)):
            if array is not None and array.dtype != numpy.float32:
                raise DtypeError(f"{name} must be float32, not {array.dtype}; convert it with {name}.astype('float32')")
        if lengths is not None:
            lengths = as_array(lengths, "lengths")
            if lengths.dtype.kind not in "iu" or lengths.shape != (B,):
                raise ShapeError(f"lengths must be integers [{B}], not {lengths.dtype} {list(lengths.shape)}")
            if B and not (lengths.min() >= 0 and lengths.max() <= T):
                raise ShapeError(f"lengths must lie between 0 and T = {T}, not {lengths.tolist()}")
            lengths = numpy.ascontiguousarray(lengths, numpy.int64)
        return _aligned_rows(x), None if h0 is None else numpy.ascontiguousarray(h0), lengths

    def _by_steps(
        self, x: Array, h0: Array | None, lengths: Array | None, reverse: bool, output: Array, final: Array
    ) -> None:
        T, B, _ = x.shape
        ends = numpy.full(B, T) if lengths is None else lengths
        final[...] = 0 if h0 is None else h0
        for t in range(T):
            rows = numpy.flatnonzero(ends > t)
            at = ends[rows] - 1 - t if reverse else t
            if len(rows):
                final[rows] = output[at, rows] = step(x[at, rows], final[rows], self.weights)


def _strided(array: Array) -> tuple[int, int, int]:
    """Address and strides in elements."""
    return array.ctypes.data, array.strides[0] // array.itemsize, array.strides[1] // array.itemsize


def _aligned_rows(x: Array) -> Array:
    whole = all(stride % x.itemsize == 0 for stride in x.strides) and x.flags.aligned
    return x if whole and (x.strides[2] == x.itemsize or x.shape[2] == 1) else numpy.ascontiguousarray(x)
