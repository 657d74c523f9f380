"""Forecasts that need no learning: what every forecast here is held against, and mixed with."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.seasonality import climatology, coefficients, fourier
from gruworks.tasks.forecast.series.frequency import Season
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["naive_forecasts", "naive_names", "or_last"]

Floats = NDArray[numpy.float64]


def naive_names(codec: Codec, rows: int, horizon: int) -> list[str]:
    """The naive forecasts that `rows` rows are enough for."""
    names = ["last value", "drift", f"mean of the last {horizon}"]
    names += [f"seasonal naive ({lag})" for lag in codec.lags(rows).values()]
    return names + (["climatology"] if _year(codec, rows) else [])


def naive_forecasts(
    series: Series, codec: Codec, origins: NDArray[numpy.int64], horizon: int, periods: tuple[int, ...] = ()
) -> dict[str, Floats]:
    """Each naive forecast [O, K] after the rows `origins` [O].

    The last value; the line through the first value and the last; the mean of the last K values; the values one season
    ago; and climatology, two harmonics of the year fitted before the first origin.
    """
    y, ahead, first = series.filled(), numpy.arange(1, horizon + 1), int(origins[0])
    last = y[origins][:, None]
    means = _window_means(y, horizon)[origins][:, None]
    found = {
        "last value": numpy.repeat(last, horizon, 1),
        "drift": last + (last - y[0]) / numpy.maximum(origins, 1)[:, None] * ahead,
        f"mean of the last {horizon}": numpy.repeat(means, horizon, 1),
    }
    for lag in codec.lags(first + 1, periods).values():
        found[f"seasonal naive ({lag})"] = y[origins[:, None] + ahead - lag * -(-ahead // lag)]
    year = _year(codec, first + 1)
    if year is not None:
        season = [Season("year", year.period, min(2, year.harmonics))]
        positions = codec.frequency.positions(series.stamps)
        past = slice(0, first + 1)
        fitted = coefficients(y[past], fourier(positions[past], season), series.observed[past])[-1]
        waves = fourier((positions[origins][:, None] + ahead).ravel(), season)
        found["climatology"] = climatology(fitted, waves).reshape(len(origins), horizon)
    return found


def or_last(found: dict[str, Floats], name: str) -> Floats:
    """The naive forecast that a gate names; of a series too short for it (less than a year, say) the last value."""
    return found[name] if name in found else found["last value"]


def _year(codec: Codec, rows: int) -> Season | None:
    """The year, where the calendar has one and `rows` rows hold it whole."""
    return next((s for s in codec.frequency.seasons() if s.name == "year" and s.period < rows), None)


def _window_means(y: Floats, width: int) -> Floats:
    """The mean of the last `width` values at each row, of fewer where there are no more: [N]."""
    level = y[0]  # sums of values far from zero would lose digits
    sums = numpy.concatenate([[0.0], numpy.cumsum(y - level)])
    ends = numpy.arange(1, len(y) + 1)
    starts = numpy.maximum(0, ends - width)
    return numpy.asarray(level + (sums[ends] - sums[starts]) / (ends - starts))
