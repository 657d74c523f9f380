"""Conformal calibration by horizon: bands that held their share of validation rows, for any level.

A miss on validation is measured in widths of the band: (y - median) / (q90 - median) above, / (median - q10) below.
The shares of these scores at each horizon say how many widths a quantile lies from the median. The scores are sorted,
so quantiles never cross; they are taken from rows that the network was not fitted on (split conformal prediction,
Vovk et al. 2005; the scaled score is that of Romano et al. 2019 in ratio form).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy
from numpy.typing import NDArray

__all__ = ["SHARES", "Calibration", "calibrate", "normal"]

Floats = NDArray[numpy.float64]
SHARES = numpy.array([0.001, 0.005, 0.01, 0.025, *numpy.arange(0.05, 0.951, 0.025), 0.975, 0.99, 0.995, 0.999])
ENOUGH = 400  # scores of one group of horizons
SMALL = 1e-12


@dataclass(frozen=True)
class Calibration:
    """How many widths from the median each share lies, [groups, shares], and the group of each horizon [K]."""

    widths: Floats
    groups: NDArray[numpy.int64]

    def quantiles(self, answer: Floats, shares: list[float]) -> Floats:
        """Quantiles [..., K, len(shares)] from low, median and high [..., K, 3]; share 0.5 is the median itself."""
        low, middle, high = (answer[..., i] for i in range(3))
        columns = []
        for share in shares:
            if share == 0.5:
                columns.append(middle)
                continue
            at = numpy.array([numpy.interp(share, SHARES, row) for row in self.widths])[self.groups]
            at = numpy.maximum(at, 0) if share > 0.5 else numpy.minimum(at, 0)
            columns.append(middle + numpy.where(at > 0, at * (high - middle), at * (middle - low)))
        return numpy.stack(columns, -1)


def normal(horizon: int) -> Calibration:
    """The widths of a normal distribution, where there are no validation rows."""
    unit = NormalDist().inv_cdf(0.9)
    widths = numpy.array([[NormalDist().inv_cdf(float(share)) / unit for share in SHARES]])
    return Calibration(widths, numpy.zeros(horizon, dtype=numpy.int64))


def calibrate(answers: list[Floats], truth: list[Floats]) -> Calibration:
    """From low, median and high [O, K, 3] and truth [O, K] of each series' validation origins.

    Neighbouring horizons share a group where one alone has too few scores.
    """
    K = truth[0].shape[1]
    scores = numpy.concatenate([_scores(a, y) for a, y in zip(answers, truth, strict=True)])
    together = min(K, max(1, -(-ENOUGH // max(1, len(scores)))))
    groups = numpy.minimum(numpy.arange(K) // together, max(0, K // together - 1))
    found = []
    for group in range(int(groups[-1]) + 1):
        known = scores[:, groups == group]
        known = known[~numpy.isnan(known)]
        if not len(known):
            return normal(K)
        found.append(numpy.quantile(known, _corrected(len(known))))
    return Calibration(numpy.maximum.accumulate(numpy.stack(found), axis=1), groups)


def _scores(answer: Floats, truth: Floats) -> Floats:
    error = truth - answer[..., 1]
    width = numpy.where(error > 0, answer[..., 2] - answer[..., 1], answer[..., 1] - answer[..., 0])
    return numpy.asarray(error / numpy.maximum(width, SMALL))


def _corrected(count: int) -> Floats:
    """Shares moved outwards by the finite sample's correction, (n + 1) / n."""
    moved = 0.5 + (SHARES - 0.5) * (1 + 1 / count)
    return numpy.clip(moved, 0, 1)
