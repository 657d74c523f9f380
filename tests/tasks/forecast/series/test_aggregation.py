"""Rows of a period combined: sums of receipts, means of hours, incomplete ends left out, in files, panels and fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.errors import DataError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.series.aggregation import starts
from gruworks.tasks.forecast.series.panel import Panel
from gruworks.tasks.forecast.series.reading import read

RECEIPTS = """date,shop,amount
2023-01-31,a,5
2023-01-02,a,1
2023-01-02,b,2
2023-02-28,a,3
2023-02-03,a,
2023-04-30,a,7
2023-04-01,b,1
2023-05-31,a,6
2023-06-30,a,8
"""


def combined(frame: pandas.DataFrame, **settings: Any) -> Panel:
    return read(frame, Config.from_flat({"time": "date", "target": "amount"} | settings))


def receipts(tmp_path: Path) -> Path:
    path = tmp_path / "receipts.csv"
    path.write_text(RECEIPTS)
    return path


@pytest.mark.parametrize(
    ("combine", "expected"),
    [
        ("sum", [8, 3, 0, 8, 6, 8]), ("count", [3, 2, 0, 2, 1, 1]), ("mean", [8 / 3, 3, None, 4, 6, 8]),
        ("min", [1, 3, None, 1, 6, 8]), ("max", [5, 3, None, 7, 6, 8]), ("last", [5, 3, None, 7, 6, 8]),
    ],
)  # fmt: skip
def test_rows_of_a_month(combine: str, expected: list[float | None], tmp_path: Path) -> None:
    panel = read(receipts(tmp_path), Config.from_flat({"every": "month", "combine": combine}))
    (one,) = panel.series
    assert one.timestamps.astype("datetime64[D]").astype(str).tolist() == [f"2023-0{m}-01" for m in range(1, 7)]
    assert one.y == pytest.approx(numpy.array(expected, dtype=float), nan_ok=True)
    assert panel.frequency.code == "MS"
    assert f"9 rows combined by month: {combine} (--every, --combine)" in panel.notes


def test_series_are_combined_each_by_itself_where_they_are_named(tmp_path: Path) -> None:
    panel = read(receipts(tmp_path), Config.from_flat({"every": "month", "series": "shop"}))
    assert {one.name: one.y.tolist() for one in panel.series} == {"a": [6, 3, 0, 7, 6, 8], "b": [2, 0, 0, 1, 0, 0]}


@pytest.mark.parametrize(
    ("every", "time", "start"),
    [
        ("hour", "2024-02-14T13:30", "2024-02-14T13"), ("day", "2024-02-14T13:30", "2024-02-14"),
        ("week", "2024-02-14", "2024-02-12"), ("week", "2024-02-12", "2024-02-12"),
        ("week", "1969-12-28", "1969-12-22"),
        ("month", "2024-02-29", "2024-02-01"), ("quarter", "2024-12-31", "2024-10-01"),
        ("quarter", "1969-02-03", "1969-01-01"), ("year", "2024-12-31", "2024-01-01"),
    ],
)  # fmt: skip
def test_periods_begin_where_the_calendar_says(every: str, time: str, start: str) -> None:
    found = starts(numpy.array([time], "datetime64[us]"), every)
    assert found == numpy.array([start], "datetime64[us]")


def test_incomplete_ends_are_left_out_and_told() -> None:
    days = pandas.date_range("2023-01-10", "2023-06-20")
    panel = combined(pandas.DataFrame({"date": days, "amount": 1.0}), every="month")
    assert panel.series[0].y.tolist() == [28, 31, 30, 31]
    assert "the last month is incomplete (its last row is 2023-06-20): left out" in panel.notes
    assert "the first month is incomplete (its first row is 2023-01-10): left out" in panel.notes
    whole = combined(pandas.DataFrame({"date": days[22:-20], "amount": 1.0}), every="month")
    assert whole.series[0].y.tolist() == [28, 31, 30, 31]
    assert not any("incomplete" in note for note in whole.notes)


def test_a_series_of_an_incomplete_period_alone_is_named() -> None:
    days = pandas.date_range("2023-01-01", "2023-06-10")
    frame = pandas.DataFrame({"date": days, "amount": 1.0, "shop": ["a"] * (len(days) - 3) + ["new"] * 3})
    panel = combined(frame, every="month", series="shop")
    assert [one.name for one in panel.series] == ["a"]
    assert "1 series left out, with rows in incomplete periods alone: new" in panel.notes


def test_opening_hours_end_every_day_before_midnight() -> None:
    hours = pandas.date_range("2023-03-01", periods=240, freq="h")
    hours = hours[(hours.hour >= 8) & (hours.hour < 20)]
    panel = combined(pandas.DataFrame({"date": hours, "amount": 2.0}), every="day", combine="mean")
    assert panel.series[0].y.tolist() == [2.0] * 10


def test_covariates_are_combined_too() -> None:
    days = pandas.date_range("2023-01-01", "2023-06-30")
    frame = pandas.DataFrame({"date": days, "amount": 1.0, "price": days.day.astype(float), "kind": "x", "place": 3.0})
    frame["kind"] = ["a"] * 31 + ["b"] * (len(days) - 31)
    panel = combined(frame, every="month", past=("price", "kind"), static=("place",))
    one = panel.series[0]
    assert one.past["price"][:2].tolist() == [16.0, 14.5]
    assert one.past["kind"][:2].tolist() == ["a", "b"]
    assert one.static == {"place": 3.0}


def test_a_fit_combines_later_rows_as_its_own(tmp_path: Path) -> None:
    days = pandas.date_range("2018-01-01", "2023-12-31")
    sold = numpy.random.default_rng(0).poisson(3 + 2 * numpy.sin(2 * numpy.pi * days.month / 12))
    table = pandas.DataFrame({"date": days, "amount": sold})
    forecaster = Forecaster(horizon=3, time="date", target="amount", every="month").fit(table[:-92], quiet=True)
    assert forecaster.predict()["ds"].dt.strftime("%Y-%m").tolist() == ["2023-10", "2023-11", "2023-12"]
    kept = Forecaster.load(forecaster.save(tmp_path / "run"))
    assert kept.predict(table)["ds"].dt.strftime("%Y-%m").tolist() == ["2024-01", "2024-02", "2024-03"]


def test_numbered_rows_have_no_periods() -> None:
    with pytest.raises(DataError, match=r"rows are combined by month .* only where the time is a date"):
        combined(pandas.DataFrame({"date": [1, 2, 3, 4], "amount": [1, 2, 3, 4]}), every="month", date_format="numbers")


def test_repeated_times_are_refused_with_the_way_to_combine_them() -> None:
    dates = ["2023-01-01", "2023-01-02", "2023-01-02", "2023-01-03"]
    with pytest.raises(DataError, match=r"2023-01-02 occurs twice .* combine the rows of each day.*--every day"):
        combined(pandas.DataFrame({"date": dates, "amount": [1, 2, 3, 4]}))
