"""Every way in which a CSV or a frame can be wrong, each with its place; and those that are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pytest

from gruworks.errors import DataError, TooShortError
from gruworks.tasks.forecast.calendar import STEPS, Frequency
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.reading import Panel, read

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
    return read(path, Config(**settings))


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
    assert numpy.array_equal(found.series[0].stamps, DAYS.to_numpy().astype("datetime64[us]"))
    assert found.frequency == Frequency("D")


def test_a_named_date_format_is_taken(tmp_path: Path) -> None:
    text = lines(*(f"{day:%d.%m.%Y},{10 + i}" for i, day in enumerate(DAYS)))
    assert panel(tmp_path, text, date_format="%d.%m.%Y").frequency == Frequency("D")
    with pytest.raises(DataError, match=r"line 2: ds is '01.01.2012', not a date of YYYY-MM-DD.*date_format"):
        panel(tmp_path, text)
    with pytest.raises(DataError, match=r"line 2: ds is '01.01.2012', not a date of the format '%d/%m/%Y'"):
        panel(tmp_path, text, date_format="%d/%m/%Y")
    with pytest.raises(DataError, match=r"can't be read as dates.*%q"):
        panel(tmp_path, text, date_format="%q")


BAD = {
    "empty": ("", "is empty: expected a header line"),
    "header only": ("ds,y\n", "has no rows below its header"),
    "binary": (bytes(range(256)) * 4, r"is not UTF-8 text \(byte 128\)"),
    "zero bytes": (b"ds,y\0\n1,2\n", "is a binary file"),
    "Latin-1": (lines(*ROWS).encode() + b"2012-01-13,\xe9\n", rf"is not UTF-8 text \(byte {len(lines(*ROWS)) + 11}\)"),
    "no time column": (lines(*ROWS, header="day,y"), "has no column 'ds' for the time; it has: day, y.*--time NAME"),
    "no target column": (lines(*ROWS, header="ds,v"), "has no column 'y' for the target; it has: ds, v.*--target NAME"),
    "no such date": (with_row(5, "2012-02-30,1"), "line 5: ds is '2012-02-30', not a date"),
    "American date": (with_row(5, "01/04/2012,1"), "line 5: ds is '01/04/2012', not a date"),
    "no date": (with_row(5, ",1"), "line 5: ds is '', not a date"),
    "blank line between": (with_row(5, ""), "line 5: ds is '', not a date"),
    "a zone": (lines(*(row.replace(",", "T00:00:00+02:00,") for row in ROWS)), "ds has the time zone UTC\\+02:00"),
    "zones that differ": (with_row(5, "2012-01-04T00:00:00+02:00,1"), "can't be read as dates|line 5: ds"),
    "twice": (with_row(6, ROWS[3]), r"line 6: the time 2012-01-04 stands twice \(series '0'\)"),
    "out of order": (with_row(6, "2011-12-30,1"), "line 6: the time 2011-12-30 comes after 2012-01-04: sort"),
    "gap": (lines(*ROWS[:4], *ROWS[5:]), "line 6: the time 2012-01-06 follows 2012-01-04 out of rhythm.*fill the gap"),
    "missing value": (with_row(5, "2012-01-04,"), r"line 5: y is missing \(1 such in all\)"),
    "NaN": (with_row(5, "2012-01-04,NaN"), r"line 5: y is missing \(1 such in all\)"),
    "short row": (with_row(5, "2012-01-04"), r"line 5: y is missing"),
    "infinite": (with_row(5, "2012-01-04,-inf"), r"line 5: y is infinite \(1 such in all\)"),
    "beyond float": (with_row(5, "2012-01-04,1e200"), r"line 5: y is 1e\+200, beyond ±1e\+150"),
    "text": (with_row(5, "2012-01-04,warm"), "line 5: y is 'warm', not a number"),
    "decimal comma": (lines("2012-01-01;1,5", "2012-01-02;2,5", header="ds;y"), "line 2: y is '1,5', not a number"),
    "too few": (lines(*ROWS[:2]), "series '0' has 2 rows; a forecast needs 3 at least"),
    "long row": (with_row(5, "2012-01-04,1,2"), "is not a well-formed CSV: .*line 5"),
    "all rows long": (lines(*(row + ",1" for row in ROWS)), "is not a well-formed CSV"),
    "open quote": (lines(*ROWS) + '"2012', "is not a well-formed CSV"),
    "number among dates": (lines("1,1", "2,1", "x,1", "4,1"), "line 4: ds is 'x', not a whole number like the others"),
    "numbered gap": (lines("1,1", "2,1", "4,1", "5,1"), "line 4: the time 4 follows 2 out of rhythm"),
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
        panel(tmp_path, good + b"\xe9,1\n")


def test_several_series_keep_their_order_and_names(tmp_path: Path) -> None:
    rows = [f"{name},{row}" for name in ("north", "7") for row in ROWS]
    found = panel(tmp_path, lines(*rows, header="unique_id,ds,y"))
    assert [one.name for one in found.series] == ["north", "7"]
    assert found.series[1].y.tolist() == VALUES
    mixed = panel(tmp_path, lines(*rows[::-1][::-1], header="shop,ds,y"), series="shop")
    assert [one.name for one in mixed.series] == ["north", "7"]


def test_a_problem_of_one_series_is_named_with_its_line(tmp_path: Path) -> None:
    rows = [f"{name},{row}" for name in ("a", "b") for row in ROWS]
    with pytest.raises(DataError, match=r"line 20: the time 2012-01-08 follows 2012-01-06 out.*series 'b'"):
        panel(tmp_path, lines(*rows[:18], *rows[19:], header="unique_id,ds,y"))
    with pytest.raises(DataError, match=r"line 3: unique_id is missing \(1 such in all\)"):
        panel(tmp_path, lines(rows[0], rows[1][1:], *rows[2:], header="unique_id,ds,y"))
    with pytest.raises(DataError, match="has no column 'shop' for the series; it has: ds, y"):
        panel(tmp_path, lines(*ROWS), series="shop")


def test_series_of_two_frequencies_are_refused(tmp_path: Path) -> None:
    weekly = [f"b,{day:%Y-%m-%d},1" for day in pandas.date_range("2012-01-01", periods=5, freq="W")]
    with pytest.raises(DataError, match="series 'a' is daily and 'b' is weekly"):
        panel(tmp_path, lines(*(f"a,{row}" for row in ROWS), *weekly, header="unique_id,ds,y"))


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
    assert numpy.array_equal(found.series[0].stamps, DAYS.to_numpy().astype("datetime64[us]"))
    assert found.backend == name.split()[0]
    assert found.sha256 is None


@pytest.mark.parametrize("numbers", [[1, 2, 3], (1.0, 2.0, 3.0), numpy.array([1, 2, 3]), pandas.Series([1, 2, 3])])
def test_plain_numbers_are_numbered_rows(numbers: Any) -> None:
    found = read(numbers, Config())
    assert found.frequency == Frequency(STEPS)
    assert found.series[0].y.tolist() == [1, 2, 3]
    assert found.series[0].stamps.tolist() == [0, 1, 2]


BAD_FRAMES = {
    "a missing value": (pandas.DataFrame({"ds": [1, 2, 3, 4], "y": [1, 2, None, 4]}), "row 2: y is missing"),
    "polars null": (polars.DataFrame({"ds": [1, 2, 3, 4], "y": [1.0, None, 3.0, 4.0]}), "row 1: y is missing"),
    "nullable": (pandas.DataFrame({"ds": [1, 2, 3], "y": pandas.array([1, None, 3], dtype="Int64")}), "row 1: y is m"),
    "infinite": (pandas.DataFrame({"ds": [1, 2, 3], "y": [1, numpy.inf, 3]}), "row 1: y is infinite"),
    "text": (pandas.DataFrame({"ds": [1, 2, 3], "y": ["1", "2", "x"]}), "row 2: y is 'x', not a number"),
    "times": (pandas.DataFrame({"ds": [1, 2, 3], "y": DAYS[:3]}), "column y holds datetime64"),
    "no time": (pandas.DataFrame({"ds": [DAYS[0], None, DAYS[2]], "y": [1, 2, 3]}), "row 1: ds is 'NaT', not a date"),
    "fractions": (pandas.DataFrame({"ds": [1.0, 2.0, 3.0], "y": [1, 2, 3]}), "row 0: ds is '1.0', not a date"),
    "twice": (pandas.DataFrame({"ds": [1, 2, 2], "y": [1, 2, 3]}), "row 2: the time 2 stands twice"),
    "order": (pandas.DataFrame({"ds": [1, 3, 2], "y": [1, 2, 3]}), "row 2: the time 2 comes after 3"),
    "zone": (pandas.DataFrame({"ds": DAYS.tz_localize("Asia/Tokyo"), "y": VALUES}), "ds has the time zone Asia/Tokyo"),
    "polars zone": (
        polars.DataFrame({"ds": list(DAYS.to_pydatetime()), "y": VALUES}).with_columns(
            polars.col("ds").dt.replace_time_zone("Asia/Tokyo")
        ),
        "ds has the time zone Asia/Tokyo",
    ),
    "an index's zone": (pandas.Series(VALUES, index=DAYS.tz_localize("Asia/Tokyo")), "index has the time zone"),
    "columns": (pandas.DataFrame({"a": [1]}), "the frame has no column 'ds' for the time; it has: a"),
    "no rows": (pandas.DataFrame({"ds": [], "y": []}), "the frame has no rows"),
    "nothing": (None, "expected one sequence of numbers"),
    "a dict": ({"y": [1, 2, 3]}, "expected a CSV's path, a data frame or a sequence of numbers, got"),
    "a table": (numpy.zeros((3, 2)), r"got an array of shape \(3, 2\)"),
    "empty": ([], "has 0 rows; a forecast needs 3"),
    "a gap in an index": (pandas.Series(VALUES, index=DAYS).drop(DAYS[4]), "row 4: the time 2012-01-06 follows"),
    "NaN in a list": ([1.0, 2.0, float("nan")], "row 2: value is missing"),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_bad_frame_is_refused_by_row(name: str) -> None:
    data, message = BAD_FRAMES[name]
    with pytest.raises(DataError, match=message):
        read(data, Config())
