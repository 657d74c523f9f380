"""Forecast combination of the network with a naive forecast, weighted by their errors on validation rows.

    forecast = w · network + (1 - w) · best naive

The blending weight w minimizes the absolute error on the validation rows. Since that gives some w above 0 even on pure
noise, the gain is tested by cross-validation: the rows are divided into blocks, each block is scored with the w that
is best on the others, and t is the mean gain of the blocks over its standard error. w is 0 up to t = `DOUBTFUL`, and
grows to its full size at t = `CLEAR`. It is also 0 where the gain is below one percent: the network then has no skill
over the naive forecast.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["NETWORK_ALONE", "Blend", "fit_blend"]

Array = Any  # numpy.ndarray or torch.Tensor
Floats = NDArray[numpy.float64]
GRID = numpy.linspace(0, 1, 21)
DOUBTFUL, CLEAR = 0.5, 0.9  # t of the gain
FEWEST_BLOCKS = 4
LEAST_GAIN = 0.01  # relative to the naive error; smaller gains can be significant over many series, but are worthless
LARGEST_T = 99.0


@dataclass(frozen=True)
class Blend:
    """Blending weight w, name of the naive forecast ("" for none), error relative to it, and t of the gain."""

    weight: float = 1.0
    naive: str = ""
    ratio: float | None = None
    t: float | None = None

    @property
    def skill(self) -> bool:
        """True where the network has a part in the forecast."""
        return self.weight > 0

    def __str__(self) -> str:
        if not self.naive:
            return "the network's forecast alone: it was not compared with a naive forecast"
        if not self.skill:
            return f"no skill over the naive forecast ({self.naive}), which is taken alone: w = 0"
        gain = "" if self.ratio is None else f"; {100 * (1 - self.ratio):.1f} % below the naive error on validation"
        return f"w = {self.weight:.2f}: {self.weight:.0%} network, {1 - self.weight:.0%} {self.naive}{gain}"

    def median(self, network: Array, naive: Array) -> Array:
        """Blended medians w · network + (1 - w) · naive; the naive forecast itself where w is 0."""
        return naive if self.weight == 0 else self.weight * network + (1 - self.weight) * naive

    def quantiles(self, network: Array, naive: Array) -> Array:
        """Low, median and high [..., 3] of the network, shifted to the blended median; naive [...]."""
        return network + (self.median(network[..., 1], naive) - network[..., 1])[..., None]

    def to_dict(self) -> dict[str, Any]:
        """All fields as values that JSON can hold, for the run folder."""
        return asdict(self)


NETWORK_ALONE = Blend()


def fit_blend(ours: list[Floats], naive: list[dict[str, Floats]], truth: list[Floats], scale: list[Floats]) -> Blend:
    """The blend with the least error on the validation rows.

    Left out are naive forecasts that some series is too short for, and missing true values.

    Args:
        ours: forecasts of the network for each series, [O, K].
        naive: naive forecasts by name for each series, [O, K].
        truth: true values for each series, [O, K].
        scale: unit of the errors of each origin, for each series, [O].
    """
    names = [name for name in naive[0] if all(name in one for one in naive)]
    errors = {
        n: _blocks([_error(f[n], y, s) for f, y, s in zip(naive, truth, scale, strict=True)], truth) for n in names
    }
    if not names or not all(len(block) for block in errors.values()):
        return NETWORK_ALONE
    best = min(names, key=lambda name: float(errors[name].mean()))
    all_series = list(zip(ours, naive, truth, scale, strict=True))
    blends = [Blend(float(w)) for w in GRID]
    mixed = numpy.stack(
        [_blocks([_error(one.median(o, f[best]), y, s) for o, f, y, s in all_series], truth) for one in blends]
    )
    mean = mixed.mean(1)
    chosen = int(mean.argmin())
    t = _t_of_gain(mixed)
    trust = 0.0 if t is None else min(1.0, max(0.0, (t - DOUBTFUL) / (CLEAR - DOUBTFUL)))
    weight = round(float(GRID[chosen]) * trust, 3)
    ratio = float(mean[numpy.abs(GRID - weight).argmin()] / mean[0]) if weight and mean[0] > 0 else None
    if ratio is not None and ratio > 1 - LEAST_GAIN:
        return Blend(0.0, best, None, t)
    return Blend(weight, best, ratio, t)


def _t_of_gain(mixed: Floats) -> float | None:
    """t of the gain over w = 0 from errors [grid, blocks], each block with the w that is best on the others."""
    blocks = mixed.shape[1]
    if blocks < FEWEST_BLOCKS:
        return None
    others = (mixed.sum(1, keepdims=True) - mixed).argmin(0)
    gain = mixed[0] - mixed[others, numpy.arange(blocks)]
    spread = gain.std(ddof=1) / numpy.sqrt(blocks)
    if not spread > 0:
        return LARGEST_T if gain.mean() > 0 else 0.0
    return min(LARGEST_T, float(gain.mean() / spread))


def _error(forecast: Floats, truth: Floats, scale: Floats) -> Floats:
    """Mean absolute error of each origin over the scale, [O]."""
    miss = numpy.abs(forecast - truth)
    there = ~numpy.isnan(miss)
    total = numpy.where(there, miss, 0).sum(1) / numpy.maximum(there.sum(1), 1)
    return numpy.asarray(numpy.divide(total, scale, out=numpy.zeros_like(total), where=scale > 0))


def _blocks(errors: list[Floats], truth: list[Floats]) -> Floats:
    """Mean errors of blocks of a horizon or more: errors of origins less than a horizon apart share targets."""
    found = []
    for error, y in zip(errors, truth, strict=True):
        count = max(len(error) // max(1, y.shape[1]), 1 if len(errors) > FEWEST_BLOCKS else FEWEST_BLOCKS)
        found += [float(part.mean()) for part in numpy.array_split(error, min(count, 16)) if len(part)]
    return numpy.array(found)
