"""The best naive forecast of a table, chosen by a backtest on it, with intervals from the same errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.combination.conformal import Calibration, calibrate, normal
from gruworks.tasks.forecast.evaluation import Evaluation, score
from gruworks.tasks.forecast.features.difference_ar import causal_scale, ratio
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts, naive_names, or_last
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["Baseline", "best_naive"]

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]
MOST_ORIGINS = 200  # of one series


@dataclass(frozen=True)
class Baseline:
    """A naive forecast by its name; `spread` [K] is its error at each step ahead in causal scales."""

    codec: Codec
    name: str
    spread: Floats
    calibration: Calibration

    def quantiles(self, series: Series, origins: Ints, shares: list[float]) -> Floats:
        """Quantiles [O, K, S] after the rows `origins` [O], for the S probabilities `shares`."""
        middle = or_last(naive_forecasts(series, self.codec, origins, len(self.spread)), self.name)
        return self.calibration.quantiles(self.around(middle, series, origins), shares)

    def around(self, middle: Floats, series: Series, origins: Ints) -> Floats:
        """Low, median and high [O, K, 3] before calibration, from medians [O, K]."""
        width = _scale(series, origins)[:, None] * self.spread
        return numpy.stack([middle - width, middle, middle + width], -1)

    def evaluation(self, panel: list[Series]) -> Evaluation | None:
        """Errors of every naive forecast on the origins that this one was chosen by; None where no horizon fits.

        Coverage is None, since the intervals were set by the same errors.
        """
        horizon = len(self.spread)
        rows = [_origins(len(one), horizon) for one in panel]
        kept = [(one, at[at < len(one) - horizon]) for one, at in zip(panel, rows, strict=True)]
        kept = [(one, at) for one, at in kept if len(at) and not numpy.isnan(one.y[at[0] + 1 :]).all()]
        if not kept:
            return None
        series, origins = [one for one, _ in kept], [at for _, at in kept]
        naive = [naive_forecasts(one, self.codec, at, horizon) for one, at in kept]
        answers = [numpy.repeat(or_last(found, self.name)[..., None], 3, -1) for found in naive]
        others = [{name: line for name, line in found.items() if name != self.name} for found in naive]
        found = score(series, self.codec, origins, answers, others, self.name)
        return replace(found, scores=[replace(one, coverage=None) for one in found.scores])


def best_naive(panel: list[Series], codec: Codec, horizon: int) -> Baseline:
    """The naive forecast with the least error on the last part of the series, each in units of its own scale.

    Targets beyond the end of a series are left out, so that tables shorter than the horizon can be forecast too.
    """
    origins = [_origins(len(one), horizon) for one in panel]
    found = [naive_forecasts(one, codec, at, horizon) for one, at in zip(panel, origins, strict=True)]
    truth = [_truth(one, at, horizon) for one, at in zip(panel, origins, strict=True)]
    usable = [naive_names(codec, int(at[0]) + 1, horizon) for at in origins]
    scales = [_scale(one, at) for one, at in zip(panel, origins, strict=True)]

    def mean_error(name: str) -> float:
        errors = [_mean(numpy.abs(a[name] - y)) / s[-1] for a, y, s in zip(found, truth, scales, strict=True) if s[-1]]
        return float(numpy.mean(errors)) if errors else 0.0

    best = min((name for name in usable[0] if all(name in one for one in usable)), key=mean_error)
    chosen = [one[best] for one in found]
    errors = [ratio(numpy.abs(a - y), s[:, None]) for a, y, s in zip(chosen, truth, scales, strict=True)]
    widening = numpy.maximum.accumulate([_mean(column) for column in numpy.concatenate(errors).T])
    made = Baseline(codec, best, widening, normal(horizon))
    quantiles = [made.around(a, one, at) for a, one, at in zip(chosen, panel, origins, strict=True)]
    return replace(made, calibration=calibrate(quantiles, truth))


def _origins(rows: int, horizon: int) -> Ints:
    """Origins [O] of the backtest: in the last quarter or horizon, whichever is longer, after the first half.

    Where a whole horizon fits after some of them, only those are taken.
    """
    first = max(1, rows // 2, rows - 1 - max(horizon, rows // 4))
    last = rows - horizon if rows - horizon > first else rows - 1
    found = numpy.arange(min(first, last - 1), last)
    return found[numpy.unique(numpy.linspace(0, len(found) - 1, min(len(found), MOST_ORIGINS)).astype(numpy.int64))]


def _truth(series: Series, origins: Ints, horizon: int) -> Floats:
    """True values after each origin, [O, K]; NaN beyond the end."""
    padded = numpy.concatenate([series.y, numpy.full(horizon, numpy.nan)])
    return numpy.asarray(padded[origins[:, None] + numpy.arange(1, horizon + 1)])


def _scale(series: Series, origins: Ints) -> Floats:
    """Causal scale at the origins, [O]."""
    return numpy.asarray(causal_scale(series.filled(), series.observed)[origins])


def _mean(values: Floats) -> float:
    """Mean of the values that are not NaN; 0 where there are none."""
    there = values[~numpy.isnan(values)]
    return float(there.mean()) if len(there) else 0.0
