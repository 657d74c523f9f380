"""Conformal calibration of prediction intervals by horizon, for any level.

The score of a forecast is its error over the width of the interval before calibration: (y - median) / (q90 - median)
above the median, / (median - q10) below. The quantiles of these scores at each horizon are the calibrated widths, so
that forecast quantiles never cross. The forecasts are those of combinations whose weights were chosen on other rows
(cross-conformal prediction, Vovk 2015; the score is that of Romano et al. 2019 as a ratio).

Origins less than a horizon apart share targets, so n origins are n / K independent scores. Where these are few, the
quantiles are drawn towards those of Student's t with as many degrees of freedom, the horizons share one distribution,
each relative to its own mean error, and all widths are widened.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["SHARES", "Calibration", "calibrate", "normal", "spread"]

Array = Any  # numpy.ndarray or torch.Tensor
Floats = NDArray[numpy.float64]
SHARES = numpy.array([0.001, 0.005, 0.01, 0.025, *numpy.arange(0.05, 0.951, 0.025), 0.975, 0.99, 0.995, 0.999])
ENOUGH = 400  # scores that a group of horizons needs
LEAST_FREEDOM = 4.0  # degrees of freedom
FEW = 20  # independent scores, at which Student's t counts as much as the scores' own quantiles
FEW_ORIGINS = 0.6  # widening of all widths, over the root of the number of independent scores
SMALL = 1e-12
MEAN_OF_NORMAL = 0.7979  # mean absolute value of a standard normal variable


@dataclass(frozen=True)
class Calibration:
    """Widths from the median [groups, SHARES] for the probabilities `SHARES`, and the group of each horizon [K]."""

    widths: Floats
    groups: NDArray[numpy.int64]

    def quantiles(self, found: Floats, shares: list[float]) -> Floats:
        """Quantiles [..., K, S] for the S probabilities `shares`, from low, median and high [..., K, 3]."""
        return numpy.asarray(spread(found, self.at(shares)))

    def at(self, shares: list[float]) -> Floats:
        """Signed widths from the median for the S probabilities `shares` at each horizon, [K, S]."""
        found = numpy.array([numpy.interp(shares, SHARES, row) for row in self.widths])[self.groups]
        side = numpy.sign(numpy.array(shares) - 0.5)
        return numpy.asarray(side * numpy.maximum(side * found, 0))


def spread(found: Array, widths: Array, xp: Any = numpy) -> Array:
    """Quantiles [..., K, S] at signed `widths` [K, S] from the median, in units of the interval `found` [..., K, 3]."""
    low, middle, high = (found[..., i, None] for i in range(3))
    return middle + xp.where(widths > 0, widths * (high - middle), widths * (middle - low))


def normal(horizon: int) -> Calibration:
    """Calibration by a normal distribution, for a fit without validation rows."""
    unit = NormalDist().inv_cdf(0.9)
    widths = numpy.array([[NormalDist().inv_cdf(float(share)) / unit for share in SHARES]])
    return Calibration(widths, numpy.zeros(horizon, dtype=numpy.int64))


def calibrate(found: list[Floats], truth: list[Floats], independent: bool = False) -> Calibration:
    """Calibration from low, median and high [O, K, 3] and true values [O, K] of the rolling origins of each series.

    Consecutive horizons form a group where one alone has too few scores.

    Args:
        independent: True where no two origins share targets.
    """
    K = truth[0].shape[1]
    scores = numpy.concatenate([_scores(a, y) for a, y in zip(found, truth, strict=True)])
    if numpy.isnan(scores).all():
        return normal(K)
    count = float((~numpy.isnan(scores)).sum()) / K / (1 if independent else max(1.0, K / 2))
    shape = _shape(scores)
    scores = scores / shape
    shape = shape * (1 + FEW_ORIGINS / numpy.sqrt(max(count, 1.0)))
    together = min(K, max(1, -(-ENOUGH // max(1, len(scores)))))
    groups = numpy.minimum(numpy.arange(K) // together, max(0, K // together - 1))
    known = [scores[:, groups == group] for group in range(int(groups[-1]) + 1)]
    widths = numpy.stack([_widths(one[~numpy.isnan(one)], count) for one in known])
    widths = numpy.asarray(numpy.maximum.accumulate(widths, axis=1))
    if len(widths) < K:
        return Calibration(numpy.asarray(widths[groups] * shape[:, None]), numpy.arange(K))
    return Calibration(widths * shape[:, None], groups)


def _scores(found: Floats, truth: Floats) -> Floats:
    error = truth - found[..., 1]
    width = numpy.where(error > 0, found[..., 2] - found[..., 1], found[..., 1] - found[..., 0])
    return numpy.asarray(error / numpy.maximum(width, SMALL))


def _shape(scores: Floats) -> Floats:
    """Mean size of the scores at each horizon [K], never decreasing; 1 where there are none."""
    there = ~numpy.isnan(scores)
    sizes, counts = numpy.where(there, numpy.abs(scores), 0).sum(0), there.sum(0)
    return _isotonic(sizes / numpy.maximum(counts, 1), counts.astype(numpy.float64))


def _isotonic(values: Floats, weights: Floats) -> Floats:
    """Isotonic regression of `values` [K] by pooling adjacent violators; 1 in place of 0."""
    pools: list[list[float]] = []
    for value, weight in zip(values, numpy.maximum(weights, SMALL), strict=True):
        pools.append([value, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, u, m), (b, v, n) = pools.pop(-2), pools.pop()
            pools.append([(a * u + b * v) / (u + v), u + v, m + n])
    found = numpy.concatenate([numpy.full(int(n), value) for value, _, n in pools])
    monotone: Floats = numpy.where(found > 0, found, 1.0)
    return monotone


def _widths(scores: Floats, count: float) -> Floats:
    """Quantiles of the scores at `SHARES`, from `count` independent ones."""
    from scipy.special import stdtrit

    if not len(scores):
        return numpy.asarray(normal(1).widths[0])
    empirical = numpy.quantile(scores, numpy.clip(0.5 + (SHARES - 0.5) * (1 + 1 / max(count, LEAST_FREEDOM)), 0, 1))
    sizes = [numpy.abs(side).mean() if len(side) else 0.0 for side in (scores[scores < 0], scores[scores > 0])]
    whole = numpy.abs(scores).mean()
    below, above = (0.5 * (size + whole) / MEAN_OF_NORMAL for size in sizes)  # each side's, drawn to that of both
    student = numpy.where(SHARES < 0.5, below, above) * stdtrit(max(count, LEAST_FREEDOM), SHARES)
    share = count / (count + FEW)
    return numpy.asarray(share * empirical + (1 - share) * student)
