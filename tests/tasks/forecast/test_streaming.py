"""Observing value by value gives the forecasts of the whole history, whatever is carried."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy
import pandas
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks import Forecaster
from gruworks.errors import DataError, OptionError
from gruworks.tasks.forecast.combination.blending import Blend
from gruworks.tasks.forecast.combination.predictor import Predictor
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.data import encode
from gruworks.tasks.forecast.decoding import EncoderEngine
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import CLIMATOLOGIES
from gruworks.tasks.forecast.series.frequency import Frequency, Season
from gruworks.tasks.forecast.series.panel import Series
from gruworks.tasks.forecast.streaming import Carried
from tests.tasks.forecast.conftest import TINY, wavy
from tests.tolerances import FORECAST_STREAM

NAIVE = ["last value", "drift", "mean of the last 5", "mean", "seasonal naive (7)"]
DAILY = Frequency("D")


def whole(forecaster: Forecaster, rows: int) -> numpy.ndarray:
    """The forecast of the whole history after its last row: low, median and high [K, 3], encoded afresh."""
    one = wavy(rows)
    series = Series("0", one["ds"].to_numpy().astype("datetime64[us]"), one["y"].to_numpy())
    return forecaster.predictor.quantiles(series, numpy.array([rows - 1]), [0.1, 0.5, 0.9])[0]


def fitted(rows: int = 140, **settings: Any) -> Forecaster:
    return Forecaster(horizon=5, **(TINY | settings)).fit(wavy(rows), quiet=True)


@pytest.mark.parametrize("settings", [{}, {"num_layers": 2}, {"season": False}, {"reset": "before"}], ids=str)
def test_observing_equals_encoding_the_same_history_afresh(settings: dict[str, Any]) -> None:
    forecaster = fitted(**settings)
    for row in range(140, 160):
        said = forecaster.observe(wavy(160)["y"][row])
        assert said.carried
        assert numpy.stack([said.low, said.y_hat, said.high], 1) == pytest.approx(
            whole(forecaster, row + 1), abs=FORECAST_STREAM
        )


STEPS = st.integers(-100, 400).map(lambda n: n / 10)  # mostly upwards: the slope is then between its bounds


@given(
    steps=st.lists(STEPS, min_size=14, max_size=18),
    missing=st.sets(st.integers(8, 17)),
    codec=st.sampled_from([Codec(DAILY), Codec(DAILY, (Season("week", 7, 2),)), Codec(DAILY, lag=3)]),
    blend=st.sampled_from(
        [Blend(), Blend(width_weight=0.5), *(Blend(weight, name) for name in NAIVE for weight in (0.0, 0.6))]
    ),
)
def test_running_sums_are_the_formulas_of_the_whole_history(
    steps: list[float], missing: set[int], codec: Codec, blend: Blend
) -> None:
    config = Config(horizon=5, hidden_size=3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = EncoderEngine(config, codec, 1).network().eval()
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    predictor = Predictor(EncoderEngine(config, codec, 1), config, codec, network, blend)
    y = numpy.cumsum(steps)
    y[[row for row in missing if row < len(y)]] = numpy.nan
    series = Series("0", numpy.datetime64("2020-01-01", "us") + numpy.arange(len(y)) * numpy.timedelta64(1, "D"), y)
    carried = Carried(series.until(8), predictor)
    for value in y[8:]:
        carried.step(float(value))
    encoded, at = encode(series, codec, config.horizon), numpy.array([len(series) - 1])
    assert carried.scale == pytest.approx(encoded.scale[-1], abs=1e-9)
    assert carried.row[0] == pytest.approx(encoded.features[-1], rel=1e-4, abs=1e-4)
    expected = predictor.uncalibrated(series, at)[0]
    assert carried.quantiles() == pytest.approx(expected, rel=1e-4, abs=1e-4 * (1 + encoded.scale[-1]))


@pytest.mark.parametrize("naive", NAIVE)
def test_the_blended_naive_forecast_is_carried_too(naive: str) -> None:
    forecaster = fitted()
    forecaster.blend = Blend(0.25, naive, 0.9, 2.0)
    for row in range(140, 152):
        said = forecaster.observe(wavy(160)["y"][row])
        assert said.y_hat == pytest.approx(whole(forecaster, row + 1)[:, 1], abs=FORECAST_STREAM)


@pytest.mark.parametrize("naive", CLIMATOLOGIES)
def test_a_lag_and_a_year_are_carried(naive: str) -> None:
    t = numpy.arange(900)
    rng = numpy.random.default_rng(0)
    y = 0.01 * t + 5 * numpy.sin(2 * numpy.pi * t / 365.25) + 4 * numpy.abs(t % 7 - 3) ** 1.5 + rng.normal(0, 0.1, 900)
    frame = pandas.DataFrame({"ds": pandas.date_range("2020-01-01", periods=900), "y": y})
    forecaster = Forecaster(horizon=5, **TINY).fit(frame[:880], quiet=True)
    forecaster.blend = Blend(0.5, naive, 0.9, 2.0)
    assert forecaster.codec is not None
    for row in range(880, 900):
        said = forecaster.observe(y[row])
    series = Series("0", frame["ds"].to_numpy().astype("datetime64[us]"), y)
    expected = forecaster.predictor.quantiles(series, numpy.array([899]), [0.5])[0, :, 0]
    assert said.y_hat == pytest.approx(expected, abs=FORECAST_STREAM)


def test_a_missing_observation_is_one_that_moves_nothing() -> None:
    forecaster = fitted()
    said = forecaster.observe(float("nan"))
    assert said.y_hat == pytest.approx(
        forecaster.predictor.quantiles(forecaster.history[0], numpy.array([140]), [0.5])[0, :, 0], abs=FORECAST_STREAM
    )


def test_predict_goes_on_from_what_was_observed_and_a_saved_run_keeps_it(tmp_path: Any) -> None:
    forecaster = fitted()
    for row in range(140, 145):
        said = forecaster.observe(wavy(160)["y"][row])
    table = forecaster.predict()
    assert table["y_hat"].to_numpy() == pytest.approx(said.y_hat, abs=FORECAST_STREAM)
    assert table["ds"][0] == pandas.Timestamp("2020-05-25")
    loaded = Forecaster.load(forecaster.save(tmp_path / "run"))
    assert len(loaded.history[0]) == 145
    assert loaded.predict()["y_hat"].to_numpy() == pytest.approx(said.y_hat, abs=FORECAST_STREAM)


def test_a_model_normalised_by_window_encodes_its_window_and_says_so() -> None:
    forecaster = fitted(model="segment", segment=8)
    for row in range(140, 143):
        said = forecaster.observe(wavy(160)["y"][row])
    assert not said.carried
    assert said.y_hat == pytest.approx(whole(forecaster, 143)[:, 1])


def test_a_copy_and_a_pickle_go_on_from_what_was_observed() -> None:
    forecaster = Forecaster(horizon=3, **TINY).fit(wavy(120), quiet=True)
    forecaster.observe(26.0)
    for other in (copy.deepcopy(forecaster), pickle.loads(pickle.dumps(forecaster))):
        assert len(other.history[0]) == 121
        assert other.observe(25.0).y_hat == pytest.approx(copy.deepcopy(forecaster).observe(25.0).y_hat, abs=1e-9)
        assert len(forecaster.history[0]) == 121


def test_what_cannot_be_observed_is_refused() -> None:
    forecaster = fitted()
    with pytest.raises(DataError, match="not infinite"):
        forecaster.observe(float("inf"))
    with pytest.raises(DataError, match="there is no series 'x' in the fit"):
        forecaster.observe(1.0, "x")
    two = pandas.concat([wavy(90).assign(unique_id=n) for n in "ab"])
    with pytest.raises(OptionError, match="there are 2 series: name one"):
        Forecaster(horizon=3, **TINY).fit(two, quiet=True).observe(1.0)
