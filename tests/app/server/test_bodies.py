"""Large and wrong bodies: read away from the event loop, refused at the first error, counted before they cost."""

from __future__ import annotations

import io
import json
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import soundfile
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient

from gruworks.app.server import bodies, service, tables
from gruworks.app.server.bodies import validated
from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError
from gruworks.app.server.routes import transcribe
from gruworks.app.server.routes.transcribe import opened
from gruworks.app.server.schemas import Fit, Forecast, Request, Trace, Translate


def noted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[str]:
    """The names of the threads that call a function."""
    threads, real = [], getattr(module, name)

    def called(*given: Any, **named: Any) -> Any:
        threads.append(threading.current_thread().name)
        return real(*given, **named)

    monkeypatch.setattr(module, name, called)
    return threads


def test_what_costs_time_runs_in_threads_of_its_own(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {
        name: noted(monkeypatch, module, name)
        for module, name in ((bodies, "validated"), (tables, "parse"), (tables, "look"), (transcribe, "opened"))
    } | {
        "encoded": noted(monkeypatch, service, "encoded"),
    }
    large = {"content-type": "application/json"}
    for path, body in (
        ("/v1/columns", '{"csv": "a,b\\n1,2\\n"}'),
        ("/v1/forecast", "{}"),
        ("/v1/translate", '{"text": "I am hungry."}'),
    ):
        assert client.post(path, content=body + " " * bodies.SMALL, headers=large).status_code == 200
    assert client.post("/v1/transcribe", files={"file": ("a.wav", sound(8000))}).status_code == 200
    assert all(threads and all(one.startswith("gruworks-reader") for one in threads) for threads in seen.values()), seen


@pytest.mark.parametrize(
    ("model", "text", "where"),
    [
        (Trace, '{"numbers": [' + '"x",' * 50_000 + "1]}", ("body", "numbers", 0)),
        (Trace, '{"numbers": [' + "1," * 150_000 + "1]}", ("body", "numbers")),
        (Trace, '{"cells": [' + '"x",' * 50_000 + '"gru"]}', ("body", "cells", 0)),
        (Translate, '{"texts": [' + "1," * 50_000 + "1]}", ("body", "texts", 0)),
        (Forecast, '{"level": [' + "-1," * 50_000 + "1]}", ("body", "level", 0)),
        (Forecast, '{"rows": [' + "1," * 50_000 + "1]}", ("body", "rows", 0)),
        (Forecast, '{"rows": [{' + ",".join(f'"{k}": []' for k in range(50_000)) + "}]}", ("body", "rows")),
        (Fit, '{"settings": {' + ",".join(f'"{k}": 1' for k in range(50_000)) + "}}", ("body", "settings")),
        (Trace, "{" + ",".join(f'"k{k}": 1' for k in range(50_000)) + "}", ("body", "k0")),
        (Trace, "[" * 100_000, ("body",)),
        (Trace, '{"numbers": [1', ("body",)),
        (Trace, "[]", ("body",)),
    ],
)
def test_validation_ends_at_the_first_error(model: type[Request], text: str, where: tuple[Any, ...]) -> None:
    with pytest.raises(RequestValidationError) as wrong:
        validated(model, text.encode())
    (error,) = wrong.value.errors()
    assert tuple(error["loc"]) == where


@pytest.mark.parametrize("cell", ["true", "[1]", "{}", "1e200", "1" + "0" * 400, '"a\\u0000"', "NaN", "-Infinity"])
def test_a_cell_that_is_no_text_and_no_number_is_named(cell: str) -> None:
    with pytest.raises(RequestValidationError, match="row 2" if cell[0] != '"' else "zero character"):
        validated(Forecast, f'{{"rows": [{{"a": 1.5, "b": null, "c": "x"}}, {{"a": {cell}}}]}}'.encode())


SMALL = Limits(rows=100, columns=5, cells=200, audio=10.0, samples=100_000)


@pytest.mark.parametrize(
    "text",
    [
        ",".join(f"c{k}" for k in range(6)) + "\n",
        "a,b\n" + "1,2\n" * 101,
        "a,b,c,d,e\n" + "1,2,3,4,5\n" * 41,
    ],
)
def test_a_table_is_counted_by_columns_rows_and_cells(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        tables.parse(text, SMALL)
    assert refused.value.status == 413
    rows = [dict(zip(text.split("\n")[0].split(","), line.split(","), strict=False)) for line in text.split("\n")[1:]]
    named = [row if len(row) > 1 else dict.fromkeys(text.split("\n")[0].split(",")) for row in rows]
    with pytest.raises(RequestError) as refused:
        tables.of_rows(named, SMALL)
    assert refused.value.status == 413


def test_many_columns_are_refused_before_they_are_looked_at(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = noted(monkeypatch, tables, "look")
    wide = client.post("/v1/columns", json={"csv": ",".join(f"c{k}" for k in range(20_000))})
    assert wide.status_code == 413
    assert "columns" in wide.json()["error"]["message"]
    assert looked == []


def sound(frames: int, rate: int = 8000, channels: int = 1, kind: str = "WAV", subtype: str | None = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, numpy.zeros((frames, channels), "int16"), rate, format=kind, subtype=subtype)
    return file.getvalue()


def test_a_recording_is_counted_by_rate_and_channels_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    read = noted(monkeypatch, soundfile.SoundFile, "read")
    for content, said in (
        (sound(13_000, channels=8, kind="FLAC"), "got 104000"),
        (sound(100_001, 48_000), "at most 100000 samples"),
        (sound(88_000), "at most 10 seconds"),
    ):
        with pytest.raises(RequestError, match=said) as refused:
            opened(content, SMALL)
        assert refused.value.status == 413
    assert read == []
    assert opened(sound(16_000, 8000, 2), SMALL)[0].shape == (16_000,)


def test_a_recording_whose_header_tells_too_little_is_counted_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile.SoundFile, "frames", property(lambda _: 2**63 - 1))
    content = sound(4_000_000, kind="FLAC")
    tracemalloc.start()
    with pytest.raises(RequestError, match="at most 10 seconds"):
        opened(content, SMALL)
    assert tracemalloc.get_traced_memory()[1] < 4_000_000  # ten seconds, and not all
    tracemalloc.stop()


@pytest.mark.parametrize("rate", [1, 3999, 192_001, 600_000])
def test_an_unusual_rate_is_refused(rate: int) -> None:
    with pytest.raises(RequestError, match="4000 to 192000"):
        opened(sound(10, rate), SMALL)


def test_an_answer_is_json_without_nan() -> None:
    from gruworks.app.server.responses import encoded

    found = encoded({"a": [1.5, float("nan"), float("inf")], "b": "é"})
    assert json.loads(bytes(found.body)) == {"a": [1.5, None, None], "b": "é"}


BIG: list[tuple[str, Callable[[], str]]] = [
    ("/v1/trace", lambda: '{"numbers": [' + '"x",' * 40_000 + "1]}"),
    ("/v1/trace", lambda: "{" + ",".join(f'"k{k}": 1' for k in range(10_000)) + "}"),
    ("/v1/forecast", lambda: '{"rows": [{' + ",".join(f'"{k}": []' for k in range(10_000)) + "}]}"),
]


@pytest.mark.parametrize(("path", "text"), BIG)
def test_the_answer_to_a_large_wrong_body_is_short(client: TestClient, path: str, text: Callable[[], str]) -> None:
    answer = client.post(path, content=text(), headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert len(answer.content) < 500
