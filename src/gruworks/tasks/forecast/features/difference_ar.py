"""Autoregression on differences, causal and affine-equivariant, over NumPy and torch.

With d_t = y_t - y_{t-1}, the next difference is φ d_t and the forecast at horizon k is y_T + d_T (φ + φ² + ... + φᵏ).
φ is fitted by least squares on the past and clipped to [0, 2]: 0 is the last value, 1 the straight line, 2 the
doubling. Everything scales with y and forgets its level, so a forecast of a·y + b is a·forecast(y) + b.

`xp` is numpy or torch. y is [..., N], as are all quantities of a row.
"""

from __future__ import annotations

from typing import Any

import numpy

__all__ = [
    "causal_scale",
    "causal_slope",
    "cumulative_response",
    "difference_ar",
    "difference_ar_forecast",
    "differences",
    "ratio",
    "to_levels",
]

Array = Any  # numpy.ndarray or torch.Tensor


def ratio(a: Array, b: Array, xp: Any = numpy) -> Array:
    """a / b, and 0 where b is 0: where nothing has moved yet, nothing is known of the scale."""
    return xp.where(b > 0, a / xp.where(b > 0, b, 1.0), 0.0)


def differences(y: Array, xp: Any = numpy) -> Array:
    """d_t = y_t - y_{t-1}, with d_0 = 0."""
    return xp.concatenate([xp.zeros_like(y[..., :1]), y[..., 1:] - y[..., :-1]], -1)


def causal_scale(y: Array, observed: Array | None = None, xp: Any = numpy) -> Array:
    """s_t, the mean of |d_1| ... |d_t|, in the units of y; 0 where nothing has moved yet.

    A value that was not `observed` repeats the one before it and counts for nothing.
    """
    seen = xp.arange(y.shape[-1]) if observed is None else xp.cumsum(observed, -1) - 1
    return xp.cumsum(xp.abs(differences(y, xp)), -1) / xp.clip(seen, 1, None)


def causal_slope(y: Array, xp: Any = numpy) -> Array:
    """φ_t from d_1 ... d_t by least squares, clipped to [0, 2]; 0 where nothing has moved yet."""
    d = differences(y, xp)
    products, squares = d[..., 1:] * d[..., :-1], d[..., :-1] * d[..., :-1]
    slope = xp.clip(ratio(xp.cumsum(products, -1), xp.cumsum(squares, -1), xp), 0.0, 2.0)
    return xp.concatenate([xp.zeros_like(y[..., :1]), slope], -1)


def cumulative_response(slope: Array, horizon: int, xp: Any = numpy) -> Array:
    """φ + ... + φᵏ for k = 1 ... horizon, [..., horizon]: the forecast's change in units of the last difference."""
    with numpy.errstate(over="ignore"):  # a doubling leaves float64 after a thousand steps
        return xp.cumsum(slope[..., None] ** xp.arange(1, horizon + 1), -1)


def difference_ar(moves: Array, slope: Array, horizon: int, xp: Any = numpy) -> Array:
    """The change that the autoregression forecasts, [..., horizon], in the units of the last differences `moves`."""
    with numpy.errstate(over="ignore"):  # never 0 · ∞: after a step of zero the slope is 1 at most
        return moves[..., None] * cumulative_response(slope, horizon, xp)


def difference_ar_forecast(y: Array, horizon: int, xp: Any = numpy) -> Array:
    """The autoregression's forecast after the whole of y: [..., horizon].

    >>> difference_ar_forecast(numpy.array([1.0, 2, 3, 4, 5]), 3).tolist()
    [6.0, 7.0, 8.0]
    >>> difference_ar_forecast(numpy.array([1.0, 2, 4, 8, 16]), 1).tolist()
    [32.0]
    """
    change = difference_ar(differences(y, xp)[..., -1], causal_slope(y, xp)[..., -1], horizon, xp)
    return y[..., -1:] + change


def to_levels(last: Array, scale: Array, change: Array) -> Array:
    """Levels [..., K, Q] from changes in units of the scale, over the last values and scales [...]."""
    return last[..., None, None] + scale[..., None, None] * change
