"""A thousand requests that are wrong in some way: each gets a 4xx with a sentence, and the server goes on."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.app.server.conftest import LIMITS

POSTS = ("/v1/forecast", "/v1/columns", "/v1/generate", "/v1/translate", "/v1/trace", "/v1/fit")
PATHS = (
    "/page/../../etc/passwd",
    "/page/%2e%2e%2fserver%2fguard.py",
    "/page/..%5c..",
    "/page/%00",
    "/v1/jobs/../models/x",
)
WRONG: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    10**30,
    "",
    "x" * 900,
    "\0",
    "../../etc/passwd",
    "/etc/passwd",
    [],
    [[]],
    [None],
    {},
    {"a": {}},
    ["a", 1],
    -0.5,
    "NaN",
    "ready/../../x",
    [1e999],
]
FIELDS = (
    "model",
    "csv",
    "rows",
    "columns",
    "horizon",
    "level",
    "backtest",
    "prompt",
    "length",
    "temperature",
    "top_k",
    "top_p",
    "seed",
    "form",
    "text",
    "texts",
    "beam_size",
    "length_penalty",
    "n_best",
    "numbers",
    "cells",
    "hidden",
    "task",
    "settings",
    "name",
    "nonsense",
)
# bodies that are no JSON objects at all
BODIES: list[bytes] = [
    b"",
    b"{",
    b'{"text": "a',
    b"[1, 2]",
    b"null",
    b"\xff\xfe",
    b'{"text": "\\ud800"}',
    b'{"numbers": [NaN]}',
    b'{"numbers": [1e999]}',
    b'{"numbers": [Infinity]}',
    b'{"seed": ' + b"9" * 5000 + b"}",
    b"[" * 20_000 + b"]" * 20_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"x" * 1000,
    b'{"texts": [' + b'"a",' * 50 + b'"a"]}',
]


def check(answer: Any, sent: object) -> None:
    """A refusal in words; something wrong that happens to be right may pass."""
    assert answer.status_code < 500, (sent, answer.text)
    if answer.status_code >= 400:
        assert answer.json()["error"]["message"], sent


def test_seven_hundred_wrong_fields(client: TestClient) -> None:
    rng = random.Random(0)
    refused = 0
    for _ in range(700):
        path = rng.choice(POSTS[:-1])
        body = {name: rng.choice(WRONG) for name in rng.sample(FIELDS, rng.randint(1, 3))}
        text = json.dumps(body)
        answer = client.post(path, content=text, headers={"content-type": "application/json"})
        check(answer, (path, text[:200]))
        refused += answer.status_code >= 400
    assert refused > 600
    assert client.get("/health").json()["status"] == "ok"


def test_bodies_that_are_no_requests(client: TestClient) -> None:
    for path in POSTS:
        for body in BODIES:
            for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
                answer = client.post(path, content=body, headers={"content-type": kind})
                assert 400 <= answer.status_code < 500, (path, body[:60], kind, answer.text[:200])
                check(answer, (path, body[:60]))


@pytest.mark.parametrize("path", PATHS)
def test_paths_lead_nowhere(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 405)


def cut(whole: bytes) -> list[bytes]:
    return [whole[:n] for n in range(0, len(whole), max(1, len(whole) // 40))]


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # half an upload's file is left to Python
def test_uploads_that_are_cut_or_something_else(client: TestClient) -> None:
    wave = (
        b"RIFF"
        + (36 + 800).to_bytes(4, "little")
        + b"WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00\x80>\x00\x00\x02\x00\x10\x00data"
    )
    wave += (800).to_bytes(4, "little") + b"\0" * 800
    for content in [
        *cut(wave[:44]),
        b"",
        b"text",
        b"ID3" + b"\0" * 50,
        b"fLaC" + b"\xff" * 40,
        b"OggS" * 20,
        bytes(range(256)) * 4,
    ]:
        check(client.post("/v1/transcribe", files={"file": ("../a.wav", content)}), content[:20])
    for body in cut(b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n--x--\r\n')[
        :-1
    ]:
        head = {"content-type": "multipart/form-data; boundary=x"}
        answer = client.post("/v1/transcribe", content=body, headers=head)
        assert 400 <= answer.status_code < 500, (body, answer.text)
    assert client.post("/v1/transcribe", files={"file": ("a", b"\0" * (LIMITS.upload + 1))}).status_code == 413
    assert client.get("/health").json()["status"] == "ok"


LIMITED: list[tuple[str, Callable[[], dict[str, Any]]]] = [
    ("/v1/translate", lambda: {"text": "a " * 400}),
    ("/v1/translate", lambda: {"texts": ["a"] * 9}),
    ("/v1/translate", lambda: {"text": "a", "beam_size": 1000}),
    ("/v1/generate", lambda: {"prompt": "月" * 501}),
    ("/v1/generate", lambda: {"length": 10**6}),
    ("/v1/trace", lambda: {"numbers": [1.0] * 51}),
    ("/v1/forecast", lambda: {"horizon": 10**9}),
    ("/v1/columns", lambda: {"csv": "ds,y\n" + "2024-01-01,1\n" * 2001}),
    ("/v1/columns", lambda: {"csv": "y\n" + "1" * LIMITS.body}),
]


@pytest.mark.parametrize(("path", "body"), LIMITED)
def test_more_than_a_request_may_ask(client: TestClient, path: str, body: Callable[[], dict[str, Any]]) -> None:
    answer = client.post(path, json=body())
    assert answer.status_code in (400, 413)
    assert answer.json()["error"]["message"]


def test_a_body_that_does_not_tell_its_length_is_counted(client: TestClient) -> None:
    pieces = (b"x" * 10_000 for _ in range(100))
    answer = client.post("/v1/columns", content=pieces, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
