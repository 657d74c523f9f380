"""Forecast combination of the network with a naive forecast, weighted by their errors on validation rows.

    forecast = w · network + (1 - w) · best naive

The blending weight w is chosen for the least absolute error on validation. That alone would find some w above 0 on
pure noise, so the gain must hold where it was not chosen: validation is cut into blocks, each block is scored with the
w of the others, and the mean gain over the blocks must stand out from its spread: w grows from 0 at t = `DOUBTFUL` to
its full size at t = `CLEAR`. Below that, or where the gain is less than one percent, w is 0 and the forecast says that
it has no skill over the naive one.
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
DOUBTFUL, CLEAR = 0.5, 0.9  # t of the gain in error
FEWEST_BLOCKS = 4
LEAST_GAIN = 0.01  # of the naive error: over many series less than this may be sure, and still be worth nothing
FIRM = 99.0  # a t beyond this is given as this


@dataclass(frozen=True)
class Blend:
    """w; the naive forecast blended in ("" if none); the blend's error over the naive one's; t of the gain."""

    weight: float = 1.0
    naive: str = ""
    ratio: float | None = None
    t: float | None = None

    @property
    def skill(self) -> bool:
        return self.weight > 0

    def __str__(self) -> str:
        if not self.naive:
            return "the network's forecast alone: it was not compared with a naive forecast"
        if not self.skill:
            return f"no skill over the naive forecast ({self.naive}), which is taken alone: w = 0"
        gain = "" if self.ratio is None else f"; {100 * (1 - self.ratio):.1f} % below the naive error on validation"
        return f"w = {self.weight:.2f}: {self.weight:.0%} network, {1 - self.weight:.0%} {self.naive}{gain}"

    def median(self, network: Array, naive: Array) -> Array:
        """w · network + (1 - w) · naive; the naive forecast itself where w is 0."""
        return naive if self.weight == 0 else self.weight * network + (1 - self.weight) * naive

    def quantiles(self, network: Array, naive: Array) -> Array:
        """Low, median and high [..., 3] of the network, moved to the blend's median; naive [...]."""
        return network + (self.median(network[..., 1], naive) - network[..., 1])[..., None]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


NETWORK_ALONE = Blend()


def fit_blend(ours: list[Floats], naive: list[dict[str, Floats]], truth: list[Floats], scale: list[Floats]) -> Blend:
    """The blend by validation: for each series forecasts and truth [O, K] and the scale of each origin's errors [O].

    Naive forecasts that some series is too short for are left out; NaN in the truth is left out of the means.
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
    """t of the gain over w = 0 from mixed errors [grid, blocks], each block with the w chosen on the others."""
    blocks = mixed.shape[1]
    if blocks < FEWEST_BLOCKS:
        return None
    others = (mixed.sum(1, keepdims=True) - mixed).argmin(0)
    gain = mixed[0] - mixed[others, numpy.arange(blocks)]
    spread = gain.std(ddof=1) / numpy.sqrt(blocks)
    if not spread > 0:
        return FIRM if gain.mean() > 0 else 0.0
    return min(FIRM, float(gain.mean() / spread))


def _error(forecast: Floats, truth: Floats, scale: Floats) -> Floats:
    """Mean absolute error of each origin, [O], over the scale."""
    miss = numpy.abs(forecast - truth)
    there = ~numpy.isnan(miss)
    total = numpy.where(there, miss, 0).sum(1) / numpy.maximum(there.sum(1), 1)
    return numpy.asarray(numpy.divide(total, scale, out=numpy.zeros_like(total), where=scale > 0))


def _blocks(errors: list[Floats], truth: list[Floats]) -> Floats:
    """Means over stretches of a horizon's length or more: errors of origins closer than that share their targets."""
    found = []
    for error, y in zip(errors, truth, strict=True):
        count = max(len(error) // max(1, y.shape[1]), 1 if len(errors) > FEWEST_BLOCKS else FEWEST_BLOCKS)
        found += [float(part.mean()) for part in numpy.array_split(error, min(count, 16)) if len(part)]
    return numpy.array(found)
