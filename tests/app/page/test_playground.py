"""The playground of the documentation: its modules in Node beside Python's, and its page in headless Chromium."""

from __future__ import annotations

import functools
import http.server
import json
import re
import runpy
import shutil
import subprocess
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.data.samples.tables import weather
from gruworks.interop.c.webassembly import compiler
from gruworks.lab.number_lines.next_number import next_number
from gruworks.tasks import ready
from gruworks.tasks.generate.verse.checker import check
from gruworks.tasks.generate.verse.constraint import VerseConstraint
from gruworks.tasks.generate.verse.forms import FORMS, VerseOptions
from tests.app.page.conftest import CHROMIUM, FLAGS, PATIENCE

DOCS = Path(__file__).resolve().parents[3] / "docs"
SYMBOLS = [
    "<end>",
    "\n",
    *"東風白日依山盡黃河入海流欲窮千里目更上一層樓休秋愁舟州頭浮收空中紅同翁通公年天前煙然眠邊仙",
    "ab",
]
LIMIT = 300_000  # bytes besides weights
VIEWS = ("gates", "forecast", "verse", "digits")

if shutil.which("node") is None:
    pytest.skip("Node is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "make_playground.py"))


@pytest.fixture(scope="module")
def folder(script: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the playground with what `make playground` builds, or without models where there is no compiler."""
    found = tmp_path_factory.mktemp("site") / "playground"
    shutil.copytree(DOCS / "playground", found)
    build = script["build"]
    build.__globals__.update(PAGE=found, BUILD=found / "build")
    build()
    return found


@pytest.fixture(scope="module")
def built(folder: Path) -> Path:
    if compiler() is None:
        pytest.skip("zig is not installed: make playground brings it")
    return folder


def in_node(folder: Path, text: str, given: Any = None) -> Any:
    """What a module prints as JSON; `given` is its constant of that name."""
    path = folder / "tried.mjs"
    path.write_text(f"const given = {json.dumps(given)};\n{text}", encoding="utf-8")
    done = subprocess.run(["node", "--no-warnings", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("form", FORMS)
def test_the_rules_allow_what_the_constraint_allows(form: str, script: dict[str, Any], folder: Path) -> None:
    rules = VerseConstraint(VerseOptions(form=form), SYMBOLS, 1, 0)
    random, prefixes = numpy.random.default_rng(0), []
    for _ in range(6):
        poem: list[int] = []
        while len(poem) < rules.length:
            prefixes.append(list(poem))
            allowed = numpy.flatnonzero(rules.mask(numpy.array([poem], numpy.int64))[0])
            poem.append(int(random.choice(allowed)))
    prefixes += [[2] * count for count in (1, 5, 7)]  # the same character again and again keeps no rule
    expected = [
        numpy.flatnonzero(rules.mask(numpy.array([one], numpy.int64).reshape(1, -1))[0]).tolist() for one in prefixes
    ]
    given = {"table": script["rule_table"]({form: rules}), "form": form, "prefixes": prefixes}
    text = """\
import { Rules } from "./rules.js";
const rules = new Rules(given.table, given.form);
console.log(JSON.stringify(given.prefixes.map((one) => [...rules.mask(one)].flatMap((yes, i) => (yes ? [i] : [])))));
"""
    assert in_node(folder, text, given) == expected


def test_gates_are_those_of_the_lab(folder: Path) -> None:
    shown = next_number([1, 2, 3, 4, 5])
    text = """\
import { readFileSync } from "node:fs";
import { answer, trace } from "./gates.js";
const unit = JSON.parse(readFileSync(new URL("build/gates.json", import.meta.url)));
const steps = trace(unit, given.map((y) => (y - unit.shift) / unit.scale));
console.log(JSON.stringify({ steps, answer: answer(unit, steps.at(-1).h) }));
"""
    found = in_node(folder, text, [1, 2, 3, 4, 5])
    for name, values in {"z": shown.update, "r": shown.reset, "n": shown.candidate, "h": shown.state}.items():
        numpy.testing.assert_allclose([step[name] for step in found["steps"]], values, atol=1e-12)
    assert found["answer"] == pytest.approx(shown.answer, abs=1e-10)


READ = """\
import { dailyOf, readTable } from "./table.js";
try {
  const { days, columns } = readTable(given);
  const daily = Object.entries(columns).map(([name, values]) => [name, dailyOf(days, values)]);
  const first = new Date(daily[0][1].first * 864e5);
  console.log(JSON.stringify({ first, columns: Object.fromEntries(daily.map(([name, one]) => [name, one.values])) }));
} catch (error) { console.log(JSON.stringify({ key: error.key ?? String(error) })); }
"""


def test_tables_are_read(folder: Path) -> None:
    def read(text: str) -> Any:
        return in_node(folder, READ, text)

    rows = [
        '\ufeffday;"the; place";a',
        "2024/2/28;x;1.5",
        '2024-03-01;"y""z";',
        "2024-02-29;z;2",
        "2024-03-03 00:00;x;-4e1",
    ]
    found = read("\r\n".join([*rows, ""]))
    assert found == {"first": "2024-02-28T00:00:00.000Z", "columns": {"a": [1.5, 2, None, None, -40]}}
    rows = [f"2024-01-{day:02},{day}" for day in range(1, 6)]
    assert read("\n".join(["date,a", *rows, rows[0]])) == {"key": "twice"}
    assert read("\n".join(["date,a", "2024-02-30,1", *rows])) == {"key": "noDates"}
    assert read("\n".join(["date,a", *(one + "x" for one in rows)])) == {"key": "noNumbers"}
    assert read("date,a\n" + "\n".join(f"2024-{month:02}-01,{month}" for month in range(1, 9))) == {"key": "notDaily"}
    assert read("date,a\n2024-01-01,1") == {"key": "fewRows"}


def test_sound_at_another_rate(folder: Path) -> None:
    """A tone below half of the new rate keeps its height, one above it is gone, whatever the pieces."""
    text = """\
import { Resampler } from "./sound.js";
const tone = (hertz) => Float32Array.from({ length: 24000 }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / given));
const through = (samples, size) => {
  const one = new Resampler(given, 8000), found = [];
  for (let i = 0; i < samples.length; i += size) found.push(...one.push(samples.subarray(i, i + size)));
  return found;
};
console.log(JSON.stringify([through(tone(1000), 4410), through(tone(1000), 37), through(tone(6000), 4410)]));
"""
    for rate in (44_100, 48_000):
        whole, pieces, high = in_node(folder, text, rate)
        t = numpy.arange(len(whole)) / 8000
        numpy.testing.assert_allclose(whole, pieces, atol=1e-9)
        numpy.testing.assert_allclose(whole[100:-100], numpy.sin(2 * numpy.pi * 1000 * t)[100:-100], atol=1e-4)
        assert numpy.abs(high[100:-100]).max() < 1e-4


def test_both_languages_have_every_sentence(folder: Path) -> None:
    keys = in_node(
        folder,
        'import { all } from "./words.js";\nconsole.log(JSON.stringify([Object.keys(all.en), Object.keys(all.zh)]));',
    )
    assert keys[0] == keys[1]
    text = "".join(
        file.read_text(encoding="utf-8") for file in folder.glob("*.[jh]*") if not file.name.startswith("words-")
    )
    used = re.findall(r'(?:\bsay: |\blabel: |data-say(?:-label)?=)"(\w+)"', text)
    used += re.findall(r'(?:tell\([\w.]+, |say\(|head\(|field\(|dropPlace\(|TableError\()"(\w+)"[,)]', text)
    assert len(used) > 40
    assert set(used) <= set(keys[0])


def test_colours_and_shared_files_are_those_of_the_page() -> None:
    page = DOCS.parent / "src/gruworks/app/page"
    blocks = [
        re.findall(r"^:root.*?^}", file.read_text(encoding="utf-8"), re.M | re.S)
        for file in (page / "page.css", DOCS / "playground/playground.css")
    ]
    assert blocks[0] == blocks[1] != []
    for name in ("mark.svg", "tap.js"):
        assert (page / name).read_bytes() == (DOCS / "playground" / name).read_bytes()


FORECAST = """\
import { readFileSync } from "node:fs";
import { load } from "./build/seattle/index.js";
import { dailyOf, dayOf, readTable } from "./table.js";
import { errors, run } from "./forecast.js";
const fitted = JSON.parse(readFileSync(new URL("build/seattle.json", import.meta.url)));
const { days, columns } = readTable(given), { first, values } = dailyOf(days, columns.temp_max);
const { forecast, found } = run(await load(), { ...fitted, first: dayOf(fitted.first) }, first, values);
const lists = Object.fromEntries(Object.entries(forecast).map(([name, list]) => [name, [...list]]));
console.log(JSON.stringify({ ...lists, ...errors(values, found) }));
"""


def test_a_table_has_the_forecast_of_the_ready_model(built: Path, tmp_path: Path) -> None:
    path = weather(tmp_path)
    expected = Forecaster.load(ready.find("forecast").path).predict(pandas.read_csv(path)[["date", "temp_max"]])
    found = in_node(built, FORECAST, path.read_text())
    for ours, theirs in {"median": "y_hat", "low": "y_hat-lo-80", "high": "y_hat-hi-80"}.items():
        numpy.testing.assert_allclose(found[ours], expected[theirs], atol=2e-5)
    assert found["origins"] == 120
    assert set(found["mae"]) == {"model", "last value", "mean of the last 14", "a year before"}
    assert 0.6 < found["coverage"] < 0.95


def test_all_but_weights_is_small(built: Path) -> None:
    shown = [one for one in built.rglob("*") if one.is_file() and one.name not in ("spoken.wav", "stamp", "tried.mjs")]
    modules = [one for one in shown if one.suffix == ".wasm"]
    assert {one.stem for one in modules} == {"seattle", "verse", "digits"}
    size = sum(one.stat().st_size for one in shown if one not in modules)
    assert size + sum(code_bytes(one.read_bytes()) for one in modules) < LIMIT


def code_bytes(module: bytes) -> int:
    """Size of a WebAssembly module without its data section."""
    at, size = 8, len(module)
    while at < len(module):
        kind, at, length, shift = module[at], at + 1, 0, 0
        while True:
            byte = module[at]
            length, shift, at = length | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                break
        size -= length if kind == 11 else 0
        at += length
    return size


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of noise, as no recording of digits comes with the project."""
    path = tmp_path_factory.mktemp("sound") / "noise.wav"
    noise = (1000 * numpy.random.default_rng(0).standard_normal(16_000)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(noise.tobytes())
    return path


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Path], tuple[str, Callable[[], None]]]]:
    """Serve a folder; its address, and a function that ends the server."""
    ends: list[Callable[[], None]] = []

    def served(folder: Path) -> tuple[str, Callable[[], None]]:
        handler = functools.partial(Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def end() -> None:
            server.shutdown()
            server.server_close()

        ends.append(end)
        return f"http://127.0.0.1:{server.server_port}/", end

    yield served
    for end in ends:
        end()


@pytest.fixture(scope="module")
def chromium(folder: Path, recording: Path) -> Iterator[Any]:
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"{CHROMIUM} is missing: install Debian's chromium, or name one in GRUWORKS_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=PATIENCE)
    spoken = folder / "build/spoken.wav"
    heard = f"--use-file-for-fake-audio-capture={spoken if spoken.exists() else recording}%noloop"
    with playwright.sync_playwright() as found:
        browser = found.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, heard])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open an address; at the end nothing may have been complained of, and no other host been asked."""
    contexts, complaints = [], []

    def visited(address: str, **options: Any) -> Any:
        context = chromium.new_context(**{"locale": "en-GB", "viewport": {"width": 1200, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda one: one.url.startswith((address.split("#")[0], "blob:")) or complaints.append(one.url)
        )
        page.goto(address)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert [one for one in complaints if "Failed to load resource" not in one] == []


def test_gates_are_played(visit: Any, serve: Any, folder: Path) -> None:
    page = visit(serve(folder)[0])
    page.get_by_role("button", name="Play").click()
    page.get_by_text("After 5, the last number, it predicts 6.000.").wait_for()
    page.get_by_role("button", name="Back to the start").click()
    page.get_by_role("button", name="Next step").click()
    page.get_by_role("button", name=re.compile(r"z3 = 0\.\d+")).click()
    assert "Unit 3, step 1" in page.locator("main").inner_text()
    page.get_by_label("Numbers").fill("one")
    page.keyboard.press("Enter")
    page.get_by_text("Enter 2 to 12 numbers").wait_for()


def test_a_series_a_table_and_observations(visit: Any, serve: Any, built: Path, tmp_path: Path) -> None:
    page = visit(serve(built)[0] + "#forecast")
    page.get_by_text("2016-01-01: median").wait_for()
    before = page.get_by_text("2016-01-01: median").inner_text()
    page.get_by_label("Value of the next day").fill("20")
    page.get_by_role("button", name="Observe").click()
    assert float(re.findall(r"median ([\d.]+)", page.get_by_text("2016-01-02: median").inner_text())[0]) > 10
    page.get_by_role("button", name="Undo").click()
    assert page.get_by_text("2016-01-01: median").inner_text() == before
    page.set_input_files("#panel-forecast input[type=file]", weather(tmp_path))
    page.get_by_text(
        "temp_max, 1095 days (0 missing). The model was trained on Seattle's daily temperatures alone"
    ).wait_for()
    assert page.locator("#panel-forecast tr").count() == 5
    walk = numpy.random.default_rng(0).standard_normal(300).cumsum()
    rows = [
        f"{day.date()},{y}" for day, y in zip(pandas.date_range("2020-01-01", periods=300), 100 * walk, strict=True)
    ]
    (tmp_path / "walk.csv").write_text("\n".join(["date,walk", *rows]))
    page.set_input_files("#panel-forecast input[type=file]", tmp_path / "walk.csv")
    page.get_by_text("walk, 300 days").wait_for()
    assert page.locator("#panel-forecast tr").count() == 4  # no value of a year before
    (tmp_path / "months.csv").write_text("date,a\n" + "\n".join(f"2024-{month:02}-01,{month}" for month in range(1, 9)))
    page.set_input_files("#panel-forecast input[type=file]", tmp_path / "months.csv")
    page.get_by_text("The rows are not one per day.").wait_for()
    page.get_by_role("button", name="Seattle's series").click()
    page.get_by_text("Seattle's daily maximum temperature in °C, 2012 to 2015").wait_for()


def test_verse_keeps_its_rules_and_free_text_is_free(visit: Any, serve: Any, built: Path) -> None:
    page = visit(serve(built)[0] + "#verse")
    for form, chinese in (("jueju5", "五絕"), ("lushi7", "七律")):
        page.get_by_label("Form").select_option(form)
        page.get_by_label("Seed").fill("7")
        page.get_by_role("button", name="Write").click()
        page.get_by_text(f"Keeps every rule of {chinese}").wait_for()
        assert not check(page.locator(".poem").inner_text().split()).faults
    page.get_by_label("Form").select_option("free text")
    page.get_by_label("Beginning").fill("春風")
    page.get_by_role("button", name="Write").click()
    page.get_by_text("Free text of the same model").wait_for()
    assert page.locator(".prose").inner_text().startswith("春風")


def test_digits_from_a_file_and_the_microphone(visit: Any, serve: Any, built: Path, recording: Path) -> None:
    page = visit(serve(built)[0] + "#digits")
    page.get_by_text("The transcript appears here.").wait_for()
    page.set_input_files("#panel-digits input[type=file]", recording)
    page.get_by_text(re.compile("2.0 s of sound in")).wait_for()
    about = json.loads((built / "build/digits.json").read_text())
    if about["spoken"]:
        page.get_by_role("button", name="Transcribe the sample recording").click()
        page.get_by_text(about["spoken"]).wait_for()
    page.get_by_role("button", name="Start the microphone").click()
    page.get_by_text("Listening …").wait_for()
    if about["spoken"]:
        page.get_by_text(about["spoken"].rpartition(" ")[0]).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Start the microphone").wait_for()


def test_it_works_offline(visit: Any, serve: Any, built: Path) -> None:
    address, end = serve(built)
    page = visit(address)
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("caches.open('gruworks-playground').then((one) => one.match('build/verse/verse.wasm'))")
    page.wait_for_function("navigator.serviceWorker.controller")
    end()
    for view, text in (("verse", "Write"), ("forecast", "Observe")):
        page.goto(f"{address}?{view}#{view}")
        page.get_by_role("button", name=text).and_(page.locator(":enabled")).wait_for()


def test_without_models_the_page_says_how_to_build_them(visit: Any, serve: Any, tmp_path: Path) -> None:
    shutil.copytree(DOCS / "playground", tmp_path / "page", ignore=shutil.ignore_patterns("build"))
    for view in VIEWS:
        page = visit(serve(tmp_path / "page")[0] + "#" + view)
        page.get_by_text("The models have not been built. Run make playground").wait_for()


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_a_phone(view: str, visit: Any, serve: Any, folder: Path) -> None:
    options = {"viewport": {"width": 360, "height": 800}, "locale": "zh-CN", "color_scheme": "dark"}
    page = visit(serve(folder)[0] + "#" + view, **options)
    page.locator(f"#panel-{view} h1").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]") == ["zh-CN", "dark"]
