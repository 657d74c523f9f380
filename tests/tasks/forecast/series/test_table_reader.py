"""Layouts, encodings and containers of tables: each kind gives the same twelve days, and tells what was guessed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pytest

from gruworks.errors import DataError, MissingExtraError
from gruworks.tasks.forecast.config import Config, Reading
from gruworks.tasks.forecast.series.opening import opened
from gruworks.tasks.forecast.series.panel import Panel
from gruworks.tasks.forecast.series.reading import read

DAYS = pandas.date_range("2012-01-01", periods=12)
VALUES = [1000.5 + i for i in range(12)]
ROWS = [f"{day:%Y-%m-%d},{value}" for day, value in zip(DAYS, VALUES, strict=True)]
TEXT = "\n".join(["ds,y", *ROWS, ""])


def text(*lines: str, rows: list[str] = ROWS, after: tuple[str, ...] = ()) -> str:
    return "\n".join([*lines, *rows, *after, ""])


def lines_with(at: int, line: str, rows: list[str] = ROWS) -> list[str]:
    return [*rows[:at], line, *rows[at:]]


GERMAN = [f"{day:%d.%m.%Y};1.{int(value) % 1000:03d},5" for day, value in zip(DAYS, VALUES, strict=True)]
LAYOUTS: dict[str, tuple[str, str]] = {
    "comment lines": (text("# made by X, Y", "ds,y", rows=lines_with(4, "# a, b, c, d")), "2 comment lines skipped"),
    "a header in a comment": (text("# ds, y"), ""),
    "title lines": (text("Sales of 2012", "as of today, all shops", "", "ds,y"), "3 lines above the header skipped"),
    "a units row": (text("ds,y", "yyyy-mm-dd,EUR"), r"1 units row left out \('yyyy-mm-dd'\)"),
    "an empty units row": (text("ds,y", ",MW"), r"1 units row left out \(''\)"),
    "a total": (text("ds,y", after=("Total,12072",)), r"1 total row left out \('Total'\)"),
    "subtotals": (text("ds,y", rows=lines_with(6, "Total week 1,6018")), r"1 total row left out \('Total week 1'\)"),
    "notes below": (text("ds,y", after=("", "Source: office, 2013", "* estimated")), "2 note rows left out"),
    "blank lines": (text("ds,y", rows=lines_with(5, "")), ""),
    "separators at the end": (text("ds,y,", rows=[row + "," for row in ROWS]), ""),
    "separators at the end of rows": (text("ds,y", rows=[row + "," for row in ROWS]), ""),
    "a repeated header": (text("ds,y", rows=lines_with(5, "ds,y")), "1 repeated header line skipped"),
    "row names without a header": (text("ds,y", rows=[f'"{i + 1}",{r}' for i, r in enumerate(ROWS)]), ""),
    "an index column": (text(",ds,y", rows=[f"{i},{r}" for i, r in enumerate(ROWS)]), ""),
    "sep=": ("sep=;\n" + TEXT.replace(",", ";"), ""),
    "pipes": (TEXT.replace(",", "|"), r"separator '\|'"),
    "tabs": (TEXT.replace(",", "\t"), "separator tab"),
    "blanks": (TEXT.replace(",", "   "), "separator blanks"),
    "decimal commas": (TEXT.replace(",", ";").replace(".", ","), "separator ';', decimal comma"),
    "German": (text("ds;y", rows=GERMAN), r"separator ';', dates as DD/MM/YYYY \(--date-format\), decimal comma"),
    "quoted decimal commas": (text("ds,y", rows=[r.replace(",", ',"').replace(".", ",") + '"' for r in ROWS]), "comma"),
    "carriage returns": (TEXT.replace("\n", "\r"), ""),
    "line breaks in a note": (text("ds,y,note", rows=[row + ',"a\nb, c"' for row in ROWS]), ""),
    "twice the name of another": (text("ds,y,a,a", rows=[row + ",1,2" for row in ROWS]), ""),
    "currency": (text("ds,y", rows=[row.replace(",", ',"$ 1,').replace("$ 1,1", "$ 1,") + '"' for row in ROWS]), r"\$"),
}  # fmt: skip


def panel(path: Path, **settings: Any) -> Panel:
    found = read(path, Config.from_flat(settings))
    (series,) = found.series
    assert series.y.tolist() == VALUES
    assert numpy.array_equal(series.timestamps, DAYS.to_numpy().astype("datetime64[us]"))
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_understood_and_told(name: str, tmp_path: Path) -> None:
    content, told = LAYOUTS[name]
    path = tmp_path / "data.csv"
    path.write_bytes(content.encode())
    notes = panel(path).notes
    assert len(notes) == (told != "")
    if told:
        (note,) = notes
        assert re.search(told, note)


def test_years_of_two_digits_and_midnights_beside_a_time_are_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text("Month,Yr,y", rows=[f"{i % 12 + 1},{13 + i // 12},{i}" for i in range(30)]))
    (series,) = read(path, Config(time="Yr,Month")).series
    assert series.timestamps[[0, -1]].astype("datetime64[M]").astype(str).tolist() == ["2013-01", "2015-06"]
    path.write_text(
        text("Date,Time,y", rows=[f"2024-01-0{1 + i // 24} 00:00:00,{i % 24:02}:00,{i}" for i in range(72)])
    )
    (series,) = read(path, Config(time="Date,Time")).series
    assert series.timestamps[-1].astype("datetime64[h]").astype(str) == "2024-01-03T23"


def test_the_lines_of_errors_count_all_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text("Title", "", "# note", 'ds,y,"a', 'b"', rows=[*ROWS[:3], "", "2012-01-04,warm", *ROWS[4:]]))
    with pytest.raises(DataError, match=r"line 10: y is 'warm', not a number"):
        read(path, Config())


def test_columns_may_have_commas_and_line_breaks_in_their_names(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text('Day,"Load,\nMW","Price, EUR"', rows=[row + ",5" for row in ROWS]))
    found = panel(path, time="Day", target="Load, MW")
    assert found.config is not None
    assert found.config.targets == ("Load, MW",)
    both = read(path, Config(time="Day", target='"Load, MW","Price, EUR"'))
    assert [one.y[0] for one in both.series] == [1000.5, 5]


def test_times_in_several_columns_are_named_together(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text("Year,Month,Day,y", rows=[row.replace("-", ",") for row in ROWS]))
    panel(path, time="Year,Month,Day")
    with pytest.raises(DataError, match="no column 'Hour' for the time"):
        read(path, Config(time="Year,Hour"))


def test_series_are_identified_by_several_columns(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text("shop,item,ds,y", rows=[f"{shop},7,{row}" for shop in "ab" for row in ROWS]))
    assert [one.name for one in read(path, Config(series="shop,item")).series] == ["a/7", "b/7"]


def zipped(content: bytes) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("data.csv", content)
    return found.getvalue()


FRAME = polars.DataFrame({"ds": list(DAYS.to_pydatetime()), "y": VALUES})


def written(method: str) -> bytes:
    found = io.BytesIO()
    getattr(FRAME, method)(found)
    return found.getvalue()


FILES: dict[str, bytes] = {
    "data.csv.gz": gzip.compress(TEXT.encode()), "DATA.CSV.GZ": gzip.compress(TEXT.encode()),
    "data.csv.bz2": bz2.compress(TEXT.encode()), "data.csv.xz": lzma.compress(TEXT.encode()),
    "data.zip": zipped(TEXT.encode()), "data.txt": TEXT.encode(), "data": TEXT.encode(),
    "utf-16.csv": TEXT.encode("utf-16"), "utf-16-le.csv": TEXT.encode("utf-16-le"),
    "data.parquet": written("write_parquet"), "DATA.PARQUET": written("write_parquet"),
    "data.pq": written("write_parquet"), "data.dat": written("write_parquet"), "data.feather": written("write_ipc"),
    "data.parquet.gz": gzip.compress(written("write_parquet")),
    "cp1252.csv": text("ds,y,Größe", rows=[row + ",é" for row in ROWS]).encode("cp1252"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_told_by_its_content(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    notes = panel(tmp_path / name).notes
    assert (", ".join(notes).rpartition("with ")[2]) == (
        f"encoding {name.split('.')[0].upper()}" if name.startswith("utf") else
        "encoding cp1252" if name.startswith("cp") else ""
    )  # fmt: skip


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(text("日期,销量").encode("gb18030"))
    panel(path, time="日期", target="销量", encoding="gb18030")


DAMAGED = {
    "cut.csv.gz": (gzip.compress(TEXT.encode())[:-9], "is not a complete gzip file"),
    "cut.csv.xz": (lzma.compress(TEXT.encode())[:-20], "is not a complete xz file"),
    "cut.zip": (zipped(TEXT.encode())[:-30], "is not a complete zip archive"),
    "data.parquet": (TEXT.encode(), "is not a Parquet file that can be read: it doesn't begin with PAR1"),
    "old.xls": (b"\xd0\xcf\x11\xe0" + bytes(600), "is a workbook of the old binary format: save it as .xlsx or as CSV"),
    "data.csv.zst": (b"\x28\xb5\x2f\xfd" + bytes(60), "is compressed by zstd, which is not read: unpack it"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_or_unknown_file_is_named(name: str, tmp_path: Path) -> None:
    content, message = DAMAGED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name, Config())


def test_a_workbook_needs_its_extra_or_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises((MissingExtraError, DataError), match=r"gruworks\[excel\]|is not a workbook that can be read"):
        read(tmp_path / "data.xlsx", Config())


def test_a_sheet_is_read_below_its_title(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    cells = [["Sales", None], [None, None], ["ds", "y"], *zip(DAYS, VALUES, strict=True)]
    pandas.DataFrame(cells).to_excel(tmp_path / "data.xlsx", index=False, header=False, sheet_name="2012")
    panel(tmp_path / "data.xlsx")
    with pytest.raises(DataError, match=r"has no sheet 'x'; it has: 2012\. Name one: --sheet NAME"):
        panel(tmp_path / "data.xlsx", sheet="x")


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(TEXT.encode()))))
    panel(Path("-"))


def test_formats_are_settings(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(text("a,b", "ds,y", rows=lines_with(3, "% no; row")).replace("1000.5", "none yet"))
    found = read(path, Config.from_flat({"skip": 1, "comment": "%", "missing": ("none yet",)}))
    assert found.series[0].y.tolist() == VALUES[1:]
    path.write_text(TEXT.replace(",", "!"))
    panel(path, separator="!")


FRAMES = {
    "an index of times": pandas.DataFrame({"y": VALUES}, index=DAYS),
    "an index of periods": pandas.DataFrame({"y": VALUES}, index=DAYS.to_period("D")),
    "periods": pandas.DataFrame({"ds": DAYS.to_period("D"), "y": VALUES}),
    "a series of periods": pandas.Series(VALUES, index=DAYS.to_period("D")),
    "Tokyo": pandas.DataFrame({"ds": DAYS.tz_localize("Asia/Tokyo"), "y": VALUES}),
    "Tokyo's index": pandas.Series(VALUES, index=DAYS.tz_localize("Asia/Tokyo")),
    "clock changes": pandas.DataFrame({"ds": DAYS.tz_localize("America/New_York"), "y": VALUES}),
    "polars' zone": FRAME.with_columns(polars.col("ds").dt.replace_time_zone("Asia/Tokyo")),
    "texts": pandas.DataFrame({"ds": DAYS.strftime("%d %B %Y"), "y": [f"{value} €" for value in VALUES]}),
    "seconds": pandas.DataFrame({"ds": DAYS.astype("datetime64[s]").astype("int64"), "y": VALUES}),
    "whole floats": pandas.DataFrame({"ds": (DAYS.astype("datetime64[s]").astype("int64")).astype(float), "y": VALUES}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_have_their_own_ways_with_times(name: str) -> None:
    panel(FRAMES[name])  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_lines_may_end_in_a_carriage_return(end: str) -> None:
    """Read as one line, a table of a few thousand rows had as many columns as cells."""
    content = opened(TEXT.replace("\n", end).encode(), Path("data.csv"), Reading())
    assert content.text == TEXT
