"""Bodies bounded in size and time; work for a client that has left is ended; a fault is a 500 without details."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse

from gruworks.app.server.access import Access
from gruworks.app.server.application import application
from gruworks.app.server.exchange import HEADERS
from gruworks.app.server.limits import Limits
from gruworks.app.server.middleware import RequestMiddleware

App = Callable[[Any, Any, Any], Any]
LIMITS = Limits(body=1000, body_seconds=0.2, requests=1)


class Client:
    """One request by hand: its messages come when the test says so."""

    def __init__(self, app: Any, path: str = "/v1/columns", token: str | None = None, **headers: str) -> None:
        named = {"host": "127.0.0.1", "content-type": "application/json", "transfer-encoding": "chunked"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        self.scope = {
            "type": "http", "http_version": "1.1", "scheme": "http", "method": "POST", "path": path, "raw_path": b"",
            "query_string": b"", "root_path": "", "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 1),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }  # fmt: skip
        self.comes: asyncio.Queue[Any] = asyncio.Queue()
        self.told: list[Any] = []
        self.task = asyncio.create_task(app(self.scope, self.comes.get, self.send))

    async def send(self, message: Any) -> None:
        self.told.append(message)

    def body(self, content: bytes, more: bool = False) -> None:
        self.comes.put_nowait({"type": "http.request", "body": content, "more_body": more})

    def leave(self) -> None:
        self.comes.put_nowait({"type": "http.disconnect"})

    async def answer(self) -> tuple[int, dict[str, str], str]:
        await asyncio.wait_for(self.task, 10)
        start, *parts = self.told
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], headers, b"".join(one.get("body", b"") for one in parts).decode()


def guarded(app: App, limits: Limits = LIMITS, token: str | None = None) -> RequestMiddleware:
    return RequestMiddleware(app, limits, Access(token))


async def read(scope: Any, receive: Any, send: Any) -> None:
    content = await Request(scope, receive).body()
    await PlainTextResponse(str(len(content)))(scope, receive, send)


def test_a_body_that_comes_slowly_ends_in_408_by_whichever_route() -> None:
    async def run() -> None:
        app = application([], LIMITS)
        for path, kind in (("/v1/columns", "application/json"), ("/v1/transcribe", "multipart/form-data; boundary=x")):
            client = Client(app, path, content_type=kind)
            client.body(b"", more=True)
            status, headers, said = await client.answer()
            assert (status, headers["connection"]) == (408, "close")
            assert "0.2 s" in said

    asyncio.run(run())


def test_a_body_of_an_untold_length_ends_in_413_as_it_passes_the_limit() -> None:
    async def run() -> None:
        client = Client(application([], LIMITS))
        for _ in range(3):
            client.body(b" " * 400, more=True)
        status, headers, said = await client.answer()
        assert (status, headers["connection"]) == (413, "close")
        assert "1000 bytes" in said

    asyncio.run(run())


def test_a_refused_request_is_answered_though_its_body_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gruworks.app.server.exchange.DRAIN_SECONDS", 0.05)

    async def run() -> None:
        status, headers, _ = await Client(guarded(read, token="0123456789abcdef")).answer()
        assert (status, headers["connection"]) == (401, "close")
        small = Client(guarded(read, token="0123456789abcdef"))
        small.body(b"x")
        status, headers, _ = await small.answer()
        assert (status, "connection" in headers) == (401, False)

    asyncio.run(run())


def test_work_for_a_client_that_has_left_is_cancelled() -> None:
    async def run() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def works(scope: Any, receive: Any, send: Any) -> None:
            await Request(scope, receive).body()
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        client = Client(guarded(works))
        client.body(b"{}")
        await begun.wait()
        client.leave()
        await asyncio.wait_for(client.task, 10)
        assert ended.is_set()
        assert client.told == []

    asyncio.run(run())


def test_a_batched_request_of_a_client_that_has_left_is_not_worked_for() -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    from gruworks.app.server.batching import Batcher

    async def run() -> None:
        go, worked = Event(), []

        def answer(items: list[Any]) -> list[Any]:
            go.wait(10)
            worked.extend(items)
            return items

        batcher = Batcher("test", answer, ThreadPoolExecutor(1), most=1)

        async def asks(scope: Any, receive: Any, send: Any) -> None:
            name = (await Request(scope, receive).body()).decode()
            await JSONResponse(await batcher.ask(name))(scope, receive, send)

        app = guarded(asks, Limits())
        clients = [Client(app) for _ in range(3)]
        for number, client in enumerate(clients):
            client.body(str(number).encode())
            await asyncio.sleep(0.02)
        clients[1].leave()
        await asyncio.wait_for(clients[1].task, 10)
        go.set()
        assert [(await clients[k].answer())[2] for k in (0, 2)] == ['"0"', '"2"']
        assert worked == ["0", "2"]

    asyncio.run(run())


def test_more_requests_than_may_be_answered_at_once_get_503() -> None:
    async def run() -> None:
        app = guarded(read)
        first = Client(app, transfer_encoding="chunked")
        await asyncio.sleep(0)
        second = Client(app)
        second.body(b"x")
        assert (await second.answer())[0] == 503
        health = Client(app, "/health")
        health.body(b"x")
        assert (await health.answer())[0] == 200  # whoever watches over the server still gets in
        first.body(b"xyz")
        assert (await first.answer())[2] == "3"

    asyncio.run(run())


def test_a_fault_is_a_500_without_details(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("secret")

    async def run() -> None:
        client = Client(guarded(broken))
        status, headers, said = await client.answer()
        assert status == 500
        assert HEADERS.items() <= headers.items()
        assert "secret" not in said

    asyncio.run(run())
    assert "secret" in caplog.text
