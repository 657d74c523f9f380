"""The graph of a forecaster answers as the forecaster does, from the rows alone."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy
import pandas
import pytest
import torch

from gruworks.ops.backend import backend
from gruworks.tasks.forecast.exporting import ForecastGraph, _positions
from gruworks.tasks.forecast.series.frequency import Frequency
from tests import tolerances
from tests.exported import exported

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

NAMES = ["y_hat-lo-80", "y_hat", "y_hat-hi-80"]


@pytest.mark.parametrize("kind", ["forecast", "forecast-plain"])
def test_a_hundred_histories_of_any_length(kind: str) -> None:
    one, rng = exported(kind), numpy.random.default_rng(0)
    for _ in range(100):
        rows = int(rng.integers(3, 300))
        size = 10.0 ** rng.integers(-3, 5)
        values = size * (rng.normal(0, 1, rows).cumsum() + 5 * numpy.sin(numpy.arange(rows)))
        timestamps = pandas.date_range("1994-03-05", periods=rows)
        expected = one.estimator.predict(pandas.DataFrame({"ds": timestamps, "y": values}))[NAMES].to_numpy()
        feed = {"y": values[None]}
        if one.says["positions"]:
            feed["positions"] = one.estimator.frequency.positions(timestamps.to_numpy())[None]
        found = one.run("model", **feed)["quantiles"][0]
        assert numpy.abs(found - expected).max() < tolerances.EXPORTED * max(size, numpy.abs(expected).max())


def test_rows_of_a_batch_do_not_meet() -> None:
    one, rng = exported("forecast-plain"), numpy.random.default_rng(1)
    y = rng.normal(0, 1, (7, 30)).cumsum(1)
    y[3] = 2.5  # nothing moves
    together = one.run("model", y=y)["quantiles"]
    apart = numpy.concatenate([one.run("model", y=row[None])["quantiles"] for row in y])
    assert numpy.abs(together - apart).max() < tolerances.EXPORTED
    assert (together[3] == 2.5).all()


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_widths_of_the_scale_are_exported(weight: float) -> None:
    one, y = exported("forecast-plain"), numpy.random.default_rng(2).normal(0, 1, 40).cumsum()
    forecaster = copy.copy(one.estimator)
    forecaster.blend = replace(forecaster.blend, width_weight=weight)
    graph = ForecastGraph(forecaster).eval()
    found = graph(torch.from_numpy(y)[None])[0].detach().numpy()
    frame = pandas.DataFrame({"ds": pandas.date_range("1994-03-05", periods=len(y)), "y": y})
    expected = forecaster.predict(frame)[NAMES].to_numpy()
    assert numpy.abs(found - expected).max() < tolerances.EXPORTED * numpy.abs(y).max()


@pytest.mark.parametrize("code", ["D", "h", "15min", "W", "MS", "QS", "B", "2h"])
def test_positions_can_be_counted_without_pandas(code: str) -> None:
    """As the facts say it and examples/onnx_forecast.py does it."""
    frequency = Frequency(code)
    timestamps = pandas.date_range("2019-11-04", periods=50, freq=code).to_numpy().astype("datetime64[s]")
    at = _positions(frequency)
    if at["unit"] == "months":
        steps = timestamps.astype("datetime64[M]").astype(float)
    elif at["unit"] == "business days":
        steps = numpy.busday_count(at["origin"], timestamps.astype("datetime64[D]"))
    else:
        steps = (timestamps - numpy.datetime64(at["origin"])) / numpy.timedelta64(1, "s")
    numpy.testing.assert_array_equal(steps / at["multiple"], frequency.positions(timestamps.astype("datetime64[us]")))
