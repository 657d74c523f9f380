"""Conformal calibration of prediction intervals by horizon, for any level.

The score of a validation row is its error over the width of the network's interval: (y - median) / (q90 - median)
above the median, / (median - q10) below. The quantiles of these scores at each horizon are the calibrated widths, so
that forecast quantiles never cross. The network was not fitted to the validation rows (split conformal prediction,
Vovk et al. 2005; the score is that of Romano et al. 2019 as a ratio).
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
SMALL = 1e-12


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


def calibrate(found: list[Floats], truth: list[Floats]) -> Calibration:
    """Calibration from low, median and high [O, K, 3] and true values [O, K] of the validation rows of each series.

    Consecutive horizons form a group where one alone has too few scores.
    """
    K = truth[0].shape[1]
    scores = numpy.concatenate([_scores(a, y) for a, y in zip(found, truth, strict=True)])
    together = min(K, max(1, -(-ENOUGH // max(1, len(scores)))))
    groups = numpy.minimum(numpy.arange(K) // together, max(0, K // together - 1))
    widths = []
    for group in range(int(groups[-1]) + 1):
        known = scores[:, groups == group]
        known = known[~numpy.isnan(known)]
        if not len(known):
            return normal(K)
        widths.append(numpy.quantile(known, _corrected(len(known))))
    return Calibration(numpy.maximum.accumulate(numpy.stack(widths), axis=1), groups)


def _scores(found: Floats, truth: Floats) -> Floats:
    error = truth - found[..., 1]
    width = numpy.where(error > 0, found[..., 2] - found[..., 1], found[..., 1] - found[..., 0])
    return numpy.asarray(error / numpy.maximum(width, SMALL))


def _corrected(count: int) -> Floats:
    """Probabilities `SHARES` with the finite-sample correction (n + 1) / n."""
    moved = 0.5 + (SHARES - 0.5) * (1 + 1 / count)
    return numpy.clip(moved, 0, 1)
