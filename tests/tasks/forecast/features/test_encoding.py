"""One text of the formulas: over torch and batches they give what they give over NumPy, series by series."""

from __future__ import annotations

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks.tasks.forecast.combination.conformal import normal, spread
from gruworks.tasks.forecast.features.difference_ar import difference_ar_forecast, to_levels
from gruworks.tasks.forecast.features.encoding import Codec, components, encoding
from gruworks.tasks.forecast.features.naive import climatology_forecast, naive_forecast
from gruworks.tasks.forecast.features.seasonality import season_basis
from gruworks.tasks.forecast.series.frequency import Frequency, Season
from tests.tolerances import FLOAT64

DAILY, WEEK, K = Frequency("D"), (Season("week", 7, 2),), 4
BATCHES = st.integers(0, 1000).map(lambda seed: numpy.random.default_rng(seed).normal(0, 5, (2, 4 + seed % 9)).round(1))


def same(found: torch.Tensor, expected: list[numpy.ndarray]) -> None:
    """`found` [B, ...] is `expected` row by row, up to the order of sums."""
    for one, other in zip(found, expected, strict=True):
        assert one.numpy() == pytest.approx(other, rel=1e-9, abs=1000 * FLOAT64)


@given(
    BATCHES, st.sampled_from([Codec(DAILY), Codec(DAILY, WEEK), Codec(DAILY, WEEK, lag=3), Codec(DAILY, missing=True)])
)
def test_encoding_and_components_over_torch(y: numpy.ndarray, codec: Codec) -> None:
    rows, positions = numpy.arange(y.shape[1]), numpy.arange(100.0, 100 + y.shape[1])
    observed = numpy.ones(y.shape[1], dtype=bool)
    basis = season_basis(list(codec.seasons), K)
    batch, at, of_rows = torch.from_numpy(y), torch.from_numpy(positions).expand(y.shape), torch.from_numpy(rows)
    found = encoding(codec, batch, at, xp=torch)
    expected = [encoding(codec, one, positions, observed) for one in y]
    for name in found._fields:
        same(getattr(found, name), [getattr(one, name) for one in expected])
    paths = components(found, torch.from_numpy(basis), codec.lag, lambda i: batch[:, i], of_rows, torch)
    plain = [components(e, basis, codec.lag, one.__getitem__, rows) for e, one in zip(expected, y, strict=True)]
    for path, of_path in zip(paths, zip(*plain, strict=True), strict=True):
        same(path, list(of_path))


@given(BATCHES, st.sampled_from(["last value", "drift", "mean of the last 4", "mean", "seasonal naive (3)"]))
def test_naive_forecasts_over_torch(y: numpy.ndarray, name: str) -> None:
    rows = numpy.array([3, y.shape[1] - 1])
    found = naive_forecast(name, torch.from_numpy(y), torch.from_numpy(rows), K, torch)
    same(found, [naive_forecast(name, one, rows, K) for one in y])


@given(BATCHES)
def test_climatology_autoregression_and_quantiles_over_torch(y: numpy.ndarray) -> None:
    positions = numpy.arange(float(y.shape[1]))
    ahead = positions[-1:, None] + numpy.arange(1, K + 1)
    batch = torch.from_numpy(y)
    at, later = torch.from_numpy(positions).expand(y.shape), torch.from_numpy(ahead).expand(2, 1, K)
    found = climatology_forecast(batch, at, list(WEEK), later, xp=torch)
    same(found, [climatology_forecast(one, positions, list(WEEK), ahead) for one in y])
    found = climatology_forecast(batch, at, list(WEEK), later, xp=torch, at=(batch[:, -1:], at[:, -1:]))
    ends = [(one[-1:], positions[-1:]) for one in y]
    same(found, [climatology_forecast(one, positions, list(WEEK), ahead, at=e) for one, e in zip(y, ends, strict=True)])
    same(difference_ar_forecast(batch, K, torch), [difference_ar_forecast(one, K) for one in y])
    change = numpy.sort(numpy.random.default_rng(0).normal(size=(2, K, 3)))
    levels, widths = to_levels(y[:, -1], numpy.ones(2), change), normal(K).at([0.025, 0.5, 0.9])
    found = to_levels(batch[:, -1], torch.ones(2), torch.from_numpy(change))
    same(spread(found, torch.from_numpy(widths), torch), list(spread(levels, widths)))
