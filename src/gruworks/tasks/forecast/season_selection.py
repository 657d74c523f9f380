"""Selection of the seasonal component by its errors on held-out rows, before anything is learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.data import encode, split_rows
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.seasonality import lagged_steps
from gruworks.tasks.forecast.series.panel import Panel, Series

__all__ = ["with_seasonal_lag"]

MOST_SERIES, MOST_ORIGINS = 100, 50
CLEARLY = 0.9  # a lag must err by so much less than the climatology to take its place


def with_seasonal_lag(codec: Codec, panel: Panel, config: Config) -> Codec:
    """`codec` with the lag whose past values came clearly closer to held-out rows than the climatology, if any."""
    if not config.season or config.model != "encoder" or codec.irregular:
        return codec
    shortest = min(len(series) for series in panel.series)
    lags = list(codec.lags(shortest - config.horizon, config.periods).values())
    if not lags:
        return codec
    chosen = numpy.random.default_rng(config.training.seed).permutation(len(panel.series))[:MOST_SERIES]
    rows = [found for which in chosen if (found := _errors(panel.series[int(which)], codec, config, lags)) is not None]
    if not rows:
        return codec
    climatology, *of_lags = numpy.mean(rows, 0)
    best = int(numpy.argmin(of_lags))
    return replace(codec, lag=lags[best]) if of_lags[best] < CLEARLY * climatology else codec


def _errors(series: Series, codec: Codec, config: Config, lags: list[int]) -> list[float] | None:
    """Mean errors over the scale of the climatology (the last value where there is none) and of each lag."""
    _, first, last = split_rows(len(series), config.horizon, config.validation)
    if last - first < 1 or first < max(lags):
        return None
    rows = numpy.unique(numpy.linspace(first, last - 1, MOST_ORIGINS).astype(numpy.int64))
    encoded = encode(series, codec, config.horizon)
    y, scale = encoded.y, encoded.scale[rows[0]]
    if not scale > 0:
        return None
    truth = y[rows[:, None] + numpy.arange(1, config.horizon + 1)]
    said = [y[rows, None] + encoded.scale[rows, None] * encoded.components(rows)[1]]
    said += [y[rows[:, None] + lagged_steps(config.horizon, lag)] for lag in lags]
    return [float(numpy.abs(truth - one).mean() / scale) for one in said]
