"""The M4 competition's measures (Makridakis et al. 2020), for one series and for many.

sMAPE   200 · mean |y - f| / (|y| + |f|), in percent
MASE    mean |y - f| over the mean |y_t - y_{t-m}| of the series' past
OWA     half of sMAPE and MASE, each over that of Naive2
MSIS    the mean interval score of Gneiting and Raftery (2007), over the same error as MASE
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

__all__ = ["coverage", "mase", "msis", "owa", "relative_squared_error", "smape"]

Floats = NDArray[numpy.float64]


def smape(y: Floats, forecast: Floats) -> float:
    """In percent; a step where both are 0 counts as no error.

    >>> smape(numpy.array([1.0]), numpy.array([3.0]))
    100.0
    """
    size = numpy.abs(y) + numpy.abs(forecast)
    return float(
        numpy.mean(numpy.divide(200 * numpy.abs(y - forecast), size, out=numpy.zeros_like(size), where=size > 0))
    )


def mase(y: Floats, forecast: Floats, past: Floats, season: int) -> float:
    """Over the error of the naive forecast at lag `season` in the past."""
    return float(numpy.mean(numpy.abs(y - forecast)) / _naive_error(past, season))


def msis(y: Floats, low: Floats, high: Floats, past: Floats, season: int, level: float = 95) -> float:
    """The interval's width, and 2 / α of what lies outside, over the naive error."""
    penalty = 2 / (1 - level / 100)
    score = high - low + penalty * (numpy.maximum(low - y, 0) + numpy.maximum(y - high, 0))
    return float(numpy.mean(score) / _naive_error(past, season))


def coverage(y: Floats, low: Floats, high: Floats) -> float:
    """The share of values within the interval."""
    return float(numpy.mean((low <= y) & (y <= high)))


def owa(smape_: float, mase_: float, naive2: tuple[float, float]) -> float:
    """Half of each over that of Naive2, whose sMAPE and MASE are given as published."""
    return 0.5 * (smape_ / naive2[0] + mase_ / naive2[1])


def relative_squared_error(y: Floats, forecast: Floats) -> float:
    """RSE of LSTNet (Lai et al. 2018): the root of squared errors over that of squared deviations from the mean.

    y and forecast [N, D] over all test rows and series; the mean is that of the whole.
    """
    return float(numpy.sqrt(((y - forecast) ** 2).sum() / ((y - y.mean()) ** 2).sum()))


def _naive_error(past: Floats, season: int) -> float:
    return float(numpy.mean(numpy.abs(past[season:] - past[:-season])))
