"""Autoregression on differences: it continues lines and doublings exactly."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gruworks.tasks.forecast.features.difference_ar import (
    causal_scale,
    causal_slope,
    cumulative_response,
    difference_ar_forecast,
    differences,
)

SERIES = arrays(numpy.float64, st.integers(3, 30), elements=st.floats(-100, 100, allow_subnormal=False))


@pytest.mark.parametrize(
    ("y", "answer"),
    [([1, 2, 3, 4, 5], 6), ([10, 20, 30, 40, 50], 60), ([5, 4, 3, 2, 1], 0), ([1, 2, 4, 8, 16], 32), ([7, 7, 7], 7)],
)
def test_it_continues_lines_doublings_and_constants(y: list[float], answer: float) -> None:
    assert difference_ar_forecast(numpy.array(y, dtype=float), 1)[0] == pytest.approx(answer, abs=1e-9)


def test_the_slope_is_the_least_squares_one_of_the_past() -> None:
    y = numpy.array([0.0, 1.0, 1.5, 3.0, 2.0, 2.2])
    d = numpy.diff(y)
    for t in range(2, len(y)):
        expected = numpy.clip(numpy.linalg.lstsq(d[: t - 1, None], d[1:t], rcond=None)[0][0], 0, 2)
        assert causal_slope(y)[t] == pytest.approx(expected, abs=1e-12)


def test_the_slope_is_clipped_between_last_value_and_doubling() -> None:
    assert causal_slope(numpy.array([0.0, 1, 0, 1, 0]))[-1] == 0
    assert causal_slope(numpy.array([0.0, 1, 4, 13, 40]))[-1] == 2


def test_nothing_is_known_before_something_moves() -> None:
    y = numpy.array([3.0, 3, 3, 4])
    assert causal_scale(y).tolist() == [0, 0, 0, 1 / 3]
    assert causal_slope(y).tolist() == [0, 0, 0, 0]
    assert differences(y).tolist() == [0, 0, 0, 1]


def test_the_path_sums_the_powers_of_the_slope() -> None:
    assert cumulative_response(numpy.array([0.0, 0.5, 1.0, 2.0]), 3).tolist() == [
        [0, 0, 0],
        [0.5, 0.75, 0.875],
        [1, 2, 3],
        [2, 6, 14],
    ]


@given(SERIES, st.integers(0, 29))
def test_a_later_row_changes_nothing_before_it(y: numpy.ndarray, at: int) -> None:
    at %= len(y)
    other = y.copy()
    other[at] += 1000
    for quantity in (differences, causal_scale, causal_slope):
        assert numpy.array_equal(quantity(y)[:at], quantity(other)[:at])
        assert len(quantity(y)) == len(y)


@given(SERIES, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_the_forecast_moves_with_level_and_unit(y: numpy.ndarray, a: float, b: float) -> None:
    y = numpy.round(y, 1)  # so that the slope does not hang on rounding errors of the level
    expected = a * difference_ar_forecast(y, 3) + b
    scale = a * (numpy.abs(numpy.diff(y)).mean() + 1) * 14
    assert numpy.abs(difference_ar_forecast(a * y + b, 3) - expected).max() <= 1e-4 * scale
