"""Floor, cap, and zeros that recur with the season."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.errors import OptionError
from gruworks.tasks.forecast.combination.bounds import Bounds, fit_bounds
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.series.frequency import Frequency
from gruworks.tasks.forecast.series.panel import Series

RNG = numpy.random.default_rng(0)
HOURLY, DAILY = Codec(Frequency("h")), Codec(Frequency("D"))


def series(y: numpy.ndarray, unit: str = "h") -> Series:
    return Series("a", (numpy.datetime64("2024-01-01", unit) + numpy.arange(len(y))).astype("datetime64[us]"), y)


def test_a_floor_is_found_where_the_history_touches_zero_and_goes_no_lower() -> None:
    counts = RNG.poisson(0.7, 60).astype(float)
    assert fit_bounds([series(counts, "D")], DAILY, None, None).low == 0
    assert fit_bounds([series(counts + 1, "D")], DAILY, None, None).low is None
    assert fit_bounds([series(counts - 1, "D")], DAILY, None, None).low is None
    assert fit_bounds([series(counts - 1, "D")], DAILY, -3.0, 5.0) == Bounds(-3.0, 5.0)


def test_zeros_at_night_stay_zeros_and_those_of_rare_sales_do_not() -> None:
    day = numpy.maximum(0, numpy.sin((numpy.arange(24 * 40) % 24 - 6) * numpy.pi / 12)) * 10
    one = series(day)
    found = fit_bounds([one], HOURLY, None, None)
    night = found.applied(numpy.ones((1, 24, 3)), one, numpy.array([len(day) - 1]))[0, :, 0] == 0
    assert night.tolist() == (day[:24] == 0).tolist()
    rare = series((RNG.random(300) < 0.2).astype(float), "D")
    assert fit_bounds([rare], DAILY, None, None).lag == 0


def test_a_forecast_keeps_within_given_bounds(tmp_path) -> None:
    y = numpy.array([9.0, 7, 8, 6, 5, 6, 4, 3, 4, 2, 1, 2])
    frame = pandas.DataFrame({"ds": pandas.date_range("2024-01-01", periods=12), "y": y})
    columns = ["y_hat", "y_hat-lo-80", "y_hat-hi-80"]
    free = Forecaster(horizon=6).fit(frame, quiet=True).predict()[columns]
    assert free.min().min() < 0
    bounded = Forecaster(horizon=6, min=0.5, max=3).fit(frame, quiet=True)
    values = bounded.predict()[columns].to_numpy()
    assert values.min() == 0.5
    assert values.max() <= 3
    kept = Forecaster.load(bounded.save(tmp_path / "run"))
    assert numpy.array_equal(kept.predict()[columns], values)
    with pytest.raises(OptionError, match="min must be at most max"):
        Forecaster(min=2, max=1)
