"""Host names, origins and the token: before any route, for HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from gruworks.app.server.access import Access
from gruworks.app.server.application import application
from gruworks.app.server.hosts import authority, is_loopback, plain


@pytest.fixture(scope="module")
def closed() -> Iterator[TestClient]:
    app = application([], token="0123456789abcdef", hosts=["gru.example"])
    with TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False) as found:
        yield found


def bearer(token: str = "0123456789abcdef", **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", **more}


def scope(host: str | None, *, server: str = "127.0.0.1", **more: Any) -> dict[str, Any]:
    headers = [(b"host", host.encode())] if host is not None else []
    headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in more.pop("headers", {}).items()]
    usual = {"type": "http", "http_version": "1.1", "scheme": "http", "path": "/v1/models", "query_string": b""}
    return usual | {"server": (server, 8000), "headers": headers} | more


def status(access: Access, asked: dict[str, Any]) -> int:
    found = access.refusal(asked)
    return 200 if found is None else found.status_code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:8000", "127.0.0.1:9", "127.8.8.8:8000", "localhost", "LOCALHOST:8000",
        "localhost.:8000", "[::1]", "[::1]:8000", "[0:0:0:0:0:0:0:1]:8000", "[::ffff:127.0.0.1]:8000",
        "192.168.1.5:8000", "gru.example", "GRU.example:443",
    ],
)  # fmt: skip
def test_own_names_and_addresses_are_answered(host: str) -> None:
    assert status(Access(None, ["gru.example"]), scope(host, server="192.168.1.5")) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.6",
        "[::2]:8000", "0.0.0.0:8000", "2130706433", "127.1",
    ],
)  # fmt: skip
def test_other_names_are_refused(host: str) -> None:
    for kind in ("http", "websocket"):
        assert status(Access(None, ["gru.example"]), scope(host, type=kind, server="::ffff:192.168.1.5")) == 421


@pytest.mark.parametrize("host", ["", "a b", "evil.example/127.0.0.1", "user@127.0.0.1", "[::1", "127.0.0.1:x", None])
def test_a_host_that_is_none_is_refused(host: str | None) -> None:
    assert status(Access(None), scope(host)) == 400


def test_two_host_headers_are_refused_and_http_1_0_needs_none() -> None:
    twice = scope("127.0.0.1") | {"headers": [(b"host", b"127.0.0.1"), (b"host", b"evil.example")]}
    assert status(Access(None), twice) == 400
    assert status(Access(None), scope(None, http_version="1.0")) == 200
    assert status(Access(None), scope("evil.example", http_version="1.0")) == 421


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "expected"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "http", 200),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "ws", 200),
        ("http://[::1]:8000", "[::1]:8000", "http", 200),
        ("http://localhost", "localhost:80", "http", 200),
        ("https://localhost", "localhost", "https", 200),
        ("https://localhost", "localhost", "wss", 200),
        ("https://127.0.0.1:8000", "127.0.0.1:8000", "http", 403),
        ("http://127.0.0.1:9000", "127.0.0.1:8000", "http", 403),
        ("http://localhost:8000", "127.0.0.1:8000", "http", 403),
        ("http://evil.example", "127.0.0.1:8000", "ws", 403),
        ("127.0.0.1:8000", "127.0.0.1:8000", "http", 403),
        ("file://127.0.0.1:8000", "127.0.0.1:8000", "http", 403),
        ("null", "127.0.0.1:8000", "http", 403),
        ("http://[", "127.0.0.1:8000", "http", 403),
        ("http://127.0.0.1:99999", "127.0.0.1:8000", "http", 403),
    ],
)
def test_an_origin_is_scheme_host_and_port(origin: str, host: str, scheme: str, expected: int) -> None:
    kind = "websocket" if scheme.startswith("ws") else "http"
    assert status(Access(None), scope(host, type=kind, scheme=scheme, headers={"origin": origin})) == expected


def test_a_page_of_another_site_is_refused_where_it_sends_no_origin() -> None:
    for site in ("cross-site", "same-site"):
        asked = {"sec_fetch_site": site, "sec_fetch_mode": "no-cors"}
        assert status(Access(None), scope("127.0.0.1", headers=asked)) == 403
    followed = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert status(Access(None), scope("127.0.0.1", headers=followed)) == 200


def test_a_refusal_says_what_to_do(closed: TestClient) -> None:
    answer = closed.get("/health", headers={"host": "evil.example:8000"})
    assert answer.status_code == 421
    assert "--allow-host evil.example" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/openapi.json", "/page/page.js", "/nowhere"])
def test_everything_but_two_states_needs_the_token(closed: TestClient, path: str) -> None:
    closed.cookies.clear()
    answer = closed.get(path)
    assert answer.status_code == 401
    assert "?token=" in answer.json()["error"]["message"]
    assert closed.get(path, headers=bearer("0123456789abcdeg")).status_code == 401
    assert closed.get(path, headers=bearer()).status_code in (200, 404)
    assert closed.get(path + "?token=0123456789abcdef").status_code == 401  # addresses are logged and kept


def test_health_and_ready_tell_a_state_and_nothing_else(closed: TestClient) -> None:
    closed.cookies.clear()
    assert closed.get("/health").json() == {"status": "ok"}
    assert set(closed.get("/ready").json()) == {"status"}


def test_the_first_visit_moves_the_token_into_a_cookie(closed: TestClient) -> None:
    closed.cookies.clear()
    answer = closed.get("/?token=0123456789abcdef")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("gruworks-8000=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "0123456789abcdef" not in cookie
    assert closed.get("/").status_code == 200
    assert closed.get("/v1/models").status_code == 200
    with closed.websocket_connect("ws://127.0.0.1:8000/v1/transcribe/live?rate=8000") as socket:
        socket.send_text("what")
        assert "float32" in socket.receive_json()["error"]["message"]


def test_without_the_right_token_the_page_asks_for_it(closed: TestClient) -> None:
    for address in ("/", "/?token=wrong", "/?token=%ff"):
        closed.cookies.clear()
        answer = closed.get(address, headers={"cookie": "gruworks-8000=wrong; gruworks-9000=0123456789abcdef"})
        assert answer.status_code == 401
        assert 'name="token"' in answer.text
        assert "set-cookie" not in answer.headers


def test_a_websocket_needs_the_token_and_the_origin(closed: TestClient) -> None:
    closed.cookies.clear()
    for headers, expected in (
        ({}, 401),
        (bearer(origin="http://evil.example"), 403),
        (bearer(host="evil.example"), 421),
    ):
        with (
            pytest.raises(WebSocketDenialResponse) as denied,
            closed.websocket_connect("ws://127.0.0.1:8000/v1/transcribe/live", headers=headers),
        ):
            pass
        assert denied.value.status_code == expected


def test_a_token_of_any_characters_goes_through_the_cookie() -> None:
    with TestClient(application([], token="пароль; with = and é"), base_url="https://localhost") as secure:
        assert secure.get("/", params={"token": "пароль; with = and é"}).status_code == 200
        assert [(one.name, one.secure) for one in secure.cookies.jar] == [("gruworks-443", True)]


def test_names_are_compared_in_one_form() -> None:
    assert authority("[::FFFF:10.0.0.1]:80") == ("10.0.0.1", 80)
    assert authority("a:") == ("a", None)
    assert plain(" Example.ORG. ") == "example.org"
    assert [one for one in ("127.3.2.1", "::1", "[::1]", "localhost", "0.0.0.0", "local") if is_loopback(one)] == [
        "127.3.2.1", "::1", "[::1]", "localhost",
    ]  # fmt: skip
