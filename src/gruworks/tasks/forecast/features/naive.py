"""Naive forecasts over NumPy and torch: baselines of all evaluations, and one part of the forecast combination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.features.difference_ar import ratio
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.seasonality import climatology, coefficients, fourier, lagged_steps
from gruworks.tasks.forecast.series.frequency import Frequency, Season
from gruworks.tasks.forecast.series.panel import Series

__all__ = [
    "CLIMATOLOGIES",
    "anomaly_slope",
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
CLIMATOLOGIES = ("climatology", "climatology + AR(1)")


def naive_names(codec: Codec, rows: int, horizon: int, periods: tuple[int, ...] = ()) -> list[str]:
    """Names of the naive forecasts that need at most `rows` rows."""
    names = ["last value", "drift", f"mean of the last {horizon}", "mean"]
    names += [SEASONAL.format(lag) for lag in codec.lags(rows, periods).values()]
    return names + list(CLIMATOLOGIES) * any(one.period < rows for one in yearly_season(codec.frequency))


def naive_forecasts(
    series: Series, codec: Codec, origins: NDArray[numpy.int64], horizon: int, periods: tuple[int, ...] = ()
) -> dict[str, Floats]:
    """Naive forecasts [O, K] by name after the rows `origins` [O].

    They are the last value; drift, the line through the first and the last value; the mean of the last K values and of
    all; the values one season ago; climatology, two harmonics of the year fitted to the rows up to the first origin;
    and climatology with a first-order autoregression on the anomalies from it.
    """
    y, past = series.filled(), slice(0, int(origins[0]) + 1)
    names = naive_names(codec, past.stop, horizon, periods)
    found = {name: naive_forecast(name, y, origins, horizon) for name in names if name not in CLIMATOLOGIES}
    if "climatology" in names:
        positions, year = codec.frequency.positions(series.timestamps), yearly_season(codec.frequency)
        ahead, at = positions[origins][:, None] + numpy.arange(1, horizon + 1), (y[origins], positions[origins])
        known = y[past], positions[past], year, ahead, series.observed[past]
        found |= {
            name: climatology_forecast(*known, at=at if anomalies else None)
            for name, anomalies in zip(CLIMATOLOGIES, (False, True), strict=True)
        }
    return found


def naive_forecast(name: str, y: Array, rows: Array, horizon: int, xp: Any = numpy) -> Array:
    """Naive forecast [..., O, K] of a name other than climatology, after the rows [O] of y [..., N]."""
    last, ahead = y[..., rows][..., None], xp.arange(1, horizon + 1)
    if name == "drift":
        return last + (last - y[..., :1, None]) / xp.clip(rows, 1, None)[:, None] * ahead
    if name.startswith("mean"):
        width = y.shape[-1] if name == "mean" else horizon
        last = _window_means(y, width, xp)[..., rows][..., None]
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
    at: tuple[Array, Array] | None = None,
) -> Array:
    """Climatology of y [..., N] at positions [..., N], evaluated at the positions `ahead` [..., O, K].

    Args:
        at: values and positions [..., O] of the origins; with them the anomaly there is continued by an autoregression.
    """
    waves = fourier(positions, seasons, xp)
    fitted = coefficients(y, waves, observed, xp, solve)[..., -1, :]
    expected = climatology(fitted[..., None, None, :], fourier(ahead, seasons, xp))
    if at is None:
        return expected
    anomalies = y - climatology(fitted[..., None, :], waves)
    if observed is not None:
        anomalies = anomalies * observed
    slope = anomaly_slope((anomalies[..., 1:] * anomalies[..., :-1]).sum(-1), (anomalies * anomalies).sum(-1), xp)
    now = at[0] - climatology(fitted[..., None, :], fourier(at[1], seasons, xp))
    return expected + now[..., None] * slope[..., None, None] ** xp.arange(1, ahead.shape[-1] + 1)


def anomaly_slope(products: Array, squares: Array, xp: Any = numpy) -> Array:
    """Slope φ of the autoregression on anomalies, from the sums of their products at lag 1 and of their squares."""
    return xp.clip(ratio(products, squares, xp), 0.0, 1.0)


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
