"""Damped Holt-Winters and Theta: trend and season continued, the recursion of statsmodels, units without effect."""

from __future__ import annotations

import numpy
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from gruworks.tasks.forecast.features.smoothing import SMOOTHERS, fit_smoothers, season_length, seasonal_strength
from gruworks.tasks.forecast.series.panel import Series

RNG = numpy.random.default_rng(0)
MONTHS = numpy.arange(96)
GROWING = (100 + 2.0 * MONTHS) * (1 + 0.3 * numpy.sin(numpy.pi * MONTHS / 6)) + RNG.normal(0, 2, 96)


def series(y: numpy.ndarray) -> Series:
    return Series("a", numpy.arange(len(y)), numpy.asarray(y, dtype=float))


@pytest.fixture(scope="module")
def smoothers() -> list:
    return fit_smoothers(series(GROWING[:84]), [12])


def test_trend_and_season_are_continued(smoothers: list) -> None:
    truth, season = GROWING[84:], GROWING[72:84]
    assert [one.name for one in smoothers] == ["Holt-Winters", "Theta", *SMOOTHERS[2:]]
    naive = numpy.abs(season - truth).mean()
    errors = [numpy.abs(one.forecasts(series(GROWING), numpy.array([83]), 12)[0] - truth).mean() for one in smoothers]
    assert max(errors) < 1.2 * naive
    assert max(errors[2:]) < 0.7 * naive  # the season grows with the level


def test_the_recursion_is_that_of_statsmodels(smoothers: list) -> None:
    one = smoothers[0]
    z = numpy.round(one.standardized(GROWING[:84]), 9)
    model = ETSModel(
        z, trend="add", damped_trend=True, seasonal="add", seasonal_periods=12, initialization_method="heuristic"
    )
    alpha, beta, gamma, damping = one.gains
    by_library = model.smooth([alpha, beta, gamma, damping]).forecast(12)
    ours = one.forecasts(series(GROWING), numpy.array([83]), 12)[0]
    assert ours == pytest.approx(one.restored(numpy.asarray(by_library)), rel=1e-6)


def test_units_and_level_have_no_effect(smoothers: list) -> None:
    at = numpy.array([83, 90])
    for one, other in zip(smoothers, fit_smoothers(series(7.5 * GROWING[:84] - 300), [12]), strict=True):
        moved = other.forecasts(series(7.5 * GROWING - 300), at, 6)
        assert moved == pytest.approx(7.5 * one.forecasts(series(GROWING), at, 6) - 300, rel=1e-6)


def test_missing_values_move_the_phase_alone(smoothers: list) -> None:
    holed = GROWING.copy()
    holed[85] = numpy.nan
    one = smoothers[0]
    state, last = one.start(), None
    for value in GROWING[:85]:
        state.observe(float(value))
        last = state.ahead(2)
    found = one.forecasts(series(holed), numpy.array([85]), 1)[0]
    assert found[0] == pytest.approx(last[1])


def test_a_season_is_modelled_where_it_is_clear_and_seen_twice() -> None:
    wave = numpy.sin(numpy.arange(60) * 2 * numpy.pi / 12) + RNG.normal(0, 0.1, 60)
    assert season_length(wave, [12]) == 12
    assert season_length(wave[:20], [12]) == 1


def test_a_season_that_chance_explains_is_shrunk() -> None:
    wave = numpy.sin(numpy.arange(60) * 2 * numpy.pi / 12) + RNG.normal(0, 0.1, 60)
    assert seasonal_strength(wave, 12) > 0.9
    assert numpy.mean([seasonal_strength(RNG.normal(size=60).cumsum(), 12) for _ in range(50)]) < 0.25


def test_two_years_of_months_are_enough_for_a_season() -> None:
    wave = 100 + 20 * numpy.sin(numpy.arange(48) * 2 * numpy.pi / 12) + RNG.normal(0, 1, 48)
    for one in fit_smoothers(series(wave[:24]), [12]):
        errors = numpy.abs(one.forecasts(series(wave), numpy.array([23, 35]), 12) - wave[24:].reshape(2, 12))
        assert errors.mean() < 3, one.name


def test_a_season_that_moves_is_renewed() -> None:
    wave = numpy.tile(20 * numpy.sin(numpy.arange(12) * 2 * numpy.pi / 12), 2)
    later = numpy.tile(numpy.roll(wave[:12], 3), 4)
    for one in fit_smoothers(series(wave + RNG.normal(0, 1, 24)), [12]):
        error = [
            numpy.abs(one.forecasts(series(numpy.concatenate([wave, later])), numpy.array([at]), 12) - later[:12])
            for at in (35, 59)
        ]
        assert error[1].mean() < 0.5 * error[0].mean(), one.name


@pytest.mark.parametrize("y", [numpy.full(30, 5.0), numpy.arange(6.0), numpy.array([0.0] * 20 + [1.0])])
def test_what_can_t_be_smoothed_has_no_or_finite_smoothers(y: numpy.ndarray) -> None:
    for one in fit_smoothers(series(y), [4]):
        assert numpy.isfinite(one.forecasts(series(y), numpy.array([len(y) - 1]), 8)).all()
