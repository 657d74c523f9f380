"""Every way in which a CSV or a frame can be wrong, each with its place; and those that are right."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pytest

from gruworks.errors import DataError, TooShortError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.series.frequency import STEPS, Frequency
from gruworks.tasks.forecast.series.panel import Panel
from gruworks.tasks.forecast.series.reading import read

DAYS = pandas.date_range("2012-01-01", periods=12)
ROWS = [f"{day:%Y-%m-%d},{10 + i}" for i, day in enumerate(DAYS)]
VALUES = [10.0 + i for i in range(12)]


def lines(*rows: str, header: str = "ds,y") -> str:
    return "\n".join([header, *rows]) + "\n"


def with_row(number: int, row: str) -> str:
    """The good file with another line `number`; the header is line 1."""
    return lines(*(row if i + 2 == number else good for i, good in enumerate(ROWS)))


def panel(tmp_path: Path, content: str | bytes, **settings: Any) -> Panel:
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, Config.from_flat(settings))


GOOD = {
    "plain": lines(*ROWS),
    "semicolons": lines(*ROWS).replace(",", ";"),
    "tabs": lines(*ROWS).replace(",", "\t"),
    "byte order mark": "\ufeff" + lines(*ROWS),
    "CRLF": lines(*ROWS).replace("\n", "\r\n"),
    "blank lines at the end": lines(*ROWS) + "\n\n  \n".replace("  ", ""),
    "no line end at the end": lines(*ROWS).rstrip("\n"),
    "quoted": lines(*('"' + row.replace(",", '","') + '"' for row in ROWS), header='"ds","y"'),
    "quoted delimiter elsewhere": lines(*(row + ',"a, b"' for row in ROWS), header="ds,y,note"),
    "spaces in the header": lines(*ROWS, header=" ds , y "),
    "slashes": lines(*(row.replace("-", "/") for row in ROWS)),
    "compact": lines(*(row.replace("-", "") for row in ROWS)),
    "month names": lines(*(f"{day:%d %b %Y},{10 + i}" for i, day in enumerate(DAYS))),
    "with a time": lines(*(row.replace(",", " 00:00:00,") for row in ROWS)),
    "UTC": lines(*(row.replace(",", "T00:00:00Z,") for row in ROWS)),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_is_read(name: str, tmp_path: Path) -> None:
    found = panel(tmp_path, GOOD[name])
    assert found.series[0].y.tolist() == VALUES
    assert numpy.array_equal(found.series[0].timestamps, DAYS.to_numpy().astype("datetime64[us]"))
    assert found.frequency == Frequency("D")


def test_a_named_date_format_is_taken(tmp_path: Path) -> None:
    text = lines(*(f"{day:%d.%m.%Y},{10 + i}" for i, day in enumerate(DAYS)))
    assert panel(tmp_path, text, date_format="%d.%m.%Y").frequency == Frequency("D")
    with pytest.raises(DataError, match=r"line 2: ds is '01.01.2012', not a date of the format '%d/%m/%Y'"):
        panel(tmp_path, text, date_format="%d/%m/%Y")
    with pytest.raises(DataError, match=r"can't be read as dates.*%q"):
        panel(tmp_path, text, date_format="%q")


BAD = {
    "empty": ("", "is empty: expected a header line"),
    "header only": ("ds,y\n", "has no rows below its header"),
    "binary": (bytes(range(256)) * 4, "is a binary file"),
    "zero bytes": (b"ds,y\0\n1,2\n", "is a binary file"),
    "an unknown encoding": (
        lines(*ROWS).encode() + "2012-01-13,销量\n".encode("gb18030"),
        rf"is not UTF-8 text \(byte {len(lines(*ROWS)) + 11}\): .*--encoding NAME.* It could be gb18030",
    ),
    "no time column": (
        lines("a,1", "b,2", header="shop,y"),
        "no column 'ds' for the time; it has: shop, y.*--time NAME",
    ),
    "no target column": (
        lines("2024-01-01,a", header="ds,v"),
        "has no column 'y' for the target; it has: ds, v.*--target NAME",
    ),
    "no such date": (with_row(5, "2012-02-30,1"), "line 5: ds is '2012-02-30', not a date"),
    "American date": (with_row(5, "01/04/2012,1"), "line 5: ds is '01/04/2012', not a date"),
    "no date": (with_row(5, ",1"), "line 5: ds is '', not a date"),
    "an offset among none": (with_row(5, "2012-01-04T00:00:00+02:00,1"), "line 2: ds is .*, without an offset"),
    "twice": (with_row(6, "2012-01-04,1"), r"line 6: the time 2012-01-04 occurs twice \(series '0'\).*--series NAME"),
    "day or month": (
        lines(*(f"{day:%d/%m/%Y},1" for day in DAYS)),
        "ds: the dates, such as '01/01/2012', may be DD/MM/YYYY or MM/DD/YYYY: name the form, .*--date-format",
    ),
    "infinite": (with_row(5, "2012-01-04,-inf"), r"line 5: y is infinite \(1 such in all\)"),
    "beyond float": (with_row(5, "2012-01-04,1e200"), r"line 5: y is 1e\+200, beyond ±1e\+150"),
    "text": (with_row(5, "2012-01-04,warm"), "line 5: y is 'warm', not a number"),
    "two units": (with_row(5, "2012-01-04,5 kg"), "line 5: y is '5 kg', not a number"),
    "one row": (lines(ROWS[0]), "series '0' has 1 rows; a forecast needs 3 at least"),
    "too few": (lines(*ROWS[:2]), "series '0' has 2 rows; a forecast needs 3 at least"),
    "long row": (with_row(5, "2012-01-04,1,2"), "is not a well-formed CSV: .*line 5"),
    "all rows long": (lines(*(row + ",1" for row in ROWS)), "is not a well-formed CSV"),
    "open quote": (lines(*ROWS) + '"2012', "is not a well-formed CSV"),
    "number among dates": (lines("1,1", "2,1", "x,1", "4,1"), "line 4: ds is 'x', not a whole number like the others"),
    "irregular numbers": (lines("1,1", "2,1", "9,1", "20,1"), "line 5: the time 20 follows 9 off the frequency"),
    "all values missing": (lines(*(row.split(",")[0] + "," for row in ROWS)), "series '0' has 0 values; a forecast"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_by_place(name: str, tmp_path: Path) -> None:
    content, message = BAD[name]
    with pytest.raises(DataError, match=message) as caught:
        panel(tmp_path, content)
    assert "data.csv" in str(caught.value)


def test_too_few_rows_have_an_error_of_their_own(tmp_path: Path) -> None:
    for content in ("ds,y\n", lines(*ROWS[:2])):
        with pytest.raises(TooShortError):
            panel(tmp_path, content)


def test_a_file_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"there is no file .*nowhere\.csv"):
        read(tmp_path / "nowhere.csv", Config())
    with pytest.raises(DataError, match="is a folder, not a CSV file"):
        read(str(tmp_path), Config())
    path = tmp_path / "locked.csv"
    path.write_text(lines(*ROWS))

    def locked(*arguments: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)
    with pytest.raises(DataError, match=r"can't read .*locked\.csv: Permission denied"):
        read(path, Config())


def test_a_byte_far_down_is_counted_from_the_start_of_the_file(tmp_path: Path) -> None:
    good = b"ds,y\n" + b"".join(b"%d,1\n" % i for i in range(50_000))
    with pytest.raises(DataError, match=rf"\(byte {len(good)}\)"):
        panel(tmp_path, good + "年,1\n".encode("gb18030"))


def test_several_series_keep_their_order_and_names(tmp_path: Path) -> None:
    rows = [f"{name},{row}" for name in ("north", "7") for row in ROWS]
    found = panel(tmp_path, lines(*rows, header="unique_id,ds,y"))
    assert [one.name for one in found.series] == ["north", "7"]
    assert found.series[1].y.tolist() == VALUES
    mixed = panel(tmp_path, lines(*rows[::-1][::-1], header="shop,ds,y"), series="shop")
    assert [one.name for one in mixed.series] == ["north", "7"]


def test_a_problem_of_one_series_is_named_with_its_line(tmp_path: Path) -> None:
    rows = [f"{name},{row}" for name in ("a", "b") for row in ROWS]
    odd = [*rows[:18], "b,2012-01-07T13:00,1", *rows[19:]]
    with pytest.raises(
        DataError, match=r"line 21: the time 2012-01-08 follows 2012-01-07T13:00:00 out|line 20: .*series 'b'"
    ):
        panel(tmp_path, lines(*odd, header="unique_id,ds,y"), strict=True)
    with pytest.raises(DataError, match=r"line 3: unique_id is missing \(1 such in all\)"):
        panel(tmp_path, lines(rows[0], rows[1][1:], *rows[2:], header="unique_id,ds,y"))
    with pytest.raises(DataError, match="has no column 'shop' for the series; it has: ds, y"):
        panel(tmp_path, lines(*ROWS), series="shop")


def test_two_series_under_one_name_are_refused_and_identical_rows_used_once(tmp_path: Path) -> None:
    rows = [f"a,{row}" for row in ROWS]
    place = rf"line {len(ROWS) + 2}: the time 2012-01-01 occurs twice \(series 'a'\) with different values: .*--series"
    with pytest.raises(DataError, match=place):
        panel(tmp_path, lines(*rows, *(f"{row}1" for row in rows), header="unique_id,ds,y"))
    found = panel(tmp_path, lines(*(row for row in rows for _ in (0, 1)), header="unique_id,ds,y"))
    assert found.series[0].y.tolist() == VALUES
    assert found.notes == ("12 rows occur twice, with the same values: each is used once",)


def test_rows_are_sorted_and_the_sorting_is_said(tmp_path: Path) -> None:
    found = panel(tmp_path, lines(*ROWS[::-1]))
    assert found.series[0].y.tolist() == VALUES
    assert found.notes == ("the rows were not in order of time: they are sorted",)
    rows = [f"{name},{row}" for name in ("a", "b") for row in ROWS]
    shuffled = [rows[i] for i in numpy.random.default_rng(0).permutation(len(rows))]
    found = panel(tmp_path, lines(*shuffled, header="unique_id,ds,y"))
    assert [one.y.tolist() for one in found.series] == [VALUES, VALUES]
    assert found.notes == ("the rows were not in order of time: they are sorted in 2 series",)


UNUSABLE = {
    "too few rows": (["b,2012-01-01,1", "b,2012-01-02,2"], "1 series left out, with 2 rows: b"),
    "no values": ([f"b,2012-01-0{i},NA" for i in range(1, 6)], "1 series left out, with 0 values: b"),
    "another frequency": (
        [f"b,{day:%Y-%m-%d},1" for day in pandas.date_range("2012-01-01", periods=10, freq="W")],
        "1 series left out, with the frequency weekly, while the others are daily: b",
    ),
    "off the frequency": (
        ["b,2012-01-01T05:00,1", "b,2012-01-02T07:00,2", "b,2012-01-05T09:00,2"],
        r"1 series left out, with timestamps off the frequency \(daily\): b",
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_series_that_cannot_be_used_is_left_out_by_name(name: str, tmp_path: Path) -> None:
    rows, note = UNUSABLE[name]
    text = lines(*(f"a,{row}" for row in ROWS), *rows, header="unique_id,ds,y")
    found = panel(tmp_path, text)
    assert [one.name for one in found.series] == ["a"]
    (warning,) = found.notes
    assert re.fullmatch(note, warning)
    with pytest.raises(DataError, match="series 'b'"):
        panel(tmp_path, text, strict=True)


def test_an_item_with_few_days_is_a_series_with_missing_days(tmp_path: Path) -> None:
    sparse = [f"b,2012-01-{day:02d},7" for day in (1, 5, 12)]
    text = lines(*(f"a,{row}" for row in ROWS), *sparse, header="unique_id,ds,y")
    a, b = panel(tmp_path, text).series
    assert (len(a), len(b)) == (12, 12)
    assert numpy.isnan(b.y).sum() == 9


def test_days_without_rows_are_filled_as_asked(tmp_path: Path) -> None:
    rows = [f"a,{row}" for row in ROWS] + ["b,2012-01-01,5", "b,2012-01-03,", "b,2012-01-04,6"]
    text = lines(*rows, header="unique_id,ds,y")
    assert panel(tmp_path, text, fill="0").series[1].y.tolist() == [5, 0, 0, 6] + [0] * 8
    text = text.replace("b,2012-01-03,", "b,2012-01-02,7\nb,2012-01-03,")
    assert panel(tmp_path, text, fill="last").series[1].y.tolist() == [5, 7, 7, 6]


def test_a_panel_s_digest_tells_data_apart(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"ds": DAYS, "y": VALUES})
    same, other = read(frame.copy(), Config()).digest(), read(frame.assign(y=1.0), Config()).digest()
    assert read(frame, Config()).digest() == same != other
    found = panel(tmp_path, lines(*ROWS))
    assert found.digest() == found.sha256 != panel(tmp_path, lines(*ROWS) + "\n").sha256


FRAMES = {
    "pandas": pandas.DataFrame({"ds": DAYS, "y": VALUES}),
    "polars": polars.DataFrame({"ds": list(DAYS.to_pydatetime()), "y": VALUES}),
    "polars dates": polars.DataFrame({"ds": [day.date() for day in DAYS], "y": VALUES}),
    "pandas text": pandas.DataFrame({"ds": DAYS.strftime("%Y-%m-%d"), "y": VALUES}),
    "pandas dates": pandas.DataFrame({"ds": [day.date() for day in DAYS], "y": VALUES}),
    "pandas UTC": pandas.DataFrame({"ds": DAYS.tz_localize("UTC"), "y": VALUES}),
    "pandas whole numbers": pandas.DataFrame({"ds": DAYS, "y": pandas.array([int(v) for v in VALUES], dtype="Int64")}),
    "pandas series": pandas.Series(VALUES, index=DAYS),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_read(name: str) -> None:
    found = read(FRAMES[name], Config())
    assert found.series[0].y.tolist() == VALUES
    assert numpy.array_equal(found.series[0].timestamps, DAYS.to_numpy().astype("datetime64[us]"))
    assert found.backend == name.split()[0]
    assert found.sha256 is None


@pytest.mark.parametrize("numbers", [[1, 2, 3], (1.0, 2.0, 3.0), numpy.array([1, 2, 3]), pandas.Series([1, 2, 3])])
def test_plain_numbers_are_numbered_rows(numbers: Any) -> None:
    found = read(numbers, Config())
    assert found.frequency == Frequency(STEPS)
    assert found.series[0].y.tolist() == [1, 2, 3]
    assert found.series[0].timestamps.tolist() == [0, 1, 2]


BAD_FRAMES = {
    "infinite": (pandas.DataFrame({"ds": [1, 2, 3], "y": [1, numpy.inf, 3]}), "row 1: y is infinite"),
    "text": (pandas.DataFrame({"ds": [1, 2, 3], "y": ["1", "2", "x"]}), "row 2: y is 'x', not a number"),
    "times": (pandas.DataFrame({"ds": [1, 2, 3], "y": DAYS[:3]}), "column y holds datetime64"),
    "no time": (pandas.DataFrame({"ds": [DAYS[0], None, DAYS[2]], "y": [1, 2, 3]}), "row 1: ds is 'NaT', not a date"),
    "twice": (pandas.DataFrame({"ds": [1, 2, 2], "y": [1, 2, 3]}), "row 2: the time 2 occurs twice"),
    "columns": (pandas.DataFrame({"a": [1]}), "the frame has no column 'ds' for the time; it has: a"),
    "no rows": (pandas.DataFrame({"ds": [], "y": []}), "the frame has no rows"),
    "nothing": (None, "expected one sequence of numbers"),
    "a set": ({1, 2, 3}, "expected a file's path, a data frame or a sequence of numbers, got"),
    "columns alone": ({"y": ["1", "2", "3"]}, "the table has no column 'ds' for the time"),
    "a column's value": ({"ds": ["1", "2", "3"], "y": ["1", "x", "3"]}, "the table, line 3"),
    "a table": (numpy.zeros((3, 2)), r"got an array of shape \(3, 2\)"),
    "empty": ([], "has 0 rows; a forecast needs 3"),
    "NaN in a short list": ([1.0, 2.0, float("nan")], "has 2 values; a forecast needs 3"),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_bad_frame_is_refused_by_row(name: str) -> None:
    data, message = BAD_FRAMES[name]
    with pytest.raises(DataError, match=message):
        read(data, Config())


def test_a_column_that_stands_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1: the column name 'y' occurs twice"):
        panel(tmp_path, lines("1,1,2", "2,2,3", "3,3,4", header="ds,y,y"))


MISSING = {
    "an empty field": with_row(5, "2012-01-04,"),
    "NaN": with_row(5, "2012-01-04,NaN"),
    "a short row": with_row(5, "2012-01-04"),
    "no row": lines(*ROWS[:3], *ROWS[4:]),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_nan_at_its_place_and_noted(name: str, tmp_path: Path) -> None:
    found = panel(tmp_path, MISSING[name])
    (series,) = found.series
    assert numpy.array_equal(series.timestamps, DAYS.to_numpy().astype("datetime64[us]"))
    assert numpy.isnan(series.y[3])
    assert numpy.isnan(series.y).sum() == 1
    assert series.filled().tolist() == [*VALUES[:3], VALUES[2], *VALUES[4:]]
    assert len(found.notes) == 1
    assert "missing" in found.notes[0]


def test_frames_say_what_is_missing_in_their_own_ways() -> None:
    for frame in (
        pandas.DataFrame({"ds": [1, 2, 3, 4], "y": [1, 2, None, 4]}),
        polars.DataFrame({"ds": [1, 2, 3, 4], "y": [1.0, 2.0, None, 4.0]}),
        pandas.DataFrame({"ds": [1, 2, 3, 4], "y": pandas.array([1, 2, None, 4], dtype="Int64")}),
        pandas.DataFrame({"ds": [1, 2, 4], "y": [1, 2, 4]}),
    ):
        (series,) = read(frame, Config()).series
        assert numpy.isnan(series.y).tolist() == [False, False, True, False]


def test_business_days_with_a_holiday_keep_their_frequency() -> None:
    days = pandas.bdate_range("2024-01-01", periods=30).delete([4, 17])
    found = read(pandas.DataFrame({"ds": days, "y": numpy.arange(28.0)}), Config())
    assert str(found.frequency) == "every business day"
    assert len(found.series[0]) == 30


def test_irregular_timestamps_are_taken_as_they_are() -> None:
    rng = numpy.random.default_rng(0)
    timestamps = pandas.Timestamp("2024-01-01") + pandas.to_timedelta(numpy.cumsum(rng.exponential(3600, 40)), unit="s")
    found = read(pandas.DataFrame({"ds": timestamps, "y": numpy.arange(40.0)}), Config())
    assert found.frequency.code == "irregular"
    assert len(found.series[0]) == 40
    assert "irregular" in found.notes[0]


def test_rows_before_the_first_value_are_left_out(tmp_path: Path) -> None:
    text = lines("2012-01-01,", "2012-01-02,", *ROWS[2:])
    assert panel(tmp_path, text).series[0].timestamps[0] == numpy.datetime64("2012-01-03")


def test_parquet_is_read_as_the_same_frame_is(tmp_path: Path) -> None:
    frame = polars.DataFrame({"ds": list(DAYS.to_pydatetime()), "y": VALUES})
    frame.write_parquet(tmp_path / "data.parquet")
    found = read(tmp_path / "data.parquet", Config())
    assert found.series[0].y.tolist() == VALUES
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"bad\.parquet is not a Parquet file"):
        read(tmp_path / "bad.parquet", Config())


def test_several_targets_are_series_of_their_own_that_know_each_other() -> None:
    frame = pandas.DataFrame({"ds": DAYS, "a": VALUES, "b": [-v for v in VALUES]})
    a, b = read(frame, Config(target="a, b")).series
    assert (a.name, a.target, b.target) == (b.name, 0, 1)
    assert a.others[:, 0].tolist() == b.y.tolist()


def test_covariates_are_numbers_or_words_and_static_ones_stay_the_same() -> None:
    frame = pandas.DataFrame({"ds": DAYS, "y": VALUES, "shop": "x", "sale": ["no", None] * 6, "price": [1.0, None] * 6})
    (series,) = read(frame, Config(static=("shop",), past=("price",), future=("sale",))).series
    assert series.static == {"shop": "x"}
    assert series.future["sale"].tolist() == ["no", ""] * 6
    assert numpy.isnan(series.past["price"][1])
    with pytest.raises(DataError, match="row 11: the static column shop is 'y' and was 'x' before"):
        read(frame.assign(shop=["x"] * 11 + ["y"]), Config(static=("shop",)))
    with pytest.raises(DataError, match="no column 'weather' for the past"):
        read(frame, Config(past=("weather",)))


def test_rows_without_a_value_at_the_end_are_those_to_forecast_where_covariates_are_known() -> None:
    frame = pandas.DataFrame({"ds": DAYS, "y": [*VALUES[:10], None, None], "sale": numpy.arange(12.0)})
    (series,) = read(frame, Config(future=("sale",))).series
    assert len(series) == 10
    assert series.future["sale"].tolist() == list(range(12))
    found = read(frame, Config())
    assert len(found.series[0]) == 10
    assert found.notes == ("the last 2 rows have no value: the forecast begins with them, at 2012-01-11",)


def test_the_hour_that_clocks_show_twice_is_one_hour() -> None:
    hours = pandas.date_range("2024-10-26", periods=60, freq="h", tz="Europe/Berlin").tz_localize(None)
    frame = pandas.DataFrame({"ds": hours, "y": numpy.arange(60.0)})
    found = read(frame, Config())
    assert len(found.series[0]) == 59
    assert found.series[0].y[26] == 26.5
    assert found.notes == ("1 times occur twice where clocks are set back in autumn: the mean of both is used",)
    with pytest.raises(DataError, match="the time 2024-10-21T02:00:00 occurs twice"):
        read(frame.assign(ds=hours - pandas.Timedelta(days=6)), Config())


def test_names_differ_by_case_and_a_sum_without_a_label_is_a_total(tmp_path: Path) -> None:
    found = panel(tmp_path, lines(*ROWS, f",{sum(VALUES)}", header="DS,Y"))
    assert found.series[0].y.tolist() == VALUES
    assert "1 total row left out" in found.notes[0]
