"""The forecast view says what answers, shows nothing of what was there before, and puts errors where they arise."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from tests.app.page.conftest import learn

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
Visit = Callable[..., Any]
PANEL = "#panel-forecast"
DAYS = numpy.datetime_as_string(numpy.arange("2023-01-01", "2023-07-20", dtype="datetime64[D]"))
WEEK = [200 + 60 * (k % 7 == 5) + 100 * (k % 7 == 6) + (k * 37 % 11) for k in range(len(DAYS))]
WORKDAYS = [day for k, day in enumerate(DAYS) if numpy.is_busday(day) and k not in (30, 58)]


def csv(stamps: Any, values: Any, head: str = "day,sold") -> str:
    return head + "\n" + "".join(f"{stamp},{value}\n" for stamp, value in zip(stamps, values, strict=True))


SHOP = csv(DAYS, WEEK)
MONTHS = [f"{year}-{month:02d}" for year in range(2015, 2022) for month in range(1, 13)]
HOURS = numpy.datetime_as_string(numpy.arange("2023-01-01T00", "2023-01-15T00", dtype="datetime64[h]"))
QUARTERS = [f"{year}-{month:02d}-01" for year in range(2005, 2020) for month in (1, 4, 7, 10)]


def drop(page: Any, content: str | bytes, name: str = "shop.csv") -> None:
    given = content if isinstance(content, bytes) else content.encode()
    page.set_input_files(f"{PANEL} input[type=file]", {"name": name, "mimeType": "text/csv", "buffer": given})


def dropped(visit: Visit, content: str, **options: Any) -> Any:
    page = visit("forecast", **options)
    drop(page, content)
    page.wait_for_selector(f"{PANEL} >> text=/shop.csv[:：].*[0-9]+/")
    return page


def answer(page: Any) -> str:
    """Ask without a fit, and give the sentence above the chart."""
    if page.get_by_label("Forecast by").input_value() == "fit":
        page.get_by_label("Forecast by").select_option("")
    page.locator(f"{PANEL} form > button.main").click()
    page.wait_for_selector(f"{PANEL} svg.drawing")
    return str(page.locator(f"{PANEL} .said").inner_text())


def wrong(page: Any) -> Any:
    """The complaints that can be seen."""
    return page.locator(f"{PANEL} [role=alert]:not(:empty)")


def beside(page: Any, label: str) -> Any:
    """The complaint of the control with this name."""
    told = page.get_by_label(label).first.get_attribute("aria-describedby")
    return page.locator(f"#{told}")


def test_a_table_is_answered_by_its_best_naive_forecast_and_the_chart_says_so(visit: Visit) -> None:
    page = dropped(visit, SHOP)
    said = answer(page)
    assert "the best simple rule for this table: last week's value. On its last 50 days it was off by" in said
    assert "last week's value" in str(page.locator(f"{PANEL} .legend").text_content())
    page.get_by_text("Details", exact=True).click()
    assert "last week's value (this forecast)" in page.locator(f"{PANEL} tr.best").inner_text()
    assert "Seattle" not in page.locator(PANEL).inner_text()


@pytest.mark.parametrize(
    ("stamps", "head"),
    [
        (WORKDAYS, "Date,Close"),
        (MONTHS, "month,n"),
        (HOURS, "time,n"),
        (QUARTERS, "q,n"),
        (range(1950, 2015), "year,n"),
    ],
    ids=["stock", "month", "hour", "quarter", "year"],
)
def test_any_frequency_is_answered_and_a_model_of_days_stands_back(visit: Visit, stamps: Any, head: str) -> None:
    values = [100 + k % 12 + k / 7 for k in range(len(stamps))]
    page = dropped(visit, csv(stamps, values, head))
    assert "best simple rule" in answer(page)
    page.get_by_label("Forecast by").first.select_option("ready/seattle")
    assert "best simple rule" in answer(page)
    assert "ready/seattle was fitted on daily values" in page.locator(f"{PANEL} .result").first.inner_text()
    expect(wrong(page)).to_have_count(0)


def test_an_old_model_has_the_skill_that_it_shows_on_this_table(visit: Visit) -> None:
    own = visit("forecast?go=1")
    own.wait_for_selector(f"{PANEL} svg.drawing")
    page = dropped(visit, SHOP)
    page.get_by_label("Forecast by").first.select_option("ready/seattle")
    said = answer(page)
    assert said != own.locator(f"{PANEL} .said").inner_text()
    assert "last week's value" in said
    assert "time of year" not in said
    page.get_by_text("Details", exact=True).click()
    found = {
        row.split("\t")[0]: float(row.split("\t")[1])
        for row in page.locator(f"{PANEL} tbody tr").all_inner_texts()
        if "\t" in row and "–" not in row
    }
    assert found["ready/seattle (this forecast)"] < 1.5 * found["last week's value"]


def test_of_a_short_table_nothing_is_said_of_skill(visit: Visit) -> None:
    page = dropped(visit, csv(DAYS[:12], WEEK[:12]))
    said = answer(page)
    assert "simple rule" in said
    assert "on average" in said or "too short" in said
    page.get_by_label("Forecast by").first.select_option("ready/seattle")
    assert "too short to tell how far off" in answer(page)
    page.get_by_text("Details", exact=True).click()
    assert "too few unseen rows" in page.locator(PANEL).inner_text()


def test_a_new_file_column_or_model_clears_the_old_answer(visit: Visit) -> None:
    page = dropped(visit, csv(DAYS, [f"{one},{one * 3}" for one in WEEK], "day,sold,paid"))
    chart = page.locator(f"{PANEL} svg.drawing")
    for change in (
        lambda: page.get_by_label("Value").first.select_option("paid"),
        lambda: page.get_by_label("Forecast by").first.select_option("ready/seattle"),
        lambda: page.get_by_label("Series").first.select_option("sold"),
        lambda: drop(page, "ds,y\n2024-01-01,1,2\n", "bad.csv"),
    ):
        page.get_by_label("Series").first.select_option("")
        answer(page)
        change()
        expect(chart).to_have_count(0)
        expect(page.locator(f"{PANEL} tr.best")).to_have_count(0)
    expect(page.get_by_text("bad.csv", exact=True)).to_be_visible()
    expect(wrong(page)).to_have_count(1)
    expect(page.get_by_label("Value").first).to_be_hidden()
    drop(page, SHOP)
    page.wait_for_selector(f"{PANEL} >> text=shop.csv: 200 rows")
    expect(wrong(page)).to_have_count(0)
    assert page.get_by_label("Forecast by").first.input_value() == "fit"


@pytest.mark.parametrize(
    ("content", "label", "english", "chinese"),
    [
        (SHOP.replace("2023-01-05,", "5.1.2023,"), "Time", "Line 6: “5.1.2023” is no date", "第 6 行"),
        (csv(["soon"] * len(DAYS), WEEK), "Time", "No column could be read", "没有一列能读作日期"),
        (SHOP.replace("2023-01-05,", "2023-01-04,"), "Time", "occurs twice", "出现了两次"),
        (SHOP.replace("2023-01-05,", "2023-01-05,x"), "Value", "is no number", "不是数字"),
        (csv(DAYS, ["much"] * len(DAYS)), "Value", "No column holds numbers", "没有一列是数字"),
        (csv(DAYS[:2], WEEK[:2]), "Value", "has 2 values; a forecast needs 3", "至少需要 3 个"),
    ],
    ids=["date", "dates", "twice", "number", "numbers", "few"],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_control_in_both_languages(
    visit: Visit, content: str, label: str, english: str, chinese: str
) -> None:
    page = dropped(visit, content)
    if not wrong(page).count():
        page.get_by_label("Forecast by").first.select_option("ready/seattle")
        page.locator(f"{PANEL} form > button.main").click()
    expect(beside(page, label)).to_contain_text(english)
    expect(wrong(page)).to_have_count(1)
    page.get_by_role("button", name="中文").click()
    expect(wrong(page)).to_contain_text(chinese)
    for word in ("--", "temp_max", "Error", "Line"):
        assert word not in wrong(page).inner_text()
    expect(page.locator(f"{PANEL} svg.drawing")).to_have_count(0)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02", b"PK\x03\x04 workbook", b'day,sold\n"2024-01-01,3\n', b"day,day\n1,2\n", b"a,b\n1,2,3\n"],
)
def test_a_file_that_is_no_table_is_told_in_chinese_at_the_file(visit: Visit, content: bytes) -> None:
    page = visit("forecast", locale="zh-CN")
    drop(page, content)
    expect(wrong(page)).to_have_count(1)
    said = wrong(page).inner_text()
    assert any("\u4e00" <= sign <= "\u9fff" for sign in said)
    assert "table" not in said
    assert wrong(page).evaluate("(one) => one.previousElementSibling.className") == "note"  # the file's name
    assert page.get_by_label("数值").first.is_hidden()


def test_steps_beyond_a_model_are_told_at_their_box(visit: Visit) -> None:
    page = dropped(visit, SHOP)
    page.get_by_label("Forecast by").first.select_option("ready/seattle")
    page.locator(f"{PANEL} form").evaluate("(form) => { form.noValidate = true; }")
    page.get_by_label("Steps ahead").first.fill("99")
    page.locator(f"{PANEL} form > button.main").click()
    expect(beside(page, "Steps ahead")).to_have_text("The forecast has at most 14 steps.")


def test_rows_without_times_are_numbered_where_none_is_chosen(visit: Visit) -> None:
    page = dropped(visit, "sold\n" + "".join(f"{one}\n" for one in WEEK))
    expect(beside(page, "Time")).to_contain_text("No column could be read as dates")
    answer(page)
    page.get_by_text("In numbers").click()
    assert page.locator(f"{PANEL} details[open] tbody tr").first.inner_text().startswith("201")
    page.get_by_label("Forecast by").select_option("fit")
    page.get_by_role("button", name="Fit a model and forecast").click()
    expect(beside(page, "Time")).to_contain_text("choose the column of times")


def test_a_panel_shows_each_series_and_keeps_it_when_the_language_changes(visit: Visit) -> None:
    rows = "".join(
        f"{name};{day};{value * size}\n"
        for name, size in (("north", 1), ("south", 9))
        for day, value in zip(DAYS, WEEK, strict=True)
    )
    page = dropped(visit, "unique_id;ds;y\n" + rows)
    assert page.get_by_label("Series").first.input_value() == "unique_id"
    answer(page)
    page.get_by_label("Series").last.select_option("1")
    page.get_by_role("button", name="中文").click()
    expect(page.locator(f"{PANEL} .said")).to_contain_text("最适合这张表的简单规则")
    assert page.get_by_label("序列").last.input_value() == "1"
    assert "上一周的值" in str(page.locator(f"{PANEL} .legend").text_content())


def test_a_late_answer_of_an_old_request_is_not_shown(visit: Visit) -> None:
    page = dropped(visit, SHOP)
    held: list[Any] = []
    page.route("**/v1/forecast", lambda route: route.continue_() if held else held.append(route))
    page.locator(f"{PANEL} form > button.main").click()
    page.wait_for_selector(f"{PANEL} .busy")
    page.get_by_label("Forecast by").first.select_option("ready/seattle")
    expect(page.locator(f"{PANEL} .busy")).to_have_count(0)
    answer(page)
    shown = page.locator(f"{PANEL} .said").inner_text()
    held[0].continue_()
    page.wait_for_timeout(600)
    assert page.locator(f"{PANEL} .said").inner_text() == shown
    assert "ready/seattle" in shown or "The model is worth it" in shown or "The simple rule is as good" in shown


def test_a_fit_shows_the_simple_rule_at_once_then_its_own_with_what_it_held_out(visit: Visit) -> None:
    page = dropped(visit, SHOP)
    expect(page.get_by_label("Forecast by")).to_have_value("fit")
    learn(page)
    expect(page.locator(f"{PANEL} .said")).to_contain_text("This is the best simple rule for this table")
    page.wait_for_selector("text=The fit is done. The new model is")
    expect(page.locator(f"{PANEL} .said")).to_contain_text(
        "which the model did not learn from, this forecast was off by"
    )
    page.get_by_text("Details", exact=True).click()
    expect(page.get_by_role("heading", name="Errors on the validation rows")).to_be_visible()
    model = page.get_by_label("Forecast by").first.input_value()
    assert model.startswith("forecast-")
    expect(page.locator(f"{PANEL} tr.best")).to_contain_text(f"{model} (this forecast)")
    expect(wrong(page)).to_have_count(0)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Model", exact=True).click()
    assert saved.value.suggested_filename == f"{model}.zip"


def test_a_fit_of_few_rows_is_called_what_it_is(visit: Visit) -> None:
    page = dropped(visit, csv(DAYS[:20], WEEK[:20]))
    learn(page)
    page.wait_for_selector("text=The fit is done. The new model is")
    page.get_by_text("Details", exact=True).click()
    expect(page.locator(PANEL)).to_contain_text("This is a combination of statistical baselines")
    expect(wrong(page)).to_have_count(0)


def test_a_fit_does_not_touch_a_file_that_came_later_and_can_be_cancelled(visit: Visit) -> None:
    page = dropped(visit, SHOP)
    learn(page)
    page.wait_for_selector(f"{PANEL} >> text=/learn.* shop.csv/i")
    drop(page, csv(MONTHS, range(len(MONTHS)), "month,n"), "later.csv")
    page.wait_for_selector(f"{PANEL} >> text=later.csv: 84 rows")
    page.wait_for_selector("text=The fit is done. The new model is")
    expect(page.locator(f"{PANEL} .said")).to_have_count(0)
    assert page.get_by_label("Forecast by").first.input_value() == "fit"
    page.route(
        "**/v1/jobs/*/events",
        lambda route: route.fulfill(
            content_type="text/event-stream", body='event: cancelled\ndata: {"message": "cancelled"}\n\n'
        ),
    )
    page.get_by_role("button", name="Fit a model and forecast").click()
    page.wait_for_selector("text=The fit was cancelled.")
    expect(page.get_by_role("button", name="Fit a model and forecast")).to_be_enabled()


TABLES = {
    "german": ("Datum;Umsatz\n", "{d:%d.%m.%Y};{v},26\n", "DD/MM/YYYY"),
    "american": ("Date,Close\n", '{d:%m/%d/%Y},"$1,{v}.60"\n', "MM/DD/YYYY"),
    "chinese": ("日期,销量\n", "{d.year}年{d.month}月{d.day}日,{v}\n", "YYYY年MM月DD日"),
}


@pytest.mark.parametrize("form", TABLES)
def test_a_table_as_people_have_it_is_previewed_as_it_is_read(visit: Visit, form: str) -> None:
    head, line, dates = TABLES[form]
    days = [datetime.date(2023, 1, 1) + datetime.timedelta(k) for k in range(120)]
    content = head + "".join(line.format(d=day, v=100 + k % 7 * 11) for k, day in reversed(list(enumerate(days))))
    page = visit("forecast")
    drop(page, content.encode("gb18030" if form == "chinese" else "utf-8"))
    expect(page.locator(f"{PANEL} .preview")).to_contain_text(f"Dates are read as {dates}.")
    expect(page.locator(f"{PANEL} .preview")).to_contain_text("120 rows, daily, from 2023-01-01 to 2023-04-30")
    assert "last week's value" in answer(page)
    expect(wrong(page)).to_have_count(0)


@pytest.mark.parametrize(
    ("button", "words"), [("shop sales", "2 series"), ("share prices", "business-day"), ("weather", "daily")]
)
def test_an_example_is_a_click_and_its_link_holds_neither_data_nor_token(visit: Visit, button: str, words: str) -> None:
    page = visit("forecast")
    page.get_by_role("button", name=button).click()
    expect(page.locator(f"{PANEL} .preview")).to_contain_text(words)
    answer(page)
    assert "example=" in page.url
    assert not {"csv", "token", "0123456789abcdef"} & set(page.url.replace("=", " ").replace("&", " ").split())
    page.get_by_text("The same over HTTP").click()
    call = page.locator(f"{PANEL} pre").inner_text()
    assert "$GRUWORKS_TOKEN" in call
    assert "0123456789abcdef" not in call
    again = visit(page.url.partition("#")[2])
    again.wait_for_selector(f"{PANEL} svg.drawing")
    assert again.locator(f"{PANEL} .said").inner_text() == page.locator(f"{PANEL} .said").inner_text()


def test_the_forecast_is_saved_as_a_table_and_a_picture(visit: Visit) -> None:
    page = dropped(visit, SHOP)
    answer(page)
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = Path(saved.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == "series,time,forecast,low 80 %,high 80 %,low 95 %,high 95 %"
    assert len(rows) == 15
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG", exact=True).click()
    assert Path(saved.value.path()).read_bytes()[:4] == b"\x89PNG"


def test_receipts_are_added_up_by_the_month(visit: Visit) -> None:
    days = [f"{2020 + i // 336}-{i // 28 % 12 + 1:02}-{i % 28 + 1:02}" for i in range(1008)]
    page = dropped(visit, "date,amount\n" + "".join(f"{day},2\n{day},3\n" for day in days))
    expect(beside(page, "Time")).to_contain_text("Combine rows by")
    expect(page.get_by_label("Into their")).to_be_hidden()
    page.get_by_label("Combine rows by").select_option("month")
    expect(wrong(page)).to_have_count(0)
    expect(page.locator(PANEL)).to_contain_text("2016 rows, monthly, from 2020-01-01 to 2022-12-01")
    page.get_by_label("Into their").select_option("mean")
    page.get_by_label("Forecast by").first.select_option("")
    page.get_by_label("Steps ahead").fill("3")
    answer(page)
    expect(page.locator(PANEL)).to_contain_text("2.5")
