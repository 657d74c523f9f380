"""Streaming inference of one GRU layer, step by step, for one or many sessions, without torch.

Shapes: S sessions, I input size, H hidden size.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DtypeError, ShapeError
from gruworks.ops.backend import native
from gruworks.ops.quantised import Matrix, Precision, check_precision, quantize
from gruworks.ops.weights import GRUWeights, as_array

__all__ = ["GRUStream"]

Array = NDArray[Any]
KINDS = ("float32", "bfloat16", "int8")  # codes of the native module; the next, 3, is projected input


class GRUStream:
    """GRU layer for streaming inference, which holds the states of S sessions and allocates nothing per step.

    >>> stream = GRUStream(GRUWeights.random(3, 4), sessions=2)
    >>> stream.step(numpy.ones((2, 3))).shape
    (2, 4)

    `step` returns the stream's own state array, which the next step overwrites. The weights are copied. A stream is not
    thread-safe; each thread needs its own.

    Args:
        weights: of one layer, float32 or float64, either reset form.
        sessions: S.
        threads: upper limit. With 0, OpenMP's limit, few sessions run on one thread; a positive number also lets one
            session of a large layer use several, which pays where steps follow each other without a pause.
        precision: of the weights: "float32" (unchanged), "bfloat16" or "int8", see `ops.quantised`; states are float32.
        projected: `step` takes precomputed input projections W_ih x + b_ih [S, 3H] in place of x [S, I].

    Raises:
        ShapeError, DtypeError, OptionError, WeightsError: weights or options that are not valid.
    """

    def __init__(
        self,
        weights: GRUWeights,
        sessions: int = 1,
        threads: int = 0,
        precision: Precision = "float32",
        projected: bool = False,
    ) -> None:
        weights = weights.map(as_array).map(numpy.ascontiguousarray).check()
        if weights.w_hh.dtype not in (numpy.float32, numpy.float64):
            raise DtypeError(f"the kernel computes in float32 or float64, not {weights.w_hh.dtype}; use weights.astype")
        if sessions < 1:
            raise ShapeError(f"a stream needs at least one session, not {sessions}")
        if check_precision(precision) != "float32" and weights.w_hh.dtype != numpy.float32:
            raise DtypeError(f"{precision} weights are made from float32, not {weights.w_hh.dtype}; use weights.astype")
        H = weights.hidden_size
        self._state: Array = numpy.zeros((sessions, H), weights.w_hh.dtype)
        self._expected = (sessions, 3 * H if projected else weights.input_size)
        make = _exact if precision == "float32" else _narrow
        self._native = make(weights, self._state, threads, precision, projected)

    def step(self, x: Array, resets: Array | None = None) -> Array:
        """Advance every session by one step.

        Args:
            x: inputs [S, I], or [I] for one session; [S, 3H] or [3H] with `projected`.
            resets: [S], not 0 for sessions whose state becomes zero before the step.

        Returns:
            The new states [S, H], overwritten by the next step.

        Raises:
            ShapeError, DtypeError: an input that does not match.
        """
        if resets is not None:
            x = self._fitting(x)
            self._replace(as_array(resets, "resets"))
        try:
            if self._native.step(x):
                return self._state
        except TypeError:
            pass  # another element type or layout: converted below, or refused
        self._native.step(self._fitting(x))
        return self._state

    @property
    def build(self) -> str:
        """Name of the native build in use; "avx512vnni", "avx2vnni" and "neondotprod" have dot products of int8."""
        return str(self._native.build if hasattr(self._native, "build") else native.build())

    @property
    def state(self) -> Array:
        """Copy of the states [S, H]; assign it to restore them."""
        return self._state.copy()

    @state.setter
    def state(self, value: Array) -> None:
        value = as_array(value, "the state")
        if value.shape != self._state.shape:
            raise ShapeError(f"the state must be {list(self._state.shape)}, not {list(value.shape)}")
        self._state[...] = value

    def reset(self, session: int | slice | Array | None = None) -> None:
        """Set the state of one session, several, or all (None) to zero.

        Args:
            session: number, slice or array of numbers; None for all.

        Raises:
            IndexError: a session that is not there.
        """
        self._state[slice(None) if session is None else session] = 0

    def _replace(self, resets: Array) -> None:
        if resets.shape != self._state.shape[:1]:
            raise ShapeError(f"resets must be one a session, {list(self._state.shape[:1])}, not {list(resets.shape)}")
        self._state[resets != 0] = 0

    def _fitting(self, x: Array) -> Array:
        array = as_array(x, "x")
        if array.dtype != self._state.dtype:
            raise DtypeError(f"x must have the weights' element type {self._state.dtype}, not {array.dtype}")
        if array.shape != self._expected and (self._expected[0] != 1 or array.shape != self._expected[1:]):
            raise ShapeError(f"x must be {list(self._expected)}, not {list(array.shape)}")
        return numpy.ascontiguousarray(array)


def _exact(weights: GRUWeights, state: Array, threads: int, precision: Precision, projected: bool) -> Any:
    w_ih, w_hh, b_ih, b_hh = (0 if a is None else a.ctypes.data for a in weights.arrays())
    addresses = (0, w_hh, 0, b_hh) if projected else (w_ih, w_hh, b_ih, b_hh)
    make = native.Stream32 if state.itemsize == 4 else native.Stream64
    width = 0 if projected else weights.input_size
    sizes = 1, len(state), width, weights.hidden_size, weights.reset == "before", False, *weights.unit.codes
    return make(sizes, addresses, state.ctypes.data, threads)


def _narrow(weights: GRUWeights, state: Array, threads: int, precision: Precision, projected: bool) -> Any:
    small = quantize(weights, precision, projected)
    x = (len(KINDS), 0, 0, 0) if small.w_ih is None else _native_matrix(small.w_ih)
    b_ih, b_hh = (0 if b is None else b.ctypes.data for b in (small.b_ih, small.b_hh))
    return native.NarrowStream(
        x, _native_matrix(small.w_hh), b_ih, b_hh, state.shape[1], small.reset == "before", len(state),
        state.ctypes.data, threads,
    )  # fmt: skip


def _native_matrix(matrix: Matrix) -> tuple[int, int, int, int]:
    """Kind, addresses of rows and scales, K; the native stream copies the arrays."""
    scale = 0 if matrix.scale is None else matrix.scale.ctypes.data
    return KINDS.index(matrix.kind), matrix.rows.ctypes.data, scale, matrix.rows.shape[1]
