"""Quantiles in the units of the series; intervals of the autoregression alone."""

from __future__ import annotations

from statistics import NormalDist

import numpy
import pandas
import pytest
import torch

from gruworks import Forecaster
from gruworks.tasks.forecast.data import encode
from gruworks.tasks.forecast.decoding import difference_ar_quantiles, network_quantiles
from gruworks.tasks.forecast.series.panel import Series
from tests.tolerances import FLOAT32_OUTPUT

ALL = numpy.arange(40, 140)


def test_the_units_are_those_of_the_network_s_answer(trained: Forecaster) -> None:
    encoded = encode(trained.history[0], trained.codec, 5)
    arrays = (encoded.features, encoded.components()[0], encoded.components()[1])
    with torch.no_grad():
        moved = trained.model(*(torch.from_numpy(a.astype("float32"))[None] for a in arrays))[0, ALL].numpy()
    expected = encoded.y[ALL, None, None] + encoded.scale[ALL, None, None] * moved
    assert network_quantiles(trained.model, encoded, ALL) == pytest.approx(expected, abs=100 * FLOAT32_OUTPUT)


def test_the_last_observation_moves_every_step_ahead(trained: Forecaster, frame: pandas.DataFrame) -> None:
    """Above what the level and the autoregression move: the GRU itself has read the last row."""
    one = trained.history[0]
    y = one.y.copy()
    y[-1] += 0.5
    states = []
    for values in (one.y, y):
        encoded = encode(Series(one.name, one.timestamps, values), trained.codec, 5)
        with torch.no_grad():
            states.append(trained.model.gru(torch.from_numpy(encoded.features.astype("float32"))[None])[0][0])
    learnt = [trained.model.head(state[-1]).detach() for state in states]
    assert (learnt[0] != learnt[1]).all()
    assert torch.equal(states[0][:-1], states[1][:-1])

    before, after = (trained.predict(frame[:140].assign(y=values)) for values in (one.y, y))
    assert ((after["y_hat"] - before["y_hat"]).abs() > 1e-3).all()


def test_a_later_row_changes_no_forecast_at_an_earlier_origin(trained: Forecaster) -> None:
    one = trained.history[0]
    y = one.y.copy()
    y[100:] += 30
    origins = numpy.array([60, 80, 99, 100])
    before, after = (
        trained.predictor.uncalibrated(Series(one.name, one.timestamps, values), origins) for values in (one.y, y)
    )
    assert before[:3] == pytest.approx(after[:3], abs=1e-9)
    assert (before[3] != after[3]).all()


def test_the_autoregression_s_interval_is_normal_and_widens_as_the_root_of_the_steps(trained: Forecaster) -> None:
    y = numpy.array([0.0, 1, 3, 2, 4, 5, 3, 6])
    encoded = encode(Series("0", trained.history[0].timestamps[:8], y), trained.codec, 5)
    low, middle, high = difference_ar_quantiles(encoded, numpy.array([7]))[0].T
    d = numpy.diff(y)
    slope = numpy.clip((d[1:] @ d[:-1]) / (d[:-1] @ d[:-1]), 0, 2)
    spread = numpy.sqrt(numpy.mean((d[1:] - slope * d[:-1]) ** 2)) * NormalDist().inv_cdf(0.9)
    assert high - middle == pytest.approx(spread * numpy.sqrt(numpy.arange(1, 6)))
    assert middle - low == pytest.approx(high - middle)
