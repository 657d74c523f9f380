"""Forecaster: after 1, 2, 3, 4, 5 comes 6; frames in and out; equivariance; folders; what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gruworks.tasks.forecast.fitting as fitting
from gruworks import Forecaster
from gruworks.errors import DataError, NotFittedError, OptionError, RunError
from gruworks.tasks.forecast.config import Config
from tests.tasks.forecast.conftest import TINY, wavy

COLUMNS = ["unique_id", "ds", "y_hat", "y_hat-lo-80", "y_hat-hi-80"]
NUMBERS = ["y_hat", "y_hat-lo-80", "y_hat-hi-80"]


def values(forecast: pandas.DataFrame) -> numpy.ndarray:
    return forecast[NUMBERS].to_numpy()


@pytest.mark.parametrize(
    ("known", "horizon", "answer"),
    [
        ([1, 2, 3, 4, 5], 1, [6]),
        ([1, 2, 3, 4, 5], 5, [6, 7, 8, 9, 10]),
        ([10, 20, 30, 40, 50], 1, [60]),
        ([5, 4, 3, 2, 1], 1, [0]),
        ([1001, 1002, 1003, 1004, 1005], 1, [1006]),
        ([7, 7, 7, 7, 7], 3, [7, 7, 7]),
        ([-2.5] * 60, 3, [-2.5, -2.5, -2.5]),
    ],
)
def test_numbers_are_continued(known: list[float], horizon: int, answer: list[float]) -> None:
    forecaster = Forecaster(horizon=horizon).fit(known, quiet=True)
    assert forecaster.predict()["y_hat"].tolist() == pytest.approx(answer, abs=1e-3)
    (remark,) = forecaster.fit_warnings
    assert "the forecast is an autoregression on differences alone" in remark


def test_a_doubling_is_continued() -> None:
    assert Forecaster(horizon=1).fit([1, 2, 4, 8, 16]).predict()["y_hat"][0] == pytest.approx(32, rel=0.05)


def test_the_remark_counts_the_rows_that_can_be_trained_on(trained: Forecaster) -> None:
    assert Forecaster(horizon=14).fit([1.0, 2, 4, 3] * 15).fit_warnings[0].startswith("3 of 60 rows can be trained on")
    assert Forecaster(horizon=2).fit([5.0] * 100).fit_warnings[0].startswith("0 of 100 rows can be trained on")
    assert trained.metrics["trained"]


def test_a_growth_beyond_every_number_is_refused() -> None:
    with pytest.raises(DataError, match="series '0' is beyond every number 2000 steps ahead: shorten the horizon"):
        Forecaster(horizon=2000).fit([1, 2, 4, 8, 16]).predict()
    assert Forecaster(horizon=2000).fit([1, 2, 4, 8, 8]).predict()["y_hat"].tolist() == [8] * 2000


@settings(max_examples=15)
@given(st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_a_trained_model_moves_with_level_and_unit(
    trained: Forecaster, frame: pandas.DataFrame, a: float, b: float
) -> None:
    b *= a
    plain = values(trained.predict(frame))
    moved = values(trained.predict(frame.assign(y=a * frame["y"] + b)))
    scale = a * frame["y"].diff().abs().mean()
    assert numpy.abs(moved - (a * plain + b)).max() <= 1e-4 * scale


def test_a_model_fitted_on_other_units_is_the_same_model(frame: pandas.DataFrame, trained: Forecaster) -> None:
    y = frame["y"][:140]
    other = Forecaster(horizon=5, **TINY).fit(frame[:140].assign(y=1024 * y), quiet=True)  # a power of 2: no rounding
    assert values(other.predict()) == pytest.approx(1024 * values(trained.predict()), rel=1e-6)


def test_pandas_and_polars_give_the_same_numbers_in_their_own_type(trained: Forecaster) -> None:
    frame = wavy(140)
    other = polars.DataFrame({"ds": list(frame["ds"].dt.to_pydatetime()), "y": frame["y"].to_numpy()})
    one, two = trained.predict(frame), Forecaster(horizon=5, **TINY).fit(other, quiet=True).predict()
    assert isinstance(one, pandas.DataFrame)
    assert isinstance(two, polars.DataFrame)
    assert list(one.columns) == two.columns == COLUMNS
    assert values(one) == pytest.approx(two[NUMBERS].to_numpy(), rel=1e-6)  # one was encoded, one carried
    assert one["ds"].tolist() == [pandas.Timestamp(day) for day in two["ds"]]
    assert one["ds"].tolist() == list(pandas.date_range("2020-05-20", periods=5))
    assert isinstance(trained.predict(other), polars.DataFrame)  # as the newer data, not as the fitted


def test_the_median_lies_in_the_band(trained: Forecaster) -> None:
    forecast = trained.predict()
    assert (forecast["y_hat-lo-80"] < forecast["y_hat"]).all()
    assert (forecast["y_hat"] < forecast["y_hat-hi-80"]).all()


def test_the_mean_of_intermittent_demand_is_above_its_median() -> None:
    sold = numpy.random.default_rng(1).poisson(0.4, 80).astype(float)
    forecaster = Forecaster(horizon=3).fit(sold, quiet=True)
    found = forecaster.predict(level=[80], mean=True)
    assert list(found.columns)[-1] == "y_hat-mean"
    assert (found["y_hat-mean"] > found["y_hat"]).all()
    assert found["y_hat-mean"].to_numpy() == pytest.approx(sold.mean(), abs=0.35)
    assert found.drop(columns="y_hat-mean").equals(forecaster.predict(level=[80]))


def test_several_series_are_forecast_each_by_its_own_past() -> None:
    parts = [wavy(rows, seed).assign(unique_id=name) for name, rows, seed in (("b", 90, 1), ("a", 120, 2))]
    forecaster = Forecaster(horizon=3, **TINY).fit(pandas.concat(parts), quiet=True)
    together = forecaster.predict()
    assert together["unique_id"].tolist() == ["b"] * 3 + ["a"] * 3
    assert together["ds"][0] == parts[0]["ds"].iloc[-1] + pandas.Timedelta(days=1)
    alone = forecaster.predict(parts[1])
    assert values(alone) == pytest.approx(values(together[3:]), abs=1e-6)
    assert forecaster.metrics["trained"]


@pytest.mark.parametrize("kind", [list, tuple, numpy.array, pandas.Series, polars.Series])
def test_plain_sequences_are_forecast(kind: Any) -> None:
    forecast = Forecaster(horizon=2).fit(kind([1.0, 2.0, 3.0])).predict()
    assert forecast["y_hat"].tolist() == [4, 5]
    assert forecast["ds"].tolist() == [3, 4]


def test_a_pandas_series_keeps_its_days() -> None:
    series = pandas.Series([1.0, 2, 3], index=pandas.date_range("2024-02-27", periods=3))
    assert Forecaster(horizon=1).fit(series).predict()["ds"][0] == pandas.Timestamp("2024-03-01")


def test_the_caller_s_data_is_left_as_it_was(trained: Forecaster) -> None:
    frame, array = wavy(150), numpy.array([1.0, 2, 3, 4])
    kept, copied = frame.copy(), array.copy()
    trained.predict(frame)
    trained.evaluate(frame)
    Forecaster(horizon=1).fit(array).predict()
    Forecaster(horizon=1).fit(frame[:10]).predict()
    pandas.testing.assert_frame_equal(frame, kept)
    assert numpy.array_equal(array, copied)


def test_the_columns_have_the_names_that_were_given() -> None:
    frame = pandas.DataFrame({"day": [1, 2, 3], "sold": [2.0, 4, 6], "shop": "x"})
    forecast = Forecaster(horizon=1, time="day", target="sold", series="shop").fit(frame).predict()
    assert forecast.iloc[0].tolist() == ["x", 4, 8, 8, 8]
    assert list(forecast.columns) == COLUMNS


def test_the_same_seed_gives_the_same_bits(trained: Forecaster, frame: pandas.DataFrame) -> None:
    same = Forecaster(horizon=5, **TINY).fit(frame[:140], quiet=True)
    other = Forecaster(horizon=5, seed=1, **TINY).fit(frame[:140], quiet=True)
    assert numpy.array_equal(values(same.predict()), values(trained.predict()))
    assert not numpy.array_equal(values(other.predict()), values(trained.predict()))


def test_a_saved_forecaster_gives_the_same_bits(trained: Forecaster, frame: pandas.DataFrame, tmp_path: Path) -> None:
    loaded = Forecaster.load(trained.save(tmp_path / "run"))
    pandas.testing.assert_frame_equal(loaded.predict(), trained.predict(), check_exact=True)
    pandas.testing.assert_frame_equal(loaded.predict(frame), trained.predict(frame), check_exact=True)
    assert loaded.evaluate(frame) == trained.evaluate(frame)
    assert (loaded.config, loaded.metrics, loaded.fit_warnings) == (
        trained.config,
        trained.metrics,
        trained.fit_warnings,
    )


def test_an_autoregression_alone_and_a_polars_frame_are_saved_too(tmp_path: Path) -> None:
    fitted = Forecaster(horizon=2).fit(polars.DataFrame({"ds": [10, 20, 30], "y": [1.0, 2.0, 4.0]}))
    loaded = Forecaster.load(fitted.save(tmp_path / "run"))
    assert loaded.predict().equals(fitted.predict())
    assert loaded.fit_warnings == fitted.fit_warnings
    assert loaded.model is None


def test_before_a_fit_nothing_is_answered(tmp_path: Path) -> None:
    for call in (Forecaster().predict, lambda: Forecaster().save(tmp_path / "run"), lambda: Forecaster().frequency):
        with pytest.raises(NotFittedError, match="this Forecaster is not fitted: call fit"):
            call()


def test_a_fit_that_fails_leaves_nothing_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "fit", broken)
    forecaster = Forecaster(horizon=5, **TINY)
    with pytest.raises(KeyboardInterrupt):
        forecaster.fit(wavy(140), quiet=True)
    with pytest.raises(NotFittedError):
        forecaster.predict()


def test_data_of_another_frequency_is_refused(trained: Forecaster) -> None:
    weekly = wavy(30).assign(ds=pandas.date_range("2020-01-05", periods=30, freq="W"))
    for call in (trained.predict, trained.evaluate):
        with pytest.raises(DataError, match="the data is weekly and the fit was on daily: they must agree"):
            call(weekly)


def test_settings_come_by_name_or_as_one_object() -> None:
    assert Forecaster(horizon=3, seed=4).config == Forecaster(Config.from_flat({"horizon": 3, "seed": 4})).config
    with pytest.raises(OptionError, match="give a config or single settings, not both"):
        Forecaster(Config(), horizon=3)
    with pytest.raises(OptionError, match=r"Config has no setting horizont; it has: .*horizon"):
        Forecaster(horizont=3)


def test_a_run_folder_that_is_taken_is_refused_before_the_fit(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(RunError, match="exists already and is not an empty folder"):
        Forecaster(horizon=1).fit([1, 2, 3], out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize("scale", [1e-9, 1e-100, 1e100])
def test_tiny_and_huge_units_are_learnt_as_others_are(scale: float, trained: Forecaster) -> None:
    frame = wavy(140)
    forecast = values(trained.predict(frame.assign(y=scale * frame["y"])))
    assert forecast == pytest.approx(scale * values(trained.predict()), rel=1e-4)


def test_a_level_far_from_zero_is_forecast_from_there(trained: Forecaster) -> None:
    frame = wavy(140)
    forecast = values(trained.predict(frame.assign(y=frame["y"] + 1e9)))
    assert forecast - 1e9 == pytest.approx(values(trained.predict()), abs=1e-3)


def test_rows_that_go_on_where_the_fit_ended_are_read_after_it(frame: pandas.DataFrame, trained: Forecaster) -> None:
    whole = values(trained.predict(frame))
    numpy.testing.assert_array_equal(values(trained.predict(frame[140:])), whole)
    assert not numpy.array_equal(values(trained.predict(frame[141:])), whole)


def daily(first: str, y: list[float | None]) -> pandas.DataFrame:
    return pandas.DataFrame({"ds": pandas.date_range(first, periods=len(y)), "y": y})


def test_one_new_row_is_enough_and_skipped_rows_are_missing(frame: pandas.DataFrame, trained: Forecaster) -> None:
    assert trained.predict(frame[140:141])["ds"][0] == pandas.Timestamp("2020-05-21")
    panel = trained.read(frame[142:143])
    (series,) = panel.series
    assert (len(series), numpy.isnan(series.y[140:142]).all(), series.y[142]) == (143, True, frame["y"][142])
    assert trained.predict(frame[142:143])["ds"][0] == pandas.Timestamp("2020-05-23")


def test_rows_that_overlap_the_fitted_ones_are_joined_by_time(frame: pandas.DataFrame, trained: Forecaster) -> None:
    whole = values(trained.predict(frame))
    numpy.testing.assert_array_equal(values(trained.predict(frame[130:])), whole)
    changed = frame[130:].assign(y=lambda rows: rows["y"].where(rows.index != 135, 0.0))
    with pytest.warns(UserWarning, match="1 values differ from those that the fit has for the same times: they repl"):
        found = trained.predict(changed)
    assert not numpy.array_equal(values(found), whole)
    numpy.testing.assert_array_equal(values(trained.predict(frame[:120])), values(trained.predict(frame[90:120])))


def test_rows_off_the_frequency_of_the_fit_are_refused(frame: pandas.DataFrame, trained: Forecaster) -> None:
    late = frame[140:141].assign(ds=lambda rows: rows["ds"] + pandas.Timedelta(hours=5))
    with pytest.raises(DataError, match=r"the time 2020-05-20T05:00:00 of series '0' is off the frequency of the fit"):
        trained.predict(late)


def test_an_update_is_stored(frame: pandas.DataFrame, trained: Forecaster, tmp_path: Path) -> None:
    run = trained.save(tmp_path / "run")
    updated = Forecaster.load(run).update(frame[140:148], run)
    loaded = Forecaster.load(run)
    for one in (updated, loaded):
        assert values(one.predict()) == pytest.approx(values(trained.predict(frame[:148])), rel=1e-6)
    assert loaded.observe(frame["y"][148]).y_hat == pytest.approx(trained.predict(frame[:149])["y_hat"], rel=1e-5)
    late = Forecaster.load(run).update(frame[149:150], run)
    assert len(late.history[0]) == 150
    with pytest.raises(DataError, match="the fit has no series b: fit anew with their rows"):
        late.update(frame.assign(unique_id="b"))
    with pytest.warns(UserWarning, match="the fit has no series b: fit anew with their rows"):
        late.update(pandas.concat([frame[150:151].assign(unique_id="0"), frame.assign(unique_id="b")]))


def test_a_series_with_missing_values_goes_on_after_it_is_loaded(frame: pandas.DataFrame, trained: Forecaster) -> None:
    copied = Forecaster(trained.config)
    copied.__dict__.update(trained.__dict__ | {"streams": type(trained.streams)([*trained.history], trained.frequency)})
    copied.update(frame[142:144])
    assert numpy.isfinite(copied.observe(5.0).y_hat).all()
    assert numpy.isfinite(values(copied.predict())).all()


def test_missing_values_at_the_end_are_what_is_forecast() -> None:
    y: list[float | None] = [10.0 + (i % 7) for i in range(60)]
    known = Forecaster(horizon=7).fit(daily("2024-01-01", y))
    ended = Forecaster(horizon=7).fit(daily("2024-01-01", y + [None] * 8))
    pandas.testing.assert_frame_equal(known.predict(), ended.predict())
    assert "the last 8 rows have no value: the forecast begins with them, at 2024-03-01" in ended.fit_warnings


def test_whole_numbers_stay_the_names_of_series(tmp_path: Path) -> None:
    parts = [daily("2024-01-01", [1.0, 2, 3, 4]).assign(unique_id=name) for name in (7, 12)]
    frame = pandas.concat(parts)
    forecaster = Forecaster(horizon=1).fit(frame)
    loaded = Forecaster.load(forecaster.save(tmp_path / "run"))
    for found in (forecaster.predict(), loaded.predict(), forecaster.predict(frame)):
        assert found["unique_id"].tolist() == [7, 12]
        assert frame.merge(found, on="unique_id")["y_hat"].tolist() == [5] * 8
    texts = Forecaster(horizon=1).fit(frame.assign(unique_id=frame["unique_id"].astype(str))).predict()
    assert texts["unique_id"].tolist() == ["7", "12"]


def test_later_files_are_read_as_that_of_the_fit(tmp_path: Path) -> None:
    days = pandas.date_range("2024-01-20", periods=20)
    rows = [f"{day:%d/%m/%Y};1.{i:03d}" for i, day in enumerate(days)]
    (tmp_path / "data.csv").write_text("\n".join(["ds;y", *rows, "09/02/2024;1.020,5"]))
    forecaster = Forecaster(horizon=1).fit(tmp_path / "data.csv")
    loaded = Forecaster.load(forecaster.save(tmp_path / "run"))
    (tmp_path / "new.csv").write_text("ds;y\n10/02/2024;1.022\n")
    (series,) = loaded.read(tmp_path / "new.csv").series
    assert (str(series.timestamps[-1])[:10], series.y[-1]) == ("2024-02-10", 1022)
    (tmp_path / "iso.csv").write_text("ds,y\n2024-02-10,1022.5\n")
    assert loaded.read(tmp_path / "iso.csv").series[0].y[-1] == 1022.5


def test_a_series_that_is_left_out_of_a_frame_is_warned_of(trained: Forecaster, frame: pandas.DataFrame) -> None:
    short = frame[:2].assign(unique_id="b")
    with pytest.warns(UserWarning, match="1 series left out, with 2 rows: b"):
        found = trained.predict(pandas.concat([frame.assign(unique_id="a"), short]))
    assert set(found["unique_id"]) == {"a"}


def test_a_column_has_one_role() -> None:
    with pytest.raises(OptionError, match="expected one role for each column, but 'y' is target and future"):
        Forecaster(future=("y",))
    with pytest.raises(OptionError, match="'price' is past and future"):
        Forecaster(past=("price",), future=("price",))


def test_the_segment_model_has_defaults_that_work() -> None:
    assert Config(model="segment").look_back == 240
    assert Config().look_back == Config().window
    with pytest.raises(OptionError, match=r"expected a window of 24 steps \(segment\) at least, got 16"):
        Config(model="segment", window=16)


def test_closed_hours_are_not_forecast(tmp_path: Path) -> None:
    hours = pandas.date_range("2024-01-01", "2024-02-15", freq="h", inclusive="left")
    hours = hours[(hours.hour >= 8) & (hours.hour <= 20)]
    frame = pandas.DataFrame({"ds": hours, "y": [float(hour) for hour in hours.hour]}).drop(index=100)
    forecaster = Forecaster(horizon=20, **TINY).fit(frame, quiet=True)
    found = Forecaster.load(forecaster.save(tmp_path / "run")).predict()
    assert found["ds"].dt.hour.tolist() == [*range(8, 21), *range(8, 15)]
    assert "about 1 rows are missing between the others (hourly while open, 91 of 168 a week): read as missing" in str(
        forecaster.fit_warnings
    )
    other = frame.assign(ds=frame["ds"] + pandas.Timedelta(hours=1))
    both = pandas.concat([frame.assign(unique_id="a"), other.assign(unique_id="b")])
    assert str(Forecaster(horizon=2, **TINY).fit(both, quiet=True).frequency) == "hourly while open, 98 of 168 a week"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC", "America/New_York"])
def test_times_keep_their_zone_so_that_frames_can_be_joined(zone: str, tmp_path: Path) -> None:
    hours = pandas.date_range("2024-03-09", periods=60, freq="h", tz=zone)
    frame = pandas.DataFrame({"ds": hours, "y": numpy.arange(60.0)})
    forecaster = Forecaster(horizon=2).fit(frame[:58])
    for one in (forecaster, Forecaster.load(forecaster.save(tmp_path / "run"))):
        assert frame.merge(one.predict(), on="ds")["y_hat"].tolist() == pytest.approx([58, 59])


def test_days_of_polars_stay_days(tmp_path: Path) -> None:
    days = [day.date() for day in pandas.date_range("2024-03-09", periods=10)]
    frame = polars.DataFrame({"ds": days, "y": [float(i) for i in range(10)]})
    forecaster = Forecaster(horizon=2).fit(frame[:8])
    for one in (forecaster, Forecaster.load(forecaster.save(tmp_path / "run"))):
        assert frame.join(one.predict(), on="ds")["y_hat"].to_list() == pytest.approx([8, 9])
