"""Combinations chosen inside the history: short series, panels with weights by series, saved and carried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.errors import ExportError
from gruworks.tasks.forecast.combination.blending import Blend
from gruworks.tasks.forecast.combination.predictor import Member, smoothers_of
from gruworks.tasks.forecast.combination.selection import _Half, _origins, _width_weight, fit_combination
from tests.tasks.forecast.conftest import TINY, wavy
from tests.tolerances import FORECAST_STREAM

LAST = ["y_hat-lo-80", "y_hat", "y_hat-hi-80"]


def months(y: numpy.ndarray) -> pandas.DataFrame:
    return pandas.DataFrame({"ds": pandas.date_range("2018-01-01", periods=len(y), freq="MS"), "y": y})


def growing(rows: int, seed: int = 0) -> numpy.ndarray:
    t, rng = numpy.arange(rows), numpy.random.default_rng(seed)
    return (100 + 2.0 * t) * (1 + 0.3 * numpy.sin(numpy.pi * t / 6)) + rng.normal(0, 3, rows)


def test_a_short_season_is_repeated() -> None:
    y = numpy.tile([100.0] * 11 + [200.0], 5)
    assert Forecaster(horizon=12).fit(months(y), quiet=True).predict()["y_hat"].tolist() == pytest.approx(y[:12])


def test_a_short_series_with_trend_and_season_is_better_than_the_best_naive_forecast() -> None:
    forecaster = Forecaster(horizon=12)
    found = forecaster.evaluate(months(growing(72)), origins=2, quiet=True)
    assert found.ours.model == "statistical baselines"
    assert found.ours.mae < 0.8 * found.best_naive.mae
    assert forecaster.blend.smoothing
    assert "Theta of logarithms" in forecaster.fit_warnings[-1]


@pytest.mark.parametrize(("y", "most"), [([5, 5, 5, 5, 5, 5, 6, 9], 10), ([0] * 8 + [1, 158], 160)])
def test_one_jump_is_not_continued(y: list[float], most: float) -> None:
    assert Forecaster(horizon=3).fit(y, quiet=True).predict()["y_hat"].max() <= most


def test_a_short_walk_is_hardly_worse_than_its_last_value() -> None:
    ratios = []
    for seed in range(8):
        y = numpy.random.default_rng(seed).normal(size=60).cumsum()
        found = Forecaster(horizon=6).evaluate(months(y), origins=3, quiet=True)
        ratios.append(found.ours.mae / next(one.mae for one in found.scores if one.model == "last value"))
    assert numpy.exp(numpy.mean(numpy.log(ratios))) < 1.1


def test_series_of_a_panel_have_combinations_of_their_own_that_a_run_keeps(tmp_path: Path) -> None:
    flat = numpy.random.default_rng(1).normal(50, 1, 48)
    table = pandas.concat([months(growing(48)).assign(unique_id="grows"), months(flat).assign(unique_id="flat")])
    forecaster = Forecaster(horizon=6, steps=5, validate_every=5, hidden_size=4).fit(table, quiet=True)
    weights = {name: member.blend for (name, _), member in forecaster.members.items()}
    assert weights["grows"] != weights["flat"]
    kept = Forecaster.load(forecaster.save(tmp_path / "run"))
    assert numpy.array_equal(kept.predict()[LAST], forecaster.predict()[LAST])


def test_smoothing_is_carried_from_value_to_value_and_is_not_exported(tmp_path: Path) -> None:
    frame = wavy(160)
    forecaster = Forecaster(horizon=5, **TINY).fit(frame[:140], quiet=True)
    one, codec = forecaster.history[0], forecaster.codec
    assert codec is not None
    smoothers = smoothers_of(one, codec, forecaster.config)
    blend = Blend(0.3, "last value", 0.9, 2.0, {smoother.name: 0.1 for smoother in smoothers})
    forecaster.blend, forecaster.members = blend, {(one.name, 0): Member(blend, smoothers, one.timestamps[0])}
    for row in range(140, 152):
        said = forecaster.observe(frame["y"][row])
        assert said.carried
        whole = forecaster.predict(frame[: row + 1])[LAST].to_numpy()
        assert numpy.stack([said.low, said.y_hat, said.high], 1) == pytest.approx(whole, abs=FORECAST_STREAM)
    with pytest.raises(ExportError, match="smoothing=False"):
        forecaster.export(tmp_path / "graph")


def halves(widths: numpy.ndarray, errors: numpy.ndarray) -> list[_Half]:
    """Two halves of forecasts 0 with these half-widths [O], each horizon's error [O, K] the true value."""
    found = widths[:, None, None] * numpy.array([-1.0, 0.0, 1.0]) * numpy.ones((1, errors.shape[1], 1))
    return [_Half(h, found[h::2], errors[h::2], 1.0) for h in (0, 1)]


def test_widths_that_vary_without_the_errors_are_replaced_by_the_scale() -> None:
    rng = numpy.random.default_rng(0)
    sizes, constant = numpy.exp(rng.normal(0, 2, 200)), numpy.ones(200)
    noise = rng.normal(0, 1, (200, 4))
    assert _width_weight({1.0: halves(sizes, noise), 0.0: halves(constant, noise)}) == 0.0
    told = sizes[:, None] * noise
    assert _width_weight({1.0: halves(sizes, told), 0.0: halves(constant, told)}) == 1.0
    assert _width_weight({1.0: halves(constant, noise), 0.0: halves(constant, noise)}) == 1.0  # no gain
    assert _width_weight({1.0: halves(sizes[:1], noise[:1])[:1], 0.0: halves(constant[:1], noise[:1])[:1]}) == 1.0


def test_intervals_of_a_network_whose_widths_collapse_at_times_stay_narrow() -> None:
    """The network's widths times log-normal numbers, whatever the errors."""
    forecaster = Forecaster(horizon=5, **TINY).fit(wavy(160), quiet=True)
    predictor = forecaster.predictor
    engine, real = predictor.engine, predictor.engine.quantiles

    def collapsing(*operands: Any) -> numpy.ndarray:
        found = real(*operands)
        sizes = numpy.exp(numpy.random.default_rng(len(found)).normal(0, 3, len(found)))[:, None, None]
        return numpy.asarray(found[..., 1:2] + sizes * (found - found[..., 1:2]))

    engine.quantiles = collapsing  # type: ignore[method-assign]
    fit_combination(predictor, forecaster.history)
    assert predictor.blend.width_weight == 0
    assert all(member.blend.width_weight == 0 for member in predictor.members.values())
    one = forecaster.history[0]
    low, high = predictor.quantiles(one, numpy.arange(100, 140), [0.1, 0.9])[..., [0, 1]].transpose(2, 0, 1)
    assert (high - low).max() < 3 * numpy.median(high - low)


def test_origins_come_after_two_seasons_where_rows_allow_it() -> None:
    assert _origins(60, 12, [12], 200)[0] == 34
    assert _origins(24, 12, [12], 200)[0] == 13
    assert _origins(200, 5, [7], 200).tolist() == list(range(100, 195))
    assert len(_origins(1000, 5, [], 50)) == 50
    assert len(_origins(3, 5, [], 50)) == 0
