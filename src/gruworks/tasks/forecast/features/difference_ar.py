"""The highway beside the GRU: an AR(1) on differences, each quantity causal and affine-equivariant.

With d_t = y_t - y_{t-1}, the next difference is φ d_t and the forecast at horizon k is y_T + d_T (φ + φ² + ... + φᵏ).
φ is fitted by least squares on the past and clipped to [0, 2]: 0 is the last value, 1 the straight line, 2 the
doubling. Everything scales with y and forgets its level, so a forecast of a·y + b is a·forecast(y) + b.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

__all__ = ["causal_scale", "causal_slope", "differences", "highway_forecast", "path"]

Floats = NDArray[numpy.float64]


def differences(y: Floats) -> Floats:
    """d_t = y_t - y_{t-1}, [N] from [N], with d_0 = 0."""
    return numpy.diff(y, prepend=y[:1])


def causal_scale(y: Floats, observed: NDArray[numpy.bool_] | None = None) -> Floats:
    """s_t, the mean of |d_1| ... |d_t|: [N] from [N], in the units of y; 0 where nothing has moved yet.

    A value that was not `observed` repeats the one before it and counts for nothing.
    """
    seen = numpy.arange(len(y)) if observed is None else numpy.cumsum(observed) - 1
    scale: Floats = numpy.cumsum(numpy.abs(differences(y))) / numpy.maximum(seen, 1)
    return scale


def causal_slope(y: Floats) -> Floats:
    """φ_t from d_1 ... d_t by least squares, clipped to [0, 2]: [N] from [N]; 0 where nothing has moved yet."""
    d = differences(y)
    products = numpy.cumsum(d[1:] * d[:-1])
    squares = numpy.cumsum(d[:-1] * d[:-1])
    ratio = numpy.divide(products, squares, out=numpy.zeros_like(products), where=squares > 0)
    return numpy.concatenate([numpy.zeros(min(1, len(y))), numpy.clip(ratio, 0.0, 2.0)])


def path(slope: Floats, horizon: int) -> Floats:
    """φ + ... + φᵏ for k = 1 ... horizon: [N, horizon] from φ [N]; what the forecast adds, in units of d_T."""
    with numpy.errstate(over="ignore"):  # a doubling leaves float64 after a thousand steps
        powers = slope[:, None] ** numpy.arange(1, horizon + 1)
    total: Floats = numpy.cumsum(powers, axis=1)
    return total


def highway_forecast(y: Floats, horizon: int) -> Floats:
    """The highway's answer after the whole of y [N]: [horizon].

    >>> highway_forecast(numpy.array([1.0, 2, 3, 4, 5]), 3).tolist()
    [6.0, 7.0, 8.0]
    >>> highway_forecast(numpy.array([1.0, 2, 4, 8, 16]), 1).tolist()
    [32.0]
    """
    answer: Floats = y[-1] + differences(y)[-1] * path(causal_slope(y)[-1:], horizon)[0]
    return answer
