"""Naive forecasts over NumPy and torch: baselines of all evaluations, and one part of the forecast combination."""

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
    """Names of the naive forecasts that need at most `rows` rows."""
    names = ["last value", "drift", f"mean of the last {horizon}"]
    names += [SEASONAL.format(lag) for lag in codec.lags(rows, periods).values()]
    return names + ["climatology"] * any(one.period < rows for one in yearly_season(codec.frequency))


def naive_forecasts(
    series: Series, codec: Codec, origins: NDArray[numpy.int64], horizon: int, periods: tuple[int, ...] = ()
) -> dict[str, Floats]:
    """Naive forecasts [O, K] by name after the rows `origins` [O].

    They are the last value; drift, the line through the first and the last value; the mean of the last K values; the
    values one season ago; and climatology, two harmonics of the year fitted to the rows up to the first origin.
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
    """Naive forecast [..., O, K] of a name other than climatology, after the rows [O] of y [..., N]."""
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
    """Climatology of y [..., N] at positions [..., N], evaluated at the positions `ahead` [..., O, K]."""
    fitted = coefficients(y, fourier(positions, seasons, xp), observed, xp, solve)
    return climatology(fitted[..., -1, None, None, :], fourier(ahead, seasons, xp))


def naive_lag(name: str) -> int:
    """Lag of a seasonal naive forecast, from its name; 0 for other forecasts."""
    head, _, lag = name.partition("(")
    return int(lag.rstrip(")")) if SEASONAL.startswith(head) and lag else 0


def or_last(found: dict[str, Floats], name: str) -> Floats:
    """Naive forecast of that name or, for a series too short for it, the last value."""
    return found[name] if name in found else found["last value"]


def yearly_season(frequency: Frequency) -> list[Season]:
    """Season of climatology: the year with two harmonics; empty where the calendar has no year."""
    year = [season for season in frequency.seasons() if season.name == "year"]
    return [season._replace(harmonics=min(2, season.harmonics)) for season in year]


def _window_means(y: Array, width: int, xp: Any) -> Array:
    """Mean of the last `width` values at each row, or of all where there are fewer, [..., N]."""
    level = y[..., :1]  # sums of values far from 0 would lose digits
    sums = xp.concatenate([xp.zeros_like(level), xp.cumsum(y - level, -1)], -1)
    ends = xp.arange(1, y.shape[-1] + 1)
    starts = xp.clip(ends - width, 0, None)
    return level + (sums[..., ends] - sums[..., starts]) / (ends - starts)
