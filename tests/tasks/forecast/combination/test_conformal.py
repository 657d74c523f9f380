"""Calibrated bands: they hold their share at every level and horizon, and never cross."""

from __future__ import annotations

from statistics import NormalDist

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.tasks.forecast.combination.conformal import calibrate, normal

K = 4


def misses(count: int, seed: int = 0) -> numpy.ndarray:
    """Errors that grow with the horizon and lean to one side."""
    rng = numpy.random.default_rng(seed)
    return (rng.gamma(2.0, size=(count, K)) - 1.678) * numpy.arange(1, K + 1)  # their median is 0


def answer(count: int) -> numpy.ndarray:
    return numpy.tile([-0.3, 0.0, 0.2], (count, K, 1))  # far too narrow, and lopsided


@pytest.mark.parametrize("level", [50, 80, 95])
def test_a_band_holds_its_share_at_every_horizon(level: int) -> None:
    found = calibrate([answer(3000)], [misses(3000)])
    low, high = found.quantiles(answer(3000), [0.5 - level / 200, 0.5 + level / 200]).transpose(2, 0, 1)
    later = misses(3000, seed=1)
    held = ((low <= later) & (later <= high)).mean(0)
    assert held == pytest.approx(numpy.full(K, level / 100), abs=0.03)


@given(st.integers(0, 100), st.integers(3, 40))
def test_quantiles_never_cross(seed: int, count: int) -> None:
    found = calibrate([answer(count)], [misses(count, seed)])
    shares = [0.001, 0.025, 0.1, 0.4, 0.5, 0.6, 0.9, 0.975, 0.999]
    assert (numpy.diff(found.quantiles(answer(5), shares), axis=-1) >= 0).all()


def test_few_scores_are_shared_between_horizons() -> None:
    few = calibrate([answer(50)], [misses(50)]).widths
    relative = few / few[:, -1:]
    assert relative == pytest.approx(numpy.tile(relative[0], (K, 1)))
    assert (numpy.diff(few[:, -1]) > 0).all()  # each relative to its own mean error
    many = calibrate([answer(400)], [misses(400)]).widths
    assert numpy.ptp(many / many[:, -1:], axis=0).max() > 0.01


def test_few_independent_scores_widen_the_tails() -> None:
    """As Student's t does: the spread itself is known by a few errors alone."""
    rng = numpy.random.default_rng(0)
    few = calibrate([answer(12)], [rng.normal(size=(12, K))]).at([0.9, 0.975])[0]
    many = calibrate([answer(4000)], [rng.normal(size=(4000, K))]).at([0.9, 0.975])[0]
    assert few[1] / few[0] > many[1] / many[0]


def test_what_is_missing_is_no_score_and_without_scores_the_widths_are_normal() -> None:
    holed = misses(1000)
    holed[::3] = numpy.nan
    kept = calibrate([answer(1000)], [holed]).quantiles(answer(1), [0.9])
    assert numpy.isfinite(kept).all()
    nothing = calibrate([answer(10)], [numpy.full((10, K), numpy.nan)])
    assert numpy.array_equal(nothing.widths, normal(K).widths)


def test_normal_widths_leave_the_learnt_quantiles_where_they_are() -> None:
    given_, found = answer(2), normal(K).quantiles(answer(2), [0.1, 0.5, 0.9, 0.975])
    assert found[..., :3] == pytest.approx(given_)
    ratio = NormalDist().inv_cdf(0.975) / NormalDist().inv_cdf(0.9)
    assert found[..., 3] == pytest.approx(0.2 * ratio)
