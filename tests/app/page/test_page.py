"""The page as a person uses it: each view, by mouse and by keyboard, on a phone, in both languages and looks."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import soundfile

from gruworks.tasks import registry
from tests.app.page.conftest import learn

VIEWS = ("forecast", "write", "translate", "listen", "inside")
DAYS = numpy.datetime_as_string(numpy.arange("2023-01-01", "2023-04-11", dtype="datetime64[D]"))
CSV = "day,shop,sold\n" + "".join(f"{day},a,{20 + k % 7}\n" for k, day in enumerate(DAYS))
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
Visit = Callable[..., Any]


def file(name: str, kind: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": content}


def test_forecast_a_table_that_was_chosen(visit: Visit) -> None:
    page = visit("forecast")
    page.set_input_files("#panel-forecast input[type=file]", file("shop.csv", "text/csv", CSV.encode()))
    page.wait_for_selector("text=shop.csv: 100 rows")
    assert page.get_by_label("Time").first.input_value() == "day"
    assert page.get_by_label("Value").first.input_value() == "sold"
    page.get_by_label("Steps ahead").first.fill("5")
    page.get_by_role("button", name="Forecast this table").click()
    page.wait_for_selector("#panel-forecast .main-svg")
    page.get_by_text("In numbers").click()
    assert page.locator("#panel-forecast tbody tr").count() == 5
    assert "2023-04-11" in page.locator("#panel-forecast tbody tr").first.inner_text()


def test_fit_a_table_as_a_job(visit: Visit) -> None:
    page = visit("forecast")
    page.set_input_files("#panel-forecast input[type=file]", file("shop.csv", "text/csv", CSV.encode()))
    page.wait_for_selector("text=shop.csv: 100 rows")
    learn(page)
    page.wait_for_selector("text=The fit is done. The new model is")
    page.wait_for_selector("#panel-forecast .main-svg")
    expect(page.get_by_label("Steps ahead").first).to_have_value("3")


def test_fit_a_text_with_settings_from_the_form(visit: Visit) -> None:
    page = visit("write")
    page.locator("#panel-write details.card > summary").click()
    page.get_by_role("button", name="Fit the model").click()
    page.wait_for_selector("text=Choose a file to fit the model to.")
    text = "the cat sat on the mat. " * 60
    page.set_input_files("#panel-write input[type=file]", file("cat.txt", "text/plain", text.encode()))
    asked = []
    page.on("request", lambda one: one.url.endswith("/v1/fit") and asked.append(one.post_data_json))
    learn(page)
    page.wait_for_selector("text=The fit is done. The new model is generate-")
    expect(page.locator("#panel-write").get_by_label("Model").first).to_have_value(re.compile("^generate-"))
    assert asked[0]["settings"]["token"] == "character"
    assert not set(asked[0]["settings"]) & registry.settings("generate", "Config").local_names()


def test_what_is_wrong_with_a_table_is_said_where_it_belongs(visit: Visit) -> None:
    page = visit("forecast")
    page.set_input_files("#panel-forecast input[type=file]", file("bad.csv", "text/csv", b"ds,y\n2024-01-01,1,2\n"))
    page.wait_for_selector("#panel-forecast [role=alert]:has-text('line 2 of the table has 3 values')")


def test_a_poem_by_its_link(visit: Visit) -> None:
    page = visit("write?form=jueju5&seed=3")
    page.wait_for_selector("text=Keeps every rule of 五絕")
    poem = page.locator("#panel-write .poem").inner_text()
    assert [len(line) for line in poem.split()] == [5, 5, 5, 5]
    again = visit(page.url.partition("#")[2])
    again.wait_for_selector("text=Keeps every rule of 五絕")
    assert again.locator("#panel-write .poem").inner_text() == poem


def test_text_appears_as_it_is_written_and_can_be_stopped(visit: Visit) -> None:
    page = visit("write")
    page.get_by_label("Form").first.select_option("")
    page.get_by_label("Beginning").first.fill("明月")
    page.get_by_label("Maximum number of tokens").fill("2000")
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator("#panel-write .prose")).to_have_text(re.compile("明月."))
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    assert page.locator("#panel-write .prose").inner_text().startswith("明月")


def test_translate_with_the_map(visit: Visit) -> None:
    page = visit("translate")
    page.get_by_label("Sentence").first.fill("I am hungry.")
    page.get_by_label("Sentence").first.press("Control+Enter")
    page.wait_for_selector("#panel-translate .main-svg")
    assert re.search(r"[\u4e00-\u9fff]", page.locator("#panel-translate .sheet").inner_text())
    assert "text=I+am+hungry." in page.url
    assert page.locator("#panel-translate table tr").count() >= 1


def test_nothing_from_people_becomes_markup(visit: Visit) -> None:
    page = visit("translate")
    page.get_by_label("Sentence").first.fill("<img src=x onerror=alert(1)> <b>hi</b>")
    page.get_by_role("button", name="Translate", exact=True).click()
    page.wait_for_selector("#panel-translate .main-svg")
    assert page.locator("#panel-translate img, #panel-translate .sheet b").count() == 0


def test_listen_to_a_file_and_to_the_microphone(visit: Visit) -> None:
    page = visit("listen", permissions=["microphone"])
    sound = io.BytesIO()
    soundfile.write(sound, numpy.random.default_rng(0).normal(0, 0.01, 4000), 8000, format="WAV")
    page.set_input_files("#panel-listen input[type=file]", file("a.wav", "audio/wav", sound.getvalue()))
    expect(page.locator("#panel-listen .sheet")).to_have_text(re.compile(r"\w"))
    page.set_input_files("#panel-listen input[type=file]", file("a.wav", "audio/wav", b"no sound"))
    page.wait_for_selector("#panel-listen [role=alert]:has-text('a recording in wav, flac, ogg or mp3')")
    page.get_by_role("button", name="Start the microphone").click()
    page.wait_for_selector("text=Listening …")
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector("text=Start the microphone")
    assert page.locator("#panel-listen [role=alert]").inner_text() == ""


def test_look_inside_numbers_cells_and_a_model(visit: Visit) -> None:
    page = visit("inside?numbers=1,2,3,4,5&by=gru")
    page.wait_for_selector("text=After 1, 2, 3, 4, 5 it predicts 6")
    assert page.locator("#panel-inside .chart").count() == 5
    page.locator("#panel-inside").get_by_label("Model").first.select_option("cells")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("text=LSTM of hidden size 8, untrained")
    page.get_by_label("Numbers or text").fill("明月光")
    page.locator("#panel-inside").get_by_label("Model").first.select_option("ready/verse")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("text=The first GRU of ready/verse")


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit("forecast")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("#tab-forecast").focus()
    for view in (*VIEWS[1:], VIEWS[0]):
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f"#panel-{view}:not([hidden]) h1")
        assert page.evaluate("document.activeElement.id") == f"tab-{view}"
    assert page.locator("[role=tab][tabindex='0']").count() == 1


@pytest.mark.parametrize("view", VIEWS)
def test_on_a_phone_nothing_is_wider_than_the_screen_and_everything_has_a_name(visit: Visit, view: str) -> None:
    page = visit(view, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, input, select, textarea')].filter((one) =>
        one.offsetParent && !one.textContent.trim() && !one.getAttribute('aria-label') && !one.labels?.length
        ).map((one) => one.outerHTML)"""
    )
    assert nameless == []


def test_language_and_look_are_switched_and_remembered(visit: Visit) -> None:
    page = visit("write", color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="中文").click()
    assert page.locator("#panel-write h1").inner_text() == "续写文本"
    page.locator("#theme").click()
    page.reload()
    page.wait_for_selector("text=续写文本")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_the_token_leaves_the_address_and_a_lost_one_is_asked_for(visit: Visit) -> None:
    page = visit("write")
    assert page.evaluate("location.search + location.hash.slice(0, 6)") == "#write"
    assert page.evaluate("document.cookie") == ""
    page.reload()
    page.wait_for_selector("#panel-write h1")
    page.context.clear_cookies()
    page.evaluate("location.hash = 'translate'")
    page.get_by_role("button", name="Translate", exact=True).click()  # the first request without the cookie
    page.locator("input[name=token]").fill("0123456789abcdef")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=tabpanel]:not([hidden]) h1")
    assert page.evaluate("location.search") == ""
