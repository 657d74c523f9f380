"""Seasonal component: a harmonic climatology that each row fits on its own past."""

from __future__ import annotations

import numpy
import pytest

from gruworks.tasks.forecast.features.seasonality import (
    RIDGE,
    RunningClimatology,
    climatology,
    coefficients,
    fourier,
    usable_seasons,
)
from gruworks.tasks.forecast.series.frequency import Season

WEEK, YEAR = Season("week", 7, 3), Season("year", 365.25, 2)
RNG = numpy.random.default_rng(0)
AT = numpy.arange(400.0)
WEEKLY = 5 * numpy.sin(2 * numpy.pi * AT / 7) + RNG.normal(size=400)
NOISE = RNG.normal(size=400).cumsum()


@pytest.mark.parametrize("t", [0, 1, 5, 50, 399])
def test_every_row_has_the_direct_least_squares_fit_of_its_past(t: int) -> None:
    waves = fourier(AT, [WEEK, YEAR])
    rows = numpy.concatenate([numpy.ones((t + 1, 1)), waves[: t + 1]], 1)
    # The ridge as rows of data: sqrt(RIDGE) times each coefficient but the intercept shall be 0.
    ridge = numpy.sqrt(RIDGE) * numpy.eye(rows.shape[1])[1:]
    target = numpy.concatenate([WEEKLY[: t + 1], numpy.zeros(len(ridge))])
    direct = numpy.linalg.lstsq(numpy.concatenate([rows, ridge]), target, rcond=None)[0]
    assert coefficients(WEEKLY, waves)[t] == pytest.approx(direct, abs=1e-8)


def test_a_level_far_from_zero_costs_no_digits() -> None:
    waves = fourier(AT, [WEEK, YEAR])
    plain, moved = (coefficients(y, waves)[20:, 1:] for y in (WEEKLY, WEEKLY + 1e9))
    assert numpy.abs(plain - moved).max() < 1e-6  # the values themselves are rounded to 1e-7 there


def test_a_later_row_changes_no_earlier_fit() -> None:
    waves, other = fourier(AT, [WEEK]), WEEKLY.copy()
    other[300:] += 100
    before, after = coefficients(WEEKLY, waves), coefficients(other, waves)
    assert numpy.array_equal(before[:300], after[:300])
    assert not numpy.allclose(before[300:], after[300:])


def test_the_fit_finds_a_season_that_is_there() -> None:
    waves = fourier(AT, [WEEK])
    found = climatology(coefficients(WEEKLY, waves)[-1], waves)
    assert numpy.abs(found - 5 * numpy.sin(2 * numpy.pi * AT / 7)).max() < 0.5


def test_a_short_season_is_kept_only_where_it_shows() -> None:
    assert usable_seasons([WEEK], [(WEEKLY, AT)]) == [WEEK]
    assert usable_seasons([WEEK], [(NOISE, AT)]) == []
    assert usable_seasons([WEEK], [(numpy.zeros(400), AT)]) == []


def test_a_season_needs_two_whole_periods() -> None:
    assert usable_seasons([WEEK], [(WEEKLY[:13], AT[:13])]) == []
    long = numpy.arange(731.0)
    assert usable_seasons([YEAR], [(long, long)]) == [YEAR]
    assert usable_seasons([YEAR], [(long[:730], long[:730])]) == []


def test_the_longest_series_decides_for_all() -> None:
    assert usable_seasons([WEEK], [(WEEKLY, AT), (WEEKLY[:10], AT[:10])]) == [WEEK]


def test_waves_are_cosines_and_sines_of_every_harmonic() -> None:
    waves = fourier(numpy.array([0.0, 1.0]), [WEEK])
    angle = 2 * numpy.pi / 7
    expected = [w(k * angle) for k in (1, 2, 3) for w in (numpy.cos, numpy.sin)]
    assert waves[0].tolist() == [1, 0, 1, 0, 1, 0]
    assert waves[1] == pytest.approx(expected)
    assert fourier(AT, []).shape == (400, 0)


def test_a_running_climatology_is_the_fit_renewed_at_every_row() -> None:
    seasons, at = [WEEK, Season("month", 30.4, 2)], numpy.arange(1000.0) + 17
    y = 3 + numpy.random.default_rng(1).normal(size=1000).cumsum()
    observed = numpy.arange(1000) % 9 != 4
    observed[:200] = True
    running = RunningClimatology(seasons, y[:200], at[:200], 10)
    for value, there in zip(y[200:], observed[200:], strict=True):
        running.step(float(value), not there)
    waves = fourier(at, seasons)
    fitted = coefficients(y, waves, observed)[-1]
    ahead = climatology(fitted, fourier(at[-1] + numpy.arange(1, 11), seasons))
    assert running.ahead() == pytest.approx(ahead, abs=1e-8)
    assert running.here == pytest.approx(climatology(fitted, waves[-1]), abs=1e-8)
    assert running.wave[1:] == pytest.approx(waves[-1], abs=1e-10)
