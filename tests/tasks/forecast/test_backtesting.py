"""Backtests, refits, the held-out rows, and going on with a fit."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
import polars
import pytest
import torch

from gruworks import Forecaster
from gruworks.errors import DataError, OptionError, RunError
from tests.tasks.forecast.conftest import TINY, wavy


def test_a_backtest_is_a_frame_of_what_was_said_beside_what_came(trained: Forecaster, frame: pandas.DataFrame) -> None:
    found = trained.backtest(frame)
    table = found.frame()
    assert list(table.columns)[:5] == ["unique_id", "cutoff", "ds", "y", "y_hat"]
    assert len(table) == 4 * 5
    assert (table["cutoff"] < table["ds"]).all()
    assert table["y"].tolist() == frame["y"][140:].tolist()
    result = found.evaluation()
    assert (table["y"] - table["y_hat"]).abs().mean() == pytest.approx(result.ours.mae)
    inside = (table["y_hat-lo-95"] <= table["y"]) & (table["y"] <= table["y_hat-hi-95"])
    assert inside.mean() == pytest.approx(result.coverage95)
    assert numpy.mean(result.by_horizon) == pytest.approx(result.ours.mae)
    assert len(result.by_horizon) == 5


def test_a_refit_has_seen_what_came_between() -> None:
    frame = wavy(160)
    once = Forecaster(horizon=5, **TINY).backtest(frame, origins=4, quiet=True)
    anew = Forecaster(horizon=5, **TINY)
    twice = anew.backtest(frame, origins=4, refit=2, quiet=True)
    assert once.answers[0][:2] == pytest.approx(twice.answers[0][:2], rel=1e-6)
    assert once.answers[0][2:] != pytest.approx(twice.answers[0][2:], rel=1e-3)
    assert len(anew.history[0]) == int(twice.origins[0][2]) + 1


def test_the_held_out_rows_are_scored(trained: Forecaster) -> None:
    result = trained.held_out()
    assert result is not None
    assert result.origins == 5
    assert Forecaster(horizon=1).fit([1, 2, 3]).held_out() is None


def test_a_fit_on_all_rows_follows_one_that_holds_some_out(tmp_path: Path) -> None:
    frame = wavy(140)
    plain = Forecaster(horizon=5, **TINY).fit(frame, quiet=True)
    whole = Forecaster(horizon=5, refit=True, **TINY).fit(frame, quiet=True, out=tmp_path / "run")
    assert plain.metrics["best_step"] == whole.metrics["best_step"]
    assert not torch.equal(plain.model.head.weight, whole.model.head.weight)
    assert not (tmp_path / "run" / "refit").exists()
    assert Forecaster.load(tmp_path / "run").predict().equals(whole.predict())


def test_a_fit_goes_on_from_its_weights(frame: pandas.DataFrame) -> None:
    forecaster = Forecaster(horizon=5, **TINY).fit(frame[:140], quiet=True)
    before = forecaster.model.head.weight.clone()
    forecaster.continue_fit(frame[140:], quiet=True)
    assert len(forecaster.history[0]) == 160
    assert not torch.equal(before, forecaster.model.head.weight)
    assert (forecaster.model.head.weight - before).abs().max() < before.abs().max()
    assert forecaster.predict()["ds"][0] == pandas.Timestamp("2020-06-09")


def covered(rows: int = 140) -> pandas.DataFrame:
    sale = numpy.random.default_rng(0).integers(0, 2, rows)
    return wavy(rows).assign(sale=numpy.where(sale, "yes", "no"), price=sale * 2.0, y=lambda t: t["y"] + 8 * sale)


def test_covariates_known_ahead_move_the_forecast() -> None:
    """A sale adds 8: what is said of it must be seen in the forecast, and only where it is."""
    settings = TINY | {"steps": 300, "learning_rate": 0.02, "season": False, "patience": 30}
    forecaster = Forecaster(horizon=3, future=("sale",), **settings).fit(covered(), quiet=True)
    timestamps = pandas.date_range("2020-05-20", periods=3)
    said = [
        forecaster.predict(future=pandas.DataFrame({"ds": timestamps, "sale": s}))["y_hat"]
        for s in (["no"] * 3, ["no", "yes", "no"])
    ]
    moved = (said[1] - said[0]).tolist()
    assert moved[0] == pytest.approx(0, abs=1e-6)
    assert moved[1] == pytest.approx(8, abs=2.5)
    assert moved[2] == pytest.approx(0, abs=1e-6)


def test_covariates_that_are_missing_or_unknown_are_refused_by_name() -> None:
    forecaster = Forecaster(horizon=3, future=("sale",), past=("price",), **TINY).fit(covered(), quiet=True)
    with pytest.raises(DataError, match=r"series '0' has no future covariates \(sale\) for 2020-05-20"):
        forecaster.predict()
    timestamps = pandas.date_range("2020-05-20", periods=3)
    with pytest.raises(DataError, match=r"no future covariates .* for 2020-05-22"):
        forecaster.predict(future=pandas.DataFrame({"ds": timestamps[:2], "sale": "no"}))
    with pytest.raises(DataError, match="sale of series '0' is 'never', which the fit has not seen; it knows: no, yes"):
        forecaster.predict(future=pandas.DataFrame({"ds": timestamps, "sale": "never"}))
    with pytest.raises(OptionError, match="has no future covariates"):
        Forecaster(horizon=3).fit([1, 2, 3]).predict(future=covered())
    with pytest.raises(OptionError, match="the segment model reads the target alone"):
        Forecaster(model="segment", window=240, past=("price",))


def test_covariates_and_gaps_are_saved_with_the_run(tmp_path: Path) -> None:
    frame = covered().assign(shop="x")
    frame.loc[[20, 90], "y"] = numpy.nan
    forecaster = Forecaster(horizon=3, future=("sale",), past=("price",), static=("shop",), **TINY).fit(
        frame, quiet=True
    )
    ahead = pandas.DataFrame({"ds": pandas.date_range("2020-05-20", periods=3), "sale": ["no", "yes", "no"]})
    loaded = Forecaster.load(forecaster.save(tmp_path / "run"))
    assert loaded.predict(future=ahead).equals(forecaster.predict(future=ahead))
    assert "2 values are missing" in loaded.fit_warnings[0]


def test_several_targets_stand_side_by_side(tmp_path: Path) -> None:
    frame = wavy(140).assign(z=lambda t: -2 * t["y"])
    forecaster = Forecaster(horizon=3, target="y,z", **TINY).fit(frame, quiet=True)
    table = forecaster.predict(level=[50])
    assert list(table.columns) == ["unique_id", "ds", *(f"{t}_hat{b}" for t in "yz" for b in ("", "-lo-50", "-hi-50"))]
    assert Forecaster.load(forecaster.save(tmp_path / "run")).predict(level=[50]).equals(table)


def test_irregular_stamps_are_forecast_and_later_rows_read_after_the_fitted() -> None:
    rng = numpy.random.default_rng(0)
    timestamps = pandas.Timestamp("2024-01-01") + pandas.to_timedelta(
        rng.exponential(3600, 200).cumsum().round(), unit="s"
    )
    frame = pandas.DataFrame({"ds": timestamps, "y": numpy.sin(numpy.arange(200) / 5)})
    forecaster = Forecaster(horizon=3, **TINY).fit(frame[:180], quiet=True)
    table = forecaster.predict()
    assert (numpy.diff(table["ds"]) == numpy.median(numpy.diff(timestamps[:180]))).all()
    whole, later = forecaster.predict(frame), forecaster.predict(frame[180:])
    assert later["y_hat"].tolist() == pytest.approx(whole["y_hat"].tolist(), rel=1e-4)


def test_levels_are_any_percentages_and_nest() -> None:
    forecaster = Forecaster(horizon=3, **TINY).fit(
        polars.DataFrame({"ds": range(140), "y": wavy(140)["y"]}), quiet=True
    )
    table = forecaster.predict(level=[50, 80, 99])
    assert (table["y_hat-lo-99"] <= table["y_hat-lo-80"]).all()
    assert (table["y_hat-lo-80"] <= table["y_hat-lo-50"]).all()
    assert (table["y_hat-hi-50"] <= table["y_hat-hi-80"]).all()
    with pytest.raises(OptionError, match="expected distinct levels, got 80, 50, 80"):
        forecaster.predict(level=[80, 50, 80])
    for level in (0, 100, -5):
        with pytest.raises(OptionError, match="a percentage between 0 and 100"):
            forecaster.predict(level=[level])


@pytest.mark.parametrize("name", ["codec/codec.json", "context.safetensors", "weights.safetensors", "config.json"])
def test_a_truncated_run_is_refused(name: str, trained: Forecaster, tmp_path: Path) -> None:
    path = trained.save(tmp_path / "run") / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(RunError, match=f"{path.name} is damaged"):
        Forecaster.load(tmp_path / "run")


def test_an_edited_run_is_refused(trained: Forecaster, tmp_path: Path) -> None:
    path = trained.save(tmp_path / "run") / "codec" / "codec.json"
    for old, new in (
        ('"weight": 1.0', '"weight": 7'),
        ('"series": [', '"series": ["x", '),
        ('"missing": false', '"missing": true'),
    ):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        with pytest.raises(RunError, match=r"damaged|doesn't fit"):
            Forecaster.load(tmp_path / "run")
        path.write_text(text)
