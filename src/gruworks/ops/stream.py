"""One step at a time, for one or many sessions: NumPy in, NumPy out, no torch in the process.

Shapes: S sessions, I input, H hidden.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DtypeError, ShapeError
from gruworks.ops.backend import native
from gruworks.ops.weights import GRUWeights

__all__ = ["GRUStream"]

Array = NDArray[Any]


class GRUStream:
    """A GRU layer that is stepped: it carries the state of `sessions` sessions and allocates nothing per step.

    >>> stream = GRUStream(GRUWeights.random(3, 4), sessions=2)
    >>> stream.step(numpy.ones((2, 3))).shape
    (2, 4)

    The array that `step` returns is the stream's own state, and the next step writes over it: copy what is to stay.
    The weights are copied when the stream is made. A stream is one caller's; threads need one each.

    Args:
        weights: float32 or float64, either reset form.
        sessions: S.
        threads: at most so many. With 0, OpenMP's number, few sessions run on one thread; a number says that steps
            follow each other closely, so that a large layer's single session may be shared out too.

    Raises:
        ShapeError, DtypeError, WeightsError: weights or inputs that don't fit.
    """

    def __init__(self, weights: GRUWeights, sessions: int = 1, threads: int = 0) -> None:
        weights = weights.map(numpy.ascontiguousarray).check()
        if weights.w_hh.dtype not in (numpy.float32, numpy.float64):
            raise DtypeError(f"the kernel computes in float32 or float64, not {weights.w_hh.dtype}; use weights.astype")
        if sessions < 1:
            raise ShapeError(f"a stream needs at least one session, not {sessions}")
        I, H = weights.input_size, weights.hidden_size  # noqa: E741 (the field's letter)
        self._state: Array = numpy.zeros((sessions, H), weights.w_hh.dtype)
        self._expected = (sessions, I)
        addresses = tuple(0 if a is None else a.ctypes.data for a in weights.arrays())
        make = native().Stream32 if self._state.itemsize == 4 else native().Stream64
        sizes = (1, sessions, I, H, weights.reset == "before", False)
        self._native = make(sizes, addresses, self._state.ctypes.data, threads)

    def step(self, x: Array) -> Array:
        """Advance every session by its input x [S, I] (or [I] for one session): the new states [S, H]."""
        try:
            if self._native.step(x):
                return self._state
        except TypeError:
            pass  # another type or layout: say so, or bring it into the right one
        self._native.step(self._fitting(x))
        return self._state

    @property
    def state(self) -> Array:
        """A copy of the states [S, H]: a value to save and to set again."""
        return self._state.copy()

    @state.setter
    def state(self, value: Array) -> None:
        value = numpy.asarray(value)
        if value.shape != self._state.shape:
            raise ShapeError(f"the state must be {list(self._state.shape)}, not {list(value.shape)}")
        self._state[...] = value

    def reset(self, session: int | slice | Array | None = None) -> None:
        """Set the state of one session, of several, or (None) of all to zero."""
        self._state[slice(None) if session is None else session] = 0

    def _fitting(self, x: Array) -> Array:
        array = numpy.asarray(x)
        if array.dtype != self._state.dtype:
            raise DtypeError(f"x must have the weights' element type {self._state.dtype}, not {array.dtype}")
        if array.shape != self._expected and (self._expected[0] != 1 or array.shape != self._expected[1:]):
            raise ShapeError(f"x must be {list(self._expected)}, not {list(array.shape)}")
        return numpy.ascontiguousarray(array)
