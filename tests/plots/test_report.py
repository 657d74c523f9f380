"""The report is one page that loads nothing, says what it is given, and lets no text become markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy
import pytest

from gruworks.plots.report import _stamps, _ticks, bars_svg, fan_svg, write_report

K = 4


def fan(name: str = "shop") -> dict[str, Any]:
    y = numpy.array([1.0, 2, numpy.nan, 4, 3, 5])
    bands = {"": y[:K] + 4, "-lo-80": y[:K] + 3, "-hi-80": y[:K] + 5, "-lo-95": y[:K] + 2, "-hi-95": y[:K] + 6}
    bands = {end: numpy.nan_to_num(values, nan=5.0) for end, values in bands.items()}
    days = numpy.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]")
    return {"name": name, "stamps": days[:6], "y": y, "ahead": days[6:], **bands}


def contents(**changes: Any) -> dict[str, Any]:
    scores = [
        {"model": "GRU", "mae": 1.0, "mase": 0.8, "coverage": 0.81},
        {"model": "last value", "mae": 1.5, "mase": None, "coverage": None},
    ]
    evaluation = {"scores": scores, "by_horizon": [0.5, 1.0, 1.5], "coverage95": 0.94, "mase_season": 7, "origins": 5}
    whole = {
        "title": "sales, 4 steps ahead", "facts": {"frequency": "daily"}, "warnings": ["3 values are missing"],
        "blend": "no skill over the naive forecast", "fans": [fan()], "measured": "on held-out rows",
        "evaluation": evaluation,
    }  # fmt: skip
    return whole | changes


class Tags(HTMLParser):
    """Every tag is closed by its own."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta", "!doctype", "line", "rect", "polygon", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "rect", "polygon", "polyline"):
            assert self.open.pop() == tag


def test_the_page_says_all_that_it_is_given_and_loads_nothing(tmp_path: Path) -> None:
    page = write_report(tmp_path / "a" / "report.html", contents()).read_text()
    for text in (
        "sales, 4 steps ahead",
        "3 values are missing",
        "no skill",
        "81%",
        "94%",
        "last value",
        "on held-out rows",
        "2024-01-10",
    ):
        assert text in page
    assert not re.search(r"https?:|src=|<script|@import|url\(", page)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []


def test_the_page_opens_with_the_plain_sentence_where_there_is_one(tmp_path: Path) -> None:
    page = write_report(tmp_path / "r.html", contents(plain="off by 5 < 7 on average")).read_text()
    assert "</h1><p class=plain>off by 5 &lt; 7 on average</p>" in page
    assert "class=plain" not in write_report(tmp_path / "r.html", contents(plain="")).read_text()


def test_text_from_the_data_is_no_markup(tmp_path: Path) -> None:
    page = write_report(tmp_path / "r.html", contents(fans=[fan("<b>&x")], warnings=["<i>"], title="<u>")).read_text()
    for text in ("<b>", "<i>", "<u>"):
        assert text not in page


def test_without_an_evaluation_the_page_says_so(tmp_path: Path) -> None:
    page = write_report(tmp_path / "r.html", contents(evaluation=None, warnings=[])).read_text()
    assert "too few rows to measure errors on" in page
    assert "No problems were found" in page


def test_a_missing_value_breaks_the_line_and_bands_enclose_the_median() -> None:
    drawn = fan_svg(fan())
    assert drawn.count('class="past"') == 2
    assert "nan" not in drawn

    def heights(kind: str) -> list[float]:
        points = re.search(rf'class="{kind}" points="([^"]+)"', drawn)
        assert points is not None
        return [float(pair.split(",")[1]) for pair in points[1].split()]

    wide, band, said = heights("wide"), heights("band"), heights("said")
    assert min(wide) < min(band) < min(said)


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0], list(range(60))])
def test_a_bar_for_each_step(values: list[float]) -> None:
    assert bars_svg(values).count("<rect") == len(values)


def test_the_axis_has_round_ticks_around_all_values() -> None:
    for low, high in ((1.7, 21.1), (0.0, 3.492), (-0.003, 0.004), (5.0, 5.0), (0.0, 0.0), (1e6, 1.1e6)):
        ticks = _ticks(low, high)
        assert ticks[0] <= low + 1e-9
        assert ticks[-1] >= high - 1e-9
        assert 2 <= len(ticks) <= 7
    assert _ticks(1.7, 21.1).tolist() == [0, 5, 10, 15, 20, 25]


def test_stamps_below_the_axis_never_lie_on_each_other() -> None:
    for origin in (100.0, 300.0, 640.0, 700.0):
        found = _stamps("2015-10-09", "2015-12-31", "2016-01-14", origin)
        assert [text.count("2016-01-14") for text in found].count(1) == 1
        for text in (one for one in found if "between" in one):
            assert float(text.split('x="')[1].split('"')[0]) < 720 - 12 - 6 * 10
