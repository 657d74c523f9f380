"""Every note of the library on a table and a fit has a Chinese sentence with the same names and numbers."""

from __future__ import annotations

import re
import string
from pathlib import Path

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.app.notes_zh import NOTES, TERMS, frequency_zh, in_chinese
from gruworks.tasks.forecast.combination.blending import NETWORK_ALONE, Blend

DAYS = [str(day) for day in numpy.arange("2024-01-01", "2024-02-10", dtype="datetime64[D]")]
ROWS = [f"{day},{at % 7 + 1}" for at, day in enumerate(DAYS)]
HEAD = "day,sold"
TABLES = {
    "guessed columns": [HEAD, *ROWS],
    "semicolons, decimal comma, a total": [
        "day;sold", *(f"{day[8:]}.{day[5:7]}.{day[:4]};{at % 7},5" for at, day in enumerate(DAYS)), "Total;140,5",
    ],
    "comments, a title, a repeated header": ["# made by hand", "Sales of 2024", HEAD, *ROWS[:20], HEAD, *ROWS[20:]],
    "thousands and parentheses": [HEAD, *(f'{day},"1,{at:03}"' for at, day in enumerate(DAYS)), '2024-02-10,"(5)"'],
    "not in order, twice, missing, none at the end": [
        HEAD, *ROWS[30:], *ROWS[:30], ROWS[0], "2024-02-10,", "2024-02-11,7", "2024-02-14,7", "2024-02-15,",
    ],
    "never moves": [HEAD, *(f"{day},5" for day in DAYS)],
    "irregular": [HEAD, *(f"{day} 0{at * 7 % 9}:{at * 11 % 50:02}:00,{at % 7}" for at, day in enumerate(DAYS))],
    "spreadsheet serials": [HEAD, *(f"{45292 + at},{at % 7}" for at in range(40))],
    "seconds since 1970": [HEAD, *(f"{1704067200 + 86400 * at},{at % 7}" for at in range(40))],
    "units": [HEAD, ",pieces", *ROWS],
    "an offset": [HEAD, *(f"{day}T00:00:00+08:00,{at % 7}" for at, day in enumerate(DAYS))],
}  # fmt: skip
KEPT = {"sold", "Holt", "Winters", "Theta", "UTC", "MM", "DD", "YYYY", "Total", "made"}  # names


def english(text: str) -> set[str]:
    """English words outside quotation marks."""
    return set(re.findall(r"[A-Za-z]{3,}", re.sub(r"'[^']*'|\S+\.csv", "", text))) - KEPT


@pytest.mark.parametrize("name", TABLES)
def test_the_notes_on_a_table(name: str, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("\n".join(TABLES[name]) + "\n", encoding="utf-8")
    notes = Forecaster(horizon=3, steps=2).fit(file, quiet=True).fit_warnings
    assert notes
    for note in notes:
        told = in_chinese(note)
        assert told != note
        assert not english(told), told
        assert set(re.findall(r"\d+", note)) <= set(re.findall(r"\d+", told)) | set("1")


def test_the_notes_on_several_series(tmp_path: Path) -> None:
    days = pandas.to_datetime(DAYS)
    rows = [pandas.DataFrame({"unique_id": name, "ds": days, "y": numpy.arange(40) % 7}) for name in "ab"]
    short = pandas.DataFrame({"unique_id": "c", "ds": days[:2], "y": 1.0})
    months = pandas.DataFrame(
        {"unique_id": "d", "ds": pandas.date_range("2020-01-01", periods=30, freq="MS"), "y": 1.0}
    )
    table = pandas.concat([*rows, short, months])
    notes = Forecaster(horizon=3, steps=2).fit(table, quiet=True).fit_warnings
    assert any("left out" in one for one in notes)
    for note in notes:
        assert not english(in_chinese(note)), note


def test_the_combination() -> None:
    naive = "seasonal naive (7)"
    for blend in (
        NETWORK_ALONE, Blend(naive=naive, weight=0.0), Blend(naive=naive, weight=0.4, ratio=0.93),
        Blend(naive=naive, weight=0.4, smoothing={"Holt-Winters of logarithms": 0.2, "Theta": 0.1}),
    ):  # fmt: skip
        told = in_chinese(str(blend))
        assert told != str(blend)
        assert not english(told), told


@pytest.mark.parametrize(
    ("frequency", "chinese"),
    [
        ("daily", "每日"), ("daily on Mon, Tue, Sat", "每周一、周二、周六"), ("15min", "15min"),
        ("monthly, on day 15", "每月 15 日"),
        ("hourly while open, 60 of 168 a week", "营业时间内每小时，每周 168 个时段中有 60 个"),
    ],
)  # fmt: skip
def test_frequencies(frequency: str, chinese: str) -> None:
    assert frequency_zh(frequency) == chinese


def test_an_unknown_note_stays_as_it_is() -> None:
    assert in_chinese("something else was found") == "something else was found"


@pytest.mark.parametrize("sentences", [NOTES, TERMS])
def test_both_sentences_have_the_same_parts(sentences: tuple[tuple[str, str], ...]) -> None:
    for one, chinese in sentences:
        parts = [name for _, name, _, _ in string.Formatter().parse(chinese) if name]
        known = re.findall(r"{(\w+)[!+]?}", one)
        assert set(parts) <= set(known), one
        assert set(known) - set(parts) <= {"flag"}, one  # of the command line
