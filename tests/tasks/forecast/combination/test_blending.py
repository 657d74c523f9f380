"""The skill blend: closed on noise, open where there is skill, and it says which."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.tasks.forecast.combination.blending import (
    NETWORK_ALONE,
    Blend,
    Judged,
    fit_blend,
    fit_blends,
    fit_references,
)

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
    assert (blend.weight, blend.naive, blend.skill) == (pytest.approx(1, abs=0.01), "last value", True)
    assert blend.ratio == pytest.approx(0, abs=0.01)
    assert "99% network" in str(blend)


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


def test_a_sure_gain_of_half_a_percent_is_no_skill() -> None:
    truth = numpy.zeros((ORIGINS, K))
    assert judged(truth + 0.995, truth + 1, truth).weight == 0.0
    assert 0.5 < judged(truth + 0.993, truth + 1, truth).weight * 2 < 1.1  # shrunk, not cut off
    assert judged(truth + 0.95, truth + 1, truth).weight > 0.98


def test_what_is_missing_is_left_out_and_nothing_to_judge_on_leaves_the_network_alone() -> None:
    truth, noise = drawn(3)
    holed = truth.copy()
    holed[::2, 1] = numpy.nan
    assert judged(truth, truth + noise, holed).weight > 0.98
    assert fit_blend([truth], [{}], [truth], [numpy.ones(ORIGINS)]) == NETWORK_ALONE


def test_a_naive_forecast_that_one_series_has_not_is_left_out() -> None:
    truth, noise = drawn(4)
    naive = [{"last value": truth + noise, "season": truth}, {"last value": truth + noise}]
    blend = fit_blend([truth, truth], naive, [truth, truth], [numpy.ones(ORIGINS)] * 2)
    assert blend.naive == "last value"


def test_chance_closes_the_blend_by_degrees() -> None:
    """The weight grows with the evidence, from 0: no threshold decides between nothing and all."""
    truth, noise = drawn(5)
    other = drawn(6)[0]
    weights = [judged(truth + noise, truth + size * other, truth).weight for size in numpy.linspace(0.3, 2, 40)]
    assert weights[0] == 0
    assert weights[-1] > 0.6
    assert max(numpy.diff(weights)) < 0.3


def test_walks_and_noise_don_t_open_the_blend() -> None:
    opened = 0
    for seed in range(100):
        rng = numpy.random.default_rng(seed)
        truth = rng.normal(size=(ORIGINS, K)).cumsum(1)
        opened += judged(0.3 * rng.normal(size=(ORIGINS, K)), numpy.zeros((ORIGINS, K)), truth).weight > 0.1
    assert opened <= 8


def test_statistical_members_are_weighted_by_their_errors_and_few_blocks_weigh_alike() -> None:
    truth, noise = drawn(7)
    others = {"last value": truth + 3 * noise, "Theta": truth + drawn(8)[0], "Holt-Winters": truth + drawn(9)[0]}
    many = Judged(truth, others, truth, numpy.ones(ORIGINS))
    blend = fit_references([many], ["last value"], ["Theta", "Holt-Winters"], False)[0]
    assert set(blend.smoothing) == {"Theta", "Holt-Winters"}
    assert blend.naive_weight < 0.01
    few = fit_references([many.part(slice(0, 3))], ["last value"], ["Theta", "Holt-Winters"], False)[0]
    assert few.naive_weight > 0.05
    assert blend.median(truth, others["last value"], others) == pytest.approx(
        sum(share * others[name] for name, share in blend.smoothing.items()), abs=0.02
    )


def test_a_series_has_weights_of_its_own_drawn_to_the_panel_s() -> None:
    """Where one naive forecast is right for one series and another for the rest."""
    truth, noise = drawn(10)
    right, wrong = truth + 0.1 * noise, truth + noise
    judged_ = [Judged(truth, {"a": right, "b": wrong}, truth, numpy.ones(ORIGINS)) for _ in range(5)]
    judged_.append(Judged(truth, {"a": wrong, "b": right}, truth, numpy.ones(ORIGINS)))
    *own, panel = fit_references(judged_, ["a", "b"], [], False)
    assert [one.naive for one in own] == ["a"] * 5 + ["b"]
    assert panel.naive == "a"


def test_origins_that_share_their_targets_are_less_evidence() -> None:
    rng = numpy.random.default_rng(3)
    truth = rng.normal(size=(40, 10))
    ours, naive = truth + rng.normal(size=(40, 10)), truth + 1.3 * rng.normal(size=(40, 10))
    spread, near = (
        fit_blends([one], fit_references([one], ["last value"], [], False))[0]
        for one in (Judged(ours, {"last value": naive}, truth, numpy.ones(40), span=span) for span in (390.0, 9.0))
    )
    assert spread.t is not None
    assert near.t is not None
    assert near.t < 0.75 * spread.t
    assert near.weight < spread.weight


def test_a_gate_comes_back_from_its_dict() -> None:
    blend = Blend(0.4, "drift", 0.9, 2.0, {"Theta": 0.5})
    assert Blend(**blend.to_dict()) == blend


def test_a_series_too_short_for_the_gates_naive_forecast_gets_the_last_value() -> None:

    days = pandas.date_range("2020-01-01", periods=800)
    wave = 10 + 8 * numpy.sin(numpy.arange(800) * 2 * numpy.pi / 365.25) + numpy.tile([0.5, -0.5], 400)
    fitted = Forecaster(horizon=3, steps=2, validate_every=1, hidden_size=4, blend=False).fit(
        pandas.DataFrame({"ds": days, "y": wave}), quiet=True
    )
    fitted.blend = Blend(0.0, "climatology")
    short = pandas.DataFrame({"ds": days[:40], "y": wave[:40]})
    assert fitted.predict(short)["y_hat"].tolist() == pytest.approx([wave[39]] * 3, abs=1e-6)
