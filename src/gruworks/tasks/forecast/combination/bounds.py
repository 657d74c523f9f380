"""Bounds of the forecasts: a floor and a cap, given or found in the history, and zeros that recur with the season."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["Bounds", "fit_bounds"]

Floats = NDArray[numpy.float64]
FEWEST_ZEROS = 3  # zeros in the history of a series, from which a floor of 0 is found
CHANCE = 1e-3  # probability that zeros at one phase of the season alone come by chance
MOST_SEASONS = 60


@dataclass(frozen=True)
class Bounds:
    """Floor and cap of all forecasts.

    Args:
        lag: season at whose phases zeros recur; 0 for none.
        seasons: number of seasons that were 0 at a phase, from which its forecast is 0.
    """

    low: float | None = None
    high: float | None = None
    lag: int = 0
    seasons: int = 0

    def applied(self, found: Floats, series: Series, origins: NDArray[Any]) -> Floats:
        """Quantiles [O, K, S] within the bounds, 0 where the season's phase always was."""
        found = self.clipped(found)
        if self.lag:
            found = numpy.where(self.zeros(series, origins, found.shape[1])[..., None], 0.0, found)
        return found

    def clipped(self, found: Floats) -> Floats:
        """Values within floor and cap."""
        if self.low is None and self.high is None:
            return found
        return numpy.clip(found, self.low, self.high)

    def zeros(self, series: Series, origins: NDArray[Any], horizon: int) -> NDArray[numpy.bool_]:
        """True [O, K] for the steps ahead at whose phase the last `seasons` values were all 0."""
        steps = numpy.arange(1, horizon + 1)
        last = origins[:, None] + steps - self.lag * -(-steps // self.lag)
        rows = last[..., None] - self.lag * numpy.arange(self.seasons)
        return numpy.asarray((rows.min(-1) >= 0) & (series.filled()[numpy.maximum(rows, 0)] == 0).all(-1))

    def to_dict(self) -> dict[str, Any]:
        """All fields as values that JSON can hold, for the run folder."""
        return asdict(self)


def fit_bounds(panel: list[Series], codec: Codec, low: float | None, high: float | None) -> Bounds:
    """`low` and `high`, or a floor of 0 where no series goes below 0 and one of them touches it repeatedly."""
    y = numpy.concatenate([one.y[one.observed] for one in panel])
    if low is None and (y >= 0).all() and max(int((one.y == 0).sum()) for one in panel) >= FEWEST_ZEROS:
        low = 0.0
    if low != 0:
        return Bounds(low, high)
    share = float((y == 0).mean())
    if not 0 < share < 1:
        return Bounds(low, high)
    seasons = max(3, int(numpy.ceil(numpy.log(CHANCE) / numpy.log(share))))
    found = Bounds(low, high, min(codec.lags(min(map(len, panel))).values(), default=0), seasons)
    return found if _recur(panel, found) else Bounds(low, high)


def _recur(panel: list[Series], bounds: Bounds) -> bool:
    """True where phases of the season were 0 for so long in some series."""
    if not bounds.lag or bounds.seasons > MOST_SEASONS:
        return False
    return any(bounds.zeros(one, numpy.array([len(one) - 1]), bounds.lag).any() for one in panel)
