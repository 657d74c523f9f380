"""Linear recurrence h_t = a_t * h_{t-1} + b_t in the native kernel, from log a and log b.

The recurrence of minGRU and minLSTM (Feng et al. 2024, arXiv 2410.01201). Shapes: T time, N independent columns.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError, ShapeError
from gruworks.ops.backend import native
from gruworks.ops.weights import as_array

__all__ = ["Share", "log_scan", "log_scan_backward"]

Array = NDArray[Any]
Share = Literal["auto", "columns", "steps"]
SHARES = {"auto": -1, "columns": 0, "steps": 1}


def log_scan(log_a: Array, log_b: Array, h0: Array, threads: int = 0, share: Share = "auto") -> Array:
    """All states [T, N] of a linear recurrence.

    >>> half = numpy.log(numpy.full((3, 1), 0.5))
    >>> log_scan(half, half, numpy.zeros(1))[:, 0].tolist()
    [0.5, 0.75, 0.875]

    Args:
        log_a, log_b: [T, N], natural logarithms, float32 or float64.
        h0: initial state [N], of any sign.
        threads: upper limit; 0 is OpenMP's.
        share: dimension divided among threads. "columns" adds no work; "steps" is the parallel scan, in which each
            thread runs a segment from a zero state and then adds the carried state. "auto" chooses it for few columns.

    Raises:
        ShapeError: arrays that do not match. OptionError: an unknown `share`.
    """
    arrays = _checked(log_a, log_b, h0)
    states = numpy.empty_like(arrays[0])
    run = native.scan32 if states.itemsize == 4 else native.scan64
    T, N = states.shape
    run(T, N, tuple(a.ctypes.data for a in (*arrays, states)), threads, _share(share))
    return states


def log_scan_backward(
    log_a: Array, log_b: Array, h0: Array, states: Array, grad: Array, threads: int = 0, share: Share = "auto"
) -> tuple[Array, Array, Array]:
    """Gradients of Σ grad·states for log_a, log_b [T, N] and h0 [N]; `states` is the result of `log_scan`."""
    log_a, log_b, h0, states, grad = _checked(log_a, log_b, h0, states, grad)
    found = numpy.empty_like(log_a), numpy.empty_like(log_b), numpy.empty_like(h0)
    run = native.scan_backward32 if states.itemsize == 4 else native.scan_backward64
    given = tuple(a.ctypes.data for a in (log_a, log_b, h0, states))
    T, N = states.shape
    run(T, N, given, grad.ctypes.data, tuple(a.ctypes.data for a in found), threads, _share(share))
    return found


def _checked(log_a: Any, log_b: Any, h0: Any, *others: Any) -> tuple[Array, ...]:
    log_a, log_b, h0 = as_array(log_a, "log_a"), as_array(log_b, "log_b"), as_array(h0, "h0")
    others = tuple(map(as_array, others))
    dtype = log_a.dtype
    if log_a.ndim != 2 or h0.shape != log_a.shape[1:] or any(a.shape != log_a.shape for a in (log_b, *others)):
        shapes = [list(a.shape) for a in (log_a, log_b, h0, *others)]
        raise ShapeError(f"a scan takes log a and log b [T, N] and h0 [N], not {shapes}")
    if dtype not in (numpy.float32, numpy.float64) or any(a.dtype != dtype for a in (log_b, h0, *others)):
        raise ShapeError("a scan takes arrays of one type, float32 or float64")
    return tuple(numpy.ascontiguousarray(a) for a in (log_a, log_b, h0, *others))


def _share(share: str) -> int:
    if share not in SHARES:
        raise OptionError(f"share must be one of {', '.join(SHARES)}, not {share!r}")
    return SHARES[share]
