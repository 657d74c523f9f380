"""Naive forecasts, over NumPy and torch: baselines of every evaluation, and one side of the forecast combination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.seasonality import climatology, coefficients, fourier, lagged_steps
from gruworks.tasks.forecast.series.frequency import Frequency, Season
from gruworks.tasks.forecast.series.panel import Series

__all__ = [
    "climatology_forecast",
    "naive_forecast",
    "naive_forecasts",
    "naive_lag",
    "naive_names",
    "or_last",
    "yearly_season",
]

Array = Any  # numpy.ndarray or torch.Tensor
Floats = NDArray[numpy.float64]
SEASONAL = "seasonal naive ({})"


def naive_names(codec: Codec, rows: int, horizon: int, periods: tuple[int, ...] = ()) -> list[str]:
    """The naive forecasts that `rows` rows are enough for."""
    names = ["last value", "drift", f"mean of the last {horizon}"]
    names += [SEASONAL.format(lag) for lag in codec.lags(rows, periods).values()]
    return names + ["climatology"] * any(one.period < rows for one in yearly_season(codec.frequency))


def naive_forecasts(
    series: Series, codec: Codec, origins: NDArray[numpy.int64], horizon: int, periods: tuple[int, ...] = ()
) -> dict[str, Floats]:
    """Each naive forecast [O, K] after the rows `origins` [O].

    The last value; the line through the first value and the last; the mean of the last K values; the values one season
    ago; and climatology, two harmonics of the year fitted before the first origin.
    """
    y, past = series.filled(), slice(0, int(origins[0]) + 1)
    names = naive_names(codec, past.stop, horizon, periods)
    found = {name: naive_forecast(name, y, origins, horizon) for name in names if name != "climatology"}
    if "climatology" in names:
        positions, year = codec.frequency.positions(series.timestamps), yearly_season(codec.frequency)
        ahead = positions[origins][:, None] + numpy.arange(1, horizon + 1)
        found["climatology"] = climatology_forecast(y[past], positions[past], year, ahead, series.observed[past])
    return found


def naive_forecast(name: str, y: Array, rows: Array, horizon: int, xp: Any = numpy) -> Array:
    """The naive forecast of that name, climatology excepted, after `rows` [O] of y [..., N]: [..., O, K]."""
    last, ahead = y[..., rows][..., None], xp.arange(1, horizon + 1)
    if name == "drift":
        return last + (last - y[..., :1, None]) / xp.clip(rows, 1, None)[:, None] * ahead
    if name.startswith("mean of the last"):
        last = _window_means(y, horizon, xp)[..., rows][..., None]
    if lag := naive_lag(name):
        return y[..., xp.clip(rows[:, None] + lagged_steps(horizon, lag, xp), 0, None)]
    return last * xp.ones(horizon)


def climatology_forecast(
    y: Array,
    positions: Array,
    seasons: list[Season],
    ahead: Array,
    observed: Array | None = None,
    xp: Any = numpy,
    solve: Callable[[Array, Array], Array] | None = None,
) -> Array:
    """The climatology of y [..., N] at positions [..., N], forecast at the positions `ahead` [..., O, K]."""
    fitted = coefficients(y, fourier(positions, seasons, xp), observed, xp, solve)
    return climatology(fitted[..., -1, None, None, :], fourier(ahead, seasons, xp))


def naive_lag(name: str) -> int:
    """The lag of a seasonal naive forecast by its name; 0 for another."""
    head, _, lag = name.partition("(")
    return int(lag.rstrip(")")) if SEASONAL.startswith(head) and lag else 0


def or_last(found: dict[str, Floats], name: str) -> Floats:
    """The naive forecast of that name; of a series too short for it (less than a year, say) the last value."""
    return found[name] if name in found else found["last value"]


def yearly_season(frequency: Frequency) -> list[Season]:
    """The season of climatology: two harmonics of the year; none where the calendar has no year."""
    year = [season for season in frequency.seasons() if season.name == "year"]
    return [season._replace(harmonics=min(2, season.harmonics)) for season in year]


def _window_means(y: Array, width: int, xp: Any) -> Array:
    """The mean of the last `width` values at each row, of fewer where there are no more: [..., N]."""
    level = y[..., :1]  # sums of values far from zero would lose digits
    sums = xp.concatenate([xp.zeros_like(level), xp.cumsum(y - level, -1)], -1)
    ends = xp.arange(1, y.shape[-1] + 1)
    starts = xp.clip(ends - width, 0, None)
    return level + (sums[..., ends] - sums[..., starts]) / (ends - starts)
