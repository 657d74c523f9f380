"""Forms of dates: what each is read as, what is asked for, and times in several columns."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks.errors import DataError
from gruworks.tasks.forecast.series.dates import parse_times
from gruworks.tasks.forecast.series.time_columns import combined

DAYS = pandas.date_range("2018-01-25", periods=12)
HOURS = pandas.date_range("2018-01-25 22:00", periods=12, freq="h")
MONTHS = pandas.date_range("2018-01-01", periods=40, freq="MS")
QUARTERS = pandas.date_range("2018-01-01", periods=8, freq="QS")
WEEKS = pandas.date_range("2018-12-24", periods=8, freq="W-MON")
FRENCH = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]

FORMS = {
    "%Y/%m/%d": DAYS, "%Y.%m.%d": DAYS, "%Y%m%d": DAYS, "%d.%m.%Y": DAYS, "%d.%m.%y": DAYS, "%d/%m/%Y": DAYS,
    "%m/%d/%Y": DAYS, "%y-%m-%d": DAYS, "%d %b %Y": DAYS, "%d-%b-%y": DAYS, "%B %d, %Y": DAYS, "%b %d %Y": DAYS,
    "%a, %d %b %Y %H:%M:%S GMT": HOURS, "%d%b%Y": DAYS, "%Y%m%d%H": HOURS, "%Y%m%dT%H%M%S": HOURS,
    "%m/%d/%Y %I:%M %p": HOURS, "%d.%m.%Y %H:%M": HOURS, "%Y/%m/%d %H:%M:%S": HOURS, "%Y-%m-%dT%H:%M:%SZ": HOURS,
    "%Y年%m月%d日": DAYS, "%Y年%m月": MONTHS, "%Y-%m": MONTHS, "%Y%m": MONTHS, "%YM%m": MONTHS, "%Ym%m": MONTHS,
    "%m/%Y": MONTHS, "%m.%Y": MONTHS, "%Y.%m": MONTHS, "%b %Y": MONTHS, "%b-%y": MONTHS, "%Y %b": MONTHS,
    "%Y-%B": MONTHS, "%B %Y": MONTHS, "%d/%m/%Y monthly": MONTHS, "%m/%d/%Y monthly": MONTHS, "%GW%V": WEEKS,
    "%G-W%V": WEEKS, "%G-W%V-%u": DAYS, "W%V/%G": WEEKS, "KW%V %G": WEEKS, "%Y-%m-%dT%H:%M:%S.500": HOURS,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_found(form: str) -> None:
    dates = FORMS[form]
    found = parse_times(numpy.array(dates.strftime(form.removesuffix(" monthly")), dtype=object))
    assert found.ok.all()
    half = numpy.timedelta64(500 if form.endswith(".500") else 0, "ms")
    assert found.timestamps.tolist() == (dates.to_numpy().astype("datetime64[us]") + half).tolist()


QUARTER_FORMS = ("{y}Q{q}", "{y} Q{q}", "{y}-Q{q}", "Q{q} {y}", "Q{q}/{y}", "{q}Q{s}", "{y}q{q}", "{q}. Quartal {y}",
                 "{y}年第{q}季度", "FY{y} Q{q}", "{y}:{q}")  # fmt: skip


@pytest.mark.parametrize("form", QUARTER_FORMS)
def test_quarters_begin_in_their_first_month(form: str) -> None:
    texts = [form.format(y=day.year, q=day.quarter, s=f"{day:%y}") for day in QUARTERS]
    found = parse_times(numpy.array(texts, dtype=object))
    assert found.timestamps.tolist() == QUARTERS.to_numpy().astype("datetime64[us]").tolist()


def test_months_have_names_in_other_languages() -> None:
    texts = [f"{FRENCH[day.month - 1]} {day.year}" for day in MONTHS]
    found = parse_times(numpy.array(texts, dtype=object))
    assert found.timestamps.tolist() == MONTHS.to_numpy().astype("datetime64[us]").tolist()


NUMBERS = {
    "seconds": DAYS.astype("datetime64[s]").astype("int64"),
    "milliseconds": DAYS.astype("datetime64[ms]").astype("int64"),
    "microseconds": DAYS.astype("datetime64[us]").astype("int64"),
    "serial": (DAYS - pandas.Timestamp("1899-12-30")).days,
}


@pytest.mark.parametrize("form", NUMBERS)
@pytest.mark.parametrize("kind", [str, int, float])
def test_epochs_and_serials_are_dates_in_text_and_numbers(form: str, kind: type) -> None:
    found = parse_times(numpy.array([kind(one) for one in NUMBERS[form]], dtype=object if kind is str else None))
    assert (found.form, found.timestamps.tolist()) == (form, DAYS.to_numpy().astype("datetime64[us]").tolist())
    assert parse_times(numpy.array([int(one) for one in NUMBERS[form]]), "numbers").form == "numbers"


@pytest.mark.parametrize("first", [0, 1, 1885, 20_001, 10**6])
def test_counted_rows_stay_numbers(first: int) -> None:
    found = parse_times(first + numpy.arange(30))
    assert (found.form, found.timestamps.tolist()) == ("numbers", list(range(first, first + 30)))
    assert parse_times((first + numpy.arange(30)).astype(float)).form == "numbers"


def test_serials_of_early_months_are_told_by_their_steps() -> None:
    months = pandas.date_range("1949-01-01", periods=24, freq="MS")
    found = parse_times(numpy.array((months - pandas.Timestamp("1899-12-30")).days))
    assert found.timestamps.tolist() == months.to_numpy().astype("datetime64[us]").tolist()


def test_years_with_twelfths_are_months() -> None:
    months = numpy.round(1959 + numpy.arange(24) / 12, 3)
    found = parse_times(months)
    assert (found.form, str(found.timestamps[13])[:7]) == ("years", "1960-02")


def test_day_and_month_are_asked_for_where_both_orders_are_regular() -> None:
    texts = numpy.array(pandas.date_range("2018-01-01", periods=12).strftime("%d/%m/%Y"), dtype=object)
    with pytest.raises(DataError, match=r"'01/01/2018', may be DD/MM/YYYY or MM/DD/YYYY: name the form, .*--date-f"):
        parse_times(texts)
    day, month = parse_times(texts, "DD/MM/YYYY"), parse_times(texts, "%m/%d/%Y")
    assert (str(day.timestamps[1])[:10], str(month.timestamps[1])[:10]) == ("2018-01-02", "2018-02-01")
    assert parse_times(texts[1:2], known="DD/MM/YYYY").timestamps[0] == day.timestamps[1]


def test_offsets_that_change_are_utc_and_days_stay_local() -> None:
    hours = pandas.date_range("2024-03-30 22:00", periods=6, freq="h", tz="Europe/Berlin")
    texts = numpy.array([one.isoformat() for one in hours], dtype=object)
    found = parse_times(texts)
    assert found.zone == "changing offsets, times in UTC"
    assert found.timestamps.tolist() == hours.tz_convert("UTC").tz_localize(None).to_numpy().astype("M8[us]").tolist()
    days = pandas.date_range("2024-03-29", periods=6, tz="Europe/Berlin")
    found = parse_times(numpy.array([one.isoformat() for one in days], dtype=object))
    assert found.timestamps.tolist() == days.tz_localize(None).to_numpy().astype("M8[us]").tolist()
    fixed = numpy.array([f"2024-01-{day:02d}T05:00:00+02:00" for day in range(1, 5)], dtype=object)
    found = parse_times(fixed)
    assert (str(found.timestamps[0])[:16], found.zone) == ("2024-01-01T05:00", "local times of the offset +02:00")


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(DataError, match=r"expected a format of dates such as %d.%m.%Y, or one of .*, got 'later'"):
        parse_times(numpy.array(["2024-01-01"], dtype=object), "later")


COLUMNS = {
    "2007-02": {"Year": [2007], "Month": [2]},
    "2007-03": {"month": ["Mar"], "year": ["2007"]},
    "2007-04": {"year": [2007], "quarter": [2]},
    "2007-04-01": {"yr": [2007], "qtr": ["Q2"]},
    "2007-01-08": {"year": [2007], "week": [2]},
    "2007-02-03": {"year": [2007], "month": [2], "day": [3]},
    "2007-02-03T14": {"date": ["2007-02-03"], "time": ["14:00"]},
    "2007-02-03T15": {"date": ["03.02.2007"], "hour": [15]},
    "2007-02-04": {"y": [2007], "m": [2], "d": [3], "h": [24]},
}


@pytest.mark.parametrize("time", COLUMNS)
def test_columns_are_combined(time: str) -> None:
    found = parse_times(combined({name: numpy.array(values) for name, values in COLUMNS[time].items()}))
    assert str(found.timestamps[0]).startswith(time)


def test_weeks_by_their_number_alone_are_told_from_months() -> None:
    weeks = pandas.date_range("2019-12-30", periods=60, freq="W-MON")
    found = parse_times(numpy.array(weeks.strftime("%G-%V"), dtype=object))
    assert (found.form, found.timestamps.tolist()) == ("YYYY-ww", weeks.to_numpy().astype("M8[us]").tolist())


def test_spans_begin_with_their_first_time_and_zones_have_names() -> None:
    spans = [f"{hour:%d.%m.%Y %H:%M} - {hour + pandas.Timedelta(hours=1):%d.%m.%Y %H:%M}" for hour in HOURS]
    assert (
        parse_times(numpy.array(spans, dtype=object)).timestamps.tolist() == HOURS.to_numpy().astype("M8[us]").tolist()
    )
    named = numpy.array(
        [f"2024-03-31 {hour} {zone}" for hour, zone in (("01:00", "CET"), ("03:00", "CEST"))], dtype=object
    )
    found = parse_times(named)
    assert ([str(one)[11:16] for one in found.timestamps], found.zone) == (
        ["00:00", "01:00"], "changing offsets, times in UTC",
    )  # fmt: skip
    assert not parse_times(numpy.array(["2024-03-31 01:00 XYZ"], dtype=object)).ok.any()


def test_a_year_may_stand_once_for_its_months() -> None:
    columns = {"year": numpy.array(["2007", "", "2008"], dtype=object), "month": numpy.array(["Jan", "Feb", "Jan"])}
    assert [str(one)[:7] for one in parse_times(combined(columns)).timestamps] == ["2007-01", "2007-02", "2008-01"]
