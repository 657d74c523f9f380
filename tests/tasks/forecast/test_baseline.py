"""The naive forecast of a table is the one with the least error on its own past, however short the table."""

from __future__ import annotations

import numpy
import pytest

from gruworks.tasks.forecast.baseline import best_naive
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.series.frequency import Frequency
from gruworks.tasks.forecast.series.panel import Series

RNG = numpy.random.default_rng(0)
WEEK = numpy.tile([10.0, 12, 11, 13, 20, 30, 28], 30)
YEAR = 100 + 20 * numpy.sin(numpy.arange(96) * numpy.pi / 6)


def series(y: numpy.ndarray, unit: str = "D", name: str = "a") -> Series:
    timestamps = numpy.datetime64("2015-01", unit) + numpy.arange(len(y))
    return Series(name, timestamps.astype("datetime64[us]"), numpy.asarray(y, dtype=float))


@pytest.mark.parametrize(
    ("y", "unit", "code", "best"),
    [
        (WEEK + RNG.normal(0, 0.5, 210), "D", "D", "seasonal naive (7)"),
        (YEAR, "M", "MS", "seasonal naive (12)"),
        (3.0 * numpy.arange(40), "D", "D", "drift"),
        (RNG.normal(0, 1, 200), "D", "D", "mean"),
        (numpy.full(50, 5.0), "D", "D", "last value"),
    ],
)
def test_the_best_on_the_past_is_chosen(y: numpy.ndarray, unit: str, code: str, best: str) -> None:
    one = series(y, unit)
    found = best_naive([one], Codec(Frequency(code)), 7)
    assert found.name == best
    evaluation = found.evaluation([one])
    assert evaluation is not None
    assert evaluation.scores[0].model == best
    assert all(score.coverage is None for score in evaluation.scores)


@pytest.mark.parametrize("rows", [3, 4, 12, 15])
def test_a_table_shorter_than_its_horizon_has_an_answer_and_no_test(rows: int) -> None:
    one = series(WEEK[:rows])
    found = best_naive([one], Codec(Frequency("D")), 14)
    answer = found.quantiles(one, numpy.array([rows - 1]), [0.5, 0.1, 0.9])
    assert answer.shape == (1, 14, 3)
    assert numpy.isfinite(answer).all()
    assert found.evaluation([one]) is None


def test_intervals_hold_their_share_of_the_errors() -> None:
    walk = series(numpy.cumsum(RNG.normal(0, 1, 800)))
    found = best_naive([walk], Codec(Frequency("D")), 5)
    rows = numpy.arange(100, 795)
    low, high = found.quantiles(walk, rows, [0.1, 0.9]).transpose(2, 0, 1)
    truth = walk.y[rows[:, None] + numpy.arange(1, 6)]
    assert 0.7 < ((low <= truth) & (truth <= high)).mean() < 0.9


def test_series_count_alike_whatever_their_size() -> None:
    small, large = series(WEEK + RNG.normal(0, 0.1, 210)), series(1e6 * WEEK, name="b")
    assert best_naive([small, large], Codec(Frequency("D")), 7).name == "seasonal naive (7)"


def test_missing_values_are_left_out() -> None:
    y = WEEK.copy()
    y[5::9] = numpy.nan
    found = best_naive([series(y)], Codec(Frequency("D")), 7)
    assert found.name == "seasonal naive (7)"
    assert numpy.isfinite(found.quantiles(series(y), numpy.array([209]), [0.1, 0.5, 0.9])).all()
