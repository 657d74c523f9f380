"""The page as a person uses it: each view, by mouse and by keyboard, on a phone, in both languages and looks."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile

from gruworks.data.samples.recordings import recordings
from gruworks.tasks import registry
from tests.app.page.conftest import learn

VIEWS = ("start", "forecast", "write", "translate", "listen", "inside")
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
    page.get_by_label("Forecast by").select_option("")
    page.get_by_role("button", name="Forecast this table").click()
    page.wait_for_selector("#panel-forecast svg.drawing")
    page.get_by_text("In numbers").click()
    rows = page.locator("#panel-forecast details[open] tbody tr")
    assert rows.count() == 5
    assert "2023-04-11" in rows.first.inner_text()


def test_fit_a_table_as_a_job(visit: Visit) -> None:
    page = visit("forecast")
    page.set_input_files("#panel-forecast input[type=file]", file("shop.csv", "text/csv", CSV.encode()))
    page.wait_for_selector("text=shop.csv: 100 rows")
    learn(page)
    page.wait_for_selector("text=The fit is done. The new model is")
    page.wait_for_selector("#panel-forecast svg.drawing")
    expect(page.get_by_label("Steps ahead").first).to_have_value("3")


def test_fit_a_text_with_settings_from_the_form(visit: Visit) -> None:
    page = visit("write")
    page.get_by_role("button", name="Learn it").click()
    page.wait_for_selector("text=Choose a file to fit the model to.")
    text = "the cat sat on the mat. " * 60
    page.set_input_files("#panel-write input[type=file]", file("cat.txt", "text/plain", text.encode()))
    asked = []
    page.on("request", lambda one: one.url.endswith("/v1/fit") and asked.append(one.post_data_json))
    learn(page)
    page.wait_for_selector("text=/After [0-9]+ steps it writes:/")
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
    page.wait_for_selector("#panel-translate .heat canvas")
    assert re.search(r"[\u4e00-\u9fff]", page.locator("#panel-translate .sheet").inner_text())
    assert "hungry" not in page.url  # what a visitor writes is no part of the link
    assert page.locator("#panel-translate table tr").count() >= 1


def test_nothing_from_people_becomes_markup(visit: Visit) -> None:
    page = visit("translate")
    page.get_by_label("Sentence").first.fill("<img src=x onerror=alert(1)> <b>hi</b>")
    page.get_by_role("button", name="Translate", exact=True).click()
    page.wait_for_selector("#panel-translate .heat canvas")
    assert page.locator("#panel-translate img, #panel-translate .sheet b").count() == 0


def test_listen_to_a_file_and_to_the_microphone(visit: Visit) -> None:
    page = visit("listen", permissions=["microphone"])
    sound = io.BytesIO()
    soundfile.write(sound, numpy.random.default_rng(0).normal(0, 0.01, 4000), 8000, format="WAV")
    page.set_input_files("#panel-listen input[type=file]", file("a.wav", "audio/wav", sound.getvalue()))
    expect(page.locator("#panel-listen .sheet")).to_have_text(re.compile(r"\w"))
    page.set_input_files("#panel-listen input[type=file]", file("a.wav", "audio/wav", b"no sound"))
    page.wait_for_selector("#panel-listen [role=alert]:has-text('recording in wav, flac, ogg or mp3')")
    page.get_by_role("button", name="Start the microphone").click()
    page.wait_for_selector("text=Listening …")
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector("text=Start the microphone")
    expect(page.locator("#panel-listen [role=alert]:not(:empty)")).to_have_count(0)


def archive(names: list[str], transcripts: bool = True) -> dict[str, Any]:
    """A .zip of some of the sample recordings."""
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(content, "w") as packed:
        path = recordings(Path(folder))
        table = (path / "transcripts.csv").read_text().splitlines()
        for name in names:
            packed.write(path / name, f"mine/{name}")
        if transcripts:
            lines = [table[0], *(line for line in table if line.split(",")[0] in names)]
            packed.writestr("mine/metadata.csv", "\n".join(lines))
    return file("mine.zip", "application/zip", content.getvalue())


def test_fit_recordings_and_transcribe_one_with_the_new_model(visit: Visit) -> None:
    page = visit("listen")
    panel, model = page.locator("#panel-listen"), page.locator("#panel-listen form > label > select")
    upload, alert = panel.locator(".side input[type=file]"), panel.locator("[role=alert]:not(:empty)")
    panel.get_by_role("button", name="Learn it").click()
    expect(alert).to_have_text("Choose a file to fit the model to.")
    upload.set_input_files(file("mine.zip", "application/zip", b"no archive"))
    expect(alert).to_contain_text("This is not a .zip archive that can be read.")
    names = [f"{number:03}.wav" for number in range(16)]
    upload.set_input_files(archive(names[:1], transcripts=False))
    panel.get_by_role("button", name="Learn it").click()
    expect(alert).to_contain_text("There are no transcripts in the archive.")
    upload.set_input_files(archive(names))
    expect(panel.get_by_text("mine.zip · 0.")).to_be_visible()
    learn(page)
    page.wait_for_selector("#panel-listen .fitting svg.drawing")
    page.wait_for_selector("text=The fit is done. The new model is transcribe-")
    expect(model).to_have_value(re.compile("^transcribe-"))
    expect(panel.get_by_role("button", name="Start the microphone")).to_be_disabled()
    expect(panel.get_by_text("This model transcribes recordings only.")).to_be_visible()
    panel.get_by_role("button", name="a recording (vowels").click()
    expect(panel.locator(".sheet")).to_have_text(re.compile(r"\w"))
    assert model.input_value().startswith("transcribe-")
    model.select_option("ready/digits")
    expect(panel.get_by_role("button", name="Start the microphone")).to_be_enabled()


def test_the_example_recordings_are_fitted_and_cancelled(visit: Visit) -> None:
    page = visit("listen", locale="zh-CN")
    panel = page.locator("#panel-listen")
    panel.get_by_role("button", name="240 段元音录音").click()
    expect(panel.get_by_text("recordings.zip")).to_be_visible()
    expect(panel.get_by_label("整个训练的时长")).to_have_value("3")
    panel.get_by_role("button", name="开始学习").click()
    panel.get_by_role("button", name="取消").click()
    expect(panel.get_by_text("训练已取消")).to_be_visible()


def test_look_inside_numbers_cells_and_a_model(visit: Visit) -> None:
    page = visit("inside?numbers=1,2,3,4,5&by=gru")
    page.wait_for_selector("text=After 1, 2, 3, 4, 5 it predicts 6")
    assert page.locator("#panel-inside .heat").count() == 4
    page.get_by_role("button", name="One step on").click()
    expect(page.locator("#panel-inside .arithmetic")).to_contain_text("h = (1 − z) · h₍ₜ₋₁₎ + z · h̃")
    page.locator("#panel-inside").get_by_label("Model").first.select_option("cells")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("text=LSTM of hidden size 8, untrained")
    page.get_by_label("Numbers or text").fill("明月光")
    page.locator("#panel-inside").get_by_label("Model").first.select_option("ready/verse")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("text=The first GRU of ready/verse")


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit("start")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("#tab-start").focus()
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
    page.evaluate("location.hash = 'translate'")  # the view is fetched without the cookie
    page.locator("input[name=token]").fill("0123456789abcdef")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=tabpanel]:not([hidden]) h1")
    assert page.evaluate("location.search") == ""


def test_the_first_view_plays_a_sequence_and_predicts_the_next_number(visit: Visit) -> None:
    page = visit("")
    expect(page.locator("#panel-start .chip.answer")).to_have_text("?")
    expect(page.locator("#panel-start .chip.answer")).to_have_text("6")
    page.get_by_label("Your own numbers").fill("2, 4, 6, 8")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#panel-start .chip.answer")).to_have_text("10")
    page.get_by_label("Your own numbers").fill("2, x")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#panel-start [role=alert]")).to_contain_text("3 to 12 numbers")


def test_an_acrostic_in_simplified_script_keeps_its_rules(visit: Visit) -> None:
    page = visit("write")
    page.get_by_role("button", name="acrostic", exact=True).click()
    page.wait_for_selector("text=Keeps every rule of 五絕")
    assert [line[0] for line in page.locator("#panel-write .poem").inner_text().split()] == list("春花秋月")
    page.get_by_label("Acrostic").fill("春花")
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.locator("#panel-write [role=alert]:not(:empty)")).to_have_text(
        "An acrostic of this form has 4 characters, not 2."
    )
    page.get_by_label("Acrostic").fill("")
    page.get_by_label("Title").fill("思乡")
    page.get_by_label("Script").select_option("simplified")
    page.get_by_role("button", name="Write", exact=True).click()
    page.wait_for_selector("text=Keeps every rule of 五絕")
    assert "does not know" not in page.locator("#panel-write").inner_text()  # the model has 鄉


def test_lines_are_translated_apart_and_what_cannot_be_is_told(visit: Visit) -> None:
    page = visit("translate?example=lines")
    expect(page.locator("#panel-translate .translation")).to_have_count(3)
    alert = page.locator("#panel-translate [role=alert]:not(:empty)")
    page.get_by_label("Sentence").first.fill("  ")
    page.get_by_role("button", name="Translate", exact=True).click()
    expect(alert).to_contain_text("The box is empty")
    page.get_by_label("Sentence").first.fill("Ich bin hungrig und müde.")
    page.get_by_role("button", name="Translate", exact=True).click()
    expect(page.locator("#panel-translate .warn").first).to_contain_text("German")


def test_a_recording_of_no_digits_is_played_and_doubted(visit: Visit) -> None:
    page = visit("listen")
    page.get_by_role("button", name="a recording (vowels").click()
    expect(page.locator("#panel-listen .warn")).to_contain_text("This does not sound like what the model knows")
    assert page.locator("#panel-listen audio").get_attribute("src").startswith("blob:")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Recording", exact=True).click()
    assert saved.value.suggested_filename.endswith(".wav")


def test_the_example_digits_are_transcribed(visit: Visit) -> None:
    page = visit("listen?example=digits")
    expect(page.locator("#panel-listen .sheet")).to_have_text(re.compile("three one four one five nine"))
    expect(page.locator("#panel-listen .words b")).to_have_count(6)
    assert page.evaluate("location.search + location.hash").endswith("example=digits")


def test_trained_cells_stand_side_by_side(visit: Visit) -> None:
    page = visit("inside")
    page.get_by_role("button", name="RNN, LSTM, GRU").click()
    for cell in ("RNN", "LSTM", "GRU"):
        expect(page.get_by_role("heading", name=f"{cell}, trained on arithmetic sequences")).to_be_visible()
    assert (
        page.locator("text=it predicts 6").count() == 3
        or "it predicts 5.9" in page.locator("#panel-inside").inner_text()
    )
