"""Rolling origins, scores and naive forecasts, against numbers worked out by hand and the published protocol."""

from __future__ import annotations

import json

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.data.catalogue import seattle_weather
from gruworks.errors import TooShortError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.evaluation import origin_rows, score, seasonal_lag
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts
from gruworks.tasks.forecast.series.frequency import STEPS, Frequency
from gruworks.tasks.forecast.series.panel import Series
from gruworks.tasks.forecast.series.reading import read
from tests.tasks.forecast.conftest import TINY, wavy


@pytest.mark.parametrize(
    ("rows", "horizon", "count", "seen", "expected"),
    [
        (100, 5, None, None, [74, 79, 84, 89, 94]),  # the last quarter
        (100, 5, 2, None, [89, 94]),
        (1461, 14, None, None, list(range(1096, 1447, 14))),  # 26 at most
        (100, 5, None, 90, [89, 94]),  # what the fit has not seen
        (100, 5, None, 88, [89, 94]),
        (28, 14, None, 0, [13]),  # a file of new rows alone
        (3, 1, None, 0, None),
        (100, 5, None, 100, None),
        (100, 5, 3, 90, None),
        (10, 9, None, None, None),
        (12, 9, None, None, [2]),
    ],
)
def test_origins_leave_a_whole_horizon_and_nothing_seen(
    rows: int, horizon: int, count: int | None, seen: int | None, expected: list[int] | None
) -> None:
    if expected is None:
        with pytest.raises(TooShortError, match=f"{rows} rows.*too few for"):
            origin_rows(rows, horizon, count, seen)
    else:
        assert origin_rows(rows, horizon, count, seen).tolist() == expected


def test_scores_are_those_worked_out_by_hand() -> None:
    y = numpy.array([1.0, 3, 2, 5, 4, 6, 8, 7])
    series = Series("0", numpy.arange(8), y)
    origins = numpy.array([3, 5])
    answer = numpy.array([[[4, 3, 5], [5, 5, 5.5]], [[7, 6, 9], [5, 4, 6.0]]])  # [O, K, C]: median, low, high
    codec = Codec(Frequency(STEPS))
    result = score([series], codec, [origins], [answer], [naive_forecasts(series, codec, origins, 2)], "GRU")
    errors = [abs(4 - 4), abs(5 - 6), abs(7 - 8), abs(5 - 7)]
    naive_error = numpy.mean([2, 1, 3])  # of lag 1 over the rows up to the first origin
    assert result.ours.mae == pytest.approx(numpy.mean(errors))
    assert result.ours.mase == pytest.approx(numpy.mean(errors) / naive_error)
    assert result.ours.coverage == pytest.approx(2 / 4)  # 4 in [3, 5], 8 in [6, 9]; 6 and 7 are outside
    maes = {one.model: one.mae for one in result.scores}
    assert maes["last value"] == pytest.approx(numpy.mean([1, 1, 2, 1]))
    assert maes["mean of the last 2"] == pytest.approx(numpy.mean([0.5, 2.5, 3, 2]))
    assert (result.origins, result.horizon, result.mase_season) == (2, 2, 1)
    assert (result.first_origin, result.last_origin) == ("3", "5")
    assert [one.mae for one in result.scores] == sorted(maes.values())
    assert result.best_naive.model == "last value"


def test_mase_takes_the_seasonal_naive_error_before_the_first_origin() -> None:
    panel = read(wavy(60), Config())
    series, origins = panel.series[0], numpy.array([44, 49, 54])
    answer = numpy.repeat(series.y[origins][:, None, None], 5, 1).repeat(3, 2)
    codec = Codec(panel.frequency)
    result = score([series], codec, [origins], [answer], [naive_forecasts(series, codec, origins, 5)], "GRU")
    past = series.y[:45]
    assert result.mase_season == 7
    assert result.ours.mase == pytest.approx(result.ours.mae / numpy.abs(past[7:] - past[:-7]).mean())


def test_errors_are_means_over_the_series() -> None:
    rows, codec = numpy.array([4]), Codec(Frequency(STEPS))
    panel = [Series(n, numpy.arange(6), numpy.array([0.0, 1, 0, 1, 0, end])) for n, end in (("a", 1.0), ("b", 5.0))]
    naive = [naive_forecasts(one, codec, rows, 1) for one in panel]
    result = score(panel, codec, [rows, rows], [numpy.zeros((1, 1, 3))] * 2, naive, "GRU")
    assert result.ours.mae == pytest.approx((1 + 5) / 2)


def test_a_naive_error_of_zero_leaves_mase_out_and_stays_json() -> None:
    result = Forecaster(horizon=3).evaluate([5.0] * 40, quiet=True)
    assert {one.mase for one in result.scores} == {None}
    assert {one.mae for one in result.scores} == {0.0}
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_lag_is_the_longest_season_that_the_rows_hold() -> None:
    daily = Codec(Frequency("D"))
    assert [seasonal_lag(daily, rows) for rows in (5, 8, 365, 366)] == [1, 7, 7, 365]
    assert seasonal_lag(Codec(Frequency(STEPS)), 1000) == 1
    assert seasonal_lag(Codec(Frequency("h")), 10_000) == 24


def test_the_seasonal_naive_repeats_the_last_whole_season() -> None:
    panel = read(wavy(40), Config())
    y = panel.series[0].y
    found = naive_forecasts(panel.series[0], Codec(panel.frequency), numpy.array([20]), 10)["seasonal naive (7)"]
    assert found[0].tolist() == [*y[14:21], *y[14:17]]


def test_climatology_knows_nothing_after_the_first_origin() -> None:
    panel = read(wavy(800), Config())
    one, origins = panel.series[0], numpy.array([700, 750])
    y = one.y.copy()
    y[701:] = 1e6
    poisoned = Series(one.name, one.timestamps, y)
    before, after = (naive_forecasts(s, Codec(panel.frequency), origins, 5)["climatology"] for s in (one, poisoned))
    assert numpy.array_equal(before, after)


def test_seattle_s_naive_errors_are_the_published_ones() -> None:
    panel = read(seattle_weather(), Config(time="date", target="temp_max"))
    series = panel.series[0]
    origins = origin_rows(len(series), 14, None, None)
    answers = series.y[origins[:, None] + numpy.arange(1, 15)]
    found = naive_forecasts(series, Codec(panel.frequency), origins, 14)
    errors = {name: round(float(numpy.abs(values - answers).mean()), 2) for name, values in found.items()}
    assert len(origins) == 26
    assert errors == {
        "last value": 4.0,
        "drift": 4.03,
        "mean of the last 14": 3.06,
        "seasonal naive (7)": 3.74,
        "seasonal naive (365)": 3.78,
        "climatology": 3.0,
        "mean": 6.02,
        "climatology + AR(1)": 2.85,
    }


def test_a_rolling_forecast_is_that_of_the_series_cut_at_its_origin(
    trained: Forecaster, frame: pandas.DataFrame
) -> None:
    whole = read(frame, Config()).series[0]
    origins = origin_rows(len(whole), 5, None, 140)
    assert origins.tolist() == [139, 144, 149, 154]
    rolling = trained.predictor.quantiles(whole, origins, [0.1, 0.5, 0.9])
    for origin, quantiles in zip(origins, rolling, strict=True):
        alone = trained.predict(frame[: origin + 1])[["y_hat-lo-80", "y_hat", "y_hat-hi-80"]].to_numpy()
        assert quantiles == pytest.approx(alone, abs=1e-4)
    actual = whole.y[origins[:, None] + numpy.arange(1, 6)]
    result = trained.evaluate(frame)
    assert result.ours.mae == pytest.approx(numpy.abs(rolling[..., 1] - actual).mean())
    assert result.ours.coverage == pytest.approx(numpy.mean((rolling[..., 0] <= actual) & (actual <= rolling[..., 2])))
    assert result.ours.model == "GRU"


def test_an_unfitted_evaluation_learns_from_nothing_after_its_first_origin(frame: pandas.DataFrame) -> None:
    """Poison all that comes later: the model that was fitted is the same, bit for bit."""
    poisoned = frame.copy()
    first = int(origin_rows(len(frame), 5, 3, None)[0])
    poisoned.loc[first + 1 :, "y"] = 1e6
    one, other = (Forecaster(horizon=5, **TINY) for _ in range(2))
    one.evaluate(frame, origins=3, quiet=True)
    other.evaluate(poisoned, origins=3, quiet=True)
    assert len(one.history[0]) == first + 1
    for name, value in one.model.state_dict().items():
        assert numpy.array_equal(value, other.model.state_dict()[name]), name


def test_a_fitted_forecaster_refuses_rows_that_it_has_seen(trained: Forecaster, frame: pandas.DataFrame) -> None:
    with pytest.raises(TooShortError, match="of which the fit has seen 140"):
        trained.evaluate(frame[:142])
    with pytest.raises(TooShortError, match="for 5 rolling origins"):
        trained.evaluate(frame, origins=5)
    assert trained.evaluate(frame, origins=4).origins == 4
