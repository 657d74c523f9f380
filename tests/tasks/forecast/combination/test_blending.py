"""The skill blend: closed on noise, open where there is skill, and it says which."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.tasks.forecast.combination.blending import NETWORK_ALONE, Blend, fit_blend

ORIGINS, K = 60, 3


def judged(ours: numpy.ndarray, naive: numpy.ndarray, truth: numpy.ndarray) -> Blend:
    other = naive + 5.0
    return fit_blend([ours], [{"worse": other, "last value": naive}], [truth], [numpy.ones(len(truth))])


def drawn(seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    rng = numpy.random.default_rng(seed)
    return rng.normal(size=(ORIGINS, K)), rng.normal(size=(ORIGINS, K))


def test_a_forecast_that_is_right_takes_all_the_weight() -> None:
    truth, noise = drawn(0)
    blend = judged(truth, truth + noise, truth)
    assert (blend.weight, blend.naive, blend.skill) == (1.0, "last value", True)
    assert blend.ratio == pytest.approx(0)
    assert "w = 1.00" in str(blend)


def test_noise_beside_a_better_naive_forecast_gets_no_weight() -> None:
    weights = []
    for seed in range(20):
        truth, noise = drawn(seed)
        weights.append(judged(truth + 3 * noise, truth + noise, truth).weight)
    assert numpy.mean(weights) < 0.05
    closed = Blend(0.0, "last value", None, -1.0)
    assert "no skill over the naive forecast (last value)" in str(closed)


def test_two_independent_errors_are_mixed() -> None:
    truth, one = drawn(1)
    other = drawn(2)[0]
    blend = judged(truth + one, truth + other, truth)
    assert 0.2 < blend.weight < 0.8
    assert blend.ratio is not None
    assert blend.ratio < 0.95


def test_a_constant_gain_without_spread_is_a_gain() -> None:
    truth = numpy.zeros((ORIGINS, K))
    assert judged(truth, truth + 1, truth).weight == 1.0
    assert judged(truth, truth, truth).weight == 0.0  # nothing to gain


def test_a_sure_gain_of_less_than_a_percent_is_no_skill() -> None:
    truth = numpy.zeros((ORIGINS, K))
    assert judged(truth + 0.995, truth + 1, truth).weight == 0.0
    assert judged(truth + 0.95, truth + 1, truth).weight == 1.0


def test_what_is_missing_is_left_out_and_nothing_to_judge_on_leaves_the_network_alone() -> None:
    truth, noise = drawn(3)
    holed = truth.copy()
    holed[::2, 1] = numpy.nan
    assert judged(truth, truth + noise, holed).weight == 1.0
    assert fit_blend([truth], [{}], [truth], [numpy.ones(ORIGINS)]) == NETWORK_ALONE


def test_a_naive_forecast_that_one_series_has_not_is_left_out() -> None:
    truth, noise = drawn(4)
    naive = [{"last value": truth + noise, "season": truth}, {"last value": truth + noise}]
    blend = fit_blend([truth, truth], naive, [truth, truth], [numpy.ones(ORIGINS)] * 2)
    assert blend.naive == "last value"


def test_a_gate_comes_back_from_its_dict() -> None:
    blend = Blend(0.4, "drift", 0.9, 2.0)
    assert Blend(**blend.to_dict()) == blend


def test_a_series_too_short_for_the_gates_naive_forecast_gets_the_last_value() -> None:

    days = pandas.date_range("2020-01-01", periods=800)
    wave = 10 + 8 * numpy.sin(numpy.arange(800) * 2 * numpy.pi / 365.25) + numpy.tile([0.5, -0.5], 400)
    fitted = Forecaster(horizon=3, steps=2, validate_every=1, hidden_size=4).fit(
        pandas.DataFrame({"ds": days, "y": wave}), quiet=True
    )
    fitted.blend = Blend(0.0, "climatology")
    short = pandas.DataFrame({"ds": days[:40], "y": wave[:40]})
    assert fitted.predict(short)["y_hat"].tolist() == pytest.approx([wave[39]] * 3, abs=1e-6)
