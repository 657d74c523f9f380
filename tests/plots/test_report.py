"""The report is one page that loads nothing, says what it is given, and lets no text become markup."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy
import pytest

from gruworks.plots.report import _ticks, _time_axis, bars_svg, fan_svg, line_svg, write_report

K = 4


def fan(name: str = "shop") -> dict[str, Any]:
    y = numpy.array([1.0, 2, numpy.nan, 4, 3, 5])
    bands = {"": y[:K] + 4, "-lo-80": y[:K] + 3, "-hi-80": y[:K] + 5, "-lo-95": y[:K] + 2, "-hi-95": y[:K] + 6}
    bands = {end: numpy.nan_to_num(values, nan=5.0) for end, values in bands.items()}
    days = numpy.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]")
    return {"name": name, "stamps": days[:6], "y": y, "ahead": days[6:], "naive": numpy.full(K, 4.0), **bands}


def contents(**changes: Any) -> dict[str, Any]:
    scores = [
        {"model": "GRU", "mae": 1.0, "mase": 0.8, "coverage": 0.81},
        {"model": "last value", "mae": 1.5, "mase": None, "coverage": None},
    ]
    evaluation = {"scores": scores, "by_horizon": [0.5, 1.0, 1.5], "coverage95": 0.94, "mase_season": 7, "origins": 5}
    whole = {
        "title": "sales, 4 steps ahead", "facts": {"frequency": "daily"}, "warnings": ["3 values are missing"],
        "blend": "no skill over the naive forecast", "skill": False, "fans": [fan()], "measured": "held out",
        "components": None,
        "rule": "last week's value",
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
        "on the rows that the fit held out",
        "Dashed: last week&#x27;s value.",
        "2024-Jan",
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


def test_the_page_in_chinese_has_no_english_heading(tmp_path: Path) -> None:
    given = contents(title="销量，未来 4 步", blend="", warnings=[], facts={}, rule="上一周的值")
    page = write_report(tmp_path / "r.html", given, "zh").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page
    text = re.sub(r"(?s)<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", page)
    assert set(re.findall(r"[A-Za-z]{2,}", text)) == {
        "shop",
        "MAE",
        "MASE",
        "GRU",
        "last",
        "value",
    }  # names of the data


def test_components_are_charts_in_the_order_given(tmp_path: Path) -> None:
    days = numpy.arange("2024-01-01", "2024-01-11", dtype="datetime64[D]").astype("datetime64[us]")
    charts = [("Trend", days, numpy.arange(10.0)), ("Weekly season <", days[-7:], numpy.arange(7.0))]
    found = {"method": "They add up.", "series": [("shop", charts)]}
    page = write_report(tmp_path / "r.html", contents(components=found)).read_text()
    assert page.index("They add up.") < page.index("Trend") < page.index("Weekly season &lt;") < page.index("The data")
    assert page.count("<h3>shop</h3>") == 1  # the forecast's, for one series alone
    several = contents(components=found, fans=[fan(), fan("market")])
    assert write_report(tmp_path / "r.html", several).read_text().count("<h3>shop</h3>") == 2
    assert (
        "Components"
        not in write_report(tmp_path / "r.html", contents(components={"method": "", "series": []})).read_text()
    )


def test_dates_in_chinese() -> None:
    stamps = numpy.arange("2015-12-01", "2016-02-10", dtype="datetime64[D]").astype("datetime64[us]")
    for drawn in (
        line_svg(stamps, numpy.arange(71.0), "zh"),
        fan_svg(fan() | {"stamps": stamps[:6], "ahead": stamps[6:10]}, "zh"),
    ):
        labels = re.findall(r"<text[^>]*>([^<]*)", drawn)
        assert any("月" in label or "日" in label for label in labels)
        assert not any(re.search(r"[A-Za-z]", label) for label in labels)


def test_a_long_line_keeps_its_extremes_and_gaps() -> None:
    values = numpy.sin(numpy.arange(50_000.0))
    values[12_345], values[30_000:30_100] = 40.0, numpy.nan
    drawn = line_svg(numpy.arange(50_000), values)
    assert len(drawn) < 60_000
    assert drawn.count("<polyline") == 2
    heights = [
        float(pair.split(",")[1]) for points in re.findall(r'points="([^"]+)"', drawn) for pair in points.split()
    ]
    top = min(heights)
    assert sum(height < top + 20 for height in heights) == 1


def test_every_series_has_a_chart_and_many_are_folded(tmp_path: Path) -> None:
    page = write_report(tmp_path / "r.html", contents(fans=[fan(f"shop {k}") for k in range(60)])).read_text()
    assert page.count("<h3>") == 60
    assert page.count("<details>") == 2
    assert "shop 24 – shop 47 (24)" in page


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


AXES = {
    "days": (numpy.arange("2015-12-01", "2016-02-10", dtype="datetime64[D]").astype("datetime64[us]"), "2016"),
    "hours": (numpy.arange("2024-03-01T00", "2024-03-04T05", dtype="datetime64[h]").astype("datetime64[us]"), "2024"),
    "years": (numpy.arange("1900", "2021", dtype="datetime64[Y]").astype("datetime64[us]"), "1920"),
    "before the year 1": (numpy.arange("-0010-01-01", "-0010-03-01", dtype="datetime64[D]"), "-010-01-01"),
    "numbered rows": (numpy.arange(1, 60), "20"),
}


@pytest.mark.parametrize("name", AXES)
def test_the_time_axis_has_round_labels_inside_the_chart_that_don_t_touch(name: str) -> None:
    stamps, label = AXES[name]
    pieces = "".join(_time_axis(stamps, lambda at: 64 + numpy.asarray(at) / (len(stamps) - 1) * 644))
    found = [(float(x), text) for x, text in re.findall(r'<text x="([\d.]+)" y="212" [^>]*>([^<]*)', pieces)]
    assert 2 <= len(found) <= 13
    assert label in re.sub(r"<[^>]+>", " ", pieces)
    for (x, text), (after, following) in itertools.pairwise(found):
        assert 0 < x < after < 720
        assert after - x > 3 * (len(text) + len(following))
