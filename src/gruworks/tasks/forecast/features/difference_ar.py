"""Autoregression on differences, causal and affine-equivariant, over NumPy and torch.

With d_t = y_t - y_{t-1}, the next difference is φ d_t and the forecast at horizon k is y_T + d_T (φ + φ² + ... + φᵏ).
φ is estimated by least squares on the past and clipped to [0, 2]: 0 repeats the last value, 1 continues the line, 2
doubles every step. A forecast of a·y + b is a·forecast(y) + b.

`xp` is numpy or torch; y is [..., N].
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
    "robust_slope",
    "to_levels",
]

Array = Any  # numpy.ndarray or torch.Tensor


def ratio(a: Array, b: Array, xp: Any = numpy) -> Array:
    """a / b, and 0 where b is 0."""
    return xp.where(b > 0, a / xp.where(b > 0, b, 1.0), 0.0)


def differences(y: Array, xp: Any = numpy) -> Array:
    """d_t = y_t - y_{t-1}, with d_0 = 0."""
    return xp.concatenate([xp.zeros_like(y[..., :1]), y[..., 1:] - y[..., :-1]], -1)


def causal_scale(y: Array, observed: Array | None = None, xp: Any = numpy) -> Array:
    """Scale s_t [..., N], the mean of |d_1| ... |d_t| in the units of y; 0 while y is constant.

    Values that are not `observed` are forward-filled ones and are not counted.
    """
    seen = xp.arange(y.shape[-1]) if observed is None else xp.cumsum(observed, -1) - 1
    return xp.cumsum(xp.abs(differences(y, xp)), -1) / xp.clip(seen, 1, None)


def causal_slope(y: Array, xp: Any = numpy) -> Array:
    """Slope φ_t [..., N] from d_1 ... d_t by least squares, clipped to [0, 2]; 0 while y is constant."""
    d = differences(y, xp)
    products, squares = d[..., 1:] * d[..., :-1], d[..., :-1] * d[..., :-1]
    slope = xp.clip(ratio(xp.cumsum(products, -1), xp.cumsum(squares, -1), xp), 0.0, 2.0)
    return xp.concatenate([xp.zeros_like(y[..., :1]), slope], -1)


def robust_slope(y: Array) -> Array:
    """Slope φ_t [N] without the step that adds most to it, clipped to [0, 2]; at most 1 from one or two steps.

    A growth that one step shows alone is not continued: 5, 5, 5, 5, 6, 9 is not followed by 15, and 27.
    """
    d = differences(y)
    products, squares = d[1:] * d[:-1], d[:-1] * d[:-1]
    found = numpy.zeros(len(y))
    for t in range(2, len(y)):
        most = int(products[1:t].argmax()) + 1 if t > 2 else 0
        rest = numpy.arange(1, t) != most
        slope = products[1:t][rest].sum() / squares[1:t][rest].sum() if squares[1:t][rest].any() else 0.0
        found[t] = min(max(slope, 0.0), 2.0) if t > 3 else min(max(causal_slope(y[: t + 1])[-1], 0.0), 1.0)
    return found


def cumulative_response(slope: Array, horizon: int, xp: Any = numpy) -> Array:
    """φ + ... + φᵏ for k = 1 ... horizon, [..., horizon]: the forecast change in units of the last difference."""
    with numpy.errstate(over="ignore"):  # doubling exceeds float64 after a thousand steps
        return xp.cumsum(slope[..., None] ** xp.arange(1, horizon + 1), -1)


def difference_ar(moves: Array, slope: Array, horizon: int, xp: Any = numpy) -> Array:
    """Forecast changes from the last value, [..., horizon], in the units of the last differences `moves` [...]."""
    with numpy.errstate(over="ignore"):  # never 0 · ∞: after a difference of 0 the slope is at most 1
        return moves[..., None] * cumulative_response(slope, horizon, xp)


def difference_ar_forecast(y: Array, horizon: int, xp: Any = numpy) -> Array:
    """Forecast of the autoregression after the last value of y, [..., horizon].

    >>> difference_ar_forecast(numpy.array([1.0, 2, 3, 4, 5]), 3).tolist()
    [6.0, 7.0, 8.0]
    >>> difference_ar_forecast(numpy.array([1.0, 2, 4, 8, 16]), 1).tolist()
    [32.0]
    """
    change = difference_ar(differences(y, xp)[..., -1], causal_slope(y, xp)[..., -1], horizon, xp)
    return y[..., -1:] + change


def to_levels(last: Array, scale: Array, change: Array) -> Array:
    """Levels [..., K, Q] from changes in units of the scale, and the last values and scales [...]."""
    return last[..., None, None] + scale[..., None, None] * change
