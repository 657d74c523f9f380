"""Likely columns of time, target and series: by kind, by usual names, and by what tells rows of one time apart."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.errors import DataError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.series import kinds
from gruworks.tasks.forecast.series.kinds import kind_of
from gruworks.tasks.forecast.series.reading import read
from gruworks.tasks.forecast.series.roles import Roles, kinds_of, likely

DAYS = [f"2024-01-{day:02d}" for day in range(1, 29)]
NUMBERS = [str(3 * k % 11) for k in range(28)]
HOURS = [str(hour) for _ in DAYS for hour in range(24)]
EACH_HOUR = [day for day in DAYS for _ in range(24)]
TABLES: dict[str, tuple[dict[str, list[str]], Roles]] = {
    "kinds decide": ({"when": DAYS, "sold": NUMBERS}, Roles(("when",), ("sold",), ())),
    "usual names come first": (
        {"Open": NUMBERS, "Close": NUMBERS, "updated": DAYS, "Date": DAYS}, Roles(("Date",), ("Close",), ()),
    ),
    "row numbers are no target": (
        {"instant": [str(k) for k in range(28)], "date": DAYS, "riders": NUMBERS}, Roles(("date",), ("riders",), ()),
    ),
    "a note is no series": ({"date": DAYS, "note": ["none"] * 28, "y2": NUMBERS}, Roles(("date",), ("y2",), ())),
    "two shops": (
        {"date": DAYS * 2, "weather": ["dry"] * 56, "shop": ["a"] * 28 + ["b"] * 28, "sold": NUMBERS * 2},
        Roles(("date",), ("sold",), ("shop",)),
    ),
    "shops and items": (
        {"date": DAYS * 4, "item": (["x"] * 28 + ["y"] * 28) * 2, "store": ["1"] * 56 + ["2"] * 56,
         "sold": NUMBERS * 4},
        Roles(("date",), ("sold",), ("store", "item")),
    ),
    "year and month": (
        {"Price": NUMBERS[:24], "Year": ["2022"] * 12 + ["2023"] * 12, "Month": [str(k % 12 + 1) for k in range(24)]},
        Roles(("Year", "Month"), ("Price",), ()),
    ),
    "a date beats its year and month": (
        {"date": DAYS, "year": ["2024"] * 28, "month": ["1"] * 28, "sold": NUMBERS}, Roles(("date",), ("sold",), ()),
    ),
    "date and hour": (
        {"date": EACH_HOUR, "hour": HOURS, "load": ["7"] * len(HOURS)}, Roles(("date", "hour"), ("load",), ()),
    ),
    "years": ({"year": [str(1950 + k) for k in range(28)], "people": NUMBERS}, Roles(("year",), ("people",), ())),
    "no times": ({"shop": ["a", "b"] * 14, "sold": NUMBERS}, Roles((), ("sold",), ("shop",))),
    "Chinese names": (
        {"日期": DAYS * 2, "商品": ["苹果"] * 28 + ["梨"] * 28, "单价": NUMBERS * 2, "销量": NUMBERS * 2},
        Roles(("日期",), ("销量",), ("商品",)),
    ),
    "no numbers": ({"date": DAYS, "note": ["x"] * 28}, Roles(("date",), (), ())),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_likely_columns(name: str) -> None:
    columns, expected = TABLES[name]
    arrays = {key: numpy.array(values, dtype=object) for key, values in columns.items()}
    assert likely(arrays, kinds_of(arrays)) == expected


def frame(**columns: Any) -> pandas.DataFrame:
    return pandas.DataFrame({"date": pandas.to_datetime(DAYS), "sold": numpy.arange(28.0) % 5} | columns)


def test_a_fit_reads_the_likely_columns_says_so_and_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    frame().to_csv(path, index=False)
    forecaster = Forecaster(horizon=2).fit(path)
    assert (forecaster.config.time, forecaster.config.target) == ("date", "sold")
    assert (
        "shop.csv was read with 'date' as the time (--time), 'sold' as the target (--target)"
        in forecaster.fit_warnings[0]
    )
    named = Forecaster(horizon=2, time="date", target="sold").fit(path)
    assert named.predict()["y_hat"].tolist() == forecaster.predict()["y_hat"].tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecaster.predict(path)


def test_a_column_that_was_named_is_not_replaced() -> None:
    with pytest.raises(DataError, match="no column 'day' for the time"):
        read(frame(), Config(time="day"))
    with pytest.raises(DataError, match="no column 'price' for the target"):
        read(frame(), Config(target="price"))


def test_columns_of_other_roles_are_not_taken() -> None:
    table = frame(load=numpy.arange(28.0) ** 2 % 7)
    panel = read(table, Config(past=("sold",)))
    assert panel.config is not None
    assert panel.config.target == "load"


def test_newer_rows_of_a_fit_have_its_columns() -> None:
    forecaster = Forecaster(horizon=2).fit(frame())
    with pytest.raises(DataError, match="no column 'date' for the time"):
        forecaster.predict(frame().rename(columns={"date": "when"}))


def test_names_with_a_comma_are_guessed_too() -> None:
    table = frame().rename(columns={"sold": "sold, EUR"})
    panel = read(table, Config())
    assert panel.config is not None
    assert panel.config.targets == ("sold, EUR",)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1.2345", "20.5", "3"], "numbers"), (["-1", "2", "3"], "numbers"), (["1e5", "2e-7"], "numbers"),
        (["1950.042", "1950.125", "1950.208"], "numbers"), (["1.5", "", "-2.25"], "numbers"),
        (["01.02", "15.03", "-"], "numbers"), (["2024-01-05", "2024-01-06"], "dates (YYYY-MM-DD)"),
        (["20240105", "20240106"], "dates (YYYYMMDD)"), (["-a", "b"], "words"),
    ],
)  # fmt: skip
def test_plain_numbers_are_told_without_the_forms_of_dates_and_alike(
    values: list[str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = numpy.array(values, dtype=object)
    assert kind_of(column) == kind
    monkeypatch.setattr(kinds, "_are_numbers", lambda values: False)
    assert kind_of(column) == kind
