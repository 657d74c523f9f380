"""The sampler: teacher forcing and drawing agree, paths compound, counts stay counts."""

from __future__ import annotations

from typing import Any

import numpy
import pandas
import pytest
import torch

from gruworks import Forecaster
from gruworks.errors import DataError, OptionError
from gruworks.tasks.forecast.models.deepar import SamplerNet
from gruworks.tasks.forecast.series.frequency import Season
from tests.tasks.forecast.conftest import TINY, wavy
from tests.tolerances import FLOAT32_DEEP

WEEK = (Season("week", 7, 2),)


def net(distribution: str = "student") -> SamplerNet:
    torch.manual_seed(0)
    return SamplerNet(WEEK, (7,), 6, 1, 0.0, distribution, "after").eval()


def test_a_step_at_a_time_reads_what_the_whole_window_reads() -> None:
    """The features and states that drawing forms one by one are those of teacher forcing over the path drawn."""
    model = net()
    values, scale = torch.randn(2, model.longest + 12).cumsum(1), torch.ones(2)
    waves = torch.randn(2, 12 + 5, 4)
    drawn = model.sample(values, waves, scale, paths=1, steps=5)[:, 0]
    longer = torch.cat([values, drawn[:, :4]], 1)
    with torch.no_grad():
        x = model.inputs(longer, waves[:, :16], scale)
        states, _ = model.gru(x)
        h = model.gru(x[:, :12])[1]
        for k in range(4):
            state, h = model.gru(x[:, 12 + k : 13 + k], h)
            torch.testing.assert_close(state[:, 0], states[:, 12 + k], atol=FLOAT32_DEEP, rtol=0)


@pytest.mark.parametrize("distribution", ["student", "normal"])
def test_uncertainty_compounds_along_a_path(distribution: str) -> None:
    model = net(distribution)
    torch.nn.init.zeros_(model.head.weight)
    torch.manual_seed(1)
    values = torch.randn(1, model.longest + 12).cumsum(1)
    drawn = model.sample(values, torch.zeros(1, 12 + 16, 4), torch.ones(1), paths=2000, steps=16)[0]
    spread = (drawn.quantile(0.9, 0) - drawn.quantile(0.1, 0)).tolist()
    assert spread[15] > 2.5 * spread[0]  # a walk's widens four-fold over sixteen steps


def test_a_fitted_sampler_forecasts_and_draws_the_same_paths_for_the_same_seed() -> None:
    forecaster = Forecaster(horizon=4, model="sampler", paths=50, **TINY).fit(wavy(140), quiet=True)
    assert numpy.array_equal(forecaster.sample(20), forecaster.sample(20))
    assert forecaster.sample(20).shape == (1, 20, 4)
    table = forecaster.predict()
    assert (table["y_hat-lo-80"] < table["y_hat-hi-80"]).all()
    with pytest.raises(OptionError, match='model="sampler"'):
        Forecaster(horizon=1).fit([1, 2, 3]).sample()


def test_real_values_are_free_of_level_and_unit() -> None:
    settings: dict[str, Any] = {"horizon": 4, "model": "sampler", "paths": 50, **TINY}
    frame = wavy(140)
    one = Forecaster(**settings).fit(frame, quiet=True).sample(10)
    other = Forecaster(**settings).fit(frame.assign(y=1024 * frame["y"] + 4096), quiet=True).sample(10)
    assert other == pytest.approx(1024 * one + 4096, rel=1e-3)


def test_counts_are_drawn_as_counts_and_what_is_none_is_refused() -> None:
    rng = numpy.random.default_rng(0)
    t = numpy.arange(150)
    frame = pandas.DataFrame(
        {"ds": pandas.date_range("2024-01-01", periods=150), "y": rng.poisson(3 + 2 * (t % 7 < 2))}
    )
    settings: dict[str, Any] = {"horizon": 4, "model": "sampler", "distribution": "negative_binomial", **TINY}
    drawn = Forecaster(**settings).fit(frame, quiet=True).sample(30)
    assert (drawn >= 0).all()
    assert (drawn == drawn.round()).all()
    with pytest.raises(DataError, match="the negative binomial is for counts"):
        Forecaster(**settings).fit(wavy(140), quiet=True)
