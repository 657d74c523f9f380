"""The server as a client sees it: every route answers, and refuses in words."""

from __future__ import annotations

import io
import json
import threading
import time
from typing import Any

import numpy
import pandas
import pytest
import soundfile
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gruworks.app.server.application import application
from gruworks.app.server.exchange import HEADERS
from gruworks.app.server.models import Served
from gruworks.app.server.schemas import EXCLUDED
from gruworks.errors import RunError
from gruworks.tasks import registry

DAYS = numpy.datetime_as_string(numpy.arange("2020-01-01", "2021-06-01", dtype="datetime64[D]"))
YEAR = 12 + 8 * numpy.sin(numpy.arange(len(DAYS)) * 2 * numpy.pi / 365.25)
WAVE = YEAR + numpy.tile([0.3, -0.2, 0.1, -0.2], 200)[: len(DAYS)]
CSV = "day,warm\n" + "".join(f"{day},{value:.2f}\n" for day, value in zip(DAYS, WAVE, strict=True))


def events(text: str) -> list[tuple[str, Any]]:
    parts = [one.split("\n") for one in text.strip().split("\n\n")]
    return [(kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for kind, data in parts]


def recording(samples: Any, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


def test_health_models_and_metrics(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "ok"
    told = client.get("/v1/models").json()
    assert {one["task"] for one in told["models"]} == set(registry.TASKS)
    assert all(one["card"]["licence"] and one["card"]["limits"] for one in told["models"])
    assert 'gruworks_requests_total{route="/health",status="200"}' in client.get("/metrics").text


def test_ready_waits_for_the_models_and_tells_of_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    for failing, expected in ((False, (200, "ready")), (True, (503, "failed"))):

        def estimator(_: Any, failing: bool = failing) -> None:
            go.wait(10)
            if failing:
                raise RunError("damaged")

        monkeypatch.setattr(Served, "estimator", property(estimator))
        go.clear()
        with TestClient(application([])) as starting:
            assert (starting.get("/ready").status_code, starting.get("/health").status_code) == (503, 200)
            go.set()
            until = time.monotonic() + 10
            while (answer := starting.get("/ready")).json()["status"] == "loading":
                assert time.monotonic() < until
            assert (answer.status_code, answer.json()["status"]) == expected


def test_every_answer_has_the_security_headers(client: TestClient) -> None:
    for path in ("/health", "/nowhere", "/"):
        answer = client.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in client.get("/health").headers


def test_forecast_of_a_table_is_that_of_the_forecaster(client: TestClient) -> None:
    asked = {"model": "ready/seattle", "csv": CSV, "columns": {"time": "day", "target": "warm"}}
    asked |= {"horizon": 7, "level": [80]}
    (one,) = client.post("/v1/forecast", json=asked).json()["series"]
    assert one["history"]["y"][-1] == pytest.approx(round(WAVE[-1], 2))
    assert one["forecast"]["ds"] == ["2021-06-01", "2021-06-02", "2021-06-03", *[f"2021-06-0{k}" for k in range(4, 8)]]
    middle, low = one["forecast"]["y_hat"], one["forecast"]["lo"]["80"]
    assert len(middle) == 7
    assert all(a < b for a, b in zip(low, middle, strict=True))
    plain = {"model": "ready/seattle", "horizon": 7, "level": [80]}
    guessed = client.post("/v1/forecast", json=plain | {"csv": CSV}).json()["series"][0]
    assert guessed == one  # the columns were found without being named
    rows = [{"date": day, "temp_max": round(float(value), 2)} for day, value in zip(DAYS, WAVE, strict=True)]
    by_rows = client.post("/v1/forecast", json=plain | {"rows": rows}).json()["series"][0]
    assert by_rows["forecast"] == one["forecast"]


def test_forecast_of_the_models_own_series_with_a_backtest(client: TestClient) -> None:
    told = client.post("/v1/forecast", json={"backtest": True}).json()
    assert len(told["series"][0]["forecast"]["y_hat"]) == 14
    assert "last value" in told["series"][0]["naive"]
    assert told["backtest"]["scores"][0]["mae"] > 0


def test_columns_are_told_apart(client: TestClient) -> None:
    table = "when;shop;sold\n2024-01-01;a;3\n2024-01-02;a;4\n2024-01-01;b;5\n2024-01-02;b;6\n"
    told = client.post("/v1/columns", json={"csv": table}).json()
    assert told["guess"] == {"id": "shop", "time": "when", "target": "sold"}
    assert told["rows"] == 4


SHOP = "day,sold\n" + "".join(f"{day},{20 + 10 * (k % 7 == 5) + k % 3}\n" for k, day in enumerate(DAYS[:200]))


def test_a_table_without_a_model_has_the_best_naive_forecast(client: TestClient) -> None:
    told = client.post("/v1/forecast", json={"csv": SHOP, "backtest": True, "horizon": 7}).json()
    assert (told["answered_by"], told["model"]) == ("naive", None)
    (one,) = told["series"]
    assert one["skill"]["naive"] == "seasonal naive (7)"
    assert "without a model" in one["skill"]["said"]
    assert one["forecast"]["y_hat"] == one["naive"]["seasonal naive (7)"]
    assert told["backtest"]["answer"] == told["backtest"]["scores"][0]["model"] == "seasonal naive (7)"


def test_a_models_skill_on_a_table_is_not_that_of_its_fit(client: TestClient) -> None:
    own = client.post("/v1/forecast", json={"model": "ready/seattle"}).json()["series"][0]["skill"]
    asked = {"model": "ready/seattle", "csv": SHOP, "backtest": True}
    told = client.post("/v1/forecast", json=asked).json()
    skill = told["series"][0]["skill"]
    assert skill["naive"] == "seasonal naive (7)" != own["naive"]
    assert skill["ratio"] != own["ratio"]
    mae = {one["model"]: one["mae"] for one in told["backtest"]["scores"]}
    assert mae["GRU"] < 1.1 * mae["seasonal naive (7)"]


@pytest.mark.parametrize(("unit", "first", "head"), [("M", "2012-01", "month"), ("h", "2024-01-01T00", "time")])
def test_a_table_of_another_frequency_than_the_models_is_not_refused(
    client: TestClient, unit: str, first: str, head: str
) -> None:
    when = numpy.datetime_as_string(numpy.datetime64(first, unit) + numpy.arange(90))
    csv = f"{head},sold\n" + "".join(f"{one},{k % 5}\n" for k, one in enumerate(when))
    told = client.post("/v1/forecast", json={"csv": csv, "model": "ready/seattle"}).json()
    assert told["answered_by"] == "naive"
    assert told["notes"][0]["code"] == "other-frequency"
    assert told["notes"][0]["values"]["own"] == "D"


@pytest.mark.parametrize(
    ("csv", "where", "code"),
    [
        ("day,sold\nMonday,3\nTuesday,4\nWednesday,5\n", "columns.time", "no-times"),
        ("day,sold\n2024-01-01,a\n2024-01-02,b\n2024-01-03,c\n", "columns.target", "no-numbers"),
        ("day,sold\n" + "".join(f"{k}/01/2024,{k}\n" for k in range(1, 13)), "columns.time", "day-or-month"),
        ("day,sold\n2024-01-01,1\n2024-01-02,2\n", "columns.target", "too-few-values"),
        (
            "day,sold\n" + "".join(f"2024-01-{k:02d},{i}\n" for i, k in enumerate((1, 2, 2, 3))),
            "columns.time",
            "time-twice",
        ),
    ],
)
@pytest.mark.parametrize("model", [None, "ready/seattle"])
def test_what_is_wrong_with_a_table_names_its_place_and_its_own_columns(
    client: TestClient, csv: str, where: str, code: str, model: str | None
) -> None:
    answer = client.post("/v1/forecast", json={"csv": csv} | ({"model": model} if model else {}))
    error = answer.json()["error"]
    assert (answer.status_code, error["where"], error["code"]) == (400, where, code)
    assert "--" not in error["message"]
    assert "temp_max" not in error["message"]


def test_none_is_a_choice_and_not_a_gap(client: TestClient) -> None:
    csv = "shop,sold\n" + "".join(f"{'ab'[k % 2]},{k}\n" for k in range(40))
    guessed = client.post("/v1/forecast", json={"csv": csv, "columns": {"time": None}, "horizon": 2}).json()
    assert [one["id"] for one in guessed["series"]] == ["a", "b"]
    assert guessed["series"][0]["forecast"] | {"lo": 0, "hi": 0} == {
        "ds": [21, 22],
        "y_hat": [40, 42],
        "lo": 0,
        "hi": 0,
    }
    alone = client.post("/v1/forecast", json={"csv": csv, "columns": {"time": None, "id": None}, "horizon": 2}).json()
    assert alone["series"][0]["forecast"]["ds"] == [41, 42]


def test_years_numbered_rows_and_dates_of_other_forms_are_times(client: TestClient) -> None:
    years = "year,people\n" + "".join(f"{year},{year * 3}\n" for year in range(1950, 1990))
    assert client.post("/v1/columns", json={"csv": years}).json()["guess"]["time"] == "year"
    dotted = "when,sold\n" + "".join(f"{k + 1:02d}.01.2024,{k}\n" for k in range(28))
    assert client.post("/v1/columns", json={"csv": dotted}).json()["guess"] == {
        "id": None, "time": "when", "target": "sold",
    }  # fmt: skip


def test_text_is_streamed_and_the_same_seed_gives_the_same_text(client: TestClient) -> None:
    asked = {"length": 30, "seed": 5}
    told = events(client.post("/v1/generate", json=asked).text)
    pieces = "".join(data["text"] for kind, data in told if kind == "piece")
    assert told[-1][0] == "done"
    assert told[-1][1]["text"] == pieces != ""
    assert client.post("/v1/generate", json=asked | {"stream": False}).json()["text"] == pieces


def test_a_poem_keeps_the_rules_of_its_form(client: TestClient) -> None:
    told = client.post("/v1/generate", json={"form": "jueju5", "seed": 1, "stream": False}).json()
    assert [len(line) for line in told.get("text", str(told)).split()] == [5, 5, 5, 5], told
    assert told["checked"]["ok"]


def test_translation_with_alternatives_and_attention(client: TestClient) -> None:
    told = client.post(
        "/v1/translate", json={"text": "The train leaves tomorrow.", "n_best": 3, "attention": True}
    ).json()
    (one,) = told["translations"]
    assert one["text"]
    assert len(one["alternatives"]) == 2
    assert numpy.allclose(numpy.sum(one["attention"]["weights"], 1), 1, atol=1e-2)
    many = client.post("/v1/translate", json={"texts": ["I am hungry.", "", "Thank you."]}).json()["translations"]
    assert [bool(one["text"]) for one in many] == [True, False, True]


def test_options_that_are_not_given_are_the_cards_then_the_defaults(client: TestClient) -> None:
    from gruworks.app.server.schemas import chosen
    from gruworks.tasks.translate.config import Options

    assert chosen(Options, [("n_best", 3), ("seed", None), ("text", "x")], {"temperature": 0.5}) == Options(
        n_best=3, temperature=0.5
    )
    assert chosen(Options, [("temperature", 2.0)], {"temperature": 0.5}).temperature == 2.0
    told = client.post("/v1/translate", json={"text": "I am hungry.", "prefix": "我们"}).json()
    assert "".join(told["translations"][0]["text"].split()).startswith("我们")
    drawn = {"text": "I am hungry.", "sample": True, "seed": 3}
    first, second = (client.post("/v1/translate", json=drawn).json() for _ in range(2))
    assert first == second
    assert first["translations"]
    told = client.get("/v1/models").json()["forms"]["translate"]["Options"]
    for name, value in {"fast": False, "batch": 8}.items():  # they take the machine's time and memory
        assert name not in [one["name"] for one in told]
        refused = client.post("/v1/translate", json={"text": "a", name: value})
        assert (refused.status_code, name in refused.text) == (422, True)


def test_forms_are_the_settings_of_each_task(client: TestClient) -> None:
    forms = client.get("/v1/models").json()["forms"]
    for task in registry.TASKS:
        for kind in ("Config", "Options"):
            settings = registry.settings(task, kind)
            given = {one["name"]: one["default"] for one in forms[task][kind]}
            assert set(given) == settings.flat_names() - settings.local_names() - set(EXCLUDED.get(task, ()))


def test_a_recordings_options_are_checked(client: TestClient) -> None:
    file = {"file": ("a.wav", recording(numpy.random.default_rng(0).normal(0, 1e-3, 8000)))}
    assert (
        client.post("/v1/transcribe", files=file, data={"n_best": "2", "hot_words": ["one", "two"]}).status_code == 200
    )
    for data in ({"n_best": "0"}, {"n_best": "65"}, {"hot_bonus": "inf"}, {"silence": "x"}, {"hot_words": ["x"] * 60}):
        assert client.post("/v1/transcribe", files=file, data=data).status_code == 422, data


def test_a_recording_is_written_down(client: TestClient) -> None:
    noise = numpy.random.default_rng(0).normal(0, 1e-3, 8000)
    told = client.post("/v1/transcribe", files={"file": ("a.wav", recording(noise))}).json()
    assert told["seconds"] == 1.0
    assert set(told) == {"text", "seconds", "words", "alternatives", "model", "doubtful"}


def test_a_live_session_hears_what_a_recording_says(client: TestClient) -> None:
    samples = numpy.random.default_rng(1).normal(0, 0.1, 12_000).astype("<f4")
    whole = client.post("/v1/transcribe", files={"file": ("a.wav", recording(samples))}).json()["text"]
    with client.websocket_connect("/v1/transcribe/live?rate=8000") as socket:
        for part in numpy.split(samples, 6):
            socket.send_bytes(part.tobytes())
            assert set(socket.receive_json()) == {"partial", "stable", "final"}
        socket.send_text('{"end": true}')
        told = socket.receive_json()
    assert told["done"]
    assert told["text"] == whole


@pytest.mark.parametrize("sent", [b"abc", "what", '{"end": 1}', numpy.full(10, numpy.nan, "<f4").tobytes()])
def test_a_live_session_ends_with_a_word_where_something_else_comes(client: TestClient, sent: Any) -> None:
    with client.websocket_connect("/v1/transcribe/live?rate=8000") as socket:
        socket.send_text(sent) if isinstance(sent, str) else socket.send_bytes(sent)
        assert socket.receive_json()["error"]["message"]
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


def test_looking_inside_numbers_text_and_models(client: TestClient) -> None:
    (one,) = client.post("/v1/trace", json={"numbers": [1, 2, 3, 4, 5]}).json()["traces"]
    assert one["answer"] == pytest.approx(6, abs=0.05)
    assert numpy.shape(one["update"]) == (5, 8)
    asked = {"text": "abca", "cells": ["rnn", "lstm", "gru"], "hidden": 3}
    cells = client.post("/v1/trace", json=asked).json()["traces"]
    assert [numpy.shape(one["hidden"]) for one in cells] == [(4, 3)] * 3
    (model,) = client.post("/v1/trace", json={"text": "明月", "model": "ready/verse"}).json()["traces"]
    assert model["inputs"] == ["明", "月"]


def test_a_trace_is_remembered_and_bounded(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from gruworks.lab import side_by_side

    calls, real = [], side_by_side.side_by_side
    monkeypatch.setattr(side_by_side, "side_by_side", lambda *given: (calls.append(given), real(*given))[1])
    asked = {"numbers": [4, 1, 3], "cells": ["rnn", "gru"], "hidden": 3}
    first = client.post("/v1/trace", json=asked)
    assert client.post("/v1/trace", json=asked).content == first.content
    assert len(calls) == 1
    assert client.post("/v1/trace", json=asked | {"seed": 1}).content != first.content
    large = client.post("/v1/trace", json={"text": "a" * 50, "hidden": 64})
    assert (large.status_code, "steps times units" in large.json()["error"]["message"]) == (413, True)
    assert client.post("/v1/trace", json={"text": "明月" * 4, "model": "ready/verse"}).status_code == 413


def test_a_fit_is_a_job_whose_model_is_served(client: TestClient) -> None:
    small = {"horizon": 3, "steps": 4, "validate_every": 2, "hidden_size": 4}
    asked = {"csv": CSV, "columns": {"time": "day", "target": "warm"}, "settings": small, "name": "mine"}
    job = client.post("/v1/fit", json=asked).json()["job"]
    told = events(client.get(f"/v1/jobs/{job}/events").text)
    assert told[-1] == ("done", {"model": "mine", "said": ""}), told[-1]
    found = client.post("/v1/forecast", json={"model": "mine"}).json()["series"][0]
    assert len(found["forecast"]["y_hat"]) == 3
    asked = {"model": "mine", "csv": CSV, "columns": {"time": "day", "target": "warm", "id": None}, "backtest": True}
    again = client.post("/v1/forecast", json=asked).json()
    assert again["series"][0]["forecast"]["y_hat"] == pytest.approx(found["forecast"]["y_hat"], abs=1e-4)
    assert again["backtest"]["rows"] == "held out"  # none of the table's rows is new to the fit


def test_a_fit_on_bad_data_says_what_is_wrong_and_a_job_can_be_cancelled(client: TestClient) -> None:
    job = client.post("/v1/fit", json={"csv": "ds,y\n2024-01-01,one\n2024-01-02,2\n2024-01-03,3\n"}).json()["job"]
    kind, said = events(client.get(f"/v1/jobs/{job}/events").text)[-1]
    assert kind == "error"
    assert "line 2" in said["message"]
    assert "/" not in said["message"].replace("n/a", "")  # no path of the server's
    long = {"csv": CSV, "settings": {"steps": 20_000, "patience": 10_000, "minutes": 30.0}}
    job = client.post("/v1/fit", json=long).json()["job"]
    until = time.monotonic() + 60
    while {one["job"]: one["state"] for one in client.get("/v1/jobs").json()["jobs"]}[job] == "waiting":
        assert time.monotonic() < until
        time.sleep(0.01)
    assert client.delete(f"/v1/jobs/{job}").json()["state"] == "cancelled"
    assert events(client.get(f"/v1/jobs/{job}/events").text)[-1][0] == "cancelled"
    assert client.post("/v1/fit", json={"csv": CSV, "settings": {"stepz": 1}}).status_code == 400


def test_fits_are_refused_unless_they_are_allowed() -> None:
    with TestClient(application([])) as plain:
        answer = plain.post("/v1/fit", json={"csv": CSV})
    assert answer.status_code == 403
    assert "--allow-fit" in answer.json()["error"]["message"]


def test_receipts_are_combined_in_forecasts_and_previews(client: TestClient) -> None:
    days = pandas.date_range("2022-01-01", "2023-12-31")
    table = "date,shop,amount\n" + "".join(f"{day:%Y-%m-%d},a,2\n{day:%Y-%m-%d},b,3\n" for day in days)
    columns = {"target": "amount", "every": "month"}
    told = client.post("/v1/columns", json={"csv": table, "columns": columns}).json()
    assert told["frequency"] == "M"
    assert [(one["rows"], one["first"]) for one in told["series"]] == [(24, "2022-01-01")]
    found = client.post("/v1/forecast", json={"csv": table, "columns": columns | {"combine": "mean"}, "horizon": 2})
    (one,) = found.json()["series"]
    assert one["forecast"]["y_hat"] == [2.5, 2.5]
    refused = client.post("/v1/columns", json={"csv": table, "columns": {"every": "decade"}})
    assert refused.status_code == 422
